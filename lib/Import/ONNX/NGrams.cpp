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

#include "Expression.h"

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
Expr matches(Expr x, const Grams &grams, int64_t distance) {
  Node &n = x.node();
  int64_t rows = x.shape()[0],
          positions = x.shape()[1] - distance * (grams.length - 1);
  std::optional<Expr> all;
  for (int64_t item = 0; item < grams.length; ++item) {
    Shape wanted;
    for (int64_t gram = 0; gram < grams.count(); ++gram)
      wanted.push_back(grams.items[gram * grams.length + item]);
    Expr seen = x.slice(1, item * distance, positions);
    Expr equal = seen.reshape({rows, positions, 1}) ==
                 Expr(n, n.constantIntegers(wanted)).as(x.element());
    all = all ? *all && equal : equal;
  }
  return sum(all->as(n.b.getF32Type()), {1}, false);
}

Expr zeros(Node &n, ArrayRef<int64_t> shape) {
  return {n, n.constant(DenseElementsAttr::get(
                 n.typeOf(shape, n.b.getF32Type()), 0.0f))};
}

/// One column for every place of the output: the sum of the grams that have it.
Expr placed(Expr counts, ArrayRef<int64_t> indices) {
  Node &n = counts.node();
  int64_t grams = counts.shape()[1], width = 0;
  for (int64_t index : indices) {
    n.expectTable(index);
    width = std::max(width, index + 1);
  }
  // Behind the last gram stands a column of zeros.
  counts = concat({counts, zeros(n, {counts.shape()[0], 1})}, 1);
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
  std::optional<Expr> sum;
  for (const Shape &round : rounds) {
    Expr part = gather(counts, {n, n.constantIntegers(round)}, 1);
    sum = sum ? *sum + part : part;
  }
  return *sum;
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
  Expr x(n, n.input(0));
  Shape shape(x.shape());
  if (shape.empty() || shape.size() > 2)
    n.fail("the input has rank " + Twine(shape.size()) + ", expected 1 or 2");
  bool batched = shape.size() == 2;
  int64_t rows = batched ? shape[0] : 1, extent = shape.back();
  x = x.reshape({rows, extent});

  SmallVector<Expr> parts;
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
    Expr counts = zeros(n, {rows, grams.count()});
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
      counts = counts + matches(x, grams, distance);
    parts.push_back(counts);
  }
  if (size_t(number) != indices.size() ||
      llvm::any_of(indices, [](int64_t index) { return index < 0; }))
    n.fail("attribute 'ngram_indexes' has " + Twine(indices.size()) +
           " entries, expected one that is not negative for each of " +
           Twine(number) + " n-grams");
  Expr counts = concat(parts, 1);

  std::string mode = n.string("mode", "");
  if (mode != "TF" && mode != "IDF" && mode != "TFIDF")
    n.fail("attribute 'mode' is '" + mode + "', expected TF, IDF or TFIDF");
  if (mode == "IDF")
    counts = (counts > 0).as(counts.element());
  const auto *weights = n.attribute("weights");
  if (mode != "TF" && weights) {
    if (weights->floats_size() != number)
      n.fail("attribute 'weights' has " + Twine(weights->floats_size()) +
             " entries, expected " + Twine(number));
    SmallVector<float> each(weights->floats().begin(), weights->floats().end());
    auto type = n.typeOf({number}, n.b.getF32Type());
    counts = counts *
             Expr(n, n.constant(DenseElementsAttr::get(type, ArrayRef(each))));
  }
  Expr result = placed(counts, indices);
  n.result(batched ? result : result.reshape({result.shape()[1]}));
}

} // namespace

void addNGrams(HandlerTable &table) { table[".TfIdfVectorizer"] = tfIdf; }

} // namespace mho::import
