//===- Pooling.cpp - pools over windows and whole images ------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Expression.h"
#include "Window.h"

#include "mho/Dialect/Graph/IR/Shapes.h"

using namespace mlir;

namespace mho::import {

namespace {

UnitAttr flag(Node &n, bool set) {
  return set ? n.b.getUnitAttr() : UnitAttr();
}

/// The element that wins no maximum.
Value least(Node &n, Type element) {
  auto type = n.typeOf({}, element);
  if (auto floats = dyn_cast<FloatType>(element))
    return n.constant(DenseElementsAttr::get(
        type, APFloat::getInf(floats.getFloatSemantics(), /*Negative=*/true)));
  unsigned width = element.getIntOrFloatBitWidth();
  return n.constant(DenseElementsAttr::get(
      type, element.isUnsignedInteger() ? APInt::getMinValue(width)
                                        : APInt::getSignedMinValue(width)));
}

/// Row-major places in images as places whose spatial axes count the other way
/// round, the first one fastest.
Expr columnMajor(Node &n, Expr places, ArrayRef<int64_t> spatial) {
  int64_t size = n.extents->elements(spatial);
  // Peels the axes off, the last first.
  Expr rest = places;
  std::optional<Expr> result;
  for (size_t axis = spatial.size(); axis-- > 0;) {
    // An empty image has no places, whatever is computed of them.
    Expr extent = extentOf(n, spatial[axis] == 0 ? 1 : spatial[axis]);
    int64_t weight = n.extents->elements(spatial.take_front(axis));
    Expr outer = rest / extent;
    Expr at = (rest - outer * extent) * extentOf(n, weight);
    result = result ? *result + at : at;
    rest = outer;
  }
  return rest * extentOf(n, size) + *result;
}

void maxPool(Node &n) {
  Value x = n.input(0);
  Window window = windowOf(n, n.shape(x), {});
  if (n.wants(1) && hasSymbol(window.pads))
    n.refuse(
        "the indices of a window with auto_pad '" + n.string("auto_pad", "") +
        "' and strides need constant spatial extents; " +
        n.extents->howToFix(n.shape(x).drop_front(2)) + ", or state the pads");
  if (hasSymbol(window.pads))
    x = withOwnBorder(n, x, window, least(n, n.element(x)), /*all=*/false);
  auto type =
      n.typeOf(resultShape(n, n.shape(x), window, n.shape(x)[1]), n.element(x));
  auto kernel = n.b.getDenseI64ArrayAttr(window.kernel);
  auto strides = n.b.getDenseI64ArrayAttr(window.strides);
  auto pads = n.b.getDenseI64ArrayAttr(window.pads);
  auto dilations = n.b.getDenseI64ArrayAttr(window.dilations);
  Value y = n.make<graph::MaxPoolOp>(type, x, kernel, strides, pads, dilations,
                                     flag(n, window.ceil), UnitAttr());
  n.result(y);
  if (!n.wants(1))
    return;
  auto indexType = n.typeOf(n.shape(y), n.b.getIntegerType(64));
  Value indices = n.make<graph::MaxPoolIndexOp>(indexType, x, y, kernel,
                                                strides, pads, dilations);
  if (n.integer("storage_order", 0))
    indices = columnMajor(n, {n, indices}, n.shape(x).drop_front(2));
  n.result(indices);
}

} // namespace

/// The sum of each window of `x`. What the run says of pads becomes a border of
/// x before.
static Expr windowSums(Node &n, Value x, Window window) {
  x = withOwnBorder(n, x, window, Value(), /*all=*/false);
  auto type =
      n.typeOf(resultShape(n, n.shape(x), window, n.shape(x)[1]), n.element(x));
  return {n, n.make<graph::SumPoolOp>(
                 type, x, n.b.getDenseI64ArrayAttr(window.kernel),
                 n.b.getDenseI64ArrayAttr(window.strides),
                 n.b.getDenseI64ArrayAttr(window.pads),
                 n.b.getDenseI64ArrayAttr(window.dilations),
                 flag(n, window.ceil), UnitAttr())};
}

/// How many elements each window along spatial axis `i` averages over, as a
/// tensor of `element` numbers of the rank of the image.
static Expr countsAlong(Node &n, const Window &window, size_t i, int64_t extent,
                        int64_t positions, Type element) {
  size_t spatial = window.kernel.size();
  Shape steps;
  for (int64_t k = 0; k < window.kernel[i]; ++k)
    steps.push_back(k * window.dilations[i]);
  Expr begins =
      iota(n, n.b.getIntegerType(64), positions).reshape({positions, 1});
  Expr places = begins * extentOf(n, window.strides[i]) -
                extentOf(n, window.pads[i]) +
                Expr(n, n.constantIntegers(steps));
  int64_t low = 0, high = extent;
  if (n.integer("count_include_pad", 0)) {
    low = n.extents->difference(0, window.pads[i]);
    high = n.extents->sum(extent, window.pads[spatial + i]);
  }
  low = n.extents->difference(low, 1);
  Expr inside = places > extentOf(n, low) && places < extentOf(n, high);
  // A window may lie in the border altogether.
  Expr counts = max(sum(inside.as(element), {1}, false), 1);
  Shape along(spatial, 1);
  along[i] = positions;
  return counts.reshape(along);
}

/// Where extents are the run's: each window's sum over how many elements it
/// has.
static Expr boundedAverage(Node &n, Value narrow, const Window &window) {
  Expr x = wide(n, narrow);
  ArrayRef<int64_t> image = x.shape();
  Shape places = resultShape(n, image, window, image[1]);
  Expr y = windowSums(n, x, window);
  std::optional<Expr> divisor;
  for (size_t i = 0; i < window.kernel.size(); ++i) {
    Expr counts =
        countsAlong(n, window, i, image[i + 2], places[i + 2], x.element());
    divisor = divisor ? *divisor * counts : counts;
  }
  return (y / *divisor).as(n.element(narrow));
}

void averagePool(Node &n) {
  Value x = n.input(0);
  Window window = windowOf(n, n.shape(x), {});
  if (hasSymbol(n.shape(x).drop_front(2)))
    return n.result(boundedAverage(n, x, window));
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

/// (Σ |x|^p)^(1/p) by what is done before and after the sum.
Expr magnitudePower(Expr x, double p) {
  if (p == 2)
    return x * x;
  return p == 1 ? abs(x) : pow(abs(x), p);
}

Expr root(Expr x, double p) {
  return p == 1 ? x : p == 2 ? sqrt(x) : pow(x, 1 / p);
}

/// A float in opset 1, an integer since.
double normOrder(Node &n) {
  double p = n.opset < 2 ? double(n.real("p", 2)) : double(n.integer("p", 2));
  if (!(p > 0))
    n.fail("attribute 'p' must be positive");
  return p;
}

void lpPool(Node &n) {
  Expr x(n, n.input(0));
  double p = normOrder(n);
  Window window = windowOf(n, x.shape(), {});
  n.result(root(windowSums(n, magnitudePower(x, p), window), p));
}

Shape spatialAxes(Node &n, int64_t rank) {
  if (rank < 3)
    n.fail("expected an image of rank 3 or more");
  return axesFrom(2, rank);
}

} // namespace

void globalAveragePool(Node &n) {
  Expr x(n, n.input(0));
  Shape axes = spatialAxes(n, x.rank());
  auto type = n.typeOf(graph::reducedShape(x.shape(), axes, true), x.element());
  n.result(n.make<graph::GlobalAveragePoolOp>(type, Value(x), UnitAttr()));
}

namespace {

void globalLpPool(Node &n) {
  Expr x(n, n.input(0));
  double p = normOrder(n);
  Shape axes = spatialAxes(n, x.rank());
  n.result(root(sum(magnitudePower(x, p), axes), p));
}

void globalMaxPool(Node &n) {
  Expr x(n, n.input(0));
  n.result(largest(x, spatialAxes(n, x.rank())));
}

/// Puts each element where MaxPool found it; the rest is zero.
void maxUnpool(Node &n) {
  Value x = n.input(0), indices = n.input(1);
  int64_t rank = n.type(x).getRank();
  if (rank < 3 || n.shape(indices) != n.shape(x) ||
      !n.element(indices).isSignlessInteger(64))
    n.fail("expected an image and int64 indices of its shape");
  n.expectFixed(x, llvm::to_vector(llvm::seq<int64_t>(0, rank)));
  Window window = attributesOf(n, rank - 2, {});
  Shape inferred(n.shape(x).take_front(2));
  for (int64_t i = 0; i + 2 < rank; ++i)
    inferred.push_back((n.shape(x)[i + 2] - 1) * window.strides[i] +
                       window.kernel[i] - window.pads[i] -
                       window.pads[rank - 2 + i]);
  Shape shape = n.optional(2) ? n.steering(2, "the output's shape") : inferred;
  if (int64_t(shape.size()) != rank)
    n.fail("the output's shape needs " + Twine(rank) + " extents");
  int64_t inside = 1, count = n.type(x).getNumElements();
  for (auto [extent, own] : llvm::zip_equal(shape, inferred)) {
    if (own < 1 || extent < own)
      n.fail("an output extent of " + Twine(extent) + " is less than the " +
             Twine(own) + " that the window spans");
    inside *= own;
  }
  auto flat = n.typeOf({inside}, n.element(x));
  Value zeros =
      n.constant(DenseElementsAttr::get(flat, n.b.getZeroAttr(n.element(x))));
  Value y = n.make<graph::ScatterNDOp>(flat, zeros, n.reshape(x, {count}),
                                       ValueRange{n.reshape(indices, {count})},
                                       n.b.getDenseI64ArrayAttr({-1}),
                                       n.b.getStringAttr("none"));
  y = n.reshape(y, inferred);
  Shape low(rank, 0), high;
  for (auto [extent, own] : llvm::zip_equal(shape, inferred))
    high.push_back(extent - own);
  n.result(n.make<graph::PadOp>(
      n.typeOf(shape, n.element(x)), y, Value(), n.b.getDenseI64ArrayAttr(low),
      n.b.getDenseI64ArrayAttr(high), n.b.getStringAttr("constant")));
}

} // namespace

void addPooling(HandlerTable &table) {
  table[".MaxPool"] = maxPool;
  table[".AveragePool"] = averagePool;
  table[".LpPool"] = lpPool;
  table[".GlobalAveragePool"] = globalAveragePool;
  table[".GlobalMaxPool"] = globalMaxPool;
  table[".GlobalLpPool"] = globalLpPool;
  table[".MaxUnpool"] = maxUnpool;
}

} // namespace mho::import
