//===- VerifyTile.cpp - what the tile phase may hold ----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Tile/Transforms/Passes.h"

#include "mho/Dialect/Tile/IR/TileOps.h"

#include "llvm/ADT/DenseSet.h"

namespace mho::tile {
#define GEN_PASS_DEF_VERIFYTILE
#include "mho/Dialect/Tile/Transforms/Passes.h.inc"
} // namespace mho::tile

using namespace mlir;
using namespace mho;

namespace {

struct VerifyTile : mho::tile::impl::VerifyTileBase<VerifyTile> {
  void runOnOperation() override {
    llvm::DenseSet<std::pair<StringAttr, int32_t>> units;
    for (Operation &op : *getOperation().getBody()) {
      // Banks keep their weights until they are emitted.
      if (llvm::isa<tile::ValueOp, tile::ConstantOp>(op) ||
          op.getName().getStringRef() == "analog.bank")
        continue;
      auto program = dyn_cast<tile::ProgramOp>(op);
      if (!program) {
        op.emitOpError("must not be left in the tile phase");
        signalPassFailure();
        continue;
      }
      if (!units.insert({program.getEntryAttr(), program.getUnit()}).second) {
        program.emitOpError("is the second program of unit ")
            << program.getUnit() << " in entry point " << program.getEntry();
        signalPassFailure();
      }
    }
  }
};

} // namespace
