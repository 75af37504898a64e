//===- Lowering.cpp - building linalg for one graph op --------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
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
  SmallVector<Value> sizes;
  for (int64_t extent : shape)
    if (ShapedType::isDynamic(extent))
      sizes.push_back(arith::ConstantIndexOp::create(b, 0));
  auto tensor =
      tensor::EmptyOp::create(b, RankedTensorType::get(shape, element), sizes);
  if (!sizes.empty())
    open.push_back(tensor);
  return tensor;
}

Value Lowering::empty(RankedTensorType type,
                      llvm::function_ref<OpFoldResult(int64_t)> tell) {
  SmallVector<OpFoldResult> sizes;
  for (auto [axis, extent] : llvm::enumerate(type.getShape())) {
    OpFoldResult size = b.getIndexAttr(extent);
    if (ShapedType::isDynamic(extent)) {
      size = tell(axis);
      unknown |= !size;
      if (!size)
        size = arith::ConstantIndexOp::create(b, 0).getResult();
    }
    sizes.push_back(size);
  }
  return tensor::EmptyOp::create(b, sizes, type.getElementType());
}

OpFoldResult Lowering::extent(Value v, int64_t axis) {
  auto type = typeOf(v);
  if (!type.isDynamicDim(axis))
    return b.getIndexAttr(type.getDimSize(axis));
  return b.createOrFold<tensor::DimOp>(v, axis);
}

OpFoldResult Lowering::sum(OpFoldResult x, OpFoldResult y) {
  auto a = getConstantIntValue(x), c = getConstantIntValue(y);
  if (a && c)
    return b.getIndexAttr(*a + *c);
  return b.createOrFold<arith::AddIOp>(
      getValueOrCreateConstantIndexOp(b, b.getLoc(), x),
      getValueOrCreateConstantIndexOp(b, b.getLoc(), y));
}

bool Lowering::isOpen() const { return unknown || !open.empty(); }

void Lowering::complete(Value init, AffineMap map, ValueRange operands,
                        ArrayRef<AffineMap> maps) {
  Operation *def = init.getDefiningOp();
  auto fill = dyn_cast_or_null<linalg::FillOp>(def);
  auto tensor = dyn_cast_or_null<tensor::EmptyOp>(
      fill ? fill.getOutputs()[0].getDefiningOp() : def);
  auto mine = llvm::find(open, tensor);
  if (!tensor || mine == open.end())
    return;
  SmallVector<Value> sizes;
  for (auto [axis, extent] : llvm::enumerate(tensor.getType().getShape())) {
    if (!ShapedType::isDynamic(extent))
      continue;
    Value size;
    for (auto [operand, other] : llvm::zip(operands, maps))
      for (auto [place, expr] : llvm::enumerate(other.getResults()))
        if (!size && expr == map.getResult(axis) && isa<AffineDimExpr>(expr) &&
            typeOf(operand).isDynamicDim(place))
          size = tensor::DimOp::create(b, operand, int64_t(place));
    if (!size)
      return;
    sizes.push_back(size);
  }
  // Behind what tells them.
  tensor->moveBefore(op);
  if (fill)
    fill->moveAfter(tensor);
  tensor->setOperands(sizes);
  open.erase(mine);
}

Value Lowering::filled(ArrayRef<int64_t> shape, TypedAttr value) {
  Value scalar = arith::ConstantOp::create(b, value);
  return linalg::FillOp::create(b, scalar, empty(shape, value.getType()))
      .getResult(0);
}

Value Lowering::filled(ArrayRef<OpFoldResult> sizes, TypedAttr value) {
  Value room = tensor::EmptyOp::create(b, sizes, value.getType());
  Value scalar = arith::ConstantOp::create(b, value);
  return linalg::FillOp::create(b, scalar, room).getResult(0);
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
                       RankedTensorType type, ScalarFn body, Value init) {
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
  if (!init)
    init = empty(type.getShape(), type.getElementType());
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
  for (auto [init, map] : llvm::zip(inits, maps.drop_front(operands.size())))
    complete(init, map, operands, maps.take_front(operands.size()));
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
