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

/// Room for a result whose points run over `dims` of the axes of x: what an
/// index does not tell of its extents, x does.
Value emptyAlong(Lowering &l, RankedTensorType type, Value x,
                 ValueRange indices, ArrayRef<int64_t> dims) {
  auto extentOf = [&](int64_t dim) -> OpFoldResult {
    if (!type.isDynamicDim(dim))
      return l.b.getIndexAttr(type.getDimSize(dim));
    for (Value index : indices) {
      auto own = l.typeOf(index);
      int64_t axis = dim - (type.getRank() - own.getRank());
      if (axis >= 0 && own.isDynamicDim(axis))
        return l.extent(index, axis);
    }
    return l.extent(x, llvm::find(dims, dim) - dims.begin());
  };
  SmallVector<OpFoldResult> sizes;
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    sizes.push_back(extentOf(dim));
  return tensor::EmptyOp::create(l.b, sizes, type.getElementType());
}

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
  SmallVector<OpFoldResult> ends;
  for (int64_t axis = 0; axis < from.getRank(); ++axis)
    ends.push_back(l.extent(op.getX(), axis));
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  return l.generic(
      inputs, emptyAlong(l, type, op.getX(), op.getIndices(), op.getDims()),
      maps, iterators, [&](ImplicitLocOpBuilder &b, ValueRange args) {
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
          auto bound = dyn_cast<Value>(ends[axis]);
          places.push_back(bound
                               ? wrappedIndex(b, index,
                                              arith::IndexCastOp::create(
                                                  b, index.getType(), bound))
                               : wrappedIndex(b, index, from.getDimSize(axis)));
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
  // Extents of run time are those of x.
  SmallVector<OpFoldResult> sizes;
  for (int64_t axis = 0; axis < values.getRank(); ++axis)
    sizes.push_back(values.isDynamicDim(axis)
                        ? l.extent(op.getX(), axis)
                        : l.b.getIndexAttr(values.getDimSize(axis)));
  Value valuesInit =
      tensor::EmptyOp::create(l.b, sizes, values.getElementType());
  Value indicesInit =
      tensor::EmptyOp::create(l.b, sizes, indices.getElementType());
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
