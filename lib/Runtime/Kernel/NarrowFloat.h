//===- NarrowFloat.h - floats of 4 to 16 bits
//------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_KERNEL_NARROWFLOAT_H
#define MHO_RUNTIME_KERNEL_NARROWFLOAT_H

#include "mho/Program/Isa.h"

#include <cstdint>

namespace mho::rt {

/// The value of a bit pattern of a float type of at most 16 bits.
float decodeFloat(isa::Type type, uint32_t bits);
/// The nearest bit pattern, ties to even. Beyond the largest value: infinity
/// if the type has one, else NaN, else (f4e2m1) the largest value. NaN becomes
/// zero where the type has none.
uint32_t encodeFloat(isa::Type type, double value);

/// A narrow float's values among those of f32, for rounding without branches.
struct NarrowFormat {
  uint32_t dropped;  ///< mantissa bits fewer than f32's
  float leastNormal; ///< below it values lie `quantum` apart
  float magic;       ///< adding and taking it away rounds to quantum
  float largest;
  float overflow; ///< what larger values become
  bool signedZero;
};

/// False: the type is no narrow float, or none that this can describe.
bool narrowFormatOf(isa::Type type, NarrowFormat &format);
inline bool hasNarrowFormat(isa::Type type) {
  NarrowFormat format;
  return narrowFormatOf(type, format);
}

} // namespace mho::rt

#endif // MHO_RUNTIME_KERNEL_NARROWFLOAT_H
