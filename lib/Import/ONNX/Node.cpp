//===- Node.cpp - one ONNX node as its handler sees it --------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Node.h"

#include "mho/Dialect/Graph/IR/Constants.h"
#include "mho/Dialect/Graph/IR/Shapes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"

#include <cmath>
#include <cstring>
#include <limits>

using namespace mlir;
using onnx::AttributeProto;

namespace mho::import {

/// Pieces that an operator may be written as.
static constexpr int64_t kMostParts = int64_t(1) << 14;

void Dims::missing(size_t axis) const {
  throw ModelError("a tensor of rank " + std::to_string(size()) +
                   " has no axis " + std::to_string(int64_t(axis)) +
                   ", which is expected here");
}

Value Node::input(size_t i) const {
  if (Value value = optional(i))
    return value;
  fail("input " + Twine(i) + " is missing");
}

const AttributeProto *Node::attribute(StringRef name) const {
  for (const AttributeProto &attribute : proto.attribute())
    if (attribute.name() == name)
      return &attribute;
  return nullptr;
}

static const AttributeProto *typed(const Node &node, StringRef name,
                                   AttributeProto::AttributeType type) {
  const AttributeProto *attribute = node.attribute(name);
  if (attribute && attribute->type() != type)
    node.fail("attribute '" + name + "' is no " +
              AttributeProto::AttributeType_Name(type));
  return attribute;
}

int64_t Node::integer(StringRef name, int64_t otherwise) const {
  auto *attribute = typed(*this, name, AttributeProto::INT);
  if (!attribute)
    return otherwise;
  expectNumbers(attribute->i(), "attribute '" + name + "'");
  return attribute->i();
}

float Node::real(StringRef name, float otherwise) const {
  auto *attribute = typed(*this, name, AttributeProto::FLOAT);
  return attribute ? attribute->f() : otherwise;
}

std::string Node::string(StringRef name, StringRef otherwise) const {
  auto *attribute = typed(*this, name, AttributeProto::STRING);
  return attribute ? attribute->s() : otherwise.str();
}

std::optional<Shape> Node::integers(StringRef name) const {
  auto *attribute = typed(*this, name, AttributeProto::INTS);
  if (!attribute)
    return std::nullopt;
  Shape values(attribute->ints().begin(), attribute->ints().end());
  expectNumbers(values, "attribute '" + name + "'");
  return values;
}

void Node::expectTable(ArrayRef<int64_t> extents) const {
  int64_t count = 1;
  for (int64_t extent : extents) {
    if (extent > kMostInTable / count)
      refuse(
          "it needs a table of " +
          llvm::join(llvm::map_range(
                         extents, [](int64_t n) { return std::to_string(n); }),
                     " x ") +
          " numbers; more than " + Twine(kMostInTable) + " are not supported");
    count *= std::max<int64_t>(extent, 1);
  }
}

void Node::expectParts(int64_t count, const Twine &what) const {
  if (count > kMostParts)
    refuse(Twine(count) + " " + what + " are not supported, at most " +
           Twine(kMostParts));
}

int64_t Node::product(ArrayRef<int64_t> factors, const Twine &what) const {
  int64_t result = 1;
  for (int64_t factor : factors)
    if (__builtin_mul_overflow(result, factor, &result))
      fail(what + " are out of every range");
  return result;
}

void Node::expectNumbers(ArrayRef<int64_t> values, const Twine &what) const {
  auto symbol = llvm::find_if(values, isSymbol);
  if (symbol != values.end())
    fail(what + " has the value " + Twine(*symbol) +
         ", which is out of every range");
}

std::optional<Shape> Node::constantIntegers(Value value) const {
  ElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)) ||
      !isa<IntegerType>(elements.getElementType()) ||
      elements.getElementType().isInteger(1) ||
      elements.getNumElements() > kMostInTable)
    return takesSymbols && extents ? extents->integers(value) : std::nullopt;
  Shape result;
  if (auto dense = dyn_cast<DenseElementsAttr>(elements)) {
    for (const APInt &element : dense.getValues<APInt>())
      result.push_back(dense.getElementType().isUnsignedInteger()
                           ? element.getZExtValue()
                           : element.getSExtValue());
    expectNumbers(result, "'" + inputName(value) + "'");
    return result;
  }
  auto resource = dyn_cast<DenseResourceElementsAttr>(elements);
  unsigned width = elements.getElementType().getIntOrFloatBitWidth() / 8;
  AsmResourceBlob *blob =
      resource ? resource.getRawHandle().getBlob() : nullptr;
  if (!blob || (width != 4 && width != 8))
    return std::nullopt;
  ArrayRef<char> bytes = blob->getData();
  for (size_t at = 0; at + width <= bytes.size(); at += width) {
    int64_t wide;
    int32_t narrow;
    if (width == 8)
      std::memcpy(&wide, bytes.data() + at, 8);
    else
      std::memcpy(&narrow, bytes.data() + at, 4);
    result.push_back(width == 8 ? wide : int64_t(narrow));
  }
  expectNumbers(result, "'" + inputName(value) + "'");
  return result;
}

