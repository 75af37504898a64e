//===- TileInstructions.h - tile ops as decoded instructions and back -----===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_TILE_IR_TILEINSTRUCTIONS_H
#define MHO_DIALECT_TILE_IR_TILEINSTRUCTIONS_H

#include "mho/Dialect/Tile/IR/TileOps.h"
#include "mho/Program/Instructions.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace mho::tile {

/// One instruction and the op it comes from.
struct LoweredInstruction {
  isa::Instruction instruction;
  mlir::Operation *op;
};

/// The instructions of `block` in decoded order (bodies directly after their
/// parent). Reports ops that are no instructions and kernels whose bodies hold
/// what no micro-op does, at their locations.
mlir::LogicalResult toInstructions(mlir::Block &block,
                                   std::vector<LoweredInstruction> &list);

/// Appends ops for `list` at the builder's place; `locationOf` gives each
/// instruction's location. Fails on registers and bodies that do not exist.
mlir::LogicalResult
fromInstructions(mlir::OpBuilder &builder,
                 llvm::ArrayRef<isa::Instruction> list,
                 llvm::function_ref<mlir::Location(size_t)> locationOf);

/// The register program of a kernel's body and back into an empty region.
mlir::LogicalResult toKernelBody(KernelOp kernel, isa::KernelBody &body);
mlir::LogicalResult fromKernelBody(mlir::OpBuilder &builder, KernelOp kernel,
                                   const isa::KernelBody &body);

} // namespace mho::tile

#endif // MHO_DIALECT_TILE_IR_TILEINSTRUCTIONS_H
