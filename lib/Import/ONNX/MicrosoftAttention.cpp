//===- MicrosoftAttention.cpp - com.microsoft's forms of attention --------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Attention projects by one packed matrix, which stays on arrays;
// MultiHeadAttention gets what other nodes have projected.
//
//===----------------------------------------------------------------------===//

#include "Compositions.h"
#include "Microsoft.h"
#include "QuantizedProducts.h"

#include <cmath>

using namespace mlir;

namespace mho::import {

namespace {

/// Extents of an attention: batch, new positions, positions before them, all.
struct Extents {
  int64_t batch, length, past, total;
};

/// True where a position may look at another one: not at later ones.
Expr causal(Node &n, const Extents &e) {
  Type index = n.b.getIntegerType(64);
  Expr row = counted(n, e.length, 2, 4, index) + extentOf(n, e.past);
  return counted(n, e.total, 3, 4, index) <= row;
}

/// True where padding lets a position count: the mask's nonzero elements, or
/// the positions below an end (and not below a start) per sequence.
Expr unpadded(Expr mask, const Extents &e) {
  Node &n = mask.node();
  Shape shape(mask.shape());
  if (shape.size() == 1) {
    int64_t two = n.extents->product(e.batch, 2);
    bool starts = shape[0] == two && e.batch != 0;
    if (shape[0] != e.batch && !starts)
      n.refuse("a mask of " + Twine(shape[0]) + " lengths for " +
               Twine(e.batch) +
               " sequences is not supported; expected one end each, or ends "
               "and starts");
    Expr place = counted(n, e.total, 3, 4, mask.element());
    auto part = [&](int64_t begin) {
      return mask.slice(0, begin, e.batch).reshape({e.batch, 1, 1, 1});
    };
    Expr inside = place < part(0);
    return starts ? inside && place >= part(e.batch) : inside;
  }
  if (shape.size() == 2) {
    mask = mask.reshape({shape[0], 1, 1, shape[1]});
  } else if (shape.size() == 3) {
    mask = mask.reshape({shape[0], 1, shape[1], shape[2]});
  } else if (int64_t all = n.extents->sum(e.past, e.length);
             shape.size() == 4 && n.extents->less(shape[2], all) == 0 &&
             n.extents->less(shape[3], e.total) == 0) {
    mask = mask.slice(2, e.past, e.length).slice(3, 0, e.total);
  } else {
    n.fail("a mask of rank " + Twine(shape.size()) +
           " does not fit; expected 1 to 4");
  }
  Shape full(mask.shape());
  if (full[3] != e.total || (full[2] != 1 && full[2] != e.length) ||
      (full[0] != 1 && full[0] != e.batch))
    n.fail("the mask does not fit " + Twine(e.batch) + " sequences of " +
           Twine(e.length) + " positions that see " + Twine(e.total));
  return mask.element().isInteger(1) ? mask : !(mask == 0);
}

/// What padding adds to the scores: 0 where it lets through, else
/// mask_filter_value.
Expr paddingBias(Expr mask, Type element, const Extents &e) {
  Node &n = mask.node();
  Expr through = unpadded(mask, e);
  return where(through, Expr(n, n.scalar(element, 0)),
               n.real("mask_filter_value", -10000.0f));
}

/// Adds two biases, of which each may be null.
Value joined(Node &n, Value a, Value c) {
  return a && c ? added(n, a, c) : a ? a : c;
}

double scaleOf(Node &n, Value query) {
  double scale = n.real("scale", 0);
  return scale != 0 ? scale : 1 / std::sqrt(double(n.shape(query).back()));
}

/// Scores of `heads` under the masks of a node; the results are joined.
Value maskedAttention(Node &n, Heads heads, Value mask, Value bias,
                      const Extents &e) {
  heads.scale = scaleOf(n, heads.q);
  heads.bias = bias;
  if (mask)
    heads.bias = joined(n, paddingBias({n, mask}, n.element(heads.q), e), bias);
  if (n.integer("unidirectional", 0))
    heads.allowed = causal(n, e);
  return joinHeads(n, attended(n, heads));
}

int64_t headCount(Node &n, StringRef name = "num_heads") {
  int64_t heads = n.integer(name, 0);
  if (heads < 1)
    n.fail("attribute '" + name + "' is " + Twine(heads) +
           ", expected a positive number");
  return heads;
}

/// Attention of input 0 to itself, which the columns of input 1 project to
/// queries, keys and values side by side; `project` gives these products.
void packedAttention(Node &n, llvm::function_ref<Value()> project, Value mask,
                     Value past, Value bias) {
  Value x = n.input(0), w = n.input(1);
  int64_t heads = headCount(n);
  if (n.integer("do_rotary", 0) || n.integer("past_present_share_buffer", 0))
    n.refuse("attributes 'do_rotary' and 'past_present_share_buffer' are not "
             "supported; export without them");
  if (n.type(x).getRank() != 3 || n.type(w).getRank() != 2)
    n.fail("expected an input of rank 3 and weights of rank 2, found " +
           Twine(n.type(x).getRank()) + " and " + Twine(n.type(w).getRank()));
  int64_t width = n.shape(w)[1];
  Shape sizes = n.integers("qkv_hidden_sizes").value_or(Shape(3, width / 3));
  if (sizes.size() != 3 || sizes[0] + sizes[1] + sizes[2] != width ||
      llvm::any_of(sizes, [](int64_t size) { return size < 1; }))
    n.fail("the weights' " + Twine(width) +
           " columns are no query, key and value");
  Value packed = project();
  Heads all;
  all.q = splitHeads(n, sliced(n, packed, 2, 0, sizes[0]), heads);
  all.k =
      splitHeads(n, sliced(n, packed, 2, sizes[0], sizes[0] + sizes[1]), heads);
  all.v =
      splitHeads(n, sliced(n, packed, 2, sizes[0] + sizes[1], width), heads);
  Extents e{n.shape(x)[0], n.shape(x)[1], 0, n.shape(x)[1]};
  if (past) {
    Shape shape(n.shape(past));
    if (shape.size() != 5 || shape[0] != 2)
      n.fail("expected a past of keys and values of rank 5, found rank " +
             Twine(shape.size()));
    e.past = shape[3];
    e.total = n.extents->sum(e.total, e.past);
    Shape one(shape.begin() + 1, shape.end());
    for (auto [i, part] : llvm::enumerate(std::array{&all.k, &all.v}))
      *part = concatenated(
          n, {n.reshape(sliced(n, past, 0, i, i + 1), one), *part}, 2);
  }
  n.result(maskedAttention(n, all, mask, bias, e));
  if (!n.wants(1))
    return;
  Shape one(n.shape(all.k));
  one.insert(one.begin(), 1);
  n.result(concatenated(n, {n.reshape(all.k, one), n.reshape(all.v, one)}, 0));
}

void attention(Node &n) {
  auto project = [&] {
    Value packed = product(n, n.input(0), n.input(1));
    return n.optional(2) ? added(n, packed, n.input(2)) : packed;
  };
  packedAttention(n, project, n.optional(3), n.optional(4), n.optional(5));
}

void quantizedAttention(Node &n) {
  auto project = [&] {
    Value sum = quantizedMatMul(n, n.input(0), n.optional(6), n.input(1),
                                n.optional(7));
    return scaled(n, sum, n.input(3), n.input(4), n.optional(2));
  };
  packedAttention(n, project, n.optional(5), n.optional(8), Value());
}

/// Part `i` of heads that are packed as [B, S, N, parts, H].
Value unpacked(Node &n, Value x, int64_t i) {
  Shape shape(n.shape(x));
  Value part = n.reshape(sliced(n, x, 3, i, i + 1),
                         {shape[0], shape[1], shape[2], shape[4]});
  return n.transpose(part, {0, 2, 1, 3});
}

void multiHeadAttention(Node &n) {
  Value query = n.input(0), key = n.optional(1), value = n.optional(2);
  Value bias = n.optional(3);
  int64_t heads = headCount(n);
  if (n.optional(8) || n.optional(9))
    n.refuse("buffers shared by past and present are not supported; export "
             "without past_sequence_length and cache_indirection");
  Heads all;
  int64_t rank = n.type(query).getRank();
  auto biased = [&](Value x, int64_t begin) {
    int64_t width = n.shape(x).back();
    return bias ? added(n, x, sliced(n, bias, 0, begin, begin + width)) : x;
  };
  /// The bias of packed heads is [3, N, H].
  auto packedBias = [&](Value x, int64_t i) {
    if (!bias)
      return x;
    Shape shape(n.shape(x));
    int64_t width = shape[1] * shape[3];
    return added(n, x,
                 n.reshape(sliced(n, bias, 0, i * width, (i + 1) * width),
                           {shape[1], 1, shape[3]}));
  };
  if (rank == 5) {
    all.q = packedBias(unpacked(n, query, 0), 0);
    all.k = packedBias(unpacked(n, query, 1), 1);
    all.v = packedBias(unpacked(n, query, 2), 2);
  } else if (rank == 3 && key && n.type(key).getRank() == 5) {
    int64_t width = n.shape(query)[2];
    all.q = splitHeads(n, biased(query, 0), heads);
    all.k = packedBias(unpacked(n, key, 0), 1);
    all.v = packedBias(unpacked(n, key, 1), 2);
    if (n.shape(all.k)[1] * n.shape(all.k)[3] != width)
      n.fail("packed keys differ from the query in width");
  } else if (rank == 3 && key && value) {
    int64_t width = n.shape(query)[2];
    all.q = splitHeads(n, biased(query, 0), heads);
    // Keys of another sequence come as heads, as they lie in a cache.
    bool cached = n.type(key).getRank() == 4;
    all.k = cached ? key : splitHeads(n, biased(key, width), heads);
    all.v = cached ? value : splitHeads(n, biased(value, 2 * width), heads);
  } else {
    n.fail("query of rank " + Twine(rank) +
           " with these keys and values is no form of MultiHeadAttention");
  }
  Extents e{n.shape(all.q)[0], n.shape(all.q)[2], 0, 0};
  if (Value past = n.optional(6)) {
    e.past = n.shape(past)[2];
    all.k = concatenated(n, {past, all.k}, 2);
    all.v = concatenated(n, {n.input(7), all.v}, 2);
  }
  e.total = n.shape(all.k)[2];
  n.result(maskedAttention(n, all, n.optional(4), n.optional(5), e));
  n.result(n.wants(1) ? all.k : Value());
  n.result(n.wants(2) ? all.v : Value());
}

//===----------------------------------------------------------------------===//
// Rotary positions
//===----------------------------------------------------------------------===//

/// Rows of the cache at `positions` [B or 1, S], for every head.
Expr angles(Node &n, Value cache, Value positions) {
  Shape shape(n.shape(positions));
  int64_t half = n.shape(cache)[1];
  return gather({n, cache}, {n, positions}, 0)
      .reshape({shape[0], 1, shape[1], half});
}

void rotaryEmbedding(Node &n) {
  Value x = n.input(0), positions = n.input(1);
  Value cosines = n.input(2), sines = n.input(3);
  if (n.integer("is_packed_batching", 0))
    n.refuse("attribute 'is_packed_batching' is not supported; export with "
             "one row a sequence");
  if (n.type(cosines).getRank() != 2 || n.shape(cosines) != n.shape(sines))
    n.fail("expected caches of cosines and sines of one shape and rank 2");
  bool flat = n.type(x).getRank() == 3;
  if (!flat && n.type(x).getRank() != 4)
    n.fail("expected an input of rank 3 or 4, found rank " +
           Twine(n.type(x).getRank()));
  int64_t width = 2 * n.shape(cosines)[1];
  if (flat) {
    int64_t heads = n.integer("num_heads", 0), all = n.shape(x)[2];
    if (!heads)
      heads = width ? all / width : 0;
    x = splitHeads(n, x, heads);
  }
  if (n.shape(x)[3] < width)
    n.fail("heads of width " + Twine(n.shape(x)[3]) +
           " have no room for a rotation of " + Twine(width));
  int64_t length = n.shape(x)[2];
  // One position is that of the first element of every sequence.
  if (n.extents->elements(n.shape(positions)) == 1) {
    positions = n.reshape(positions, {1, 1});
    positions =
        added(n, positions, counted(n, length, 1, 2, n.element(positions)));
  }
  Value y =
      rotated(n, x, angles(n, cosines, positions), angles(n, sines, positions),
              width, n.integer("interleaved", 0));
  n.result(flat ? joinHeads(n, y) : y);
}

//===----------------------------------------------------------------------===//
// Heads that share keys
//===----------------------------------------------------------------------===//

/// GroupQueryAttention: sequences of different lengths in one cache.
class GroupQuery {
public:
  explicit GroupQuery(Node &n)
      : n(n), heads(headCount(n)), keyHeads(headCount(n, "kv_num_heads")) {}

