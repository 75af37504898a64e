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

/// Whether `x` is the extreme element of its row: equal to `best`, or a NaN,
/// which `best` is then too.
Value isExtreme(ImplicitLocOpBuilder &b, Value x, Value best) {
  if (!isa<FloatType>(x.getType()))
    return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, x, best);
  using P = arith::CmpFPredicate;
  return arith::OrIOp::create(b, arith::CmpFOp::create(b, P::OEQ, x, best),
                              arith::CmpFOp::create(b, P::UNO, x, x));
}

/// The extreme element, then the least (or greatest) index of an element that
/// is one. Both are reductions whose order is free, so they run in vectors; one
/// that carries element and index along goes from element to element.
template <typename OpTy> Value lowerPlace(Lowering &l, OpTy op) {
  Value x = op.getX();
  auto type = l.typeOf(x);
  int64_t rank = type.getRank();
  int64_t axis = op.getAxis() < 0 ? op.getAxis() + rank : op.getAxis();
  Value best = std::is_same_v<OpTy, ArgMinOp> ? smallest(l, x, axis)
                                              : largest(l, x, axis);
  SmallVector<AffineExpr> kept;
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  iterators[axis] = utils::IteratorType::reduction;
  for (int64_t i = 0; i < rank; ++i)
    if (i != axis)
      kept.push_back(l.b.getAffineDimExpr(i));
  AffineMap in = l.b.getMultiDimIdentityMap(rank);
  AffineMap out = AffineMap::get(rank, 0, kept, l.b.getContext());

  bool last = op.getSelectLastIndex();
  bool fits = !type.isDynamicDim(axis) && type.getDimSize(axis) <= INT32_MAX;
  IntegerType index = fits ? l.b.getI32Type() : l.b.getI64Type();
  IntegerAttr none = l.b.getIntegerAttr(
      index, last ? APInt::getAllOnes(index.getWidth())
                  : APInt::getSignedMaxValue(index.getWidth()));
  Value place = l.filled(l.typeOf(best).getShape(), none);
  if (!hasNoElements(type))
    place = l.generic(
        {x, best}, place, {in, out, out}, iterators,
        [&](ImplicitLocOpBuilder &b, ValueRange args) {
          bool isUnsigned = l.isUnsigned(0);
          Value v =
              castScalar(b, args[0], isUnsigned, args[1].getType(), isUnsigned);
          Value here = arith::IndexCastOp::create(
              b, index, linalg::IndexOp::create(b, axis));
          Value found =
              arith::SelectOp::create(b, isExtreme(b, v, args[1]), here,
                                      arith::ConstantOp::create(b, none));
          Value place = last ? Value(arith::MaxSIOp::create(b, args[2], found))
                             : Value(arith::MinSIOp::create(b, args[2], found));
          return SmallVector<Value>{place};
        })[0];
  return finish(l, place, [](ImplicitLocOpBuilder &b, ValueRange args) {
    if (args[0].getType().isInteger(64))
      return args[0];
    return Value(arith::ExtSIOp::create(b, b.getI64Type(), args[0]));
  });
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
