//===- ScalarExtents.cpp - extents and views that the run gives -----------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Scalars.h"

using namespace mlir;

namespace mho {

FailureOr<LinearForm> Scalars::formOrSlot(Value value, Location loc) {
  if (auto known = formOf(value))
    return *known;
  FailureOr<uint32_t> slot = inSlot(value, loc);
  if (failed(slot))
    return failure();
  return LinearForm{0, {{*slot, 1}}};
}

FailureOr<isa::Extent> Scalars::extentOf(Value value, int64_t most,
                                         Location loc) {
  // What stands in this block or around it has been written before.
  Block *here = b.getInsertionBlock();
  for (const KnownExtent &known : extents[value])
    if (known.extent.max <= most &&
        (known.block == here ||
         known.block->findAncestorOpInBlock(*here->getParentOp())))
      return known.extent;
  FailureOr<LinearForm> form = formOrSlot(value, loc);
  if (failed(form))
    return failure();
  LinearForm inside = restricted(*form, {0, most}, loc);
  if (inside.isConstant())
    return isa::Extent{inside.constant, isa::kNoSlot};
  if (inside.constant != 0 || inside.terms.size() != 1 ||
      inside.terms.front().stride != 1) {
    // An extent is one slot.
    Interval range = rangeOf(inside);
    inside = inNewSlot(inside, range, loc);
  }
  uint32_t slot = inside.terms.front().slot;
  isa::Extent extent{slots[slot].high, int32_t(slot)};
  extents[value].push_back({b.getInsertionBlock(), extent});
  return extent;
}

FailureOr<isa::Extent> Scalars::extentInSlot(Value value, int64_t most,
                                             Location loc) {
  FailureOr<isa::Extent> extent = extentOf(value, most, loc);
  if (failed(extent) || extent->slot != isa::kNoSlot)
    return extent;
  LinearForm fixed = inNewSlot(LinearForm{extent->max, {}}, {0, most}, loc);
  return isa::Extent{most, int32_t(fixed.terms.front().slot)};
}

LogicalResult Scalars::define(memref::SubViewOp view) {
  bool moves = llvm::any_of(view.getStaticOffsets(), ShapedType::isDynamic);
  bool bounded = llvm::any_of(view.getStaticSizes(), ShapedType::isDynamic);
  if (!moves && !bounded)
    return success();
  FailureOr<Place> source = place(view.getSource(), view);
  if (failed(source))
    return failure();
  Location loc = view.getLoc();
  RuntimeView runtime;
  SmallVector<isa::Extent> sizes;
  for (auto [dim, size] : llvm::enumerate(view.getMixedSizes())) {
    if (auto number = getConstantIntValue(size)) {
      sizes.push_back({*number, isa::kNoSlot});
      continue;
    }
    if (view.getStaticStrides()[dim] != 1)
      return view.emitOpError("strides along an extent of run time");
    FailureOr<isa::Extent> extent =
        extentOf(cast<Value>(size), source->shape[dim].max, loc);
    if (failed(extent))
      return failure();
    sizes.push_back(*extent);
  }
  if (bounded) {
    llvm::SmallBitVector dropped = view.getDroppedDims();
    for (auto [dim, size] : llvm::enumerate(sizes))
      if (!dropped.test(dim))
        runtime.extents.push_back(size);
  }
  for (auto [dim, offset] : llvm::enumerate(view.getMixedOffsets())) {
    if (!moves)
      break;
    LinearForm form;
    if (auto number = getConstantIntValue(offset)) {
      form.constant = *number;
    } else {
      FailureOr<LinearForm> known = formOrSlot(cast<Value>(offset), loc);
      if (failed(known))
        return failure();
      int64_t stride = view.getStaticStrides()[dim];
      if (ShapedType::isDynamic(stride))
        return view.emitOpError("has a stride that is not fixed");
      int64_t last = source->shape[dim].max - 1 - (sizes[dim].max - 1) * stride;
      form = restricted(*known, {0, std::max<int64_t>(last, 0)}, loc);
    }
    runtime.offsets.push_back(form);
  }
  views[view] = runtime;
  return success();
}

LogicalResult Scalars::define(memref::ExpandShapeOp view) {
  auto type = view.getResultType();
  if (type.hasStaticShape())
    return success();
  FailureOr<Place> source = place(view.getSrc(), view);
  if (failed(source))
    return failure();
  RuntimeView runtime;
  for (int64_t extent : type.getShape())
    runtime.extents.push_back({extent, isa::kNoSlot});
  for (auto [i, group] : llvm::enumerate(view.getReassociationIndices())) {
    int64_t fixed = 1, bounded = -1;
    for (int64_t dim : group)
      if (type.isDynamicDim(dim))
        bounded = dim;
      else
        fixed *= type.getDimSize(dim);
    if (bounded < 0)
      continue;
    OpFoldResult size = view.getMixedOutputShape()[bounded];
    if (fixed == 1) {
      runtime.extents[bounded] = source->shape[i];
      continue;
    }
    auto value = dyn_cast<Value>(size);
    FailureOr<isa::Extent> extent =
        value ? extentOf(value,
                         source->shape[i].max / std::max<int64_t>(fixed, 1),
                         view.getLoc())
              : FailureOr<isa::Extent>(isa::Extent{*getConstantIntValue(size)});
    if (failed(extent))
      return failure();
    runtime.extents[bounded] = *extent;
  }
  views[view] = runtime;
  return success();
}

} // namespace mho
