//===- ExposeWeights.cpp - products in the forms that arrays have ---------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Graph/Transforms/Passes.h"

#include "mho/Dialect/Graph/IR/Constants.h"
#include "mho/Dialect/Graph/IR/Stationary.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace mho::graph {
#define GEN_PASS_DEF_EXPOSEWEIGHTS
#include "mho/Dialect/Graph/Transforms/Passes.h.inc"
} // namespace mho::graph

using namespace mho;

namespace {

RankedTensorType tensorType(Value value) {
  return dyn_cast<RankedTensorType>(value.getType());
}

/// The last two axes swapped.
Value swapped(PatternRewriter &rewriter, Location loc, Value value) {
  auto type = tensorType(value);
  SmallVector<int64_t> shape(type.getShape());
  auto perm = llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
  std::swap(shape[shape.size() - 2], shape.back());
  std::swap(perm[perm.size() - 2], perm.back());
  return rewriter.createOrFold<graph::TransposeOp>(
      loc, type.clone(ArrayRef<int64_t>(shape)), value,
      rewriter.getDenseI64ArrayAttr(perm));
}

Value reshaped(PatternRewriter &rewriter, Location loc, Value value,
               ArrayRef<int64_t> shape) {
  return rewriter.createOrFold<graph::ReshapeOp>(
      loc, tensorType(value).clone(shape), value);
}

/// W·x becomes (xᵀ·Wᵀ)ᵀ.
struct MoveWeightsRight : OpRewritePattern<graph::MatmulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(graph::MatmulOp op,
                                PatternRewriter &rewriter) const override {
    auto a = tensorType(op.getA()), b = tensorType(op.getB());
    auto type = tensorType(op.getY());
    if (!a || !b || !type || a.getRank() < 2 ||
        !graph::isStationary(op.getA()) || graph::isStationary(op.getB()))
      return failure();
    Location loc = op.getLoc();
    if (b.getRank() == 1) {
      // A vector is a row on either side.
      if (a.getRank() > 2)
        return failure();
      rewriter.replaceOpWithNewOp<graph::MatmulOp>(
          op, type, op.getB(), swapped(rewriter, loc, op.getA()));
      return success();
    }
    SmallVector<int64_t> shape(type.getShape());
    std::swap(shape[shape.size() - 2], shape.back());
    Value product = graph::MatmulOp::create(
        rewriter, loc, type.clone(ArrayRef<int64_t>(shape)),
        swapped(rewriter, loc, op.getB()), swapped(rewriter, loc, op.getA()));
    rewriter.replaceOp(op, swapped(rewriter, loc, product));
    return success();
  }
};

/// A'·B' with constant A becomes (B'ᵀ·A'ᵀ)ᵀ, the third operand added behind.
struct MoveGemmWeightsRight : OpRewritePattern<graph::GemmOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(graph::GemmOp op,
                                PatternRewriter &rewriter) const override {
    auto type = tensorType(op.getY());
    if (!type || !graph::isStationary(op.getA()) ||
        graph::isStationary(op.getB()))
      return failure();
    float beta = op.getBeta().convertToFloat();
    if (op.getC() && beta != 1 && beta != 0)
      return failure();
    Location loc = op.getLoc();
    auto turned = type.clone({type.getDimSize(1), type.getDimSize(0)});
    auto flag = [&](bool set) {
      return set ? rewriter.getUnitAttr() : UnitAttr();
    };
    Value product = graph::GemmOp::create(
        rewriter, loc, turned, op.getB(), op.getA(), Value(), op.getAlphaAttr(),
        rewriter.getF32FloatAttr(1), flag(!op.getTransB()),
        flag(!op.getTransA()));
    Value y = swapped(rewriter, loc, product);
    if (op.getC() && beta != 0)
      y = graph::AddOp::create(rewriter, loc, type, y, op.getC());
    rewriter.replaceOp(op, y);
    return success();
  }
};

