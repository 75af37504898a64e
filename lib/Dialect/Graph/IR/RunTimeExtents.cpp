//===- RunTimeExtents.cpp - extents that only the run knows ---------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Graph/IR/RunTimeExtents.h"

#include "mho/Dialect/Graph/IR/GraphOps.h"

#include "mlir/Analysis/DataFlow/IntegerRangeAnalysis.h"
#include "mlir/Analysis/DataFlow/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

using namespace mlir;

namespace mho::graph {

namespace {
/// Of a constant without elements nothing is known. MLIR's own rule reads the
/// first element all the same.
struct Ranges : dataflow::IntegerRangeAnalysis {
  using IntegerRangeAnalysis::IntegerRangeAnalysis;

  LogicalResult visitOperation(
      Operation *op,
      ArrayRef<const dataflow::IntegerValueRangeLattice *> operands,
      ArrayRef<dataflow::IntegerValueRangeLattice *> results) override {
    auto constant = dyn_cast<arith::ConstantOp>(op);
    auto type = constant ? dyn_cast<ShapedType>(constant.getType()) : nullptr;
    if (!type || !type.hasStaticShape() || type.getNumElements() != 0)
      return IntegerRangeAnalysis::visitOperation(op, operands, results);
    setAllToEntryStates(results);
    return success();
  }
};
} // namespace

std::unique_ptr<DataFlowSolver> analyseRanges(func::FuncOp func) {
  DataFlowConfig config;
  config.setInterprocedural(false);
  auto solver = std::make_unique<DataFlowSolver>(config);
  dataflow::loadBaselineAnalyses(*solver);
  solver->load<Ranges>();
  if (failed(solver->initializeAndRun(func)))
    return nullptr;
  return solver;
}

LogicalResult RunTimeExtents::analyse() {
  // Without extents of run time there is nothing to tell.
  bool any = main.walk([](Operation *op) {
                   auto open = [](Type type) {
                     auto tensor = dyn_cast<RankedTensorType>(type);
                     return tensor && !tensor.hasStaticShape();
                   };
                   return isa<ExtentOp, BoundOp>(op) ||
                                  llvm::any_of(op->getResultTypes(), open)
                              ? WalkResult::interrupt()
                              : WalkResult::advance();
                 })
                 .wasInterrupted();
  if (!any)
    return success();
  solver = analyseRanges(main);
  return success(solver != nullptr);
}

std::optional<std::pair<int64_t, int64_t>>
RunTimeExtents::rangeOf(Value index) const {
  if (!solver)
    return std::nullopt;
  const auto *state =
      solver->lookupState<dataflow::IntegerValueRangeLattice>(index);
  if (!state || state->getValue().isUninitialized())
    return std::nullopt;
  int64_t low = state->getValue().getValue().smin().getSExtValue();
  int64_t high = state->getValue().getValue().smax().getSExtValue();
  if (high == std::numeric_limits<int64_t>::max())
    return std::nullopt;
  return std::pair(low, high);
}

Value windowPositions(OpBuilder &b, Location loc, Value extent, int64_t kernel,
                      int64_t stride, int64_t dilation, int64_t padBegin,
                      int64_t padEnd, bool ceil) {
  auto number = [&](int64_t n) {
    return arith::ConstantIndexOp::create(b, loc, n).getResult();
  };
  // (extent + more) / stride + 1, rounded down.
  auto counted = [&](int64_t more) -> Value {
    Value count = extent;
    if (more != 0)
      count = arith::AddIOp::create(b, loc, count, number(more));
    if (stride != 1)
      count = arith::FloorDivSIOp::create(b, loc, count, number(stride));
    return arith::AddIOp::create(b, loc, count, number(1));
  };
  int64_t span = padBegin + padEnd - ((kernel - 1) * dilation + 1);
  Value count = counted(span + (ceil ? stride - 1 : 0));
  // The last one starts inside the input or its leading padding.
  if (ceil)
    count = arith::MinSIOp::create(b, loc, count, counted(padBegin - 1));
  return BoundOp::create(b, loc, b.getIndexType(), count, 1,
                         std::numeric_limits<int64_t>::max());
}

static Value valueOf(OpFoldResult extent) {
  return dyn_cast_if_present<Value>(extent);
}

Value RunTimeExtents::collapsed(Value tensor, int64_t axis) {
  auto collapse = tensor.getDefiningOp<tensor::CollapseShapeOp>();
  auto from = collapse.getSrcType();
  OpBuilder b(collapse);
  Value all;
  for (int64_t dim : collapse.getReassociationIndices()[axis]) {
    int64_t extent = from.getDimSize(dim);
    if (extent == 1)
      continue;
    Value one =
        ShapedType::isDynamic(extent)
            ? follow(collapse.getSrc(), dim)
            : arith::ConstantIndexOp::create(b, collapse.getLoc(), extent);
    if (!one)
      return {};
    all = all ? arith::MulIOp::create(b, collapse.getLoc(), all, one) : one;
  }
  return all;
}

Value RunTimeExtents::follow(Value tensor, int64_t axis) {
  while (true) {
    // Loops carry tensors of one shape.
    if (auto argument = dyn_cast<BlockArgument>(tensor)) {
      Operation *parent = argument.getOwner()->getParentOp();
      if (auto loop = dyn_cast<scf::ForOp>(parent)) {
        tensor = loop.getTiedLoopInit(argument)->get();
        continue;
      }
      return {};
    }
    Operation *op = tensor.getDefiningOp();
    unsigned number = cast<OpResult>(tensor).getResultNumber();
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      tensor = loop.getInitArgs()[number];
    } else if (auto cast = dyn_cast<tensor::CastOp>(op)) {
      tensor = cast.getSource();
    } else if (auto destination = dyn_cast<DestinationStyleOpInterface>(op)) {
      tensor = destination.getTiedOpOperand(op->getResult(number))->get();
    } else if (auto empty = dyn_cast<tensor::EmptyOp>(op)) {
      return valueOf(empty.getMixedSizes()[axis]);
    } else if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op)) {
      return valueOf(expand.getMixedOutputShape()[axis]);
    } else if (isa<tensor::CollapseShapeOp>(op)) {
      return collapsed(tensor, axis);
    } else if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
      llvm::SmallBitVector dropped = slice.getDroppedDims();
      for (auto [dim, size] : llvm::enumerate(slice.getMixedSizes()))
        if (!dropped.test(dim) && axis-- == 0)
          return valueOf(size);
      return {};
    } else {
      return {};
    }
  }
}

void RunTimeExtents::resolve() {
  // In the order of the program: what a tensor was made with is resolved then.
  main.walk<WalkOrder::PreOrder>([&](tensor::DimOp dim) {
    auto axis = dim.getConstantIndex();
    if (!axis || !dim.getSource().getType().hasRank() ||
        !cast<RankedTensorType>(dim.getSource().getType()).isDynamicDim(*axis))
      return;
    if (Value extent = follow(dim.getSource(), *axis)) {
      dim.replaceAllUsesWith(extent);
      dim.erase();
    }
  });
}

SmallVector<Value> RunTimeExtents::of(Value tensor) {
  SmallVector<Value> extents;
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  if (!type || type.hasStaticShape())
    return extents;
  for (int64_t axis = 0; axis < type.getRank(); ++axis) {
    if (!type.isDynamicDim(axis))
      continue;
    Value extent = follow(tensor, axis);
    if (!extent) {
      OpBuilder b(tensor.getContext());
      b.setInsertionPointAfterValue(tensor);
      extent = tensor::DimOp::create(b, tensor.getLoc(), tensor, axis);
    }
    extents.push_back(extent);
  }
  return extents;
}

} // namespace mho::graph
