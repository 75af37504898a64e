//===- VerifyPlaces.cpp - verifiers of movement and image ops -------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Ops of MovementOps.td and ImageOps.td. Their operands are always static: the
// importer makes them only where all shapes are known.
//
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Graph/IR/GraphOps.h"
#include "mho/Dialect/Graph/IR/Shapes.h"

using namespace mlir;
using namespace mho::graph;

namespace {

ArrayRef<int64_t> shapeOf(Value v) {
  return cast<ShapedType>(v.getType()).getShape();
}

Type elementOf(Value v) {
  return cast<ShapedType>(v.getType()).getElementType();
}

/// Ranked operands and results of known extents.
LogicalResult expectStatic(Operation *op) {
  auto isStatic = [](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && tensor.hasStaticShape();
  };
  if (llvm::all_of(op->getOperandTypes(), isStatic) &&
      llvm::all_of(op->getResultTypes(), isStatic))
    return success();
  return op->emitOpError("takes and gives tensors of known shape");
}

/// The same where extents may be known at run time only.
LogicalResult expectRanked(Operation *op) {
  auto isRanked = [](Type type) { return isa<RankedTensorType>(type); };
  if (llvm::all_of(op->getOperandTypes(), isRanked) &&
      llvm::all_of(op->getResultTypes(), isRanked))
    return success();
  return op->emitOpError("takes and gives tensors of known rank");
}

LogicalResult expectShape(Operation *op, Value value,
                          ArrayRef<int64_t> expected, StringRef what) {
  if (shapeOf(value) == expected)
    return success();
  auto error = op->emitOpError("expected ") << what << " of shape [";
  llvm::interleaveComma(expected, error);
  return error << "], found " << value.getType();
}

/// Places in `whole` whose points run over `points`.
LogicalResult verifyPlaces(Operation *op, Value whole, Value points,
                           ValueRange indices, ArrayRef<int64_t> dims,
                           bool fits) {
  ArrayRef<int64_t> inside = shapeOf(whole), along = shapeOf(points);
  if (dims.size() != inside.size() ||
      llvm::count(dims, -1) != int64_t(indices.size()))
    return op->emitOpError("dims needs an entry for each axis of ")
           << whole.getType() << ", -1 for each of the " << indices.size()
           << " indices";
  for (auto [dim, extent] : llvm::zip_equal(dims, inside)) {
    if (dim == -1)
      continue;
    if (dim < 0 || dim >= int64_t(along.size()) ||
        (!ShapedType::isDynamic(extent) && !ShapedType::isDynamic(along[dim]) &&
         (fits ? along[dim] > extent : along[dim] != extent)))
      return op->emitOpError("dim ") << dim << " of " << points.getType()
                                     << " does not fit an axis of " << extent;
  }
  for (Value index : indices) {
    auto joined = broadcastShapes(shapeOf(index), along);
    if (!joined || ArrayRef<int64_t>(*joined) != along ||
        !elementOf(index).isSignlessInteger(64))
      return op->emitOpError("index of type ")
             << index.getType() << " does not run along " << points.getType();
  }
  return success();
}

} // namespace

LogicalResult GatherNDOp::verify() {
  if (failed(expectRanked(*this)))
    return failure();
  // A slice of x may be shorter than x: GatherElements' indices say how long.
  return verifyPlaces(*this, getX(), getY(), getIndices(), getDims(),
                      /*fits=*/true);
}

LogicalResult ScatterNDOp::verify() {
  if (failed(expectRanked(*this)) ||
      failed(expectShape(*this, getY(), shapeOf(getX()), "a result")))
    return failure();
  if (!llvm::is_contained({"none", "add", "mul", "min", "max"}, getKind()))
    return emitOpError("kind must be none, add, mul, min or max, found '")
           << getKind() << "'";
  return verifyPlaces(*this, getX(), getUpdates(), getIndices(), getDims(),
                      /*fits=*/true);
}

