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

/// Whether each place of an axis is a window of its own.
static bool seesOnePlace(const Window &window, size_t i) {
  size_t spatial = window.kernel.size();
  return window.kernel[i] == 1 && window.strides[i] == 1 &&
         window.pads[i] == 0 && window.pads[spatial + i] == 0;
}

Window windowOf(Node &n, ArrayRef<int64_t> image, ArrayRef<int64_t> kernel) {
  if (image.size() < 3)
    n.fail("expected an image of rank 3 or more, found rank " +
           Twine(image.size()));
  size_t spatial = image.size() - 2;
  Window window = attributesOf(n, spatial, kernel);
  for (int64_t axis = 1; axis < int64_t(image.size()); ++axis)
    if (isSymbol(image[axis]) && (axis == 1 || !seesOnePlace(window, axis - 2)))
      n.refuse("a window needs constant extents, but axis " + Twine(axis) +
               " of the image has the extent " + n.extents->text(image[axis]) +
               ", at most " + Twine(n.extents->range(image[axis]).high) + "; " +
               n.extents->howToFix(image[axis]));
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
    if (isSymbol(image[i + 2]))
      continue;
    int64_t extent = image[i + 2], stride = window.strides[i];
    int64_t positions = (extent + stride - 1) / stride;
    int64_t reach = (window.kernel[i] - 1) * window.dilations[i] + 1;
    int64_t total =
        std::max<int64_t>(0, (positions - 1) * stride + reach - extent);
    std::tie(window.pads[i], window.pads[spatial + i]) =
        distributed(total, automatic);
  }
  return window;
}

Shape resultShape(Node &n, ArrayRef<int64_t> image, const Window &window,
                  int64_t channels) {
  Shape shape{image[0], channels};
  size_t spatial = image.size() - 2;
  for (size_t i = 0; i < spatial; ++i) {
    if (isSymbol(image[i + 2])) {
      shape.push_back(image[i + 2]);
      continue;
    }
    int64_t positions = graph::windowPositions(
        image[i + 2], window.kernel[i], window.strides[i], window.dilations[i],
        window.pads[i], window.pads[spatial + i], window.ceil);
    if (positions < 1)
      n.fail("a window of " + Twine(window.kernel[i]) +
             " does not fit spatial axis " + Twine(i) + " of extent " +
             Twine(image[i + 2]));
    shape.push_back(positions);
  }
  return shape;
}

} // namespace mho::import