/// Inputs with more elements than this are data that nobody freezes.
static constexpr int64_t kMostSteering = 4096;

Shape Node::steering(size_t i, StringRef what) const {
  if (auto values = constantIntegers(input(i)))
    return *values;
  refuseUnknown(i, what);
}

SmallVector<double> Node::steeringNumbers(size_t i, StringRef what) const {
  Attribute value;
  if (!matchPattern(input(i), m_Constant(&value)))
    refuseUnknown(i, what);
  auto reader = graph::ConstantReader::get(value);
  if (!reader)
    refuseUnknown(i, what);
  expectTable(reader->size());
  SmallVector<double> numbers;
  for (int64_t k = 0; k < reader->size(); ++k)
    numbers.push_back(reader->asDouble(k));
  return numbers;
}

double Node::number(size_t i, StringRef what) const {
  SmallVector<double> numbers = steeringNumbers(i, what);
  if (numbers.size() != 1)
    fail(what + " must be one number, found " + text(input(i).getType()));
  return numbers.front();
}

/// The model's inputs that `values` follow from, in their order.
static SmallVector<BlockArgument> inputsBehind(ArrayRef<Value> values) {
  llvm::SetVector<Value> seen;
  for (Value value : values)
    if (value)
      seen.insert(value);
  SmallVector<BlockArgument> inputs;
  auto follow = [&](Operation *op) {
    op->walk([&](Operation *inner) {
      seen.insert(inner->operand_begin(), inner->operand_end());
    });
  };
  for (size_t next = 0; next < seen.size(); ++next) {
    Value one = seen[next];
    if (Operation *op = one.getDefiningOp()) {
      follow(op);
      continue;
    }
    // Whatever a loop sees may steer its state; the body of a loop that is
    // being imported belongs to no op yet.
    auto argument = cast<BlockArgument>(one);
    Operation *parent = argument.getOwner()->getParentOp();
    if (parent && !isa<func::FuncOp>(parent))
      follow(parent);
    else if (parent && isa<NameLoc>(argument.getLoc()))
      inputs.push_back(argument);
  }
  llvm::sort(inputs, [](BlockArgument a, BlockArgument c) {
    return a.getArgNumber() < c.getArgNumber();
  });
  return inputs;
}

static std::string nameOf(BlockArgument input) {
  return cast<NameLoc>(input.getLoc()).getName().str();
}

std::vector<std::string> Node::freezable(ArrayRef<Value> values) const {
  std::vector<std::string> names;
  for (BlockArgument input : inputsBehind(values))
    if (type(input).getNumElements() <= kMostSteering)
      names.push_back(nameOf(input));
  return names;
}

void Node::refuse(const Twine &why, ArrayRef<Value> live) const {
  throw Unsupported(why.str(), freezable(live));
}

void Node::refuseUnknown(size_t i, StringRef what,
                         const Twine &otherwise) const {
  std::string name = i < size_t(proto.input_size()) ? proto.input(i) : "";
  std::string message =
      what.str() + " ('" + name + "') must be known when compiling";
  SmallVector<BlockArgument> sources = inputsBehind(input(i));
  if (sources.empty())
    refuse(message + otherwise);
  message += ", but follows from the model's input";
  std::string options;
  bool isData = false;
  for (BlockArgument source : sources) {
    std::string own = nameOf(source);
    message += " '" + own + "'";
    options += (options.empty() ? "" : " ") + ("--constant=" + own + "=VALUE");
    isData |= type(source).getNumElements() > kMostSteering;
  }
  if (isData)
    refuse(message + otherwise);
  refuse(message + "; " + options + " freezes it" + otherwise, input(i));
}

