//===- Tensor.h - named arrays that go in and come out
//----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_TENSOR_H
#define MHO_RUNTIME_TENSOR_H

#include "mho/Program/Isa.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace mho::rt {

/// A dense array, row-major, one element after the other (sub-byte types take
/// a byte each).
struct Tensor {
  isa::Type type = isa::Type::F32;
  std::vector<int64_t> shape;
  std::vector<std::byte> data;

  Tensor() = default;
  Tensor(isa::Type type, std::vector<int64_t> dims)
      : type(type), shape(std::move(dims)),
        data(elements() * isa::sizeOf(type)) {}

  size_t elements() const {
    size_t count = 1;
    for (int64_t extent : shape)
      count *= size_t(extent);
    return count;
  }
  template <typename T> T *as() { return reinterpret_cast<T *>(data.data()); }
  template <typename T> const T *as() const {
    return reinterpret_cast<const T *>(data.data());
  }
};

using TensorMap = std::map<std::string, Tensor>;

/// "f32 1x3x32x32", for messages.
std::string describe(isa::Type type, const std::vector<int64_t> &shape);

/// Element `index` of `tensor` as a number.
double elementAsDouble(const Tensor &tensor, size_t index);

} // namespace mho::rt

#endif // MHO_RUNTIME_TENSOR_H
