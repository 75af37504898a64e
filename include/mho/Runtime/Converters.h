//===- Converters.h - what DAC and ADC do to a number ---------------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The meaning of the converters, one number at a time. The blocked kernels
// compute the same; tests hold them against these.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_CONVERTERS_H
#define MHO_RUNTIME_CONVERTERS_H

#include <cmath>
#include <cstdint>

namespace mho::rt {

/// Largest code of a signed converter of `bits` bits.
inline int32_t largestCode(uint32_t bits) { return (1 << (bits - 1)) - 1; }

/// `x` times `codesPerUnit`, clipped at ±largest, to the nearest code, ties to
/// even. Not-a-number converts to the largest code.
inline float toCode(float x, float codesPerUnit, float largest) {
  float scaled = x * codesPerUnit;
  scaled = scaled < largest ? scaled : largest;
  scaled = scaled > -largest ? scaled : -largest;
  return std::nearbyint(scaled);
}

} // namespace mho::rt

#endif // MHO_RUNTIME_CONVERTERS_H
