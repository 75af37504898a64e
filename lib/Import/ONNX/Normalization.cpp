//===- Normalization.cpp - normalizations as formulas ---------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Expression.h"

using namespace mlir;

namespace mho::import {

namespace {

struct Statistics {
  Expr mean, variance;
};

Statistics statistics(Expr x, ArrayRef<int64_t> axes) {
  Expr average = mean(x, axes);
  Expr distance = x - average;
  return {average, mean(distance * distance, axes)};
}

/// One value a channel under the axes of a tensor with channels at axis 1.
Expr perChannel(Expr parameter, int64_t rank) {
  if (rank < 2)
    return parameter;
  Shape shape(rank - 1, 1);
  shape[0] = parameter.shape()[0];
  return parameter.reshape(shape);
}

Expr parameter(Node &n, size_t i, Type element) {
  return Expr(n, n.input(i)).as(element);
}

void checkChannels(Node &n, size_t i, int64_t expected) {
  if (n.shape(n.input(i)) != ArrayRef<int64_t>(expected))
    n.fail("input " + Twine(i) + " must have " + Twine(expected) +
           " values, found " + text(n.input(i).getType()));
}

void layerNormalization(Node &n) {
  Value input = n.input(0);
  Expr x = wide(n, input);
  int64_t first = n.axis(n.integer("axis", -1), x.rank());
  auto [average, variance] = statistics(x, axesFrom(first, x.rank()));
  Expr inverse = 1 / sqrt(variance + n.real("epsilon", 1e-5f));
  Expr y = (x - average) * inverse * parameter(n, 1, x.element());
  if (n.optional(2))
    y = y + parameter(n, 2, x.element());
  if (y.shape() != x.shape())
    n.fail("scale and bias do not broadcast to " + text(input.getType()));
  n.result(y.as(n.element(input)));
  Type stash = elementType(n.b.getContext(), n.integer("stash_type", 1));
  if (!stash)
    n.refuse("attribute 'stash_type' names no type that is supported");
  n.result(average.as(stash));
  n.result(inverse.as(stash));
}

void rmsNormalization(Node &n) {
  Value input = n.input(0);
  Expr x = wide(n, input);
  int64_t first = n.axis(n.integer("axis", -1), x.rank());
  Expr square = mean(x * x, axesFrom(first, x.rank()));
  Expr y = x * (1 / sqrt(square + n.real("epsilon", 1e-5f))) *
           parameter(n, 1, x.element());
  if (y.shape() != x.shape())
    n.fail("the scale does not broadcast to " + text(input.getType()));
  n.result(y.as(n.element(n.input(1))));
}

void instanceNormalization(Node &n) {
  Value input = n.input(0);
  Expr x = wide(n, input);
  if (x.rank() < 3)
    n.fail("expected rank 3 or more, found " + text(input.getType()));
  for (size_t i : {1, 2})
    checkChannels(n, i, x.shape()[1]);
  auto [average, variance] = statistics(x, axesFrom(2, x.rank()));
  Expr inverse = 1 / sqrt(variance + n.real("epsilon", 1e-5f));
  Expr scale = perChannel(parameter(n, 1, x.element()), x.rank());
  Expr bias = perChannel(parameter(n, 2, x.element()), x.rank());
  n.result(((x - average) * (inverse * scale) + bias).as(n.element(input)));
}

void groupNormalization(Node &n) {
  Value input = n.input(0);
  Expr x = wide(n, input);
  int64_t groups = n.integer("num_groups", 0);
  n.expectFixed(input, {1});
  if (x.rank() < 2 || groups < 1 || x.shape()[1] % groups)
    n.fail("attribute 'num_groups' is " + Twine(groups) +
           ", which does not divide the channels of " + text(input.getType()));
  Shape shape(x.shape());
  int64_t channels = shape[1], inner = 1;
  for (int64_t extent : ArrayRef(shape).drop_front(2))
    inner = n.extents->product(inner, extent);
  // Opset 18, which ONNX withdrew, gave scale and bias per group.
  for (size_t i : {1, 2})
    checkChannels(n, i, channels);
  Expr y = x.reshape({shape[0], groups, channels / groups, inner});
  auto [average, variance] = statistics(y, {2, 3});
  y = (y - average) * (1 / sqrt(variance + n.real("epsilon", 1e-5f)));
  Shape under{groups, channels / groups, 1};
  y = y * parameter(n, 1, x.element()).reshape(under) +
      parameter(n, 2, x.element()).reshape(under);
  n.result(y.reshape(shape).as(n.element(input)));
}

void meanVarianceNormalization(Node &n) {
  Value input = n.input(0);
  Expr x = wide(n, input);
  Shape axes = n.axes(n.integers("axes").value_or(Shape{0, 2, 3}), x.rank());
  auto [average, variance] = statistics(x, axes);
  // ONNX's own definition keeps the quotient finite this way.
  n.result(((x - average) / (sqrt(variance) + 1e-9)).as(n.element(input)));
}

/// Sum of |x|^p along axes, to the power 1/p.
Expr norm(Expr x, double p, ArrayRef<int64_t> axes) {
  if (p == 1)
    return sum(abs(x), axes);
  if (p == 2)
    return sqrt(sum(x * x, axes));
  return pow(sum(pow(abs(x), p), axes), 1 / p);
}

void lpNormalization(Node &n) {
  Value input = n.input(0);
  Expr x = wide(n, input);
  int64_t p = n.integer("p", 2);
  if (p != 1 && p != 2)
    n.fail("attribute 'p' is 1 or 2, found " + Twine(p));
  Expr length = norm(x, p, {n.axis(n.integer("axis", -1), x.rank())});
  n.result(where(length == 0, 0, x / length).as(n.element(input)));
}

void globalLpPool(Node &n) {
  Value input = n.input(0);
  Expr x = wide(n, input);
  if (x.rank() < 3)
    n.fail("expected an image of rank 3 or more, found " +
           text(input.getType()));
  double p = n.opset < 2 ? double(n.real("p", 2)) : double(n.integer("p", 2));
  n.result(norm(x, p, axesFrom(2, x.rank())).as(n.element(input)));
}

/// Neighbouring channels are averaged as a pooling window would.
void localResponseNormalization(Node &n) {
  Value input = n.input(0);
  Expr x = wide(n, input);
  int64_t size = n.integer("size", 0);
  if (size < 1 || size > INT32_MAX || x.rank() < 2)
    n.fail("attribute 'size' must be positive and the rank 2 or more, found " +
           Twine(size) + " and " + text(input.getType()));
  n.expectFixed(input, {1});
  Shape shape(x.shape());
  int64_t inner = 1;
  for (int64_t extent : ArrayRef(shape).drop_front(2))
    inner = n.extents->product(inner, extent);
  Expr squares = (x * x).reshape({shape[0], 1, shape[1], inner});
  Shape pads{(size - 1) / 2, 0, size / 2, 0}, one{1, 1}, kernel{size, 1};
  Expr average(
      n, n.make<graph::AveragePoolOp>(
             Value(squares).getType(), Value(squares),
             n.b.getDenseI64ArrayAttr(kernel), n.b.getDenseI64ArrayAttr(one),
             n.b.getDenseI64ArrayAttr(pads), n.b.getDenseI64ArrayAttr(one),
             UnitAttr(), UnitAttr(), n.b.getUnitAttr()));
  Expr base = n.real("alpha", 1e-4f) * average.reshape(shape) +
              double(n.real("bias", 1));
  n.result((x / pow(base, n.real("beta", 0.75f))).as(n.element(input)));
}

/// (x - mean) / sqrt(variance + epsilon) · scale + bias, all under x's axes.
Expr standardized(Node &n, Expr x, Statistics of, Expr scale, Expr bias) {
  Expr inverse = 1 / sqrt(of.variance + n.real("epsilon", 1e-5f));
  return (x - of.mean) * (inverse * scale) + bias;
}

bool isTraining(Node &n) {
  if (n.opset >= 14)
    return n.integer("training_mode", 0);
  // Before, whoever trains asks for the statistics.
  return (n.opset >= 7 || !n.integer("is_test", 0)) && n.wants(1);
}

void batchNormalizationTraining(Node &n) {
  Value input = n.input(0);
  Expr x = wide(n, input);
  Shape axes;
  for (int64_t axis = 0; axis < x.rank(); ++axis)
    if (axis != 1)
      axes.push_back(axis);
  Statistics now = statistics(x, axes);
  auto under = [&](size_t i) {
    return perChannel(parameter(n, i, x.element()), x.rank());
  };
  n.result(standardized(n, x, now, under(1), under(2)).as(n.element(input)));
  double momentum = n.real("momentum", 0.9f);
  auto flat = [&](Expr e, size_t like) {
    return e.reshape(n.shape(n.input(like))).as(n.element(n.input(like)));
  };
  n.result(flat(momentum * under(3) + (1 - momentum) * now.mean, 3));
  n.result(flat(momentum * under(4) + (1 - momentum) * now.variance, 4));
  if (n.opset >= 14)
    return;
  n.result(flat(now.mean, 3));
  n.result(flat(now.variance, 4));
}

void batchNormalization(Node &n) {
  Value x = n.input(0);
  int64_t rank = n.type(x).getRank();
  if (rank < 1)
    n.fail("expected rank 1 or more, found " + text(x.getType()));
  if (n.opset < 9 && !n.integer("spatial", 1)) {
    // Statistics of each position.
    if (isTraining(n))
      n.refuse("training with statistics per position (spatial = 0) is not "
               "supported; export the model for inference");
    Expr value = wide(n, x);
    auto under = [&](size_t i) {
      return parameter(n, i, value.element()).reshape(n.shape(x).drop_front());
    };
    return n.result(
        standardized(n, value, {under(3), under(4)}, under(1), under(2))
            .as(n.element(x)));
  }
  // A lone axis is the batch of one channel.
  int64_t channels = rank < 2 ? 1 : n.shape(x)[1];
  for (size_t i = 1; i < 5; ++i)
    checkChannels(n, i, channels);
  if (isTraining(n))
    return batchNormalizationTraining(n);
  if (rank < 2) {
    Expr value = wide(n, x);
    auto under = [&](size_t i) { return parameter(n, i, value.element()); };
    return n.result(
        standardized(n, value, {under(3), under(4)}, under(1), under(2))
            .as(n.element(x)));
  }
  SmallVector<Value> parameters;
  for (size_t i = 1; i < 5; ++i)
    parameters.push_back(n.cast(n.input(i), n.element(x)));
  n.result(n.make<graph::BatchNormalizationOp>(
      x.getType(), x, parameters[0], parameters[1], parameters[2],
      parameters[3], n.b.getF32FloatAttr(n.real("epsilon", 1e-5f)),
      UnitAttr()));
}

} // namespace

void addNormalizations(HandlerTable &table) {
  table[".LayerNormalization"] = layerNormalization;
  table[".RMSNormalization"] = rmsNormalization;
  table[".InstanceNormalization"] = instanceNormalization;
  table[".GroupNormalization"] = groupNormalization;
  table[".MeanVarianceNormalization"] = meanVarianceNormalization;
  table[".LpNormalization"] = lpNormalization;
  table[".GlobalLpPool"] = globalLpPool;
  table[".LRN"] = localResponseNormalization;
  table[".BatchNormalization"] = batchNormalization;
}

} // namespace mho::import