  void run() {
    refuseForms();
    bindInputs();
    rotate();
    Value presentKey = present(all.k, n.optional(3));
    Value presentValue = present(all.v, n.optional(4));
    all.k = n.cast(presentKey, n.element(all.q));
    all.v = n.cast(presentValue, n.element(all.q));
    // Scores may be asked for over the positions there are, not the cache's.
    all.scale = scaleOf(n, all.q);
    all.softcap = n.real("softcap", 0);
    all.bias = attentionBias();
    all.allowed = allowed();
    if (Value sink = n.optional(11))
      all.sink = n.reshape(sink, {1, heads, 1, 1});
    else if (n.integer("smooth_softmax", 0))
      all.sink = n.reshape(n.scalar(n.element(all.q), 0), {1, 1, 1, 1});
    n.result(joinHeads(n, attended(n, all)));
    n.result(n.wants(1) ? presentKey : Value());
    n.result(n.wants(2) ? presentValue : Value());
  }

private:
  void refuseForms() {
    if (n.optional(12) || n.optional(13))
      n.refuse("a quantized cache is not supported; export with one of floats");
    if (n.optional(16) || n.integer("sliding_window_cache", 0))
      n.refuse("query_seqlens and sliding_window_cache are not supported; "
               "export with a cache of whole sequences");
  }

