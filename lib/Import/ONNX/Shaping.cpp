//===- Shaping.cpp - constants, and shapes as values ----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Node.h"

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
  if (!given)
    return n.result(n.constant(
        DenseElementsAttr::get(n.typeOf(shape, n.b.getF32Type()), 0.0f)));
  auto value = dyn_cast<DenseElementsAttr>(
      constantOf(n.b.getContext(), given->t(), n.files));
  if (!value || value.getNumElements() != 1)
    n.fail("attribute 'value' must hold one element");
  n.result(
      n.constant(value.resizeSplat(n.typeOf(shape, value.getElementType()))));
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
      n.constantIntegers(all.slice(start, std::max<int64_t>(0, end - start))));
}

void size(Node &n) {
  auto type = RankedTensorType::get({}, n.b.getIntegerType(64));
  n.result(n.constant(
      DenseElementsAttr::get(type, n.type(n.input(0)).getNumElements())));
}

void range(Node &n) {
  double start = n.number(0, "the start"), limit = n.number(1, "the limit");
  double step = n.number(2, "the step");
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
