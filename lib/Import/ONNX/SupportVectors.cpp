//===- SupportVectors.cpp - support vector machines of ai.onnx.ml --------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Iteration.h"
#include "PostTransform.h"

using namespace mlir;

namespace mho::import {

namespace {

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

  /// `vectors` are rows; gives [samples, vectors].
  Expr operator()(Expr x, ArrayRef<double> vectors, int64_t count) {
    int64_t features = x.shape()[1];
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
    Type element = x.element();
    Expr products =
        matmul(x, floatConstant(n, {features, count}, columns, element));
    if (kind == "LINEAR")
      return products;
    if (kind == "POLY")
      return pow(products * gamma + offset, degree);
    if (kind == "SIGMOID")
      return tanh(products * gamma + offset);
    if (kind != "RBF")
      n.fail("kernel_type is LINEAR, POLY, RBF or SIGMOID, found '" + kind +
             "'");
    // The squared distance: |x|² - 2x·v + |v|².
    Expr distance = products * -2 + floatConstant(n, {count}, norms, element) +
                    sum(x * x, {1});
    return exp(distance * -gamma);
  }
};

Expr samplesOf(Node &n) {
  Expr x(n, asFloats(n, n.input(0)));
  if (x.rank() == 1)
    x = x.reshape({1, x.shape()[0]});
  if (x.rank() != 2)
    n.fail("expected samples of features, found rank " + Twine(x.rank()));
  return x;
}

/// x · matrix + shift, the matrix given row by row.
Expr affine(Expr x, ArrayRef<double> matrix, ArrayRef<double> shift) {
  Node &n = x.node();
  int64_t rows = x.shape()[1], columns = shift.size();
  return matmul(x, floatConstant(n, {rows, columns}, matrix, x.element())) +
         floatConstant(n, {columns}, shift, x.element());
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
  Expr x = samplesOf(n);
  SmallVector<double> coefficients = numbers(n, "coefficients");
  if (int64_t count = n.integer("n_supports", 0))
    x = Kernel(n)(x, numbers(n, "support_vectors"), count);
  Expr y = affine(x, coefficients, rhoOf(n, 1));
  if (n.integer("one_class", 0))
    y = where(y > 0, y.like(1), -1);
  Value scores = transformed(n, y, n.string("post_transform", "NONE"));
  n.result(n.cast(scores, n.b.getF32Type()));
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
Expr decisions(Node &n, Expr x, ArrayRef<int64_t> perClass) {
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
  Expr kernel = Kernel(n)(x, numbers(n, "support_vectors"), count);
  return affine(kernel, matrix, rhoOf(n, columns));
}

/// Every pair votes for one of its classes.
Expr votesOf(Expr decided, int64_t classes) {
  Node &n = decided.node();
  auto pairs = pairsOf(classes);
  int64_t samples = decided.shape()[0], count = pairs.size();
  SmallVector<double> first(count * classes, 0), second(count * classes, 0);
  for (auto [p, pair] : llvm::enumerate(pairs)) {
    first[p * classes + pair.first] = 1;
    second[p * classes + pair.second] = 1;
  }
  Type element = decided.element();
  Expr above = decided > 0;
  Expr votes = where(above.reshape({samples, count, 1}),
                     floatConstant(n, {count, classes}, first, element),
                     floatConstant(n, {count, classes}, second, element));
  return sum(votes, {1}, false);
}

/// Platt's probability of the first class of each pair.
Expr ofPairs(Expr decided) {
  Node &n = decided.node();
  SmallVector<double> a = numbers(n, "prob_a"), b = numbers(n, "prob_b");
  int64_t pairs = decided.shape()[1];
  if (int64_t(a.size()) < pairs || int64_t(b.size()) < pairs)
    n.fail("attributes 'prob_a' and 'prob_b' have " + Twine(a.size()) +
           " and " + Twine(b.size()) + " entries for " + Twine(pairs) +
           " pairs of classes");
  a.resize(pairs);
  b.resize(pairs);
  Expr slopes = floatConstant(n, {pairs}, a, decided.element());
  Expr offsets = floatConstant(n, {pairs}, b, decided.element());
  return sigmoid(-(decided * slopes + offsets));
}

/// Probabilities of all classes from those of pairs: the p that minimises
/// pᵀQp, by the iteration of Wu, Lin and Weng (2004, method 2) as libsvm and
/// ONNX Runtime have it, with their end at an error of 0.005 / classes.
Expr coupled(Expr ofFirst, int64_t classes) {
  Node &n = ofFirst.node();
  constexpr int64_t kMostSteps = 100;
  constexpr double kLeast = 1e-7;
  int64_t samples = ofFirst.shape()[0], count = ofFirst.shape()[1];
  Type element = ofFirst.element();
  // r[i, j], of i against j; the diagonal is zero.
  Expr first = clamp(ofFirst, kLeast, 1 - kLeast);
  Expr known = concat({first, 1 - first, first.slice(1, 0, 1) * 0.0}, 1);
  Shape places(classes * classes, 2 * count);
  for (auto [p, pair] : llvm::enumerate(pairsOf(classes))) {
    places[pair.first * classes + pair.second] = p;
    places[pair.second * classes + pair.first] = count + p;
  }
  Expr r = gather(known, {n, n.constantIntegers(places)}, 1)
               .reshape({samples, classes, classes});
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
          next =
              (next + difference * floatConstant(n, {classes}, unit, element)) *
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
  return {n, body.finishWhile(begins, goesOn, most, kMostSteps)[0]};
}

/// Two classes: one decision, above zero for the first class.
void twoClasses(Node &n, Expr decided, ArrayRef<int64_t> labels,
                StringRef transform) {
  n.result(eitherLabel(n, decided > 0, labels[0], labels[1]));
  if (!numbers(n, "prob_a").empty()) {
    Expr first = ofPairs(decided);
    return n.result(transformed(n, concat({first, 1 - first}, 1), transform));
  }
  Expr other = -decided;
  if (transform == "LOGISTIC")
    return n.result(transformed(n, concat({other, decided}, 1), transform));
  if (transform == "PROBIT")
    n.refuse("PROBIT with one score for two classes is not supported");
  if (transform != "NONE")
    other = other + 1;
  n.result(concat({other, decided}, 1));
}

void svmClassifier(Node &n) {
  Shape labels = integerLabels(n, "classlabels_ints", "classlabels_strings");
  Expr x = samplesOf(n);
  std::string transform = n.string("post_transform", "NONE");
  Shape perClass = n.integers("vectors_per_class").value_or(Shape());
  int64_t classes = labels.size();
  if (perClass.empty()) {
    // One row of coefficients a class.
    SmallVector<double> rows = numbers(n, "coefficients"), columns(rows);
    int64_t features = x.shape()[1];
    if (int64_t(rows.size()) != classes * features)
      n.fail("attribute 'coefficients' has " + Twine(rows.size()) +
             " entries for " + Twine(classes) + " classes and " +
             Twine(features) + " features");
    for (int64_t c = 0; c < classes; ++c)
      for (int64_t f = 0; f < features; ++f)
        columns[f * classes + c] = rows[c * features + f];
    SmallVector<double> shift(classes, rhoOf(n, 1)[0]);
    Expr scores = affine(x, columns, shift);
    n.result(topLabel(n, scores, labels));
    n.result(transformed(n, scores, transform));
  } else if (int64_t(perClass.size()) != classes || classes < 2) {
    n.fail("vectors_per_class has " + Twine(perClass.size()) + " entries for " +
           Twine(classes) + " classes");
  } else if (classes == 2) {
    twoClasses(n, decisions(n, x, perClass), labels, transform);
  } else {
    Expr decided = decisions(n, x, perClass);
    n.result(topLabel(n, votesOf(decided, classes), labels));
    if (!numbers(n, "prob_a").empty())
      decided = coupled(ofPairs(decided), classes);
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
