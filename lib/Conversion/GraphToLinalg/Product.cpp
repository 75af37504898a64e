//===- Product.cpp - digital matrix products to linalg --------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

using namespace mlir;

namespace mho::graph {

namespace {

/// out[batch…, m, n] = Σ_k a·b through the given maps over the dims
/// batch…, m, n, k. Narrow floats are summed in f32.
Value contract(Lowering &l, Value a, Value b, AffineMap aMap, AffineMap bMap,
               ArrayRef<int64_t> shape, Type element) {
  Type wide = isNarrowFloat(element) ? Type(l.b.getF32Type()) : element;
  int64_t rank = shape.size();
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  iterators.push_back(utils::IteratorType::reduction);
  AffineMap outMap =
      AffineMap::getMultiDimIdentityMap(rank + 1, l.b.getContext())
          .getMajorSubMap(rank);
  Value start = l.filled(shape, cast<TypedAttr>(l.b.getZeroAttr(wide)));
  // A nest without points writes nothing.
  if (hasNoElements(l.typeOf(a)))
    return start;
  return l.generic(
      {a, b}, start, {aMap, bMap, outMap}, iterators,
      [&](ImplicitLocOpBuilder &builder, ValueRange args) {
        Value x = castScalar(builder, args[0], l.isUnsigned(0), wide, false);
        Value y = castScalar(builder, args[1], l.isUnsigned(1), wide, false);
        if (isa<FloatType>(wide))
          return SmallVector<Value>{arith::AddFOp::create(
              builder, args[2], arith::MulFOp::create(builder, x, y))};
        return SmallVector<Value>{arith::AddIOp::create(
            builder, args[2], arith::MulIOp::create(builder, x, y))};
      })[0];
}

/// NumPy's rules: a vector on the left is a row, on the right a column, the
/// axes before the last two broadcast.
Value lowerMatmul(Lowering &l, MatmulOp op) {
  Value a = op.getA(), b = op.getB();
  auto shapeOf = [&](Value v) {
    return SmallVector<int64_t>(l.typeOf(v).getShape());
  };
  SmallVector<int64_t> aShape = shapeOf(a), bShape = shapeOf(b);
  if (aShape.size() == 1)
    aShape.insert(aShape.begin(), 1);
  if (bShape.size() == 1)
    bShape.push_back(1);
  a = l.reshape(a, aShape);
  b = l.reshape(b, bShape);
  size_t batches = std::max(aShape.size(), bShape.size()) - 2;
  int64_t m = aShape[aShape.size() - 2], n = bShape.back();

  SmallVector<int64_t> shape(batches, 1);
  for (const auto *own : {&aShape, &bShape})
    for (size_t i = 0; i + 2 < own->size(); ++i) {
      int64_t &extent = shape[batches - (own->size() - 2) + i];
      if ((*own)[i] != 1)
        extent = (*own)[i];
    }
  auto map = [&](ArrayRef<int64_t> own, unsigned row, unsigned column) {
    SmallVector<AffineExpr> exprs;
    size_t shift = batches - (own.size() - 2);
    for (size_t i = 0; i + 2 < own.size(); ++i)
      exprs.push_back(own[i] == 1 && shape[shift + i] != 1
                          ? l.b.getAffineConstantExpr(0)
                          : l.b.getAffineDimExpr(shift + i));
    exprs.push_back(l.b.getAffineDimExpr(batches + row));
    exprs.push_back(l.b.getAffineDimExpr(batches + column));
    return AffineMap::get(batches + 3, 0, exprs, l.b.getContext());
  };
  AffineMap aMap = map(aShape, 0, 2), bMap = map(bShape, 2, 1);
  shape.append({m, n});
  Type element = l.resultType().getElementType();
  Value y = contract(l, a, b, aMap, bMap, shape, element);
  if (l.typeOf(y).getElementType() != element)
    y = l.elementwise(
        y, RankedTensorType::get(shape, element),
        [](ImplicitLocOpBuilder &, ValueRange args) { return args[0]; });
  return l.reshape(y, l.resultType().getShape());
}

Value lowerGemm(Lowering &l, GemmOp op) {
  auto type = l.resultType();
  auto dims = [&](unsigned first, unsigned second) {
    return AffineMap::get(
        3, 0, {l.b.getAffineDimExpr(first), l.b.getAffineDimExpr(second)},
        l.b.getContext());
  };
  AffineMap aMap = op.getTransA() ? dims(2, 0) : dims(0, 2);
  AffineMap bMap = op.getTransB() ? dims(1, 2) : dims(2, 1);
  Value y = contract(l, op.getA(), op.getB(), aMap, bMap, type.getShape(),
                     type.getElementType());
  double alpha = op.getAlpha().convertToDouble();
  double beta = op.getBeta().convertToDouble();
  bool hasC = op.getC() && beta != 0;
  if (alpha == 1 && !hasC && l.typeOf(y) == type)
    return y;
  SmallVector<Value> operands{y};
  if (hasC)
    operands.push_back(op.getC());
  auto scaled = [](ImplicitLocOpBuilder &b, Value v, double factor) -> Value {
    if (factor == 1)
      return v;
    Value c = constantOf(b, v.getType(), factor);
    if (isa<FloatType>(v.getType()))
      return arith::MulFOp::create(b, v, c);
    return arith::MulIOp::create(b, v, c);
  };
  return l.elementwise(operands, type,
                       [&](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
                         Value v = scaled(b, args[0], alpha);
                         if (!hasC)
                           return v;
                         Value c = scaled(b, args[1], beta);
                         if (isa<FloatType>(v.getType()))
                           return arith::AddFOp::create(b, v, c);
                         return arith::AddIOp::create(b, v, c);
                       });
}

} // namespace

Lowered lowerProduct(Lowering &l) {
  if (auto op = dyn_cast<MatmulOp>(l.op))
    return lowered(lowerMatmul(l, op));
  if (auto op = dyn_cast<GemmOp>(l.op))
    return lowered(lowerGemm(l, op));
  return notOfFamily();
}

} // namespace mho::graph
