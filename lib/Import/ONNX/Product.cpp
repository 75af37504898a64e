//===- Product.cpp - matrix products --------------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Expression.h"

#include "mho/Dialect/Graph/IR/Shapes.h"

#include "mlir/IR/Matchers.h"

#include <cmath>

using namespace mlir;

namespace mho::import {

namespace {

/// Arrays multiply f32: a narrow weight matrix is widened here, where it folds,
/// and its input with it.
bool isNarrowWeight(Node &n, Value w) {
  auto type = dyn_cast<FloatType>(n.element(w));
  return type && type.getWidth() < 32 && matchPattern(w, m_Constant());
}

void product(Node &n) {
  Expr a(n, n.input(0)), c(n, n.input(1));
  n.checkSameElement(a, c);
  if (!isNarrowWeight(n, c))
    return n.result(matmul(a, c));
  n.result(matmul(wide(n, a), wide(n, c)).as(a.element()));
}

/// Gaussian elimination with the largest pivot, one step after the other; a
/// step exchanges rows by choosing, since the pivot's place is not known.
void determinant(Node &n) {
  Value input = n.input(0);
  Expr x = wide(n, input);
  int64_t rank = x.rank();
  if (rank < 2 || x.shape()[rank - 1] != x.shape()[rank - 2])
    n.fail("expected square matrices, found " + text(input.getType()));
  int64_t size = x.shape().back();
  if (size > 64)
    n.refuse("determinants of more than 64 rows are not supported, found " +
             Twine(size));
  Shape result(x.shape().drop_back(2));
  Shape scalars(result);
  scalars.append({1, 1});
  Expr product = Expr(n, n.scalar(x.element(), 1)).expand(scalars);
  for (int64_t left = size; left > 0; --left) {
    // Which of the rows left has the largest first element.
    Expr first = x.slice(rank - 1, 0, 1);
    auto places = n.typeOf(scalars, n.b.getIntegerType(64));
    Expr place(n, n.make<graph::ArgMaxOp>(places, Value(abs(first)),
                                          n.b.getI64IntegerAttr(rank - 2),
                                          n.b.getUnitAttr(), UnitAttr()));
    Expr isPivot =
        iota(n, n.b.getIntegerType(64), left).reshape({left, 1}) == place;
    Expr pivotRow = sum(where(isPivot, x, 0), {rank - 2});
    Expr pivot = pivotRow.slice(rank - 1, 0, 1);
    Expr moved = where(place == 0, pivot, -pivot);
    product = product * moved;
    if (left == 1)
      break;
    // The first row stands where the pivot was.
    Expr rest =
        where(isPivot, x.slice(rank - 2, 0, 1), x).slice(rank - 2, 1, left - 1);
    Expr factor = rest.slice(rank - 1, 0, 1) / where(pivot == 0, 1, pivot);
    x = rest.slice(rank - 1, 1, left - 1) -
        factor * pivotRow.slice(rank - 1, 1, left - 1);
  }
  n.result(product.reshape(result).as(n.element(input)));
}

} // namespace

void gemm(Node &n) {
  Value a = n.input(0), w = n.input(1), c = n.optional(2);
  n.checkSameElement(a, w);
  if (c)
    n.checkSameElement(a, c);
  Type element = n.element(a);
  if (isNarrowWeight(n, w)) {
    a = wide(n, a);
    w = wide(n, w);
    c = c ? Value(wide(n, c)) : c;
  }
  if (n.type(a).getRank() != 2 || n.type(w).getRank() != 2)
    n.fail("expected matrices, found " + text(a.getType()) + " and " +
           text(w.getType()));
  bool transA = n.integer("transA", 0), transB = n.integer("transB", 0);
  int64_t rows = n.shape(a)[transA], inner = n.shape(a)[!transA];
  int64_t columns = n.shape(w)[!transB];
  if (n.shape(w)[transB] != inner)
    n.fail("cannot multiply " + text(a.getType()) + " by " + text(w.getType()) +
           ": inner extents are " + Twine(inner) + " and " +
           Twine(n.shape(w)[transB]));
  float alpha = n.real("alpha", 1), beta = n.real("beta", 1);
  if (isa<IntegerType>(n.element(a)) &&
      (alpha != std::trunc(alpha) || beta != std::trunc(beta)))
    n.refuse("integers times a fraction (alpha " + std::to_string(alpha) +
             ", beta " + std::to_string(beta) + ") are not supported");
  auto type = n.typeOf({rows, columns}, n.element(a));
  if (c) {
    auto joined = graph::broadcastShapes(symbolicShape(type), n.shape(c));
    if (!joined || *joined != Shape(symbolicShape(type)))
      n.fail("third input " + text(c.getType()) +
             " does not broadcast to the product");
  }
  if (beta == 0)
    c = nullptr;
  Value y = n.make<graph::GemmOp>(type, a, w, c, n.b.getF32FloatAttr(alpha),
                                  n.b.getF32FloatAttr(beta),
                                  transA ? n.b.getUnitAttr() : UnitAttr(),
                                  transB ? n.b.getUnitAttr() : UnitAttr());
  n.result(n.cast(y, element));
}

void addProducts(HandlerTable &table) {
  table[".MatMul"] = product;
  table[".Det"] = determinant;
  table[".Gemm"] = gemm;
}

} // namespace mho::import
