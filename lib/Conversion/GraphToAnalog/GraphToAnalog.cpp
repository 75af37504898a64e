//===- GraphToAnalog.cpp - stationary products onto arrays ----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every op that says it has stationary weights becomes an analog.matmul (one
// per group of a grouped convolution); then what follows column by column and
// is constant (bias, BatchNormalization, scales) moves into its affine, so
// that no weight is rewritten.
//
//===----------------------------------------------------------------------===//

#include "mho/Conversion/GraphToAnalog/GraphToAnalog.h"

#include "GateColumns.h"

#include "mho/Dialect/Analog/IR/AnalogOps.h"
#include "mho/Dialect/Graph/IR/Constants.h"
#include "mho/Dialect/Graph/IR/GraphOps.h"
#include "mho/Dialect/Graph/IR/NodeLoc.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/MapVector.h"

#include <cmath>

using namespace mlir;
using namespace mho;

namespace mho {
#define GEN_PASS_DEF_CONVERTGRAPHTOANALOG
#include "mho/Conversion/Passes.h.inc"
} // namespace mho

namespace {

//===----------------------------------------------------------------------===//
// Constants as floats
//===----------------------------------------------------------------------===//

/// The elements of a float constant as f32, or nullopt where the value is no
/// constant with data.
std::optional<SmallVector<float>> constantFloats(Value value) {
  ElementsAttr elements;
  if (!value || !matchPattern(value, m_Constant(&elements)) ||
      !isa<FloatType>(elements.getElementType()))
    return std::nullopt;
  return graph::floatsOf(elements);
}

Value floatConstant(OpBuilder &builder, Location loc, ArrayRef<float> values) {
  auto type =
      RankedTensorType::get({int64_t(values.size())}, builder.getF32Type());
  return arith::ConstantOp::create(builder, loc,
                                   DenseElementsAttr::get(type, values));
}

/// The name that reports and symbols use for `loc`.
std::string nameOf(Location loc) {
  SmallVector<std::pair<StringRef, StringRef>> nodes;
  graph::collectNodes(loc, nodes);
  return nodes.empty() ? std::string("matmul") : nodes.front().first.str();
}

/// How the target's arrays hold a matrix: the encoding of a signed weight, and
/// the order of a hidden unit's gates where they lie side by side.
struct ArrayChoice {
  std::string kind;
  unsigned devices;
  std::string gates;
};

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

/// A product with constant weights becomes one analog.matmul per group.
struct LowerStationaryProduct
    : OpInterfaceRewritePattern<graph::WeightStationaryOpInterface> {
  LowerStationaryProduct(MLIRContext *context, const ArrayChoice &arrays)
      : OpInterfaceRewritePattern(context), arrays(arrays) {}

  LogicalResult matchAndRewrite(graph::WeightStationaryOpInterface op,
                                PatternRewriter &rewriter) const override {
    auto resultType = dyn_cast<RankedTensorType>(op->getResult(0).getType());
    if (!resultType || !isa<Float32Type, Float16Type, BFloat16Type>(
                           resultType.getElementType()))
      return rewriter.notifyMatchFailure(op, "arrays compute on f32");
    SmallVector<graph::StationaryProduct> products = op.getStationaryProducts();
    if (products.empty())
      return rewriter.notifyMatchFailure(op, "no constant weights");
    Location loc = op->getLoc();
    Type element = resultType.getElementType();
    auto f32Type = resultType.clone(rewriter.getF32Type());
    SmallVector<Value> parts;
    for (auto [number, product] : llvm::enumerate(products)) {
      FailureOr<Value> part =
          lowerProduct(op, product, number, products.size(), rewriter);
      if (failed(part))
        return failure();
      parts.push_back(*part);
    }
    Value whole = parts.front();
    if (parts.size() > 1)
      whole = graph::ConcatOp::create(rewriter, loc, f32Type, parts,
                                      resultType.getRank() - 1);
    if (whole.getType() != f32Type)
      whole = graph::ReshapeOp::create(rewriter, loc, f32Type, whole);
    if (!element.isF32())
      whole = graph::CastOp::create(rewriter, loc, resultType, whole);
    rewriter.replaceOp(op, whole);
    return success();
  }

private:
  FailureOr<Value> lowerProduct(Operation *op, graph::StationaryProduct product,
                                size_t number, size_t count,
                                PatternRewriter &rewriter) const {
    Location loc = op->getLoc();
    Value input = product.input;
    auto inputType = cast<RankedTensorType>(input.getType());
    auto resultType = cast<RankedTensorType>(op->getResult(0).getType());
    auto gates = GateColumns::take(product, arrays.gates, rewriter, loc);
    auto view = analog::ViewAttr::get(
        rewriter.getContext(), product.rows, product.columns, product.offsets,
        product.sizes, gates ? gates->viewOrder() : ArrayRef<int64_t>());
    int64_t columns = view.getNumColumns();
    if (columns == 0 || view.getNumRows() == 0)
      return LogicalResult(
          rewriter.notifyMatchFailure(op, "an empty matrix needs no array"));
    if (inputType.getElementType() != resultType.getElementType() ||
        inputType.getRank() == 0)
      return LogicalResult(
          rewriter.notifyMatchFailure(op, "arrays compute on f32"));
    if (!inputType.getElementType().isF32()) {
      inputType = inputType.clone(rewriter.getF32Type());
      input = graph::CastOp::create(rewriter, loc, inputType, input);
    }
    int64_t channels = inputType.getShape().back();
    if (product.channelCount != channels) {
      SmallVector<int64_t> shape(inputType.getShape());
      shape.back() = product.channelCount;
      SmallVector<int64_t> starts(shape.size(), 0), steps(shape.size(), 1);
      starts.back() = product.channelBegin;
      input = graph::SliceOp::create(rewriter, loc,
                                     inputType.clone(ArrayRef<int64_t>(shape)),
                                     input, starts, steps);
    }
    Value scale;
    if (product.scale != 1.0f)
      scale = floatConstant(rewriter, loc,
                            SmallVector<float>(columns, product.scale));
    Value shift;
    if (product.shift) {
      auto values = constantFloats(product.shift);
      if (!values || (values->size() != 1 &&
                      int64_t(values->size()) < product.shiftBegin + columns))
        return LogicalResult(
            rewriter.notifyMatchFailure(op, "bias is not per column"));
      if (values->size() == 1)
        values->resize(columns, values->front());
      else
        *values = SmallVector<float>(
            ArrayRef(*values).slice(product.shiftBegin, columns));
      for (float &value : *values)
        value *= product.shiftScale;
      if (gates)
        *values = gates->inOrder(*values);
      shift = floatConstant(rewriter, loc, *values);
    }
    SmallVector<int64_t> shape;
    if (product.windowed) {
      shape.assign(resultType.getShape().begin(), resultType.getShape().end());
      shape.back() = columns;
    } else {
      shape.assign(inputType.getShape().begin(), inputType.getShape().end());
      shape.back() = columns;
    }
    analog::WindowAttr window;
    if (product.windowed)
      window = analog::WindowAttr::get(rewriter.getContext(), product.kernel,
                                       product.strides, product.dilations,
                                       product.pads);
    std::string name = nameOf(loc);
    if (count > 1)
      name += ".group" + std::to_string(number);
    Value y = analog::MatmulOp::create(
        rewriter, loc, RankedTensorType::get(shape, rewriter.getF32Type()),
        input, product.weights, scale, shift, view, window,
        analog::EncodingAttr::get(rewriter.getContext(), arrays.kind,
                                  arrays.devices),
        rewriter.getStringAttr(name), FloatAttr(), DenseF32ArrayAttr());
    return gates ? gates->restored(y, rewriter, loc) : y;
  }

  const ArrayChoice &arrays;
};

/// What a following op does to column n: y·factor[n] + term[n].
struct Affine {
  SmallVector<float> factor, term;
};

/// Replaces `op`, which does `affine` to the columns of `matmul`, by a matmul
/// that does it itself.
void foldAffine(analog::MatmulOp matmul, Operation *op, const Affine &affine,
                PatternRewriter &rewriter) {
  size_t columns = affine.factor.size();
  auto orDefault = [&](Value constant, float value) {
    auto values = constantFloats(constant);
    return values ? *values : SmallVector<float>(columns, value);
  };
  SmallVector<float> scale = orDefault(matmul.getScale(), 1.0f);
  SmallVector<float> shift = orDefault(matmul.getShift(), 0.0f);
  bool scaled = false, shifted = false;
  for (size_t n = 0; n < columns; ++n) {
    scale[n] *= affine.factor[n];
    shift[n] = shift[n] * affine.factor[n] + affine.term[n];
    scaled |= scale[n] != 1.0f;
    shifted |= shift[n] != 0.0f;
  }
  Location loc = rewriter.getFusedLoc({matmul.getLoc(), op->getLoc()});
  rewriter.setInsertionPoint(op);
  Value scaleValue = scaled ? floatConstant(rewriter, loc, scale) : Value();
  Value shiftValue = shifted ? floatConstant(rewriter, loc, shift) : Value();
  auto fused = analog::MatmulOp::create(
      rewriter, loc, matmul.getType(), matmul.getX(), matmul.getW(), scaleValue,
      shiftValue, matmul.getView(), matmul.getWindowAttr(),
      matmul.getEncoding(), matmul.getSymAttr(), matmul.getInputRangeAttr(),
      matmul.getAdcRangesAttr());
  rewriter.replaceOp(op, fused);
}

/// The matmul that alone feeds `value`, where its affine may change.
analog::MatmulOp soleMatmul(Value value) {
  auto matmul = value.getDefiningOp<analog::MatmulOp>();
  // A user in a loop would take the product along.
  if (!matmul || !matmul->hasOneUse() ||
      matmul->getBlock() != (*matmul->user_begin())->getBlock())
    return nullptr;
  if ((matmul.getScale() && !constantFloats(matmul.getScale())) ||
      (matmul.getShift() && !constantFloats(matmul.getShift())))
    return nullptr;
  return matmul;
}

/// What a BatchNormalization does to each channel; nullopt where a parameter is
/// no constant.
std::optional<Affine> channelAffine(graph::BatchNormalizationOp op) {
  auto scale = constantFloats(op.getScale());
  auto bias = constantFloats(op.getBias());
  auto mean = constantFloats(op.getMean());
  auto variance = constantFloats(op.getVariance());
  if (!scale || !bias || !mean || !variance)
    return std::nullopt;
  Affine affine;
  for (size_t n = 0; n < scale->size(); ++n) {
    float factor = (*scale)[n] /
                   std::sqrt((*variance)[n] + op.getEpsilon().convertToFloat());
    affine.factor.push_back(factor);
    affine.term.push_back((*bias)[n] - (*mean)[n] * factor);
  }
  return affine;
}

struct FoldBatchNormalization : OpRewritePattern<graph::BatchNormalizationOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(graph::BatchNormalizationOp op,
                                PatternRewriter &rewriter) const override {
    analog::MatmulOp matmul = soleMatmul(op.getX());
    auto type = cast<RankedTensorType>(op.getY().getType());
    bool columnsLast = op.getChannelsLast() || type.getRank() == 2;
    if (!matmul || !columnsLast)
      return failure();
    auto affine = channelAffine(op);
    if (!affine)
      return failure();
    foldAffine(matmul, op, *affine, rewriter);
    return success();
  }
};

