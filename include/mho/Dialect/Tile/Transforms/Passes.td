//===- Passes.td - passes on the way to tile programs ------*- tablegen -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_TILE_TRANSFORMS_PASSES
#define MHO_DIALECT_TILE_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def PlanMemory : Pass<"tile-plan-memory", "::mlir::ModuleOp"> {
  let summary = "gives every buffer its place";
  let description = [{
    Works on unit functions after bufferization. Arguments and returned buffers
    get places in the io space, constants in the const space, all others in the
    unit's scratch arena: two buffers share bytes if they are never alive at
    once, and an element-wise kernel's result takes the place of an operand that
    ends there. Offsets are in bytes and multiples of 64.

    The result is attributes: `tile.space` and `tile.offset` on allocations,
    `tile.offset` on globals, arguments and results, `tile.scratch_bytes`,
    `tile.peak_bytes` (most bytes alive at once) and `tile.io_bytes` on
    functions. Allocations of unknown size are an error at their node.
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

def VerifyTile : Pass<"tile-verify", "::mlir::ModuleOp"> {
  let summary = "checks what the tile phase may hold";
  let description = [{
    A module of `tile.program`, `tile.value`, `tile.constant` and `analog.bank`
    only, with one program per unit.
  }];
}

#endif // MHO_DIALECT_TILE_TRANSFORMS_PASSES
