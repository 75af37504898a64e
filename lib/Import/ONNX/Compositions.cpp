//===- Compositions.cpp - what several operators are made of --------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compositions.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

#include <cmath>

using namespace mlir;

namespace mho::import {

Value delegated(Node &n, Handler handler, ArrayRef<Value> inputs,
                int64_t opset) {
  Node inner(n.b, n.loc, n.proto, opset, inputs, n.files);
  inner.extents = n.extents;
  inner.takesSymbols = n.takesSymbols;
  handler(inner);
  return inner.results.front();
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

Value added(Node &n, Value a, Value c) { return Expr(n, a) + Expr(n, c); }

Value multiplied(Node &n, Value a, Value c) { return Expr(n, a) * Expr(n, c); }

Value plus(Node &n, Value x, double term) { return Expr(n, x) + term; }

Value times(Node &n, Value x, double factor) {
  return factor == 1 ? x : Value(Expr(n, x) * factor);
}

Value sliced(Node &n, Value x, int64_t axis, int64_t begin, int64_t end,
             int64_t step) {
  Shape shape(n.shape(x)), starts(shape.size(), 0), steps(shape.size(), 1);
  if (begin == 0 && end == n.shape(x)[axis] && step == 1)
    return x;
  int64_t reach = n.extents->difference(end, begin);
  shape[axis] = n.extents->floorQuotient(n.extents->sum(reach, step - 1), step);
  starts[axis] = shape[axis] ? begin : 0;
  steps[axis] = step;
  return n.sliced(x, starts, steps, shape);
}

SliceOfAll sliceOfAll(Node &n, ArrayRef<int64_t> shape) {
  SliceOfAll part;
  for (int64_t extent : shape) {
    part.offsets.push_back(n.b.getIndexAttr(0));
    part.sizes.push_back(n.extents->value(n.b, n.loc, extent));
    part.strides.push_back(n.b.getIndexAttr(1));
  }
  return part;
}

Value widened(Node &n, Value x, int64_t axis, int64_t extent) {
  Shape shape(n.shape(x));
  if (shape[axis] == extent)
    return x;
  if (!isSymbol(extent) && !isSymbol(shape[axis])) {
    Shape rest(shape);
    rest[axis] = extent - shape[axis];
    return concatenated(n, {x, n.expand(n.scalar(n.element(x), 0), rest)},
                        axis);
  }
  SliceOfAll part = sliceOfAll(n, shape);
  shape[axis] = extent;
  Value zeros = n.expand(n.scalar(n.element(x), 0), shape);
  return tensor::InsertSliceOp::create(n.b, n.loc, x, zeros, part.offsets,
                                       part.sizes, part.strides);
}

Value concatenated(Node &n, ArrayRef<Value> parts, int64_t axis) {
  SmallVector<Expr> each;
  for (Value part : parts)
    each.push_back({n, part});
  return concat(each, axis);
}

Value product(Node &n, Value a, Value c) {
  return matmul(Expr(n, a), Expr(n, c));
}

Value transposed(Node &n, Value x) {
  Shape perm = axesFrom(0, n.type(x).getRank());
  if (perm.size() < 2)
    n.fail("expected matrices, found " + text(x.getType()));
  std::swap(perm[perm.size() - 2], perm.back());
  return n.transpose(x, perm);
}

Expr counted(Node &n, int64_t count, int64_t axis, int64_t rank, Type element) {
  Shape shape(rank, 1);
  shape[axis] = count;
  return iota(n, element, count).reshape(shape);
}

Value summedFrom(Node &n, Value x, int64_t axis) {
  return sum(Expr(n, x), axesFrom(axis, n.type(x).getRank()));
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

Value gelu(Node &n, Value value) {
  Expr x(n, value);
  return x * 0.5 * (erf(x * std::sqrt(0.5)) + 1);
}

Value tanhGelu(Node &n, Value value) {
  Expr x(n, value);
  Expr inner = x * (x * x * 0.044715 + 1) * std::sqrt(2 / M_PI);
  return x * 0.5 * (tanh(inner) + 1);
}

Value swish(Node &n, Value value, double alpha) {
  Expr x(n, value);
  return x * sigmoid(Expr(n, times(n, x, alpha)));
}

Value activated(Node &n, Value x, StringRef name, ArrayRef<float> parameters) {
  auto parameter = [&](size_t i, double otherwise) {
    return i < parameters.size() ? double(parameters[i]) : otherwise;
  };
  auto clipped = [&](Value v, double low, double high) {
    return n.make<graph::ClipOp>(v.getType(), v, n.scalar(n.element(v), low),
                                 n.scalar(n.element(v), high));
  };
  if (name.empty() || name == "Identity")
    return x;
  if (name == "Relu")
    return applied<graph::ReluOp>(n, x);
  if (name == "Sigmoid")
    return applied<graph::SigmoidOp>(n, x);
  if (name == "Tanh")
    return applied<graph::TanhOp>(n, x);
  if (name == "LeakyRelu")
    return n.make<graph::LeakyReluOp>(x.getType(), x,
                                      n.b.getF32FloatAttr(parameter(0, 0.01)));
  if (name == "Clip")
    return clipped(x, parameter(0, -INFINITY), parameter(1, INFINITY));
  if (name == "HardSigmoid")
    return clipped(plus(n, times(n, x, parameter(0, 0.2)), parameter(1, 0.5)),
                   0, 1);
  if (name == "Elu") {
    Value zero = n.scalar(n.element(x), 0);
    Value below = n.binary<graph::MinOp>(x, zero);
    below = plus(n, applied<graph::ExpOp>(n, below), -1);
    return added(n, applied<graph::ReluOp>(n, x),
                 times(n, below, parameter(0, 1)));
  }
  n.refuse("attribute 'activation' is '" + name +
           "', expected Relu, Sigmoid, Tanh, LeakyRelu, Clip, HardSigmoid or "
           "Elu");
}

//===----------------------------------------------------------------------===//
// Normalizations
//===----------------------------------------------------------------------===//

/// The type that statistics are computed in.
static Type statisticsType(Node &n, Value x) {
  return n.element(x).isF64() ? n.element(x) : Type(n.b.getF32Type());
}

static Expr inverseDeviation(Expr variance, double epsilon) {
  return sqrt(variance + epsilon).unary<graph::ReciprocalOp>();
}

/// y·scale + bias in the type of x; both may be null.
static Value scaled(Node &n, Expr y, Value scale, Value bias, Type element) {
  if (scale)
    y = y * Expr(n, n.cast(scale, y.element()));
  if (bias)
    y = y + Expr(n, n.cast(bias, y.element()));
  return y.as(element);
}

Normalized normalized(Node &n, Value x, int64_t axis, Value scale, Value bias,
                      double epsilon) {
  Shape axes = axesFrom(axis, n.type(x).getRank());
  Expr wide(n, n.cast(x, statisticsType(n, x)));
  Expr average = mean(wide, axes);
  Expr centred = wide - average;
  Expr inverse = inverseDeviation(mean(centred * centred, axes), epsilon);
  Value y = scaled(n, centred * inverse, scale, bias, n.element(x));
  return {y, average, inverse};
}

Normalized rootMeanSquareNormalized(Node &n, Value x, int64_t axis, Value scale,
                                    double epsilon) {
  Shape axes = axesFrom(axis, n.type(x).getRank());
  Expr wide(n, n.cast(x, statisticsType(n, x)));
  Expr inverse = inverseDeviation(mean(wide * wide, axes), epsilon);
  // The result is of the scale's type, which may be another than the input's.
  Value y = scaled(n, wide * inverse, scale, nullptr, n.element(scale));
  return {y, nullptr, inverse};
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

Value splitHeads(Node &n, Value x, int64_t heads) {
  Shape shape(n.shape(x));
  if (shape.size() != 3 || heads < 1 || shape[2] % heads)
    n.fail("expected batch, sequence and a width that " + Twine(heads) +
           " heads share, found rank " + Twine(shape.size()) +
           " and last extent " + Twine(shape.empty() ? 0 : shape.back()));
  Value apart = n.reshape(x, {shape[0], shape[1], heads, shape[2] / heads});
  return n.transpose(apart, {0, 2, 1, 3});
}

Value joinHeads(Node &n, Value x) {
  Shape shape(n.shape(x));
  return n.reshape(
      n.transpose(x, {0, 2, 1, 3}),
      {shape[0], shape[2], n.extents->product(shape[1], shape[3])});
}

Value attended(Node &n, const Heads &heads, Value *scores, Value *weights) {
  Shape q(n.shape(heads.q)), k(n.shape(heads.k)), v(n.shape(heads.v));
  if (q.size() != 4 || k.size() != 4 || v.size() != 4 || k[1] == 0 ||
      q[1] % k[1] || v[1] != k[1] || v[2] != k[2] || q[3] != k[3])
    n.fail("query " + text(heads.q.getType()) + ", key " +
           text(heads.k.getType()) + " and value " + text(heads.v.getType()) +
           " do not fit (batch, heads, length, width)");
  // Heads that share a key stand in a row, so they are more rows of one.
  int64_t shared = q[1] / k[1];
  Shape all{q[0], q[1], q[2], k[2]};
  Value rows = times(n, heads.q, heads.scale);
  int64_t allRows = n.extents->product(shared, q[2]);
  rows = n.reshape(rows, {q[0], k[1], allRows, q[3]});
  Value score = n.reshape(product(n, rows, transposed(n, heads.k)), all);
  if (heads.softcap != 0) {
    score = times(n, score, 1 / heads.softcap);
    score = times(n, applied<graph::TanhOp>(n, score), heads.softcap);
  }
  if (heads.bias)
    score = added(n, score, heads.bias);
  if (heads.allowed) {
    // Finite, as a row without any allowed score has to stay a number.
    Type element = n.element(score);
    double least = element.isF16() ? -65504.0 : -3.4028234663852886e38;
    score = n.make<graph::WhereOp>(n.typeOf(all, element), heads.allowed, score,
                                   n.scalar(element, least));
  }
  if (scores)
    *scores = score;
  if (heads.sink) {
    Value sink = n.expand(heads.sink, {q[0], q[1], q[2], 1});
    score = concatenated(n, {score, sink}, 3);
  }
  Value weight = n.make<graph::SoftmaxOp>(score.getType(), score,
                                          n.b.getDenseI64ArrayAttr({3}));
  if (heads.sink)
    weight = sliced(n, weight, 3, 0, k[2]);
  if (weights)
    *weights = weight;
  weight = n.reshape(weight, {q[0], k[1], allRows, k[2]});
  return n.reshape(product(n, weight, heads.v), {q[0], q[1], q[2], v[3]});
}

Value rotated(Node &n, Value x, Value cosines, Value sines, int64_t width,
              bool interleaved) {
  int64_t last = n.type(x).getRank() - 1, extent = n.shape(x)[last];
  Value turning = sliced(n, x, last, 0, width);
  Expr a(n, interleaved ? sliced(n, turning, last, 0, width, 2)
                        : sliced(n, turning, last, 0, width / 2));
  Expr b(n, interleaved ? sliced(n, turning, last, 1, width, 2)
                        : sliced(n, turning, last, width / 2, width));
  Expr cosine(n, cosines), sine(n, sines);
  Expr first = a * cosine - b * sine, second = a * sine + b * cosine;
  Value whole;
  if (interleaved) {
    Shape pairs(n.shape(a));
    pairs.push_back(1);
    whole = concatenated(n, {n.reshape(first, pairs), n.reshape(second, pairs)},
                         last + 1);
    whole = n.reshape(whole, n.shape(turning));
  } else {
    whole = concatenated(n, {first, second}, last);
  }
  if (width == extent)
    return whole;
  return concatenated(n, {whole, sliced(n, x, last, width, extent)}, last);
}

} // namespace mho::import
