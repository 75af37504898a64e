//===- Isa.cpp - properties of element types, tables of the td ------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Program/Instructions.h"

#include <unordered_map>

using namespace mho;
using namespace mho::isa;

const char *isa::nameOf(Type type) { return infoOf(type).name; }

std::optional<Type> isa::typeNamed(std::string_view name) {
  for (unsigned i = 0; i < kNumTypes; ++i)
    if (name == kTypes[i].name)
      return Type(i);
  return std::nullopt;
}

const char *isa::nameOf(Space space) {
  static constexpr const char *names[] = {"scratch", "const", "io", "slot"};
  return unsigned(space) < 4 ? names[unsigned(space)] : "?";
}

const char *isa::nameOf(WriteKind kind) {
  static constexpr const char *names[] = {"store", "add", "mul", "min",  "max",
                                          "and",   "or",  "xor", "carry"};
  return unsigned(kind) < kNumWriteKinds ? names[unsigned(kind)] : "?";
}

#include "mho/Program/Instructions.cpp.inc"
