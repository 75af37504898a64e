//===- EvaluateMath.cpp - functions, scans and places on constants --------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluate.h"

#include "mho/Dialect/Graph/IR/GraphOps.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <cstring>

using namespace mlir;

namespace mho::graph {

static double floorMod(double a, double b) {
  double r = std::fmod(a, b);
  if (r == 0)
    return std::copysign(0.0, b);
  return (r < 0) != (b < 0) ? r + b : r;
}

RealFn mathFunction(Operation *op) {
  using X = const double *;
  return llvm::TypeSwitch<Operation *, RealFn>(op)
      .Case([](SinOp) { return [](X x) { return std::sin(x[0]); }; })
      .Case([](CosOp) { return [](X x) { return std::cos(x[0]); }; })
      .Case([](TanOp) { return [](X x) { return std::tan(x[0]); }; })
      .Case([](AsinOp) { return [](X x) { return std::asin(x[0]); }; })
      .Case([](AcosOp) { return [](X x) { return std::acos(x[0]); }; })
      .Case([](AtanOp) { return [](X x) { return std::atan(x[0]); }; })
      .Case([](SinhOp) { return [](X x) { return std::sinh(x[0]); }; })
      .Case([](CoshOp) { return [](X x) { return std::cosh(x[0]); }; })
      .Case([](AsinhOp) { return [](X x) { return std::asinh(x[0]); }; })
      .Case([](AcoshOp) { return [](X x) { return std::acosh(x[0]); }; })
      .Case([](AtanhOp) { return [](X x) { return std::atanh(x[0]); }; })
      .Case([](ModOp mod) -> RealFn {
        if (mod.getTruncated())
          return [](X x) { return std::fmod(x[0], x[1]); };
        return [](X x) { return floorMod(x[0], x[1]); };
      })
      .Default(RealFn(nullptr));
}

std::optional<int64_t> integerMath(Operation *op, const int64_t *x,
                                   IntegerType type) {
  unsigned width = type.getWidth();
  bool isUnsigned = type.isUnsigned();
  bool within = uint64_t(x[1]) < width;
  if (isa<ShiftLeftOp>(op))
    return within ? int64_t(uint64_t(x[0]) << x[1]) : 0;
  if (isa<ShiftRightOp>(op)) {
    if (isUnsigned)
      return within ? int64_t(uint64_t(x[0]) >> x[1]) : 0;
    return x[0] >> (within ? x[1] : 63);
  }
  auto mod = dyn_cast<ModOp>(op);
  // What division by zero gives is left to the machine.
  if (!mod || x[1] == 0)
    return std::nullopt;
  if (isUnsigned)
    return int64_t(uint64_t(x[0]) % uint64_t(x[1]));
  int64_t r = x[1] == -1 ? 0 : x[0] % x[1];
  bool moves = !mod.getTruncated() && r != 0 && (r < 0) != (x[1] < 0);
  return moves ? r + x[1] : r;
}

/// Positions of an axis and the steps between its elements and lines.
struct Lines {
  int64_t outer = 1, extent = 1, inner = 1;
  Lines(ArrayRef<int64_t> shape, int64_t axis) : extent(shape[axis]) {
    for (int64_t size : shape.take_front(axis))
      outer *= size;
    for (int64_t size : shape.drop_front(axis + 1))
      inner *= size;
  }
  int64_t at(int64_t line, int64_t i) const {
    return (line / inner * extent + i) * inner + line % inner;
  }
};

template <typename OpTy>
static Attribute evaluateScan(OpTy op, const ConstantReader &x,
                              RankedTensorType type) {
  constexpr bool isProduct = std::is_same_v<OpTy, CumProdOp>;
  Lines lines(type.getShape(), op.getAxis());
  ConstantWriter result(type, false);
  for (int64_t line = 0; line < lines.outer * lines.inner; ++line) {
    double real = isProduct;
    uint64_t integer = isProduct;
    for (int64_t i = 0; i < lines.extent; ++i) {
      int64_t at = lines.at(line, op.getReverse() ? lines.extent - 1 - i : i);
      double nextReal =
          isProduct ? real * x.asDouble(at) : real + x.asDouble(at);
      uint64_t nextInteger = isProduct ? integer * uint64_t(x.asInteger(at))
                                       : integer + uint64_t(x.asInteger(at));
      if (x.isFloat())
        result.setDouble(at, op.getExclusive() ? real : nextReal);
      else
        result.setInteger(at,
                          int64_t(op.getExclusive() ? integer : nextInteger));
      real = nextReal;
      integer = nextInteger;
    }
  }
  return result.finish();
}

template <typename OpTy>
static Attribute evaluatePlace(OpTy op, const ConstantReader &x,
                               RankedTensorType type) {
  constexpr bool isSmallest = std::is_same_v<OpTy, ArgMinOp>;
  bool isUnsigned = x.type().getElementType().isUnsignedInteger();
  Lines lines(x.type().getShape(), op.getAxis());
  if (lines.extent == 0)
    return nullptr;
  auto wins = [&](int64_t a, int64_t b) {
    if (isSmallest)
      std::swap(a, b);
    if (x.isFloat())
      return x.asDouble(a) > x.asDouble(b);
    int64_t left = x.asInteger(a), right = x.asInteger(b);
    return isUnsigned ? uint64_t(left) > uint64_t(right) : left > right;
  };
  ConstantWriter result(type, false);
  for (int64_t line = 0; line < result.size(); ++line) {
    int64_t best = 0;
    for (int64_t i = 1; i < lines.extent; ++i) {
      int64_t at = lines.at(line, i), top = lines.at(line, best);
      if (x.isFloat() && std::isnan(x.asDouble(top)))
        break;
      bool equal = !wins(at, top) && !wins(top, at);
      if (wins(at, top) || (x.isFloat() && std::isnan(x.asDouble(at))) ||
          (op.getSelectLastIndex() && equal))
        best = i;
    }
    result.setInteger(line, best);
  }
  return result.finish();
}

Attribute evaluateAlongAxis(Operation *op, const ConstantReader &x,
                            RankedTensorType type) {
  return llvm::TypeSwitch<Operation *, Attribute>(op)
      .Case<CumSumOp, CumProdOp>(
          [&](auto scan) { return evaluateScan(scan, x, type); })
      .Case<ArgMaxOp, ArgMinOp>(
          [&](auto place) { return evaluatePlace(place, x, type); })
      .Default(Attribute());
}

} // namespace mho::graph
