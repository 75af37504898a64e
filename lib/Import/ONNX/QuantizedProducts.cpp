//===- QuantizedProducts.cpp - products of quantized tensors -------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With constant weights the product is one of floats that hold integers, so
// that an array can do it: (x - x_zero) times the matrix (w - w_zero), scales
// behind it. Otherwise it is a digital product of integers, exact in i32.
//
//===----------------------------------------------------------------------===//

#include "QuantizedProducts.h"

#include "Compositions.h"

#include "mho/Dialect/Graph/IR/Shapes.h"

using namespace mlir;

namespace mho::import {

Value overRows(Node &n, Value parameter, int64_t rank) {
  if (!parameter || n.type(parameter).getRank() != 1 ||
      n.type(parameter).getNumElements() == 1 || rank < 2)
    return parameter;
  return n.reshape(parameter, {n.shape(parameter)[0], 1});
}

Quantizer coveringRange(Node &n, Value value) {
  Expr x(n, value);
  Shape all = axesFrom(0, x.rank());
  Expr low = min(smallest(x, all, false), 0);
  Expr high = max(largest(x, all, false), 0);
  Expr scale = (high - low) / 255;
  scale = where(scale == 0, 1, scale);
  return {scale, quantized(n, -low, {scale}, n.b.getIntegerType(8, false))};
}

static Expr real(Node &n, Value x) { return Expr(n, x).as(n.b.getF32Type()); }

Value scaled(Node &n, Value sum, Value aScale, Value cScale, Value bias) {
  Expr factor = real(n, aScale) * real(n, cScale);
  Expr y = real(n, sum) * factor;
  return bias ? y + real(n, bias) : y;
}

/// Σ x along `axis`, which stays with extent 1, in i32.
static Expr sumAlong(Node &n, Value x, int64_t axis) {
  return sum(Expr(n, x).as(n.b.getI32Type()), {axis});
}

/// The bytes are multiplied as they are; what the zero points add is taken off:
/// Σ(a - p)(b - q) = Σab - p·Σb - q·Σa + K·p·q.
static Value integerProduct(Node &n, Value a, Value aZero, Value c,
                            Value cZero) {
  Type i32 = n.b.getI32Type();
  auto shape = graph::matmulShape(n.shape(a), n.shape(c));
  if (!shape)
    n.fail("cannot multiply tensors of these shapes");
  int64_t aRank = n.type(a).getRank(), cRank = n.type(c).getRank();
  bool plain = isZero(aZero) && isZero(cZero);
  if (!plain && (aRank < 2 || cRank < 2))
    return product(n, centred(n, a, aZero, i32), centred(n, c, cZero, i32));
  Expr y(n, n.make<graph::MatmulOp>(n.typeOf(*shape, i32), a, c));
  if (!isZero(aZero)) {
    aZero = n.cast(overRows(n, aZero, aRank), i32);
    y = y - Expr(n, aZero) * sumAlong(n, c, cRank - 2);
  }
  if (!isZero(cZero)) {
    cZero = n.cast(cZero, i32);
    y = y - sumAlong(n, a, aRank - 1) * Expr(n, cZero);
  }
  if (!isZero(aZero) && !isZero(cZero))
    y = y + Expr(n, aZero) * Expr(n, cZero) * double(n.shape(a).back());
  return y;
}

Value quantizedMatMul(Node &n, Value a, Value aZero, Value c, Value cZero) {
  if (!isConstant(c) || (cZero && !isConstant(cZero)))
    return integerProduct(n, a, aZero, c, cZero);
  Type f32 = n.b.getF32Type();
  aZero = overRows(n, aZero, n.type(a).getRank());
  return product(n, centred(n, a, aZero, f32), centred(n, c, cZero, f32));
}

/// One value a channel of weights or of an N, C, spatial… image.
static Value overChannels(Node &n, Value parameter, int64_t rank,
                          int64_t axis) {
  if (!parameter || n.type(parameter).getNumElements() == 1)
    return parameter ? n.reshape(parameter, {}) : parameter;
  Shape shape(rank, 1);
  shape[axis] = n.type(parameter).getNumElements();
  return n.reshape(parameter, shape);
}

/// The convolution of (x - xZero) and (w - wZero): i32, or f32 where the
/// weights are constant.
static Value quantizedConvolution(Node &n, Value x, Value xZero, Value w,
                                  Value wZero) {
  bool constant = isConstant(w) && (!wZero || isConstant(wZero));
  Type element = constant ? Type(n.b.getF32Type()) : n.b.getI32Type();
  int64_t rank = n.type(w).getRank();
  wZero = overChannels(n, wZero, rank, 0);
  return delegated(
      n, convolution,
      {centred(n, x, xZero, element), centred(n, w, wZero, element)}, n.opset);
}

/// What an array gives, as the integer it stands for.
static Value asInteger(Node &n, Value y) {
  Expr sum(n, y);
  return (sum.isFloat() ? round(sum) : sum).as(n.b.getI32Type());
}

Value requantized(Node &n, Value sum, Value factor, Quantizer to,
                  Type element) {
  Expr quotient = Expr(n, factor) / real(n, to.scale);
  Expr y = real(n, sum) * quotient;
  return quantized(n, y, {y.like(1), to.zero}, element);
}

namespace {

void matMulInteger(Node &n) {
  n.result(asInteger(n, quantizedMatMul(n, n.input(0), n.optional(2),
                                        n.input(1), n.optional(3))));
}

void convInteger(Node &n) {
  n.result(asInteger(n, quantizedConvolution(n, n.input(0), n.optional(2),
                                             n.input(1), n.optional(3))));
}

void qlinearMatMul(Node &n) {
  Value a = n.input(0), c = n.input(3), scale = n.input(6), zero = n.input(7);
  if (n.type(scale).getNumElements() != 1)
    n.refuse("a result with a scale per row is not supported");
  Value product = quantizedMatMul(n, a, n.input(2), c, n.input(5));
  Value aScale = overRows(n, n.input(1), n.type(a).getRank());
  Expr factor = real(n, aScale) * real(n, n.input(4));
  n.result(requantized(n, product, factor,
                       {n.reshape(scale, {}), n.reshape(zero, {})},
                       n.element(zero)));
}

void qlinearConv(Node &n) {
  Value x = n.input(0), w = n.input(3), bias = n.optional(8);
  Value zero = n.input(7);
  int64_t rank = n.type(x).getRank();
  Value sum = quantizedConvolution(n, x, n.input(2), w, n.input(5));
  // The bias has the scale of the sum.
  if (bias)
    sum = added(n, sum, n.cast(overChannels(n, bias, rank, 1), n.element(sum)));
  Expr factor = real(n, n.reshape(n.input(1), {})) *
                real(n, overChannels(n, n.input(4), rank, 1));
  n.result(requantized(n, sum, factor,
                       {n.reshape(n.input(6), {}), n.reshape(zero, {})},
                       n.element(zero)));
}

} // namespace

void addQuantizedProducts(HandlerTable &table) {
  table[".MatMulInteger"] = matMulInteger;
  table[".ConvInteger"] = convInteger;
  table[".QLinearMatMul"] = qlinearMatMul;
  table[".QLinearConv"] = qlinearConv;
}

} // namespace mho::import
