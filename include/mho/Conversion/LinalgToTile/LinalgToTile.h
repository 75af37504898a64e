//===- LinalgToTile.h - from linalg on tensors to instructions --*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_CONVERSION_LINALGTOTILE_LINALGTOTILE_H
#define MHO_CONVERSION_LINALGTOTILE_LINALGTOTILE_H

#include "mlir/Pass/Pass.h"

namespace mho {

/// On a linalg.generic: array of one attribute per result, the value its
/// accumulator starts from, or unit where it starts from the operand.
inline constexpr llvm::StringLiteral kInitAttr = "tile.init";

#define GEN_PASS_DECL_BOUNDALLOCATIONS
#define GEN_PASS_DECL_BUFFERIZEUNITS
#define GEN_PASS_DECL_FUSEKERNELS
#define GEN_PASS_DECL_CONVERTLINALGTOTILE
#include "mho/Conversion/Passes.h.inc"

} // namespace mho

#endif // MHO_CONVERSION_LINALGTOTILE_LINALGTOTILE_H
