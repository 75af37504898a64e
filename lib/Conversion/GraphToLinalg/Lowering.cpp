//===- Lowering.cpp - building linalg for one graph op --------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
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

Value Lowering::reshape(Value v, ArrayRef<int64_t> shape) {
  auto from = typeOf(v);
  if (from.getShape() == shape)
    return v;
  auto to = RankedTensorType::get(shape, from.getElementType());
  if (!from.hasStaticShape() || !to.hasStaticShape())
    return reshapeBounded(v, shape);
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

namespace {
/// A shape around its axes of run-time extent.
struct AroundBounded {
  ArrayRef<int64_t> shape;
  SmallVector<int64_t> axes;
  /// Elements of the fixed axes in front of, between and behind those.
  SmallVector<int64_t> between{1};

  explicit AroundBounded(ArrayRef<int64_t> shape) : shape(shape) {
    for (auto [axis, extent] : llvm::enumerate(shape)) {
      if (!ShapedType::isDynamic(extent)) {
        between.back() *= extent;
        continue;
      }
      axes.push_back(axis);
      between.push_back(1);
    }
  }

  /// Fixed axes side by side are one; ones belong to a bounded axis.
  SmallVector<ReassociationIndices> groups() const {
    SmallVector<ReassociationIndices> groups;
    int last = -1;
    size_t next = 0;
    for (auto [axis, extent] : llvm::enumerate(shape)) {
      int part = 2 * next;
      if (ShapedType::isDynamic(extent))
        part = 2 * next++ + 1;
      else if (between[next] == 1)
        part = next ? 2 * next - 1 : 1;
      if (part != last)
        groups.emplace_back();
      last = part;
      groups.back().push_back(axis);
    }
    return groups;
  }

  SmallVector<int64_t> merged() const {
    SmallVector<int64_t> shape;
    for (auto [i, elements] : llvm::enumerate(between)) {
      if (i)
        shape.push_back(ShapedType::kDynamic);
      if (elements != 1)
        shape.push_back(elements);
    }
    return shape;
  }
};
} // namespace

/// Bounded axes keep their places as long as as many elements lie between them;
/// a single one may move, and then each element is copied from its place in
/// row-major order.
Value Lowering::reshapeBounded(Value v, ArrayRef<int64_t> shape) {
  auto from = typeOf(v);
  Type element = from.getElementType();
  AroundBounded old(from.getShape()), wanted(shape);
  if (old.axes.empty() || old.axes.size() != wanted.axes.size() ||
      (old.axes.size() > 1 && old.between != wanted.between)) {
    unknown = true;
    return empty(shape, element);
  }
  SmallVector<OpFoldResult> bounded, sizes;
  for (int64_t axis : old.axes)
    bounded.push_back(extent(v, axis));
  if (old.between != wanted.between) {
    Value elements = arith::MulIOp::create(
        b, cast<Value>(bounded[0]),
        arith::ConstantIndexOp::create(b, old.between[0] * old.between[1]));
    bounded[0] =
        arith::DivSIOp::create(
            b, elements,
            arith::ConstantIndexOp::create(
                b, std::max<int64_t>(wanted.between[0] * wanted.between[1], 1)))
            .getResult();
  }
  size_t next = 0;
  for (int64_t extent : shape)
    sizes.push_back(ShapedType::isDynamic(extent)
                        ? bounded[next++]
                        : OpFoldResult(b.getIndexAttr(extent)));
  if (old.between != wanted.between)
    return reordered(v, sizes);
  SmallVector<int64_t> middle = old.merged();
  if (int64_t(middle.size()) != from.getRank())
    v = tensor::CollapseShapeOp::create(
        b, RankedTensorType::get(middle, element), v, old.groups());
  if (middle.size() == shape.size())
    return v;
  return tensor::ExpandShapeOp::create(b, RankedTensorType::get(shape, element),
                                       v, wanted.groups(), sizes);
}

Value Lowering::reordered(Value v, ArrayRef<OpFoldResult> sizes) {
  int64_t rank = sizes.size(), sourceRank = typeOf(v).getRank();
  auto index = [](ImplicitLocOpBuilder &b, OpFoldResult extent) {
    return getValueOrCreateConstantIndexOp(b, b.getLoc(), extent);
  };
  SmallVector<OpFoldResult> had;
  for (int64_t axis = 0; axis < sourceRank; ++axis)
    had.push_back(extent(v, axis));
  Value init = tensor::EmptyOp::create(b, sizes, typeOf(v).getElementType());
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  return generic(
      {}, init, b.getMultiDimIdentityMap(rank), iterators,
      [&](ImplicitLocOpBuilder &b, ValueRange) {
        Value place = arith::ConstantIndexOp::create(b, 0);
        for (int64_t axis = 0; axis < rank; ++axis)
          place = arith::AddIOp::create(
              b, b.createOrFold<arith::MulIOp>(place, index(b, sizes[axis])),
              linalg::IndexOp::create(b, axis));
        SmallVector<Value> at(sourceRank);
        for (int64_t axis = sourceRank; axis-- > 0;) {
          Value extent = index(b, had[axis]);
          at[axis] =
              axis ? Value(arith::RemSIOp::create(b, place, extent)) : place;
          place = arith::DivSIOp::create(b, place, extent);
        }
        return SmallVector<Value>{tensor::ExtractOp::create(b, v, at)};
      })[0];
}

static SmallVector<OpFoldResult> indices(OpBuilder &b,
                                         ArrayRef<int64_t> values) {
  return getAsIndexOpFoldResult(b.getContext(), values);
}

Value Lowering::slice(Value v, ArrayRef<int64_t> offsets,
                      ArrayRef<int64_t> sizes, ArrayRef<int64_t> strides) {
  if (typeOf(v).getShape() == sizes)
    return v;
  SmallVector<OpFoldResult> counts = indices(b, sizes);
  for (auto [axis, size] : llvm::enumerate(sizes)) {
    if (!ShapedType::isDynamic(size))
      continue;
    // Of a bounded axis only the whole is known here.
    unknown |= offsets[axis] != 0 || strides[axis] != 1 ||
               !typeOf(v).isDynamicDim(axis);
    counts[axis] = extent(v, axis);
  }
  return tensor::ExtractSliceOp::create(b, v, indices(b, offsets), counts,
                                        indices(b, strides));
}

Value Lowering::padded(Value v, ArrayRef<int64_t> low, ArrayRef<int64_t> high,
                       TypedAttr fill) {
  return padded(v, low, high, [&](ArrayRef<OpFoldResult> sizes) -> Value {
    Value room = tensor::EmptyOp::create(b, sizes, fill.getType());
    Value scalar = arith::ConstantOp::create(b, fill);
    return linalg::FillOp::create(b, scalar, room).getResult(0);
  });
}

Value Lowering::padded(Value v, ArrayRef<int64_t> low, ArrayRef<int64_t> high,
                       Value fill) {
  return padded(v, low, high, [&](ArrayRef<OpFoldResult> sizes) -> Value {
    int64_t rank = sizes.size();
    auto spread =
        AffineMap::get(rank, 0,
                       SmallVector<AffineExpr>(typeOf(fill).getRank(),
                                               b.getAffineConstantExpr(0)),
                       b.getContext());
    SmallVector<utils::IteratorType> iterators(rank,
                                               utils::IteratorType::parallel);
    Value room =
        tensor::EmptyOp::create(b, sizes, typeOf(fill).getElementType());
    return generic(fill, room, {spread, b.getMultiDimIdentityMap(rank)},
                   iterators, [](ImplicitLocOpBuilder &, ValueRange args) {
                     return SmallVector<Value>{args[0]};
                   })[0];
  });
}

Value Lowering::padded(
    Value v, ArrayRef<int64_t> low, ArrayRef<int64_t> high,
    llvm::function_ref<Value(ArrayRef<OpFoldResult>)> makeRoom) {
  auto type = typeOf(v);
  if (llvm::all_of(low, [](int64_t n) { return n == 0; }) &&
      llvm::all_of(high, [](int64_t n) { return n == 0; }))
    return v;
  SmallVector<int64_t> cuts, offsets;
  SmallVector<OpFoldResult> all, parts;
  bool cut = false;
  for (int64_t i = 0; i < type.getRank(); ++i) {
    OpFoldResult own = extent(v, i);
    auto more = [&](int64_t n) { return sum(own, b.getIndexAttr(n)); };
    int64_t front = std::min<int64_t>(0, low[i]);
    int64_t back = std::min<int64_t>(0, high[i]);
    all.push_back(more(low[i] + high[i]));
    parts.push_back(more(front + back));
    cuts.push_back(-front);
    offsets.push_back(std::max<int64_t>(0, low[i]));
    cut |= front || back;
  }
  SmallVector<OpFoldResult> ones(type.getRank(), b.getIndexAttr(1));
  if (cut)
    v = tensor::ExtractSliceOp::create(b, v, indices(b, cuts), parts, ones);
  return tensor::InsertSliceOp::create(b, v, makeRoom(all), indices(b, offsets),
                                       parts, ones);
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
