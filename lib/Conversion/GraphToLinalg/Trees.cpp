//===- Trees.cpp - walks through decision trees to linalg -----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

using namespace mlir;

namespace mho::graph {

namespace {

/// A step of a walk: the child of `node` that x's features lead to.
Value childOf(ImplicitLocOpBuilder &b, TreeLeavesOp op, Value sample,
              Value node) {
  Type i32 = b.getI32Type();
  auto toIndex = [&](Value v) -> Value {
    return arith::IndexCastOp::create(b, b.getIndexType(), v);
  };
  Value at = toIndex(node);
  auto table = [&](Value values) -> Value {
    return tensor::ExtractOp::create(b, values, at);
  };
  Value feature = toIndex(table(op.getFeatures()));
  Value x =
      tensor::ExtractOp::create(b, op.getX(), ValueRange{sample, feature});
  Value threshold = table(op.getThresholds());
  Value outcomes = table(op.getOutcomes());
  Type wide = isNarrowFloat(x.getType()) ? Type(b.getF32Type()) : x.getType();
  x = convertFloat(b, x, wide);
  threshold = convertFloat(b, threshold, wide);
  auto compare = [&](arith::CmpFPredicate predicate) {
    return arith::CmpFOp::create(b, predicate, x, threshold).getResult();
  };
  auto constant = [&](int64_t value) { return constantOf(b, i32, value); };
  // The bit of how x and the threshold relate.
  Value bit = arith::SelectOp::create(b, compare(arith::CmpFPredicate::OGT),
                                      constant(4), constant(8));
  bit = arith::SelectOp::create(b, compare(arith::CmpFPredicate::OEQ),
                                constant(2), bit);
  bit = arith::SelectOp::create(b, compare(arith::CmpFPredicate::OLT),
                                constant(1), bit);
  Value taken = arith::CmpIOp::create(
      b, arith::CmpIPredicate::ne,
      arith::AndIOp::create(b, outcomes, bit), constant(0));
  Value child = arith::AddIOp::create(
      b, arith::AddIOp::create(b, node, node),
      arith::ExtUIOp::create(b, i32, taken));
  return tensor::ExtractOp::create(b, op.getChildren(), toIndex(child));
}

/// One loop over samples, trees and steps; the node is what a step hands on.
Value lowerTreeLeaves(Lowering &l, TreeLeavesOp op) {
  MLIRContext *context = l.b.getContext();
  AffineExpr sample, tree, step;
  bindDims(context, sample, tree, step);
  Value roots = l.moved(op.getRoots(), AffineMap::get(2, 0, tree),
                        l.resultType());
  // Nothing but its extent is used.
  Value steps = l.empty({int64_t(op.getDepth())}, l.b.getI32Type());
  return l.generic(
      steps, roots,
      {AffineMap::get(3, 0, step),
       AffineMap::get(3, 0, {sample, tree}, context)},
      {utils::IteratorType::parallel, utils::IteratorType::parallel,
       utils::IteratorType::reduction},
      [&](ImplicitLocOpBuilder &b, ValueRange args) {
        Value row = linalg::IndexOp::create(b, 0);
        return SmallVector<Value>{childOf(b, op, row, args[1])};
      })[0];
}

} // namespace

Lowered lowerTrees(Lowering &l) {
  if (auto op = dyn_cast<TreeLeavesOp>(l.op))
    return lowered(lowerTreeLeaves(l, op));
  return notOfFamily();
}

} // namespace mho::graph
