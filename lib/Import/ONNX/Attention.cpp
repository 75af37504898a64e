//===- Attention.cpp - attention, rotary embedding, causal convolution ----===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two digital products with a softmax between them. Heads are moved by
// transposes that go into the products, query heads that share a key head are
// rows of one product, and a mask that is known is a constant.
//
//===----------------------------------------------------------------------===//

#include "Expression.h"

#include "mho/Dialect/Graph/IR/Shapes.h"

#include <cmath>
#include <limits>

using namespace mlir;

namespace mho::import {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// [batch, sequence, heads·size] as [batch, heads, sequence, size].
Expr headsOf(Node &n, Expr x, StringRef attribute) {
  if (x.rank() == 4)
    return x;
  int64_t heads = n.integer(attribute, 0);
  if (x.rank() != 3)
    n.fail("expected rank 3 or 4, found " + text(Value(x).getType()));
  Shape shape(x.shape());
  if (heads < 1 || shape[2] % heads)
    n.fail("attribute '" + attribute + "' is " + Twine(heads) +
           ", which does not divide " + Twine(shape[2]));
  return x.reshape({shape[0], shape[1], heads, shape[2] / heads})
      .transpose({0, 2, 1, 3});
}

std::optional<Expr> both(std::optional<Expr> a, Expr b) {
  return a ? *a && b : b;
}

/// What keeps a query from a key: places that are not allowed, and a bias.
struct Mask {
  std::optional<Expr> allowed, bias;
  /// A query may be left without any key.
  bool mayBlockRows = false;
};

/// The mask given, with further keys up to `keys` not allowed.
Expr paddedMask(Expr mask, int64_t keys) {
  Node &n = mask.node();
  int64_t rank = mask.rank(), have = rank ? mask.shape().back() : keys;
  if (rank == 0 || have == 1 || have == keys)
    return mask;
  if (isSymbol(have) || isSymbol(keys)) {
    if (n.extents->range(n.extents->difference(keys, have)).low < 0)
      n.refuse("whether a mask for " + n.extents->text(have) +
               " keys reaches further than the " + n.extents->text(keys) +
               " there are is known only at run time; fix it with --shape");
  } else if (have > keys)
    n.fail("the mask is for " + Twine(have) + " keys, found " + Twine(keys));
  Shape rest(mask.shape());
  rest.back() = n.extents->difference(keys, have);
  bool isBool = mask.element().isInteger(1);
  Expr blocked(n, n.scalar(mask.element(), isBool ? 0 : -kInfinity));
  return concat({mask, blocked.expand(rest)}, rank - 1);
}

Mask maskOf(Node &n, Type element, int64_t batch, int64_t queries, int64_t keys,
            int64_t past) {
  Mask mask;
  Type i64 = n.b.getIntegerType(64);
  Expr query = iota(n, i64, queries).reshape({queries, 1});
  Expr key = iota(n, i64, keys);
  // The place of the first query among the keys, for each sample if the cache
  // is kept outside.
  Expr offset = extentOf(n, past);
  if (Value valid = n.optional(6)) {
    if (n.shape(valid) != ArrayRef(batch) &&
        (isSymbol(batch) || n.type(valid).getNumElements() != batch))
      n.fail("expected " + Twine(batch) + " lengths, found " +
             text(valid.getType()));
    Expr lengths = Expr(n, valid).as(i64).reshape({batch, 1, 1, 1});
    mask.allowed = key < lengths;
    mask.mayBlockRows = true;
    offset = lengths - extentOf(n, queries);
  }
  int64_t left = n.integer("left_window_size", -1);
  int64_t right = n.integer("right_window_size", -1);
  if (left < -1 || right < -1)
    n.fail("window sizes are -1 or more, found " + Twine(left) + " and " +
           Twine(right));
  if (n.integer("is_causal", 0))
    right = right < 0 ? 0 : std::min<int64_t>(right, 0);
  if (right >= 0)
    mask.allowed = both(mask.allowed, key <= query + offset + double(right));
  if (left >= 0) {
    mask.allowed = both(mask.allowed, key >= query + offset - double(left));
    mask.mayBlockRows = true;
  }
  if (Value given = n.optional(3)) {
    Expr own = paddedMask({n, given}, keys);
    mask.mayBlockRows = true;
    if (own.element().isInteger(1))
      mask.allowed = both(mask.allowed, own);
    else
      mask.bias = own.as(element);
  }
  return mask;
}

/// Softmax along the last axis; a row without any key is zero.
Expr guardedSoftmax(Expr x) {
  Shape last{x.rank() - 1};
  Expr top = largest(x, last);
  Expr powers = exp(x - where(top == -kInfinity, 0, top));
  Expr total = sum(powers, last);
  return powers / where(total == 0, 1, total);
}

Expr plainSoftmax(Expr x) {
  Node &n = x.node();
  return {n,
          n.make<graph::SoftmaxOp>(Value(x).getType(), Value(x),
                                   n.b.getDenseI64ArrayAttr({x.rank() - 1}))};
}

void checkCaches(Node &n) {
  if (bool(n.optional(4)) != bool(n.optional(5)))
    n.fail("past key and past value go together, found one of them");
  if (n.optional(4) && n.optional(6))
    n.fail("lengths of an outer cache do not go with past keys");
}

void attention(Node &n) {
  checkCaches(n);
  Value query = n.input(0), key = n.input(1), value = n.input(2);
  Expr q = headsOf(n, {n, query}, "q_num_heads");
  Expr k = headsOf(n, {n, key}, "kv_num_heads");
  Expr v = headsOf(n, {n, value}, "kv_num_heads");
  int64_t past = 0;
  if (n.optional(4)) {
    Expr pastKey(n, n.input(4)), pastValue(n, n.input(5));
    if (pastKey.rank() != 4 || pastValue.rank() != 4)
      n.fail("past keys and values have rank 4, found " +
             text(n.input(4).getType()));
    past = pastKey.shape()[2];
    k = concat({pastKey, k}, 2);
    v = concat({pastValue, v}, 2);
  }
  Expr presentKey = k, presentValue = v;
  for (Value heads : {Value(q), Value(k), Value(v)})
    n.expectFixed(heads, {1, 3});
  Shape qShape(q.shape()), kShape(k.shape()), vShape(v.shape());
  int64_t batch = qShape[0], heads = qShape[1], queries = qShape[2];
  int64_t keyHeads = kShape[1], keys = kShape[2], size = qShape[3];
  if (kShape[0] != batch || vShape[0] != batch || kShape[3] != size ||
      vShape[1] != keyHeads || vShape[2] != keys || keyHeads == 0 ||
      heads % keyHeads)
    n.fail("queries " + text(Value(q).getType()) + ", keys " +
           text(Value(k).getType()) + " and values " +
           text(Value(v).getType()) + " do not fit each other");
  q = wide(n, q);
  k = wide(n, k);
  v = wide(n, v).as(q.element());

  double scale =
      n.has("scale") ? double(n.real("scale", 1)) : 1 / std::sqrt(double(size));
  // Query heads that share a key head are rows of one product.
  Shape grouped{batch, keyHeads, n.extents->product(heads / keyHeads, queries),
                size};
  Expr product = matmul((q * scale).reshape(grouped), k.transpose({0, 1, 3, 2}))
                     .reshape({batch, heads, queries, keys});
  Expr scores = product;
  if (double cap = n.real("softcap", 0); cap > 0)
    scores = cap * tanh(scores / cap);
  Expr capped = scores;
  Mask mask = maskOf(n, q.element(), batch, queries, keys, past);
  if (mask.bias)
    scores = scores + *mask.bias;
  if (mask.allowed)
    scores = where(*mask.allowed, scores, -kInfinity);
  if (scores.shape() != ArrayRef<int64_t>({batch, heads, queries, keys}))
    n.fail("the mask " + text(n.input(3).getType()) +
           " does not broadcast to the scores " +
           text(Value(product).getType()));
  bool asDouble =
      n.integer("softmax_precision", 0) == onnx::TensorProto::DOUBLE;
  Expr x = asDouble ? scores.as(n.b.getF64Type()) : scores;
  Expr weights =
      (mask.mayBlockRows ? guardedSoftmax(x) : plainSoftmax(x)).as(q.element());
  grouped[3] = keys;
  Expr y = matmul(weights.reshape(grouped), v)
               .reshape({batch, heads, queries, vShape[3]})
               .as(n.element(query));
  if (n.type(query).getRank() == 3)
    y = y.transpose({0, 2, 1, 3}).reshape({batch, queries, heads * vShape[3]});
  n.result(y);
  n.result(presentKey);
  n.result(presentValue);
  if (!n.wants(3))
    return;
  int64_t mode = n.integer("qk_matmul_output_mode", 0);
  if (mode < 0 || mode > 3)
    n.fail("attribute 'qk_matmul_output_mode' is 0 to 3, found " + Twine(mode));
  const Expr stages[] = {product, capped, scores, weights};
  n.result(stages[mode].as(n.element(query)));
}

void rotaryEmbedding(Node &n) {
  Value input = n.input(0);
  Expr x = wide(n, input);
  Shape whole(x.shape());
  bool packed = x.rank() == 3;
  if (packed) {
    int64_t heads = n.integer("num_heads", 0);
    if (heads < 1 || whole[2] % heads)
      n.fail("attribute 'num_heads' is " + Twine(heads) +
             ", which does not divide " + Twine(whole[2]));
    x = x.reshape({whole[0], whole[1], heads, whole[2] / heads});
  }
  if (x.rank() != 4)
    n.fail("expected rank 3 or 4, found " + text(input.getType()));
  int64_t size = x.shape()[3], turned = n.integer("rotary_embedding_dim", 0);
  turned = turned ? turned : size;
  if (turned < 0 || turned > size || turned % 2)
    n.fail("attribute 'rotary_embedding_dim' is " + Twine(turned) +
           ", expected an even number up to " + Twine(size));
  int64_t half = turned / 2;
  int64_t batch = whole[0], length = packed ? whole[1] : whole[2];
  // [batch, sequence, half], with an axis for the heads where x has it.
  auto wave = [&](size_t i) {
    Expr table = wide(n, n.input(i)).as(x.element());
    if (Value places = n.optional(3)) {
      if (table.rank() < 1)
        n.fail("expected a table of cosines and one of sines by position, "
               "found a scalar as input " +
               Twine(i));
      Shape shape(n.shape(places));
      llvm::append_range(shape, table.shape().drop_front());
      table = {n, n.make<graph::GatherOp>(n.typeOf(shape, table.element()),
                                          Value(table), places,
                                          n.b.getI64IntegerAttr(0))};
    }
    if (table.shape() != ArrayRef<int64_t>({batch, length, half}))
      n.fail("expected [" + Twine(batch) + ", " + Twine(length) + ", " +
             Twine(half) + "] cosines and sines, found " +
             text(Value(table).getType()));
    return table.reshape(packed ? Shape{batch, length, 1, half}
                                : Shape{batch, 1, length, half});
  };
  Expr cosine = wave(1), sine = wave(2);
  Expr front = x.slice(3, 0, turned);
  Shape paired(x.shape());
  bool interleaved = n.integer("interleaved", 0);
  paired[3] = interleaved ? half : 2;
  paired.push_back(interleaved ? 2 : half);
  int64_t axis = interleaved ? 4 : 3;
  Shape single(x.shape());
  single[3] = half;
  Expr pairs = front.reshape(paired);
  Expr a = pairs.slice(axis, 0, 1).reshape(single);
  Expr b = pairs.slice(axis, 1, 1).reshape(single);
  Shape apart(paired);
  apart[axis] = 1;
  Expr y = concat({(cosine * a - sine * b).reshape(apart),
                   (sine * a + cosine * b).reshape(apart)},
                  axis)
               .reshape(front.shape());
  if (turned < size)
    y = concat({y, x.slice(3, turned, size - turned)}, 3);
  n.result(y.reshape(whole).as(n.element(input)));
}

void causalConvolution(Node &n) {
  Expr x(n, n.input(0)), w(n, n.input(1));
  if (x.rank() != 3 || w.rank() != 3 || w.shape()[0] != x.shape()[1] ||
      w.shape()[1] != 1)
    n.fail("expected an input [batch, channels, length] and weights "
           "[channels, 1, k], found " +
           text(Value(x).getType()) + " and " + text(Value(w).getType()));
  Shape shape(x.shape());
  int64_t before = w.shape()[2] - 1;
  Shape state{shape[0], shape[1], before};
  Expr past = n.optional(3) ? Expr(n, n.input(3)) : x.like(0).expand(state);
  if (past.shape() != ArrayRef<int64_t>(state))
    n.fail("a past state of " + text(Value(past).getType()) +
           " does not fit weights " + text(Value(w).getType()));
  Expr whole = before ? concat({past, x}, 2) : x;
  Shape one{1}, none{0, 0}, kernel{before + 1};
  Expr y(n, n.make<graph::ConvOp>(
                Value(x).getType(), Value(whole), Value(w), n.optional(2),
                n.b.getDenseI64ArrayAttr(kernel), n.b.getDenseI64ArrayAttr(one),
                n.b.getDenseI64ArrayAttr(none), n.b.getDenseI64ArrayAttr(one),
                n.b.getI64IntegerAttr(shape[1]), UnitAttr()));
  std::string activation = n.string("activation", "none");
  if (activation == "silu" || activation == "swish") {
    Expr z = wide(n, y);
    y = (z * sigmoid(z)).as(y.element());
  } else if (activation != "none") {
    n.fail("attribute 'activation' is silu, swish or none, found '" +
           activation + "'");
  }
  n.result(y);
  n.result(whole.slice(2, shape[2], before));
}

} // namespace

void addAttention(HandlerTable &table) {
  table[".Attention"] = attention;
  table[".RotaryEmbedding"] = rotaryEmbedding;
  table[".CausalConvWithState"] = causalConvolution;
}

} // namespace mho::import
