//===- Lowering.cpp - building linalg for one graph op --------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace mho::graph {

bool Lowering::isUnsigned(unsigned operand) const {
  return operand < unsignedValues.size() && unsignedValues[operand];
}

bool Lowering::isResultUnsigned() const {
  return isUnsigned(op->getNumOperands());
}

/// The element of a one-element resource of a plain type, else null.
static TypedAttr loneElement(DenseResourceElementsAttr resource) {
  AsmResourceBlob *blob = resource.getRawHandle().getBlob();
  Type element = resource.getElementType();
  if (!blob || resource.getNumElements() != 1)
    return {};
  ArrayRef<char> data = blob->getData();
  if (element.isF32() && data.size() == 4)
    return cast<DenseElementsAttr>(
               DenseElementsAttr::getFromRawBuffer(
                   cast<ShapedType>(resource.getType()), data))
        .getSplatValue<TypedAttr>();
  if (element.isInteger() && element.getIntOrFloatBitWidth() >= 8 &&
      data.size() * 8 == element.getIntOrFloatBitWidth())
    return cast<DenseElementsAttr>(
               DenseElementsAttr::getFromRawBuffer(
                   cast<ShapedType>(resource.getType()), data))
        .getSplatValue<TypedAttr>();
  return {};
}

TypedAttr Lowering::splat(Value v) const {
  ElementsAttr elements;
  if (!matchPattern(v, m_Constant(&elements)))
    return {};
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(elements))
    return loneElement(resource);
  auto dense = dyn_cast<DenseElementsAttr>(elements);
  if (!dense || !dense.isSplat())
    return {};
  Type element = dense.getElementType();
  if (element.isUnsignedInteger())
    return IntegerAttr::get(
        IntegerType::get(element.getContext(), element.getIntOrFloatBitWidth()),
        dense.getSplatValue<APInt>());
  return dense.getSplatValue<TypedAttr>();
}

Value Lowering::empty(ArrayRef<int64_t> shape, Type element) {
  return tensor::EmptyOp::create(b, shape, element);
}

Value Lowering::filled(ArrayRef<int64_t> shape, TypedAttr value) {
  Value scalar = arith::ConstantOp::create(b, value);
  return linalg::FillOp::create(b, scalar, empty(shape, value.getType()))
      .getResult(0);
}

AffineMap Lowering::broadcastMap(ArrayRef<int64_t> shape,
                                 ArrayRef<int64_t> to) {
  unsigned shift = to.size() - shape.size();
  SmallVector<AffineExpr> exprs;
  for (auto [i, extent] : llvm::enumerate(shape))
    exprs.push_back(extent == 1 && to[i + shift] != 1
                        ? b.getAffineConstantExpr(0)
                        : b.getAffineDimExpr(i + shift));
  return AffineMap::get(to.size(), 0, exprs, b.getContext());
}

Value Lowering::elementwise(ValueRange operands, RankedTensorType type,
                            ScalarFn body) {
  SmallVector<AffineMap> maps;
  for (Value operand : operands)
    maps.push_back(broadcastMap(typeOf(operand).getShape(), type.getShape()));
  return mapped(operands, maps, type, body);
}

Value Lowering::mapped(ValueRange operands, ArrayRef<AffineMap> maps,
                       RankedTensorType type, ScalarFn body) {
  // Which input, or which constant, each operand of the body is.
  SmallVector<Value> inputs;
  SmallVector<AffineMap> inputMaps;
  SmallVector<int> places;
  SmallVector<TypedAttr> constants;
  for (auto [operand, map] : llvm::zip_equal(operands, maps)) {
    constants.push_back(splat(operand));
    if (constants.back()) {
      places.push_back(-1);
      continue;
    }
    unsigned place = 0;
    while (place < inputs.size() &&
           (inputs[place] != operand || inputMaps[place] != map))
      ++place;
    if (place == inputs.size()) {
      inputs.push_back(operand);
      inputMaps.push_back(map);
    }
    places.push_back(place);
  }
  inputMaps.push_back(b.getMultiDimIdentityMap(type.getRank()));
  SmallVector<utils::IteratorType> iterators(type.getRank(),
                                             utils::IteratorType::parallel);
  Value init = empty(type.getShape(), type.getElementType());
  return generic(inputs, init, inputMaps, iterators,
                 [&](ImplicitLocOpBuilder &b, ValueRange args) {
                   SmallVector<Value> scalars;
                   for (auto [i, place] : llvm::enumerate(places)) {
                     Value v =
                         place < 0
                             ? Value(arith::ConstantOp::create(b, constants[i]))
                             : args[place];
                     if (isNarrowFloat(v.getType()))
                       v = convertFloat(b, v, b.getF32Type());
                     scalars.push_back(v);
                   }
                   Value y = body(b, scalars);
                   if (isNarrowFloat(type.getElementType()))
                     y = convertFloat(b, y, type.getElementType());
                   return SmallVector<Value>{y};
                 })[0];
}

