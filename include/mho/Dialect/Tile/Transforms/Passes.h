//===- Passes.h - passes on the way to tile programs ------------*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_TILE_TRANSFORMS_PASSES_H
#define MHO_DIALECT_TILE_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace mho::tile {

/// Where tile-plan-memory writes its result.
inline constexpr llvm::StringLiteral kSpaceAttr = "tile.space";
inline constexpr llvm::StringLiteral kOffsetAttr = "tile.offset";
inline constexpr llvm::StringLiteral kScratchBytesAttr = "tile.scratch_bytes";
inline constexpr llvm::StringLiteral kPeakBytesAttr = "tile.peak_bytes";
inline constexpr llvm::StringLiteral kIoBytesAttr = "tile.io_bytes";

/// Every buffer starts at a multiple of this many bytes.
inline constexpr int64_t kBufferAlignment = 64;

#define GEN_PASS_DECL
#include "mho/Dialect/Tile/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "mho/Dialect/Tile/Transforms/Passes.h.inc"

} // namespace mho::tile

#endif // MHO_DIALECT_TILE_TRANSFORMS_PASSES_H
