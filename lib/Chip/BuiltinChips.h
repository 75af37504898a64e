//===- BuiltinChips.h - the chip files compiled into the library ----------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_CHIP_BUILTINCHIPS_H
#define MHO_LIB_CHIP_BUILTINCHIPS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace mho {

struct BuiltinChip {
  llvm::StringRef name, text;
};

/// Generated from lib/Chip/chips/*.yaml by lib/Chip/CMakeLists.txt.
llvm::ArrayRef<BuiltinChip> builtinChips();

} // namespace mho

#endif // MHO_LIB_CHIP_BUILTINCHIPS_H
