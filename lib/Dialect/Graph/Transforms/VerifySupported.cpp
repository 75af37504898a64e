//===- VerifySupported.cpp - every node has a meaning and a shape ---------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Graph/Transforms/Passes.h"

#include "mho/Dialect/Graph/IR/NodeLoc.h"

using namespace mlir;

namespace mho::graph {
#define GEN_PASS_DEF_VERIFYSUPPORTED
#include "mho/Dialect/Graph/Transforms/Passes.h.inc"
} // namespace mho::graph

using namespace mho::graph;

namespace {

struct VerifySupported
    : mho::graph::impl::VerifySupportedBase<VerifySupported> {
  void runOnOperation() override {
    SmallVector<UnsupportedOp> unsupported;
    SmallVector<Operation *> dynamic;
    getOperation().walk([&](Operation *op) {
      if (auto found = dyn_cast<UnsupportedOp>(op)) {
        if (!found->hasAttr(kFollowsAttr))
          unsupported.push_back(found);
        return;
      }
      for (Type type : op->getResultTypes())
        if (auto shaped = dyn_cast<ShapedType>(type);
            shaped && !shaped.hasRank())
          dynamic.push_back(op);
    });
    for (UnsupportedOp op : unsupported)
      emitError(op.getLoc(), "operator ")
          << op.getOnnxOp() << " is not supported: " << op.getReason();
    if (unsupported.empty() && !dynamic.empty())
      emitError(dynamic.front()->getLoc(),
                "the shape of this node's result is not known");
    if (unsupported.size() > 1)
      emitError(getOperation().getLoc(), "")
          << unsupported.size() << " nodes are not supported";
    if (!unsupported.empty() || !dynamic.empty())
      signalPassFailure();
  }
};

} // namespace
