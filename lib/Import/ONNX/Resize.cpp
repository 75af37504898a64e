//===- Resize.cpp - Resize and Upsample -----------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every mode is separable: each axis is resampled by itself with a table of
// elements and weights, which is known here unless the run gives an extent
// (RunTimeResize.cpp). Where nearest elements repeat or are skipped evenly the
// table is not needed.
//
//===----------------------------------------------------------------------===//

#include "Resize.h"

#include <cmath>

using namespace mlir;

namespace mho::import {

namespace {

/// Where element `o` of the result lies on the input axis.
double coordinateOf(const Method &method, const Axis &axis, int64_t o) {
  // The extent before it was made whole.
  double exact = axis.scale * double(axis.from);
  double last = double(axis.from) - 1;
  if (method.coordinates == "align_corners")
    return exact == 1 ? 0 : double(o) * last / (exact - 1);
  if (method.coordinates == "asymmetric")
    return double(o) / axis.scale;
  if (method.coordinates == "tf_crop_and_resize") {
    double width = axis.end - axis.begin;
    double inside =
        exact == 1 ? width * last / 2 : double(o) * width * last / (exact - 1);
    return inside + axis.begin * last;
  }
  if (method.coordinates == "pytorch_half_pixel" && exact == 1)
    return -0.5;
  if (method.coordinates == "tf_half_pixel_for_nn")
    return (double(o) + 0.5) / axis.scale;
  double offset = 0;
  if (method.coordinates == "half_pixel_symmetric")
    offset = double(axis.from) / 2 * (1 - double(axis.to) / exact);
  return offset + (double(o) + 0.5) / axis.scale - 0.5;
}

/// The element of the input at `place`, or at the border next to it.
int64_t placeIn(const Axis &axis, double place) {
  // Not a number, where a crop's ends are none, lies nowhere.
  return std::isnan(place)
             ? 0
             : int64_t(std::clamp(place, 0.0, double(axis.from - 1)));
}

int64_t nearestTo(const Method &method, const Axis &axis, double x) {
  double place = 0;
  // Opset 10 names no rounding: up where the axis shrinks, else down.
  bool up = method.nearest == "ceil" ||
            (method.nearest == "by_scale" && axis.scale < 1);
  if (up)
    place = std::ceil(x);
  else if (method.nearest == "floor" || method.nearest == "by_scale")
    place = std::floor(x);
  else if (method.nearest == "round_prefer_ceil")
    place = std::floor(x + 0.5);
  else
    place = std::ceil(x - 0.5);
  return placeIn(axis, place);
}

/// The kernel of an interpolation at a distance of `x` elements.
double kernelAt(const Method &method, double x) {
  x = std::fabs(x);
  if (method.mode == "linear")
    return std::max(0.0, 1 - x);
  double a = method.cubic;
  if (x <= 1)
    return (a + 2) * x * x * x - (a + 3) * x * x + 1;
  return x < 2 ? a * x * x * x - 5 * a * x * x + 8 * a * x - 4 * a : 0;
}

/// Elements and their weights for each element of the result, out × count.
struct Table {
  int64_t count = 1;
  std::vector<int64_t> taps;
  std::vector<double> weights;
};

Table tableOf(Node &n, const Method &method, const Axis &axis) {
  Table table;
  n.expectTable(axis.to);
  if (method.mode == "nearest") {
    for (int64_t o = 0; o < axis.to; ++o)
      table.taps.push_back(
          nearestTo(method, axis, coordinateOf(method, axis, o)));
    return table;
  }
  // A kernel stretched over what one element of the result stands for.
  double scale = method.antialias ? std::min(axis.scale, 1.0) : 1;
  double reach = method.mode == "linear" ? 1 : 2;
  if (!(reach / scale < double(INT32_MAX)))
    n.fail("the scale " + std::to_string(axis.scale) + " is out of range");
  int64_t first = int64_t(std::floor(-reach / scale)) + 1;
  table.count = 2 - 2 * first;
  n.expectTable({axis.to, table.count});
  for (int64_t o = 0; o < axis.to; ++o) {
    double x = coordinateOf(method, axis, o);
    // The element left of x, which itself is never that element.
    double left = std::ceil(x) - 1, ratio = x - left;
    SmallVector<double> weights;
    double sum = 0;
    for (int64_t t = 0; t < table.count; ++t) {
      double place = left + double(first + t);
      double weight = kernelAt(method, scale * (double(first + t) - ratio));
      if (method.excludeOutside && (place < 0 || place >= double(axis.from)))
        weight = 0;
      weights.push_back(weight);
      sum += weight;
      table.taps.push_back(placeIn(axis, place));
    }
    if (!method.antialias && !method.excludeOutside)
      sum = 1;
    for (double weight : weights)
      table.weights.push_back(sum == 0 ? 0 : weight / sum);
  }
  return table;
}

/// `x` with its elements chosen along an axis: by shape where they are skipped
/// evenly (and when lowered where they are repeated evenly), else by a table.
Value chosen(Node &n, Value x, int64_t axis, ArrayRef<int64_t> places) {
  int64_t to = places.size();
  int64_t step = to > 1 ? places[1] - places[0] : 1;
  bool even = step > 0;
  for (auto [o, place] : llvm::enumerate(places))
    even &= place == places[0] + int64_t(o) * step;
  Shape shape(n.shape(x));
  shape[axis] = to;
  if (even) {
    Shape starts(shape.size(), 0), steps(shape.size(), 1);
    starts[axis] = places[0];
    steps[axis] = step;
    return n.make<graph::SliceOp>(n.typeOf(shape, n.element(x)), x,
                                  n.b.getDenseI64ArrayAttr(starts),
                                  n.b.getDenseI64ArrayAttr(steps));
  }
  return n.make<graph::GatherOp>(n.typeOf(shape, n.element(x)), x,
                                 n.constantIntegers(places),
                                 n.b.getI64IntegerAttr(axis));
}

/// `x` resized along one axis; interpolated in a float type.
Value resized(Node &n, Value x, int64_t number, const Axis &axis,
              const Method &method) {
  if (n.extents->range(axis.from).high < 1)
    n.fail("axis " + Twine(number) + " is empty and cannot be resized");
  if (axis.isOpen())
    return resizedInRun(n, x, number, axis, method);
  Table table = tableOf(n, method, axis);
  if (method.mode == "nearest")
    return chosen(n, x, number, table.taps);
  Type element = n.element(x);
  auto tapsType = n.typeOf({axis.to, table.count}, n.b.getIntegerType(64));
  Type weightElement = element.isF64() ? element : Type(n.b.getF32Type());
  auto weightsType = n.typeOf({axis.to, table.count}, weightElement);
  SmallVector<Attribute> weights;
  for (double weight : table.weights)
    weights.push_back(n.b.getFloatAttr(weightElement, weight));
  Value taps = n.constant(
      DenseElementsAttr::get(tapsType, ArrayRef<int64_t>(table.taps)));
  Shape shape(n.shape(x));
  shape[number] = axis.to;
  return n.make<graph::ResampleOp>(
      n.typeOf(shape, element), x, taps,
      n.constant(DenseElementsAttr::get(weightsType, weights)),
      n.b.getI64IntegerAttr(number));
}

/// Places outside the crop's image have the extrapolation value.
Value extrapolated(Node &n, Value y, ArrayRef<Axis> axes,
                   const Method &method) {
  Value inside;
  int64_t rank = axes.size();
  for (auto [number, axis] : llvm::enumerate(axes)) {
    if (axis.isOpen()) {
      Shape along(rank, 1);
      along[number] = axis.to;
      Value own = n.reshape(insideInRun(n, axis, method), along);
      inside = inside ? n.binary<graph::AndOp>(inside, own) : own;
      continue;
    }
    n.expectTable(axis.to);
    SmallVector<bool> in;
    for (int64_t o = 0; o < axis.to; ++o) {
      double x = coordinateOf(method, axis, o);
      in.push_back(x >= 0 && x <= double(axis.from - 1));
    }
    if (!llvm::is_contained(in, false))
      continue;
    Shape shape(rank, 1);
    shape[number] = axis.to;
    Value own = n.constant(DenseElementsAttr::get(
        n.typeOf(shape, n.b.getI1Type()), ArrayRef<bool>(in)));
    inside = inside ? n.binary<graph::AndOp>(inside, own) : own;
  }
  if (!inside)
    return y;
  Value value = n.scalar(n.element(y), n.real("extrapolation_value", 0));
  return n.make<graph::WhereOp>(y.getType(), inside, y, value);
}

Value resizedAll(Node &n, Value x, ArrayRef<Axis> axes, const Method &method) {
  Type element = n.element(x);
  bool interpolates = method.mode != "nearest";
  bool crops = method.coordinates == "tf_crop_and_resize";
  if (interpolates && !isa<FloatType>(element))
    x = n.cast(x, n.b.getF32Type());
  // What shrinks first leaves less for the others.
  SmallVector<int64_t> order =
      llvm::to_vector(llvm::seq<int64_t>(0, axes.size()));
  auto ratio = [&](int64_t number) {
    const Axis &axis = axes[number];
    return double(n.extents->range(axis.to).high) /
           double(std::max<int64_t>(1, n.extents->range(axis.from).high));
  };
  llvm::stable_sort(order,
                    [&](int64_t a, int64_t b) { return ratio(a) < ratio(b); });
  for (int64_t number : order) {
    const Axis &axis = axes[number];
    if (crops ? axis.from != axis.to || axis.begin != 0 || axis.end != 1
              : axis.from != axis.to || axis.scale != 1)
      x = resized(n, x, number, axis, method);
  }
  if (crops)
    x = extrapolated(n, x, axes, method);
  if (element != n.element(x)) // integers: the nearest one
    x = n.make<graph::RoundOp>(x.getType(), x);
  return n.cast(x, element);
}

/// The elements of a constant input; nothing where it is omitted or empty.
std::optional<SmallVector<double>> numbers(Node &n, size_t i, StringRef what) {
  if (!n.optional(i) || n.type(n.input(i)).getNumElements() == 0)
    return std::nullopt;
  return n.steeringNumbers(i, what);
}

void checkMethod(Node &n, Method &method) {
  if (method.mode == "bilinear" || method.mode == "trilinear")
    method.mode = "linear"; // Upsample's names
  if (method.mode != "nearest" && method.mode != "linear" &&
      method.mode != "cubic")
    n.fail("attribute 'mode' is nearest, linear or cubic, found '" +
           method.mode + "'");
  if (!llvm::is_contained({"half_pixel", "half_pixel_symmetric",
                           "pytorch_half_pixel", "align_corners", "asymmetric",
                           "tf_crop_and_resize", "tf_half_pixel_for_nn"},
                          method.coordinates))
    n.fail("attribute 'coordinate_transformation_mode' is not known: '" +
           method.coordinates + "'");
  if (!llvm::is_contained(
          {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"},
          method.nearest))
    n.fail("attribute 'nearest_mode' is round_prefer_floor, "
           "round_prefer_ceil, floor or ceil, found '" +
           method.nearest + "'");
}

void expectExtent(Node &n, double exact) {
  if (!(exact < double(INT32_MAX)))
    n.fail("the scales or sizes give an axis more than " + Twine(INT32_MAX) +
           " elements");
}

/// The extent that a result of `exact` elements has.
int64_t extentOf(Node &n, double exact) {
  expectExtent(n, exact);
  return int64_t(std::floor(exact));
}

/// The extents of the result from scales or sizes, given for some axes.
void setExtents(Node &n, MutableArrayRef<Axis> axes, ArrayRef<int64_t> given,
                std::optional<SmallVector<double>> scales,
                std::optional<Shape> sizes) {
  if (!scales == !sizes)
    n.fail("expected either scales or sizes");
  size_t count = scales ? scales->size() : sizes->size();
  if (count != given.size())
    n.fail("expected " + Twine(given.size()) + " scales or sizes, found " +
           Twine(count));
  std::string policy = n.string("keep_aspect_ratio_policy", "stretch");
  std::optional<double> common;
  for (auto [i, number] : llvm::enumerate(given)) {
    Axis &axis = axes[number];
    if (scales) {
      axis.scale = (*scales)[i];
      if (!(axis.scale > 0) || axis.scale > double(1 << 30))
        n.fail("a scale is out of range");
      axis.to = n.extents->scaled(axis.from, float(axis.scale));
      expectExtent(n, double(n.extents->range(axis.to).high));
      continue;
    }
    axis.to = (*sizes)[i];
    Extents::Range to = n.extents->range(axis.to);
    if (to.low < 0 || to.high > (1 << 30))
      n.fail("a size is out of range");
    if (isSymbol(axis.to) || isSymbol(axis.from)) {
      if (policy != "stretch")
        n.refuse("attribute 'keep_aspect_ratio_policy' is '" + policy +
                 "', which needs constant extents, but axis " + Twine(number) +
                 " goes from " + n.extents->text(axis.from) + " to " +
                 n.extents->text(axis.to) + "; " +
                 n.extents->howToFix({axis.from, axis.to}));
      auto more = n.extents->quotient(axis.to, axis.from);
      axis.scale = more && !isSymbol(*more) ? double(*more) : 0;
      continue;
    }
    axis.scale = double(axis.to) / double(std::max<int64_t>(1, axis.from));
    bool smaller = policy == "not_larger";
    if (!common || (smaller ? axis.scale < *common : axis.scale > *common))
      common = axis.scale;
  }
  if (scales || policy == "stretch")
    return;
  if (policy != "not_larger" && policy != "not_smaller")
    n.fail("attribute 'keep_aspect_ratio_policy' is stretch, not_larger or "
           "not_smaller, found '" +
           policy + "'");
  for (int64_t number : given) {
    axes[number].scale = *common;
    axes[number].to = extentOf(n, *common * double(axes[number].from) + 0.5);
  }
}

SmallVector<Axis> axesOf(Node &n, Value x) {
  SmallVector<Axis> axes;
  for (int64_t extent : n.shape(x))
    axes.push_back({extent, extent});
  return axes;
}

void resize(Node &n) {
  Value x = n.input(0);
  int64_t rank = n.type(x).getRank();
  bool first = n.opset < 11; // only x and scales
  Method method;
  method.mode = n.string("mode", "nearest");
  method.coordinates = n.string("coordinate_transformation_mode",
                                first ? "asymmetric" : "half_pixel");
  method.nearest = n.string("nearest_mode", "round_prefer_floor");
  method.cubic = n.real("cubic_coeff_a", -0.75f);
  method.antialias = n.integer("antialias", 0);
  method.excludeOutside = n.integer("exclude_outside", 0);
  checkMethod(n, method);
  if (first)
    method.nearest = "by_scale";
  SmallVector<Axis> axes = axesOf(n, x);
  Shape given = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (auto named = n.integers("axes")) {
    n.axes(*named, rank);
    given.clear();
    for (int64_t axis : *named)
      given.push_back(n.axis(axis, rank));
  }
  std::optional<Shape> sizes;
  if (!first && n.optional(3) && n.type(n.input(3)).getNumElements() != 0)
    sizes = n.steering(3, "the sizes");
  setExtents(n, axes, given, numbers(n, first ? 1 : 2, "the scales"), sizes);
  if (method.coordinates == "tf_crop_and_resize") {
    auto roi = numbers(n, 1, "the region of interest");
    if (!roi || roi->size() != 2 * given.size())
      n.fail("tf_crop_and_resize expects a region of " +
             Twine(2 * given.size()) + " numbers");
    for (auto [i, number] : llvm::enumerate(given)) {
      axes[number].begin = (*roi)[i];
      axes[number].end = (*roi)[given.size() + i];
    }
  }
  n.result(resizedAll(n, x, axes, method));
}

/// Resize's predecessor; scales are an attribute up to opset 8.
void upsample(Node &n) {
  Value x = n.input(0);
  int64_t rank = n.type(x).getRank();
  Method method;
  method.mode = n.string("mode", "nearest");
  method.coordinates = "asymmetric";
  method.nearest = "floor";
  checkMethod(n, method);
  SmallVector<double> scales;
  if (n.opset >= 9) {
    scales = n.steeringNumbers(1, "the scales");
  } else if (auto *list = n.attribute("scales")) {
    scales.assign(list->floats().begin(), list->floats().end());
  } else {
    // Opset 1: of an image's height and width.
    scales = {1, 1, n.real("height_scale", 1), n.real("width_scale", 1)};
  }
  SmallVector<Axis> axes = axesOf(n, x);
  setExtents(n, axes, llvm::to_vector(llvm::seq<int64_t>(0, rank)), scales,
             std::nullopt);
  n.result(resizedAll(n, x, axes, method));
}

} // namespace

void addResizing(HandlerTable &table) {
  table[".Resize"] = resize;
  table[".Upsample"] = upsample;
}

} // namespace mho::import
