//===- Quantization.cpp - quantized values and back ----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Quantization.h"

#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace mho::import {

bool isConstant(Value value) {
  llvm::SetVector<Value> behind;
  behind.insert(value);
  for (size_t next = 0; next < behind.size(); ++next) {
    Operation *op = behind[next].getDefiningOp();
    if (!op)
      return false;
    if (op->hasTrait<OpTrait::ConstantLike>())
      continue;
    if (!isa<graph::GraphDialect>(op->getDialect()) || !isPure(op) ||
        op->getNumOperands() == 0)
      return false;
    behind.insert(op->operand_begin(), op->operand_end());
  }
  return true;
}

bool isZero(Value value) {
  DenseElementsAttr elements;
  if (!value)
    return true;
  if (!matchPattern(value, m_Constant(&elements)))
    return false;
  if (isa<FloatType>(elements.getElementType()))
    return llvm::all_of(elements.getValues<APFloat>(),
                        [](const APFloat &x) { return x.isZero(); });
  return llvm::all_of(elements.getValues<APInt>(),
                      [](const APInt &x) { return x.isZero(); });
}

Value centred(Node &n, Value x, Value zero, Type to) {
  x = n.cast(x, to);
  return isZero(zero) ? x : n.binary<graph::SubOp>(x, n.cast(zero, to));
}

void checkQuantizer(Node &n, Value x, Quantizer &by) {
  RankedTensorType type = n.type(x), scale = n.type(by.scale);
  if (by.zero && n.type(by.zero).getNumElements() != 1 &&
      n.shape(by.zero) != scale.getShape())
    n.fail("scale and zero point differ in shape");
  if (scale.getNumElements() == 1) {
    by.axis = by.block = 0;
    by.scale = n.reshape(by.scale, {});
    if (by.zero)
      by.zero = n.reshape(by.zero, {});
    return;
  }
  by.axis = n.axis(by.axis, type.getRank());
  int64_t extent = type.getDimSize(by.axis);
  if (!by.block) {
    if (scale.getRank() != 1)
      n.fail("a scale of rank " + Twine(scale.getRank()) +
             " needs the attribute block_size");
    if (extent != scale.getNumElements())
      n.fail("a scale of " + Twine(scale.getNumElements()) +
             " values runs along an axis of " + Twine(extent));
    return;
  }
  Shape expected(type.getShape());
  if (by.block < 0)
    n.fail("block_size must be positive, found " + Twine(by.block));
  expected[by.axis] = llvm::divideCeil(extent, by.block);
  if (ArrayRef<int64_t>(expected) != scale.getShape())
    n.fail("a scale for blocks of " + Twine(by.block) + " along axis " +
           Twine(by.axis) + " must have " + Twine(expected[by.axis]) +
           " values there and x's extents elsewhere");
}

/// A scale (or zero point) per block as one per element.
static Value perElement(Node &n, Value scale, const Quantizer &by,
                        int64_t extent) {
  if (!scale || n.type(scale).getNumElements() == 1)
    return scale;
  n.expectTable(extent);
  Shape blocks, shape(n.shape(scale));
  for (int64_t i = 0; i < extent; ++i)
    blocks.push_back(i / by.block);
  shape[by.axis] = extent;
  return n.make<graph::GatherOp>(n.typeOf(shape, n.element(scale)), scale,
                                 n.constantIntegers(blocks),
                                 n.b.getI64IntegerAttr(by.axis));
}

/// Runs `build` on x with its blocks, if any, apart: where they are whole, as
/// an axis of their own, along which the scale is broadcast.
static Value
blockwise(Node &n, Value x, Quantizer by,
          llvm::function_ref<Value(Value, const Quantizer &)> build) {
  checkQuantizer(n, x, by);
  if (!by.block)
    return build(x, by);
  Shape shape(n.shape(x));
  int64_t extent = shape[by.axis];
  if (extent % by.block != 0 || shape.size() == 1) {
    by.scale = perElement(n, by.scale, by, extent);
    by.zero = perElement(n, by.zero, by, extent);
    return build(x, by);
  }
  Shape apart(shape), scales(n.shape(by.scale));
  apart[by.axis] = extent / by.block;
  apart.insert(apart.begin() + by.axis + 1, by.block);
  scales.insert(scales.begin() + by.axis + 1, 1);
  by.scale = n.reshape(by.scale, scales);
  if (by.zero && n.type(by.zero).getNumElements() != 1)
    by.zero = n.reshape(by.zero, scales);
  return n.reshape(build(n.reshape(x, apart), by), shape);
}

Value dequantized(Node &n, Value x, Quantizer by, Type element) {
  return blockwise(n, x, by, [&](Value x, const Quantizer &by) {
    return n.make<graph::DequantizeLinearOp>(n.typeOf(n.shape(x), element), x,
                                             by.scale, by.zero,
                                             n.b.getI64IntegerAttr(by.axis));
  });
}

Value quantized(Node &n, Value x, Quantizer by, Type element, Type precision,
                bool saturate) {
  return blockwise(n, x, by, [&](Value x, const Quantizer &by) {
    return n.make<graph::QuantizeLinearOp>(
        n.typeOf(n.shape(x), element), x, by.scale, by.zero,
        n.b.getI64IntegerAttr(by.axis),
        saturate ? UnitAttr() : n.b.getUnitAttr(),
        precision ? TypeAttr::get(precision) : TypeAttr());
  });
}

namespace {

/// The type that attribute `name` asks for, or null.
Type askedType(Node &n, StringRef name) {
  int64_t asked = n.integer(name, 0);
  if (!asked)
    return nullptr;
  Type element = elementType(n.b.getContext(), asked);
  if (!element)
    n.refuse(name + " " + dataTypeName(asked) + " is not supported");
  return element;
}

void checkScale(Node &n, Value scale) {
  if (!isa<FloatType>(n.element(scale)))
    n.refuse("scales that are integers are not supported");
}

void quantize(Node &n) {
  Value x = n.input(0), scale = n.input(1), zero = n.optional(2);
  checkScale(n, scale);
  Type element = askedType(n, "output_dtype");
  if (zero && element && n.element(zero) != element)
    n.fail("output_dtype differs from the zero point's type");
  if (zero)
    element = n.element(zero);
  if (!element)
    element = n.b.getIntegerType(8, false);
  // The scale's type is the quotient's precision.
  Type precision = askedType(n, "precision");
  if (!precision)
    precision = n.element(scale);
  if (!isa<FloatType>(precision))
    n.fail("the precision must be a float type");
  if (precision.getIntOrFloatBitWidth() != 16)
    precision = nullptr;
  n.result(quantized(
      n, x, {scale, zero, n.integer("axis", 1), n.integer("block_size", 0)},
      element, precision, n.integer("saturate", 1)));
}

void dequantize(Node &n) {
  Value x = n.input(0), scale = n.input(1), zero = n.optional(2);
  checkScale(n, scale);
  if (zero)
    n.checkSameElement(x, zero);
  Type element = askedType(n, "output_dtype");
  if (!element)
    element = n.element(scale);
  if (!isa<FloatType>(element))
    n.fail("output_dtype must be a float type");
  n.result(dequantized(
      n, x, {scale, zero, n.integer("axis", 1), n.integer("block_size", 0)},
      element));
}

} // namespace

void addQuantization(HandlerTable &table) {
  for (StringRef domain : {".", "com.microsoft."}) {
    table[(domain + "QuantizeLinear").str()] = quantize;
    table[(domain + "DequantizeLinear").str()] = dequantize;
  }
}

} // namespace mho::import
