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
  Expr inside, empty;
};

BinAxis binAxis(Expr first, Expr last, int64_t bins, int64_t extent) {
  Node &n = first.node();
  auto whole = [](Expr x) { return floor(x + 0.5); };
  first = whole(first);
  Expr size = max(whole(last) - first + 1, 1) / double(bins);
  Expr bin = counted(n, bins, 1, 2, first.element());
  Expr begin = clamp(floor(size * bin) + first, 0, double(extent));
  Expr end = clamp(ceil(size * (bin + 1)) + first, 0, double(extent));
  Expr empty = end <= begin;
  Shape column(begin.shape());
  column.push_back(1);
  Expr at = counted(n, extent, 2, 3, first.element());
  return {at >= begin.reshape(column) && at < end.reshape(column), empty};
}

/// The largest element of x where `inside` holds, over the last axis.
Expr largestInside(Expr inside, Expr x) {
  Expr masked = where(inside, x, -std::numeric_limits<double>::infinity());
  return largest(masked, {masked.rank() - 1}, false);
}

void maxRoiPool(Node &n) {
  Expr x(n, n.input(0)), rois(n, n.input(1));
  n.checkSameElement(x, rois);
  auto pooled = n.integers("pooled_shape");
  if (x.rank() != 4 || rois.rank() != 2 || rois.shape()[1] != 5 || !pooled ||
      pooled->size() != 2)
    n.fail("expected images of rank 4, five numbers for each region and two "
           "extents in pooled_shape");
  int64_t high = (*pooled)[0], broad = (*pooled)[1];
  if (high < 1 || broad < 1 || high > INT32_MAX || broad > INT32_MAX)
    n.fail("pooled_shape must be positive");
  int64_t count = rois.shape()[0], channels = x.shape()[1];
  int64_t height = x.shape()[2], width = x.shape()[3];
  Expr corners = rois * n.real("spatial_scale", 1);
  auto corner = [&](int64_t i) { return corners.slice(1, i, 1); };
  BinAxis rows = binAxis(corner(2), corner(4), high, height);
  BinAxis columns = binAxis(corner(1), corner(3), broad, width);

  Expr image = rois.slice(1, 0, 1).reshape({count}).as(n.b.getIntegerType(64));
  Expr y = gather(x, image, 0).reshape({count, channels, height, 1, width});
  // R, C, H, bins, W; then R, C, bins, bins, H.
  y = largestInside(columns.inside.reshape({count, 1, 1, broad, width}), y);
  y = y.transpose({0, 1, 3, 2}).reshape({count, channels, 1, broad, height});
  y = largestInside(rows.inside.reshape({count, 1, high, 1, height}), y);
  Expr empty = rows.empty.reshape({count, 1, high, 1}) ||
               columns.empty.reshape({count, 1, 1, broad});
  n.result(where(empty, 0, y));
}

} // namespace

void addRegionPooling(HandlerTable &table) {
  table[".MaxRoiPool"] = maxRoiPool;
}

} // namespace mho::import
