//===- Quantization.cpp - quantized values and back -----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Node.h"

using namespace mlir;

namespace mho::import {

namespace {

/// The axis of a scale with more than one element; 0 for a scalar one.
int64_t scaleAxis(Node &n, Value x, Value scale, Value zero) {
  RankedTensorType type = n.type(scale);
  if (n.integer("block_size", 0))
    n.refuse("blocked scales are not supported");
  if (type.getRank() > 1)
    n.refuse("scales of rank " + Twine(type.getRank()) + " are not supported");
  if (zero && n.type(zero).getNumElements() != 1 &&
      n.shape(zero) != type.getShape())
    n.fail("scale and zero point differ in shape");
  if (type.getNumElements() == 1)
    return 0;
  int64_t axis = n.axis(n.integer("axis", 1), n.type(x).getRank());
  if (n.shape(x)[axis] != type.getNumElements())
    n.fail("a scale of " + Twine(type.getNumElements()) +
           " values runs along an axis of " + Twine(n.shape(x)[axis]));
  return axis;
}

void quantize(Node &n) {
  Value x = n.input(0), scale = n.input(1), zero = n.optional(2);
  Type element = n.b.getIntegerType(8, false);
  if (zero) {
    element = n.element(zero);
  } else if (int64_t asked = n.integer("output_dtype", 0)) {
    element = elementType(n.b.getContext(), asked);
    if (!element)
      n.refuse("quantizing to " + dataTypeName(asked) + " is not supported");
  }
  if (!isa<IntegerType>(element))
    n.refuse("quantizing to floats is not supported");
  if (!isa<FloatType>(n.element(x)))
    n.refuse("quantizing integers is not supported");
  int64_t axis = scaleAxis(n, x, scale, zero);
  n.result(n.make<graph::QuantizeLinearOp>(n.typeOf(n.shape(x), element), x,
                                           scale, zero,
                                           n.b.getI64IntegerAttr(axis)));
}

void dequantize(Node &n) {
  Value x = n.input(0), scale = n.input(1), zero = n.optional(2);
  if (zero)
    n.checkSameElement(x, zero);
  Type element = n.element(scale);
  if (int64_t asked = n.integer("output_dtype", 0))
    element = elementType(n.b.getContext(), asked);
  if (!element || !isa<FloatType>(element))
    n.refuse("dequantizing to that type is not supported");
  int64_t axis = scaleAxis(n, x, scale, zero);
  n.result(n.make<graph::DequantizeLinearOp>(n.typeOf(n.shape(x), element), x,
                                             scale, zero,
                                             n.b.getI64IntegerAttr(axis)));
}

} // namespace

void addQuantization(HandlerTable &table) {
  table[".QuantizeLinear"] = quantize;
  table[".DequantizeLinear"] = dequantize;
}

} // namespace mho::import
