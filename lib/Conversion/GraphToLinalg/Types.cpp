//===- Types.cpp - graph ops that change the element type to linalg -------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

using namespace mlir;

namespace mho::graph {

namespace {

Value clamped(ImplicitLocOpBuilder &b, Value x, double low, double high) {
  Type type = x.getType();
  x = arith::MaximumFOp::create(b, x, constantOf(b, type, low));
  return arith::MinimumFOp::create(b, x, constantOf(b, type, high));
}

/// `x` held where a float type has values; NaN stays. A type with infinities
/// keeps what is beyond only if it does not saturate.
Value saturated(ImplicitLocOpBuilder &b, Value x, FloatType to) {
  double bound = APFloat::getLargest(to.getFloatSemantics()).convertToDouble();
  return clamped(b, x, -bound, bound);
}

/// The power of two that stands for an f32, as the bits of f8E8M0FNU tell it.
Value powerOfTwo(ImplicitLocOpBuilder &b, Value x, CastOp op) {
  Type i32 = b.getI32Type();
  auto constant = [&](int64_t value) { return constantOf(b, i32, value); };
  auto compare = [&](arith::CmpIPredicate predicate, Value a, int64_t c) {
    return arith::CmpIOp::create(b, predicate, a, constant(c)).getResult();
  };
  using P = arith::CmpIPredicate;
  Value bits = arith::BitcastOp::create(b, i32, x);
  // The sign is dropped; a magnitude's order is its bits' order.
  bits = arith::AndIOp::create(b, bits, constant(0x7fffffff));
  Value code = arith::ShRUIOp::create(b, bits, constant(23));
  Value fraction = arith::AndIOp::create(b, bits, constant(0x7fffff));
  // Numbers below 2^-126 have no leading bit: 2^-127 is half of the fraction.
  Value small = compare(P::eq, code, 0);
  int64_t half = 1 << 22;
  bool up = op.getRoundMode() == "up";
  if (up || op.getRoundMode() == "nearest") {
    Value above =
        up ? compare(P::ugt, fraction, 0) : compare(P::uge, fraction, half);
    Value aboveSmall = up ? compare(P::ugt, fraction, half)
                          : compare(P::uge, fraction, half + half / 2);
    Value step = arith::SelectOp::create(b, small, aboveSmall, above);
    code = arith::AddIOp::create(b, code, arith::ExtUIOp::create(b, i32, step));
  }
  Value isNan = compare(P::ugt, bits, 0x7f800000);
  Value beyond = compare(P::ugt, code, 254);
  if (op.getUnsaturated()) {
    beyond = arith::OrIOp::create(b, beyond, compare(P::ult, bits, half));
    isNan = arith::OrIOp::create(b, isNan, beyond);
  } else {
    code = arith::SelectOp::create(b, beyond, constant(254), code);
  }
  code = arith::SelectOp::create(b, isNan, constant(255), code);
  Value byte = arith::TruncIOp::create(b, b.getI8Type(), code);
  return arith::BitcastOp::create(b, Float8E8M0FNUType::get(b.getContext()),
                                  byte);
}

/// A float to an integer that keeps its low bits, through i32 (i64 for ui32).
Value wrapped(ImplicitLocOpBuilder &b, Value x, Type to, bool toUnsigned) {
  unsigned width = to.getIntOrFloatBitWidth();
  if (width == 1 || width == 64 || (width == 32 && !toUnsigned))
    return castScalar(b, x, false, to, toUnsigned);
  Type wide = width < 32 ? b.getI32Type() : b.getI64Type();
  return arith::TruncIOp::create(b, to, castScalar(b, x, false, wide, false));
}

Value lowerCast(Lowering &l, CastOp op) {
  Type from = getElementTypeOrSelf(op.getX().getType());
  Type to = l.resultType().getElementType();
  // Already widened narrow floats come back as f32 and are narrowed outside.
  Type inside = isNarrowFloat(to) ? Type(l.b.getF32Type()) : to;
  auto floats = dyn_cast<FloatType>(to);
  return l.elementwise(
      op.getX(), l.resultType(),
      [&](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
        if (isa<FloatType>(from) && !floats)
          return wrapped(b, args[0], to, l.isResultUnsigned());
        if (isa<Float8E8M0FNUType>(to))
          return powerOfTwo(
              b, castScalar(b, args[0], l.isUnsigned(0), b.getF32Type(), false),
              op);
        // f64 is rounded once.
        if (floats && isa<Float64Type>(from) &&
            to.getIntOrFloatBitWidth() == 16)
          return convertFloat(b, args[0], to);
        Value y = castScalar(b, args[0], l.isUnsigned(0), inside,
                             l.isResultUnsigned());
        bool saturates =
            floats && to.getIntOrFloatBitWidth() == 8 && !op.getUnsaturated();
        return saturates ? saturated(b, y, floats) : y;
      });
}

Value lowerBitCast(Lowering &l, BitCastOp op) {
  Type from = getElementTypeOrSelf(op.getX().getType());
  Type to = l.resultType().getElementType();
  SmallVector<AffineMap> maps(
      2, l.b.getMultiDimIdentityMap(l.resultType().getRank()));
  SmallVector<utils::IteratorType> iterators(l.resultType().getRank(),
                                             utils::IteratorType::parallel);
  Value init = l.empty(l.resultType().getShape(), to);
  return l.generic(op.getX(), init, maps, iterators,
                   [&](ImplicitLocOpBuilder &b, ValueRange args) {
                     Value y = args[0];
                     // A bool is a byte of 0 or 1.
                     if (from == to)
                       return SmallVector<Value>{y};
                     if (from.isInteger(1))
                       y = arith::ExtUIOp::create(b, b.getI8Type(), y);
                     if (to.isInteger(1)) {
                       if (isa<FloatType>(from))
                         y = arith::BitcastOp::create(b, b.getI8Type(), y);
                       return SmallVector<Value>{
                           castScalar(b, y, true, to, true)};
                     }
                     if (y.getType() != to)
                       y = arith::BitcastOp::create(b, to, y);
                     return SmallVector<Value>{y};
                   })[0];
}

//===----------------------------------------------------------------------===//
// Quantization
//===----------------------------------------------------------------------===//

/// The map of a scale or zero point from x's dims: along one axis, or
/// broadcast.
FailureOr<AffineMap> scaleMap(Lowering &l, Value v, int64_t axis) {
  auto type = l.typeOf(v);
  ArrayRef<int64_t> shape = l.resultType().getShape();
  int64_t rank = shape.size();
  if (type.getNumElements() == 1) {
    SmallVector<AffineExpr> zeros(type.getRank(), l.b.getAffineConstantExpr(0));
    return AffineMap::get(rank, 0, zeros, l.b.getContext());
  }
  if (type.getRank() == rank && rank > 1)
    return l.broadcastMap(type.getShape(), shape);
  if (type.getRank() != 1 || axis < 0 || axis >= rank)
    return l.op->emitOpError("takes a scalar scale, one along an axis or one "
                             "of x's rank, not ")
           << type;
  return AffineMap::get(rank, 0, l.b.getAffineDimExpr(axis));
}

template <typename OpTy>
FailureOr<SmallVector<AffineMap>> quantizerMaps(Lowering &l, OpTy op,
                                                SmallVector<Value> &operands) {
  operands = {op.getX(), op.getScale()};
  SmallVector<AffineMap> maps{
      l.b.getMultiDimIdentityMap(l.resultType().getRank())};
  if (op.getZeroPoint())
    operands.push_back(op.getZeroPoint());
  for (Value v : ArrayRef(operands).drop_front()) {
    auto map = scaleMap(l, v, op.getAxis());
    if (failed(map))
      return failure();
    maps.push_back(*map);
  }
  return maps;
}

FailureOr<Value> lowerQuantize(Lowering &l, QuantizeLinearOp op) {
  SmallVector<Value> operands;
  auto maps = quantizerMaps(l, op, operands);
  if (failed(maps))
    return failure();
  Type to = l.resultType().getElementType();
  bool isUnsigned = l.isResultUnsigned();
  return l.mapped(
      operands, *maps, l.resultType(),
      [&](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
        Type f32 = b.getF32Type();
        Value x = castScalar(b, args[0], l.isUnsigned(0), f32, false);
        Value scale = castScalar(b, args[1], false, f32, false);
        Value y = arith::DivFOp::create(b, x, scale);
        if (auto precision = op.getPrecision();
            precision && isNarrowFloat(*precision)) {
          y = convertFloat(b, y, *precision);
          y = convertFloat(b, y, f32);
        }
        auto floats = dyn_cast<FloatType>(to);
        if (!floats)
          y = math::RoundEvenOp::create(b, y);
        if (args.size() > 2)
          y = arith::AddFOp::create(
              b, y, castScalar(b, args[2], isUnsigned, f32, false));
        if (floats)
          return op.getUnsaturated() || to.getIntOrFloatBitWidth() != 8
                     ? y
                     : saturated(b, y, floats);
        unsigned width = to.getIntOrFloatBitWidth();
        double low = isUnsigned ? 0 : -double(int64_t(1) << (width - 1));
        double high =
            double((int64_t(1) << (isUnsigned ? width : width - 1)) - 1);
        return castScalar(b, clamped(b, y, low, high), false, to, isUnsigned);
      });
}

FailureOr<Value> lowerDequantize(Lowering &l, DequantizeLinearOp op) {
  SmallVector<Value> operands;
  auto maps = quantizerMaps(l, op, operands);
  if (failed(maps))
    return failure();
  Type to = l.resultType().getElementType();
  Type wide = isNarrowFloat(to) ? l.b.getF32Type() : to;
  return l.mapped(operands, *maps, l.resultType(),
                  [&](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
                    Value x = args[0];
                    bool floats = isa<FloatType>(x.getType());
                    // Differences of integers are exact; of short ones in
                    // floats too, with one conversion less.
                    unsigned width = x.getType().getIntOrFloatBitWidth();
                    if (args.size() > 2 && !floats && width > 16) {
                      Type i32 = b.getI32Type();
                      x = arith::SubIOp::create(
                          b, castScalar(b, x, l.isUnsigned(0), i32, false),
                          castScalar(b, args[2], l.isUnsigned(0), i32, false));
                      x = castScalar(b, x, false, wide, false);
                    } else {
                      x = castScalar(b, x, l.isUnsigned(0), wide, false);
                    }
                    if (args.size() > 2 && (floats || width <= 16))
                      x = arith::SubFOp::create(
                          b, x,
                          castScalar(b, args[2], l.isUnsigned(0), wide, false));
                    return arith::MulFOp::create(
                        b, x, castScalar(b, args[1], false, wide, false));
                  });
}

} // namespace

Lowered lowerTypes(Lowering &l) {
  if (auto op = dyn_cast<QuantizeLinearOp>(l.op))
    return lowered(lowerQuantize(l, op));
  if (auto op = dyn_cast<DequantizeLinearOp>(l.op))
    return lowered(lowerDequantize(l, op));
  if (auto op = dyn_cast<CastOp>(l.op))
    return lowered(lowerCast(l, op));
  if (auto op = dyn_cast<BitCastOp>(l.op))
    return lowered(lowerBitCast(l, op));
  return notOfFamily();
}

} // namespace mho::graph
