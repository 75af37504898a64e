//===- Tensor.cpp - arrays with a shape -----------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Runtime/Tensor.h"

#include "Kernel/Scalar.h"

using namespace mho;
using namespace mho::rt;

std::string rt::describe(isa::Type type, const std::vector<int64_t> &shape) {
  std::string text = isa::nameOf(type);
  for (size_t axis = 0; axis < shape.size(); ++axis)
    text += (axis ? "x" : " ") + std::to_string(shape[axis]);
  return shape.empty() ? text + " scalar" : text;
}

double rt::elementAsDouble(const Tensor &tensor, size_t index) {
  return toDouble(
      tensor.type,
      loadScalar(tensor.type,
                 tensor.data.data() + index * isa::sizeOf(tensor.type)));
}
