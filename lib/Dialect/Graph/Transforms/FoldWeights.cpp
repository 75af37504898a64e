//===- FoldWeights.cpp - computes what follows from constants alone -------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Graph/Transforms/Passes.h"

#include "mho/Dialect/Graph/IR/Constants.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace mho::graph {
#define GEN_PASS_DEF_FOLDWEIGHTS
#include "mho/Dialect/Graph/Transforms/Passes.h.inc"
} // namespace mho::graph

using namespace mho;

namespace {

/// Uses through which a product reads its constant weights.
llvm::DenseSet<OpOperand *> usesReadThrough(ModuleOp module) {
  llvm::DenseSet<OpOperand *> uses;
  module.walk([&](graph::WeightStationaryOpInterface op) {
    // Others stay digital, constant weights or not.
    if (!isa<Float32Type, Float16Type, BFloat16Type>(
            getElementTypeOrSelf(op->getResult(0).getType())))
      return;
    SmallVector<graph::StationaryProduct> products = op.getStationaryProducts();
    for (OpOperand &operand : op->getOpOperands()) {
      SmallVector<OpOperand *> chain{&operand};
      auto reaches = [&](const graph::StationaryProduct &product) {
        return product.weights == chain.back()->get();
      };
      while (llvm::none_of(products, reaches)) {
        Operation *by = chain.back()->get().getDefiningOp();
        if (!by || !isa<graph::TransposeOp, graph::SliceOp, graph::ReshapeOp,
                        graph::CastOp>(by)) {
          chain.clear();
          break;
        }
        chain.push_back(&by->getOpOperand(0));
      }
      uses.insert(chain.begin(), chain.end());
    }
  });
  return uses;
}

struct FoldWeights : mho::graph::impl::FoldWeightsBase<FoldWeights> {
  void runOnOperation() override {
    llvm::DenseSet<OpOperand *> readThrough = usesReadThrough(getOperation());
    SmallVector<Operation *> folded;
    getOperation().walk([&](Operation *op) {
      if (op->getNumResults() != 1 || op->getNumRegions() ||
          op->getNumOperands() == 0 ||
          op->getName().getDialectNamespace() != "graph")
        return;
      auto isRead = [&](OpOperand &use) { return readThrough.contains(&use); };
      if (!op->use_empty() && llvm::all_of(op->getUses(), isRead))
        return;
      if (fold(op))
        folded.push_back(op);
    });
    for (Operation *op : llvm::reverse(folded))
      op->erase();
    for (Operation *constant : unused())
      constant->erase();
    graph::releaseUnusedConstants(getOperation());
  }

private:
  /// Replaces `op` by a constant. Its operands' folded forms are there already,
  /// as the walk goes in program order.
  static bool fold(Operation *op) {
    SmallVector<Attribute> operands;
    for (Value operand : op->getOperands()) {
      Attribute value;
      if (!matchPattern(operand, m_Constant(&value)))
        return false;
      operands.push_back(value);
    }
    Attribute result =
        graph::evaluate(op, operands, graph::FoldEffort::Everything);
    auto typed = dyn_cast_or_null<TypedAttr>(result);
    if (!typed || typed.getType() != op->getResult(0).getType())
      return false;
    OpBuilder builder(op);
    Value constant = arith::ConstantOp::create(builder, op->getLoc(), typed);
    op->getResult(0).replaceAllUsesWith(constant);
    return true;
  }

  SmallVector<Operation *> unused() {
    SmallVector<Operation *> constants;
    getOperation().walk([&](arith::ConstantOp op) {
      if (op->use_empty())
        constants.push_back(op);
    });
    return constants;
  }
};

} // namespace
