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
