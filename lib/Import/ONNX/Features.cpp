//===- Features.cpp - preparing of features in ai.onnx.ml ----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PostTransform.h"

#include <cmath>

using namespace mlir;

namespace mho::import {

namespace {

int64_t featuresOf(Expr x) { return x.rank() ? x.shape().back() : 1; }

/// Attribute `name` as one number for all features or one for each.
Expr perFeature(StringRef name, Expr x) {
  Node &n = x.node();
  SmallVector<double> values = numbers(n, name);
  int64_t features = featuresOf(x);
  if (values.size() != 1 && int64_t(values.size()) != features)
    n.fail("attribute '" + name + "' has " + Twine(values.size()) +
           " entries for " + Twine(features) + " features");
  return floatConstant(n, {int64_t(values.size())}, values, x.element());
}

/// Input 0 in f32.
Expr floats(Node &n) { return Expr(n, n.input(0)).as(n.b.getF32Type()); }

void scaler(Node &n) {
  Expr x = floats(n);
  if (n.has("offset"))
    x = x - perFeature("offset", x);
  if (n.has("scale"))
    x = x * perFeature("scale", x);
  n.result(x);
}

void binarizer(Node &n) {
  Expr x(n, n.input(0));
  n.result((x > n.real("threshold", 0)).as(x.element()));
}

void normalizer(Node &n) {
  Expr x = floats(n);
  if (x.rank() != 1 && x.rank() != 2)
    n.fail("expected samples of features, found rank " + Twine(x.rank()));
  std::string norm = n.string("norm", "MAX");
  auto by = [&]() -> Expr {
    int64_t last = x.rank() - 1;
    if (norm == "MAX")
      return largest(x, {last});
    if (norm == "L1")
      return sum(abs(x), {last});
    if (norm == "L2")
      return sqrt(sum(x * x, {last}));
    n.fail("norm is MAX, L1 or L2, found '" + norm + "'");
  }();
  n.result(x / where(by == 0, 1, by));
}

void imputer(Node &n) {
  Expr x(n, n.input(0));
  if (x.rank() == 0)
    n.fail("expected samples of features, found a scalar");
  if (!x.isFloat()) {
    Shape values = n.integers("imputed_value_int64s").value_or(Shape());
    if (values.size() != 1 && int64_t(values.size()) != featuresOf(x))
      n.fail("attribute 'imputed_value_int64s' has " + Twine(values.size()) +
             " entries for " + Twine(featuresOf(x)) + " features");
    Expr absent = x == double(n.integer("replaced_value_int64", 0));
    Expr imputed(n, n.constantIntegers(values));
    return n.result(where(absent, imputed.as(x.element()), x));
  }
  float replaced = n.real("replaced_value_float", 0);
  Expr absent = std::isnan(replaced) ? isNan(x) : x == replaced;
  n.result(where(absent, perFeature("imputed_value_floats", x), x));
}

void oneHotEncoder(Node &n) {
  if (n.has("cats_strings"))
    n.refuse("categories that are strings (cats_strings) are not supported");
  if (!n.integer("zeros", 1))
    n.refuse("zeros = 0, which ends with an error at an unknown category, is "
             "not supported");
  Shape categories = n.integers("cats_int64s").value_or(Shape());
  // Numbers that are no integers are cut, as ONNX Runtime does.
  Expr x = Expr(n, n.input(0)).as(n.b.getIntegerType(64));
  Shape column(x.shape());
  column.push_back(1);
  Expr same = x.reshape(column) == Expr(n, n.constantIntegers(categories));
  n.result(same.as(n.b.getF32Type()));
}

void arrayFeatureExtractor(Node &n) {
  Expr x(n, n.input(0)), places(n, n.input(1));
  if (x.rank() == 0)
    n.fail("expected features along the last axis of a tensor");
  int64_t count = n.type(places).getNumElements();
  Expr y = gather(x, places.reshape({count}), x.rank() - 1);
  // A list of features is one sample.
  n.result(x.rank() == 1 ? y.reshape({1, count}) : y);
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
  Expr x(n, n.input(0)), keys(n, listOf(n, "keys")),
      values(n, listOf(n, "values"));
  n.checkSameElement(x, keys);
  int64_t count = keys.shape()[0];
  if (values.shape()[0] != count)
    n.fail(Twine(count) + " keys and " + Twine(values.shape()[0]) +
           " values are given");
  Expr fallback(n, otherwise(n, values.element()));
  Expr table = concat({fallback, values}, 0);
  Shape column(x.shape());
  column.push_back(1);
  Expr each = x.reshape(column);
  Expr same = each == keys;
  if (x.isFloat())
    same = same || (isNan(each) && isNan(keys));
  Expr places = iota(n, n.b.getI32Type(), count) + 1;
  Expr place = largest(where(same, places, 0), {x.rank()}, false);
  n.result(gather(table, place, 0));
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
