//===- Pooling.cpp - pools over windows and whole images ------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Window.h"

using namespace mlir;

namespace mho::import {

namespace {

UnitAttr flag(Node &n, bool set) {
  return set ? n.b.getUnitAttr() : UnitAttr();
}

/// Row-major places in images as places whose spatial axes count the other way
/// round, the first one fastest.
Value columnMajor(Node &n, Value places, ArrayRef<int64_t> spatial) {
  auto number = [&](int64_t value) {
    return n.scalar(n.b.getIntegerType(64), double(value));
  };
  int64_t size = 1;
  for (int64_t extent : spatial)
    size *= extent;
  // Peels the axes off, the last first.
  Value rest = places, result;
  int64_t weight = size;
  for (int64_t extent : llvm::reverse(spatial)) {
    // An empty image has no places, whatever is computed of them.
    extent = std::max<int64_t>(extent, 1);
    weight /= extent;
    Value outer = n.binary<graph::DivOp>(rest, number(extent));
    Value at = n.binary<graph::SubOp>(
        rest, n.binary<graph::MulOp>(outer, number(extent)));
    at = n.binary<graph::MulOp>(at, number(weight));
    result = result ? n.binary<graph::AddOp>(result, at) : at;
    rest = outer;
  }
  Value image = n.binary<graph::MulOp>(rest, number(size));
  return n.binary<graph::AddOp>(image, result);
}

void maxPool(Node &n) {
  Value x = n.input(0);
  Window window = windowOf(n, n.shape(x), {});
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
    indices = columnMajor(n, indices, n.shape(x).drop_front(2));
  n.result(indices);
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

/// (Σ |x|^p)^(1/p) by what is done before and after the sum.
Value magnitudePower(Node &n, Value x, double p) {
  if (p == 2)
    return n.binary<graph::MulOp>(x, x);
  x = n.make<graph::AbsOp>(x.getType(), x);
  return p == 1 ? x : n.binary<graph::PowOp>(x, n.scalar(n.element(x), p));
}

Value root(Node &n, Value x, double p) {
  if (p == 1)
    return x;
  if (p == 2)
    return n.make<graph::SqrtOp>(x.getType(), x);
  return n.binary<graph::PowOp>(x, n.scalar(n.element(x), 1 / p));
}

/// A float in opset 1, an integer since.
double normOrder(Node &n) {
  double p = n.opset < 2 ? double(n.real("p", 2)) : double(n.integer("p", 2));
  if (!(p > 0))
    n.fail("attribute 'p' must be positive");
  return p;
}

void lpPool(Node &n) {
  Value x = n.input(0);
  double p = normOrder(n);
  Window window = windowOf(n, n.shape(x), {});
  auto type =
      n.typeOf(resultShape(n, n.shape(x), window, n.shape(x)[1]), n.element(x));
  Value sums = n.make<graph::SumPoolOp>(
      type, magnitudePower(n, x, p), n.b.getDenseI64ArrayAttr(window.kernel),
      n.b.getDenseI64ArrayAttr(window.strides),
      n.b.getDenseI64ArrayAttr(window.pads),
      n.b.getDenseI64ArrayAttr(window.dilations), flag(n, window.ceil),
      UnitAttr());
  n.result(root(n, sums, p));
}

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

void globalLpPool(Node &n) {
  Value x = n.input(0);
  double p = normOrder(n);
  auto type = n.typeOf(pooledShape(n, n.shape(x)), n.element(x));
  Shape axes = llvm::to_vector(llvm::seq<int64_t>(2, type.getRank()));
  Value sums = n.make<graph::ReduceSumOp>(type, magnitudePower(n, x, p),
                                          n.b.getDenseI64ArrayAttr(axes),
                                          n.b.getUnitAttr());
  n.result(root(n, sums, p));
}

void globalMaxPool(Node &n) {
  Value x = n.input(0);
  auto type = n.typeOf(pooledShape(n, n.shape(x)), n.element(x));
  Shape axes = llvm::to_vector(llvm::seq<int64_t>(2, type.getRank()));
  n.result(n.make<graph::ReduceMaxOp>(type, x, n.b.getDenseI64ArrayAttr(axes),
                                      n.b.getUnitAttr()));
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