/// A BatchNormalization in front of a product goes into its weights and shift.
/// Exact only where no padding (which it would not see) enters a window.
struct FoldBatchNormalizationIntoWeights : OpRewritePattern<analog::MatmulOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(analog::MatmulOp matmul,
                                PatternRewriter &rewriter) const override {
    auto norm = matmul.getX().getDefiningOp<graph::BatchNormalizationOp>();
    auto type = cast<RankedTensorType>(matmul.getX().getType());
    if (!norm || !norm->hasOneUse() ||
        !(norm.getChannelsLast() || type.getRank() == 2))
      return failure();
    analog::ViewAttr view = matmul.getView();
    auto wType = cast<RankedTensorType>(matmul.getW().getType());
    if (auto window = matmul.getWindow()) {
      if (llvm::any_of(window->getPads(), [](int64_t pad) { return pad; }))
        return failure();
    } else if (view.getRows().size() != 1) {
      return failure();
    }
    int64_t channelAxis = view.getRows().back();
    auto affine = channelAffine(norm);
    auto weights = constantFloats(matmul.getW());
    if (!affine || !weights ||
        !llvm::equal(view.getSizes(), wType.getShape()) ||
        view.getColumns().size() != 1 ||
        int64_t(affine->factor.size()) != wType.getDimSize(channelAxis))
      return failure();
    auto valuesOr = [&](Value constant, float value) {
      auto values = constantFloats(constant);
      return values ? *values : SmallVector<float>(view.getNumColumns(), value);
    };
    if ((matmul.getScale() && !constantFloats(matmul.getScale())) ||
        (matmul.getShift() && !constantFloats(matmul.getShift())))
      return failure();
    SmallVector<float> scale = valuesOr(matmul.getScale(), 1.0f);
    SmallVector<float> shift = valuesOr(matmul.getShift(), 0.0f);
    auto strideOf = [&](int64_t axis) {
      int64_t stride = 1;
      for (int64_t i = axis + 1; i < wType.getRank(); ++i)
        stride *= wType.getDimSize(i);
      return stride;
    };
    int64_t columnAxis = view.getColumns().front();
    int64_t channelStride = strideOf(channelAxis);
    int64_t columnStride = strideOf(columnAxis);
    SmallVector<double> terms(view.getNumColumns(), 0.0);
    for (auto [i, weight] : llvm::enumerate(*weights)) {
      int64_t channel = i / channelStride % wType.getDimSize(channelAxis);
      int64_t column = i / columnStride % wType.getDimSize(columnAxis);
      terms[column] += double(weight) * affine->term[channel];
      weight *= affine->factor[channel];
    }
    for (auto [n, term] : llvm::enumerate(terms))
      shift[n] += float(term) * scale[n];
    Location loc = rewriter.getFusedLoc({matmul.getLoc(), norm.getLoc()});
    auto blob = HeapAsmResourceBlob::allocateAndCopyInferAlign(
        ArrayRef<float>(*weights));
    Value scaled = arith::ConstantOp::create(
        rewriter, loc,
        DenseResourceElementsAttr::get(wType, "normalized", std::move(blob)));
    auto fused = analog::MatmulOp::create(
        rewriter, loc, matmul.getType(), norm.getX(), scaled, matmul.getScale(),
        floatConstant(rewriter, loc, shift), view, matmul.getWindowAttr(),
        matmul.getEncoding(), matmul.getSymAttr(), matmul.getInputRangeAttr(),
        matmul.getAdcRangesAttr());
    rewriter.replaceOp(matmul, fused);
    return success();
  }
};

