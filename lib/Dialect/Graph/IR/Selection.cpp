//===- Selection.cpp - results whose extents follow from elements ---------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Graph/IR/Selection.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace mlir;

namespace mho::graph {

SmallVector<int64_t> nonZeroElements(const ConstantReader &x) {
  SmallVector<int64_t> found;
  for (int64_t i = 0; i < x.size(); ++i)
    if (x.isFloat() ? x.asDouble(i) != 0 : x.asInteger(i) != 0)
      found.push_back(i);
  return found;
}

/// Order of two elements: below, at or above 0.
static int compared(const ConstantReader &x, int64_t a, int64_t b) {
  if (x.isFloat()) {
    double u = x.asDouble(a), v = x.asDouble(b);
    if (std::isnan(u) || std::isnan(v))
      return int(std::isnan(u)) - int(std::isnan(v));
    return int(u > v) - int(u < v);
  }
  int64_t u = x.asInteger(a), v = x.asInteger(b);
  if (x.type().getElementType().isUnsignedInteger())
    return int(uint64_t(u) > uint64_t(v)) - int(uint64_t(u) < uint64_t(v));
  return int(u > v) - int(u < v);
}

UniqueSlices uniqueSlices(const ConstantReader &x, int64_t axis, bool sorted) {
  ArrayRef<int64_t> shape = x.type().getShape();
  int64_t extent = shape[axis], outer = 1, inner = 1;
  for (int64_t size : shape.take_front(axis))
    outer *= size;
  for (int64_t size : shape.drop_front(axis + 1))
    inner *= size;
  auto order = [&](int64_t a, int64_t b) {
    for (int64_t row = 0; row < outer; ++row)
      for (int64_t i = 0; i < inner; ++i)
        if (int result = compared(x, (row * extent + a) * inner + i,
                                  (row * extent + b) * inner + i))
          return result;
    return 0;
  };
  auto slices = llvm::to_vector(llvm::seq<int64_t>(0, extent));
  llvm::stable_sort(slices,
                    [&](int64_t a, int64_t b) { return order(a, b) < 0; });
  // Runs of equal slices, each with its first one in front.
  UniqueSlices unique;
  unique.inverse.assign(extent, 0);
  for (auto [i, slice] : llvm::enumerate(slices)) {
    if (i == 0 || order(slices[i - 1], slice) != 0) {
      unique.first.push_back(slice);
      unique.counts.push_back(0);
    }
    ++unique.counts.back();
    unique.inverse[slice] = int64_t(unique.first.size()) - 1;
  }
  if (sorted)
    return unique;
  auto runs = llvm::to_vector(llvm::seq<int64_t>(0, unique.first.size()));
  llvm::sort(runs, [&](int64_t a, int64_t b) {
    return unique.first[a] < unique.first[b];
  });
  UniqueSlices result;
  SmallVector<int64_t> place(runs.size());
  for (auto [i, run] : llvm::enumerate(runs)) {
    place[run] = i;
    result.first.push_back(unique.first[run]);
    result.counts.push_back(unique.counts[run]);
  }
  for (int64_t run : unique.inverse)
    result.inverse.push_back(place[run]);
  return result;
}

namespace {
struct Box {
  float top, left, bottom, right;
  float area() const { return (bottom - top) * (right - left); }
};
} // namespace

/// Box `i`, whichever of its corners is named first.
static Box boxAt(const ConstantReader &boxes, int64_t i, bool centers) {
  auto at = [&](int64_t k) { return float(boxes.asDouble(4 * i + k)); };
  if (centers) {
    float height = at(3) / 2, width = at(2) / 2;
    return {at(1) - height, at(0) - width, at(1) + height, at(0) + width};
  }
  return {std::min(at(0), at(2)), std::min(at(1), at(3)),
          std::max(at(0), at(2)), std::max(at(1), at(3))};
}

/// Whether the common part is more than `limit` of both together.
static bool overlaps(const Box &a, const Box &b, float limit) {
  float height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  float width = std::min(a.right, b.right) - std::max(a.left, b.left);
  if (!(height > 0) || !(width > 0) || !(a.area() > 0) || !(b.area() > 0))
    return false;
  float common = height * width;
  return common / (a.area() + b.area() - common) > limit;
}

SmallVector<int64_t> selectedBoxes(const ConstantReader &boxes,
                                   const ConstantReader &scores,
                                   const BoxLimits &limits) {
  ArrayRef<int64_t> shape = scores.type().getShape();
  int64_t classes = shape[1], count = shape[2];
  SmallVector<int64_t> selected;
  for (int64_t image = 0; image < shape[0]; ++image)
    for (int64_t number = 0; number < classes; ++number) {
      int64_t first = (image * classes + number) * count;
      auto score = [&](int64_t box) { return scores.asDouble(first + box); };
      SmallVector<int64_t> order;
      for (int64_t box = 0; box < count; ++box)
        if (!limits.score || score(box) > double(*limits.score))
          order.push_back(box);
      llvm::stable_sort(
          order, [&](int64_t a, int64_t b) { return score(a) > score(b); });
      SmallVector<Box> kept;
      for (int64_t box : order) {
        if (int64_t(kept.size()) >= limits.perClass)
          break;
        Box own = boxAt(boxes, image * count + box, limits.centers);
        if (llvm::any_of(kept, [&](const Box &other) {
              return overlaps(own, other, limits.overlap);
            }))
          continue;
        kept.push_back(own);
        selected.append({image, number, box});
      }
    }
  return selected;
}

} // namespace mho::graph
