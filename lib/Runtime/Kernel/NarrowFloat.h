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

} // namespace mho::rt

#endif // MHO_RUNTIME_KERNEL_NARROWFLOAT_H
