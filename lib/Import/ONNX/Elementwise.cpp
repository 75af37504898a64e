//===- Elementwise.cpp - element-wise operators ---------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Agreement.h"
#include "Expression.h"

using namespace mlir;

namespace mho::import {

namespace {

template <typename OpTy> void unary(Node &n) {
  Value x = n.input(0);
  n.result(n.make<OpTy>(x.getType(), x));
}

/// Operators up to opset 6 broadcast only on demand, at an axis.
Value alignedSecond(Node &n) {
  Value a = n.input(0), c = n.input(1);
  if (n.opset >= 7 || !n.integer("broadcast", 0) || !n.has("axis"))
    return c;
  int64_t rank = n.type(a).getRank(), axis = n.axis(n.integer("axis", 0), rank);
  Shape shape(n.shape(c));
  while (int64_t(shape.size()) < rank - axis)
    shape.push_back(1);
  return n.reshape(c, shape);
}

template <typename OpTy> void arithmetic(Node &n) {
  Value a = n.input(0), c = alignedSecond(n);
  agree(n, a, c);
  n.result(n.binary<OpTy>(a, c));
}

template <typename OpTy> void comparison(Node &n) {
  Value a = n.input(0), c = alignedSecond(n);
  agree(n, a, c);
  n.result(n.binary<OpTy>(a, c, n.b.getI1Type()));
}

void power(Node &n) {
  Value a = n.input(0), exponent = alignedSecond(n);
  Type element = n.element(a), with = n.element(exponent);
  if (element == with)
    return n.result(n.binary<graph::PowOp>(a, exponent));
  // An integer to a fractional power is computed in floats.
  bool widen = !isa<FloatType>(element) && isa<FloatType>(with);
  Type common = widen ? with : element;
  Value y = n.binary<graph::PowOp>(n.cast(a, common), n.cast(exponent, common));
  n.result(n.cast(y, element));
}

template <typename OpTy> void variadic(Node &n) {
  Value all = n.input(0);
  for (size_t i = 1; i < n.inputs.size(); ++i) {
    Value next = n.input(i);
    agree(n, all, next);
    all = n.binary<OpTy>(all, next);
  }
  n.result(all);
}

void mean(Node &n) {
  Expr total = wide(n, n.input(0));
  for (size_t i = 1; i < n.inputs.size(); ++i)
    total = total + wide(n, n.input(i));
  n.result((total / double(n.inputs.size())).as(n.element(n.input(0))));
}

void select(Node &n) {
  Expr condition(n, n.input(0));
  if (!condition.element().isInteger(1))
    n.fail("the condition must be bool");
  n.result(where(condition, {n, n.input(1)}, {n, n.input(2)}));
}

void leakyRelu(Node &n) {
  Value x = n.input(0);
  n.result(n.make<graph::LeakyReluOp>(
      x.getType(), x, n.b.getF32FloatAttr(n.real("alpha", 0.01f))));
}

void clip(Node &n) {
  Value x = n.input(0), low = n.optional(1), high = n.optional(2);
  if (n.opset < 11) {
    if (n.has("min"))
      low = n.scalar(n.element(x), n.real("min", 0));
    if (n.has("max"))
      high = n.scalar(n.element(x), n.real("max", 0));
  }
  for (Value bound : {low, high})
    if (bound) {
      n.checkSameElement(x, bound);
      if (n.type(bound).getNumElements() != 1)
        n.fail("bounds must be scalars");
    }
  if (!low && !high)
    return n.result(x);
  n.result(n.make<graph::ClipOp>(x.getType(), x, low, high));
}

} // namespace

void addElementwise(HandlerTable &table) {
  table[".Neg"] = unary<graph::NegOp>;
  table[".Abs"] = unary<graph::AbsOp>;
  table[".Sqrt"] = unary<graph::SqrtOp>;
  table[".Reciprocal"] = unary<graph::ReciprocalOp>;
  table[".Exp"] = unary<graph::ExpOp>;
  table[".Log"] = unary<graph::LogOp>;
  table[".Erf"] = unary<graph::ErfOp>;
  table[".Relu"] = unary<graph::ReluOp>;
  table[".Sigmoid"] = unary<graph::SigmoidOp>;
  table[".Tanh"] = unary<graph::TanhOp>;
  table[".Floor"] = unary<graph::FloorOp>;
  table[".Ceil"] = unary<graph::CeilOp>;
  table[".Round"] = unary<graph::RoundOp>;
  table[".Not"] = unary<graph::NotOp>;
  table[".Add"] = arithmetic<graph::AddOp>;
  table[".Sub"] = arithmetic<graph::SubOp>;
  table[".Mul"] = arithmetic<graph::MulOp>;
  table[".Div"] = arithmetic<graph::DivOp>;
  table[".And"] = arithmetic<graph::AndOp>;
  table[".Or"] = arithmetic<graph::OrOp>;
  table[".Xor"] = arithmetic<graph::XorOp>;
  table[".Pow"] = power;
  table[".Max"] = variadic<graph::MaxOp>;
  table[".Min"] = variadic<graph::MinOp>;
  table[".Sum"] = variadic<graph::AddOp>;
  table[".Mean"] = mean;
  table[".Equal"] = comparison<graph::EqualOp>;
  table[".Less"] = comparison<graph::LessOp>;
  table[".LessOrEqual"] = comparison<graph::LessOrEqualOp>;
  table[".Greater"] = comparison<graph::GreaterOp>;
  table[".GreaterOrEqual"] = comparison<graph::GreaterOrEqualOp>;
  table[".Where"] = select;
  table[".LeakyRelu"] = leakyRelu;
  table[".Clip"] = clip;
}

} // namespace mho::import
