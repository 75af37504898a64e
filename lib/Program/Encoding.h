//===- Encoding.h - constants that encoder and decoder share --------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_PROGRAM_ENCODING_H
#define MHO_LIB_PROGRAM_ENCODING_H

#include "mho/Program/Instructions.h"

namespace mho::isa {

/// High bits of an access's space byte: what else of it follows.
inline constexpr uint8_t kHasSlots = 0x10;
inline constexpr uint8_t kHasValid = 0x20;
inline constexpr uint8_t kHasFill = 0x40;
inline constexpr uint8_t kSpaceBits = 0x0f;

} // namespace mho::isa

#endif // MHO_LIB_PROGRAM_ENCODING_H
