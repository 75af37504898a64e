//===- RegionPooling.cpp - MaxRoiPool -------------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A bin is a rectangle of whole elements whose sides depend on the regions. Its
// largest element is found axis by axis, each over the whole image with what
// is outside the bin masked.
//
//===----------------------------------------------------------------------===//

#include "Compositions.h"

#include <limits>

using namespace mlir;

namespace mho::import {

namespace {

/// One axis of all bins: which elements of the image are inside, R × bins ×
/// extent, and which bins have none, R × bins.
struct BinAxis {
  Value inside, empty;
};

BinAxis binAxis(Node &n, Value first, Value last, int64_t bins,
                int64_t extent) {
  Type element = n.element(first), test = n.b.getI1Type();
  auto number = [&](double value) { return n.scalar(element, value); };
  auto whole = [&](Value x) {
    x = n.binary<graph::AddOp>(x, number(0.5));
    return n.make<graph::FloorOp>(x.getType(), x);
  };
  auto clamped = [&](Value x) {
    return n.binary<graph::MinOp>(n.binary<graph::MaxOp>(x, number(0)),
                                  number(double(extent)));
  };
  first = whole(first);
  Value length = n.binary<graph::AddOp>(
      n.binary<graph::SubOp>(whole(last), first), number(1));
  length = n.binary<graph::MaxOp>(length, number(1));
  Value size = n.binary<graph::DivOp>(length, number(double(bins)));
  Value bin = counted(n, bins, 1, 2, element);
  Value begin = n.binary<graph::MulOp>(size, bin);
  Value end =
      n.binary<graph::MulOp>(size, n.binary<graph::AddOp>(bin, number(1)));
  begin = n.make<graph::FloorOp>(begin.getType(), begin);
  end = n.make<graph::CeilOp>(end.getType(), end);
  begin = clamped(n.binary<graph::AddOp>(begin, first));
  end = clamped(n.binary<graph::AddOp>(end, first));
  BinAxis axis;
  axis.empty = n.binary<graph::LessOrEqualOp>(end, begin, test);
  Shape wide(n.shape(begin));
  wide.push_back(1);
  Value at = counted(n, extent, 2, 3, element);
  axis.inside = n.binary<graph::AndOp>(
      n.binary<graph::GreaterOrEqualOp>(at, n.reshape(begin, wide), test),
      n.binary<graph::LessOp>(at, n.reshape(end, wide), test));
  return axis;
}

/// The largest element of x where `inside` holds, over the last axis.
Value largestInside(Node &n, Value inside, Value x) {
  Value lowest =
      n.scalar(n.element(x), -std::numeric_limits<double>::infinity());
  Shape shape(n.broadcast(inside, x));
  Value masked =
      n.make<graph::WhereOp>(n.typeOf(shape, n.element(x)), inside, x, lowest);
  int64_t last = int64_t(shape.size()) - 1;
  shape.pop_back();
  return n.make<graph::ReduceMaxOp>(n.typeOf(shape, n.element(x)), masked,
                                    n.b.getDenseI64ArrayAttr({last}),
                                    UnitAttr());
}

void maxRoiPool(Node &n) {
  Value x = n.input(0), rois = n.input(1);
  n.checkSameElement(x, rois);
  auto pooled = n.integers("pooled_shape");
  if (n.type(x).getRank() != 4 || n.type(rois).getRank() != 2 ||
      n.shape(rois)[1] != 5 || !pooled || pooled->size() != 2)
    n.fail("expected images of rank 4, five numbers for each region and two "
           "extents in pooled_shape");
  if ((*pooled)[0] < 1 || (*pooled)[1] < 1 || (*pooled)[0] > INT32_MAX ||
      (*pooled)[1] > INT32_MAX)
    n.fail("pooled_shape must be positive");
  int64_t count = n.shape(rois)[0], channels = n.shape(x)[1];
  int64_t height = n.shape(x)[2], width = n.shape(x)[3];
  Value corners = n.binary<graph::MulOp>(
      rois, n.scalar(n.element(rois), n.real("spatial_scale", 1)));
  auto corner = [&](int64_t i) { return sliced(n, corners, 1, i, i + 1); };
  BinAxis rows = binAxis(n, corner(2), corner(4), (*pooled)[0], height);
  BinAxis columns = binAxis(n, corner(1), corner(3), (*pooled)[1], width);

  Value image = n.cast(n.reshape(sliced(n, rois, 1, 0, 1), {count}),
                       n.b.getIntegerType(64));
  Value y = n.make<graph::GatherOp>(
      n.typeOf({count, channels, height, width}, n.element(x)), x, image,
      n.b.getI64IntegerAttr(0));
  // R, C, H, bins, W; then R, C, bins, bins, H.
  y = largestInside(
      n, n.reshape(columns.inside, {count, 1, 1, (*pooled)[1], width}),
      n.reshape(y, {count, channels, height, 1, width}));
  y = n.reshape(n.transpose(y, {0, 1, 3, 2}),
                {count, channels, 1, (*pooled)[1], height});
  y = largestInside(
      n, n.reshape(rows.inside, {count, 1, (*pooled)[0], 1, height}), y);
  Value empty = n.binary<graph::OrOp>(
      n.reshape(rows.empty, {count, 1, (*pooled)[0], 1}),
      n.reshape(columns.empty, {count, 1, 1, (*pooled)[1]}));
  n.result(
      n.make<graph::WhereOp>(y.getType(), empty, n.scalar(n.element(x), 0), y));
}

} // namespace

void addRegionPooling(HandlerTable &table) {
  table[".MaxRoiPool"] = maxRoiPool;
}

} // namespace mho::import