  void bindInputs() {
    Value query = n.input(0), key = n.optional(1), value = n.optional(2);
    if (n.type(query).getRank() != 3)
      n.fail("expected a query of rank 3, found rank " +
             Twine(n.type(query).getRank()));
    if (!key) {
      int64_t packed = n.shape(query)[2], all = heads + 2 * keyHeads;
      if (packed % all)
        n.fail("a packed width of " + Twine(packed) + " is not shared by " +
               Twine(all) + " heads");
      int64_t each = packed / all;
      key = sliced(n, query, 2, heads * each, (heads + keyHeads) * each);
      value = sliced(n, query, 2, (heads + keyHeads) * each, packed);
      query = sliced(n, query, 2, 0, heads * each);
    }
    if (!value)
      n.fail("a key is given without a value");
    all.q = splitHeads(n, query, heads);
    all.k = splitHeads(n, key, keyHeads);
    all.v = splitHeads(n, value, keyHeads);
    if (n.optional(14) || n.optional(15)) {
      double common = n.real("qk_norm_epsilon", 1e-6f);
      all.q = rootMeanSquareNormalized(n, all.q, 3, n.input(14),
                                       n.real("q_norm_epsilon", common))
                  .y;
      all.k = rootMeanSquareNormalized(n, all.k, 3, n.input(15),
                                       n.real("k_norm_epsilon", common))
                  .y;
    }
    batch = n.shape(all.q)[0];
    length = n.shape(all.q)[2];
    Shape given = n.steering(6, "the total sequence length");
    if (given.size() != 1 || n.extents->less(given[0], length) == true)
      n.fail("the total sequence length must be one number of at least " +
             n.extents->text(length));
    total = given[0];
    cached = total;
    if (Value past = n.optional(3))
      cached = n.extents->max(total, n.shape(past)[2]);
    lengths = n.input(5);
    if (int64_t count = n.extents->elements(n.shape(lengths)); count != batch)
      n.fail("expected seqlens_k of " + n.extents->text(batch) +
             " sequences, found " + n.extents->text(count));
    lengths = n.cast(n.reshape(lengths, {batch, 1, 1, 1}), index());
    // Positions before the new ones: none where all are new.
    if (isPrompt()) {
      before = n.reshape(n.scalar(index(), 0), {1, 1, 1, 1});
    } else {
      Expr some =
          Expr(n, lengths) - extentOf(n, n.extents->difference(length, 1));
      before = mayBePrompt() ? max(some, 0) : some;
    }
  }

