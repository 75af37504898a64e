//===- MicrosoftElementwise.cpp - com.microsoft's activations -------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compositions.h"
#include "Microsoft.h"

using namespace mlir;

namespace mho::import {

namespace {

void geluOf(Node &n) { n.result(gelu(n, n.input(0))); }

void biasGelu(Node &n) { n.result(gelu(n, added(n, n.input(0), n.input(1)))); }

void fastGelu(Node &n) {
  Value x = n.input(0);
  if (Value bias = n.optional(1))
    x = added(n, x, bias);
  n.result(tanhGelu(n, x));
}

void quickGelu(Node &n) {
  n.result(swish(n, n.input(0), n.real("alpha", 1.702f)));
}

/// The left half of the last axis times Gelu of the right one.
void biasSplitGelu(Node &n) {
  Value x = added(n, n.input(0), n.input(1));
  int64_t axis = n.type(x).getRank() - 1, extent = n.shape(x)[axis];
  if (extent % 2)
    n.fail("the last axis of " + Twine(extent) + " cannot be halved");
  Value left = sliced(n, x, axis, 0, extent / 2);
  n.result(
      multiplied(n, left, gelu(n, sliced(n, x, axis, extent / 2, extent))));
}

void biasAdd(Node &n) {
  n.result(added(n, added(n, n.input(0), n.input(1)), n.input(2)));
}

/// Inference: nothing is dropped.
void biasDropout(Node &n) {
  if (n.wants(1))
    n.refuse("the mask of dropped elements is not supported");
  Value y = added(n, n.input(0), n.input(1));
  if (Value residual = n.optional(2))
    y = added(n, y, residual);
  n.result(y);
}

/// softmax(x + bias) over the axes from `axis` on, together. The bias repeats
/// over the axes in front of `axis`, or over those that it has with extent 1.
void biasSoftmax(Node &n) {
  Value x = n.input(0), bias = n.input(1);
  int64_t rank = n.type(x).getRank();
  int64_t axis = n.axis(n.integer("axis", 1), rank);
  Value sum = added(n, x, bias);
  if (n.shape(sum) != n.shape(x))
    n.fail("the bias does not broadcast to the data");
  n.result(n.make<graph::SoftmaxOp>(sum.getType(), sum,
                                    n.b.getDenseI64ArrayAttr(llvm::to_vector(
                                        llvm::seq<int64_t>(axis, rank)))));
}

} // namespace

void addMicrosoftElementwise(HandlerTable &table) {
  table["com.microsoft.Gelu"] = geluOf;
  table["com.microsoft.BiasGelu"] = biasGelu;
  table["com.microsoft.FastGelu"] = fastGelu;
  table["com.microsoft.QuickGelu"] = quickGelu;
  table["com.microsoft.BiasSplitGelu"] = biasSplitGelu;
  table["com.microsoft.BiasAdd"] = biasAdd;
  table["com.microsoft.BiasDropout"] = biasDropout;
  table["com.microsoft.BiasSoftmax"] = biasSoftmax;
}

} // namespace mho::import
