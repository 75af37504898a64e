//===- Features.cpp - preparing of features in ai.onnx.ml ----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PostTransform.h"

#include "mho/Dialect/Graph/IR/Shapes.h"

#include <cmath>

using namespace mlir;

namespace mho::import {

namespace {

Value isNan(Node &n, Value x) {
  Value same = n.binary<graph::EqualOp>(x, x, n.b.getI1Type());
  return n.make<graph::NotOp>(same.getType(), same);
}

int64_t featuresOf(Node &n, Value x) {
  return n.shape(x).empty() ? 1 : n.shape(x).back();
}

/// Attribute `name` as one number for all features or one for each.
Value perFeature(Node &n, StringRef name, Value x) {
  SmallVector<double> values = numbers(n, name);
  int64_t features = featuresOf(n, x);
  if (values.size() != 1 && int64_t(values.size()) != features)
    n.fail("attribute '" + name + "' has " + Twine(values.size()) +
           " entries for " + Twine(features) + " features");
  return floatConstant(n, {int64_t(values.size())}, values, n.element(x));
}

void scaler(Node &n) {
  Value x = n.cast(n.input(0), n.b.getF32Type());
  if (n.has("offset"))
    x = n.binary<graph::SubOp>(x, perFeature(n, "offset", x));
  if (n.has("scale"))
    x = n.binary<graph::MulOp>(x, perFeature(n, "scale", x));
  n.result(x);
}

void binarizer(Node &n) {
  Value x = n.input(0);
  Value above = n.binary<graph::GreaterOp>(
      x, n.scalar(n.element(x), n.real("threshold", 0)), n.b.getI1Type());
  n.result(n.cast(above, n.element(x)));
}

void normalizer(Node &n) {
  Value x = n.cast(n.input(0), n.b.getF32Type());
  int64_t rank = n.type(x).getRank();
  if (rank != 1 && rank != 2)
    n.fail("expected samples of features, found rank " + Twine(rank));
  auto axes = n.b.getDenseI64ArrayAttr({rank - 1});
  auto type =
      n.typeOf(graph::reducedShape(n.shape(x), {rank - 1}, true), n.element(x));
  auto reduced = [&](auto op, Value v) {
    return n.make<decltype(op)>(type, v, axes, n.b.getUnitAttr());
  };
  std::string norm = n.string("norm", "MAX");
  Value by;
  if (norm == "MAX")
    by = reduced(graph::ReduceMaxOp(), x);
  else if (norm == "L1")
    by = reduced(graph::ReduceSumOp(), n.make<graph::AbsOp>(x.getType(), x));
  else if (norm == "L2")
    by = n.make<graph::SqrtOp>(
        type, reduced(graph::ReduceSumOp(), n.binary<graph::MulOp>(x, x)));
  else
    n.fail("norm is MAX, L1 or L2, found '" + norm + "'");
  Value none =
      n.binary<graph::EqualOp>(by, n.scalar(n.element(x), 0), n.b.getI1Type());
  by = n.make<graph::WhereOp>(type, none, n.scalar(n.element(x), 1), by);
  n.result(n.binary<graph::DivOp>(x, by));
}

void imputer(Node &n) {
  Value x = n.input(0);
  if (!isa<FloatType>(n.element(x))) {
    Shape values = n.integers("imputed_value_int64s").value_or(Shape());
    if (values.size() != 1 && int64_t(values.size()) != featuresOf(n, x))
      n.fail("attribute 'imputed_value_int64s' has " + Twine(values.size()) +
             " entries for " + Twine(featuresOf(n, x)) + " features");
    Value absent = n.binary<graph::EqualOp>(
        x, n.scalar(n.element(x), double(n.integer("replaced_value_int64", 0))),
        n.b.getI1Type());
    return n.result(n.make<graph::WhereOp>(
        x.getType(), absent, n.cast(n.constantIntegers(values), n.element(x)),
        x));
  }
  float replaced = n.real("replaced_value_float", 0);
  Value absent =
      std::isnan(replaced)
          ? isNan(n, x)
          : n.binary<graph::EqualOp>(x, n.scalar(n.element(x), replaced),
                                     n.b.getI1Type());
  n.result(n.make<graph::WhereOp>(x.getType(), absent,
                                  perFeature(n, "imputed_value_floats", x), x));
}

void oneHotEncoder(Node &n) {
  if (n.has("cats_strings"))
    n.refuse("categories that are strings (cats_strings) are not supported");
  Value x = n.input(0);
  Shape categories = n.integers("cats_int64s").value_or(Shape());
  int64_t count = categories.size();
  Shape column(n.shape(x)), shape(n.shape(x));
  column.push_back(1);
  shape.push_back(count);
  if (!n.integer("zeros", 1))
    n.refuse("zeros = 0, which ends with an error at an unknown category, is "
             "not supported");
  // Numbers that are no integers are cut, as ONNX Runtime does.
  Type i64 = n.b.getIntegerType(64);
  Value all = n.cast(x, i64);
  Value same = n.binary<graph::EqualOp>(
      n.reshape(all, column), n.constantIntegers(categories), n.b.getI1Type());
  n.result(n.cast(same, n.b.getF32Type()));
}

void arrayFeatureExtractor(Node &n) {
  Value x = n.input(0), places = n.input(1);
  if (n.type(x).getRank() == 0)
    n.fail("expected features along the last axis of a tensor");
  int64_t axis = n.type(x).getRank() - 1;
  int64_t count = n.type(places).getNumElements();
  Shape shape(n.shape(x));
  shape[axis] = count;
  Value y = n.make<graph::GatherOp>(n.typeOf(shape, n.element(x)), x,
                                    n.reshape(places, {count}),
                                    n.b.getI64IntegerAttr(axis));
  // A list of features is one sample.
  n.result(axis == 0 ? n.reshape(y, {1, count}) : y);
}

void featureVectorizer(Node &n) {
  Shape lengths = n.integers("inputdimensions").value_or(Shape());
  SmallVector<Value> parts;
  int64_t samples = 0, features = 0;
  for (auto [i, x] : llvm::enumerate(n.inputs)) {
    x = n.cast(n.input(i), n.b.getF32Type());
    int64_t rank = n.type(x).getRank();
    if (rank == 0)
      n.fail("expected samples of features, found a scalar");
    int64_t first = rank == 1 ? 1 : n.shape(x)[0];
    x = n.reshape(
        x, {first, n.type(x).getNumElements() / std::max<int64_t>(first, 1)});
    if (i < lengths.size() && n.shape(x)[1] != lengths[i])
      n.refuse("input " + Twine(i) + " has " + Twine(n.shape(x)[1]) +
               " features where inputdimensions has " + Twine(lengths[i]) +
               "; cutting and filling are not supported");
    if (i && first != samples)
      n.fail("input " + Twine(i) + " has " + Twine(first) +
             " samples, the first " + Twine(samples));
    samples = first;
    features += n.shape(x)[1];
    parts.push_back(x);
  }
  if (parts.empty())
    n.fail("there is no input");
  n.result(
      n.make<graph::ConcatOp>(n.typeOf({samples, features}, n.b.getF32Type()),
                              parts, n.b.getI64IntegerAttr(1)));
}

//===----------------------------------------------------------------------===//
// Labels
//===----------------------------------------------------------------------===//

/// A list of numbers under one of its names, as a constant of rank 1.
Value listOf(Node &n, StringRef prefix) {
  auto name = [&](StringRef suffix) { return (prefix + suffix).str(); };
  if (n.has(name("_strings")))
    n.refuse("strings (" + name("_strings") +
             ") are not supported; encode them before the model");
  if (auto integers = n.integers(name("_int64s")))
    return n.constantIntegers(*integers);
  if (n.has(name("_floats"))) {
    SmallVector<double> values = numbers(n, name("_floats"));
    return floatConstant(n, {int64_t(values.size())}, values, n.b.getF32Type());
  }
  const auto *tensor = n.attribute(name("_tensor"));
  if (!tensor)
    n.fail("one of the attributes " + name("_int64s") + ", " + name("_floats") +
           " and " + name("_tensor") + " must be given");
  if (tensor->t().data_type() == onnx::TensorProto::STRING)
    n.refuse("strings (" + name("_tensor") +
             ") are not supported; encode them before the model");
  Value list = n.constant(constantOf(n.b.getContext(), tensor->t(), n.files));
  return n.reshape(list, {n.type(list).getNumElements()});
}

/// What stands for keys that are not in the list.
Value otherwise(Node &n, Type element) {
  if (const auto *tensor = n.attribute("default_tensor"))
    return n.reshape(
        n.constant(constantOf(n.b.getContext(), tensor->t(), n.files)), {1});
  double value = isa<FloatType>(element)
                     ? n.real("default_float", -0.0f)
                     : double(n.integer("default_int64", -1));
  return n.reshape(n.scalar(element, value), {1});
}

/// The place of the last key that equals x picks the value; no key, the default
/// behind all values.
void labelEncoder(Node &n) {
  if (n.opset < 2)
    n.refuse("the form of opset 1, on strings, is not supported");
  Value x = n.input(0), keys = listOf(n, "keys"), values = listOf(n, "values");
  n.checkSameElement(x, keys);
  int64_t count = n.shape(keys)[0];
  if (n.shape(values)[0] != count)
    n.fail(Twine(count) + " keys and " + Twine(n.shape(values)[0]) +
           " values are given");
  Type element = n.element(values), i32 = n.b.getI32Type();
  Value fallback = otherwise(n, element);
  n.checkSameElement(values, fallback);
  Value table = n.make<graph::ConcatOp>(n.typeOf({count + 1}, element),
                                        ValueRange{fallback, values},
                                        n.b.getI64IntegerAttr(0));
  Shape column(n.shape(x)), spread(n.shape(x));
  column.push_back(1);
  spread.push_back(count);
  Value each = n.reshape(x, column);
  Value same = n.binary<graph::EqualOp>(each, keys, n.b.getI1Type());
  if (isa<FloatType>(n.element(x))) {
    Value both = n.binary<graph::AndOp>(isNan(n, each), isNan(n, keys));
    same = n.binary<graph::OrOp>(same, both);
  }
  Shape places = llvm::to_vector(llvm::seq<int64_t>(1, count + 1));
  auto type = n.typeOf(spread, i32);
  Value place = n.make<graph::WhereOp>(
      type, same, n.cast(n.constantIntegers(places), i32), n.scalar(i32, 0));
  int64_t axis = spread.size() - 1;
  place =
      n.make<graph::ReduceMaxOp>(n.typeOf(n.shape(x), i32), place,
                                 n.b.getDenseI64ArrayAttr({axis}), UnitAttr());
  n.result(n.make<graph::GatherOp>(n.typeOf(n.shape(x), element), table, place,
                                   n.b.getI64IntegerAttr(0)));
}

void maps(Node &n) {
  n.refuse("maps are not supported; take the tensor of scores instead (in "
           "sklearn-onnx: options={'zipmap': False})");
}

} // namespace

void addFeatures(HandlerTable &table) {
  table["ai.onnx.ml.Scaler"] = scaler;
  table["ai.onnx.ml.Binarizer"] = binarizer;
  table["ai.onnx.ml.Normalizer"] = normalizer;
  table["ai.onnx.ml.Imputer"] = imputer;
  table["ai.onnx.ml.OneHotEncoder"] = oneHotEncoder;
  table["ai.onnx.ml.ArrayFeatureExtractor"] = arrayFeatureExtractor;
  table["ai.onnx.ml.FeatureVectorizer"] = featureVectorizer;
  table["ai.onnx.ml.LabelEncoder"] = labelEncoder;
  table["ai.onnx.ml.ZipMap"] = maps;
}

} // namespace mho::import
