//===- BufferizeUnits.cpp - tensors of unit functions become buffers ------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Conversion/LinalgToTile/LinalgToTile.h"

#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotModuleBufferize.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

namespace mho {
#define GEN_PASS_DEF_BUFFERIZEUNITS
#include "mho/Conversion/Passes.h.inc"
} // namespace mho

using namespace mlir;
using namespace mho;

namespace {

/// One-shot bufferization's name for an argument that must stay as it is.
constexpr llvm::StringLiteral kWritableAttr = "bufferization.writable";

/// A result that is an argument, a constant, part of another tensor, or
/// returned twice needs memory of its own: the io space holds each output once.
void copySharedResults(func::FuncOp func) {
  Operation *end = func.getBody().front().getTerminator();
  llvm::SmallPtrSet<Value, 4> seen;
  OpBuilder b(end);
  for (OpOperand &operand : end->getOpOperands()) {
    auto type = dyn_cast<RankedTensorType>(operand.get().getType());
    if (!type)
      continue;
    Value root = operand.get();
    while (Operation *op = root.getDefiningOp()) {
      if (!isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp, tensor::CastOp>(
              op))
        break;
      root = op->getOperand(0);
    }
    Operation *producer = root.getDefiningOp();
    bool own =
        producer &&
        isa<DestinationStyleOpInterface, tensor::InsertSliceOp>(producer) &&
        llvm::none_of(root.getUsers(), [](Operation *user) {
          return isa<tensor::InsertSliceOp>(user);
        });
    if (own && seen.insert(root).second)
      continue;
    Location loc = producer ? producer->getLoc() : end->getLoc();
    Value init =
        tensor::EmptyOp::create(b, loc, type.getShape(), type.getElementType());
    AffineMap map = b.getMultiDimIdentityMap(type.getRank());
    SmallVector<utils::IteratorType> iterators(type.getRank(),
                                               utils::IteratorType::parallel);
    auto copy = linalg::GenericOp::create(
        b, loc, TypeRange(type), operand.get(), init,
        ArrayRef<AffineMap>{map, map}, iterators,
        [](OpBuilder &nested, Location inner, ValueRange args) {
          linalg::YieldOp::create(nested, inner, args[0]);
        });
    operand.set(copy.getResult(0));
  }
}

/// One empty tensor per use. CSE merges equal ones, and one that many ops build
/// on is one large alias set: analysing it takes cubic time.
void splitEmptyTensors(func::FuncOp func) {
  SmallVector<tensor::EmptyOp> shared;
  func.walk([&](tensor::EmptyOp empty) {
    if (!empty->use_empty() && !empty->hasOneUse())
      shared.push_back(empty);
  });
  for (tensor::EmptyOp empty : shared) {
    for (OpOperand &use : llvm::make_early_inc_range(empty->getUses())) {
      OpBuilder b(use.getOwner());
      auto own = cast<tensor::EmptyOp>(b.clone(*empty));
      own->setLoc(use.getOwner()->getLoc());
      use.set(own);
    }
    empty.erase();
  }
}

struct BufferizeUnits : mho::impl::BufferizeUnitsBase<BufferizeUnits> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    IRRewriter rewriter(&getContext());
    Attribute no = rewriter.getBoolAttr(false);
    for (auto func : module.getOps<func::FuncOp>()) {
      if (func.isDeclaration())
        continue;
      for (unsigned i = 0; i < func.getNumArguments(); ++i)
        func.setArgAttr(i, kWritableAttr, no);
      copySharedResults(func);
      splitEmptyTensors(func);
      if (func.walk(
                  [](tensor::InsertSliceOp) { return WalkResult::interrupt(); })
              .wasInterrupted())
        if (failed(bufferization::eliminateEmptyTensors(rewriter, func)))
          return signalPassFailure();
    }

    bufferization::OneShotBufferizationOptions options;
    options.bufferizeFunctionBoundaries = true;
    options.setFunctionBoundaryTypeConversion(
        bufferization::LayoutMapOption::IdentityLayoutMap);
    options.bufferAlignment = 0;
    bufferization::BufferizationState state;
    if (failed(
            bufferization::runOneShotModuleBufferize(module, options, state)))
      return signalPassFailure();
    bufferization::removeBufferizationAttributesInModule(module);
  }
};

} // namespace