SmallVector<Value> Lowering::generic(ValueRange operands, ValueRange inits,
                                     ArrayRef<AffineMap> maps,
                                     ArrayRef<utils::IteratorType> iterators,
                                     BodyFn body) {
  SmallVector<Type> types(inits.getTypes());
  auto generic = linalg::GenericOp::create(
      b, types, operands, inits, maps, iterators,
      [&](OpBuilder &nested, Location loc, ValueRange args) {
        ImplicitLocOpBuilder inner(loc, nested);
        linalg::YieldOp::create(inner, body(inner, args));
      });
  return SmallVector<Value>(generic.getResults());
}

Value Lowering::moved(Value in, AffineMap map, RankedTensorType type) {
  Value init = empty(type.getShape(), type.getElementType());
  SmallVector<utils::IteratorType> iterators(type.getRank(),
                                             utils::IteratorType::parallel);
  return generic(in, init, {map, b.getMultiDimIdentityMap(type.getRank())},
                 iterators, [](ImplicitLocOpBuilder &, ValueRange args) {
                   return SmallVector<Value>{args[0]};
                 })[0];
}

Value Lowering::reshape(Value v, ArrayRef<int64_t> shape) {
  auto from = typeOf(v);
  if (from.getShape() == shape)
    return v;
  auto to = RankedTensorType::get(shape, from.getElementType());
  if (from.getRank() != to.getRank())
    if (auto groups = getReassociationIndicesForReshape(from, to)) {
      if (from.getRank() > to.getRank())
        return tensor::CollapseShapeOp::create(b, to, v, *groups);
      return tensor::ExpandShapeOp::create(b, to, v, *groups);
    }
  // Through one dimension; a scalar has none to go through.
  auto flat =
      RankedTensorType::get({from.getNumElements()}, from.getElementType());
  auto all = [](int64_t rank) {
    SmallVector<ReassociationIndices> groups(1);
    groups[0].append(llvm::to_vector<2>(llvm::seq<int64_t>(0, rank)));
    return groups;
  };
  if (from.getRank() > 1)
    v = tensor::CollapseShapeOp::create(b, flat, v, all(from.getRank()));
  else if (from.getRank() == 0)
    v = tensor::ExpandShapeOp::create(b, flat, v,
                                      ArrayRef<ReassociationIndices>{});
  if (to.getRank() > 1)
    return tensor::ExpandShapeOp::create(b, to, v, all(to.getRank()));
  if (to.getRank() == 0)
    return tensor::CollapseShapeOp::create(b, to, v,
                                           ArrayRef<ReassociationIndices>{});
  return v;
}

static SmallVector<OpFoldResult> indices(OpBuilder &b,
                                         ArrayRef<int64_t> values) {
  return getAsIndexOpFoldResult(b.getContext(), values);
}

Value Lowering::slice(Value v, ArrayRef<int64_t> offsets,
                      ArrayRef<int64_t> sizes, ArrayRef<int64_t> strides) {
  if (typeOf(v).getShape() == sizes)
    return v;
  return tensor::ExtractSliceOp::create(b, v, indices(b, offsets),
                                        indices(b, sizes), indices(b, strides));
}

