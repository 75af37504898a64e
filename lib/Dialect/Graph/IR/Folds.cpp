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

#include "mho/Dialect/Graph/IR/GraphOps.h"
#include "mho/Dialect/Graph/IR/Stationary.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mho::graph;

/// A constant under another shape shares its bytes.
static Attribute reshaped(Attribute attribute, Type type) {
  auto shaped = dyn_cast<RankedTensorType>(type);
  if (!shaped || !shaped.hasStaticShape())
    return nullptr;
  if (auto resource = dyn_cast_or_null<DenseResourceElementsAttr>(attribute)) {
    if (resource.getType().getNumElements() != shaped.getNumElements())
      return nullptr;
    return DenseResourceElementsAttr::get(shaped, resource.getRawHandle());
  }
  auto dense = dyn_cast_or_null<DenseElementsAttr>(attribute);
  if (!dense || dense.getType().getNumElements() != shaped.getNumElements())
    return nullptr;
  return dense.reshape(shaped);
}

OpFoldResult ReshapeOp::fold(FoldAdaptor adaptor) {
  if (Attribute constant = reshaped(adaptor.getX(), getType()))
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

OpFoldResult SliceOp::fold(FoldAdaptor adaptor) {
  auto one = [](int64_t step) { return step == 1; };
  if (getX().getType() == getType() && llvm::all_of(getSteps(), one))
    return getX();
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
    auto product =
        GemmOp::create(rewriter, op.getLoc(), type, op.getA(), op.getB(),
                       Value(), op.getAlphaAttr(), op.getBetaAttr(),
                       op.getTransAAttr(), op.getTransBAttr());
    rewriter.replaceOpWithNewOp<AddOp>(op, type, product, op.getC());
    return success();
  }
};

} // namespace

void GemmOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                         MLIRContext *context) {
  patterns.add<TransposeLeftOperand, AddBehindProduct>(context);
}