/// x·v with a constant vector: a matrix of one column.
struct VectorToColumn : OpRewritePattern<graph::MatmulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(graph::MatmulOp op,
                                PatternRewriter &rewriter) const override {
    auto b = tensorType(op.getB());
    auto type = tensorType(op.getY());
    if (!b || !type || b.getRank() != 1 || !graph::isStationary(op.getB()) ||
        graph::isStationary(op.getA()))
      return failure();
    Location loc = op.getLoc();
    SmallVector<int64_t> shape(type.getShape());
    shape.push_back(1);
    Value column = reshaped(rewriter, loc, op.getB(), {b.getDimSize(0), 1});
    Value product = graph::MatmulOp::create(
        rewriter, loc, type.clone(ArrayRef<int64_t>(shape)), op.getA(), column);
    rewriter.replaceOp(op, reshaped(rewriter, loc, product, type.getShape()));
    return success();
  }
};

/// Element `i` of axis `axis`, which stays with extent 1.
Value taken(PatternRewriter &rewriter, Location loc, Value value, int64_t axis,
            int64_t i) {
  auto type = tensorType(value);
  SmallVector<int64_t> shape(type.getShape()), starts(type.getRank(), 0);
  SmallVector<int64_t> steps(type.getRank(), 1);
  shape[axis] = 1;
  starts[axis] = i;
  return rewriter.createOrFold<graph::SliceOp>(
      loc, type.clone(ArrayRef<int64_t>(shape)), value,
      rewriter.getDenseI64ArrayAttr(starts),
      rewriter.getDenseI64ArrayAttr(steps));
}

/// A stack of constant matrices becomes a product for each, axis by axis where
/// it has several. Every one takes its part of the input, where that is a stack
/// too.
struct SplitStack : OpRewritePattern<graph::MatmulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(graph::MatmulOp op,
                                PatternRewriter &rewriter) const override {
    auto a = tensorType(op.getA()), b = tensorType(op.getB());
    auto type = tensorType(op.getY());
    // A product over one row is no work for an array.
    if (!a || !b || !type || a.getRank() < 2 || b.getRank() < 3 ||
        a.getShape().back() < 2 || !graph::isStationary(op.getB()) ||
        graph::isStationary(op.getA()))
      return failure();
    int64_t rank = b.getRank();
    SmallVector<int64_t> stacked;
    for (int64_t axis = 0; axis < rank - 2; ++axis)
      if (b.getDimSize(axis) != 1)
        stacked.push_back(axis);
    int64_t axis = stacked.empty() ? 0 : stacked.front();
    // The same axis counted from the left of the input and of the result.
    int64_t inInput = a.getRank() - rank + axis;
    int64_t inResult = type.getRank() - rank + axis;
    Location loc = op.getLoc();
    SmallVector<int64_t> matrix(b.getShape().take_back(2));
    SmallVector<int64_t> part(type.getShape());
    if (!stacked.empty())
      part[inResult] = 1;
    SmallVector<Value> parts;
    for (int64_t i = 0; i < b.getDimSize(axis); ++i) {
      Value x = op.getA();
      if (inInput >= 0 && a.getDimSize(inInput) != 1 && !stacked.empty())
        x = taken(rewriter, loc, x, inInput, i);
      Value w = taken(rewriter, loc, op.getB(), axis, i);
      SmallVector<int64_t> shape(tensorType(x).getShape());
      if (stacked.size() > 1) {
        shape = part;
      } else {
        w = reshaped(rewriter, loc, w, matrix);
        shape.back() = matrix[1];
      }
      Value y = graph::MatmulOp::create(
          rewriter, loc, type.clone(ArrayRef<int64_t>(shape)), x, w);
      parts.push_back(reshaped(rewriter, loc, y, part));
    }
    Value whole = parts.front();
    if (parts.size() > 1)
      whole = graph::ConcatOp::create(rewriter, loc, type, parts, inResult);
    rewriter.replaceOp(op, whole);
    return success();
  }
};

