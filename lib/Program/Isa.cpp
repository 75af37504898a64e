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

namespace {
struct TypeInfo {
  const char *name;
  uint8_t bytes;
  bool isFloat;
  bool isUnsigned;
};

constexpr TypeInfo types[kNumTypes] = {
    {"bool", 1, false, true},       {"i8", 1, false, false},
    {"u8", 1, false, true},         {"i16", 2, false, false},
    {"u16", 2, false, true},        {"i32", 4, false, false},
    {"u32", 4, false, true},        {"i64", 8, false, false},
    {"u64", 8, false, true},        {"f16", 2, true, false},
    {"bf16", 2, true, false},       {"f32", 4, true, false},
    {"f64", 8, true, false},        {"f8e4m3fn", 1, true, false},
    {"f8e5m2", 1, true, false},     {"f8e4m3fnuz", 1, true, false},
    {"f8e5m2fnuz", 1, true, false}, {"f8e8m0", 1, true, false},
    {"i4", 1, false, false},        {"u4", 1, false, true},
    {"f4e2m1", 1, true, false},     {"i2", 1, false, false},
    {"u2", 1, false, true},
};

constexpr TypeInfo unknown = {"?", 1, false, false};

const TypeInfo &info(Type type) {
  return unsigned(type) < kNumTypes ? types[unsigned(type)] : unknown;
}
} // namespace

size_t isa::sizeOf(Type type) { return info(type).bytes; }
const char *isa::nameOf(Type type) { return info(type).name; }
bool isa::isFloat(Type type) { return info(type).isFloat; }
bool isa::isUnsigned(Type type) { return info(type).isUnsigned; }

std::optional<Type> isa::typeNamed(std::string_view name) {
  for (unsigned i = 0; i < kNumTypes; ++i)
    if (name == types[i].name)
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
