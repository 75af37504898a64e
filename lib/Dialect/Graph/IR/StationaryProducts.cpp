//===- StationaryProducts.cpp - which products have constant weights ------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Graph/IR/GraphOps.h"
#include "mho/Dialect/Graph/IR/Stationary.h"

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

SmallVector<StationaryProduct> MatmulOp::getStationaryProducts() {
  StationaryProduct product;
  PartOfConstant weights(getB());
  auto channels = lastExtent(getA());
  if (!weights.constant || weights.axes.size() != 2 || !channels)
    return {};
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
  if (!weights.constant || weights.axes.size() != 2 || !channels || getTransA())
    return {};
  weights.fill(product);
  product.input = getA();
  product.rows = weights.rows(getTransB() ? 1 : 0);
  product.columns = {weights.axes[getTransB() ? 0 : 1]};
  product.scale = getAlpha().convertToFloat();
  product.gates = getGates().value_or(StringRef());
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
