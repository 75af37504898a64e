//===- Random.cpp - operators that draw numbers ---------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A program is a function of its inputs, so its draws are made here, once: from
// the node's seed, or where it gives none from its name. A draw is a hash of
// seed and place, so that it depends on nothing else.
//
//===----------------------------------------------------------------------===//

#include "Expression.h"

#include "llvm/Support/MathExtras.h"
#include "llvm/Support/xxhash.h"

#include <cmath>
#include <cstring>

using namespace mlir;

namespace mho::import {

namespace {

/// Draws beyond these would only fill the program.
constexpr int64_t kMostDraws = int64_t(1) << 26;

class Draws {
public:
  explicit Draws(Node &n) {
    const onnx::AttributeProto *given = n.attribute("seed");
    if (!given) {
      seed = llvm::xxh3_64bits(n.proto.output(0));
    } else if (given->type() == onnx::AttributeProto::INT) {
      // Dropout's; all others' are floats.
      seed = uint64_t(given->i());
    } else {
      float number = n.real("seed", 0);
      uint32_t bits;
      std::memcpy(&bits, &number, 4);
      seed = bits;
    }
  }

  /// In [0, 1), 53 bits of it.
  double uniform(uint64_t place) const {
    return double(hash(place) >> 11) * 0x1p-53;
  }

  /// Box and Muller's transform of two.
  double normal(uint64_t place) const {
    double radius = std::sqrt(-2 * std::log(1 - uniform(2 * place)));
    return radius * std::cos(2 * M_PI * uniform(2 * place + 1));
  }

private:
  /// The finalizer of SplitMix64 over a counter.
  uint64_t hash(uint64_t place) const {
    uint64_t x = mix(seed) + (place + 1) * 0x9e3779b97f4a7c15u;
    return mix(x);
  }
  static uint64_t mix(uint64_t x) {
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
  }

  uint64_t seed;
};

Type drawnType(Node &n, Type otherwise) {
  if (!n.has("dtype"))
    return otherwise;
  int64_t asked = n.integer("dtype", 0);
  if (Type element = elementType(n.b.getContext(), asked))
    return element;
  n.refuse("attribute 'dtype' is " + dataTypeName(asked) +
           ", which is not supported");
}

/// A constant of draws in f32, or in f64 where that is asked for.
template <typename Fn>
Expr drawn(Node &n, ArrayRef<int64_t> shape, Type element, Fn draw) {
  bool isDouble = element.isF64();
  auto type = n.typeOf(shape, isDouble ? n.b.getF64Type() : n.b.getF32Type());
  if (type.getNumElements() > kMostDraws)
    n.refuse("more than 2^26 draws are not supported, found " +
             Twine(type.getNumElements()));
  SmallVector<double> values;
  for (int64_t i = 0; i < type.getNumElements(); ++i)
    values.push_back(draw(i));
  if (isDouble)
    return {n, n.constant(DenseElementsAttr::get(type, ArrayRef(values)))};
  SmallVector<float> narrow(values.begin(), values.end());
  return {n, n.constant(DenseElementsAttr::get(type, ArrayRef(narrow)))};
}

void normalOf(Node &n, ArrayRef<int64_t> shape, Type element) {
  Draws draws(n);
  double mean = n.real("mean", 0), scale = n.real("scale", 1);
  n.result(drawn(n, shape, element, [&](int64_t i) {
             return mean + scale * draws.normal(i);
           }).as(element));
}

void uniformOf(Node &n, ArrayRef<int64_t> shape, Type element) {
  Draws draws(n);
  double low = n.real("low", 0), high = n.real("high", 1);
  n.result(drawn(n, shape, element, [&](int64_t i) {
             return low + (high - low) * draws.uniform(i);
           }).as(element));
}

template <void (*Draw)(Node &, ArrayRef<int64_t>, Type)> void ofShape(Node &n) {
  auto shape = n.integers("shape");
  if (!shape)
    n.fail("attribute 'shape' is missing");
  Draw(n, *shape, drawnType(n, n.b.getF32Type()));
}

template <void (*Draw)(Node &, ArrayRef<int64_t>, Type)> void like(Node &n) {
  Value x = n.input(0);
  Draw(n, n.shape(x), drawnType(n, n.element(x)));
}

void bernoulli(Node &n) {
  Expr x = wide(n, n.input(0));
  Draws draws(n);
  Expr level = drawn(n, x.shape(), x.element(),
                     [&](int64_t i) { return draws.uniform(i); });
  n.result((level < x).as(drawnType(n, n.element(n.input(0)))));
}

/// In inference, or where nothing is dropped, the input passes and a mask is
/// all true.
void dropout(Node &n) {
  Value input = n.input(0);
  bool training = n.optional(2) && n.number(2, "the training mode") != 0;
  double ratio = 0;
  if (training)
    ratio = n.optional(1) ? n.number(1, "the ratio") : 0.5;
  if (ratio < 0 || ratio >= 1)
    n.fail("the ratio is at least 0 and below 1, found " +
           std::to_string(ratio));
  Type maskType = n.opset >= 10 ? n.b.getI1Type() : n.element(input);
  if (ratio == 0) {
    n.result(input);
    if (n.wants(1))
      n.result(Expr(n, n.scalar(maskType, 1)).expand(n.shape(input)));
    return;
  }
  Expr x = wide(n, input);
  Draws draws(n);
  Expr level = drawn(n, x.shape(), x.element(),
                     [&](int64_t i) { return draws.uniform(i); });
  Expr kept = level >= level.like(ratio);
  n.result(where(kept, x / (1 - ratio), 0).as(n.element(input)));
  n.result(kept.as(maskType));
}

/// The class whose share of the running sum a draw falls into.
void multinomial(Node &n) {
  Expr x = wide(n, n.input(0));
  int64_t samples = n.integer("sample_size", 1);
  if (x.rank() != 2 || samples < 1)
    n.fail("expected log-probabilities [batch, classes] and a positive "
           "sample_size, found " +
           text(n.input(0).getType()) + " and " + Twine(samples));
  Draws draws(n);
  int64_t batch = x.shape()[0], classes = x.shape()[1];
  if (classes < 1)
    n.fail("there are no classes to draw from");
  Expr shares = exp(x - largest(x, {1}));
  Expr running(n, n.make<graph::CumSumOp>(
                      Value(shares).getType(), Value(shares),
                      n.b.getI64IntegerAttr(1), UnitAttr(), UnitAttr()));
  Expr level = drawn(n, {batch, samples, 1}, x.element(),
                     [&](int64_t i) { return draws.uniform(i); }) *
               running.slice(1, classes - 1, 1).reshape({batch, 1, 1});
  Type i64 = n.b.getIntegerType(64);
  Expr below = (running.reshape({batch, 1, classes}) <= level).as(i64);
  Expr chosen = min(sum(below, {2}, false), double(classes - 1));
  n.result(chosen.as(drawnType(n, n.b.getIntegerType(32))));
}

} // namespace

void addRandom(HandlerTable &table) {
  table[".RandomNormal"] = ofShape<normalOf>;
  table[".RandomNormalLike"] = like<normalOf>;
  table[".RandomUniform"] = ofShape<uniformOf>;
  table[".RandomUniformLike"] = like<uniformOf>;
  table[".Bernoulli"] = bernoulli;
  table[".Dropout"] = dropout;
  table[".Multinomial"] = multinomial;
}

} // namespace mho::import
