//===- Expression.cpp - formulas of graph ops -----------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Expression.h"

#include "mho/Dialect/Graph/IR/Shapes.h"

using namespace mlir;

namespace mho::import {

RankedTensorType Expr::reducedType(ArrayRef<int64_t> axes,
                                   bool keepdims) const {
  return n->typeOf(graph::reducedShape(shape(), axes, keepdims), element());
}

Expr Expr::slice(int64_t axis, int64_t from, int64_t count) const {
  (void)shape()[axis];
  Shape starts(rank(), 0), steps(rank(), 1), to(shape());
  starts[axis] = count ? from : 0;
  to[axis] = count;
  return {*n, n->sliced(value, starts, steps, to)};
}

Expr Expr::expand(ArrayRef<int64_t> to) const {
  return {*n, n->expand(value, to)};
}

Expr wide(Node &n, Value x) {
  auto type = dyn_cast<FloatType>(n.element(x));
  bool narrow = type && type.getWidth() < 32;
  return {n, narrow ? n.cast(x, n.b.getF32Type()) : x};
}

Expr where(Expr condition, Expr a, Expr b) {
  Node &n = condition.node();
  n.checkSameElement(a, b);
  auto shape = graph::broadcastShapes(n.broadcast(a, b), condition.shape());
  if (!shape)
    n.fail("the condition does not broadcast with the values");
  return {n, n.make<graph::WhereOp>(n.typeOf(*shape, a.element()),
                                    Value(condition), Value(a), Value(b))};
}

Expr matmul(Expr a, Expr b) {
  Node &n = a.node();
  n.checkSameElement(a, b);
  auto shape = graph::matmulShape(a.shape(), b.shape());
  if (!shape)
    n.fail("cannot multiply " + text(Value(a).getType()) + " by " +
           text(Value(b).getType()));
  return {n, n.make<graph::MatmulOp>(n.typeOf(*shape, a.element()), Value(a),
                                     Value(b))};
}

Expr concat(ArrayRef<Expr> parts, int64_t axis) {
  const Expr &first = parts.front();
  Node &n = first.node();
  Shape shape(first.shape());
  (void)first.shape()[axis];
  shape[axis] = 0;
  SmallVector<Value> values;
  for (const Expr &part : parts) {
    n.checkSameElement(first, part);
    for (auto [other, extent] : llvm::enumerate(first.shape()))
      if (part.rank() != first.rank() ||
          (int64_t(other) != axis && part.shape()[other] != extent))
        n.fail("tensors of types " + text(Value(first).getType()) + " and " +
               text(Value(part).getType()) +
               " do not fit one another beside axis " + Twine(axis));
    shape[axis] = n.extents->sum(shape[axis], part.shape()[axis]);
    if (part.shape()[axis])
      values.push_back(part);
  }
  // Parts without elements are none.
  if (values.size() < 2)
    return values.empty() ? first : Expr(n, values.front());
  return {n, n.make<graph::ConcatOp>(n.typeOf(shape, first.element()), values,
                                     n.b.getI64IntegerAttr(axis))};
}

Expr gather(Expr x, Expr places, int64_t axis) {
  Node &n = x.node();
  Shape shape(x.shape());
  (void)x.shape()[axis];
  shape.erase(shape.begin() + axis);
  llvm::ArrayRef<int64_t> at = places.shape();
  shape.insert(shape.begin() + axis, at.begin(), at.end());
  return {n,
          n.make<graph::GatherOp>(n.typeOf(shape, x.element()), Value(x),
                                  Value(places), n.b.getI64IntegerAttr(axis))};
}

Expr iota(Node &n, Type element, int64_t count) {
  return {n, n.counting(count, element)};
}

Expr extentOf(Node &n, int64_t value) {
  return {n, n.extentsAsTensor({value}, /*isScalar=*/true)};
}

Shape axesFrom(int64_t first, int64_t last) {
  return llvm::to_vector(llvm::seq<int64_t>(first, std::max(first, last)));
}

} // namespace mho::import