Value Lowering::padded(Value v, ArrayRef<int64_t> low, ArrayRef<int64_t> high,
                       TypedAttr fill) {
  auto type = typeOf(v);
  if (llvm::all_of(low, [](int64_t n) { return n == 0; }) &&
      llvm::all_of(high, [](int64_t n) { return n == 0; }))
    return v;
  SmallVector<int64_t> shape, cutOffsets, cutSizes, offsets;
  for (int64_t i = 0; i < type.getRank(); ++i) {
    int64_t extent = type.getDimSize(i);
    shape.push_back(low[i] + extent + high[i]);
    cutOffsets.push_back(std::max<int64_t>(0, -low[i]));
    cutSizes.push_back(extent - cutOffsets.back() -
                       std::max<int64_t>(0, -high[i]));
    offsets.push_back(std::max<int64_t>(0, low[i]));
  }
  SmallVector<int64_t> ones(type.getRank(), 1);
  v = slice(v, cutOffsets, cutSizes, ones);
  return tensor::InsertSliceOp::create(b, v, filled(shape, fill),
                                       indices(b, offsets),
                                       indices(b, cutSizes), indices(b, ones));
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

bool isNarrowFloat(Type type) {
  return isa<FloatType>(type) && type.getIntOrFloatBitWidth() < 32;
}

Value convertFloat(ImplicitLocOpBuilder &b, Value value, Type to) {
  Type from = value.getType();
  if (from == to)
    return value;
  unsigned have = from.getIntOrFloatBitWidth();
  unsigned want = to.getIntOrFloatBitWidth();
  if (have < want)
    return arith::ExtFOp::create(b, to, value);
  if (have > want)
    return arith::TruncFOp::create(b, to, value);
  value = arith::ExtFOp::create(b, b.getF32Type(), value);
  return arith::TruncFOp::create(b, to, value);
}

Value constantOf(ImplicitLocOpBuilder &b, Type type, double value) {
  if (isa<FloatType>(type))
    return arith::ConstantOp::create(b, b.getFloatAttr(type, value));
  return arith::ConstantOp::create(
      b, b.getIntegerAttr(type, static_cast<int64_t>(value)));
}

Value castScalar(ImplicitLocOpBuilder &b, Value value, bool fromUnsigned,
                 Type to, bool toUnsigned) {
  Type from = value.getType();
  if (from == to)
    return value;
  bool fromFloat = isa<FloatType>(from);
  if (to.isInteger(1)) {
    Value zero = constantOf(b, from, 0);
    if (fromFloat)
      return arith::CmpFOp::create(b, arith::CmpFPredicate::UNE, value, zero);
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ne, value, zero);
  }
  fromUnsigned |= from.isInteger(1);
  if (isa<FloatType>(to)) {
    if (fromFloat)
      return convertFloat(b, value, to);
    // Integers reach narrow floats through f32.
    Type via = isNarrowFloat(to) ? b.getF32Type() : to;
    value = fromUnsigned ? Value(arith::UIToFPOp::create(b, via, value))
                         : Value(arith::SIToFPOp::create(b, via, value));
    return convertFloat(b, value, to);
  }
  if (fromFloat) {
    if (isNarrowFloat(from))
      value = convertFloat(b, value, b.getF32Type());
    return toUnsigned ? Value(arith::FPToUIOp::create(b, to, value))
                      : Value(arith::FPToSIOp::create(b, to, value));
  }
  unsigned have = from.getIntOrFloatBitWidth();
  unsigned want = to.getIntOrFloatBitWidth();
  if (have > want)
    return arith::TruncIOp::create(b, to, value);
  if (have == want)
    return value;
  return fromUnsigned ? Value(arith::ExtUIOp::create(b, to, value))
                      : Value(arith::ExtSIOp::create(b, to, value));
}

TypedAttr lowest(Type type, bool isUnsigned) {
  if (auto floats = dyn_cast<FloatType>(type))
    return FloatAttr::get(
        type, APFloat::getInf(floats.getFloatSemantics(), /*Negative=*/true));
  unsigned width = type.getIntOrFloatBitWidth();
  return IntegerAttr::get(type, isUnsigned || width == 1
                                    ? APInt::getMinValue(width)
                                    : APInt::getSignedMinValue(width));
}

TypedAttr highest(Type type, bool isUnsigned) {
  if (auto floats = dyn_cast<FloatType>(type))
    return FloatAttr::get(type, APFloat::getInf(floats.getFloatSemantics()));
  unsigned width = type.getIntOrFloatBitWidth();
  return IntegerAttr::get(type, isUnsigned || width == 1
                                    ? APInt::getMaxValue(width)
                                    : APInt::getSignedMaxValue(width));
}

Value maximum(ImplicitLocOpBuilder &b, Value x, Value y, bool isUnsigned) {
  if (isa<FloatType>(x.getType()))
    return arith::MaximumFOp::create(b, x, y);
  if (x.getType().isInteger(1))
    return arith::OrIOp::create(b, x, y);
  if (isUnsigned)
    return arith::MaxUIOp::create(b, x, y);
  return arith::MaxSIOp::create(b, x, y);
}

Value minimum(ImplicitLocOpBuilder &b, Value x, Value y, bool isUnsigned) {
  if (isa<FloatType>(x.getType()))
    return arith::MinimumFOp::create(b, x, y);
  if (x.getType().isInteger(1))
    return arith::AndIOp::create(b, x, y);
  if (isUnsigned)
    return arith::MinUIOp::create(b, x, y);
  return arith::MinSIOp::create(b, x, y);
}

} // namespace mho::graph
