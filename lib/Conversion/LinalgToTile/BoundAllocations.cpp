//===- BoundAllocations.cpp - every tensor gets room for its bound --------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A tensor whose extents are known only at run time becomes a slice of one with
// the largest extents: buffers and strides are then fixed, and only extents are
// scalars of the run. What is written in place and needed elsewhere as it was
// is copied here, since bufferization would make a copy of unknown size.
//
//===----------------------------------------------------------------------===//

#include "mho/Conversion/LinalgToTile/LinalgToTile.h"

#include "mho/Dialect/Graph/IR/RunTimeExtents.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

namespace mho {
#define GEN_PASS_DEF_BOUNDALLOCATIONS
#include "mho/Conversion/Passes.h.inc"
} // namespace mho

using namespace mlir;
using namespace mho;

namespace {

/// More elements than any memory has.
constexpr int64_t kLargest = int64_t(1) << 40;

/// The extents of `v`, as what it is built in or cut from has them.
SmallVector<OpFoldResult> sizesOf(OpBuilder &b, Value v) {
  while (Operation *op = v.getDefiningOp()) {
    auto destinations = dyn_cast<DestinationStyleOpInterface>(op);
    if (auto empty = dyn_cast<tensor::EmptyOp>(op))
      return empty.getMixedSizes();
    if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op)) {
      SmallVector<OpFoldResult> sizes;
      llvm::SmallBitVector dropped = slice.getDroppedDims();
      for (auto [dim, size] : llvm::enumerate(slice.getMixedSizes()))
        if (!dropped.test(dim))
          sizes.push_back(size);
      return sizes;
    }
    if (auto expand = dyn_cast<tensor::ExpandShapeOp>(op))
      return expand.getMixedOutputShape();
    if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
      v = insert.getDest();
    else if (destinations)
      v = destinations.getTiedOpOperand(cast<OpResult>(v))->get();
    else
      break;
  }
  return tensor::getMixedSizes(b, v.getLoc(), v);
}

/// Gives what `init` overwrites a tensor of its own, unless nothing else sees
/// it.
void ownDestination(OpOperand &init) {
  Value v = init.get();
  Operation *made = v.getDefiningOp();
  if (cast<RankedTensorType>(v.getType()).hasStaticShape() ||
      isa_and_present<tensor::EmptyOp>(made) ||
      (isa_and_present<DestinationStyleOpInterface, tensor::InsertSliceOp>(
           made) &&
       v.hasOneUse()))
    return;
  OpBuilder b(init.getOwner());
  Location loc = init.getOwner()->getLoc();
  SmallVector<OpFoldResult> sizes = sizesOf(b, v);
  SmallVector<OpFoldResult> zeros(sizes.size(), b.getIndexAttr(0));
  SmallVector<OpFoldResult> ones(sizes.size(), b.getIndexAttr(1));
  Value room = tensor::EmptyOp::create(
      b, loc, sizes, cast<RankedTensorType>(v.getType()).getElementType());
  init.set(tensor::InsertSliceOp::create(b, loc, v, room, zeros, sizes, ones));
}

