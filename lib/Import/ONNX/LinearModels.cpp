//===- LinearModels.cpp - linear models of ai.onnx.ml --------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compositions.h"
#include "PostTransform.h"

using namespace mlir;

namespace mho::import {

namespace {

/// x · coefficients' + intercepts, the coefficients one row a target.
Value linearScores(Node &n, Value x, int64_t targets) {
  x = asFloats(n, x);
  if (n.type(x).getRank() == 1)
    x = n.reshape(x, {1, n.shape(x)[0]});
  if (n.type(x).getRank() != 2)
    n.fail("expected samples of features, found rank " +
           Twine(n.type(x).getRank()));
  int64_t features = n.shape(x)[1];
  SmallVector<double> rows = numbers(n, "coefficients"), columns(rows);
  if (targets < 1 ||
      int64_t(rows.size()) !=
          n.product({targets, features}, "the numbers of coefficients"))
    n.fail("attribute 'coefficients' has " + Twine(rows.size()) +
           " entries for " + Twine(targets) + " targets and " +
           Twine(features) + " features");
  for (int64_t t = 0; t < targets; ++t)
    for (int64_t f = 0; f < features; ++f)
      columns[f * targets + t] = rows[t * features + f];
  Value w = floatConstant(n, {features, targets}, columns, n.element(x));
  Value y = product(n, x, w);
  SmallVector<double> intercepts = numbers(n, "intercepts");
  if (intercepts.empty())
    return y;
  return n.binary<graph::AddOp>(
      y, floatConstant(n, {targets}, intercepts, n.element(x)));
}

void linearRegressor(Node &n) {
  Value y = linearScores(n, n.input(0), n.integer("targets", 1));
  y = transformed(n, y, n.string("post_transform", "NONE"));
  n.result(n.cast(y, n.b.getF32Type()));
}

/// One score for two classes: above zero the second one.
void oneScore(Node &n, Value score, ArrayRef<int64_t> labels,
              StringRef transform) {
  Type element = n.element(score);
  Value taken =
      n.binary<graph::GreaterOp>(score, n.scalar(element, 0), n.b.getI1Type());
  bool two = labels.size() == 2;
  n.result(eitherLabel(n, taken, two ? labels[1] : 1, two ? labels[0] : 0));
  if (!two)
    return n.result(transformed(n, score, transform));
  if (transform == "PROBIT")
    n.refuse("PROBIT with one score for two classes is not supported");
  Value other = n.make<graph::NegOp>(score.getType(), score);
  if (transform == "LOGISTIC") {
    score = transformed(n, score, transform);
    other = transformed(n, other, transform);
  } else {
    other = n.binary<graph::AddOp>(other, n.scalar(element, 1));
  }
  n.result(n.make<graph::ConcatOp>(n.typeOf({n.shape(score)[0], 2}, element),
                                   ValueRange{other, score},
                                   n.b.getI64IntegerAttr(1)));
}

void linearClassifier(Node &n) {
  Shape labels = integerLabels(n, "classlabels_ints", "classlabels_strings");
  Value x = n.input(0);
  int64_t features = n.shape(x).empty() ? 1 : n.shape(x).back();
  int64_t given = numbers(n, "coefficients").size();
  int64_t targets = given == features ? 1 : labels.size();
  Value scores = linearScores(n, x, targets);
  std::string transform = n.string("post_transform", "NONE");
  if (targets == 1) {
    oneScore(n, scores, labels, transform);
  } else {
    n.result(topLabel(n, scores, labels));
    n.result(transformed(n, scores, transform));
  }
  n.results.back() = n.cast(n.results.back(), n.b.getF32Type());
}

} // namespace

void addLinearModels(HandlerTable &table) {
  table["ai.onnx.ml.LinearRegressor"] = linearRegressor;
  table["ai.onnx.ml.LinearClassifier"] = linearClassifier;
}

} // namespace mho::import
