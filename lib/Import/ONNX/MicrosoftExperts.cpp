//===- MicrosoftExperts.cpp - com.microsoft's mixture of experts ----------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every expert computes every token, and a gate of zero takes out what was not
// routed. The experts' matrices never move: each is a bank of its own.
//
//===----------------------------------------------------------------------===//

#include "Compositions.h"
#include "Microsoft.h"

using namespace mlir;

namespace mho::import {

namespace {

/// [T, E]: the router's weight of each expert, zero where it is not among the
/// `chosen` largest. An expert is chosen if fewer than that many come before
/// it: they have a larger logit, or the same and a smaller number.
Value gates(Node &n, Value logits, int64_t chosen) {
  int64_t tokens = n.shape(logits)[0], experts = n.shape(logits)[1];
  Type boolean = n.b.getI1Type(), integer = n.b.getIntegerType(32);
  Value own = n.reshape(logits, {tokens, experts, 1});
  Value other = n.reshape(logits, {tokens, 1, experts});
  Value larger = n.binary<graph::GreaterOp>(other, own, boolean);
  Value equal = n.binary<graph::EqualOp>(other, own, boolean);
  Value earlier =
      n.binary<graph::LessOp>(counted(n, experts, 2, 3, integer),
                              counted(n, experts, 1, 3, integer), boolean);
  Value before =
      n.binary<graph::OrOp>(larger, n.binary<graph::AndOp>(equal, earlier));
  Value rank = summedFrom(n, n.cast(before, integer), 2);
  rank = n.reshape(rank, {tokens, experts});
  Value isChosen =
      n.binary<graph::LessOp>(rank, n.scalar(integer, double(chosen)), boolean);
  Value weights = n.make<graph::SoftmaxOp>(logits.getType(), logits,
                                           n.b.getDenseI64ArrayAttr({1}));
  Value gate = n.make<graph::WhereOp>(logits.getType(), isChosen, weights,
                                      n.scalar(n.element(logits), 0));
  if (!n.integer("normalize_routing_weights", 0))
    return gate;
  return n.binary<graph::DivOp>(gate, summedFrom(n, gate, 1));
}

/// x [1 or E, T, K] times the transposed weights [E, N, K], plus bias [E, N].
Value perExpert(Node &n, Value x, Value weights, Value bias) {
  Value y = product(n, x, transposed(n, weights));
  if (!bias)
    return y;
  return added(n, y, n.reshape(bias, {n.shape(bias)[0], 1, n.shape(bias)[1]}));
}

Value swiglu(Node &n, Value gate, Value linear) {
  double limit = n.real("swiglu_limit", INFINITY);
  bool after = n.integer("swiglu_limit_after_activation", 0);
  double alpha = n.real("activation_alpha", 1);
  bool limited = limit != INFINITY;
  auto clip = [&](Value v, bool below) {
    Type element = n.element(v);
    return n.make<graph::ClipOp>(v.getType(), v,
                                 below ? n.scalar(element, -limit) : Value(),
                                 n.scalar(element, limit));
  };
  if (limited && !after)
    gate = clip(gate, false);
  gate = swish(n, gate, alpha);
  if (limited && after)
    gate = clip(gate, false);
  if (limited)
    linear = clip(linear, true);
  return multiplied(n, gate, plus(n, linear, n.real("activation_beta", 0)));
}

/// The hidden layer of all experts, [E, T, I].
Value hidden(Node &n, Value x) {
  std::string kind = n.string("activation_type", "relu");
  int64_t fusion = n.integer("swiglu_fusion", 0);
  Value h = perExpert(n, x, n.input(2), n.optional(3));
  Value third =
      n.optional(6) ? perExpert(n, x, n.optional(6), n.optional(7)) : Value();
  bool gated = kind == "swiglu" || kind == "geglu";
  if (gated) {
    Value linear = third;
    if (fusion == 1 || fusion == 2) {
      int64_t width = n.shape(h)[2];
      if (width % 2)
        n.fail("the experts' first layer of width " + Twine(width) +
               " holds no gate and linear part of one width");
      linear = fusion == 1 ? sliced(n, h, 2, 1, width, 2)
                           : sliced(n, h, 2, width / 2, width);
      h = fusion == 1 ? sliced(n, h, 2, 0, width, 2)
                      : sliced(n, h, 2, 0, width / 2);
    } else if (fusion != 0) {
      n.fail("attribute 'swiglu_fusion' is " + Twine(fusion) +
             ", expected 0, 1 or 2");
    } else if (!linear) {
      n.fail("activation_type '" + kind +
             "' without swiglu_fusion needs input 6, the third layer");
    }
    return kind == "swiglu" ? swiglu(n, h, linear)
                            : multiplied(n, tanhGelu(n, h), linear);
  }
  if (kind == "relu")
    h = applied<graph::ReluOp>(n, h);
  else if (kind == "gelu")
    h = tanhGelu(n, h);
  else if (kind == "silu")
    h = swish(n, h);
  else if (kind == "relu2")
    h = multiplied(n, applied<graph::ReluOp>(n, h),
                   applied<graph::ReluOp>(n, h));
  else if (kind != "identity")
    n.refuse("attribute 'activation_type' is '" + kind +
             "', expected relu, relu2, gelu, geglu, silu, swiglu or identity");
  return third ? multiplied(n, h, third) : h;
}

void mixtureOfExperts(Node &n) {
  Value x = n.input(0), logits = n.input(1);
  ArrayRef<int64_t> shape = n.shape(x);
  if (shape.size() != 2 && shape.size() != 3)
    n.fail("expected tokens of rank 2 or 3, found rank " + Twine(shape.size()));
  for (size_t i : {2, 4})
    if (n.type(n.input(i)).getRank() != 3)
      n.fail("input " + Twine(i) + ", the experts' weights, has rank " +
             Twine(n.type(n.input(i)).getRank()) + ", expected 3");
  if (n.integer("use_sparse_mixer", 0))
    n.refuse("attribute 'use_sparse_mixer' is 1; only routing by softmax is "
             "supported");
  int64_t width = shape.back(), experts = n.shape(n.input(2))[0];
  int64_t tokens = n.extents->elements(shape.drop_back());
  if (n.extents->elements(n.shape(logits)) !=
      n.extents->product(tokens, experts))
    n.fail("expected router logits of " + n.extents->text(tokens) +
           " tokens and " + Twine(experts) + " experts");
  int64_t chosen = n.integer("k", 1);
  if (chosen < 1 || chosen > experts)
    n.fail("attribute 'k' is " + Twine(chosen) + ", expected 1 to " +
           Twine(experts));
  Value gate = gates(n, n.reshape(logits, {tokens, experts}), chosen);
  Value h = hidden(n, n.reshape(x, {1, tokens, width}));
  Value y = perExpert(n, h, n.input(4), n.optional(5));
  gate = n.reshape(n.transpose(gate, {1, 0}), {experts, tokens, 1});
  y = multiplied(n, y, gate);
  auto type = n.typeOf({tokens, width}, n.element(x));
  y = n.make<graph::ReduceSumOp>(type, y, n.b.getDenseI64ArrayAttr({0}),
                                 UnitAttr());
  n.result(n.reshape(y, Shape(shape)));
}

} // namespace

void addMicrosoftExperts(HandlerTable &table) {
  table["com.microsoft.MoE"] = mixtureOfExperts;
}

} // namespace mho::import
