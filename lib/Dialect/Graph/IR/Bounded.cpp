//===- Bounded.cpp - extents known at run time ----------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Graph/IR/GraphOps.h"

using namespace mlir;
using namespace mho::graph;

void ExtentOp::inferResultRanges(ArrayRef<ConstantIntRanges>,
                                 SetIntRangeFn setRange) {
  APInt none(64, 0), all(64, getBound());
  setRange(getExtent(), ConstantIntRanges::fromSigned(none, all));
}

void BoundOp::inferResultRanges(ArrayRef<ConstantIntRanges> operands,
                                SetIntRangeFn setRange) {
  auto own = ConstantIntRanges::fromSigned(APInt(64, getLow(), true),
                                           APInt(64, getHigh(), true));
  ConstantIntRanges both = operands[0].intersection(own);
  // Nothing in common: the run ends with an error.
  setRange(getBounded(), both.smin().sgt(both.smax()) ? own : both);
}

OpFoldResult BoundOp::fold(FoldAdaptor adaptor) {
  auto known = dyn_cast_if_present<IntegerAttr>(adaptor.getValue());
  if (known && known.getInt() >= int64_t(getLow()) &&
      known.getInt() <= int64_t(getHigh()))
    return known;
  // What is within a narrower range already.
  auto inner = getValue().getDefiningOp<BoundOp>();
  if (inner && int64_t(inner.getLow()) >= int64_t(getLow()) &&
      int64_t(inner.getHigh()) <= int64_t(getHigh()))
    return inner.getBounded();
  return {};
}

LogicalResult BoundOp::verify() {
  if (int64_t(getLow()) <= int64_t(getHigh()))
    return success();
  return emitOpError("expected a range, found from ")
         << int64_t(getLow()) << " to " << int64_t(getHigh());
}

LogicalResult NonZeroOp::verify() {
  auto x = dyn_cast<RankedTensorType>(getX().getType());
  auto places = dyn_cast<RankedTensorType>(getPlaces().getType());
  // Behind graph.unsupported there is no rank.
  if (!x || !places)
    return success();
  if (places.getRank() != 2 || !places.hasStaticShape() ||
      places.getDimSize(1) != x.getRank() ||
      !places.getElementType().isSignlessInteger(64) ||
      (x.hasStaticShape() && places.getDimSize(0) < x.getNumElements()))
    return emitOpError("expected room for ")
           << x.getRank() << " coordinates (i64) of each element of " << x
           << ", found " << places;
  return success();
}

void NonZeroOp::inferResultRanges(ArrayRef<ConstantIntRanges>,
                                  SetIntRangeFn setRange) {
  auto places = cast<RankedTensorType>(getPlaces().getType());
  APInt none(64, 0), all(64, places.getDimSize(0));
  setRange(getCount(), ConstantIntRanges::fromSigned(none, all));
}
