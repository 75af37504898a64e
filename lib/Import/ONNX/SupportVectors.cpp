//===- SupportVectors.cpp - support vector machines of ai.onnx.ml --------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compositions.h"
#include "Expression.h"
#include "Iteration.h"
#include "PostTransform.h"

#include "mho/Dialect/Graph/IR/Shapes.h"

using namespace mlir;

namespace mho::import {

namespace {

template <typename OpTy> Value unary(Node &n, Value x) {
  return n.make<OpTy>(x.getType(), x);
}

template <typename OpTy> Value withNumber(Node &n, Value x, double value) {
  return n.binary<OpTy>(x, n.scalar(n.element(x), value));
}

Value sumOfSquares(Node &n, Value x) {
  auto type =
      n.typeOf(graph::reducedShape(n.shape(x), {1}, true), n.element(x));
  return n.make<graph::ReduceSumOp>(type, n.binary<graph::MulOp>(x, x),
                                    n.b.getDenseI64ArrayAttr({1}),
                                    n.b.getUnitAttr());
}

/// The kernel of every sample with every support vector, by products with the
/// matrix of vectors.
struct Kernel {
  Node &n;
  std::string kind;
  double gamma = 0, offset = 0, degree = 0;

  explicit Kernel(Node &n) : n(n), kind(n.string("kernel_type", "LINEAR")) {
    SmallVector<double> parameters = numbers(n, "kernel_params");
    if (parameters.size() >= 3) {
      gamma = parameters[0];
      offset = parameters[1];
      degree = parameters[2];
    }
  }

  Value scaled(Value products) {
    return withNumber<graph::AddOp>(
        n, withNumber<graph::MulOp>(n, products, gamma), offset);
  }