/// Whether `value` is 0, 1, 2 … along its last axis, which has `count`
/// elements, and has no other axes.
bool countsUp(Value value, int64_t count) {
  ElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)) ||
      elements.getNumElements() != count ||
      elements.getShapedType().getRank() == 0 ||
      elements.getShapedType().getShape().back() != count)
    return false;
  bool counts = true;
  return graph::forEachFloats(elements,
                              [&](int64_t begin, ArrayRef<float> part) {
                                for (auto [i, number] : llvm::enumerate(part))
                                  counts &= number == float(begin + int64_t(i));
                              }) &&
         counts;
}

/// The indices of a one-hot matrix, without the axis that it runs over; null
/// where `value` is none.
Value indicesOfOneHot(Value value) {
  auto cast = value.getDefiningOp<graph::CastOp>();
  auto equal = cast ? cast.getX().getDefiningOp<graph::EqualOp>() : nullptr;
  auto type = tensorType(value);
  if (!equal || !type || type.getRank() == 0)
    return nullptr;
  int64_t count = type.getShape().back();
  for (auto [indices, numbers] :
       {std::pair(equal.getA(), equal.getB()), {equal.getB(), equal.getA()}}) {
    auto of = tensorType(indices);
    // Larger counts are no exact f32.
    if (of && of.getRank() == type.getRank() && of.getShape().back() == 1 &&
        of.getShape().drop_back() == type.getShape().drop_back() &&
        isa<IntegerType>(of.getElementType()) && count < (1 << 24) &&
        countsUp(numbers, count))
      return indices;
  }
  return nullptr;
}

/// A product with a one-hot matrix takes rows.
struct OneHotToGather : OpRewritePattern<graph::MatmulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(graph::MatmulOp op,
                                PatternRewriter &rewriter) const override {
    auto weights = tensorType(op.getB());
    auto type = tensorType(op.getY());
    Value indices = indicesOfOneHot(op.getA());
    if (!indices || !weights || weights.getRank() != 2 || !type ||
        !graph::isStationary(op.getB()))
      return failure();
    Location loc = op.getLoc();
    Value own = reshaped(rewriter, loc, indices, type.getShape().drop_back());
    auto indexType = tensorType(own).clone(rewriter.getIntegerType(64));
    if (own.getType() != indexType)
      own = graph::CastOp::create(rewriter, loc, indexType, own);
    auto scalar = [&](Type element, double number) -> Value {
      auto of = RankedTensorType::get({}, element);
      Attribute value = isa<FloatType>(element)
                            ? Attribute(rewriter.getFloatAttr(element, number))
                            : rewriter.getIntegerAttr(element, int64_t(number));
      return arith::ConstantOp::create(rewriter, loc,
                                       DenseElementsAttr::get(of, value));
    };
    Type index = rewriter.getIntegerType(64);
    Value low = scalar(index, 0);
    Value high = scalar(index, double(weights.getDimSize(0) - 1));
    Value inside =
        graph::ClipOp::create(rewriter, loc, indexType, own, low, high);
    Value rows = graph::GatherOp::create(rewriter, loc, type, op.getB(), inside,
                                         rewriter.getI64IntegerAttr(0));
    // What no column stands for is a row of zeros.
    SmallVector<int64_t> shape(indexType.getShape());
    shape.push_back(1);
    Value valid = graph::EqualOp::create(
        rewriter, loc, indexType.clone(rewriter.getI1Type()), own, inside);
    valid = reshaped(rewriter, loc, valid, shape);
    rewriter.replaceOpWithNewOp<graph::WhereOp>(
        op, type, valid, rows, scalar(type.getElementType(), 0));
    return success();
  }
};

struct ExposeWeights : mho::graph::impl::ExposeWeightsBase<ExposeWeights> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<MoveWeightsRight, MoveGemmWeightsRight, VectorToColumn,
                 SplitStack, OneHotToGather>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
