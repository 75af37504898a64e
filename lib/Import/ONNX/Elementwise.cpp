//===- Elementwise.cpp - element-wise operators ---------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Node.h"

#include "mho/Dialect/Graph/IR/Shapes.h"

#include "mlir/IR/Matchers.h"

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
  n.result(n.binary<OpTy>(n.input(0), alignedSecond(n)));
}

template <typename OpTy> void comparison(Node &n) {
  n.result(n.binary<OpTy>(n.input(0), alignedSecond(n), n.b.getI1Type()));
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
  for (size_t i = 1; i < n.inputs.size(); ++i)
    all = n.binary<OpTy>(all, n.input(i));
  n.result(all);
}

void mean(Node &n) {
  variadic<graph::AddOp>(n);
  Value &sum = n.results.back();
  sum = n.binary<graph::DivOp>(
      sum, n.scalar(n.element(sum), double(n.inputs.size())));
}

void where(Node &n) {
  Value condition = n.input(0), a = n.input(1), c = n.input(2);
  n.checkSameElement(a, c);
  if (!n.element(condition).isInteger(1))
    n.fail("the condition must be bool");
  auto shape = graph::broadcastShapes(n.broadcast(a, c), n.shape(condition));
  if (!shape)
    n.fail("the condition does not broadcast with the values");
  n.result(
      n.make<graph::WhereOp>(n.typeOf(*shape, n.element(a)), condition, a, c));
}

void leakyRelu(Node &n) {
  Value x = n.input(0);
  n.result(n.make<graph::LeakyReluOp>(
      x.getType(), x, n.b.getF32FloatAttr(n.real("alpha", 0.01f))));
}

void parametricRelu(Node &n) {
  Value x = n.input(0), slope = n.input(1);
  n.checkSameElement(x, slope);
  if (n.opset < 7 && n.type(slope).getRank() == 1 && n.type(x).getRank() > 2) {
    Shape shape(n.type(x).getRank() - 1, 1);
    shape[0] = n.type(slope).getNumElements();
    slope = n.reshape(slope, shape);
  }
  Value zero = n.scalar(n.element(x), 0);
  Value up = n.binary<graph::MaxOp>(x, zero);
  Value down = n.binary<graph::MulOp>(n.binary<graph::MinOp>(x, zero), slope);
  n.result(n.binary<graph::AddOp>(up, down));
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

/// Inference: the first input passes; a mask is all true.
void dropout(Node &n) {
  Value x = n.input(0);
  if (Value training = n.optional(2)) {
    ElementsAttr flag;
    if (!matchPattern(training, m_Constant(&flag)) || !flag.isSplat() ||
        flag.getSplatValue<bool>())
      n.refuse("training mode is not supported; export the model for "
               "inference");
  }
  n.result(x);
  if (!n.wants(1))
    return;
  Type element = n.opset >= 10 ? n.b.getI1Type() : n.element(x);
  auto type = n.typeOf(n.shape(x), element);
  Attribute one = isa<FloatType>(element)
                      ? Attribute(n.b.getFloatAttr(element, 1))
                      : n.b.getIntegerAttr(element, 1);
  n.result(n.constant(DenseElementsAttr::get(type, one)));
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
  table[".Where"] = where;
  table[".LeakyRelu"] = leakyRelu;
  table[".PRelu"] = parametricRelu;
  table[".Clip"] = clip;
  table[".Dropout"] = dropout;
}

} // namespace mho::import
