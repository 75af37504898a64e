//===- Unique.cpp - slices that differ, of what only the run knows --------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Slices are put in order, so that equal ones stand in runs; what a run begins
// with is new. The sort is stable: the first of a run stands first in the
// input.
//
//===----------------------------------------------------------------------===//

#include "Expression.h"
#include "Iteration.h"
#include "Selection.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <limits>

using namespace mlir;

namespace mho::import {

namespace {

/// Numbers of the elements of a vector in ascending order.
Value ordered(Node &n, Value keys) {
  Type integer = n.b.getI64Type();
  auto op =
      graph::TopKOp::create(n.b, n.loc, keys.getType(),
                            n.typeOf(n.shape(keys), integer), keys, UnitAttr());
  return op.getIndices();
}

/// Numbers of the rows of a matrix in their order: by the last column first,
/// each sort keeps the order of the one before among equals.
Value orderedRows(Node &n, Value rows) {
  int64_t count = n.shape(rows)[0], columns = n.shape(rows)[1];
  if (columns == 1)
    return ordered(n, n.reshape(rows, count));
  auto step = [&](const Step &at) {
    Value column = gathered(n, at.slices[0], at.state[0], 0);
    StepResult result;
    result.state = {gathered(n, at.state[0], ordered(n, column), 0)};
    return result;
  };
  return iterate(n.b, n.loc, *n.extents, columns,
                 n.counting(count, n.b.getI64Type()),
                 Sliced{rows, 1, /*backwards=*/true}, {}, step)[0];
}

/// Element by element, NaN equal to NaN.
Expr differs(Expr a, Expr c) {
  Expr same = a == c;
  if (a.isFloat())
    same = same || (isNan(a) && isNan(c));
  return !same;
}

/// `to` with updates at places of its one axis.
Expr scattered(Expr to, Expr updates, Expr places, StringRef kind) {
  Node &n = to.node();
  return {n, n.make<graph::ScatterNDOp>(
                 Value(to).getType(), Value(to), Value(updates),
                 ValueRange(Value(places)), n.b.getDenseI64ArrayAttr(-1),
                 n.b.getStringAttr(kind))};
}

/// Running number of the true elements, from 0.
Expr numbered(Expr flags) {
  Node &n = flags.node();
  return Expr(n, n.make<graph::CumSumOp>(Value(flags).getType(), Value(flags),
                                         n.b.getI64IntegerAttr(0), UnitAttr(),
                                         UnitAttr())) -
         1;
}

} // namespace

void uniqueAtRunTime(Node &n) {
  Value x = n.input(0);
  int64_t axis = 0, width = 1;
  Shape toFront;
  if (n.has("axis")) {
    axis = n.axis(n.integer("axis", 0), n.type(x).getRank());
    toFront.push_back(axis);
  } else {
    x = n.reshape(x, n.extents->elements(n.shape(x)));
    toFront.push_back(0);
  }
  for (auto [i, extent] : llvm::enumerate(n.shape(x)))
    if (int64_t(i) != axis) {
      toFront.push_back(i);
      width = n.extents->product(width, extent);
    }
  int64_t count = n.shape(x)[axis];
  Type integer = n.b.getI64Type();
  auto filled = [&](int64_t value) {
    int64_t most = n.extents->range(count).high;
    Value all =
        n.constant(DenseElementsAttr::get(n.typeOf(most, integer), value));
    return Expr(n, n.sliced(all, 0, 1, count));
  };
  Expr places(n, n.counting(count, integer)), order = places;
  // Slices without elements are all the same.
  Expr begins = places == 0;
  if (width != 0) {
    Expr rows(n, n.reshape(n.transpose(x, toFront), {count, width}));
    order = {n, orderedRows(n, rows)};
    Expr sorted(n, gathered(n, rows, order, 0));
    Expr before(n, gathered(n, sorted, max(places - 1, 0), 0));
    Expr news = differs(sorted, before).as(n.b.getIntegerType(8));
    news = width == 1 ? news.reshape(count) : largest(news, 1, false);
    begins = begins || news == 1;
  }
  Expr run = numbered(begins.as(integer));

  Expr first = order, inverse = run;
  Value unique;
  if (n.integer("sorted", 1)) {
    unique = gathered(n, order, chosen(n, begins), 0);
  } else {
    // Runs in the order of their first slices in the input.
    Expr isFirst = scattered(filled(0), begins.as(integer), order, "none");
    unique = chosen(n, isFirst);
    Expr firstOfRun = scattered(filled(std::numeric_limits<int64_t>::max()),
                                order, run, "min");
    first = {n, gathered(n, firstOfRun, run, 0)};
    inverse = {n, gathered(n, numbered(isFirst), first, 0)};
  }
  n.result(gathered(n, x, unique, axis));
  n.result(unique);
  n.result(scattered(filled(0), inverse, order, "none"));
  n.result(n.sliced(scattered(filled(0), filled(1), inverse, "add"), 0, 1,
                    n.shape(unique)[0]));
}

} // namespace mho::import
