//===- Places.cpp - elements at computed places to linalg -----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Gathering is a generic that extracts; sorting and scattering are no loop
// nests and become the digital dialect's ops.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

#include "mho/Dialect/Digital/IR/DigitalOps.h"

using namespace mlir;

namespace mho::graph {

Value wrappedIndex(ImplicitLocOpBuilder &b, Value index, int64_t extent) {
  return wrappedIndex(b, index, constantOf(b, index.getType(), extent));
}

Value wrappedIndex(ImplicitLocOpBuilder &b, Value index, Value bound) {
  Value fromEnd = arith::AddIOp::create(b, index, bound);
  // An index that is too low stays as it is, so that its error names it.
  Value negative =
      arith::CmpIOp::create(b, arith::CmpIPredicate::ult, fromEnd, bound);
  index = arith::SelectOp::create(b, negative, fromEnd, index);
  return arith::IndexCastOp::create(b, b.getIndexType(), index);
}

namespace {

Value lowerGatherND(Lowering &l, GatherNDOp op) {
  auto type = l.resultType();
  auto from = l.typeOf(op.getX());
  int64_t rank = type.getRank();
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  SmallVector<TypedAttr> constants;
  for (Value index : op.getIndices()) {
    constants.push_back(l.splat(index));
    if (constants.back())
      continue;
    inputs.push_back(index);
    maps.push_back(l.broadcastMap(l.typeOf(index).getShape(), type.getShape()));
  }
  maps.push_back(l.b.getMultiDimIdentityMap(rank));
  SmallVector<OpFoldResult> had;
  for (int64_t axis = 0; axis < from.getRank(); ++axis)
    had.push_back(l.extent(op.getX(), axis));
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  // An extent is that of an index along it, or of x where that is taken whole.
  Value init = l.empty(type, [&](int64_t axis) -> OpFoldResult {
    for (Value index : op.getIndices()) {
      int64_t own = axis - (rank - l.typeOf(index).getRank());
      if (own >= 0 && l.typeOf(index).isDynamicDim(own))
        return l.extent(index, own);
    }
    for (auto [place, dim] : llvm::enumerate(op.getDims()))
      if (dim == axis && from.isDynamicDim(place))
        return l.extent(op.getX(), place);
    return {};
  });
  return l.generic(
      inputs, init, maps, iterators,
      [&](ImplicitLocOpBuilder &b, ValueRange args) {
        SmallVector<Value> places;
        size_t next = 0, input = 0;
        for (auto [axis, dim] : llvm::enumerate(op.getDims())) {
          if (dim >= 0) {
            places.push_back(linalg::IndexOp::create(b, dim));
            continue;
          }
          TypedAttr known = constants[next++];
          Value index = known ? Value(arith::ConstantOp::create(b, known))
                              : args[input++];
          Value bound =
              from.isDynamicDim(axis)
                  ? Value(arith::IndexCastOp::create(b, index.getType(),
                                                     cast<Value>(had[axis])))
                  : constantOf(b, index.getType(), from.getDimSize(axis));
          places.push_back(wrappedIndex(b, index, bound));
        }
        return SmallVector<Value>{
            tensor::ExtractOp::create(b, op.getX(), places)};
      })[0];
}

/// Index tensors are given the updates' rank.
Value lowerScatterND(Lowering &l, ScatterNDOp op) {
  auto updates = l.typeOf(op.getUpdates());
  if (hasNoElements(updates))
    return op.getX();
  SmallVector<Value> indices;
  for (Value index : op.getIndices()) {
    ArrayRef<int64_t> own = l.typeOf(index).getShape();
    SmallVector<int64_t> shape(updates.getRank() - own.size(), 1);
    llvm::append_range(shape, own);
    indices.push_back(l.reshape(index, shape));
  }
  return digital::ScatterOp::create(l.b, TypeRange{l.resultType()},
                                    op.getUpdates(), indices, op.getX(),
                                    op.getDims(), op.getKind(), l.isUnsigned(0))
      ->getResult(0);
}

SmallVector<Value> lowerTopK(Lowering &l, TopKOp op) {
  auto values = l.typeOf(op.getValues());
  auto indices = l.typeOf(op.getIndices());
  auto likeX = [&](int64_t axis) { return l.extent(op.getX(), axis); };
  Value valuesInit = l.empty(values, likeX);
  Value indicesInit = l.empty(indices, likeX);
  if (hasNoElements(values))
    return {valuesInit, indicesInit};
  auto sort = digital::SortOp::create(l.b, TypeRange{values, indices},
                                      op.getX(), valuesInit, indicesInit,
                                      op.getLargest(), l.isUnsigned(0));
  return SmallVector<Value>(sort->getResults());
}

SmallVector<Value> lowerNonZero(Lowering &l, NonZeroOp op) {
  auto places = l.typeOf(op.getPlaces());
  Value room = l.empty(places.getShape(), places.getElementType());
  if (hasNoElements(l.typeOf(op.getX())))
    return {room, arith::ConstantIndexOp::create(l.b, 0)};
  auto compact = digital::CompactOp::create(
      l.b, TypeRange{places, l.b.getIndexType()}, op.getX(), room);
  return SmallVector<Value>(compact->getResults());
}

} // namespace

Lowered lowerPlaces(Lowering &l) {
  if (auto op = dyn_cast<GatherNDOp>(l.op))
    return lowered(lowerGatherND(l, op));
  if (auto op = dyn_cast<ScatterNDOp>(l.op))
    return lowered(lowerScatterND(l, op));
  if (auto op = dyn_cast<NonZeroOp>(l.op))
    return lowerNonZero(l, op);
  if (auto op = dyn_cast<TopKOp>(l.op))
    return lowerTopK(l, op);
  return notOfFamily();
}

} // namespace mho::graph
