//===- EvaluateTypes.cpp - casts and quantization of constants ------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluate.h"

#include "mho/Dialect/Graph/IR/GraphOps.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <cstring>
#include <limits>

using namespace mlir;

namespace mho::graph {

/// `value` as an element of float type `to` holds it.
static double rounded(double value, Type to) {
  APFloat narrow(value);
  bool lossy;
  narrow.convert(cast<FloatType>(to).getFloatSemantics(),
                 APFloat::rmNearestTiesToEven, &lossy);
  return narrow.convertToDouble();
}

/// The largest finite number of a float type.
static double largest(Type type) {
  return APFloat::getLargest(cast<FloatType>(type).getFloatSemantics())
      .convertToDouble();
}

/// The bit pattern of a power of two, as f8E8M0FNU has it.
static uint8_t powerOfTwo(double value, StringRef roundMode, bool saturate) {
  constexpr int bias = 127, top = 254, nan = 255;
  value = std::fabs(value);
  if (std::isnan(value))
    return nan;
  if (!saturate && (value < std::ldexp(1.0, -bias) || std::isinf(value)))
    return nan;
  if (value == 0 || std::isinf(value))
    return value == 0 ? 0 : top;
  int exponent;
  double fraction = std::frexp(value, &exponent);
  int code = exponent - 1 + bias;
  if ((roundMode == "up" && fraction > 0.5) ||
      (roundMode == "nearest" && fraction >= 0.75))
    ++code;
  if (!saturate && code > top)
    return nan;
  return std::clamp(code, 0, top);
}

/// Floats to integers as graph.cast says.
static void setWrapped(ConstantWriter &result, int64_t index, double value,
                       Type element) {
  unsigned width = element.getIntOrFloatBitWidth();
  bool narrow = width < 32 || (width == 32 && element.isUnsignedInteger());
  if (!narrow || width == 1)
    return result.setDouble(index, value);
  // Through i32, or i64 for ui32.
  double bound = std::ldexp(1.0, width < 32 ? 31 : 63);
  int64_t wide = 0;
  if (value >= bound)
    wide = width < 32 ? INT32_MAX : INT64_MAX;
  else if (value < -bound)
    wide = width < 32 ? INT32_MIN : INT64_MIN;
  else if (!std::isnan(value))
    wide = int64_t(value);
  result.setInteger(index, wide);
}

/// Stores a float in a float type, saturating where that is asked for.
static void setFloat(ConstantWriter &result, int64_t index, double value,
                     Type element, bool saturate) {
  if (element.getIntOrFloatBitWidth() == 8 && saturate && !std::isnan(value))
    value = std::clamp(value, -largest(element), largest(element));
  result.setDouble(index, value);
}

static Attribute evaluateCast(CastOp op, const ConstantReader &x,
                              RankedTensorType type) {
  ConstantWriter result(type, x.isSplat());
  Type element = type.getElementType();
  bool saturate = !op.getUnsaturated();
  for (int64_t i = 0; i < result.size(); ++i) {
    if (isa<Float8E8M0FNUType>(element))
      *result.at(i) = powerOfTwo(x.asDouble(i), op.getRoundMode(), saturate);
    else if (isa<FloatType>(element))
      setFloat(result, i, x.asDouble(i), element, saturate);
    else if (x.isFloat())
      setWrapped(result, i, x.asDouble(i), element);
    else
      result.setInteger(i, x.asInteger(i));
  }
  return result.finish();
}

static Attribute evaluateBitCast(ConstantReader x, RankedTensorType type) {
  x.makePlain();
  ConstantWriter result(type, x.isSplat());
  for (int64_t i = 0; i < result.size(); ++i)
    std::memcpy(result.at(i), x.at(i), result.width());
  return result.finish();
}

/// Strides of a scale: along one axis, or broadcast.
static SmallVector<int64_t> scaleStrides(RankedTensorType scale, int64_t axis,
                                         int64_t rank) {
  if (scale.getRank() != 1)
    return broadcastStrides(scale.getShape(), rank);
  SmallVector<int64_t> strides(rank, 0);
  if (scale.getNumElements() != 1)
    strides[axis] = 1;
  return strides;
}

template <typename OpTy>
static Attribute evaluateQuantization(OpTy op, ArrayRef<Attribute> attributes,
                                      RankedTensorType type) {
  typename OpTy::FoldAdaptor adaptor(attributes, op);
  auto x = ConstantReader::get(adaptor.getX());
  auto scale = ConstantReader::get(adaptor.getScale());
  auto zero = ConstantReader::get(adaptor.getZeroPoint());
  if (!x || !scale || (op.getZeroPoint() && !zero))
    return nullptr;
  int64_t rank = type.getRank(), axis = op.getAxis();
  SmallVector<SmallVector<int64_t>> strides;
  for (const auto *parameter : {&scale, zero ? &zero : &scale}) {
    RankedTensorType own = (*parameter)->type();
    if (own.getRank() == 1 && own.getNumElements() != 1 &&
        (axis < 0 || axis >= rank ||
         own.getNumElements() != type.getDimSize(axis)))
      return nullptr;
    strides.push_back(scaleStrides(own, axis, rank));
  }
  Type element = type.getElementType();
  bool splat =
      x->isSplat() && scale->size() == 1 && (!zero || zero->size() == 1);
  ConstantWriter result(type, splat);
  Odometer at(type.getShape(), strides);
  for (int64_t i = 0; i < result.size(); ++i, at.next()) {
    float factor = scale->asDouble(at.offset(0));
    double offset = zero ? zero->asDouble(at.offset(1)) : 0;
    if constexpr (std::is_same_v<OpTy, QuantizeLinearOp>) {
      double quotient = float(x->asDouble(i)) / factor;
      if (auto precision = op.getPrecision())
        quotient = rounded(quotient, *precision);
      if (isa<FloatType>(element))
        setFloat(result, i, quotient + offset, element, !op.getUnsaturated());
      else
        result.setDouble(i, std::nearbyint(quotient) + offset);
    } else {
      result.setDouble(i, float(x->asDouble(i) - offset) * factor);
    }
  }
  return result.finish();
}

Attribute evaluateTypes(Operation *op, ArrayRef<Attribute> attributes,
                        RankedTensorType type) {
  if (auto quantize = dyn_cast<QuantizeLinearOp>(op))
    return evaluateQuantization(quantize, attributes, type);
  if (auto dequantize = dyn_cast<DequantizeLinearOp>(op))
    return evaluateQuantization(dequantize, attributes, type);
  auto x = ConstantReader::get(attributes[0]);
  if (!x)
    return nullptr;
  if (auto cast = dyn_cast<CastOp>(op))
    return evaluateCast(cast, *x, type);
  return evaluateBitCast(*x, type);
}

} // namespace mho::graph
