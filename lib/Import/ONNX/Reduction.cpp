//===- Reduction.cpp - reductions along axes ------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Node.h"

#include "mho/Dialect/Graph/IR/Shapes.h"

using namespace mlir;

namespace mho::import {

namespace {

template <typename OpTy> void reduce(Node &n) {
  Value x = n.input(0);
  int64_t rank = n.type(x).getRank();
  auto given = n.integersOrInput("axes", 1);
  if ((!given || given->empty()) && n.integer("noop_with_empty_axes", 0))
    return n.result(x);
  Shape axes = given && !given->empty()
                   ? n.axes(*given, rank)
                   : llvm::to_vector(llvm::seq<int64_t>(0, rank));
  bool keepdims = n.integer("keepdims", 1);
  auto type =
      n.typeOf(graph::reducedShape(n.shape(x), axes, keepdims), n.element(x));
  // Bools have an order, but no reduction of their own.
  if (n.element(x).isInteger(1))
    n.refuse("reductions of bool are not supported");
  n.result(n.make<OpTy>(type, x, n.b.getDenseI64ArrayAttr(axes),
                        keepdims ? n.b.getUnitAttr() : UnitAttr()));
}

void argMax(Node &n) {
  Value x = n.input(0);
  int64_t axis = n.axis(n.integer("axis", 0), n.type(x).getRank());
  bool keepdims = n.integer("keepdims", 1);
  auto type = n.typeOf(graph::reducedShape(n.shape(x), {axis}, keepdims),
                       n.b.getIntegerType(64));
  n.result(n.make<graph::ArgMaxOp>(
      type, x, n.b.getI64IntegerAttr(axis),
      keepdims ? n.b.getUnitAttr() : UnitAttr(),
      n.integer("select_last_index", 0) ? n.b.getUnitAttr() : UnitAttr()));
}

/// Before opset 13 the axes from `axis` on are normalized together.
Shape softmaxAxes(Node &n, int64_t rank) {
  if (n.opset >= 13)
    return {n.axis(n.integer("axis", -1), rank)};
  int64_t axis = n.integer("axis", 1);
  if (axis != rank)
    axis = n.axis(axis, rank);
  return llvm::to_vector(llvm::seq<int64_t>(axis, rank));
}

void softmax(Node &n) {
  Value x = n.input(0);
  n.result(n.make<graph::SoftmaxOp>(
      x.getType(), x,
      n.b.getDenseI64ArrayAttr(softmaxAxes(n, n.type(x).getRank()))));
}

void logSoftmax(Node &n) {
  Value x = n.input(0);
  Shape axes = softmaxAxes(n, n.type(x).getRank());
  auto reduced =
      n.typeOf(graph::reducedShape(n.shape(x), axes, true), n.element(x));
  auto attribute = n.b.getDenseI64ArrayAttr(axes);
  Value largest =
      n.make<graph::ReduceMaxOp>(reduced, x, attribute, n.b.getUnitAttr());
  Value shifted = n.binary<graph::SubOp>(x, largest);
  Value powers = n.make<graph::ExpOp>(shifted.getType(), shifted);
  Value sum =
      n.make<graph::ReduceSumOp>(reduced, powers, attribute, n.b.getUnitAttr());
  Value log = n.make<graph::LogOp>(sum.getType(), sum);
  n.result(n.binary<graph::SubOp>(shifted, log));
}

} // namespace

void addReductions(HandlerTable &table) {
  table[".ReduceMean"] = reduce<graph::ReduceMeanOp>;
  table[".ReduceSum"] = reduce<graph::ReduceSumOp>;
  table[".ReduceMax"] = reduce<graph::ReduceMaxOp>;
  table[".ReduceMin"] = reduce<graph::ReduceMinOp>;
  table[".ArgMax"] = argMax;
  table[".Softmax"] = softmax;
  table[".LogSoftmax"] = logSoftmax;
}

} // namespace mho::import
