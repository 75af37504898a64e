//===- Agreement.cpp - extents that have to be equal ----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Agreement.h"

#include "Compositions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace mho::import {

/// Whether two extents differ as symbols, and are equal in some runs.
static bool mayAgree(Node &n, int64_t a, int64_t c) {
  if (a == c || !(isSymbol(a) || isSymbol(c)))
    return false;
  Extents::Range apart = n.extents->range(n.extents->difference(a, c));
  return apart.low <= 0 && apart.high >= 0;
}

Value agreed(Node &n, Value x, int64_t axis, int64_t to) {
  Shape shape(n.shape(x));
  if (!mayAgree(n, shape[axis], to))
    return x;
  auto index = [&](int64_t extent) {
    return getValueOrCreateConstantIndexOp(
        n.b, n.loc, n.extents->value(n.b, n.loc, extent));
  };
  Value apart =
      arith::SubIOp::create(n.b, n.loc, index(shape[axis]), index(to));
  // Where the tensor begins, so that nothing can leave it out.
  Value none =
      graph::BoundOp::create(n.b, n.loc, n.b.getIndexType(), apart, 0, 0);
  shape[axis] = to;
  SliceOfAll part = sliceOfAll(n, shape);
  part.offsets[axis] = none;
  return tensor::ExtractSliceOp::create(n.b, n.loc,
                                        n.typeOf(shape, n.element(x)), x,
                                        part.offsets, part.sizes, part.strides);
}

void agree(Node &n, Value &a, Value &c) {
  int64_t common = std::min(n.type(a).getRank(), n.type(c).getRank());
  for (int64_t back = 1; back <= common; ++back) {
    int64_t first = n.type(a).getRank() - back;
    int64_t second = n.type(c).getRank() - back;
    int64_t x = n.shape(a)[first], y = n.shape(c)[second];
    if (x == 1 || y == 1 || !mayAgree(n, x, y))
      continue;
    if (n.extents->range(x).low <= 1 || n.extents->range(y).low <= 1)
      n.refuse("whether the extents " + n.extents->text(x) + " and " +
               n.extents->text(y) + " of its inputs along axis " +
               Twine(first) +
               " are equal, or one of them is 1, depends on the run; give what "
               "they follow from with --shape one extent, or a lower limit "
               "that makes them larger than 1");
    // A number, if there is one, for both.
    if (isSymbol(x) && !isSymbol(y))
      a = agreed(n, a, first, y);
    else
      c = agreed(n, c, second, x);
  }
}

} // namespace mho::import
