//===- Arrays.cpp - arrays between Python and the runtime -----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Arrays.h"

#include <cstring>

using namespace mho;
using namespace mho::python;

static rt::Tensor toTensor(const std::string &name, const ArrayIn &array) {
  const auto &[typeName, shape, bytes] = array;
  auto type = isa::typeNamed(typeName);
  if (!type)
    throw nb::value_error(
        ("array '" + name + "' has no type called " + typeName).c_str());
  rt::Tensor tensor(*type, shape);
  if (bytes.size() != tensor.data.size())
    throw nb::value_error(("array '" + name + "' needs " +
                           std::to_string(tensor.data.size()) +
                           " bytes, found " + std::to_string(bytes.size()))
                              .c_str());
  if (bytes.size())
    std::memcpy(tensor.data.data(), bytes.data(), bytes.size());
  return tensor;
}

rt::TensorMap mho::python::toTensors(const ArraysIn &arrays) {
  rt::TensorMap tensors;
  for (const auto &[name, array] : arrays)
    tensors.emplace(name, toTensor(name, array));
  return tensors;
}

ArrayOut mho::python::toPython(rt::Tensor &&tensor) {
  auto *kept = new rt::Tensor(std::move(tensor));
  nb::capsule owner(kept, [](void *memory) noexcept {
    delete static_cast<rt::Tensor *>(memory);
  });
  size_t size = kept->data.size();
  // Where there is no element the address is never used, but must be one.
  kept->data.reserve(1);
  return {isa::nameOf(kept->type), kept->shape,
          BytesOut(kept->data.data(), {size}, owner)};
}