  /// `vectors` are rows; gives [samples, vectors].
  Value operator()(Value x, ArrayRef<double> vectors, int64_t count) {
    int64_t features = n.shape(x)[1];
    if (count < 0 ||
        int64_t(vectors.size()) !=
            n.product({count, features}, "the numbers of support vectors"))
      n.fail("attribute 'support_vectors' has " + Twine(vectors.size()) +
             " entries for " + Twine(count) + " vectors of " + Twine(features) +
             " features");
    SmallVector<double> columns(vectors), norms(count, 0);
    for (int64_t v = 0; v < count; ++v)
      for (int64_t f = 0; f < features; ++f) {
        double entry = vectors[v * features + f];
        columns[f * count + v] = entry;
        norms[v] += entry * entry;
      }
    Type element = n.element(x);
    Value products =
        product(n, x, floatConstant(n, {features, count}, columns, element));
    if (kind == "LINEAR")
      return products;
    if (kind == "POLY")
      return withNumber<graph::PowOp>(n, scaled(products), degree);
    if (kind == "SIGMOID")
      return unary<graph::TanhOp>(n, scaled(products));
    if (kind != "RBF")
      n.fail("kernel_type is LINEAR, POLY, RBF or SIGMOID, found '" + kind +
             "'");
    // The squared distance: |x|² - 2x·v + |v|².
    Value distance =
        n.binary<graph::AddOp>(withNumber<graph::MulOp>(n, products, -2),
                               floatConstant(n, {count}, norms, element));
    distance = n.binary<graph::AddOp>(distance, sumOfSquares(n, x));
    return unary<graph::ExpOp>(n,
                               withNumber<graph::MulOp>(n, distance, -gamma));
  }
};

Value samplesOf(Node &n) {
  Value x = asFloats(n, n.input(0));
  if (n.type(x).getRank() == 1)
    x = n.reshape(x, {1, n.shape(x)[0]});
  if (n.type(x).getRank() != 2)
    n.fail("expected samples of features, found rank " +
           Twine(n.type(x).getRank()));
  return x;
}

/// x · matrix + shift, the matrix given row by row.
Value affine(Node &n, Value x, ArrayRef<double> matrix,
             ArrayRef<double> shift) {
  int64_t rows = n.shape(x)[1], columns = shift.size();
  Value w = floatConstant(n, {rows, columns}, matrix, n.element(x));
  return n.binary<graph::AddOp>(
      product(n, x, w), floatConstant(n, {columns}, shift, n.element(x)));
}

SmallVector<double> rhoOf(Node &n, size_t expected) {
  SmallVector<double> rho = numbers(n, "rho");
  if (rho.size() < expected)
    n.fail("attribute 'rho' has " + Twine(rho.size()) + " entries, expected " +
           Twine(expected));
  rho.resize(expected);
  return rho;
}

void svmRegressor(Node &n) {
  Value x = samplesOf(n);
  SmallVector<double> coefficients = numbers(n, "coefficients");
  if (int64_t count = n.integer("n_supports", 0))
    x = Kernel(n)(x, numbers(n, "support_vectors"), count);
  Value y = affine(n, x, coefficients, rhoOf(n, 1));
  if (n.integer("one_class", 0)) {
    Type element = n.element(y);
    Value inside =
        n.binary<graph::GreaterOp>(y, n.scalar(element, 0), n.b.getI1Type());
    y = n.make<graph::WhereOp>(y.getType(), inside, n.scalar(element, 1),
                               n.scalar(element, -1));
  }
  y = transformed(n, y, n.string("post_transform", "NONE"));
  n.result(n.cast(y, n.b.getF32Type()));
}

/// Pairs of classes, the lower one first.
SmallVector<std::pair<int64_t, int64_t>> pairsOf(int64_t classes) {
  SmallVector<std::pair<int64_t, int64_t>> pairs;
  for (int64_t i = 0; i < classes; ++i)
    for (int64_t j = i + 1; j < classes; ++j)
      pairs.push_back({i, j});
  return pairs;
}

/// The decision of each pair of classes from the kernels: above zero for the
/// first of the pair.
Value decisions(Node &n, Value x, ArrayRef<int64_t> perClass) {
  int64_t classes = perClass.size(), count = 0;
  SmallVector<int64_t> begins;
  SmallVector<double> given = numbers(n, "coefficients");
  for (int64_t own : perClass) {
    if (own < 0 || own > int64_t(given.size()))
      n.fail("a class has " + Twine(own) + " of the support vectors");
    begins.push_back(count);
    count += own;
  }
  if (int64_t(given.size()) != (classes - 1) * count)
    n.fail("attribute 'coefficients' has " + Twine(given.size()) +
           " entries for " + Twine(count) + " vectors of " + Twine(classes) +
           " classes");
  auto pairs = pairsOf(classes);
  int64_t columns = pairs.size();
  SmallVector<double> matrix(count * columns, 0);
  for (auto [p, pair] : llvm::enumerate(pairs)) {
    auto add = [&](int64_t owner, int64_t row) {
      for (int64_t v = begins[owner]; v < begins[owner] + perClass[owner]; ++v)
        matrix[v * columns + p] = given[row * count + v];
    };
    add(pair.first, pair.second - 1);
    add(pair.second, pair.first);
  }
  Value kernel = Kernel(n)(x, numbers(n, "support_vectors"), count);
  return affine(n, kernel, matrix, rhoOf(n, columns));
}

/// Every pair votes for one of its classes.
Value votesOf(Node &n, Value decided, int64_t classes) {
  auto pairs = pairsOf(classes);
  int64_t samples = n.shape(decided)[0], count = pairs.size();
  SmallVector<double> first(count * classes, 0), second(count * classes, 0);
  for (auto [p, pair] : llvm::enumerate(pairs)) {
    first[p * classes + pair.first] = 1;
    second[p * classes + pair.second] = 1;
  }
  Type element = n.element(decided);
  Value above = n.binary<graph::GreaterOp>(decided, n.scalar(element, 0),
                                           n.b.getI1Type());
  Value votes = n.make<graph::WhereOp>(
      n.typeOf({samples, count, classes}, element),
      n.reshape(above, {samples, count, 1}),
      floatConstant(n, {count, classes}, first, element),
      floatConstant(n, {count, classes}, second, element));
  return n.make<graph::ReduceSumOp>(n.typeOf({samples, classes}, element),
                                    votes, n.b.getDenseI64ArrayAttr({1}),
                                    UnitAttr());
}

Value joined(Node &n, Value first, Value second) {
  return n.make<graph::ConcatOp>(
      n.typeOf({n.shape(first)[0], 2}, n.element(first)),
      ValueRange{first, second}, n.b.getI64IntegerAttr(1));
}

/// Platt's probability of the first class of each pair.
Expr ofPairs(Node &n, Value decided) {
  SmallVector<double> a = numbers(n, "prob_a"), b = numbers(n, "prob_b");
  int64_t pairs = n.shape(decided)[1];
  if (int64_t(a.size()) < pairs || int64_t(b.size()) < pairs)
    n.fail("attributes 'prob_a' and 'prob_b' have " + Twine(a.size()) +
           " and " + Twine(b.size()) + " entries for " + Twine(pairs) +
           " pairs of classes");
  a.resize(pairs);
  b.resize(pairs);
  Type element = n.element(decided);
  Expr slopes(n, floatConstant(n, {pairs}, a, element)),
      offsets(n, floatConstant(n, {pairs}, b, element));
  return sigmoid(-(Expr(n, decided) * slopes + offsets));
}

/// Probabilities of all classes from those of pairs: the p that minimises
/// pᵀQp, by the iteration of Wu, Lin and Weng (2004, method 2) as libsvm and
/// ONNX Runtime have it, with their end at an error of 0.005 / classes.
Value coupled(Node &n, Expr ofFirst, int64_t classes) {
  constexpr int64_t kMostSteps = 100;
  constexpr double kLeast = 1e-7;
  int64_t samples = ofFirst.shape()[0], count = ofFirst.shape()[1];
  Type element = ofFirst.element();
  // r[i, j], of i against j; the diagonal is zero.
  Expr first = min(max(ofFirst, kLeast), 1 - kLeast);
  Expr known = concat({first, 1 - first, first.slice(1, 0, 1) * 0.0}, 1);
  Shape places(classes * classes, 2 * count);
  for (auto [p, pair] : llvm::enumerate(pairsOf(classes))) {
    places[pair.first * classes + pair.second] = p;
    places[pair.second * classes + pair.first] = count + p;
  }
  Expr r(n, n.make<graph::GatherOp>(
                n.typeOf({samples, classes * classes}, element), known,
                n.constantIntegers(places), n.b.getI64IntegerAttr(1)));
  r = r.reshape({samples, classes, classes});
  Expr mirrored = r.transpose({0, 2, 1});
  Expr squares = sum(mirrored * mirrored, {2});
  Shape diagonal(classes * classes, 0);
  for (int64_t i = 0; i < classes; ++i)
    diagonal[i * classes + i] = 1;
  Expr isDiagonal =
      Expr(n, n.constantIntegers(diagonal)).reshape({classes, classes}) == 1;
  Expr q = where(isDiagonal, squares, -(r * mirrored));
  Expr even = squares.reshape({samples, classes}) * 0.0 + 1.0 / double(classes);

  Value goesOn;
  LoopBody body(
      n.b, n.loc, *n.extents, {even}, {}, kMostSteps, [&](const Step &step) {
        Expr p(n, step.state[0]);
        Expr qp = sum(q * p.reshape({samples, 1, classes}), {2}, false);
        Expr pqp = sum(p * qp, {1});
        Expr error = largest(abs(qp - pqp), {1});
        Expr open = !(error < 0.005 / double(classes));
        Expr next = p;
        for (int64_t t = 0; t < classes; ++t) {
          Expr row = q.slice(1, t, 1).reshape({samples, classes});
          Expr own = row.slice(1, t, 1), at = qp.slice(1, t, 1);
          Expr difference = (pqp - at) / own;
          Expr scale = 1 / (1 + difference);
          SmallVector<double> unit(classes, 0);
          unit[t] = 1;
          next = (next + difference * Expr(n, floatConstant(n, {classes}, unit,
                                                            element))) *
                 scale;
          pqp = (pqp + difference * (difference * own + at * 2.0)) * scale *
                scale;
          qp = (qp + difference * row) * scale;
        }
        Expr worst = largest(error, {0, 1}, false);
        goesOn = !(worst < 0.005 / double(classes));
        return StepResult{{where(open, next, p)}, {}};
      });
  Value begins = arith::ConstantOp::create(n.b, n.loc, n.b.getBoolAttr(true));
  Value most = arith::ConstantIndexOp::create(n.b, n.loc, kMostSteps);
  return body.finishWhile(begins, goesOn, most, kMostSteps)[0];
}

/// Two classes: one decision, above zero for the first class.
void twoClasses(Node &n, Value decided, ArrayRef<int64_t> labels,
                StringRef transform) {
  Type element = n.element(decided);
  if (!numbers(n, "prob_a").empty()) {
    Expr first = ofPairs(n, decided);
    Value above = Expr(n, decided) > 0.0;
    n.result(eitherLabel(n, above, labels[0], labels[1]));
    return n.result(transformed(n, joined(n, first, 1 - first), transform));
  }
  Value above = n.binary<graph::GreaterOp>(decided, n.scalar(element, 0),
                                           n.b.getI1Type());
  n.result(eitherLabel(n, above, labels[0], labels[1]));
  Value other = unary<graph::NegOp>(n, decided);
  if (transform == "LOGISTIC")
    return n.result(transformed(n, joined(n, other, decided), transform));
  if (transform == "PROBIT")
    n.refuse("PROBIT with one score for two classes is not supported");
  if (transform != "NONE")
    other = withNumber<graph::AddOp>(n, other, 1);
  n.result(joined(n, other, decided));
}

void svmClassifier(Node &n) {
  Shape labels = integerLabels(n, "classlabels_ints", "classlabels_strings");
  Value x = samplesOf(n);
  std::string transform = n.string("post_transform", "NONE");
  Shape perClass = n.integers("vectors_per_class").value_or(Shape());
  int64_t classes = labels.size();
  if (perClass.empty()) {
    // One row of coefficients a class.
    SmallVector<double> rows = numbers(n, "coefficients"), columns(rows);
    int64_t features = n.shape(x)[1];
    if (int64_t(rows.size()) != classes * features)
      n.fail("attribute 'coefficients' has " + Twine(rows.size()) +
             " entries for " + Twine(classes) + " classes and " +
             Twine(features) + " features");
    for (int64_t c = 0; c < classes; ++c)
      for (int64_t f = 0; f < features; ++f)
        columns[f * classes + c] = rows[c * features + f];
    SmallVector<double> shift(classes, rhoOf(n, 1)[0]);
    Value scores = affine(n, x, columns, shift);
    n.result(topLabel(n, scores, labels));
    n.result(transformed(n, scores, transform));
  } else if (int64_t(perClass.size()) != classes || classes < 2) {
    n.fail("vectors_per_class has " + Twine(perClass.size()) + " entries for " +
           Twine(classes) + " classes");
  } else if (classes == 2) {
    twoClasses(n, decisions(n, x, perClass), labels, transform);
  } else {
    Value decided = decisions(n, x, perClass);
    n.result(topLabel(n, votesOf(n, decided, classes), labels));
    if (!numbers(n, "prob_a").empty())
      decided = coupled(n, ofPairs(n, decided), classes);
    n.result(transformed(n, decided, transform));
  }
  n.results.back() = n.cast(n.results.back(), n.b.getF32Type());
}

} // namespace

void addSupportVectors(HandlerTable &table) {
  table["ai.onnx.ml.SVMRegressor"] = svmRegressor;
  table["ai.onnx.ml.SVMClassifier"] = svmClassifier;
}

} // namespace mho::import
