//===- Convolution.cpp - operators whose window slides over an image ------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Node.h"

#include "mho/Dialect/Graph/IR/Shapes.h"

using namespace mlir;

namespace mho::import {

namespace {

/// The window's attributes with auto_pad resolved.
struct Window {
  Shape kernel, strides, pads, dilations;
  bool ceil = false;
};

Window windowOf(Node &n, ArrayRef<int64_t> image, ArrayRef<int64_t> kernel) {
  if (image.size() < 3)
    n.fail("expected an image of rank 3 or more, found rank " +
           Twine(image.size()));
  size_t spatial = image.size() - 2;
  Window window;
  window.kernel = n.integers("kernel_shape").value_or(Shape(kernel));
  window.strides = n.integers("strides").value_or(Shape(spatial, 1));
  window.dilations = n.integers("dilations").value_or(Shape(spatial, 1));
  window.pads = n.integers("pads").value_or(Shape(2 * spatial, 0));
  window.ceil = n.integer("ceil_mode", 0);
  if (window.kernel.size() != spatial || window.strides.size() != spatial ||
      window.dilations.size() != spatial || window.pads.size() != 2 * spatial)
    n.fail("kernel_shape, strides, dilations and pads need " + Twine(spatial) +
           ", " + Twine(spatial) + ", " + Twine(spatial) + " and " +
           Twine(2 * spatial) + " entries for a " + Twine(spatial) +
           "-dimensional image");
  if (!kernel.empty() && window.kernel != Shape(kernel))
    n.fail("kernel_shape differs from the weights' spatial extents");
  for (size_t i = 0; i < spatial; ++i)
    if (window.kernel[i] < 1 || window.strides[i] < 1 ||
        window.dilations[i] < 1 || window.kernel[i] > INT32_MAX ||
        window.strides[i] > INT32_MAX || window.dilations[i] > INT32_MAX)
      n.fail("kernel_shape, strides and dilations must be positive");
  for (int64_t pad : window.pads)
    if (pad < 0 || pad > INT32_MAX)
      n.fail("pads must not be negative, found " + Twine(pad));
  std::string automatic = n.string("auto_pad", "NOTSET");
  if (automatic == "NOTSET")
    return window;
  window.pads.assign(2 * spatial, 0);
  if (automatic == "VALID")
    return window;
  if (automatic != "SAME_UPPER" && automatic != "SAME_LOWER")
    n.fail("auto_pad is NOTSET, VALID, SAME_UPPER or SAME_LOWER, found '" +
           automatic + "'");
  for (size_t i = 0; i < spatial; ++i) {
    int64_t extent = image[i + 2], stride = window.strides[i];
    int64_t positions = (extent + stride - 1) / stride;
    int64_t reach = (window.kernel[i] - 1) * window.dilations[i] + 1;
    int64_t total =
        std::max<int64_t>(0, (positions - 1) * stride + reach - extent);
    int64_t small = total / 2, large = total - small;
    bool upper = automatic == "SAME_UPPER";
    window.pads[i] = upper ? small : large;
    window.pads[spatial + i] = upper ? large : small;
  }
  return window;
}

Shape resultShape(Node &n, ArrayRef<int64_t> image, const Window &window,
                  int64_t channels) {
  Shape shape{image[0], channels};
  size_t spatial = image.size() - 2;
  for (size_t i = 0; i < spatial; ++i) {
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

UnitAttr flag(Node &n, bool set) {
  return set ? n.b.getUnitAttr() : UnitAttr();
}

} // namespace

void convolution(Node &n) {
  Value x = n.input(0), w = n.input(1), bias = n.optional(2);
  n.checkSameElement(x, w);
  ArrayRef<int64_t> image = n.shape(x), weights = n.shape(w);
  if (image.size() != weights.size() || image.size() < 3)
    n.fail("image and weights need one rank of 3 or more, found " +
           Twine(image.size()) + " and " + Twine(weights.size()));
  int64_t groups = n.integer("group", 1);
  if (groups < 1 || weights[1] * groups != image[1] || weights[0] % groups)
    n.fail("weights for " + Twine(weights[1]) + " channels in " +
           Twine(groups) + " groups do not fit " + Twine(image[1]) +
           " input and " + Twine(weights[0]) + " output channels");
  if (bias) {
    n.checkSameElement(x, bias);
    if (n.shape(bias) != ArrayRef<int64_t>(weights[0]))
      n.fail("expected a bias of " + Twine(weights[0]) + " values");
  }
  Window window = windowOf(n, image, weights.drop_front(2));
  auto type = n.typeOf(resultShape(n, image, window, weights[0]), n.element(x));
  n.result(n.make<graph::ConvOp>(type, x, w, bias,
                                 n.b.getDenseI64ArrayAttr(window.kernel),
                                 n.b.getDenseI64ArrayAttr(window.strides),
                                 n.b.getDenseI64ArrayAttr(window.pads),
                                 n.b.getDenseI64ArrayAttr(window.dilations),
                                 n.b.getI64IntegerAttr(groups), UnitAttr()));
}

namespace {

void maxPool(Node &n) {
  Value x = n.input(0);
  if (n.wants(1))
    n.refuse("the indices of the largest elements are not supported");
  if (n.integer("storage_order", 0))
    n.refuse("column-major storage_order is not supported");
  Window window = windowOf(n, n.shape(x), {});
  auto type =
      n.typeOf(resultShape(n, n.shape(x), window, n.shape(x)[1]), n.element(x));
  n.result(n.make<graph::MaxPoolOp>(type, x,
                                    n.b.getDenseI64ArrayAttr(window.kernel),
                                    n.b.getDenseI64ArrayAttr(window.strides),
                                    n.b.getDenseI64ArrayAttr(window.pads),
                                    n.b.getDenseI64ArrayAttr(window.dilations),
                                    flag(n, window.ceil), UnitAttr()));
}

} // namespace

void averagePool(Node &n) {
  Value x = n.input(0);
  Window window = windowOf(n, n.shape(x), {});
  auto type =
      n.typeOf(resultShape(n, n.shape(x), window, n.shape(x)[1]), n.element(x));
  n.result(n.make<graph::AveragePoolOp>(
      type, x, n.b.getDenseI64ArrayAttr(window.kernel),
      n.b.getDenseI64ArrayAttr(window.strides),
      n.b.getDenseI64ArrayAttr(window.pads),
      n.b.getDenseI64ArrayAttr(window.dilations), flag(n, window.ceil),
      UnitAttr(), flag(n, n.integer("count_include_pad", 0))));
}

namespace {

Shape pooledShape(Node &n, ArrayRef<int64_t> image) {
  if (image.size() < 3)
    n.fail("expected an image of rank 3 or more");
  Shape shape(image.size(), 1);
  shape[0] = image[0];
  shape[1] = image[1];
  return shape;
}

} // namespace

void globalAveragePool(Node &n) {
  Value x = n.input(0);
  auto type = n.typeOf(pooledShape(n, n.shape(x)), n.element(x));
  n.result(n.make<graph::GlobalAveragePoolOp>(type, x, UnitAttr()));
}

namespace {

void globalMaxPool(Node &n) {
  Value x = n.input(0);
  auto type = n.typeOf(pooledShape(n, n.shape(x)), n.element(x));
  Shape axes = llvm::to_vector(llvm::seq<int64_t>(2, type.getRank()));
  n.result(n.make<graph::ReduceMaxOp>(type, x, n.b.getDenseI64ArrayAttr(axes),
                                      n.b.getUnitAttr()));
}

} // namespace

void addConvolutions(HandlerTable &table) {
  table[".Conv"] = convolution;
  table[".MaxPool"] = maxPool;
  table[".AveragePool"] = averagePool;
  table[".GlobalAveragePool"] = globalAveragePool;
  table[".GlobalMaxPool"] = globalMaxPool;
}

} // namespace mho::import
