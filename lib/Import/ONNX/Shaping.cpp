//===- Shaping.cpp - constants, and shapes as values ----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Node.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

#include <cmath>

using namespace mlir;

namespace mho::import {

namespace {

ElementsAttr floats(Node &n, ArrayRef<int64_t> shape, ArrayRef<float> values) {
  return DenseElementsAttr::get(n.typeOf(shape, n.b.getF32Type()), values);
}

void constant(Node &n) {
  if (auto *value = n.attribute("value")) {
    if (value->t().data_type() == onnx::TensorProto::STRING)
      n.refuse("constants that are strings are not supported");
    return n.result(
        n.constant(constantOf(n.b.getContext(), value->t(), n.files)));
  }
  if (n.has("value_float"))
    return n.result(n.constant(floats(n, {}, {n.real("value_float", 0)})));
  if (auto *value = n.attribute("value_floats")) {
    SmallVector<float> list(value->floats().begin(), value->floats().end());
    return n.result(n.constant(floats(n, {int64_t(list.size())}, list)));
  }
  if (n.has("value_int"))
    return n.result(
        n.scalar(n.b.getIntegerType(64), n.integer("value_int", 0)));
  if (auto values = n.integers("value_ints"))
    return n.result(n.constantIntegers(*values));
  if (auto *value = n.attribute("sparse_value"))
    return n.result(n.constant(
        densified(n.b.getContext(), value->sparse_tensor(), n.files)));
  n.refuse("constants that are strings are not supported");
}

void constantOfShape(Node &n) {
  Shape shape = n.steering(0, "the shape");
  auto *given = n.attribute("value");
  Shape whole(shape);
  for (int64_t &extent : whole)
    if (isSymbol(extent))
      extent = n.extents->range(extent).high;
  auto part = [&](Value all) {
    Shape zeros(shape.size(), 0), ones(shape.size(), 1);
    n.result(n.sliced(all, zeros, ones, shape));
  };
  if (!given)
    return part(n.constant(
        DenseElementsAttr::get(n.typeOf(whole, n.b.getF32Type()), 0.0f)));
  auto value = dyn_cast<DenseElementsAttr>(
      constantOf(n.b.getContext(), given->t(), n.files));
  if (!value || value.getNumElements() != 1)
    n.fail("attribute 'value' must hold one element");
  part(n.constant(value.resizeSplat(n.typeOf(whole, value.getElementType()))));
}

void shape(Node &n) {
  ArrayRef<int64_t> all = n.shape(n.input(0));
  int64_t rank = all.size();
  auto bound = [&](int64_t index) {
    return std::clamp<int64_t>(index < 0 ? index + rank : index, 0, rank);
  };
  int64_t start = bound(n.integer("start", 0));
  int64_t end = bound(n.integer("end", rank));
  n.result(n.extentsAsTensor(
      all.slice(start, std::max<int64_t>(0, end - start)), /*isScalar=*/false));
}

void size(Node &n) {
  int64_t count = 1;
  for (int64_t extent : n.shape(n.input(0)))
    count = n.extents->product(count, extent);
  n.result(n.extentsAsTensor(count, /*isScalar=*/true));
}

/// A range up to an extent of the run: the leading part of the longest one.
bool boundedRange(Node &n) {
  SmallVector<int64_t, 3> bounds;
  for (size_t i = 0; i < 3; ++i) {
    auto known = n.constantIntegers(n.input(i));
    if (!known || known->size() != 1)
      return false;
    bounds.push_back(known->front());
  }
  if (!hasSymbol(bounds))
    return false;
  Extents &e = *n.extents;
  int64_t step = bounds[2];
  if (isSymbol(step) || step == 0 || step < -INT32_MAX || step > INT32_MAX)
    n.refuse("a range with steps of " + e.text(step) +
             ", known only at run time, is not supported; fix the extent with "
             "--shape");
  int64_t reach = step > 0 ? e.difference(bounds[1], bounds[0])
                           : e.difference(bounds[0], bounds[1]);
  int64_t size = std::abs(step);
  int64_t count = e.floorQuotient(e.sum(e.max(reach, 0), size - 1), size);
  Type element = n.element(n.input(0));
  Value places = n.counting(count, element);
  if (step != 1)
    places = n.binary<graph::MulOp>(places, n.scalar(element, double(step)));
  Value first =
      n.cast(n.extentsAsTensor({bounds[0]}, /*isScalar=*/true), element);
  n.result(n.binary<graph::AddOp>(places, first));
  return true;
}

/// A range with ends that follow from data, of which the user says how many
/// elements it has at most.
void rangeOfData(Node &n) {
  Type element = n.element(n.input(0));
  SmallVector<Value, 3> ends;
  for (size_t i = 0; i < 3; ++i) {
    n.checkSameElement(n.input(0), n.input(i));
    if (n.type(n.input(i)).getNumElements() != 1)
      n.fail("expected scalars, found " + text(n.input(i).getType()));
    ends.push_back(n.reshape(n.input(i), {}));
  }
  Value reach = n.binary<graph::SubOp>(ends[1], ends[0]), count;
  auto one = [&](Value tensor) {
    return tensor::ExtractOp::create(n.b, n.loc, tensor, ValueRange())
        .getResult();
  };
  if (isa<FloatType>(element)) {
    Value steps = n.binary<graph::DivOp>(reach, ends[2]);
    steps = n.make<graph::CeilOp>(steps.getType(), steps);
    count = one(n.cast(steps, n.b.getI64Type()));
  } else {
    Type wide = n.b.getI64Type();
    count = arith::CeilDivSIOp::create(n.b, n.loc, one(n.cast(reach, wide)),
                                       one(n.cast(ends[2], wide)));
  }
  count = arith::IndexCastOp::create(n.b, n.loc, n.b.getIndexType(), count);
  count = arith::MaxSIOp::create(n.b, n.loc, count,
                                 arith::ConstantIndexOp::create(n.b, n.loc, 0));
  count =
      graph::BoundOp::create(n.b, n.loc, n.b.getIndexType(), count, 0, *n.most);
  int64_t extent =
      n.extents->add(count, 0, *n.most, "the elements of " + n.proto.output(0));
  Value places = n.counting(extent, element);
  n.result(
      n.binary<graph::AddOp>(n.binary<graph::MulOp>(places, ends[2]), ends[0]));
}

/// The same of constants, without the rounding of large ones.
void integerRange(Node &n, Type element) {
  auto bound = [&](size_t i, StringRef what) {
    Shape values = n.steering(i, what);
    if (values.size() != 1)
      n.fail(what + " must be one number, found " + text(n.input(i).getType()));
    return values.front();
  };
  int64_t start = bound(0, "the start"), step = bound(2, "the step");
  __int128 reach = __int128(bound(1, "the limit")) - start;
  if (step == 0)
    n.fail("the step of a range must not be zero");
  __int128 count = reach / step + (reach % step != 0);
  if ((reach < 0) != (step < 0))
    count = 0;
  if (count >= 1 << 24)
    n.refuse("a range of more than 2^24 elements is not supported");
  unsigned width = element.getIntOrFloatBitWidth();
  SmallVector<APInt> values;
  for (int64_t i = 0; i < int64_t(count); ++i)
    values.push_back(
        APInt(64, uint64_t(start) + uint64_t(i) * uint64_t(step)).trunc(width));
  auto type = n.typeOf({int64_t(count)}, element);
  n.result(n.constant(DenseElementsAttr::get(type, values)));
}

void range(Node &n) {
  if (boundedRange(n))
    return;
  Type element = n.element(n.input(0));
  constexpr StringLiteral ends[] = {"the start", "the limit", "the step"};
  for (auto [i, what] : llvm::enumerate(ends)) {
    if (matchPattern(n.input(i), m_Constant()))
      continue;
    // A fixed extent beside one of the run follows from the shape.
    if (isa<IntegerType>(element) && n.constantIntegers(n.input(i)))
      continue;
    if (n.most)
      return rangeOfData(n);
    n.refuseUnknown(i, what,
                    ", or --loop-bound=" + nameOf(n.proto) +
                        "=N says how many elements there are at most");
  }
  if (isa<IntegerType>(element))
    return integerRange(n, element);
  double start = n.number(0, "the start"), limit = n.number(1, "the limit");
  double step = n.number(2, "the step");
  if (step == 0 || std::isnan(start) || std::isnan(limit) || std::isnan(step))
    n.fail("the step of a range must not be zero");
  double count = std::max(0.0, std::ceil((limit - start) / step));
  if (!(count < double(1 << 24)))
    n.refuse("a range of more than 2^24 elements is not supported");
  auto type = n.typeOf({int64_t(count)}, element);
  SmallVector<Attribute> values;
  for (int64_t i = 0; i < int64_t(count); ++i)
    values.push_back(n.b.getFloatAttr(element, start + double(i) * step));
  n.result(n.constant(DenseElementsAttr::get(type, values)));
}

} // namespace

void addShaping(HandlerTable &table) {
  table[".Constant"] = constant;
  table[".ConstantOfShape"] = constantOfShape;
  table[".Shape"] = shape;
  table[".Size"] = size;
  table[".Range"] = range;
}

} // namespace mho::import
