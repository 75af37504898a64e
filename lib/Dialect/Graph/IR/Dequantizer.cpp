//===- Dequantizer.cpp - elements of quantized constants ------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Dequantizer.h"

#include "Evaluate.h"

#include "mho/Dialect/Graph/IR/GraphOps.h"

using namespace mlir;

namespace mho::graph {

//===----------------------------------------------------------------------===//
// The attribute
//===----------------------------------------------------------------------===//

/// Whether `part` broadcasts to `whole`, which it does not change.
static bool broadcastsTo(ArrayRef<int64_t> part, ArrayRef<int64_t> whole) {
  if (part.size() > whole.size())
    return false;
  return llvm::all_of(llvm::zip_equal(part, whole.take_back(part.size())),
                      [](auto extents) {
                        auto [own, wanted] = extents;
                        return own == 1 || own == wanted;
                      });
}

LogicalResult
DequantizedAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                        RankedTensorType type, ElementsAttr values,
                        ElementsAttr scale, ElementsAttr zero) {
  ShapedType held = values.getShapedType();
  if (!isa<FloatType>(type.getElementType()))
    return emitError() << "dequantized elements are floats, found " << type;
  if (!type.hasStaticShape() || type.getNumElements() != held.getNumElements())
    return emitError() << type << " and the values' type " << held
                       << " differ in their number of elements";
  if (!isa<FloatType>(scale.getElementType()))
    return emitError() << "scales are floats, found " << scale.getShapedType();
  for (ElementsAttr part : {scale, zero})
    if (part && !broadcastsTo(part.getShapedType().getShape(), held.getShape()))
      return emitError() << part.getShapedType() << " does not broadcast to "
                         << held;
  return success();
}

Attribute asStored(DequantizeLinearOp op, ArrayRef<Attribute> operands,
                   RankedTensorType type) {
  DequantizeLinearOp::FoldAdaptor adaptor(operands, op);
  auto values = dyn_cast_or_null<ElementsAttr>(adaptor.getX());
  auto scale = dyn_cast_or_null<ElementsAttr>(adaptor.getScale());
  auto zero = dyn_cast_or_null<ElementsAttr>(adaptor.getZeroPoint());
  if (!values || !scale || (op.getZeroPoint() && !zero) ||
      !isa<FloatType>(scale.getElementType()))
    return nullptr;
  int64_t rank = type.getRank(), axis = op.getAxis();
  // One scale per position of an axis lies along that axis.
  auto spread = [&](ElementsAttr part) -> ElementsAttr {
    auto own = dyn_cast_or_null<RankedTensorType>(part.getType());
    if (!own || own.getRank() != 1)
      return part;
    SmallVector<int64_t> shape(rank, 1);
    if (own.getNumElements() != 1) {
      if (axis < 0 || axis >= rank)
        return nullptr;
      shape[axis] = own.getNumElements();
    }
    return dyn_cast_or_null<ElementsAttr>(
        reshapedConstant(part, own.clone(shape)));
  };
  scale = spread(scale);
  if (zero && !(zero = spread(zero)))
    return nullptr;
  if (!scale)
    return nullptr;
  return DequantizedAttr::getChecked(
      [&] { return mlir::emitError(op.getLoc()); }, op.getContext(), type,
      values, scale, zero);
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

std::shared_ptr<const Dequantizer> Dequantizer::of(DequantizedAttr constant) {
  auto reader = std::make_shared<Dequantizer>();
  reader->values = ConstantReader::get(constant.getValues());
  reader->scale = ConstantReader::get(constant.getScale());
  if (constant.getZero())
    reader->zero = ConstantReader::get(constant.getZero());
  if (!reader->values || !reader->scale ||
      (constant.getZero() && !reader->zero))
    return nullptr;
  Type element = constant.getType().getElementType();
  if (!element.isF32())
    reader->narrow = cast<FloatType>(element);
  ArrayRef<int64_t> shape = constant.getValues().getShapedType().getShape();
  auto stridesOf = [&](const ConstantReader &part) {
    return part.isSplat()
               ? SmallVector<int64_t>(shape.size(), 0)
               : broadcastStrides(part.type().getShape(), shape.size());
  };
  SmallVector<int64_t> scales = stridesOf(*reader->scale);
  SmallVector<int64_t> zeros(shape.size(), 0);
  if (reader->zero)
    zeros = stridesOf(*reader->zero);
  for (auto [extent, ofScale, ofZero] : llvm::zip_equal(shape, scales, zeros)) {
    Axis axis{extent, ofScale, ofZero};
    if (extent == 1)
      continue;
    if (!reader->axes.empty()) {
      Axis &outer = reader->axes.back();
      if (outer.scale == axis.scale * extent &&
          outer.zero == axis.zero * extent) {
        outer = {outer.extent * extent, axis.scale, axis.zero};
        continue;
      }
    }
    reader->axes.push_back(axis);
  }
  return reader;
}

Dequantizer::Place Dequantizer::placeOf(int64_t index) const {
  Place place;
  for (const Axis &axis : llvm::reverse(axes)) {
    int64_t at = index % axis.extent;
    index /= axis.extent;
    place.scale += at * axis.scale;
    place.zero += at * axis.zero;
    if (&axis == &axes.back())
      place.left = axis.extent - at;
  }
  return place;
}

float Dequantizer::rounded(float value) const {
  APFloat number(value);
  bool lossy;
  number.convert(narrow.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                 &lossy);
  return float(number.convertToDouble());
}

float Dequantizer::at(int64_t index) const {
  Place place = placeOf(index);
  double offset = zero ? zero->asDouble(place.zero) : 0;
  float value = float(values->asDouble(index) - offset) *
                float(scale->asDouble(place.scale));
  return narrow ? rounded(value) : value;
}

void Dequantizer::floatsFrom(int64_t begin, int64_t count, float *to) const {
  constexpr int64_t kPart = 256;
  float scales[kPart], zeros[kPart];
  int64_t alongScale = axes.empty() ? 0 : axes.back().scale;
  int64_t alongZero = axes.empty() ? 0 : axes.back().zero;
  auto fill = [](const ConstantReader &part, int64_t first, int64_t along,
                 int64_t run, float *into) {
    if (along == 1)
      return part.floatsFrom(first, run, into);
    std::fill_n(into, run, float(part.asDouble(first)));
  };
  while (count > 0) {
    Place place = placeOf(begin);
    int64_t run = std::min({count, place.left, kPart});
    values->floatsFrom(begin, run, to);
    fill(*scale, place.scale, alongScale, run, scales);
    if (zero) {
      fill(*zero, place.zero, alongZero, run, zeros);
      for (int64_t i = 0; i < run; ++i)
        to[i] = (to[i] - zeros[i]) * scales[i];
    } else {
      for (int64_t i = 0; i < run; ++i)
        to[i] *= scales[i];
    }
    if (narrow)
      for (int64_t i = 0; i < run; ++i)
        to[i] = rounded(to[i]);
    begin += run;
    to += run;
    count -= run;
  }
}

} // namespace mho::graph
