//===- GraphToLinalg.h - digital graph ops to linalg ------------*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_CONVERSION_GRAPHTOLINALG_GRAPHTOLINALG_H
#define MHO_CONVERSION_GRAPHTOLINALG_GRAPHTOLINALG_H

#include "mlir/Pass/Pass.h"

namespace mho {

/// On an argument or result of a unit's function whose elements were unsigned:
/// its type before it was made signless.
inline constexpr llvm::StringLiteral kDeclaredTypeAttr = "mho.type";

#define GEN_PASS_DECL_CONVERTGRAPHTOLINALG
#include "mho/Conversion/Passes.h.inc"

} // namespace mho

#endif // MHO_CONVERSION_GRAPHTOLINALG_GRAPHTOLINALG_H