std::optional<Shape> Node::integersOrInput(StringRef name, size_t i) const {
  if (auto values = integers(name))
    return values;
  if (!optional(i))
    return std::nullopt;
  return steering(i, name);
}

int64_t Node::axis(int64_t value, int64_t rank) const {
  if (value < -rank || value >= rank)
    fail("axis " + Twine(value) + " is out of range for rank " + Twine(rank));
  return value < 0 ? value + rank : value;
}

Shape Node::axes(ArrayRef<int64_t> values, int64_t rank) const {
  Shape result;
  for (int64_t value : values)
    result.push_back(axis(value, rank));
  llvm::sort(result);
  if (std::adjacent_find(result.begin(), result.end()) != result.end())
    fail("an axis is named twice");
  return result;
}

Value Node::constant(ElementsAttr value) {
  return arith::ConstantOp::create(b, loc, cast<TypedAttr>(value));
}

Value Node::scalar(Type element, double value) {
  auto type = RankedTensorType::get({}, element);
  if (isa<FloatType>(element))
    return constant(
        DenseElementsAttr::get(type, b.getFloatAttr(element, value)));
  // What the type does not hold saturates at 64 bits and wraps there.
  int64_t whole = std::isnan(value)  ? 0
                  : value >= 0x1p63  ? std::numeric_limits<int64_t>::max()
                  : value <= -0x1p63 ? std::numeric_limits<int64_t>::min()
                                     : int64_t(value);
  return constant(
      DenseElementsAttr::get(type, b.getIntegerAttr(element, whole)));
}

Value Node::constantIntegers(ArrayRef<int64_t> values) {
  auto type =
      RankedTensorType::get({int64_t(values.size())}, b.getIntegerType(64));
  return constant(DenseElementsAttr::get(type, values));
}

/// Whether `count` steps of `step` from `start` on stay within `extent` for all
/// values of the scalars, seen one by one.
static bool staysWithin(Extents &extents, int64_t start, int64_t step,
                        int64_t count, int64_t extent) {
  auto last =
      extents.range(start).high + (extents.range(count).high - 1) * step;
  return extents.range(start).low >= 0 && last < extents.range(extent).high;
}

Value Node::taken(Value x, int64_t axis, int64_t start, int64_t step,
                  int64_t count) {
  Type integer = b.getI64Type();
  Value places = counting(count, integer);
  auto times = [&](int64_t factor) { return scalar(integer, double(factor)); };
  if (step != 1)
    places = binary<graph::MulOp>(places, times(step));
  Value first = extentsAsTensor({start}, /*scalar=*/true);
  places = binary<graph::AddOp>(places, first);
  Shape to(shape(x));
  to[axis] = count;
  return make<graph::GatherOp>(typeOf(to, element(x)), x, places,
                               b.getI64IntegerAttr(axis));
}

Value Node::extentsAsTensor(ArrayRef<int64_t> values, bool isScalar) {
  auto type = typeOf(isScalar ? Shape() : Shape{int64_t(values.size())},
                     b.getI64Type());
  if (!extents || !extents->hasKnownSymbol(values))
    return constant(DenseElementsAttr::get(type, values));
  SmallVector<Value> elements;
  for (int64_t extent : values) {
    OpFoldResult value = extents->value(b, loc, extent);
    if (auto index = dyn_cast<Value>(value))
      elements.push_back(
          arith::IndexCastOp::create(b, loc, b.getI64Type(), index));
    else
      elements.push_back(
          arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(extent)));
  }
  return tensor::FromElementsOp::create(b, loc, type, elements);
}

