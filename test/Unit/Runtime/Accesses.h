//===- Accesses.h - operands of instructions under test ---------*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_TEST_UNIT_RUNTIME_ACCESSES_H
#define MHO_TEST_UNIT_RUNTIME_ACCESSES_H

#include "mho/Program/Instructions.h"

#include <cstddef>
#include <vector>

namespace mho {

template <typename T> std::byte *bytesOf(std::vector<T> &v) {
  return reinterpret_cast<std::byte *>(v.data());
}

/// Of the memory that the test gives, from its start.
inline isa::Access access(isa::Type type, std::vector<int64_t> strides) {
  isa::Access result;
  result.type = type;
  result.strides = std::move(strides);
  return result;
}

} // namespace mho

#endif // MHO_TEST_UNIT_RUNTIME_ACCESSES_H
