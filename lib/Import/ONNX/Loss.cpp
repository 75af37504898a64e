//===- Loss.cpp - losses over classes -------------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Expression.h"

using namespace mlir;

namespace mho::import {

namespace {

/// The loss of log-probabilities [N, C, …] and labels [N, …], reduced as the
/// node says. The label's entry is the one that its class's number equals.
Expr likelihoodLoss(Node &n, Expr logs) {
  Value given = n.input(1);
  Type i64 = n.b.getIntegerType(64);
  Expr labels = Expr(n, given).as(i64);
  if (logs.rank() < 2)
    n.fail("expected rank 2 or more, found " + text(Value(logs).getType()));
  Shape expected(logs.shape());
  expected.erase(expected.begin() + 1);
  if (labels.shape() != ArrayRef<int64_t>(expected))
    n.fail("labels of type " + text(given.getType()) + " do not fit " +
           text(Value(logs).getType()));
  int64_t classes = logs.shape()[1];
  Shape apart(expected), along(logs.rank() - 1, 1);
  apart.insert(apart.begin() + 1, 1);
  along[0] = classes;
  Expr isLabel = iota(n, i64, classes).reshape(along) == labels.reshape(apart);
  Expr loss = -sum(where(isLabel, logs, 0), {1}, false);

  std::optional<Expr> weights;
  if (Value perClass = n.optional(2)) {
    if (n.shape(perClass) != ArrayRef<int64_t>(classes))
      n.fail("expected " + Twine(classes) + " weights, found " +
             text(perClass.getType()));
    Expr all = wide(n, perClass).as(logs.element()).reshape(along);
    weights = sum(where(isLabel, all, 0), {1}, false);
  }
  if (n.has("ignore_index")) {
    Expr ignored = labels == Expr(n, n.constant(DenseElementsAttr::get(
                                         RankedTensorType::get({}, i64),
                                         n.integer("ignore_index", 0))));
    Expr kept = weights ? *weights : logs.like(1).expand(expected);
    weights = where(ignored, 0, kept);
    loss = where(ignored, 0, loss);
  }
  if (weights)
    loss = loss * *weights;
  std::string reduction = n.string("reduction", "mean");
  Shape axes = axesFrom(0, loss.rank());
  if (reduction == "none")
    return loss;
  if (reduction == "sum")
    return sum(loss, axes, false);
  if (reduction != "mean")
    n.fail("attribute 'reduction' is none, sum or mean, found '" + reduction +
           "'");
  return weights ? sum(loss, axes, false) / sum(*weights, axes, false)
                 : mean(loss, axes, false);
}

void negativeLogLikelihood(Node &n) {
  n.result(likelihoodLoss(n, wide(n, n.input(0))).as(n.element(n.input(0))));
}

void softmaxCrossEntropy(Node &n) {
  Expr x = wide(n, n.input(0));
  if (x.rank() < 2)
    n.fail("expected rank 2 or more, found " + text(n.input(0).getType()));
  Expr shifted = x - largest(x, {1});
  Expr logs = shifted - log(sum(exp(shifted), {1}));
  n.result(likelihoodLoss(n, logs).as(n.element(n.input(0))));
  n.result(logs.as(n.element(n.input(0))));
}

} // namespace

void addLosses(HandlerTable &table) {
  table[".NegativeLogLikelihoodLoss"] = negativeLogLikelihood;
  table[".SoftmaxCrossEntropyLoss"] = softmaxCrossEntropy;
}

} // namespace mho::import