void Node::checkInside(Value x, ArrayRef<int64_t> starts,
                       ArrayRef<int64_t> steps, ArrayRef<int64_t> to) const {
  Dims extents = shape(x);
  if (to.size() != extents.size())
    fail("a tensor of rank " + Twine(extents.size()) + " stands where rank " +
         Twine(to.size()) + " is expected");
  for (auto [axis, extent, start, step, count] :
       llvm::enumerate(extents, starts, steps, to)) {
    if (isSymbol(extent) || isSymbol(start) || isSymbol(count) || count == 0)
      continue;
    __int128 last = start + __int128(count - 1) * step;
    if (count < 0 || start < 0 || start >= extent || last < 0 || last >= extent)
      fail(Twine(count) + " elements from " + Twine(start) + " on, " +
           Twine(step) + " apart, are not all within axis " + Twine(axis) +
           " of extent " + Twine(extent));
  }
}

Value Node::sliced(Value x, ArrayRef<int64_t> starts, ArrayRef<int64_t> steps,
                   ArrayRef<int64_t> to) {
  checkInside(x, starts, steps, to);
  RankedTensorType target = typeOf(to, element(x));
  if (target == type(x) && llvm::all_of(starts, [](int64_t n) { return !n; }))
    return x;
  if (!hasSymbol(shape(x)) && !hasSymbol(to) && !hasSymbol(starts))
    return make<graph::SliceOp>(target, x, b.getDenseI64ArrayAttr(starts),
                                b.getDenseI64ArrayAttr(steps));
  // An axis along which the slice is not seen to stay inside, or runs
  // backwards, is read place by place.
  SmallVector<OpFoldResult> offsets, sizes, strides;
  Shape rest(shape(x));
  bool whole = true;
  for (auto [axis, start, step, extent] : llvm::enumerate(starts, steps, to)) {
    bool steady = step == 1 || (step > 0 && !isSymbol(extent));
    if (steady && staysWithin(*extents, start, step, extent, shape(x)[axis])) {
      rest[axis] = extent;
    } else {
      x = taken(x, axis, start, step, extent);
      rest[axis] = extent;
      offsets.push_back(b.getIndexAttr(0));
      sizes.push_back(extents->value(b, loc, extent));
      strides.push_back(b.getIndexAttr(1));
      continue;
    }
    whole &= start == 0 && step == 1 && extent == shape(x)[axis];
    offsets.push_back(extents->value(b, loc, start));
    sizes.push_back(extents->value(b, loc, extent));
    strides.push_back(b.getIndexAttr(step));
  }
  if (whole)
    return x;
  return tensor::ExtractSliceOp::create(b, loc, target, x, offsets, sizes,
                                        strides);
}

Value Node::counting(int64_t extent, Type number) {
  int64_t most = isSymbol(extent) ? extents->range(extent).high : extent;
  expectTable(most);
  RankedTensorType type = typeOf({most}, number);
  DenseElementsAttr numbers;
  if (auto floats = dyn_cast<FloatType>(number)) {
    std::vector<APFloat> values;
    for (int64_t i = 0; i < most; ++i) {
      values.emplace_back(double(i));
      bool inexact;
      values.back().convert(floats.getFloatSemantics(),
                            APFloat::rmNearestTiesToEven, &inexact);
    }
    numbers = DenseElementsAttr::get(type, values);
  } else {
    std::vector<APInt> values;
    for (int64_t i = 0; i < most; ++i)
      values.push_back(
          APInt(64, uint64_t(i)).trunc(number.getIntOrFloatBitWidth()));
    numbers = DenseElementsAttr::get(type, values);
  }
  Value all = constant(numbers);
  return extent == most ? all : sliced(all, {0}, {1}, {extent});
}

/// Whether a reshape keeps run-time extents in their order, with as many
/// elements between them, or has only one on each side.
static bool keepsBounded(ArrayRef<int64_t> from, ArrayRef<int64_t> to) {
  auto symbols = [](ArrayRef<int64_t> shape) {
    return llvm::count_if(shape, isSymbol);
  };
  if (symbols(from) == 1 && symbols(to) == 1)
    return true;
  auto around = [](ArrayRef<int64_t> shape) {
    Shape all{1};
    for (int64_t extent : shape)
      if (isSymbol(extent))
        all.append({extent, 1});
      else
        all.back() *= extent;
    return all;
  };
  return around(from) == around(to);
}

