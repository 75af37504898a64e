//===- Resampling.cpp - values between an image's elements to linalg ------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

using namespace mlir;

namespace mho::graph {

namespace {

Type computeType(Type element) {
  return isNarrowFloat(element) ? Type(Float32Type::get(element.getContext()))
                                : element;
}

/// More taps than these are summed by a loop of the nest.
constexpr int64_t kMaxUnrolledTaps = 8;

Value indexOf(ImplicitLocOpBuilder &b, Value tap) {
  return arith::IndexCastOp::create(b, b.getIndexType(), tap);
}

/// x at loop dims 0 to rank - 1, but at `tap` on `axis`, in `wide`.
Value elementAt(ImplicitLocOpBuilder &b, Value x, int64_t rank, int64_t axis,
                Value tap, Type wide) {
  SmallVector<Value> places;
  for (int64_t i = 0; i < rank; ++i)
    places.push_back(i == axis ? indexOf(b, tap)
                               : Value(linalg::IndexOp::create(b, i)));
  return convertFloat(b, tensor::ExtractOp::create(b, x, places), wide);
}

Value lowerResample(Lowering &l, ResampleOp op) {
  auto type = l.resultType();
  auto table = l.typeOf(op.getTaps());
  int64_t rank = type.getRank(), axis = op.getAxis();
  int64_t count = table.getDimSize(1);
  Type wide = computeType(type.getElementType());
  MLIRContext *context = l.b.getContext();
  AffineExpr place = l.b.getAffineDimExpr(axis);
  SmallVector<OpFoldResult> sizes;
  for (int64_t i = 0; i < rank; ++i)
    sizes.push_back(i == axis ? l.extent(op.getTaps(), 0)
                              : l.extent(op.getX(), i));
  if (count <= kMaxUnrolledTaps) {
    SmallVector<Value> operands;
    SmallVector<AffineMap> maps;
    for (Value tableOperand : {op.getTaps(), op.getWeights()})
      for (int64_t t = 0; t < count; ++t) {
        operands.push_back(tableOperand);
        maps.push_back(AffineMap::get(
            rank, 0, {place, l.b.getAffineConstantExpr(t)}, context));
      }
    return l.mapped(
        operands, maps, type,
        [&](ImplicitLocOpBuilder &b, ValueRange args) {
          Value sum;
          for (int64_t t = 0; t < count; ++t) {
            Value element = elementAt(b, op.getX(), rank, axis, args[t], wide);
            Value weight = convertFloat(b, args[count + t], wide);
            Value term = arith::MulFOp::create(b, weight, element);
            sum = sum ? Value(arith::AddFOp::create(b, sum, term)) : term;
          }
          return sum;
        },
        tensor::EmptyOp::create(l.b, sizes, type.getElementType()));
  }
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  iterators.push_back(utils::IteratorType::reduction);
  AffineMap tableMap =
      AffineMap::get(rank + 1, 0, {place, l.b.getAffineDimExpr(rank)}, context);
  Value start = l.filled(sizes, cast<TypedAttr>(l.b.getZeroAttr(wide)));
  Value y = l.generic(
      {op.getTaps(), op.getWeights()}, start,
      {tableMap, tableMap,
       AffineMap::getMultiDimIdentityMap(rank + 1, context).dropResult(rank)},
      iterators, [&](ImplicitLocOpBuilder &b, ValueRange args) {
        Value element = elementAt(b, op.getX(), rank, axis, args[0], wide);
        Value weight = convertFloat(b, args[1], wide);
        Value term = arith::MulFOp::create(b, weight, element);
        return SmallVector<Value>{arith::AddFOp::create(b, args[2], term)};
      })[0];
  if (wide == type.getElementType())
    return y;
  return l.elementwise(
      y, type, [](ImplicitLocOpBuilder &, ValueRange args) { return args[0]; });
}

/// The weights of the elements about a point that lies `t` behind one, in
/// order; the first element is `before` elements ahead of that one.
struct Taps {
  SmallVector<Value> weights;
  int64_t before = 0;
};

/// a + b·x by its coefficients, the highest power first.
Value polynomial(ImplicitLocOpBuilder &b, Value x,
                 ArrayRef<double> coefficients) {
  Value sum = constantOf(b, x.getType(), coefficients[0]);
  for (double next : coefficients.drop_front())
    sum = arith::AddFOp::create(b, arith::MulFOp::create(b, sum, x),
                                constantOf(b, x.getType(), next));
  return sum;
}

Taps tapsOf(ImplicitLocOpBuilder &b, StringRef interpolation, Value t) {
  Value one = constantOf(b, t.getType(), 1);
  if (interpolation == "nearest")
    return {{one}, 0};
  Value rest = arith::SubFOp::create(b, one, t);
  if (interpolation == "linear")
    return {{rest, t}, 0};
  // Keys' kernel, a = -0.75, within one element and within two.
  constexpr double a = -0.75;
  double inner[] = {a + 2, -(a + 3), 0, 1};
  double outer[] = {a, -5 * a, 8 * a, -4 * a};
  return {{polynomial(b, arith::AddFOp::create(b, t, one), outer),
           polynomial(b, t, inner), polynomial(b, rest, inner),
           polynomial(b, arith::AddFOp::create(b, rest, one), outer)},
          1};
}

/// The element of an axis of `extent` that index `i` shows under `border`;
/// zeros keep to the range too, and `inside` tells whether `i` was in it.
Value borderIndex(ImplicitLocOpBuilder &b, Value i, int64_t extent,
                  StringRef border, Value &inside) {
  auto constant = [&](int64_t n) { return constantOf(b, i.getType(), n); };
  Value zero = constant(0), last = constant(extent - 1);
  auto clamped = [&] {
    return arith::MinSIOp::create(b, arith::MaxSIOp::create(b, i, zero), last);
  };
  if (border == "edge" || extent == 1)
    if (border != "zeros")
      return clamped();
  if (border == "zeros") {
    Value place = clamped();
    Value same = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, place, i);
    inside = inside ? Value(arith::AndIOp::create(b, inside, same)) : same;
    return place;
  }
  // Reflected about the outermost elements, or about their outer edges.
  bool symmetric = border == "symmetric";
  int64_t period = symmetric ? 2 * extent : 2 * (extent - 1);
  Value turn = arith::RemSIOp::create(b, i, constant(period));
  Value below = arith::CmpIOp::create(b, arith::CmpIPredicate::slt, turn, zero);
  turn = arith::SelectOp::create(
      b, below, arith::AddIOp::create(b, turn, constant(period)), turn);
  Value back =
      arith::SubIOp::create(b, constant(symmetric ? period - 1 : period), turn);
  return arith::MinSIOp::create(b, turn, back);
}

/// One axis at one point: for each tap the place, whether it is inside, and the
/// weight.
struct AxisTaps {
  SmallVector<Value> places, inside, weights;
};

AxisTaps axisTaps(ImplicitLocOpBuilder &b, Value at, int64_t extent,
                  SampleOp op) {
  Type integer = b.getI64Type();
  StringRef border = op.getBorder();
  // Far outside all is alike, and an integer must hold the place.
  if (border == "zeros" || border == "edge") {
    at = arith::MaximumFOp::create(b, at, constantOf(b, at.getType(), -4));
    at = arith::MinimumFOp::create(
        b, at, constantOf(b, at.getType(), double(extent) + 4));
  }
  Value whole = op.getInterpolation() == "nearest"
                    ? Value(math::RoundEvenOp::create(b, at))
                    : Value(math::FloorOp::create(b, at));
  Taps taps =
      tapsOf(b, op.getInterpolation(), arith::SubFOp::create(b, at, whole));
  Value first = arith::FPToSIOp::create(b, integer, whole);
  AxisTaps result;
  result.weights = taps.weights;
  for (size_t t = 0; t < taps.weights.size(); ++t) {
    Value i = arith::AddIOp::create(
        b, first, constantOf(b, integer, double(t) - double(taps.before)));
    Value inside;
    result.places.push_back(
        indexOf(b, borderIndex(b, i, extent, border, inside)));
    result.inside.push_back(inside);
  }
  return result;
}

/// Σ over the taps of all axes, or the largest term.
Value lowerSample(Lowering &l, SampleOp op) {
  auto type = l.resultType();
  auto from = l.typeOf(op.getX());
  int64_t rank = type.getRank(), spatial = from.getRank() - 2;
  Type wide = computeType(type.getElementType());
  MLIRContext *context = l.b.getContext();
  SmallVector<Value> operands;
  SmallVector<AffineMap> maps;
  for (int64_t axis = 0; axis < spatial; ++axis) {
    SmallVector<AffineExpr> exprs{l.b.getAffineDimExpr(0)};
    for (int64_t dim = 2; dim < rank; ++dim)
      exprs.push_back(l.b.getAffineDimExpr(dim));
    exprs.push_back(l.b.getAffineConstantExpr(axis));
    operands.push_back(op.getPlaces());
    maps.push_back(AffineMap::get(rank, 0, exprs, context));
  }
  if (op.getImages()) {
    operands.push_back(op.getImages());
    maps.push_back(AffineMap::get(rank, 0, l.b.getAffineDimExpr(0), context));
  }
  SmallVector<OpFoldResult> sizes{l.extent(op.getPlaces(), 0),
                                  l.extent(op.getX(), 1)};
  for (int64_t dim = 2; dim < rank; ++dim)
    sizes.push_back(l.extent(op.getPlaces(), dim - 1));
  return l.mapped(
      operands, maps, type,
      [&](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
        SmallVector<AxisTaps> axes;
        for (int64_t axis = 0; axis < spatial; ++axis)
          axes.push_back(
              axisTaps(b, args[axis], from.getDimSize(axis + 2), op));
        Value image = op.getImages() ? indexOf(b, args[spatial])
                                     : Value(linalg::IndexOp::create(b, 0));
        Value channel = linalg::IndexOp::create(b, 1);
        Value zero = constantOf(b, wide, 0);
        int64_t each = axes[0].weights.size(), terms = 1;
        for (int64_t axis = 0; axis < spatial; ++axis)
          terms *= each;
        Value result;
        for (int64_t term = 0; term < terms; ++term) {
          SmallVector<Value> places{image, channel};
          Value weight, inside;
          int64_t rest = term, scale = terms;
          for (AxisTaps &axis : axes) {
            scale /= each;
            int64_t tap = rest / scale;
            rest %= scale;
            places.push_back(axis.places[tap]);
            Value own = convertFloat(b, axis.weights[tap], wide);
            weight =
                weight ? Value(arith::MulFOp::create(b, weight, own)) : own;
            if (Value in = axis.inside[tap])
              inside =
                  inside ? Value(arith::AndIOp::create(b, inside, in)) : in;
          }
          Value element = convertFloat(
              b, tensor::ExtractOp::create(b, op.getX(), places), wide);
          if (inside)
            element = arith::SelectOp::create(b, inside, element, zero);
          Value product =
              each == 1 ? element
                        : Value(arith::MulFOp::create(b, weight, element));
          if (!result)
            result = product;
          else if (op.getLargestProduct())
            result = arith::MaximumFOp::create(b, result, product);
          else
            result = arith::AddFOp::create(b, result, product);
        }
        return result;
      },
      tensor::EmptyOp::create(l.b, sizes, type.getElementType()));
}

} // namespace

Lowered lowerResampling(Lowering &l) {
  auto floats = [&] { return isa<FloatType>(l.resultType().getElementType()); };
  if (auto op = dyn_cast<ResampleOp>(l.op)) {
    if (!floats())
      return l.op->emitOpError("takes floats, not ") << l.resultType();
    return lowered(lowerResample(l, op));
  }
  if (auto op = dyn_cast<SampleOp>(l.op)) {
    if (!floats())
      return l.op->emitOpError("takes floats, not ") << l.resultType();
    return lowered(lowerSample(l, op));
  }
  return notOfFamily();
}

} // namespace mho::graph
