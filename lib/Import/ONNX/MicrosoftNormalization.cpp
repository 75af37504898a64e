//===- MicrosoftNormalization.cpp - com.microsoft's normalizations --------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compositions.h"
#include "Microsoft.h"
#include "Quantization.h"

using namespace mlir;

namespace mho::import {

namespace {

int64_t lastAxis(Node &n, Value x) {
  if (n.type(x).getRank() == 0)
    n.fail("expected a tensor, found a scalar");
  return n.type(x).getRank() - 1;
}

/// ONNX Runtime writes it in ONNX's own domain, too.
void simplifiedLayerNormalization(Node &n) {
  Value x = n.input(0);
  int64_t axis = n.axis(n.integer("axis", -1), n.type(x).getRank());
  Normalized all = rootMeanSquareNormalized(n, x, axis, n.input(1),
                                            n.real("epsilon", 1e-5f));
  n.result(all.y);
  if (n.wants(1))
    n.result(all.inverse);
}

/// Input, skip (which may lack or repeat the batch) and bias together.
Value skipSum(Node &n, Value bias) {
  Value x = n.input(0);
  Value sum = added(n, x, n.input(1));
  if (n.shape(sum) != n.shape(x))
    n.fail("the skip does not broadcast to the input");
  return bias ? added(n, sum, bias) : sum;
}

void skipResults(Node &n, const Normalized &all, Value sum) {
  n.result(all.y);
  n.result(n.wants(1) ? all.mean : Value());
  n.result(n.wants(2) ? all.inverse : Value());
  n.result(sum);
}

void skipLayerNormalization(Node &n) {
  Value sum = skipSum(n, n.optional(4));
  skipResults(n,
              normalized(n, sum, lastAxis(n, sum), n.input(2), n.optional(3),
                         n.real("epsilon", 1e-12f)),
              sum);
}

void skipSimplifiedLayerNormalization(Node &n) {
  if (n.wants(1))
    n.refuse("output 1 ('" + n.proto.output(1) +
             "'), a mean that nobody computes, is not supported");
  Value sum = skipSum(n, n.optional(3));
  skipResults(n,
              rootMeanSquareNormalized(n, sum, lastAxis(n, sum), n.input(2),
                                       n.real("epsilon", 1e-12f)),
              sum);
}

/// Rows of a table.
Value embedded(Node &n, Value table, Value ids) {
  if (n.type(table).getRank() != 2)
    n.fail("expected an embedding table of rank 2, found rank " +
           Twine(n.type(table).getRank()));
  Shape shape(n.shape(ids));
  shape.push_back(n.shape(table)[1]);
  return n.make<graph::GatherOp>(n.typeOf(shape, n.element(table)), table, ids,
                                 n.b.getI64IntegerAttr(0));
}

/// Rows of the tables, inputs 2 to 4, by ids, places and segments; `rows` reads
/// some of a table's.
void embedLayerNormalization(
    Node &n, llvm::function_ref<Value(size_t table, Value ids)> rows,
    Value scale, Value bias, Value places) {
  Value ids = n.input(0), positions = n.input(3);
  if (n.type(ids).getRank() != 2)
    n.fail("expected ids of batch and sequence, found rank " +
           Twine(n.type(ids).getRank()));
  int64_t batch = n.shape(ids)[0], length = n.shape(ids)[1];
  Value sum = rows(2, ids);
  if (!places) {
    if (n.type(positions).getRank() != 2 ||
        n.extents->range(length).high > n.shape(positions)[0])
      n.fail("the position table has fewer rows than the sequence of " +
             Twine(length));
    places = n.counting(length, n.b.getI64Type());
  }
  sum = added(n, sum, rows(3, places));
  if (Value segments = n.optional(1)) {
    if (!n.optional(4))
      n.fail("segment ids are given without a segment table");
    sum = added(n, sum, rows(4, segments));
  }
  Normalized all =
      normalized(n, sum, 2, scale, bias, n.real("epsilon", 1e-12f));
  n.result(all.y);
  if (!n.wants(1)) {
    n.result(Value());
  } else if (Value mask = n.optional(7)) {
    // How many words the mask lets through.
    Value one = n.scalar(n.element(mask), 1);
    Value counts = n.cast(n.binary<graph::EqualOp>(mask, one, n.b.getI1Type()),
                          n.b.getIntegerType(32));
    n.result(n.reshape(summedFrom(n, counts, 1), {batch}));
  } else {
    n.result(n.expand(n.scalar(n.b.getIntegerType(32), 0), {batch}));
  }
  n.result(sum);
}

void embedLayerNormalization(Node &n) {
  auto rows = [&](size_t table, Value ids) {
    return embedded(n, n.input(table), ids);
  };
  embedLayerNormalization(n, rows, n.input(5), n.input(6), n.optional(8));
}

void quantizedEmbedLayerNormalization(Node &n) {
  // Inputs 2 to 6 have scales from 8 on and zero points from 13 on.
  auto real = [&](size_t input, Value bytes) {
    return dequantized(n, bytes, {n.input(input + 6), n.optional(input + 11)},
                       n.b.getF32Type());
  };
  auto rows = [&](size_t table, Value ids) {
    return real(table, embedded(n, n.input(table), ids));
  };
  embedLayerNormalization(n, rows, real(5, n.input(5)), real(6, n.input(6)),
                          Value());
}

/// x (+ skip + bias), channels last, normalized over each group of channels.
void groupNormalization(Node &n, Value x) {
  int64_t rank = n.type(x).getRank(), groups = n.integer("groups", 0);
  bool last = n.integer("channels_last", 1);
  if (rank < 3)
    n.fail("expected an image of rank 3 or more, found rank " + Twine(rank));
  Shape shape(n.shape(x));
  int64_t channels = last ? shape.back() : shape[1];
  if (groups < 1 || channels % groups)
    n.fail("attribute 'groups' is " + Twine(groups) +
           ", which does not divide " + Twine(channels) + " channels");
  Shape toFirst{0, rank - 1}, toLast{0};
  llvm::append_range(toFirst, llvm::seq<int64_t>(1, rank - 1));
  llvm::append_range(toLast, llvm::seq<int64_t>(2, rank));
  toLast.push_back(1);
  Type element = n.element(x);
  Value y = n.cast(last ? n.transpose(x, toFirst) : x, n.b.getF32Type());
  Shape whole(n.shape(y));
  int64_t inGroup = n.extents->elements(ArrayRef(whole).drop_front(2));
  inGroup = n.extents->product(inGroup, channels / groups);
  y = n.reshape(y, {shape[0], groups, inGroup});
  y = normalized(n, y, 2, Value(), Value(), n.real("epsilon", 1e-5f)).y;
  y = n.reshape(y, whole);
  Shape perChannel(rank - 1, 1);
  perChannel[0] = channels;
  auto parameter = [&](size_t i) {
    return n.reshape(n.cast(n.input(i), n.b.getF32Type()), perChannel);
  };
  y = added(n, multiplied(n, y, parameter(1)), parameter(2));
  int64_t activation = n.integer("activation", 0);
  if (activation != 0 && activation != 1)
    n.fail("attribute 'activation' is " + Twine(activation) +
           ", expected 0 (none) or 1 (SiLU)");
  if (activation)
    y = swish(n, y);
  y = n.cast(y, element);
  n.result(last ? n.transpose(y, toLast) : y);
}

void groupNorm(Node &n) { groupNormalization(n, n.input(0)); }

void skipGroupNorm(Node &n) {
  Value x = n.input(0), skip = n.input(3);
  Shape shape(n.shape(x));
  bool last = n.integer("channels_last", 1);
  auto perChannel = [&](Value v, int64_t batch) {
    Shape to(shape.size(), 1);
    to[0] = batch;
    to[last ? shape.size() - 1 : 1] = n.shape(v).back();
    return n.reshape(v, to);
  };
  if (n.type(skip).getRank() == 2)
    skip = perChannel(skip, n.shape(skip)[0]);
  Value sum = added(n, x, skip);
  if (Value bias = n.optional(4))
    sum = added(n, sum, perChannel(bias, 1));
  groupNormalization(n, sum);
  n.result(sum);
}

} // namespace

void addMicrosoftNormalizations(HandlerTable &table) {
  table[".SimplifiedLayerNormalization"] = simplifiedLayerNormalization;
  table["com.microsoft.SimplifiedLayerNormalization"] =
      simplifiedLayerNormalization;
  table["com.microsoft.SkipLayerNormalization"] = skipLayerNormalization;
  table["com.microsoft.SkipSimplifiedLayerNormalization"] =
      skipSimplifiedLayerNormalization;
  table["com.microsoft.EmbedLayerNormalization"] = embedLayerNormalization;
  table["com.microsoft.QEmbedLayerNormalization"] =
      quantizedEmbedLayerNormalization;
  table["com.microsoft.GroupNorm"] = groupNorm;
  table["com.microsoft.SkipGroupNorm"] = skipGroupNorm;
}

} // namespace mho::import