LogicalResult TopKOp::verify() {
  if (failed(expectRanked(*this)))
    return failure();
  ArrayRef<int64_t> x = shapeOf(getX()), values = shapeOf(getValues());
  if (x.empty() || values.size() != x.size() ||
      values.drop_back() != x.drop_back() ||
      (!ShapedType::isDynamic(x.back()) && values.back() > x.back()))
    return emitOpError("expected results of the input's shape, the last axis "
                       "at most as long; found ")
           << getX().getType() << " and " << getValues().getType();
  return expectShape(*this, getIndices(), values, "indices");
}

LogicalResult ResampleOp::verify() {
  if (failed(expectRanked(*this)))
    return failure();
  int64_t axis = getAxis();
  SmallVector<int64_t> shape(shapeOf(getX()));
  if (axis < 0 || axis >= int64_t(shape.size()))
    return emitOpError("axis ")
           << axis << " is not one of the " << shape.size() << " axes";
  ArrayRef<int64_t> taps = shapeOf(getTaps());
  if (taps.size() != 2 || taps[1] < 1)
    return emitOpError("expected a table of taps, found ")
           << getTaps().getType();
  shape[axis] = taps[0];
  if (failed(expectShape(*this, getWeights(), taps, "weights")))
    return failure();
  return expectShape(*this, getY(), shape, "a result");
}

LogicalResult SampleOp::verify() {
  // How many points there are, and in how many images, a run may tell.
  for (Value value : getOperation()->getOperands())
    if (llvm::any_of(shapeOf(value).drop_front(), ShapedType::isDynamic))
      return emitOpError("expected constant extents behind the first, found ")
             << value.getType();
  if (!llvm::is_contained({"nearest", "linear", "cubic"}, getInterpolation()))
    return emitOpError(
               "interpolation must be nearest, linear or cubic, found '")
           << getInterpolation() << "'";
  if (!llvm::is_contained({"zeros", "edge", "reflect", "symmetric"},
                          getBorder()))
    return emitOpError("border must be zeros, edge, reflect or symmetric, "
                       "found '")
           << getBorder() << "'";
  ArrayRef<int64_t> x = shapeOf(getX()), places = shapeOf(getPlaces());
  if (x.size() < 3 || places.size() < 2 ||
      places.back() != int64_t(x.size()) - 2)
    return emitOpError("expected ")
           << int64_t(x.size()) - 2 << " coordinates a point, found "
           << getPlaces().getType();
  if (getImages() ? shapeOf(getImages()) != places.take_front(1)
                  : places[0] != x[0])
    return emitOpError("places for ")
           << places[0] << " images do not fit " << getX().getType();
  SmallVector<int64_t> shape{places[0], x[1]};
  llvm::append_range(shape, places.drop_front().drop_back());
  return expectShape(*this, getY(), shape, "a result");
}

LogicalResult OverlapAddOp::verify() {
  if (failed(expectStatic(*this)))
    return failure();
  SmallVector<int64_t> shape(shapeOf(getX()));
  int64_t rank = shape.size(), piece = getPieceAxis(), axis = getAxis();
  if (piece < 0 || piece >= rank || axis < 0 || axis >= rank || piece == axis)
    return emitOpError("axes ") << piece << " and " << axis
                                << " are not two of the " << rank << " axes";
  if (int64_t(getStride()) < 1 || int64_t(getDilation()) < 1)
    return emitOpError("stride and dilation must be positive");
  int64_t at = axis - (piece < axis);
  shape.erase(shape.begin() + piece);
  ArrayRef<int64_t> y = shapeOf(getY());
  if (at < int64_t(y.size()))
    shape[at] = y[at];
  return expectShape(*this, getY(), shape, "a result");
}

LogicalResult MaxPoolIndexOp::verify() {
  if (failed(expectRanked(*this)))
    return failure();
  size_t spatial = shapeOf(getX()).size() - 2;
  if (getKernel().size() != spatial || getStrides().size() != spatial ||
      getDilations().size() != spatial || getPads().size() != 2 * spatial)
    return emitOpError("expected a window along ")
           << spatial << " spatial axes";
  return expectShape(*this, getIndices(), shapeOf(getY()), "indices");
}
