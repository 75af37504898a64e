//===- NGrams.cpp - counts of known sequences -----------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// TfIdfVectorizer: all n-grams of one length are compared with every position
// at once, items apart by each allowed distance; the matches are summed.
//
//===----------------------------------------------------------------------===//

#include "NGrams.h"

using namespace mlir;

namespace mho::import {

namespace {

/// The n-grams of one length, item after item.
struct Grams {
  int64_t length, first; ///< number of the first one
  ArrayRef<int64_t> items;
  int64_t count() const { return items.size() / length; }
};

/// How often each gram occurs in the rows of `x`, its items `distance` apart.
Value matches(Node &n, Value x, const Grams &grams, int64_t distance) {
  int64_t rows = n.shape(x)[0],
          positions = n.shape(x)[1] - distance * (grams.length - 1);
  Type flag = n.b.getI1Type(), element = n.element(x);
  Value all;
  for (int64_t item = 0; item < grams.length; ++item) {
    Value seen =
        n.make<graph::SliceOp>(n.typeOf({rows, positions}, element), x,
                               n.b.getDenseI64ArrayAttr({0, item * distance}),
                               n.b.getDenseI64ArrayAttr({1, 1}));
    Shape wanted;
    for (int64_t gram = 0; gram < grams.count(); ++gram)
      wanted.push_back(grams.items[gram * grams.length + item]);
    Value equal = n.binary<graph::EqualOp>(
        n.reshape(seen, {rows, positions, 1}),
        n.cast(n.constantIntegers(wanted), element), flag);
    all = all ? n.binary<graph::AndOp>(all, equal) : equal;
  }
  return n.make<graph::ReduceSumOp>(
      n.typeOf({rows, grams.count()}, n.b.getF32Type()),
      n.cast(all, n.b.getF32Type()), n.b.getDenseI64ArrayAttr({1}), UnitAttr());
}

Value zeros(Node &n, ArrayRef<int64_t> shape) {
  return n.constant(
      DenseElementsAttr::get(n.typeOf(shape, n.b.getF32Type()), 0.0f));
}

/// One column for every place of the output: the sum of the grams that have it.
Value placed(Node &n, Value counts, ArrayRef<int64_t> indices) {
  int64_t grams = n.shape(counts)[1], width = 0;
  for (int64_t index : indices) {
    n.expectTable(index);
    width = std::max(width, index + 1);
  }
  // Behind the last gram stands a column of zeros.
  counts = n.make<graph::ConcatOp>(
      n.typeOf({n.shape(counts)[0], grams + 1}, n.b.getF32Type()),
      ValueRange{counts, zeros(n, {n.shape(counts)[0], 1})},
      n.b.getI64IntegerAttr(1));
  SmallVector<Shape> rounds;
  for (auto [gram, index] : llvm::enumerate(indices)) {
    auto round = llvm::find_if(rounds, [&, index = index](const Shape &taken) {
      return taken[index] == grams;
    });
    if (round == rounds.end()) {
      rounds.emplace_back(width, grams);
      round = std::prev(rounds.end());
    }
    (*round)[index] = gram;
  }
  Value sum;
  for (const Shape &round : rounds) {
    Value part = n.make<graph::GatherOp>(
        n.typeOf({n.shape(counts)[0], width}, n.b.getF32Type()), counts,
        n.constantIntegers(round), n.b.getI64IntegerAttr(1));
    sum = sum ? n.binary<graph::AddOp>(sum, part) : part;
  }
  return sum;
}

void tfIdf(Node &n) {
  if (n.has("pool_strings"))
    n.refuse("strings are not supported");
  auto given = [&](StringRef name) {
    auto values = n.integers(name);
    if (!values || values->empty())
      n.fail("attribute '" + name + "' is missing");
    return *values;
  };
  Shape pool = given("pool_int64s"), starts = given("ngram_counts"),
        indices = given("ngram_indexes");
  int64_t shortest = n.integer("min_gram_length", 1),
          longest = n.integer("max_gram_length", 1),
          skips = n.integer("max_skip_count", 0);
  if (shortest < 1 || longest < shortest || skips < 0)
    n.fail("lengths from " + Twine(shortest) + " to " + Twine(longest) +
           " with " + Twine(skips) + " skips make no sense");
  Value x = n.input(0);
  Shape shape(n.shape(x));
  if (shape.empty() || shape.size() > 2)
    n.fail("the input has rank " + Twine(shape.size()) + ", expected 1 or 2");
  bool batched = shape.size() == 2;
  int64_t rows = batched ? shape[0] : 1, extent = shape.back();
  x = n.reshape(x, {rows, extent});

  SmallVector<Value> parts;
  int64_t number = 0;
  for (auto [i, start] : llvm::enumerate(starts)) {
    int64_t length = i + 1;
    int64_t end = i + 1 < starts.size() ? starts[i + 1] : int64_t(pool.size());
    if (start < 0 || end < start || end > int64_t(pool.size()) ||
        (end - start) % length)
      n.fail("attribute 'ngram_counts': " + Twine(start) + " to " + Twine(end) +
             " are no sequences of " + Twine(length) + " in a pool of " +
             Twine(pool.size()));
    Grams grams{length, number, ArrayRef(pool).slice(start, end - start)};
    number += grams.count();
    if (grams.items.empty())
      continue;
    Value counts = zeros(n, {rows, grams.count()});
    bool counted = length >= shortest && length <= longest;
    // Single items have no distance: they are counted once.
    // Others end where they would not fit the input.
    int64_t farthest = length == 1
                           ? extent > 0
                           : std::max<int64_t>(extent - 1, 0) / (length - 1);
    if (length > 1 && skips < farthest)
      farthest = skips + 1;
    if (counted)
      n.expectParts(farthest * length, "items of n-grams with skips");
    for (int64_t distance = 1; counted && distance <= farthest; ++distance)
      counts = n.binary<graph::AddOp>(counts, matches(n, x, grams, distance));
    parts.push_back(counts);
  }
  if (size_t(number) != indices.size() ||
      llvm::any_of(indices, [](int64_t index) { return index < 0; }))
    n.fail("attribute 'ngram_indexes' has " + Twine(indices.size()) +
           " entries, expected one that is not negative for each of " +
           Twine(number) + " n-grams");
  Value counts =
      parts.size() == 1
          ? parts.front()
          : n.make<graph::ConcatOp>(n.typeOf({rows, number}, n.b.getF32Type()),
                                    parts, n.b.getI64IntegerAttr(1));

  std::string mode = n.string("mode", "");
  if (mode != "TF" && mode != "IDF" && mode != "TFIDF")
    n.fail("attribute 'mode' is '" + mode + "', expected TF, IDF or TFIDF");
  if (mode == "IDF") {
    Value zero = n.scalar(n.b.getF32Type(), 0);
    counts = n.cast(n.binary<graph::GreaterOp>(counts, zero, n.b.getI1Type()),
                    n.b.getF32Type());
  }
  const auto *weights = n.attribute("weights");
  if (mode != "TF" && weights) {
    if (weights->floats_size() != number)
      n.fail("attribute 'weights' has " + Twine(weights->floats_size()) +
             " entries, expected " + Twine(number));
    SmallVector<float> each(weights->floats().begin(), weights->floats().end());
    counts = n.binary<graph::MulOp>(
        counts, n.constant(DenseElementsAttr::get(
                    n.typeOf({number}, n.b.getF32Type()), ArrayRef(each))));
  }
  Value result = placed(n, counts, indices);
  n.result(batched ? result : n.reshape(result, {n.shape(result)[1]}));
}

} // namespace

void addNGrams(HandlerTable &table) { table[".TfIdfVectorizer"] = tfIdf; }

} // namespace mho::import
