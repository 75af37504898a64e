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
#include "Compositions.h"
#include "Window.h"

#include <cmath>

using namespace mlir;

namespace mho::import {

namespace {

Value floats(Node &n, ArrayRef<int64_t> shape, ArrayRef<float> values) {
  return n.constant(
      DenseElementsAttr::get(n.typeOf(shape, n.b.getF32Type()), values));
}

Value number(Node &n, Value like, double value) {
  return n.scalar(n.element(like), value);
}

Value sampled(Node &n, Value x, Value places, Value images,
              StringRef interpolation, StringRef border,
              bool largestProduct = false) {
  Shape shape{n.shape(places)[0], n.shape(x)[1]};
  llvm::append_range(shape, n.shape(places).drop_front().drop_back());
  return n.make<graph::SampleOp>(
      n.typeOf(shape, n.element(x)), x, places, images,
      n.b.getStringAttr(interpolation), n.b.getStringAttr(border),
      largestProduct ? n.b.getUnitAttr() : UnitAttr());
}

/// The last axis the other way round: grids say x before y.
Value reversed(Node &n, Value x) {
  int64_t rank = n.type(x).getRank();
  Shape starts(rank, 0), steps(rank, 1);
  starts.back() = n.shape(x).back() - 1;
  steps.back() = -1;
  return n.make<graph::SliceOp>(x.getType(), x,
                                n.b.getDenseI64ArrayAttr(starts),
                                n.b.getDenseI64ArrayAttr(steps));
}

/// Floats that hold every element of an image, which is of integers or
/// booleans.
Value imageOfFloats(Node &n, Value x) {
  unsigned bits = n.element(x).getIntOrFloatBitWidth();
  if (bits > 32)
    n.refuse("images of 64-bit integers are not supported; cast them to a "
             "narrower type or to double");
  return n.cast(x, bits <= 16 ? Type(n.b.getF32Type()) : n.b.getF64Type());
}

void gridSample(Node &n) {
  Value x = n.input(0), grid = n.input(1);
  Type element = n.element(x);
  if (!isa<FloatType>(element))
    x = imageOfFloats(n, x);
  int64_t rank = n.type(x).getRank();
  if (rank < 3 || n.type(grid).getRank() != rank ||
      n.shape(grid).back() != rank - 2 || n.shape(grid)[0] != n.shape(x)[0])
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
  grid = reversed(n, n.cast(grid, n.b.getF32Type()));
  SmallVector<float> sizes;
  for (int64_t extent : n.shape(x).drop_front(2))
    sizes.push_back(float(corners ? extent - 1 : extent));
  Value size = floats(n, {rank - 2}, sizes);
  // From [-1, 1] to elements; in this order, so that halves stay halves.
  Value places = n.binary<graph::AddOp>(grid, number(n, grid, 1));
  if (corners) {
    places = n.binary<graph::MulOp>(places, number(n, grid, 0.5));
    places = n.binary<graph::MulOp>(places, size);
  } else {
    places = n.binary<graph::MulOp>(places, size);
    places = n.binary<graph::SubOp>(places, number(n, grid, 1));
    places = n.binary<graph::MulOp>(places, number(n, grid, 0.5));
  }
  // To integers by truncation, as the reference does it.
  n.result(
      n.cast(sampled(n, x, places, Value(), interpolation, border), element));
}

/// Homogeneous coordinates of all elements of an image, times the transforms.
void affineGrid(Node &n) {
  Value theta = n.input(0);
  Shape size = n.steering(1, "the size");
  int64_t spatial = int64_t(size.size()) - 2;
  if (spatial < 1 ||
      n.shape(theta) != ArrayRef<int64_t>({size[0], spatial, spatial + 1}))
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
  Value turned = n.transpose(n.cast(theta, n.b.getF32Type()), {0, 2, 1});
  Value grid = n.make<graph::MatmulOp>(
      n.typeOf({size[0], points, spatial}, n.b.getF32Type()),
      floats(n, {points, spatial + 1}, base), turned);
  Shape shape{size[0]};
  llvm::append_range(shape, extents);
  shape.push_back(spatial);
  n.result(n.cast(n.reshape(grid, shape), n.element(theta)));
}

//===----------------------------------------------------------------------===//
// RoiAlign
//===----------------------------------------------------------------------===//

/// One spatial axis of regions that are sampled at `bins` × `samples` places.
struct RegionAxis {
  Value places; // R × (bins·samples), clamped to the image
  Value inside; // whether the place was near enough to the image
};

RegionAxis regionAxis(Node &n, Value begin, Value extent, int64_t bins,
                      int64_t samples, int64_t image) {
  n.expectTable({bins, samples});
  SmallVector<float> steps;
  for (int64_t bin = 0; bin < bins; ++bin)
    for (int64_t sample = 0; sample < samples; ++sample)
      steps.push_back(
          float((double(bin) + (double(sample) + 0.5) / double(samples)) /
                double(bins)));
  Value step = n.cast(floats(n, {1, bins * samples}, steps), n.element(begin));
  Value at =
      n.binary<graph::AddOp>(begin, n.binary<graph::MulOp>(extent, step));
  Type test = n.b.getI1Type();
  RegionAxis axis;
  axis.inside = n.binary<graph::AndOp>(
      n.binary<graph::GreaterOrEqualOp>(at, number(n, at, -1), test),
      n.binary<graph::LessOrEqualOp>(at, number(n, at, double(image)), test));
  axis.places =
      n.binary<graph::MinOp>(n.binary<graph::MaxOp>(at, number(n, at, 0)),
                             number(n, at, double(image - 1)));
  return axis;
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
  Value x = n.input(0), rois = n.input(1), batches = n.input(2);
  if (n.type(x).getRank() != 4 || n.type(rois).getRank() != 2 ||
      n.shape(rois)[1] != 4 || n.type(batches).getRank() != 1)
    n.fail("expected images of rank 4, and four coordinates and an image's "
           "number for each region");
  int64_t count = n.shape(rois)[0], channels = n.shape(x)[1];
  batches = agreed(n, batches, 0, count);
  if (n.shape(batches)[0] != count)
    n.fail("there are " + n.extents->text(count) + " regions and " +
           n.extents->text(n.shape(batches)[0]) + " numbers of images");
  ArrayRef<int64_t> image = n.shape(x).drop_front(2);
  for (int64_t extent : n.shape(x).drop_front())
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
  Value corners = n.binary<graph::MulOp>(rois, number(n, rois, scale));
  if (half)
    corners = n.binary<graph::SubOp>(corners, number(n, rois, 0.5));

  RegionAxis axes[2]; // y, x
  int64_t samples[2];
  for (int64_t i = 0; i < 2; ++i) {
    Value begin = sliced(n, corners, 1, 1 - i, 2 - i);
    Value extent =
        n.binary<graph::SubOp>(sliced(n, corners, 1, 3 - i, 4 - i), begin);
    if (!half)
      extent = n.binary<graph::MaxOp>(extent, number(n, rois, 1));
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
    axes[i] = regionAxis(n, begin, extent, bins[i], samples[i], image[i]);
  }
  int64_t rows = bins[0] * samples[0], columns = bins[1] * samples[1];
  Shape all{count, rows, columns, 1};
  Value places = concatenated(
      n,
      {n.expand(n.reshape(axes[0].places, {count, rows, 1, 1}), all),
       n.expand(n.reshape(axes[1].places, {count, 1, columns, 1}), all)},
      3);
  Value y = sampled(n, x, n.cast(places, n.b.getF32Type()),
                    n.cast(batches, n.b.getIntegerType(64)), "linear", "edge",
                    mode == "max");
  Value inside =
      n.binary<graph::AndOp>(n.reshape(axes[0].inside, {count, 1, rows, 1}),
                             n.reshape(axes[1].inside, {count, 1, 1, columns}));
  y = n.make<graph::WhereOp>(y.getType(), inside, y, number(n, y, 0));
  auto type = n.typeOf({count, channels, bins[0], bins[1]}, n.element(x));
  auto window = n.b.getDenseI64ArrayAttr({samples[0], samples[1]});
  auto pads = n.b.getDenseI64ArrayAttr({0, 0, 0, 0});
  auto dilations = n.b.getDenseI64ArrayAttr({1, 1});
  if (mode == "max")
    n.result(n.make<graph::MaxPoolOp>(type, y, window, window, pads, dilations,
                                      UnitAttr(), UnitAttr()));
  else
    n.result(n.make<graph::AveragePoolOp>(type, y, window, window, pads,
                                          dilations, UnitAttr(), UnitAttr(),
                                          UnitAttr()));
}

//===----------------------------------------------------------------------===//
// DeformConv
//===----------------------------------------------------------------------===//

/// Where a kernel lies without offsets: kernel elements × axes × positions….
Value kernelPlaces(Node &n, const Window &window, ArrayRef<int64_t> positions) {
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
  Value x = n.input(0), w = n.input(1), offset = n.input(2);
  Value bias = n.optional(3), mask = n.optional(4);
  n.checkSameElement(x, w);
  int64_t rank = n.type(x).getRank(), spatial = rank - 2;
  if (rank < 3 || n.type(w).getRank() != rank ||
      n.type(offset).getRank() != rank)
    n.fail("image, weights and offsets need one rank of 3 or more");
  int64_t batch = n.shape(x)[0], channels = n.shape(x)[1];
  int64_t outputs = n.shape(w)[0], groups = n.integer("group", 1);
  int64_t moved = n.integer("offset_group", 1);
  Window window = attributesOf(n, spatial, n.shape(w).drop_front(2));
  Shape extents(resultShape(n, n.shape(x), window, outputs));
  ArrayRef<int64_t> positions = ArrayRef<int64_t>(extents).drop_front(2);
  int64_t elements = n.product(window.kernel, "the extents of the kernel");
  if (groups < 1 || moved < 1 || channels % groups ||
      n.shape(w)[1] != channels / groups || outputs % groups ||
      channels % moved)
    n.fail("weights for " + Twine(n.shape(w)[1]) + " channels in " +
           Twine(groups) + " groups do not fit " + Twine(channels) +
           " input channels");
  auto expected = [&](int64_t values) {
    Shape shape{batch, n.product({moved, elements, values}, "offsets")};
    llvm::append_range(shape, positions);
    return shape;
  };
  if (n.shape(offset) != ArrayRef<int64_t>(expected(spatial)) ||
      (mask && n.shape(mask) != ArrayRef<int64_t>(expected(1))))
    n.fail("offsets and mask do not fit the kernel and the result");

  // Batch and offset groups are images of their own: M, elements, axes,
  // positions… to M, elements, positions…, axes.
  Shape apart{batch * moved, elements, spatial};
  llvm::append_range(apart, positions);
  Value places =
      n.binary<graph::AddOp>(n.reshape(n.cast(offset, n.b.getF32Type()), apart),
                             kernelPlaces(n, window, positions));
  Shape perm{0, 1};
  llvm::append_range(perm, llvm::seq<int64_t>(3, 3 + spatial));
  perm.push_back(2);
  places = n.transpose(places, perm);
  Shape images{batch * moved, channels / moved};
  llvm::append_range(images, n.shape(x).drop_front(2));
  Value y = sampled(n, n.reshape(x, images), places, Value(), "linear",
                    "zeros"); // M, channels, elements, positions…
  if (mask) {
    Shape shape{batch * moved, 1, elements};
    llvm::append_range(shape, positions);
    y = n.binary<graph::MulOp>(y, n.reshape(mask, shape));
  }

  // Vectors of channels × kernel, times the weights of each group.
  Shape shape{batch, channels, elements}, order{0};
  llvm::append_range(shape, positions);
  llvm::append_range(order, llvm::seq<int64_t>(3, 3 + spatial));
  order.append({1, 2});
  y = n.transpose(n.reshape(y, shape), order);
  Shape rows{batch};
  llvm::append_range(rows, positions);
  rows.push_back(channels * elements);
  y = n.reshape(y, rows);
  int64_t inGroup = channels / groups * elements, own = outputs / groups;
  n.expectParts(groups, "groups of a deformable convolution");
  SmallVector<Value> parts;
  for (int64_t group = 0; group < groups; ++group) {
    Value matrix = n.reshape(sliced(n, w, 0, group * own, group * own + own),
                             {own, inGroup});
    rows.back() = own;
    parts.push_back(n.make<graph::MatmulOp>(
        n.typeOf(rows, n.element(x)),
        sliced(n, y, spatial + 1, group * inGroup, group * inGroup + inGroup),
        n.transpose(matrix, {1, 0})));
  }
  y = groups == 1 ? parts[0] : concatenated(n, parts, spatial + 1);
  if (bias)
    y = n.binary<graph::AddOp>(y, bias);
  Shape first{0, rank - 1};
  llvm::append_range(first, llvm::seq<int64_t>(1, rank - 1));
  n.result(n.transpose(y, first));
}

} // namespace

void addSampling(HandlerTable &table) {
  table[".GridSample"] = gridSample;
  table[".AffineGrid"] = affineGrid;
  table[".RoiAlign"] = roiAlign;
  table[".DeformConv"] = deformConv;
}

} // namespace mho::import
