//===- StationaryProducts.cpp - which products have constant weights ------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Graph/IR/GraphOps.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mho::graph;

namespace {

/// A tensor that is part of a constant: behind transposes, slices without
/// steps, reshapes that only drop axes of one element (a direction of stacked
/// recurrent weights, say), and casts that lose nothing in f32.
struct PartOfConstant {
  Value constant;
  /// The constant's axes that are the tensor's; `single` are the others.
  SmallVector<int64_t> axes, single;
  SmallVector<int64_t> offsets, sizes;

  /// Null `constant` where `value` is no such tensor.
  explicit PartOfConstant(Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type || !type.hasStaticShape())
      return;
    axes = llvm::to_vector(llvm::seq<int64_t>(0, type.getRank()));
    offsets.assign(type.getRank(), 0);
    sizes.assign(type.getShape().begin(), type.getShape().end());
    while (Operation *op = value.getDefiningOp()) {
      if (auto transpose = dyn_cast<TransposeOp>(op))
        lookThrough(transpose);
      else if (auto slice = dyn_cast<SliceOp>(op);
               slice && llvm::all_of(slice.getSteps(),
                                     [](int64_t step) { return step == 1; }))
        for (auto [offset, start] : llvm::zip(offsets, slice.getStarts()))
          offset += start;
      else if (auto reshape = dyn_cast<ReshapeOp>(op);
               !(reshape && lookThrough(reshape)) && !isExactCast(op))
        break;
      value = op->getOperand(0);
    }
    if (matchPattern(value, m_Constant()))
      constant = value;
  }

  void fill(StationaryProduct &product) const {
    product.weights = constant;
    product.offsets.assign(offsets.begin(), offsets.end());
    product.sizes.assign(sizes.begin(), sizes.end());
  }
  /// Axis `axis` of the tensor, with those that have one element.
  SmallVector<int64_t, 0> rows(int64_t axis) const {
    SmallVector<int64_t, 0> all(single.begin(), single.end());
    all.push_back(axes[axis]);
    return all;
  }

private:
  /// Whether every value of the operand's type is an f32, and stays it.
  static bool isExactCast(Operation *op) {
    auto cast = dyn_cast<CastOp>(op);
    if (!cast)
      return false;
    Type from = getElementTypeOrSelf(cast.getX().getType());
    Type to = getElementTypeOrSelf(cast.getType());
    if (!to.isF32())
      return false;
    if (auto floats = dyn_cast<FloatType>(from))
      return floats.getWidth() <= 32;
    return from.isInteger() && from.getIntOrFloatBitWidth() <= 16;
  }

  void lookThrough(TransposeOp op) {
    ArrayRef<int64_t> perm = op.getPerm();
    for (int64_t &axis : llvm::concat<int64_t>(axes, single))
      axis = perm[axis];
    SmallVector<int64_t> oldOffsets = offsets, oldSizes = sizes;
    for (auto [i, axis] : llvm::enumerate(perm)) {
      offsets[axis] = oldOffsets[i];
      sizes[axis] = oldSizes[i];
    }
  }

  bool lookThrough(ReshapeOp op) {
    ArrayRef<int64_t> from =
        cast<RankedTensorType>(op.getX().getType()).getShape();
    ArrayRef<int64_t> to = op.getY().getType().getShape();
    SmallVector<int64_t> source, dropped;
    for (auto [axis, extent] : llvm::enumerate(from)) {
      if (source.size() < to.size() && extent == to[source.size()])
        source.push_back(axis);
      else if (extent == 1)
        dropped.push_back(axis);
      else
        return false;
    }
    if (source.size() != to.size())
      return false;
    for (int64_t &axis : llvm::concat<int64_t>(axes, single))
      axis = source[axis];
    single.append(dropped);
    SmallVector<int64_t> oldOffsets = offsets, oldSizes = sizes;
    offsets.assign(from.size(), 0);
    sizes.assign(from.size(), 1);
    for (auto [i, axis] : llvm::enumerate(source)) {
      offsets[axis] = oldOffsets[i];
      sizes[axis] = oldSizes[i];
    }
    return true;
  }
};

} // namespace

static std::optional<int64_t> lastExtent(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || type.getRank() == 0)
    return std::nullopt;
  return type.getShape().back();
}

