//===- Window.cpp - windows that slide over an image ----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Window.h"

#include "mho/Dialect/Graph/IR/Shapes.h"

using namespace mlir;

namespace mho::import {

Window attributesOf(Node &n, int64_t spatial, ArrayRef<int64_t> kernel) {
  Window window;
  window.kernel = n.integers("kernel_shape").value_or(Shape(kernel));
  window.strides = n.integers("strides").value_or(Shape(spatial, 1));
  window.dilations = n.integers("dilations").value_or(Shape(spatial, 1));
  window.pads = n.integers("pads").value_or(Shape(2 * spatial, 0));
  window.ceil = n.integer("ceil_mode", 0);
  if (int64_t(window.kernel.size()) != spatial ||
      int64_t(window.strides.size()) != spatial ||
      int64_t(window.dilations.size()) != spatial ||
      int64_t(window.pads.size()) != 2 * spatial)
    n.fail("kernel_shape, strides, dilations and pads need " + Twine(spatial) +
           ", " + Twine(spatial) + ", " + Twine(spatial) + " and " +
           Twine(2 * spatial) + " entries for a " + Twine(spatial) +
           "-dimensional image");
  if (!kernel.empty() && window.kernel != Shape(kernel))
    n.fail("kernel_shape differs from the weights' spatial extents");
  for (int64_t i = 0; i < spatial; ++i)
    if (window.kernel[i] < 1 || window.strides[i] < 1 ||
        window.dilations[i] < 1 || window.kernel[i] > INT32_MAX ||
        window.strides[i] > INT32_MAX || window.dilations[i] > INT32_MAX)
      n.fail("kernel_shape, strides and dilations must be positive");
  for (int64_t pad : window.pads)
    if (pad < 0 || pad > INT32_MAX)
      n.fail("pads must not be negative, found " + Twine(pad));
  return window;
}

std::pair<int64_t, int64_t> distributed(int64_t total, StringRef automatic) {
  int64_t small = total / 2, large = total - small;
  return automatic == "SAME_UPPER" ? std::pair(small, large)
                                   : std::pair(large, small);
}

/// Begin and end of auto_pad SAME around an axis whose extent the run gives.
static std::pair<int64_t, int64_t> runTimePads(Extents &extents, int64_t extent,
                                               int64_t positions,
                                               int64_t stride, int64_t reach,
                                               StringRef automatic) {
  // (positions - 1)·stride + reach - extent is below reach.
  int64_t span = extents.sum(extents.product(positions, stride),
                             extents.difference(reach - stride, extent));
  int64_t total =
      stride == 1 ? reach - 1 : extents.min(extents.max(span, 0), reach - 1);
  int64_t small = extents.floorQuotient(total, 2);
  int64_t large = extents.floorQuotient(extents.sum(total, 1), 2);
  return automatic == "SAME_UPPER" ? std::pair(small, large)
                                   : std::pair(large, small);
}

Window windowOf(Node &n, ArrayRef<int64_t> image, ArrayRef<int64_t> kernel) {
  if (image.size() < 3)
    n.fail("expected an image of rank 3 or more, found rank " +
           Twine(image.size()));
  if (isSymbol(image[1]))
    n.refuse("a window needs a constant number of channels, but axis 1 of the "
             "image has the extent " +
             n.extents->text(image[1]) + ", at most " +
             Twine(n.extents->range(image[1]).high) + "; " +
             n.extents->howToFix(image[1]));
  size_t spatial = image.size() - 2;
  Window window = attributesOf(n, spatial, kernel);
  std::string automatic = n.string("auto_pad", "NOTSET");
  if (automatic == "NOTSET" || automatic.empty())
    return window;
  window.pads.assign(2 * spatial, 0);
  if (automatic == "VALID")
    return window;
  if (automatic != "SAME_UPPER" && automatic != "SAME_LOWER")
    n.fail("auto_pad is NOTSET, VALID, SAME_UPPER or SAME_LOWER, found '" +
           automatic + "'");
  for (size_t i = 0; i < spatial; ++i) {
    int64_t extent = image[i + 2], stride = window.strides[i];
    int64_t positions =
        n.extents->floorQuotient(n.extents->sum(extent, stride - 1), stride);
    int64_t reach = (window.kernel[i] - 1) * window.dilations[i] + 1;
    window.positions.push_back(positions);
    std::tie(window.pads[i], window.pads[spatial + i]) =
        isSymbol(extent)
            ? runTimePads(*n.extents, extent, positions, stride, reach,
                          automatic)
            : distributed(std::max<int64_t>(0, (positions - 1) * stride +
                                                   reach - extent),
                          automatic);
  }
  return window;
}

/// The symbol for the windows along an axis whose extent the run gives.
static int64_t runTimePositions(Node &n, int64_t extent, const Window &window,
                                size_t i) {
  Extents &extents = *n.extents;
  int64_t stride = window.strides[i], padBegin = window.pads[i];
  int64_t reach = (window.kernel[i] - 1) * window.dilations[i] + 1;
  int64_t span = padBegin + window.pads[window.kernel.size() + i] - reach;
  auto counted = [&](int64_t more) {
    return extents.sum(extents.floorQuotient(extents.sum(extent, more), stride),
                       1);
  };
  if (!window.ceil)
    return counted(span);
  return extents.min(counted(span + stride - 1), counted(padBegin - 1));
}

Shape resultShape(Node &n, ArrayRef<int64_t> image, const Window &window,
                  int64_t channels) {
  Shape shape{image[0], channels};
  size_t spatial = image.size() - 2;
  for (size_t i = 0; i < spatial; ++i) {
    int64_t extent = image[i + 2], positions = 0;
    if (!window.positions.empty())
      positions = window.positions[i];
    else if (isSymbol(extent))
      positions = runTimePositions(n, extent, window, i);
    else
      positions = graph::windowPositions(
          extent, window.kernel[i], window.strides[i], window.dilations[i],
          window.pads[i], window.pads[spatial + i], window.ceil);
    if (n.extents->range(positions).high < 1)
      n.fail("a window of " + Twine(window.kernel[i]) +
             " does not fit spatial axis " + Twine(i) + " of extent " +
             n.extents->text(extent));
    shape.push_back(positions);
  }
  return shape;
}

Value bordered(Node &n, Value x, ArrayRef<int64_t> pads, Value fill) {
  if (llvm::all_of(pads, [](int64_t pad) { return pad == 0; }))
    return x;
  size_t spatial = pads.size() / 2;
  SmallVector<OpFoldResult> low(2, n.b.getIndexAttr(0)), high(low);
  Shape shape(n.shape(x));
  for (size_t i = 0; i < spatial; ++i) {
    int64_t begin = pads[i], end = pads[spatial + i];
    low.push_back(n.extents->value(n.b, n.loc, begin));
    high.push_back(n.extents->value(n.b, n.loc, end));
    shape[i + 2] = n.extents->sum(shape[i + 2], n.extents->sum(begin, end));
  }
  return n.make<graph::PadOp>(n.typeOf(shape, n.element(x)), x, fill, low, high,
                              StringRef("constant"));
}

Value withOwnBorder(Node &n, Value x, Window &window, Value fill, bool all) {
  size_t spatial = window.kernel.size();
  Shape pads(2 * spatial, 0);
  for (size_t i = 0; i < spatial; ++i) {
    int64_t &begin = window.pads[i], &end = window.pads[spatial + i];
    if (!isSymbol(begin) && !isSymbol(end) &&
        !(all && isSymbol(n.shape(x)[i + 2])))
      continue;
    std::swap(pads[i], begin);
    std::swap(pads[spatial + i], end);
  }
  return bordered(n, x, pads, fill);
}

} // namespace mho::import
