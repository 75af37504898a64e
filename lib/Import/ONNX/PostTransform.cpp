//===- PostTransform.cpp - what models of ai.onnx.ml do to scores --------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PostTransform.h"

#include "mho/Dialect/Graph/IR/Constants.h"

#include <numbers>

using namespace mlir;

namespace mho::import {

namespace {

/// A softmax over the scores that are not zero; the others stay zero.
Expr softmaxOfNonZero(Expr x) {
  constexpr double nothing = 1e-7;
  Expr there = abs(x) > nothing;
  Expr powers = where(there, exp(x - largest(x, {1})), 0);
  return powers / sum(powers, {1});
}

/// √2 · erf⁻¹(2x - 1), erf⁻¹ by Winitzki's approximation, as ONNX Runtime
/// computes it.
Expr probit(Expr x) {
  constexpr double a = 0.147;
  Expr y = x * 2 - 1;
  Expr l = log((1 - y) * (1 + y));
  Expr half = l * 0.5 + 2 / (std::numbers::pi * a);
  Expr root = sqrt(sqrt(half * half - l * (1 / a)) - half);
  return where(y < 0, -root, root) * std::numbers::sqrt2;
}

} // namespace

Value transformed(Node &n, Value scores, StringRef kind) {
  if (kind == "NONE" || kind.empty())
    return scores;
  if (kind == "SOFTMAX")
    return n.make<graph::SoftmaxOp>(scores.getType(), scores,
                                    n.b.getDenseI64ArrayAttr({1}));
  if (kind == "LOGISTIC")
    return sigmoid(Expr(n, scores));
  if (kind == "SOFTMAX_ZERO")
    return softmaxOfNonZero({n, scores});
  if (kind == "PROBIT")
    return probit({n, scores});
  n.fail("post_transform is NONE, SOFTMAX, LOGISTIC, SOFTMAX_ZERO or PROBIT, "
         "found '" +
         kind + "'");
}

Value asFloats(Node &n, Value x) {
  return n.element(x).isF64() ? x : n.cast(x, n.b.getF32Type());
}

Shape integerLabels(Node &n, StringRef integers, StringRef strings) {
  if (auto labels = n.integers(integers); labels && !labels->empty())
    return *labels;
  if (n.has(strings))
    n.refuse("labels that are strings (" + strings +
             ") are not supported; export the model with " + integers);
  n.fail("attribute '" + integers + "' is missing");
}

Value topLabel(Node &n, Value scores, ArrayRef<int64_t> labels) {
  int64_t samples = n.shape(scores)[0];
  auto type = n.typeOf({samples}, n.b.getIntegerType(64));
  Value place = n.make<graph::ArgMaxOp>(type, scores, n.b.getI64IntegerAttr(1),
                                        UnitAttr(), UnitAttr());
  if (llvm::equal(labels, llvm::seq<int64_t>(0, labels.size())))
    return place;
  return gather({n, n.constantIntegers(labels)}, {n, place}, 0);
}

Value eitherLabel(Node &n, Value condition, int64_t yes, int64_t no) {
  auto constant = [&](int64_t label) {
    auto type = n.typeOf({}, n.b.getIntegerType(64));
    return Expr(n, n.constant(DenseElementsAttr::get(type, label)));
  };
  int64_t samples = n.shape(condition)[0];
  return where(Expr(n, condition).reshape({samples}), constant(yes),
               constant(no));
}

Expr floatConstant(Node &n, ArrayRef<int64_t> shape, ArrayRef<double> values,
                   Type element) {
  auto type = n.typeOf(shape, element);
  if (type.getNumElements() != int64_t(values.size()))
    n.fail("expected " + Twine(type.getNumElements()) + " numbers, found " +
           Twine(values.size()));
  if (element.isF64())
    return {n, n.constant(DenseElementsAttr::get(type, values))};
  SmallVector<float> narrow(values.begin(), values.end());
  return {n, n.constant(DenseElementsAttr::get(type, ArrayRef(narrow)))};
}

SmallVector<double> numbers(Node &n, StringRef name) {
  SmallVector<double> result;
  const auto *attribute = n.attribute(name);
  if (!attribute)
    return result;
  if (attribute->type() == onnx::AttributeProto::FLOATS) {
    result.append(attribute->floats().begin(), attribute->floats().end());
    return result;
  }
  if (attribute->type() != onnx::AttributeProto::TENSOR)
    n.fail("attribute '" + name + "' is neither FLOATS nor TENSOR");
  auto elements = graph::ConstantReader::get(
      constantOf(n.b.getContext(), attribute->t(), n.files));
  if (!elements)
    n.refuse("attribute '" + name + "' holds no numbers");
  for (int64_t i = 0; i < elements->size(); ++i)
    result.push_back(elements->asDouble(i));
  return result;
}

} // namespace mho::import
