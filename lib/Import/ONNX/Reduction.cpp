//===- Reduction.cpp - reductions and scans along axes --------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Expression.h"

#include "mho/Dialect/Graph/IR/Shapes.h"

#include <limits>

using namespace mlir;

namespace mho::import {

namespace {

/// Which axes a reduction takes, and whether they stay.
struct Reduced {
  Shape axes;
  bool keepdims;
};

Reduced reducedAxes(Node &n) {
  int64_t rank = n.type(n.input(0)).getRank();
  auto given = n.integersOrInput("axes", 1);
  bool none = !given || given->empty();
  bool keepdims = n.integer("keepdims", 1);
  if (none && n.integer("noop_with_empty_axes", 0))
    return {{}, keepdims};
  return {none ? axesFrom(0, rank) : n.axes(*given, rank), keepdims};
}

/// A reduction of no axes is the identity.
template <typename OpTy> Expr reduced(Expr x, const Reduced &along) {
  return along.axes.empty() ? x : x.reduce<OpTy>(along.axes, along.keepdims);
}

template <typename OpTy> void reduce(Node &n) {
  n.result(reduced<OpTy>({n, n.input(0)}, reducedAxes(n)));
}

/// Norms and logarithms: integers, which ONNX once allowed, go through f64.
template <Expr (*Formula)(Expr, const Reduced &)> void composite(Node &n) {
  Value x = n.input(0);
  Expr value = isa<FloatType>(n.element(x)) ? wide(n, x)
                                            : Expr(n, x).as(n.b.getF64Type());
  n.result(Formula(value, reducedAxes(n)).as(n.element(x)));
}

Expr l2(Expr x, const Reduced &along) {
  return sqrt(reduced<graph::ReduceSumOp>(x * x, along));
}

Expr logSum(Expr x, const Reduced &along) {
  return log(reduced<graph::ReduceSumOp>(x, along));
}

/// Powers are taken of the distance to the largest, which an infinite or
/// missing one is not used for.
Expr logSumExp(Expr x, const Reduced &along) {
  if (along.axes.empty())
    return x;
  Expr top = largest(x, along.axes);
  top = where(abs(top) == std::numeric_limits<double>::infinity(), 0, top);
  Expr result = log(sum(exp(x - top), along.axes)) + top;
  return along.keepdims ? result
                        : result.reshape(graph::reducedShape(
                              x.shape(), along.axes, false));
}

void l1(Node &n) {
  Value x = n.input(0);
  n.result(reduced<graph::ReduceSumOp>(abs(wide(n, x)), reducedAxes(n))
               .as(n.element(x)));
}

void sumSquare(Node &n) {
  Value x = n.input(0);
  Expr value = wide(n, x);
  n.result(reduced<graph::ReduceSumOp>(value * value, reducedAxes(n))
               .as(n.element(x)));
}

template <typename OpTy>
Expr placeOf(Expr x, int64_t axis, bool keepdims, bool last) {
  Node &n = x.node();
  auto type = n.typeOf(graph::reducedShape(x.shape(), {axis}, keepdims),
                       n.b.getIntegerType(64));
  return {n, n.make<OpTy>(type, Value(x), n.b.getI64IntegerAttr(axis),
                          keepdims ? n.b.getUnitAttr() : UnitAttr(),
                          last ? n.b.getUnitAttr() : UnitAttr())};
}

template <typename OpTy> void place(Node &n) {
  Expr x(n, n.input(0));
  int64_t axis = n.axis(n.integer("axis", 0), x.rank());
  if (x.shape()[axis] == 0)
    n.fail("axis " + Twine(axis) + " of " + text(Value(x).getType()) +
           " is empty: it has no largest or smallest element");
  n.result(placeOf<OpTy>(x, axis, n.integer("keepdims", 1),
                         n.integer("select_last_index", 0)));
}

template <typename OpTy> void scan(Node &n) {
  Value x = n.input(0);
  Shape axis = n.steering(1, "the axis");
  if (axis.size() != 1)
    n.fail("the axis must be one number");
  int64_t rank = n.type(x).getRank();
  auto flag = [&](StringRef name) {
    return n.integer(name, 0) ? n.b.getUnitAttr() : UnitAttr();
  };
  n.result(n.make<OpTy>(x.getType(), x,
                        n.b.getI64IntegerAttr(n.axis(axis[0], rank)),
                        flag("exclusive"), flag("reverse")));
}

/// Before opset 13 the axes from `axis` on are normalized together.
Shape softmaxAxes(Node &n, int64_t rank) {
  if (n.opset >= 13)
    return {n.axis(n.integer("axis", -1), rank)};
  int64_t axis = n.integer("axis", 1);
  return axesFrom(axis == rank ? rank : n.axis(axis, rank), rank);
}

void logSoftmax(Node &n) {
  Expr x = wide(n, n.input(0));
  Shape axes = softmaxAxes(n, x.rank());
  Expr shifted = x - largest(x, axes);
  n.result((shifted - log(sum(exp(shifted), axes))).as(n.element(n.input(0))));
}

/// One at the first of the largest elements, else zero.
void hardmax(Node &n) {
  Expr x(n, n.input(0));
  Shape shape(x.shape()), axes = softmaxAxes(n, x.rank());
  int64_t axis = axes.empty() ? x.rank() : axes.front();
  if (axes.size() != 1) {
    int64_t outer = 1, inner = 1;
    for (auto [i, extent] : llvm::enumerate(shape))
      if (int64_t(i) < axis)
        outer = n.extents->product(outer, extent);
      else
        inner = n.extents->product(inner, extent);
    x = x.reshape({outer, inner});
    axis = 1;
  }
  Shape along(x.rank(), 1);
  along[axis] = x.shape()[axis];
  Expr places = iota(n, n.b.getIntegerType(64), along[axis]).reshape(along);
  Expr chosen = placeOf<graph::ArgMaxOp>(x, axis, true, false);
  n.result((places == chosen).as(x.element()).reshape(shape));
}

} // namespace

void softmax(Node &n) {
  Value x = n.input(0);
  n.result(n.make<graph::SoftmaxOp>(
      x.getType(), x,
      n.b.getDenseI64ArrayAttr(softmaxAxes(n, n.type(x).getRank()))));
}

void addReductions(HandlerTable &table) {
  table[".ReduceMean"] = reduce<graph::ReduceMeanOp>;
  table[".ReduceSum"] = reduce<graph::ReduceSumOp>;
  table[".ReduceProd"] = reduce<graph::ReduceProdOp>;
  table[".ReduceMax"] = reduce<graph::ReduceMaxOp>;
  table[".ReduceMin"] = reduce<graph::ReduceMinOp>;
  table[".ReduceL1"] = l1;
  table[".ReduceL2"] = composite<l2>;
  table[".ReduceLogSum"] = composite<logSum>;
  table[".ReduceLogSumExp"] = composite<logSumExp>;
  table[".ReduceSumSquare"] = sumSquare;
  table[".ArgMax"] = place<graph::ArgMaxOp>;
  table[".ArgMin"] = place<graph::ArgMinOp>;
  table[".CumSum"] = scan<graph::CumSumOp>;
  table[".CumProd"] = scan<graph::CumProdOp>;
  table[".Softmax"] = softmax;
  table[".LogSoftmax"] = logSoftmax;
  table[".Hardmax"] = hardmax;
}

} // namespace mho::import