/// The products of a stack of matrices, which differ along one axis (`stacked`
/// of `weights`): each takes its part of the input, where that differs too.
static SmallVector<StationaryProduct>
stackedProducts(MatmulOp op, const PartOfConstant &weights, int64_t stacked) {
  auto a = cast<RankedTensorType>(op.getA().getType());
  auto type = cast<RankedTensorType>(op.getType());
  int64_t rank = weights.axes.size();
  // The same axis counted from the left of the input and of the result.
  int64_t inInput = a.getRank() - rank + stacked;
  int64_t inResult = type.getRank() - rank + stacked;
  bool sliced = inInput >= 0 && a.getDimSize(inInput) != 1;
  SmallVector<StationaryProduct> products;
  int64_t axis = weights.axes[stacked];
  for (int64_t i = 0; i < weights.sizes[axis]; ++i) {
    StationaryProduct product;
    weights.fill(product);
    product.offsets[axis] += i;
    product.sizes[axis] = 1;
    product.rows = weights.rows(rank - 2);
    for (int64_t other = rank - 2; other-- > 0;)
      product.rows.insert(product.rows.begin(), weights.axes[other]);
    product.columns = {weights.axes[rank - 1]};
    product.input = op.getA();
    product.channelCount = a.getShape().back();
    if (sliced) {
      product.inputStarts.assign(a.getRank(), 0);
      product.inputSizes.assign(a.getShape().begin(), a.getShape().end());
      product.inputStarts[inInput] = i;
      product.inputSizes[inInput] = 1;
    }
    product.joinAxis = inResult;
    products.push_back(std::move(product));
  }
  return products;
}

SmallVector<StationaryProduct> MatmulOp::getStationaryProducts() {
  PartOfConstant weights(getB());
  auto channels = lastExtent(getA());
  int64_t rank = weights.axes.size();
  auto a = dyn_cast<RankedTensorType>(getA().getType());
  if (!weights.constant || rank < 2 || !channels || !a || !a.hasStaticShape())
    return {};
  if (rank > 2) {
    // A stack of matrices along one axis; with more, or with vectors, or with
    // one row each, an array is the wrong place.
    SmallVector<int64_t> stacked;
    for (int64_t axis = 0; axis < rank - 2; ++axis)
      if (weights.sizes[weights.axes[axis]] != 1)
        stacked.push_back(axis);
    if (stacked.size() > 1 || a.getRank() < 2 || *channels < 2)
      return {};
    // Of one matrix the leading axes are only a matter of the result's shape.
    return stackedProducts(*this, weights,
                           stacked.empty() ? 0 : stacked.front());
  }
  StationaryProduct product;
  weights.fill(product);
  product.input = getA();
  product.rows = weights.rows(0);
  product.columns = {weights.axes[1]};
  product.channelCount = *channels;
  return {product};
}

SmallVector<StationaryProduct> GemmOp::getStationaryProducts() {
  StationaryProduct product;
  PartOfConstant weights(getB());
  auto channels = lastExtent(getA());
  if (!weights.constant || weights.axes.size() != 2 || !channels ||
      getTransA())
    return {};
  weights.fill(product);
  product.input = getA();
  product.rows = weights.rows(getTransB() ? 1 : 0);
  product.columns = {weights.axes[getTransB() ? 0 : 1]};
  product.scale = getAlpha().convertToFloat();
  product.channelCount = *channels;
  float beta = getBeta().convertToFloat();
  if (getC() && beta != 0) {
    // One value per column, or one for all: anything else is no affine.
    auto type = dyn_cast<RankedTensorType>(getC().getType());
    int64_t columns = product.sizes[product.columns[0]];
    if (!type || !matchPattern(getC(), m_Constant()) ||
        (type.getNumElements() != 1 && (type.getNumElements() != columns ||
                                        type.getShape().back() != columns)))
      return {};
    product.shift = getC();
    product.shiftScale = beta;
  }
  return {product};
}

SmallVector<StationaryProduct> ConvOp::getStationaryProducts() {
  auto x = dyn_cast<RankedTensorType>(getX().getType());
  auto w = dyn_cast<RankedTensorType>(getW().getType());
  if (!x || !w || (getBias() && !matchPattern(getBias(), m_Constant())))
    return {};
  PartOfConstant weights(getW());
  if (!weights.constant)
    return {};
  int64_t groups = getGroups(), groupChannels = w.getDimSize(1);
  // One input channel a group uses one row per kernel position of an array:
  // the digital unit does that better.
  if (groups > 1 && groupChannels == 1)
    return {};
  int64_t groupColumns = w.getDimSize(0) / groups;
  SmallVector<StationaryProduct> products;
  for (int64_t group = 0; group < groups; ++group) {
    StationaryProduct product;
    product.input = getX();
    weights.fill(product);
    product.rows.append(weights.single.begin(), weights.single.end());
    for (int64_t axis = 2; axis < w.getRank(); ++axis)
      product.rows.push_back(weights.axes[axis]);
    product.rows.push_back(weights.axes[1]);
    int64_t columns = weights.axes[0];
    product.columns = {columns};
    product.offsets[columns] += group * groupColumns;
    product.sizes[columns] = groupColumns;
    product.shift = getBias();
    product.shiftBegin = group * groupColumns;
    product.channelBegin = group * groupChannels;
    product.channelCount = groupChannels;
    product.windowed = true;
    llvm::append_range(product.kernel, getKernel());
    llvm::append_range(product.strides, getStrides());
    llvm::append_range(product.dilations, getDilations());
    llvm::append_range(product.pads, getPads());
    products.push_back(std::move(product));
  }
  return products;
}

bool mho::graph::isStationary(Value value) {
  return bool(PartOfConstant(value).constant);
}