  Type index() { return n.b.getIntegerType(64); }
  bool isPrompt() const { return length == total; }
  /// Whether some run has new positions only.
  bool mayBePrompt() const { return n.extents->less(length, total) != true; }
  /// a where all positions are new, else c.
  Expr ifPrompt(Expr a, Expr c) {
    if (isPrompt() || !mayBePrompt())
      return isPrompt() ? a : c;
    return where(extentOf(n, length) == extentOf(n, total), a, c);
  }

  /// Number of each new position in its sequence: [B or 1, 1, S, 1].
  Expr places() { return Expr(n, before) + counted(n, length, 2, 4, index()); }

  void rotate() {
    if (!n.integer("do_rotary", 0))
      return;
    Value cosines = n.input(7), sines = n.input(8);
    Expr positions = places();
    positions = positions.reshape({positions.shape()[0], length});
    if (n.optional(9)) {
      Expr given(n, n.input(9));
      // The first element of a prompt tells them all.
      Expr first = given.slice(0, 0, 1).slice(1, 0, 1).as(index());
      positions = ifPrompt(first + counted(n, length, 1, 2, index()),
                           given.as(index()));
    }
    bool interleaved = n.integer("rotary_interleaved", 0);
    int64_t width = 2 * n.shape(cosines)[1];
    if (width > n.shape(all.q)[3])
      n.fail("heads of width " + Twine(n.shape(all.q)[3]) +
             " have no room for a rotation of " + Twine(width));
    cosines = angles(n, cosines, positions);
    sines = angles(n, sines, positions);
    for (Value *part : {&all.q, &all.k})
      *part = rotated(n, *part, cosines, sines, width, interleaved);
  }

