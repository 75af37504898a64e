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

/// A constant of rank `rank` behind any number of transposes; `axes[i]` is the
/// constant's axis that `value`'s axis i is.
static Value constantBehindTransposes(Value value, int64_t rank,
                                      SmallVectorImpl<int64_t> &axes) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || type.getRank() != rank || !type.hasStaticShape())
    return nullptr;
  llvm::append_range(axes, llvm::seq<int64_t>(0, rank));
  while (auto transpose = value.getDefiningOp<TransposeOp>()) {
    for (int64_t &axis : axes)
      axis = transpose.getPerm()[axis];
    value = transpose.getX();
  }
  return matchPattern(value, m_Constant()) ? value : Value();
}

static void wholeConstant(StationaryProduct &product) {
  auto type = cast<RankedTensorType>(product.weights.getType());
  product.offsets.assign(type.getRank(), 0);
  product.sizes.assign(type.getShape().begin(), type.getShape().end());
}

static std::optional<int64_t> lastExtent(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || type.getRank() == 0)
    return std::nullopt;
  return type.getShape().back();
}

SmallVector<StationaryProduct> MatmulOp::getStationaryProducts() {
  StationaryProduct product;
  SmallVector<int64_t> axes;
  product.weights = constantBehindTransposes(getB(), 2, axes);
  auto channels = lastExtent(getA());
  if (!product.weights || !channels)
    return {};
  product.input = getA();
  product.rows = {axes[0]};
  product.columns = {axes[1]};
  product.channelCount = *channels;
  wholeConstant(product);
  return {product};
}

SmallVector<StationaryProduct> GemmOp::getStationaryProducts() {
  StationaryProduct product;
  SmallVector<int64_t> axes;
  product.weights = constantBehindTransposes(getB(), 2, axes);
  auto channels = lastExtent(getA());
  if (!product.weights || !channels || getTransA())
    return {};
  product.input = getA();
  product.rows = {axes[getTransB() ? 1 : 0]};
  product.columns = {axes[getTransB() ? 0 : 1]};
  product.scale = getAlpha().convertToFloat();
  product.channelCount = *channels;
  wholeConstant(product);
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
  if (!x || !w || !matchPattern(getW(), m_Constant()) ||
      (getBias() && !matchPattern(getBias(), m_Constant())))
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
    product.weights = getW();
    for (int64_t axis = 2; axis < w.getRank(); ++axis)
      product.rows.push_back(axis);
    product.rows.push_back(1);
    product.columns = {0};
    wholeConstant(product);
    product.offsets[0] = group * groupColumns;
    product.sizes[0] = groupColumns;
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
