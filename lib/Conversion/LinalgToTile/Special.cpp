//===- Special.cpp - sorting, scattering, selecting to instructions -------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Instructions.h"

#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace mho;

/// Checks that an instruction can have `dims` dimensions.
static LogicalResult expectDims(Operation *op, size_t dims) {
  if (dims <= isa::kMaxDims)
    return success();
  return op->emitOpError("runs along ")
         << dims << " dimensions that do not merge; an instruction has at most "
         << isa::kMaxDims;
}

LogicalResult mho::convertSort(digital::SortOp op, OpBuilder &b,
                               const UnitContext &context) {
  FailureOr<Place> x = context.scalars.place(op.getX(), op);
  FailureOr<Place> values = context.scalars.place(op.getValues(), op);
  FailureOr<Place> indices = context.scalars.place(op.getIndices(), op);
  if (failed(x) || failed(values) || failed(indices))
    return failure();
  isa::Extent count = values->shape.back();
  if (count.max == 0)
    return success();
  if (op.getIsUnsigned()) {
    x->access.type = unsignedOf(x->access.type);
    values->access.type = unsignedOf(values->access.type);
  }
  Nest nest(x->shape);
  nest.accesses = {x->access, values->access, indices->access};
  // The sorted axis must stay the last dim, and stay at all.
  nest.groups.back() = 1;
  nest.pinned.back() = true;
  isa::Extent length = x->shape.back();
  if (length.max == 1)
    nest.extents.back() = {2, isa::kNoSlot};
  nest.shorten();
  nest.extents.back() = length;
  if (failed(expectDims(op, nest.extents.size())))
    return failure();
  MLIRContext *ctx = op.getContext();
  tile::SortOp::create(b, op.getLoc(),
                       tile::ExtentsAttr::get(ctx, ArrayRef(nest.extents)),
                       tile::ExtentAttr::get(ctx, count),
                       tile::AccessAttr::get(ctx, nest.accesses[0]),
                       tile::AccessAttr::get(ctx, nest.accesses[1]),
                       tile::AccessAttr::get(ctx, nest.accesses[2]),
                       op.getLargest() ? b.getUnitAttr() : UnitAttr());
  return success();
}

LogicalResult mho::convertScatter(digital::ScatterOp op, OpBuilder &b,
                                  const UnitContext &context) {
  FailureOr<Place> updates = context.scalars.place(op.getUpdates(), op);
  FailureOr<Place> to = context.scalars.place(op.getTo(), op);
  if (failed(updates) || failed(to))
    return failure();
  if (op.getIsUnsigned()) {
    updates->access.type = unsignedOf(updates->access.type);
    to->access.type = unsignedOf(to->access.type);
  }
  Nest nest(updates->shape);
  nest.accesses.push_back(updates->access);
  isa::Access whole = to->access;
  whole.strides.assign(updates->shape.size(), 0);
  SmallVector<isa::Extent> sizes;
  SmallVector<int64_t> placeStrides;
  for (auto [axis, dim] : llvm::enumerate(op.getDims())) {
    int64_t stride = to->access.strides[axis];
    if (dim >= 0) {
      whole.strides[dim] += stride;
      continue;
    }
    sizes.push_back(to->shape[axis]);
    placeStrides.push_back(stride);
  }
  nest.accesses.push_back(whole);
  for (Value index : op.getIndices()) {
    FailureOr<Place> place = context.scalars.place(index, op);
    if (failed(place))
      return failure();
    for (auto [dim, extent] : llvm::enumerate(place->shape))
      if (extent.max == 1)
        place->access.strides[dim] = 0;
    nest.accesses.push_back(place->access);
  }
  nest.shorten();
  if (failed(expectDims(op, nest.extents.size() + sizes.size())))
    return failure();
  MLIRContext *ctx = op.getContext();
  SmallVector<Attribute> indices;
  for (const isa::Access &access : llvm::drop_begin(nest.accesses, 2))
    indices.push_back(tile::AccessAttr::get(ctx, access));
  auto kind = llvm::StringSwitch<isa::WriteKind>(op.getKind())
                  .Case("add", isa::WriteKind::Add)
                  .Case("mul", isa::WriteKind::Mul)
                  .Case("min", isa::WriteKind::Min)
                  .Case("max", isa::WriteKind::Max)
                  .Default(isa::WriteKind::Store);
  tile::ScatterOp::create(
      b, op.getLoc(), tile::ExtentsAttr::get(ctx, ArrayRef(nest.extents)),
      b.getArrayAttr(indices), tile::ExtentsAttr::get(ctx, ArrayRef(sizes)),
      b.getDenseI64ArrayAttr(placeStrides),
      tile::AccessAttr::get(ctx, nest.accesses[0]),
      tile::AccessAttr::get(ctx, nest.accesses[1]),
      tile::CombineAttr::get(ctx, kind));
  return success();
}

LogicalResult mho::convertCompact(digital::CompactOp op, OpBuilder &b,
                                  const UnitContext &context) {
  FailureOr<Place> x = context.scalars.place(op.getX(), op);
  FailureOr<Place> places = context.scalars.place(op.getPlaces(), op);
  if (failed(x) || failed(places) || failed(expectDims(op, x->shape.size())))
    return failure();
  int64_t most = 1;
  for (const isa::Extent &extent : x->shape)
    most *= extent.max;
  // Coordinates tell dimensions apart, so none merge.
  uint32_t count = context.scalars.newSlot({0, most});
  MLIRContext *ctx = op.getContext();
  tile::CompactOp::create(
      b, op.getLoc(), tile::ExtentsAttr::get(ctx, ArrayRef(x->shape)),
      tile::AccessAttr::get(ctx, x->access),
      tile::AccessAttr::get(ctx, places->access), b.getI32IntegerAttr(count));
  context.scalars.define(op.getCount(), LinearForm{0, {{count, 1}}});
  return success();
}
