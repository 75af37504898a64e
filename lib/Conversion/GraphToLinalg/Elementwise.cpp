//===- Elementwise.cpp - element-wise graph ops to linalg -----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace mho::graph {

namespace {

/// Builds the scalar form of an element-wise op.
struct Scalars {
  ImplicitLocOpBuilder &b;
  const Lowering &l;

  bool isFloat(Value v) const { return isa<FloatType>(v.getType()); }

  Value negate(Value x) {
    if (isFloat(x))
      return arith::NegFOp::create(b, x);
    return arith::SubIOp::create(b, constantOf(b, x.getType(), 0), x);
  }
  Value magnitude(Value x, bool isUnsigned) {
    if (isFloat(x))
      return math::AbsFOp::create(b, x);
    return isUnsigned ? x : Value(math::AbsIOp::create(b, x));
  }
  Value divide(Value x, Value y, bool isUnsigned) {
    if (isFloat(x))
      return arith::DivFOp::create(b, x, y);
    if (isUnsigned)
      return arith::DivUIOp::create(b, x, y);
    return arith::DivSIOp::create(b, x, y);
  }
  Value compare(Value x, Value y, arith::CmpFPredicate onFloats,
                arith::CmpIPredicate onSigned,
                arith::CmpIPredicate onUnsigned) {
    if (isFloat(x))
      return arith::CmpFOp::create(b, onFloats, x, y);
    bool isUnsigned = l.isUnsigned(0) || x.getType().isInteger(1);
    return arith::CmpIOp::create(b, isUnsigned ? onUnsigned : onSigned, x, y);
  }
  Value sigmoid(Value x) {
    Value one = constantOf(b, x.getType(), 1);
    Value e = math::ExpOp::create(b, arith::NegFOp::create(b, x));
    return arith::DivFOp::create(b, one, arith::AddFOp::create(b, one, e));
  }
  Value power(Value x, Value y) {
    Type type = x.getType();
    FloatAttr constant;
    if (isFloat(x) && matchPattern(y, m_Constant(&constant))) {
      double exponent = constant.getValueAsDouble();
      if (exponent == 2)
        return arith::MulFOp::create(b, x, x);
      if (exponent == 3)
        return arith::MulFOp::create(b, arith::MulFOp::create(b, x, x), x);
      if (exponent == 1)
        return x;
    }
    // Integers go through f64, as the standard library's pow does.
    Type wide = isFloat(x) ? type : b.getF64Type();
    bool narrow = isFloat(y) && y.getType().getIntOrFloatBitWidth() >
                                    wide.getIntOrFloatBitWidth();
    if (narrow)
      wide = y.getType();
    Value base = castScalar(b, x, l.isUnsigned(0), wide, false);
    Value exponent = castScalar(b, y, l.isUnsigned(1), wide, false);
    Value result = math::PowFOp::create(b, base, exponent);
    return castScalar(b, result, false, type, l.isUnsigned(0));
  }
};

/// The scalar form of a unary or binary op; null for any other op.
Value scalarOf(Lowering &l, ImplicitLocOpBuilder &b, ValueRange x) {
  Scalars s{b, l};
  using F = arith::CmpFPredicate;
  using I = arith::CmpIPredicate;
  bool isUnsigned = l.isUnsigned(0);
  auto arithmetic = [&](auto onFloats, auto onIntegers) -> Value {
    if (s.isFloat(x[0]))
      return decltype(onFloats)::create(b, x[0], x[1]);
    return decltype(onIntegers)::create(b, x[0], x[1]);
  };
  return llvm::TypeSwitch<Operation *, Value>(l.op)
      .Case([&](NegOp) { return s.negate(x[0]); })
      .Case([&](AbsOp) { return s.magnitude(x[0], isUnsigned); })
      .Case([&](SqrtOp) { return math::SqrtOp::create(b, x[0]); })
      .Case([&](ReciprocalOp) {
        return arith::DivFOp::create(b, constantOf(b, x[0].getType(), 1), x[0]);
      })
      .Case([&](ExpOp) { return math::ExpOp::create(b, x[0]); })
      .Case([&](LogOp) { return math::LogOp::create(b, x[0]); })
      .Case([&](ErfOp) { return math::ErfOp::create(b, x[0]); })
      .Case([&](ReluOp) {
        return maximum(b, x[0], constantOf(b, x[0].getType(), 0), isUnsigned);
      })
      .Case([&](SigmoidOp) { return s.sigmoid(x[0]); })
      .Case([&](TanhOp) { return math::TanhOp::create(b, x[0]); })
      .Case([&](FloorOp) { return math::FloorOp::create(b, x[0]); })
      .Case([&](CeilOp) { return math::CeilOp::create(b, x[0]); })
      .Case([&](RoundOp) { return math::RoundEvenOp::create(b, x[0]); })
      .Case([&](NotOp) {
        Value ones =
            arith::ConstantOp::create(b, b.getIntegerAttr(x[0].getType(), -1));
        return arith::XOrIOp::create(b, x[0], ones);
      })
      .Case([&](AddOp) { return arithmetic(arith::AddFOp(), arith::AddIOp()); })
      .Case([&](SubOp) { return arithmetic(arith::SubFOp(), arith::SubIOp()); })
      .Case([&](MulOp) { return arithmetic(arith::MulFOp(), arith::MulIOp()); })
      .Case([&](DivOp) { return s.divide(x[0], x[1], isUnsigned); })
      .Case([&](PowOp) { return s.power(x[0], x[1]); })
      .Case([&](MaxOp) { return maximum(b, x[0], x[1], isUnsigned); })
      .Case([&](MinOp) { return minimum(b, x[0], x[1], isUnsigned); })
      .Case([&](AndOp) { return arith::AndIOp::create(b, x[0], x[1]); })
      .Case([&](OrOp) { return arith::OrIOp::create(b, x[0], x[1]); })
      .Case([&](XorOp) { return arith::XOrIOp::create(b, x[0], x[1]); })
      .Case(
          [&](EqualOp) { return s.compare(x[0], x[1], F::OEQ, I::eq, I::eq); })
      .Case(
          [&](LessOp) { return s.compare(x[0], x[1], F::OLT, I::slt, I::ult); })
      .Case([&](LessOrEqualOp) {
        return s.compare(x[0], x[1], F::OLE, I::sle, I::ule);
      })
      .Case([&](GreaterOp) {
        return s.compare(x[0], x[1], F::OGT, I::sgt, I::ugt);
      })
      .Case([&](GreaterOrEqualOp) {
        return s.compare(x[0], x[1], F::OGE, I::sge, I::uge);
      })
      .Case(
          [&](WhereOp) { return arith::SelectOp::create(b, x[0], x[1], x[2]); })
      .Case([&](LeakyReluOp leaky) -> Value {
        double alpha = leaky.getAlpha().convertToDouble();
        Value slope = constantOf(b, x[0].getType(), alpha);
        Value scaled = arith::MulFOp::create(b, x[0], slope);
        // Of x and what is nearer to zero, or farther from it, on both sides.
        if (alpha > 0 && alpha <= 1)
          return arith::MaximumFOp::create(b, x[0], scaled);
        if (alpha > 1)
          return arith::MinimumFOp::create(b, x[0], scaled);
        Value zero = constantOf(b, x[0].getType(), 0);
        Value below = arith::CmpFOp::create(b, F::OLT, x[0], zero);
        return arith::SelectOp::create(b, below, scaled, x[0]);
      })
      .Default([](Operation *) { return Value(); });
}

Value lowerClip(Lowering &l, ClipOp op) {
  SmallVector<Value> operands{op.getX()};
  if (op.getLow())
    operands.push_back(op.getLow());
  if (op.getHigh())
    operands.push_back(op.getHigh());
  int64_t rank = l.resultType().getRank();
  SmallVector<AffineMap> maps{l.b.getMultiDimIdentityMap(rank)};
  for (Value bound : ArrayRef(operands).drop_front()) {
    SmallVector<AffineExpr> zeros(l.typeOf(bound).getRank(),
                                  l.b.getAffineConstantExpr(0));
    maps.push_back(AffineMap::get(rank, 0, zeros, l.b.getContext()));
  }
  return l.mapped(operands, maps, l.resultType(),
                  [&](ImplicitLocOpBuilder &b, ValueRange args) {
                    Value y = args[0];
                    if (op.getLow())
                      y = maximum(b, y, args[1], l.isUnsigned(0));
                    if (op.getHigh())
                      y = minimum(b, y, args.back(), l.isUnsigned(0));
                    return y;
                  });
}

} // namespace

Lowered lowerElementwise(Lowering &l) {
  if (auto op = dyn_cast<ClipOp>(l.op))
    return lowered(lowerClip(l, op));
  if (!l.op->hasTrait<ElementwiseTrait>())
    return notOfFamily();
  return lowered(l.elementwise(l.op->getOperands(), l.resultType(),
                               [&](ImplicitLocOpBuilder &b, ValueRange args) {
                                 return scalarOf(l, b, args);
                               }));
}

} // namespace mho::graph
