//===- Folds.cpp - structural folds and canonical forms -------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Folds that look at neighbours rather than at elements; constants are the
// dialect's (GraphDialect.cpp).
//
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Graph/IR/Constants.h"
#include "mho/Dialect/Graph/IR/GraphOps.h"
#include "mho/Dialect/Graph/IR/Stationary.h"

#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mho::graph;

OpFoldResult ReshapeOp::fold(FoldAdaptor adaptor) {
  if (Attribute constant = reshapedConstant(adaptor.getX(), getType()))
    return constant;
  if (getX().getType() == getType())
    return getX();
  if (auto inner = getX().getDefiningOp<ReshapeOp>()) {
    getXMutable().assign(inner.getX());
    return getResult();
  }
  return {};
}

OpFoldResult TransposeOp::fold(FoldAdaptor adaptor) {
  if (llvm::equal(getPerm(), llvm::seq<int64_t>(0, getPerm().size())) &&
      getX().getType() == getType())
    return getX();
  if (auto inner = getX().getDefiningOp<TransposeOp>()) {
    SmallVector<int64_t> perm;
    for (int64_t axis : getPerm())
      perm.push_back(inner.getPerm()[axis]);
    getXMutable().assign(inner.getX());
    setPerm(perm);
    return getResult();
  }
  return {};
}

OpFoldResult ConcatOp::fold(FoldAdaptor adaptor) {
  if (getXs().size() == 1 && getXs()[0].getType() == getType())
    return getXs()[0];
  return {};
}

/// A slice that reaches one part of a concatenation is taken from that.
static OpFoldResult takeFromPart(SliceOp op, ConcatOp concat) {
  int64_t axis = concat.getAxis();
  auto type = dyn_cast<RankedTensorType>(op.getType());
  if (!type || type.isDynamicDim(axis) || type.getDimSize(axis) == 0)
    return {};
  int64_t first = op.getStarts()[axis];
  int64_t last = first + (type.getDimSize(axis) - 1) * op.getSteps()[axis];
  auto [low, high] = std::minmax(first, last);
  int64_t begin = 0;
  for (Value part : concat.getXs()) {
    auto partType = dyn_cast<RankedTensorType>(part.getType());
    if (!partType || partType.isDynamicDim(axis))
      return {};
    int64_t end = begin + partType.getDimSize(axis);
    if (low >= begin && high < end) {
      SmallVector<int64_t> starts(op.getStarts());
      starts[axis] -= begin;
      op.setStarts(starts);
      op.getXMutable().assign(part);
      return op.getResult();
    }
    begin = end;
  }
  return {};
}

OpFoldResult SliceOp::fold(FoldAdaptor adaptor) {
  auto one = [](int64_t step) { return step == 1; };
  if (getX().getType() == getType() && llvm::all_of(getSteps(), one))
    return getX();
  if (auto concat = getX().getDefiningOp<ConcatOp>())
    return takeFromPart(*this, concat);
  return {};
}

OpFoldResult PadOp::fold(FoldAdaptor adaptor) {
  auto zero = [](int64_t amount) { return amount == 0; };
  if (getX().getType() == getType() && llvm::all_of(getLow(), zero) &&
      llvm::all_of(getHigh(), zero))
    return getX();
  return {};
}

OpFoldResult ExpandOp::fold(FoldAdaptor adaptor) {
  return getX().getType() == getType() ? getX() : OpFoldResult();
}

OpFoldResult CastOp::fold(FoldAdaptor adaptor) {
  return getX().getType() == getType() ? getX() : OpFoldResult();
}

OpFoldResult GatherOp::fold(FoldAdaptor adaptor) { return {}; }

namespace {

/// A transposed left operand is transposed before the product, where it may
/// meet another transpose.
struct TransposeLeftOperand : OpRewritePattern<GemmOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(GemmOp op,
                                PatternRewriter &rewriter) const override {
    auto type = dyn_cast<RankedTensorType>(op.getA().getType());
    if (!op.getTransA() || !type || type.getRank() != 2)
      return failure();
    auto turned = RankedTensorType::get(
        {type.getDimSize(1), type.getDimSize(0)}, type.getElementType());
    Value a = TransposeOp::create(rewriter, op.getLoc(), turned, op.getA(),
                                  rewriter.getDenseI64ArrayAttr({1, 0}));
    rewriter.modifyOpInPlace(op, [&] {
      op.getAMutable().assign(a);
      op.setTransA(false);
    });
    return success();
  }
};

/// A third operand that is not one constant per column (or one for all) is
/// added behind the product, so that an array can still do the product.
struct AddBehindProduct : OpRewritePattern<GemmOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(GemmOp op,
                                PatternRewriter &rewriter) const override {
    auto type = dyn_cast<RankedTensorType>(op.getType());
    auto b = dyn_cast<RankedTensorType>(op.getB().getType());
    if (!op.getC() || !type || !b || !isStationary(op.getB()))
      return failure();
    auto c = dyn_cast<RankedTensorType>(op.getC().getType());
    float beta = op.getBeta().convertToFloat();
    bool perColumn = c && (c.getNumElements() == 1 ||
                           (c.getNumElements() == type.getDimSize(1) &&
                            c.getShape().back() == type.getDimSize(1)));
    if (!c || beta != 1 || (perColumn && matchPattern(op.getC(), m_Constant())))
      return failure();
    auto product = GemmOp::create(rewriter, op.getLoc(), type, op.getA(),
                                  op.getB(), Value(), op.getAlphaAttr(),
                                  op.getBetaAttr(), op.getTransAAttr(),
                                  op.getTransBAttr(), op.getGatesAttr());
    rewriter.replaceOpWithNewOp<AddOp>(op, type, product, op.getC());
    return success();
  }
};

} // namespace

void GemmOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                         MLIRContext *context) {
  patterns.add<TransposeLeftOperand, AddBehindProduct>(context);
}