std::string Node::inputName(Value value) const {
  auto found = llvm::find(inputs, value);
  int i = found - inputs.begin();
  return i < proto.input_size() ? proto.input(i) : std::string("x");
}

void Node::expectFixed(Value x, ArrayRef<int64_t> axes) const {
  for (int64_t axis : axes)
    if (axis < int64_t(shape(x).size()) && isSymbol(shape(x)[axis]))
      refuse("axis " + Twine(axis) + " of its input '" + inputName(x) +
             "' has the extent " + extents->text(shape(x)[axis]) +
             ", at most " + Twine(extents->range(shape(x)[axis]).high) +
             ", which it takes only as a constant; " +
             extents->howToFix(shape(x)[axis]));
}

Value Node::reshape(Value x, ArrayRef<int64_t> to) {
  RankedTensorType from = type(x), target = typeOf(to, from.getElementType());
  if (hasSymbol(to) || hasSymbol(shape(x))) {
    int64_t had = extents->elements(shape(x)), wanted = extents->elements(to);
    if (had != wanted)
      refuse("whether " + extents->text(had) + " elements are the " +
             extents->text(wanted) +
             " of the shape asked for is known only at run time; fix the "
             "extents with --shape");
    if (from == target)
      return x;
    if (keepsBounded(shape(x), to))
      return make<graph::ReshapeOp>(target, x);
    SmallVector<Value> sizes;
    for (int64_t extent : to)
      sizes.push_back(getValueOrCreateConstantIndexOp(
          b, loc, extents->value(b, loc, extent)));
    Value sizesTensor = tensor::FromElementsOp::create(
        b, loc, RankedTensorType::get({int64_t(to.size())}, b.getIndexType()),
        sizes);
    return tensor::ReshapeOp::create(b, loc, target, x, sizesTensor);
  }
  if (from.getNumElements() != target.getNumElements())
    fail("cannot reshape " + Twine(from.getNumElements()) + " elements into " +
         Twine(target.getNumElements()));
  return from == target ? x : make<graph::ReshapeOp>(target, x);
}

Value Node::transpose(Value x, ArrayRef<int64_t> perm) {
  Shape to;
  if (perm.size() != shape(x).size())
    fail("a tensor of rank " + Twine(shape(x).size()) + " stands where rank " +
         Twine(perm.size()) + " is expected");
  for (int64_t from : perm)
    to.push_back(shape(x)[from]);
  return make<graph::TransposeOp>(typeOf(to, element(x)), x,
                                  b.getDenseI64ArrayAttr(perm));
}

Value Node::cast(Value x, Type to) {
  if (element(x) == to)
    return x;
  return make<graph::CastOp>(typeOf(shape(x), to), x);
}

Value Node::expand(Value x, ArrayRef<int64_t> to) {
  if (shape(x) == to)
    return x;
  // An extent that x does not have is taken of the bound.
  Shape whole(to);
  for (auto [axis, extent] : llvm::enumerate(whole)) {
    int64_t own = int64_t(axis) - int64_t(to.size() - shape(x).size());
    if (isSymbol(extent) && (own < 0 || shape(x)[own] != extent))
      extent = std::max<int64_t>(extents->range(extent).high, 0);
  }
  Value y = make<graph::ExpandOp>(typeOf(whole, element(x)), x);
  return ArrayRef(whole) == to
             ? y
             : sliced(y, Shape(to.size(), 0), Shape(to.size(), 1), to);
}

std::string text(Type type) {
  // The encoding names extents of the run for ourselves.
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    type = RankedTensorType::get(tensor.getShape(), tensor.getElementType());
  std::string result;
  llvm::raw_string_ostream(result) << type;
  return result;
}

Shape Node::broadcast(Value a, Value c) const {
  auto joined = graph::broadcastShapes(shape(a), shape(c));
  if (!joined)
    fail("inputs of types " + text(a.getType()) + " and " + text(c.getType()) +
         " do not broadcast");
  return *joined;
}

void Node::checkSameElement(Value a, Value c) const {
  if (element(a) != element(c))
    fail("inputs of types " + text(a.getType()) + " and " + text(c.getType()) +
         " differ in their elements");
}

} // namespace mho::import
