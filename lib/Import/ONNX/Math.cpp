//===- Math.cpp - functions, remainders and bits of single elements -------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Expression.h"

#include <limits>

using namespace mlir;

namespace mho::import {

namespace {

template <typename OpTy> void function(Node &n) {
  n.result(Expr(n, n.input(0)).unary<OpTy>());
}

template <typename OpTy> void bits(Node &n) {
  n.result(n.binary<OpTy>(n.input(0), n.input(1)));
}

/// -1, 0 or 1; NaN and the sign of zero stay.
void sign(Node &n) {
  Expr x(n, n.input(0));
  Expr up = where(x > 0, 1, x);
  bool isUnsigned = x.element().isUnsignedInteger();
  n.result(isUnsigned ? up : where(x < 0, -1, up));
}

void isNaN(Node &n) {
  Expr x = wide(n, n.input(0));
  n.result(!(x == x));
}

void isInf(Node &n) {
  Expr x = wide(n, n.input(0));
  bool negative = n.integer("detect_negative", 1);
  bool positive = n.integer("detect_positive", 1);
  double infinity = std::numeric_limits<double>::infinity();
  if (negative && positive)
    return n.result(abs(x) == infinity);
  if (positive || negative)
    return n.result(x == (positive ? infinity : -infinity));
  n.result(n.expand(n.scalar(n.b.getI1Type(), 0), x.shape()));
}

void mod(Node &n) {
  Value a = n.input(0), c = n.input(1);
  n.checkSameElement(a, c);
  auto type = n.typeOf(n.broadcast(a, c), n.element(a));
  n.result(n.make<graph::ModOp>(
      type, a, c, n.integer("fmod", 0) ? n.b.getUnitAttr() : UnitAttr()));
}

void bitShift(Node &n) {
  std::string direction = n.string("direction", "");
  if (direction == "LEFT")
    return bits<graph::ShiftLeftOp>(n);
  if (direction == "RIGHT")
    return bits<graph::ShiftRightOp>(n);
  n.fail("attribute 'direction' is LEFT or RIGHT, found '" + direction + "'");
}

} // namespace

void addMath(HandlerTable &table) {
  table[".Sin"] = function<graph::SinOp>;
  table[".Cos"] = function<graph::CosOp>;
  table[".Tan"] = function<graph::TanOp>;
  table[".Asin"] = function<graph::AsinOp>;
  table[".Acos"] = function<graph::AcosOp>;
  table[".Atan"] = function<graph::AtanOp>;
  table[".Sinh"] = function<graph::SinhOp>;
  table[".Cosh"] = function<graph::CoshOp>;
  table[".Asinh"] = function<graph::AsinhOp>;
  table[".Acosh"] = function<graph::AcoshOp>;
  table[".Atanh"] = function<graph::AtanhOp>;
  table[".Sign"] = sign;
  table[".IsNaN"] = isNaN;
  table[".IsInf"] = isInf;
  table[".Mod"] = mod;
  table[".BitShift"] = bitShift;
  table[".BitwiseAnd"] = bits<graph::AndOp>;
  table[".BitwiseOr"] = bits<graph::OrOp>;
  table[".BitwiseXor"] = bits<graph::XorOp>;
  table[".BitwiseNot"] = function<graph::NotOp>;
}

} // namespace mho::import