  /// The cache with the new positions behind the old ones of each sequence; of
  /// the old ones' type, which may be another than the queries'.
  Value present(Value fresh, Value past) {
    int64_t have = past ? n.shape(past)[2] : 0;
    if (past)
      fresh = n.cast(fresh, n.element(past));
    if (isPrompt() && cached == length)
      return fresh;
    if (isPrompt() && have == cached)
      return concatenated(n, {fresh, sliced(n, past, 2, length, cached)}, 2);
    if (!past && !mayBePrompt())
      n.fail("the total sequence length is " + n.extents->text(total) +
             ", but there is no past beside " + n.extents->text(length) +
             " new positions");
    Shape shape(n.shape(fresh));
    shape[2] = cached;
    auto type = n.typeOf(shape, n.element(fresh));
    Value base = past ? widened(n, past, 2, cached)
                      : n.expand(n.scalar(n.element(fresh), 0), shape);
    Expr place = counted(n, cached, 2, 4, index()) - Expr(n, before);
    Value spread = fresh;
    if (length != 1) {
      Value chosen = n.make<graph::ClipOp>(
          Value(place).getType(), Value(place), place.like(0),
          Value(extentOf(n, n.extents->difference(length, 1))));
      if (n.shape(chosen)[0] == 1)
        spread = gather({n, fresh}, {n, n.reshape(chosen, {cached})}, 2);
      else
        spread =
            n.make<graph::GatherNDOp>(type, fresh, ValueRange(chosen),
                                      n.b.getDenseI64ArrayAttr({0, 1, -1, 3}));
    }
    Expr isNew = place >= 0 && place < extentOf(n, length);
    // A cache that grows holds nothing behind a sequence's end.
    if (past && have != cached) {
      Expr kept = place < 0;
      if (n.extents->less(have, cached) != true)
        kept = kept || extentOf(n, have) == extentOf(n, cached);
      base = where(kept, Expr(n, base), 0);
    }
    return where(isNew, {n, spread}, {n, base});
  }

  /// What the node adds to the scores, as wide as the cache.
  Value attentionBias() {
    Value bias = n.optional(10);
    if (!bias)
      return nullptr;
    int64_t have = n.shape(bias)[3];
    if (n.extents->less(have, cached) == false)
      return sliced(n, bias, 3, 0, cached);
    return widened(n, bias, 3, cached);
  }

  Expr allowed() {
    Expr place = counted(n, cached, 3, 4, index());
    if (!n.integer("causal", 1))
      return place <= Expr(n, lengths);
    Expr own = places(), seen = place <= own;
    int64_t window = n.integer("local_window_size", -1);
    return window < 1 ? seen : seen && place > own + double(-window);
  }

  Node &n;
  int64_t heads, keyHeads;
  int64_t batch = 0, length = 0, total = 0, cached = 0;
  Heads all;
  /// [B, 1, 1, 1]: the last position of each sequence, and how many there were
  /// before.
  Value lengths, before;
};

void groupQueryAttention(Node &n) { GroupQuery(n).run(); }

} // namespace

void addMicrosoftAttention(HandlerTable &table) {
  table["com.microsoft.Attention"] = attention;
  table["com.microsoft.QAttention"] = quantizedAttention;
  table["com.microsoft.MultiHeadAttention"] = multiHeadAttention;
  table["com.microsoft.RotaryEmbedding"] = rotaryEmbedding;
  table["com.microsoft.GroupQueryAttention"] = groupQueryAttention;
}

} // namespace mho::import
