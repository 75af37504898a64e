//===- Sampling.cpp - images looked at between their elements -------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// GridSample, RoiAlign and DeformConv compute places and share one sampling
// op; the latter's product has weights that may stay on an array.
//
//===----------------------------------------------------------------------===//

#include "Agreement.h"
#include "Expression.h"
#include "Window.h"

#include <cmath>

using namespace mlir;

namespace mho::import {

namespace {

Expr floats(Node &n, ArrayRef<int64_t> shape, ArrayRef<float> values) {
  auto type = n.typeOf(shape, n.b.getF32Type());
  return {n, n.constant(DenseElementsAttr::get(type, values))};
}

Expr sampled(Expr x, Expr places, Value images, StringRef interpolation,
             StringRef border, bool largestProduct = false) {
  Node &n = x.node();
  Shape shape{places.shape()[0], x.shape()[1]};
  llvm::append_range(shape, places.shape().drop_front().drop_back());
  return {n, n.make<graph::SampleOp>(
                 n.typeOf(shape, x.element()), Value(x), Value(places), images,
                 n.b.getStringAttr(interpolation), n.b.getStringAttr(border),
                 largestProduct ? n.b.getUnitAttr() : UnitAttr())};
}

/// The last axis the other way round: grids say x before y.
Expr reversed(Expr x) {
  Node &n = x.node();
  Shape starts(x.rank(), 0), steps(x.rank(), 1);
  starts.back() = x.shape().back() - 1;
  steps.back() = -1;
  return {n, n.make<graph::SliceOp>(Value(x).getType(), Value(x),
                                    n.b.getDenseI64ArrayAttr(starts),
                                    n.b.getDenseI64ArrayAttr(steps))};
}

/// Floats that hold every element of an image, which is of integers or
/// booleans.
Expr imageOfFloats(Expr x) {
  Node &n = x.node();
  unsigned bits = x.element().getIntOrFloatBitWidth();
  if (bits > 32)
    n.refuse("images of 64-bit integers are not supported; cast them to a "
             "narrower type or to double");
  return x.as(bits <= 16 ? Type(n.b.getF32Type()) : n.b.getF64Type());
}

void gridSample(Node &n) {
  Expr x(n, n.input(0)), grid(n, n.input(1));
  Type element = x.element();
  if (!x.isFloat())
    x = imageOfFloats(x);
  int64_t rank = x.rank();
  if (rank < 3 || grid.rank() != rank || grid.shape().back() != rank - 2 ||
      grid.shape()[0] != x.shape()[0])
    n.fail("expected a grid of " + Twine(rank - 2) +
           " coordinates a point for each image");
  std::string mode = n.string("mode", n.opset < 20 ? "bilinear" : "linear");
  StringRef interpolation = mode == "bilinear"  ? "linear"
                            : mode == "bicubic" ? "cubic"
                                                : StringRef(mode);
  if (!llvm::is_contained({"linear", "cubic", "nearest"}, interpolation))
    n.fail("attribute 'mode' is linear, nearest or cubic, found '" + mode +
           "'");
  std::string padding = n.string("padding_mode", "zeros");
  bool corners = n.integer("align_corners", 0);
  StringRef border = padding == "zeros"    ? "zeros"
                     : padding == "border" ? "edge"
                     : corners             ? "reflect"
                                           : "symmetric";
  if (padding != "zeros" && padding != "border" && padding != "reflection")
    n.fail("attribute 'padding_mode' is zeros, border or reflection, found '" +
           padding + "'");
  grid = reversed(grid.as(n.b.getF32Type()));
  SmallVector<float> sizes;
  for (int64_t extent : x.shape().drop_front(2))
    sizes.push_back(float(corners ? extent - 1 : extent));
  Expr size = floats(n, {rank - 2}, sizes);
  // From [-1, 1] to elements; in this order, so that halves stay halves.
  Expr places =
      corners ? (grid + 1) * 0.5 * size : ((grid + 1) * size - 1) * 0.5;
  // To integers by truncation, as the reference does it.
  n.result(sampled(x, places, Value(), interpolation, border).as(element));
}

/// Homogeneous coordinates of all elements of an image, times the transforms.
void affineGrid(Node &n) {
  Expr theta(n, n.input(0));
  Shape size = n.steering(1, "the size");
  int64_t spatial = int64_t(size.size()) - 2;
  if (spatial < 1 ||
      theta.shape() != ArrayRef<int64_t>({size[0], spatial, spatial + 1}))
    n.fail("expected a size of N, C, spatial… and a transform for each of the "
           "N images");
  bool corners = n.integer("align_corners", 0);
  ArrayRef<int64_t> extents = ArrayRef<int64_t>(size).drop_front(2);
  for (int64_t extent : size)
    if (extent < 1 || extent > INT32_MAX)
      n.fail("the size has the extent " + Twine(extent));
  Shape table(extents);
  table.push_back(spatial + 1);
  n.expectTable(table);
  int64_t points = n.product(extents, "the extents of the size");
  std::vector<float> base;
  base.reserve(points * (spatial + 1));
  for (int64_t point = 0; point < points; ++point) {
    // The innermost axis first.
    int64_t rest = point;
    for (int64_t i = spatial; i-- > 0;) {
      double at = double(rest % extents[i]), extent = double(extents[i]);
      rest /= extents[i];
      base.push_back(float(corners
                               ? (extent == 1 ? -1 : at * 2 / (extent - 1) - 1)
                               : (2 * at + 1) / extent - 1));
    }
    base.push_back(1);
  }
  Expr turned = theta.as(n.b.getF32Type()).transpose({0, 2, 1});
  Expr grid = matmul(floats(n, {points, spatial + 1}, base), turned);
  Shape shape{size[0]};
  llvm::append_range(shape, extents);
  shape.push_back(spatial);
  n.result(grid.reshape(shape).as(theta.element()));
}

//===----------------------------------------------------------------------===//
// RoiAlign
//===----------------------------------------------------------------------===//

/// One spatial axis of regions that are sampled at `bins` × `samples` places.
struct RegionAxis {
  Expr places; // R × (bins·samples), clamped to the image
  Expr inside; // whether the place was near enough to the image
};

RegionAxis regionAxis(Expr begin, Expr extent, int64_t bins, int64_t samples,
                      int64_t image) {
  Node &n = begin.node();
  n.expectTable({bins, samples});
  SmallVector<float> steps;
  for (int64_t bin = 0; bin < bins; ++bin)
    for (int64_t sample = 0; sample < samples; ++sample)
      steps.push_back(
          float((double(bin) + (double(sample) + 0.5) / double(samples)) /
                double(bins)));
  Expr step = floats(n, {1, bins * samples}, steps).as(begin.element());
  Expr at = begin + extent * step;
  Expr inside = at >= -1 && at <= double(image);
  return {clamp(at, 0, double(image - 1)), inside};
}

/// Samples a place for each bin when their number depends on the regions.
int64_t samplesOf(Node &n, const SmallVector<double> &extents, int64_t bins) {
  double largest = 1;
  for (double extent : extents)
    largest = std::max(largest, std::ceil(extent / double(bins)));
  for (double extent : extents)
    if (std::max(1.0, std::ceil(extent / double(bins))) != largest)
      n.refuse("regions of different sizes with sampling_ratio 0 are not "
               "supported; export with a positive sampling_ratio");
  if (largest > 4096)
    n.fail("a region of interest is too large");
  return int64_t(largest);
}

void roiAlign(Node &n) {
  Expr x(n, n.input(0)), rois(n, n.input(1)), batches(n, n.input(2));
  if (x.rank() != 4 || rois.rank() != 2 || rois.shape()[1] != 4 ||
      batches.rank() != 1)
    n.fail("expected images of rank 4, and four coordinates and an image's "
           "number for each region");
  int64_t count = rois.shape()[0];
  batches = {n, agreed(n, batches, 0, count)};
  if (batches.shape()[0] != count)
    n.fail("there are " + n.extents->text(count) + " regions and " +
           n.extents->text(batches.shape()[0]) + " numbers of images");
  ArrayRef<int64_t> image = x.shape().drop_front(2);
  for (int64_t extent : x.shape().drop_front())
    if (isSymbol(extent))
      n.refuse("images of the extent " + n.extents->text(extent) +
               " are not supported; " + n.extents->howToFix(extent));
  int64_t bins[2] = {n.integer("output_height", 1),
                     n.integer("output_width", 1)};
  int64_t ratio = n.integer("sampling_ratio", 0);
  if (bins[0] < 1 || bins[1] < 1 || bins[0] > INT32_MAX ||
      bins[1] > INT32_MAX || ratio < 0 || ratio > 4096)
    n.fail("output_height, output_width and sampling_ratio are out of range");
  std::string mode = n.string("mode", "avg");
  if (mode != "avg" && mode != "max")
    n.fail("attribute 'mode' is avg or max, found '" + mode + "'");
  std::string coordinates =
      n.opset < 16 ? "output_half_pixel"
                   : n.string("coordinate_transformation_mode", "half_pixel");
  bool half = coordinates == "half_pixel";
  double scale = n.real("spatial_scale", 1);
  Expr corners = rois * scale;
  if (half)
    corners = corners - 0.5;

  SmallVector<RegionAxis> axes; // y, x
  int64_t samples[2];
  for (int64_t i = 0; i < 2; ++i) {
    Expr begin = corners.slice(1, 1 - i, 1);
    Expr extent = corners.slice(1, 3 - i, 1) - begin;
    if (!half)
      extent = max(extent, 1);
    samples[i] = ratio;
    if (ratio == 0) {
      SmallVector<double> given = n.steeringNumbers(
          1, "the regions, whose sizes decide how often sampling_ratio 0 "
             "samples,");
      SmallVector<double> extents;
      for (int64_t r = 0; r < count; ++r) {
        double own = (given[4 * r + 3 - i] - given[4 * r + 1 - i]) * scale;
        extents.push_back(half ? own : std::max(own, 1.0));
      }
      samples[i] = samplesOf(n, extents, bins[i]);
    }
    axes.push_back(regionAxis(begin, extent, bins[i], samples[i], image[i]));
  }
  int64_t rows = bins[0] * samples[0], columns = bins[1] * samples[1];
  Shape all{count, rows, columns, 1};
  Expr places =
      concat({axes[0].places.reshape({count, rows, 1, 1}).expand(all),
              axes[1].places.reshape({count, 1, columns, 1}).expand(all)},
             3);
  Expr y = sampled(x, places.as(n.b.getF32Type()),
                   batches.as(n.b.getIntegerType(64)), "linear", "edge",
                   mode == "max");
  Expr inside = axes[0].inside.reshape({count, 1, rows, 1}) &&
                axes[1].inside.reshape({count, 1, 1, columns});
  y = where(inside, y, 0);
  auto type = n.typeOf({count, x.shape()[1], bins[0], bins[1]}, x.element());
  auto window = n.b.getDenseI64ArrayAttr({samples[0], samples[1]});
  auto pads = n.b.getDenseI64ArrayAttr({0, 0, 0, 0});
  auto dilations = n.b.getDenseI64ArrayAttr({1, 1});
  if (mode == "max")
    n.result(n.make<graph::MaxPoolOp>(type, Value(y), window, window, pads,
                                      dilations, UnitAttr(), UnitAttr()));
  else
    n.result(n.make<graph::AveragePoolOp>(type, Value(y), window, window, pads,
                                          dilations, UnitAttr(), UnitAttr(),
                                          UnitAttr()));
}

//===----------------------------------------------------------------------===//
// DeformConv
//===----------------------------------------------------------------------===//

/// Where a kernel lies without offsets: kernel elements × axes × positions….
Expr kernelPlaces(Node &n, const Window &window, ArrayRef<int64_t> positions) {
  int64_t spatial = positions.size();
  int64_t elements = n.product(window.kernel, "the extents of the kernel");
  Shape shape{elements, spatial};
  llvm::append_range(shape, positions);
  n.expectTable(shape);
  int64_t points = n.product(positions, "the extents of the result");
  std::vector<float> values;
  auto digits = [&](int64_t number, ArrayRef<int64_t> extents) {
    Shape result(extents.size());
    for (size_t i = extents.size(); i-- > 0; number /= extents[i])
      result[i] = number % extents[i];
    return result;
  };
  for (int64_t element = 0; element < elements; ++element)
    for (int64_t axis = 0; axis < spatial; ++axis)
      for (int64_t point = 0; point < points; ++point)
        values.push_back(float(
            digits(point, positions)[axis] * window.strides[axis] +
            digits(element, window.kernel)[axis] * window.dilations[axis] -
            window.pads[axis]));
  return floats(n, shape, values);
}

void deformConv(Node &n) {
  Expr x(n, n.input(0)), w(n, n.input(1)), offset(n, n.input(2));
  Value bias = n.optional(3), mask = n.optional(4);
  n.checkSameElement(x, w);
  int64_t rank = x.rank(), spatial = rank - 2;
  if (rank < 3 || w.rank() != rank || offset.rank() != rank)
    n.fail("image, weights and offsets need one rank of 3 or more");
  int64_t batch = x.shape()[0], channels = x.shape()[1];
  int64_t outputs = w.shape()[0], groups = n.integer("group", 1);
  int64_t moved = n.integer("offset_group", 1);
  Window window = attributesOf(n, spatial, w.shape().drop_front(2));
  Shape extents(resultShape(n, x.shape(), window, outputs));
  ArrayRef<int64_t> positions = ArrayRef<int64_t>(extents).drop_front(2);
  int64_t elements = n.product(window.kernel, "the extents of the kernel");
  if (groups < 1 || moved < 1 || channels % groups ||
      w.shape()[1] != channels / groups || outputs % groups || channels % moved)
    n.fail("weights for " + Twine(w.shape()[1]) + " channels in " +
           Twine(groups) + " groups do not fit " + Twine(channels) +
           " input channels");
  auto expected = [&](int64_t values) {
    Shape shape{batch, n.product({moved, elements, values}, "offsets")};
    llvm::append_range(shape, positions);
    return shape;
  };
  if (offset.shape() != ArrayRef<int64_t>(expected(spatial)) ||
      (mask && n.shape(mask) != ArrayRef<int64_t>(expected(1))))
    n.fail("offsets and mask do not fit the kernel and the result");

  // Batch and offset groups are images of their own: M, elements, axes,
  // positions… to M, elements, positions…, axes.
  Shape apart{batch * moved, elements, spatial};
  llvm::append_range(apart, positions);
  Expr places = offset.as(n.b.getF32Type()).reshape(apart) +
                kernelPlaces(n, window, positions);
  Shape perm{0, 1};
  llvm::append_range(perm, llvm::seq<int64_t>(3, 3 + spatial));
  perm.push_back(2);
  places = places.transpose(perm);
  Shape images{batch * moved, channels / moved};
  llvm::append_range(images, x.shape().drop_front(2));
  Expr y = sampled(x.reshape(images), places, Value(), "linear",
                   "zeros"); // M, channels, elements, positions…
  if (mask) {
    Shape shape{batch * moved, 1, elements};
    llvm::append_range(shape, positions);
    y = y * Expr(n, mask).reshape(shape);
  }

  // Vectors of channels × kernel, times the weights of each group.
  Shape shape{batch, channels, elements}, order{0};
  llvm::append_range(shape, positions);
  llvm::append_range(order, llvm::seq<int64_t>(3, 3 + spatial));
  order.append({1, 2});
  y = y.reshape(shape).transpose(order);
  Shape rows{batch};
  llvm::append_range(rows, positions);
  rows.push_back(channels * elements);
  y = y.reshape(rows);
  int64_t inGroup = channels / groups * elements, own = outputs / groups;
  n.expectParts(groups, "groups of a deformable convolution");
  SmallVector<Expr> parts;
  for (int64_t group = 0; group < groups; ++group) {
    Expr matrix = w.slice(0, group * own, own).reshape({own, inGroup});
    parts.push_back(matmul(y.slice(spatial + 1, group * inGroup, inGroup),
                           matrix.transpose({1, 0})));
  }
  y = concat(parts, spatial + 1);
  if (bias)
    y = y + Expr(n, bias);
  Shape first{0, rank - 1};
  llvm::append_range(first, llvm::seq<int64_t>(1, rank - 1));
  n.result(y.transpose(first));
}

} // namespace

void addSampling(HandlerTable &table) {
  table[".GridSample"] = gridSample;
  table[".AffineGrid"] = affineGrid;
  table[".RoiAlign"] = roiAlign;
  table[".DeformConv"] = deformConv;
}

} // namespace mho::import