struct BoundAllocations : mho::impl::BoundAllocationsBase<BoundAllocations> {
  void runOnOperation() override {
    getOperation().walk([](DestinationStyleOpInterface op) {
      if (op.hasPureTensorSemantics())
        for (OpOperand &init : op.getDpsInitsMutable())
          ownDestination(init);
    });
    SmallVector<tensor::EmptyOp> allocations;
    SmallVector<tensor::CollapseShapeOp> collapses;
    getOperation().walk([&](Operation *op) {
      if (auto empty = dyn_cast<tensor::EmptyOp>(op);
          empty && !empty.getType().hasStaticShape())
        allocations.push_back(empty);
      else if (auto collapse = dyn_cast<tensor::CollapseShapeOp>(op);
               collapse && !collapse.getSrcType().hasStaticShape())
        collapses.push_back(collapse);
    });
    if (allocations.empty() && collapses.empty())
      return;
    graph::RunTimeExtents extents(getOperation());
    for (tensor::CollapseShapeOp op : collapses)
      dropOnes(op, extents);
    if (failed(extents.analyse()))
      return signalPassFailure();
    for (tensor::EmptyOp op : allocations)
      if (failed(bound(op, extents)))
        signalPassFailure();
  }

private:
  /// Axes of one beside an axis of run-time extent are left out by a slice:
  /// that has strides, whatever the extent is, where a collapse might not.
  void dropOnes(tensor::CollapseShapeOp op, graph::RunTimeExtents &extents) {
    auto from = op.getSrcType();
    llvm::SmallBitVector dropped(from.getRank());
    for (const ReassociationIndices &group : op.getReassociationIndices())
      if (llvm::any_of(group,
                       [&](int64_t dim) { return from.isDynamicDim(dim); }))
        for (int64_t dim : group)
          if (from.getDimSize(dim) == 1)
            dropped.set(dim);
    if (dropped.none())
      return;
    OpBuilder b(op);
    SmallVector<Value> known = extents.of(op.getSrc());
    SmallVector<int64_t> shape;
    SmallVector<OpFoldResult> sizes;
    SmallVector<ReassociationIndices> groups(1);
    auto next = known.begin();
    int64_t place = 0;
    for (auto [i, group] : llvm::enumerate(op.getReassociationIndices())) {
      groups.resize(i + 1);
      for (int64_t dim : group) {
        int64_t extent = from.getDimSize(dim);
        sizes.push_back(ShapedType::isDynamic(extent)
                            ? OpFoldResult(*next++)
                            : OpFoldResult(b.getIndexAttr(extent)));
        if (dropped.test(dim))
          continue;
        shape.push_back(extent);
        groups.back().push_back(place++);
      }
    }
    SmallVector<OpFoldResult> zeros(sizes.size(), b.getIndexAttr(0));
    SmallVector<OpFoldResult> ones(sizes.size(), b.getIndexAttr(1));
    Value slice = tensor::ExtractSliceOp::create(
        b, op.getLoc(), RankedTensorType::get(shape, from.getElementType()),
        op.getSrc(), zeros, sizes, ones);
    if (shape.size() != groups.size())
      slice = tensor::CollapseShapeOp::create(
          b, op.getLoc(), op.getResultType(), slice, groups);
    op.replaceAllUsesWith(slice);
    op.erase();
  }

  LogicalResult bound(tensor::EmptyOp op,
                      const graph::RunTimeExtents &extents) {
    OpBuilder b(op);
    SmallVector<int64_t> shape;
    SmallVector<OpFoldResult> sizes = op.getMixedSizes();
    for (auto [dim, size] : llvm::enumerate(sizes)) {
      if (auto number = getConstantIntValue(size)) {
        shape.push_back(*number);
        continue;
      }
      auto range = extents.rangeOf(cast<Value>(size));
      if (!range || range->second >= kLargest)
        return op.emitError("dimension ")
               << dim << " of " << op.getType()
               << " has no bound: give the input that it follows from one "
                  "(--shape=NAME=1..N)";
      shape.push_back(std::max<int64_t>(range->second, 0));
    }
    SmallVector<OpFoldResult> zeros(shape.size(), b.getIndexAttr(0));
    SmallVector<OpFoldResult> ones(shape.size(), b.getIndexAttr(1));
    // One whole per use, so that no two values share it.
    for (OpOperand &use : llvm::make_early_inc_range(op->getUses())) {
      b.setInsertionPoint(use.getOwner());
      Location loc = use.getOwner()->getLoc();
      Value whole =
          tensor::EmptyOp::create(b, loc, shape, op.getType().getElementType());
      use.set(tensor::ExtractSliceOp::create(b, loc, op.getType(), whole, zeros,
                                             sizes, ones));
    }
    op.erase();
    return success();
  }
};

} // namespace