/// The per-column values of a constant that broadcasts to `type` along its
/// last axis only.
std::optional<SmallVector<float>> perColumn(Value value,
                                            RankedTensorType type) {
  auto constant = dyn_cast<RankedTensorType>(value.getType());
  int64_t columns = type.getShape().back();
  if (!constant || constant.getRank() > type.getRank() ||
      (constant.getNumElements() != 1 &&
       (constant.getNumElements() != columns ||
        constant.getShape().back() != columns)))
    return std::nullopt;
  auto values = constantFloats(value);
  if (values && values->size() == 1)
    values->resize(columns, values->front());
  return values;
}

/// x + c, x - c, x · c, x / c with c per column.
template <typename OpTy> struct FoldArithmetic : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    constexpr bool commutes = std::is_same_v<OpTy, graph::AddOp> ||
                              std::is_same_v<OpTy, graph::MulOp>;
    Value product = op.getA(), other = op.getB();
    analog::MatmulOp matmul = soleMatmul(product);
    if (!matmul && commutes) {
      std::swap(product, other);
      matmul = soleMatmul(product);
    }
    if (!matmul || op.getY().getType() != matmul.getType())
      return failure();
    auto values = perColumn(other, cast<RankedTensorType>(matmul.getType()));
    if (!values)
      return failure();
    Affine affine{SmallVector<float>(values->size(), 1.0f),
                  SmallVector<float>(values->size(), 0.0f)};
    for (auto [n, value] : llvm::enumerate(*values)) {
      if constexpr (std::is_same_v<OpTy, graph::AddOp>)
        affine.term[n] = value;
      else if constexpr (std::is_same_v<OpTy, graph::SubOp>)
        affine.term[n] = -value;
      else if constexpr (std::is_same_v<OpTy, graph::MulOp>)
        affine.factor[n] = value;
      else
        affine.factor[n] = 1.0f / value;
    }
    foldAffine(matmul, op, affine, rewriter);
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Pass
//===----------------------------------------------------------------------===//

