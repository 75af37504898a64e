//===- Activations.cpp - activation functions as formulas -----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// ONNX gives most of them a function body only since some opset; these formulas
// hold for every one, and are stable where e^x overflows.
//
//===----------------------------------------------------------------------===//

#include "Expression.h"

#include <cmath>

using namespace mlir;

namespace mho::import {

namespace {

/// A formula of the first input, computed wide and rounded to its type.
template <Expr (*Formula)(Node &, Expr)> void activation(Node &n) {
  Value x = n.input(0);
  n.result(Formula(n, wide(n, x)).as(n.element(x)));
}

Expr elu(Node &n, Expr x) {
  double alpha = n.real("alpha", 1);
  return where(x < 0, alpha * (exp(x) - 1), x);
}

Expr celu(Node &n, Expr x) {
  double alpha = n.real("alpha", 1);
  return max(x, 0) + min(alpha * (exp(x / alpha) - 1), 0);
}

Expr selu(Node &n, Expr x) {
  // Opset 1 rounds the constants to four digits.
  double alpha = n.real("alpha", n.opset < 6 ? 1.6732f : 1.67326319f);
  double gamma = n.real("gamma", n.opset < 6 ? 1.0507f : 1.05070102f);
  return gamma * where(x > 0, x, alpha * (exp(x) - 1));
}

Expr thresholdedRelu(Node &n, Expr x) {
  return where(x > n.real("alpha", 1), x, 0);
}

Expr hardSigmoid(Node &n, Expr x) {
  double alpha = n.real("alpha", 0.2f), beta = n.real("beta", 0.5f);
  return max(min(alpha * x + beta, 1), 0);
}

Expr hardSwish(Node &, Expr x) { return x * max(min(x / 6 + 0.5, 1), 0); }

/// log(1 + e^x) without overflow.
Expr softplus(Expr x) { return max(x, 0) + log(1 + exp(-abs(x))); }
Expr softplus(Node &, Expr x) { return softplus(x); }
Expr softsign(Node &, Expr x) { return x / (1 + abs(x)); }
Expr mish(Node &, Expr x) { return x * tanh(softplus(x)); }

Expr gelu(Node &n, Expr x) {
  std::string kind = n.string("approximate", "none");
  if (kind == "tanh")
    return 0.5 * x *
           (1 + tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * (x * x * x))));
  if (kind != "none")
    n.fail("attribute 'approximate' is none or tanh, found '" + kind + "'");
  return 0.5 * x * (1 + erf(x * M_SQRT1_2));
}

Expr swish(Node &n, Expr x) {
  double alpha = n.real("alpha", 1);
  return x * sigmoid(alpha == 1 ? x : alpha * x);
}

void swiGlu(Node &n) {
  Value gate = n.input(0), x = n.input(1);
  if (n.type(gate) != n.type(x))
    n.fail("gate and value must have one type, found " + text(gate.getType()) +
           " and " + text(x.getType()));
  n.result((swish(n, wide(n, gate)) * wide(n, x)).as(n.element(x)));
}

void parametricRelu(Node &n) {
  Value x = n.input(0), slope = n.input(1);
  n.checkSameElement(x, slope);
  if (n.opset < 7 && n.type(slope).getRank() == 1 && n.type(x).getRank() > 2) {
    // One slope a channel, before ONNX broadcast from the right.
    Shape shape(n.type(x).getRank() - 1, 1);
    shape[0] = n.type(slope).getNumElements();
    slope = n.reshape(slope, shape);
  }
  if (n.broadcast(x, slope) != Shape(n.shape(x)))
    n.fail("slopes of type " + text(slope.getType()) + " do not broadcast to " +
           text(x.getType()));
  Expr value = wide(n, x);
  n.result(where(value < 0, wide(n, slope) * value, value).as(n.element(x)));
}

void shrink(Node &n) {
  Value x = n.input(0);
  double bias = n.real("bias", 0), bound = n.real("lambd", 0.5f);
  // Integers are compared with a bound that need not be one.
  Expr value = isa<FloatType>(n.element(x)) ? wide(n, x)
                                            : Expr(n, x).as(n.b.getF64Type());
  n.result(
      where(value < -bound, value + bias, where(value > bound, value - bias, 0))
          .as(n.element(x)));
}

} // namespace

void addActivations(HandlerTable &table) {
  table[".Elu"] = activation<elu>;
  table[".Celu"] = activation<celu>;
  table[".Selu"] = activation<selu>;
  table[".ThresholdedRelu"] = activation<thresholdedRelu>;
  table[".HardSigmoid"] = activation<hardSigmoid>;
  table[".HardSwish"] = activation<hardSwish>;
  table[".Softplus"] = activation<softplus>;
  table[".Softsign"] = activation<softsign>;
  table[".Mish"] = activation<mish>;
  table[".Gelu"] = activation<gelu>;
  table[".Swish"] = activation<swish>;
  table[".SwiGLU"] = swiGlu;
  table[".PRelu"] = parametricRelu;
  table[".Shrink"] = shrink;
}

} // namespace mho::import
