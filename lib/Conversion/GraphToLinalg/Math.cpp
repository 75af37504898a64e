//===- Math.cpp - functions, shifts, remainders and scans to linalg -------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace mho::graph {

namespace {

/// An amount below zero or beyond the width is as large as any when read as
/// unsigned, and the ISA gives what is left then: nothing, or the sign.
Value shifted(Lowering &l, ImplicitLocOpBuilder &b, ValueRange x) {
  if (isa<ShiftLeftOp>(l.op))
    return arith::ShLIOp::create(b, x[0], x[1]);
  if (l.isUnsigned(0))
    return arith::ShRUIOp::create(b, x[0], x[1]);
  return arith::ShRSIOp::create(b, x[0], x[1]);
}

/// Quotients round towards zero in the machine's remainder; rounded down, the
/// divisor is added where the signs differ.
Value remainder(Lowering &l, ImplicitLocOpBuilder &b, ValueRange x,
                bool truncated) {
  Type type = x[0].getType();
  Value zero = constantOf(b, type, 0);
  if (isa<FloatType>(type)) {
    using P = arith::CmpFPredicate;
    Value r = arith::RemFOp::create(b, x[0], x[1]);
    if (truncated)
      return r;
    Value below = arith::CmpFOp::create(b, P::OLT, r, zero);
    Value divisorBelow = arith::CmpFOp::create(b, P::OLT, x[1], zero);
    Value differ = arith::XOrIOp::create(b, below, divisorBelow);
    Value moved = arith::AddFOp::create(b, r, x[1]);
    Value y = arith::SelectOp::create(b, differ, moved, r);
    Value isZero = arith::CmpFOp::create(b, P::OEQ, r, zero);
    Value signedZero = math::CopySignOp::create(b, zero, x[1]);
    return arith::SelectOp::create(b, isZero, signedZero, y);
  }
  if (l.isUnsigned(0))
    return arith::RemUIOp::create(b, x[0], x[1]);
  using P = arith::CmpIPredicate;
  Value r = arith::RemSIOp::create(b, x[0], x[1]);
  if (truncated)
    return r;
  Value below = arith::CmpIOp::create(b, P::slt, r, zero);
  Value divisorBelow = arith::CmpIOp::create(b, P::slt, x[1], zero);
  Value differ = arith::XOrIOp::create(b, below, divisorBelow);
  Value whole = arith::CmpIOp::create(b, P::eq, r, zero);
  Value byZero = arith::CmpIOp::create(b, P::eq, x[1], zero);
  Value keep = arith::OrIOp::create(b, whole, byZero);
  Value moved = arith::AddIOp::create(b, r, x[1]);
  Value y = arith::SelectOp::create(b, differ, moved, r);
  return arith::SelectOp::create(b, keep, r, y);
}

Value function(Lowering &l, ImplicitLocOpBuilder &b, ValueRange x) {
  return llvm::TypeSwitch<Operation *, Value>(l.op)
      .Case([&](SinOp) { return math::SinOp::create(b, x[0]); })
      .Case([&](CosOp) { return math::CosOp::create(b, x[0]); })
      .Case([&](TanOp) { return math::TanOp::create(b, x[0]); })
      .Case([&](AsinOp) { return math::AsinOp::create(b, x[0]); })
      .Case([&](AcosOp) { return math::AcosOp::create(b, x[0]); })
      .Case([&](AtanOp) { return math::AtanOp::create(b, x[0]); })
      .Case([&](SinhOp) { return math::SinhOp::create(b, x[0]); })
      .Case([&](CoshOp) { return math::CoshOp::create(b, x[0]); })
      .Case([&](AsinhOp) { return math::AsinhOp::create(b, x[0]); })
      .Case([&](AcoshOp) { return math::AcoshOp::create(b, x[0]); })
      .Case([&](AtanhOp) { return math::AtanhOp::create(b, x[0]); })
      .Case<ShiftLeftOp, ShiftRightOp>([&](auto) { return shifted(l, b, x); })
      .Case([&](ModOp op) { return remainder(l, b, x, op.getTruncated()); })
      .Default([](Operation *) { return Value(); });
}

/// Counts down along `axis`.
AffineMap reversal(Lowering &l, ArrayRef<int64_t> shape, int64_t axis) {
  SmallVector<AffineExpr> exprs;
  for (auto [i, extent] : llvm::enumerate(shape)) {
    AffineExpr dim = l.b.getAffineDimExpr(i);
    exprs.push_back(int64_t(i) == axis ? dim * -1 + (extent - 1) : dim);
  }
  return AffineMap::get(shape.size(), 0, exprs, l.b.getContext());
}

/// x with an axis the other way round, also where the run gives its extent.
Value reversed(Lowering &l, Value x, int64_t axis) {
  auto type = l.typeOf(x);
  int64_t rank = type.getRank();
  if (!type.isDynamicDim(axis))
    return l.moved(x, reversal(l, type.getShape(), axis), type);
  auto extent = cast<Value>(l.extent(x, axis));
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  Value init = l.empty(type, [&](int64_t dim) { return l.extent(x, dim); });
  return l.generic(
      {}, init, l.b.getMultiDimIdentityMap(rank), iterators,
      [&](ImplicitLocOpBuilder &b, ValueRange) {
        SmallVector<Value> places;
        for (int64_t dim = 0; dim < rank; ++dim)
          places.push_back(linalg::IndexOp::create(b, dim));
        Value last = arith::SubIOp::create(
            b, extent, arith::ConstantIndexOp::create(b, 1));
        places[axis] = arith::SubIOp::create(b, last, places[axis]);
        return SmallVector<Value>{tensor::ExtractOp::create(b, x, places)};
      })[0];
}

/// A carry that lacks the axis beside a result that has it. The nest runs in
/// order of its dims, which is what makes this a scan.
template <typename OpTy> Value lowerScan(Lowering &l, OpTy op) {
  constexpr bool isProduct = std::is_same_v<OpTy, CumProdOp>;
  auto type = l.resultType();
  int64_t rank = type.getRank(), axis = op.getAxis();
  Type element = type.getElementType();
  Type wide = isNarrowFloat(element) ? Type(l.b.getF32Type()) : element;
  SmallVector<int64_t> others(type.getShape());
  others.erase(others.begin() + axis);
  SmallVector<AffineExpr> kept;
  SmallVector<utils::IteratorType> iterators;
  for (int64_t i = 0; i < rank; ++i) {
    iterators.push_back(i == axis ? utils::IteratorType::reduction
                                  : utils::IteratorType::parallel);
    if (i != axis)
      kept.push_back(l.b.getAffineDimExpr(i));
  }
  AffineMap all = l.b.getMultiDimIdentityMap(rank);
  // A fixed axis is read backwards, another one turned before.
  bool turned = op.getReverse() && type.isDynamicDim(axis);
  Value x = turned ? reversed(l, op.getX(), axis) : Value(op.getX());
  AffineMap read =
      op.getReverse() && !turned ? reversal(l, type.getShape(), axis) : all;
  AffineMap carried = AffineMap::get(rank, 0, kept, l.b.getContext());
  TypedAttr start =
      isa<FloatType>(wide)
          ? TypedAttr(l.b.getFloatAttr(wide, isProduct ? 1 : 0))
          : TypedAttr(l.b.getIntegerAttr(wide, isProduct ? 1 : 0));
  Value y =
      l.generic(x, {l.filled(others, start), l.empty(type.getShape(), element)},
                {read, carried, all}, iterators,
                [&](ImplicitLocOpBuilder &b, ValueRange args) {
                  Value v = args[0], before = args[1];
                  if (isa<FloatType>(wide))
                    v = convertFloat(b, v, wide);
                  Value after;
                  if constexpr (isProduct)
                    after = isa<FloatType>(wide)
                                ? Value(arith::MulFOp::create(b, before, v))
                                : Value(arith::MulIOp::create(b, before, v));
                  else
                    after = isa<FloatType>(wide)
                                ? Value(arith::AddFOp::create(b, before, v))
                                : Value(arith::AddIOp::create(b, before, v));
                  Value given = op.getExclusive() ? before : after;
                  if (isa<FloatType>(wide))
                    given = convertFloat(b, given, element);
                  return SmallVector<Value>{after, given};
                })[1];
  return op.getReverse() ? reversed(l, y, axis) : y;
}

} // namespace

Lowered lowerMath(Lowering &l) {
  if (auto op = dyn_cast<CumSumOp>(l.op))
    return lowered(lowerScan(l, op));
  if (auto op = dyn_cast<CumProdOp>(l.op))
    return lowered(lowerScan(l, op));
  if (!isa<SinOp, CosOp, TanOp, AsinOp, AcosOp, AtanOp, SinhOp, CoshOp, AsinhOp,
           AcoshOp, AtanhOp, ShiftLeftOp, ShiftRightOp, ModOp>(l.op))
    return notOfFamily();
  return lowered(l.elementwise(l.op->getOperands(), l.resultType(),
                               [&](ImplicitLocOpBuilder &b, ValueRange args) {
                                 return function(l, b, args);
                               }));
}

} // namespace mho::graph