/// Weights with NaN or infinity cannot become conductances.
LogicalResult verifyFinite(analog::MatmulOp op) {
  ElementsAttr elements;
  if (!matchPattern(op.getW(), m_Constant(&elements)))
    return success();
  bool isNan = false, isInfinite = false;
  graph::forEachFloats(elements, [&](int64_t, ArrayRef<float> part) {
    // A finite number's exponent is not all ones; most parts are passed here.
    uint32_t largest = 0;
    for (float value : part)
      largest = std::max(largest, llvm::bit_cast<uint32_t>(value) << 1);
    if (largest < 0xff000000u)
      return;
    for (float value : part) {
      isNan |= std::isnan(value);
      isInfinite |= std::isinf(value);
    }
  });
  if (!isNan && !isInfinite)
    return success();
  return op.emitError("weights of '")
         << op.getSym() << "' hold " << (isNan ? "NaN" : "infinity")
         << "; an array can only hold finite numbers";
}

/// What identifies the devices of a matrix: the constant, which part of it, and
/// how it is held.
using Matrix = std::tuple<Attribute, Attribute, Attribute>;

/// Products with one matrix share its devices only under one affine. Where
/// theirs differ, each gets its own behind the product.
void shareMatrices(ModuleOp module) {
  llvm::MapVector<Matrix, SmallVector<analog::MatmulOp>> users;
  module->walk([&](analog::MatmulOp op) {
    Attribute weights;
    if (matchPattern(op.getW(), m_Constant(&weights)))
      users[{weights, op.getView(), op.getEncoding()}].push_back(op);
  });
  auto constantOf = [](Value value) {
    Attribute attribute;
    if (value)
      matchPattern(value, m_Constant(&attribute));
    return attribute;
  };
  for (auto &[matrix, ops] : users) {
    bool alike = llvm::all_of(ops, [&, &ops = ops](analog::MatmulOp op) {
      return constantOf(op.getScale()) == constantOf(ops[0].getScale()) &&
             constantOf(op.getShift()) == constantOf(ops[0].getShift());
    });
    if (alike)
      continue;
    for (analog::MatmulOp op : ops) {
      OpBuilder builder(op);
      builder.setInsertionPointAfter(op);
      Value y = op.getY();
      SmallVector<Operation *> own;
      if (Value scale = op.getScale()) {
        y = graph::MulOp::create(builder, op.getLoc(), y.getType(), y, scale);
        own.push_back(y.getDefiningOp());
      }
      if (Value shift = op.getShift()) {
        y = graph::AddOp::create(builder, op.getLoc(), y.getType(), y, shift);
        own.push_back(y.getDefiningOp());
      }
      op.getScaleMutable().clear();
      op.getShiftMutable().clear();
      op.getY().replaceUsesWithIf(y, [&](OpOperand &use) {
        return !llvm::is_contained(own, use.getOwner());
      });
    }
  }
}

struct ConvertGraphToAnalog
    : mho::impl::ConvertGraphToAnalogBase<ConvertGraphToAnalog> {
  using Base::Base;

  void runOnOperation() override {
    ArrayChoice choice{encoding, devices, gates};
    RewritePatternSet lowering(&getContext());
    lowering.add<LowerStationaryProduct>(&getContext(), choice);
    lowering.add<FoldBatchNormalization, FoldArithmetic<graph::AddOp>,
                 FoldArithmetic<graph::SubOp>, FoldArithmetic<graph::MulOp>,
                 FoldArithmetic<graph::DivOp>>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(lowering))))
      return signalPassFailure();
    // After the products have taken the normalizations behind them, which
    // leaves their weights alone.
    RewritePatternSet weights(&getContext());
    weights.add<FoldBatchNormalizationIntoWeights>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(weights))))
      return signalPassFailure();
    shareMatrices(getOperation());
    bool finite = true;
    getOperation()->walk(
        [&](analog::MatmulOp op) { finite &= succeeded(verifyFinite(op)); });
    if (!finite)
      signalPassFailure();
  }
};

} // namespace
