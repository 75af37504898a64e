//===- Optimizers.cpp - one step of an optimizer --------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// ai.onnx.preview.training. After rate and step count come all tensors to be
// optimized, then all their gradients, then each kind of state; the outputs are
// the tensors and the states in the same order.
//
//===----------------------------------------------------------------------===//

#include "Expression.h"

using namespace mlir;

namespace mho::import {

namespace {

class Step {
public:
  /// `states`: how many tensors an optimizer keeps for each one.
  Step(Node &n, size_t states) : n(n) {
    size_t kinds = 2 + states, given = n.inputs.size();
    if (given < 2 + kinds || (given - 2) % kinds)
      n.fail("expected a rate, a step count and " + Twine(kinds) +
             " inputs for each tensor, found " + Twine(given) + " inputs");
    tensors = (given - 2) / kinds;
    results.resize((1 + states) * tensors);
  }

  size_t count() const { return tensors; }
  Expr rate(Expr like) const { return number(0, like); }
  Expr time(Expr like) const { return number(1, like); }
  Expr tensor(size_t i) const { return {n, n.input(2 + i)}; }
  /// With the gradient of 0.5·norm_coefficient·|x|².
  Expr gradient(size_t i) const {
    Expr g(n, n.input(2 + tensors + i));
    float norm = n.real("norm_coefficient", 0);
    return norm == 0 ? g : double(norm) * tensor(i) + g;
  }
  Expr state(size_t kind, size_t i) const {
    return {n, n.input(2 + (2 + kind) * tensors + i)};
  }
  void give(size_t kind, size_t i, Expr value) {
    results[kind * tensors + i] = value;
  }
  void finish() {
    for (Value value : results)
      n.result(value);
  }

private:
  Expr number(size_t input, Expr like) const {
    return Expr(n, n.input(input)).as(like.element());
  }

  Node &n;
  size_t tensors;
  SmallVector<Value> results;
};

void adagrad(Node &n) {
  Step step(n, 1);
  for (size_t i = 0; i < step.count(); ++i) {
    Expr x = step.tensor(i), g = step.gradient(i);
    Expr rate =
        step.rate(x) / (1 + step.time(x) * double(n.real("decay_factor", 0)));
    Expr squares = step.state(0, i) + g * g;
    step.give(0, i, x - rate * g / (sqrt(squares) + n.real("epsilon", 1e-6f)));
    step.give(1, i, squares);
  }
  step.finish();
}

void adam(Node &n) {
  Step step(n, 2);
  double alpha = n.real("alpha", 0.9f), beta = n.real("beta", 0.999f);
  for (size_t i = 0; i < step.count(); ++i) {
    Expr x = step.tensor(i), g = step.gradient(i), time = step.time(x);
    Expr average = alpha * step.state(0, i) + (1 - alpha) * g;
    Expr squares = beta * step.state(1, i) + (1 - beta) * (g * g);
    auto power = [&](double base) {
      return x.like(base).binary<graph::PowOp>(time);
    };
    Expr rate = step.rate(x);
    rate = where(time > 0, rate * sqrt(1 - power(beta)) / (1 - power(alpha)),
                 rate);
    Expr y = x - rate * average / (sqrt(squares) + n.real("epsilon", 1e-6f));
    step.give(0, i, (1 - double(n.real("norm_coefficient_post", 0))) * y);
    step.give(1, i, average);
    step.give(2, i, squares);
  }
  step.finish();
}

void momentum(Node &n) {
  Step step(n, 1);
  double alpha = n.real("alpha", 0), beta = n.real("beta", 0);
  std::string mode = n.string("mode", "");
  if (mode != "standard" && mode != "nesterov")
    n.fail("attribute 'mode' is standard or nesterov, found '" + mode + "'");
  for (size_t i = 0; i < step.count(); ++i) {
    Expr x = step.tensor(i), g = step.gradient(i);
    Expr share = where(step.time(x) > 0, x.like(beta), x.like(1));
    Expr v = alpha * step.state(0, i) + share * g;
    Expr direction = mode == "nesterov" ? g + alpha * v : v;
    step.give(0, i, x - step.rate(x) * direction);
    step.give(1, i, v);
  }
  step.finish();
}

} // namespace

void addOptimizers(HandlerTable &table) {
  table["ai.onnx.preview.training.Adagrad"] = adagrad;
  table["ai.onnx.preview.training.Adam"] = adam;
  table["ai.onnx.preview.training.Momentum"] = momentum;
}

} // namespace mho::import
