//===- Reduction.cpp - reductions, softmax, arg-max to linalg -------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

using namespace mlir;

namespace mho::graph {

namespace {

using Combine = llvm::function_ref<Value(ImplicitLocOpBuilder &, Value, Value)>;

/// Reduces `axes` of x away. Narrow floats accumulate in f32, so the result
/// has element type `accumulator`.
Value reduce(Lowering &l, Value x, ArrayRef<int64_t> axes, TypedAttr init,
             bool isUnsigned, Combine combine) {
  auto type = l.typeOf(x);
  int64_t rank = type.getRank();
  SmallVector<int64_t> shape;
  SmallVector<AffineExpr> kept;
  SmallVector<utils::IteratorType> iterators;
  for (int64_t i = 0; i < rank; ++i) {
    bool reduced = llvm::is_contained(axes, i);
    iterators.push_back(reduced ? utils::IteratorType::reduction
                                : utils::IteratorType::parallel);
    if (reduced)
      continue;
    shape.push_back(type.getDimSize(i));
    kept.push_back(l.b.getAffineDimExpr(i));
  }
  // A nest without points writes nothing.
  if (hasNoElements(type))
    return l.filled(shape, init);
  AffineMap outMap = AffineMap::get(rank, 0, kept, l.b.getContext());
  Type accumulator = init.getType();
  return l.generic(
      x, l.filled(shape, init), {l.b.getMultiDimIdentityMap(rank), outMap},
      iterators, [&](ImplicitLocOpBuilder &b, ValueRange args) {
        Value v = castScalar(b, args[0], isUnsigned, accumulator, isUnsigned);
        return SmallVector<Value>{combine(b, args[1], v)};
      })[0];
}

Type accumulatorOf(Lowering &l, Type element) {
  return isNarrowFloat(element) ? Type(l.b.getF32Type()) : element;
}

Value add(ImplicitLocOpBuilder &b, Value x, Value y) {
  if (isa<FloatType>(x.getType()))
    return arith::AddFOp::create(b, x, y);
  return arith::AddIOp::create(b, x, y);
}

Value sum(Lowering &l, Value x, ArrayRef<int64_t> axes) {
  Type type = accumulatorOf(l, l.typeOf(x).getElementType());
  return reduce(l, x, axes, cast<TypedAttr>(l.b.getZeroAttr(type)),
                l.isUnsigned(0), add);
}

/// Element-wise on a reduced value, in the result's shape: kept axes of extent
/// 1 are skipped by the map, so that no reshape stands between this and what
/// follows.
Value finish(Lowering &l, Value v, ScalarFn body) {
  auto type = l.resultType();
  ArrayRef<int64_t> shape = l.typeOf(v).getShape();
  SmallVector<AffineExpr> exprs;
  for (int64_t i = 0; i < type.getRank(); ++i)
    if (exprs.size() < shape.size() &&
        type.getDimSize(i) == shape[exprs.size()])
      exprs.push_back(l.b.getAffineDimExpr(i));
  if (exprs.size() == shape.size())
    return l.mapped(v,
                    AffineMap::get(type.getRank(), 0, exprs, l.b.getContext()),
                    type, body);
  auto reduced = RankedTensorType::get(shape, type.getElementType());
  return l.reshape(l.elementwise(v, reduced, body), type.getShape());
}

/// The result in its shape, narrowed if the accumulator was wider.
Value finish(Lowering &l, Value v) {
  if (l.typeOf(v).getElementType() == l.resultType().getElementType())
    return l.reshape(v, l.resultType().getShape());
  return finish(
      l, v, [](ImplicitLocOpBuilder &, ValueRange args) { return args[0]; });
}

Value mean(Lowering &l, Value x, ArrayRef<int64_t> axes) {
  int64_t count = 1;
  SmallVector<Value> counted;
  for (int64_t axis : axes)
    if (OpFoldResult extent = l.extent(x, axis); isa<Value>(extent))
      counted.push_back(cast<Value>(extent));
    else
      count *= l.typeOf(x).getDimSize(axis);
  return finish(l, sum(l, x, axes),
                [&](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
                  Value n = constantOf(b, args[0].getType(), count);
                  for (Value extent : counted) {
                    Value wide =
                        arith::IndexCastOp::create(b, b.getI64Type(), extent);
                    wide = castScalar(b, wide, false, n.getType(), false);
                    if (isa<FloatType>(n.getType()))
                      n = arith::MulFOp::create(b, n, wide);
                    else
                      n = arith::MulIOp::create(b, n, wide);
                  }
                  if (isa<FloatType>(args[0].getType()))
                    return arith::DivFOp::create(b, args[0], n);
                  if (l.isUnsigned(0))
                    return arith::DivUIOp::create(b, args[0], n);
                  return arith::DivSIOp::create(b, args[0], n);
                });
}

Value largest(Lowering &l, Value x, ArrayRef<int64_t> axes) {
  bool isUnsigned = l.isUnsigned(0);
  Type type = accumulatorOf(l, l.typeOf(x).getElementType());
  return reduce(l, x, axes, lowest(type, isUnsigned), isUnsigned,
                [&](ImplicitLocOpBuilder &b, Value a, Value v) {
                  return maximum(b, a, v, isUnsigned);
                });
}

Value smallest(Lowering &l, Value x, ArrayRef<int64_t> axes) {
  bool isUnsigned = l.isUnsigned(0);
  Type type = accumulatorOf(l, l.typeOf(x).getElementType());
  return reduce(l, x, axes, highest(type, isUnsigned), isUnsigned,
                [&](ImplicitLocOpBuilder &b, Value a, Value v) {
                  return minimum(b, a, v, isUnsigned);
                });
}

Value product(Lowering &l, Value x, ArrayRef<int64_t> axes) {
  Type type = accumulatorOf(l, l.typeOf(x).getElementType());
  TypedAttr one = isa<FloatType>(type) ? TypedAttr(l.b.getFloatAttr(type, 1))
                                       : l.b.getIntegerAttr(type, 1);
  return reduce(l, x, axes, one, l.isUnsigned(0),
                [](ImplicitLocOpBuilder &b, Value a, Value v) -> Value {
                  if (isa<FloatType>(v.getType()))
                    return arith::MulFOp::create(b, a, v);
                  return arith::MulIOp::create(b, a, v);
                });
}

/// Whether `x` takes the place of `best`: a NaN does, and stays. Of equals the
/// last one does if `orEqual`.
Value better(ImplicitLocOpBuilder &b, Value x, Value best, bool smallest,
             bool orEqual, bool isUnsigned) {
  if (!isa<FloatType>(x.getType())) {
    using P = arith::CmpIPredicate;
    bool ordinal = isUnsigned || x.getType().isInteger(1);
    P strict =
        smallest ? (ordinal ? P::ult : P::slt) : (ordinal ? P::ugt : P::sgt);
    P loose =
        smallest ? (ordinal ? P::ule : P::sle) : (ordinal ? P::uge : P::sge);
    return arith::CmpIOp::create(b, orEqual ? loose : strict, x, best);
  }
  using P = arith::CmpFPredicate;
  P strict = smallest ? P::ULT : P::UGT, loose = smallest ? P::ULE : P::UGE;
  Value wins = arith::CmpFOp::create(b, orEqual ? loose : strict, x, best);
  Value number = arith::CmpFOp::create(b, P::ORD, best, best);
  return arith::AndIOp::create(b, wins, number);
}

template <typename OpTy> Value lowerPlace(Lowering &l, OpTy op) {
  constexpr bool isSmallest = std::is_same_v<OpTy, ArgMinOp>;
  auto type = l.typeOf(op.getX());
  int64_t rank = type.getRank();
  int64_t axis = op.getAxis() < 0 ? op.getAxis() + rank : op.getAxis();
  SmallVector<int64_t> shape(type.getShape());
  shape.erase(shape.begin() + axis);
  SmallVector<AffineExpr> kept;
  SmallVector<utils::IteratorType> iterators;
  for (int64_t i = 0; i < rank; ++i) {
    iterators.push_back(i == axis ? utils::IteratorType::reduction
                                  : utils::IteratorType::parallel);
    if (i != axis)
      kept.push_back(l.b.getAffineDimExpr(i));
  }
  AffineMap in = l.b.getMultiDimIdentityMap(rank);
  AffineMap out = AffineMap::get(rank, 0, kept, l.b.getContext());
  Type element = type.getElementType();
  bool isUnsigned = l.isUnsigned(0);
  Value best = l.filled(shape, isSmallest ? highest(element, isUnsigned)
                                          : lowest(element, isUnsigned));
  Value place = l.filled(shape, l.b.getI64IntegerAttr(0));
  bool last = op.getSelectLastIndex();
  SmallVector<Value> results =
      l.generic(op.getX(), {best, place}, {in, out, out}, iterators,
                [&](ImplicitLocOpBuilder &b, ValueRange args) {
                  Value wins =
                      better(b, args[0], args[1], isSmallest, last, isUnsigned);
                  Value index = linalg::IndexOp::create(b, axis);
                  index = arith::IndexCastOp::create(b, b.getI64Type(), index);
                  return SmallVector<Value>{
                      arith::SelectOp::create(b, wins, args[0], args[1]),
                      arith::SelectOp::create(b, wins, index, args[2])};
                });
  return l.reshape(results[1], l.resultType().getShape());
}

/// The largest element, e^(x - it), their sum, the quotient: four generics.
Value lowerSoftmax(Lowering &l, SoftmaxOp op) {
  auto type = l.resultType();
  SmallVector<int64_t> axes(op.getAxes());
  for (int64_t &axis : axes)
    axis = axis < 0 ? axis + type.getRank() : axis;
  SmallVector<AffineExpr> kept;
  for (int64_t i = 0; i < type.getRank(); ++i)
    if (!llvm::is_contained(axes, i))
      kept.push_back(l.b.getAffineDimExpr(i));
  AffineMap in = l.b.getMultiDimIdentityMap(type.getRank());
  AffineMap out = AffineMap::get(type.getRank(), 0, kept, l.b.getContext());
  Type wide = accumulatorOf(l, type.getElementType());
  auto wideType = RankedTensorType::get(type.getShape(), wide);

  Value top = largest(l, op.getX(), axes);
  Value powers = l.mapped({op.getX(), top}, {in, out}, wideType,
                          [](ImplicitLocOpBuilder &b, ValueRange args) {
                            return math::ExpOp::create(
                                b, arith::SubFOp::create(b, args[0], args[1]));
                          });
  Value total = reduce(l, powers, axes, l.b.getFloatAttr(wide, 0), false, add);
  return l.mapped({powers, total}, {in, out}, type,
                  [](ImplicitLocOpBuilder &b, ValueRange args) {
                    return arith::DivFOp::create(b, args[0], args[1]);
                  });
}

} // namespace

Lowered lowerReduction(Lowering &l) {
  if (auto op = dyn_cast<ReduceMeanOp>(l.op))
    return lowered(mean(l, op.getX(), op.getAxes()));
  if (auto op = dyn_cast<ReduceSumOp>(l.op))
    return lowered(finish(l, sum(l, op.getX(), op.getAxes())));
  if (auto op = dyn_cast<ReduceMaxOp>(l.op))
    return lowered(finish(l, largest(l, op.getX(), op.getAxes())));
  if (auto op = dyn_cast<ReduceMinOp>(l.op))
    return lowered(finish(l, smallest(l, op.getX(), op.getAxes())));
  if (auto op = dyn_cast<ReduceProdOp>(l.op))
    return lowered(finish(l, product(l, op.getX(), op.getAxes())));
  if (auto op = dyn_cast<GlobalAveragePoolOp>(l.op)) {
    int64_t first = op.getChannelsLast() ? 1 : 2;
    int64_t spatial = l.resultType().getRank() - 2;
    return lowered(
        mean(l, op.getX(),
             llvm::to_vector(llvm::seq<int64_t>(first, first + spatial))));
  }
  if (auto op = dyn_cast<ArgMaxOp>(l.op))
    return lowered(lowerPlace(l, op));
  if (auto op = dyn_cast<ArgMinOp>(l.op))
    return lowered(lowerPlace(l, op));
  if (auto op = dyn_cast<SoftmaxOp>(l.op))
    return lowered(lowerSoftmax(l, op));
  return notOfFamily();
}

} // namespace mho::graph
