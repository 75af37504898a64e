//===- RunTimeResize.cpp - resizing what only the run knows ---------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The tables of Resize.cpp as expressions. They are computed for as many
// elements as there can be and then cut to the run's extent, so that what does
// not follow from an extent (all coordinates, where the scale is a number) is
// folded here, and only the image's end is the run's.
//
//===----------------------------------------------------------------------===//

#include "Expression.h"
#include "Resize.h"

#include <cmath>

using namespace mlir;

namespace mho::import {

namespace {

/// An axis as numbers of the run.
class RunTimeAxis {
public:
  RunTimeAxis(Node &n, const Axis &axis, const Method &method)
      : n(n), axis(axis), method(method), from(real(axis.from)),
        to(real(axis.to)),
        scale(axis.scale != 0 ? from.like(axis.scale) : to / from),
        exact(axis.scale != 0 ? from * axis.scale : to) {}

  /// Where each element of the result lies on the input axis: as many as there
  /// can be.
  Expr coordinates() const {
    Expr o = iota(n, n.b.getF64Type(), n.extents->range(axis.to).high);
    Expr last = from - 1;
    if (method.coordinates == "align_corners")
      return where(exact == 1, 0, o * last / (exact - 1));
    if (method.coordinates == "asymmetric")
      return o / scale;
    if (method.coordinates == "tf_crop_and_resize") {
      double width = axis.end - axis.begin;
      Expr inside =
          where(exact == 1, last * (width / 2), o * width * last / (exact - 1));
      return inside + last * axis.begin;
    }
    if (method.coordinates == "tf_half_pixel_for_nn")
      return (o + 0.5) / scale;
    Expr half = (o + 0.5) / scale - 0.5;
    if (method.coordinates == "pytorch_half_pixel")
      return where(exact == 1, -0.5, half);
    if (method.coordinates == "half_pixel_symmetric")
      return from / 2 * (1 - to / exact) + half;
    return half;
  }

  /// The element of the input nearest to each of the result's.
  Expr nearest() const {
    Expr x = coordinates();
    // Opset 10 names no rounding: up where the axis shrinks, else down.
    bool byScale = method.nearest == "by_scale";
    if (method.nearest == "ceil" || (byScale && axis.scale < 1))
      x = ceil(x);
    else if (method.nearest == "floor" || byScale)
      x = floor(x);
    else if (method.nearest == "round_prefer_ceil")
      x = floor(x + 0.5);
    else
      x = ceil(x - 0.5);
    return inImage(cut(x));
  }

  /// Elements and their weights, out × count.
  std::pair<Expr, Expr> table(Type element) const {
    double stretch = method.antialias ? std::min(axis.scale, 1.0) : 1;
    double reach = method.mode == "linear" ? 1 : 2;
    auto first = int64_t(std::floor(-reach / stretch)) + 1;
    int64_t count = 2 - 2 * first;
    Expr x = coordinates();
    x = x.reshape({x.shape()[0], 1});
    // The element left of x, which itself is never that element.
    Expr left = ceil(x) - 1, ratio = x - left;
    Expr steps = iota(n, n.b.getF64Type(), count) + double(first);
    Expr weights = kernel((steps - ratio) * stretch),
         places = cut(left + steps);
    if (method.antialias || method.excludeOutside) {
      weights = cut(weights);
      if (method.excludeOutside)
        weights = where(places >= places.like(0) && places < from, weights, 0);
      Expr all = sum(weights, {1});
      weights = where(all == 0, 0, weights / all);
    } else {
      weights = cut(weights.as(element));
    }
    return {inImage(places), weights.as(element)};
  }

  /// The first of `x` along axis 0, as many as the result has elements.
  Expr cut(Expr x) const {
    Shape shape(x.shape());
    shape[0] = axis.to;
    return {n,
            n.sliced(x, Shape(shape.size(), 0), Shape(shape.size(), 1), shape)};
  }

  Expr extent() const { return from; }

private:
  Expr real(int64_t extent) const {
    return extentOf(n, extent).as(n.b.getF64Type());
  }

  Expr inImage(Expr places) const {
    return max(min(places, from - 1), 0).as(n.b.getIntegerType(64));
  }

  /// The kernel of an interpolation at a distance of `x` elements.
  Expr kernel(Expr x) const {
    x = abs(x);
    if (method.mode == "linear")
      return max(1 - x, 0);
    double a = method.cubic;
    Expr near = ((a + 2) * x - (a + 3)) * x * x + 1;
    Expr far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
    return where(x <= x.like(1), near, where(x < 2, far, 0));
  }

  Node &n;
  const Axis &axis;
  const Method &method;
  Expr from, to, scale, exact;
};

/// How often each element appears, one after the other, whatever the extent is;
/// else 0.
int64_t evenRepeats(Node &n, const Axis &axis, const Method &method) {
  auto times = int64_t(axis.scale);
  bool steady = llvm::is_contained(
      {"asymmetric", "half_pixel", "tf_half_pixel_for_nn"}, method.coordinates);
  if (!steady || times < 1 || double(times) != axis.scale)
    return 0;
  // Shifts within what one element becomes, at its ends.
  double shift = method.coordinates == "asymmetric"   ? 0
                 : method.coordinates == "half_pixel" ? 0.5 / axis.scale - 0.5
                                                      : 0.5 / axis.scale;
  for (double part : {0.0, double(times - 1) / double(times)}) {
    double x = part + shift;
    double place = method.nearest == "ceil"                ? std::ceil(x)
                   : method.nearest == "round_prefer_ceil" ? std::floor(x + 0.5)
                   : method.nearest == "round_prefer_floor" ? std::ceil(x - 0.5)
                                                            : std::floor(x);
    if (place != 0)
      return 0;
  }
  return times;
}

} // namespace

Value resizedInRun(Node &n, Value x, int64_t number, const Axis &axis,
                   const Method &method) {
  Shape shape(n.shape(x));
  shape[number] = axis.to;
  if (method.mode == "nearest") {
    if (int64_t times = evenRepeats(n, axis, method)) {
      Shape apart(n.shape(x)), repeated;
      apart.insert(apart.begin() + number + 1, 1);
      repeated = apart;
      repeated[number + 1] = times;
      return n.reshape(n.expand(n.reshape(x, apart), repeated), shape);
    }
    return n.make<graph::GatherOp>(n.typeOf(shape, n.element(x)), x,
                                   RunTimeAxis(n, axis, method).nearest(),
                                   n.b.getI64IntegerAttr(number));
  }
  if (method.antialias && axis.scale == 0)
    n.refuse("attribute 'antialias' needs a scale that is a number, but axis " +
             Twine(number) + " goes from " + n.extents->text(axis.from) +
             " to " + n.extents->text(axis.to) + "; " +
             n.extents->howToFix({axis.from, axis.to}) +
             ", or give scales instead of sizes");
  Type element = n.element(x);
  auto [taps, weights] =
      RunTimeAxis(n, axis, method)
          .table(element.isF64() ? element : n.b.getF32Type());
  return n.make<graph::ResampleOp>(n.typeOf(shape, element), x, taps, weights,
                                   n.b.getI64IntegerAttr(number));
}

Value insideInRun(Node &n, const Axis &axis, const Method &method) {
  RunTimeAxis own(n, axis, method);
  Expr x = own.cut(own.coordinates());
  return x >= x.like(0) && x <= own.extent() - 1;
}

} // namespace mho::import
