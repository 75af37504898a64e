//===- Shaping.cpp - constants, and shapes as values ----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Expression.h"
#include "Importer.h"

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
  n.result(
      n.extentsAsTensor(all.slice(start, std::max<int64_t>(0, end - start)),
                        /*scalar=*/false));
}

void size(Node &n) {
  int64_t count = 1;
  for (int64_t extent : n.shape(n.input(0)))
    count = n.product(count, extent);
  n.result(n.extentsAsTensor(count, /*scalar=*/true));
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
  auto count = n.extents->max(n.extents->difference(bounds[1], bounds[0]), 0);
  if (isSymbol(bounds[0]) || bounds[2] != 1 || !count)
    n.refuse("a range to the extent " + n.extents->text(bounds[1]) +
             ", known only at run time, must begin at a constant that is "
             "never larger and have steps of 1; fix the extent with --shape");
  Type element = n.element(n.input(0));
  n.result(n.binary<graph::AddOp>(n.counting(*count, element),
                                  n.scalar(element, double(bounds[0]))));
  return true;
}

/// A range whose operands the run gives, of at most as many elements as
/// --loop-bound says.
void rangeOfData(Node &n) {
  Type element = n.element(n.input(0));
  auto operand = [&](size_t i) {
    Value x = n.input(i);
    if (n.type(x).getNumElements() != 1 || n.element(x) != element)
      n.fail("expected three numbers of one type, found " + text(x.getType()) +
             " beside " + text(element));
    return Expr(n, n.reshape(x, {}));
  };
  Expr start = operand(0), limit = operand(1), step = operand(2);
  int64_t most = *n.bound;
  Type real = n.b.getF64Type();
  Expr count = (limit.as(real) - start.as(real)) / step.as(real);
  count = min(max(count.unary<graph::CeilOp>(), 0.0), double(most));
  Value index = arith::IndexCastOp::create(
      n.b, n.loc, n.b.getIndexType(),
      scalarOf(n.b, n.loc, count.as(n.b.getI64Type())));
  auto number = [&](int64_t value) {
    return arith::ConstantIndexOp::create(n.b, n.loc, value).getResult();
  };
  // A distance that is no number counts as none.
  index = arith::MaxSIOp::create(n.b, n.loc, index, number(0));
  index = arith::MinSIOp::create(n.b, n.loc, index, number(most));
  int64_t extent =
      n.extents->add(index, 0, most, "elements of " + nameOf(n.proto));
  Expr numbers(n, n.counting(extent, n.b.getI64Type()));
  n.result(start + numbers.as(element) * step);
}

void range(Node &n) {
  if (boundedRange(n))
    return;
  if (n.bound && !llvm::all_of(n.inputs, [](Value operand) {
        return operand && matchPattern(operand, m_Constant());
      }))
    return rangeOfData(n);
  std::string bound =
      " (or a bound on the elements, --loop-bound=" + nameOf(n.proto) + "=N)";
  double start = n.number(0, "the start" + bound);
  double limit = n.number(1, "the limit" + bound);
  double step = n.number(2, "the step" + bound);
  if (step == 0 || std::isnan(start) || std::isnan(limit) || std::isnan(step))
    n.fail("the step of a range must not be zero");
  double count = std::max(0.0, std::ceil((limit - start) / step));
  if (!(count < double(1 << 24)))
    n.refuse("a range of more than 2^24 elements is not supported");
  Type element = n.element(n.input(0));
  auto type = n.typeOf({int64_t(count)}, element);
  SmallVector<Attribute> values;
  for (int64_t i = 0; i < int64_t(count); ++i) {
    double value = start + double(i) * step;
    values.push_back(isa<FloatType>(element)
                         ? Attribute(n.b.getFloatAttr(element, value))
                         : n.b.getIntegerAttr(element, int64_t(value)));
  }
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
