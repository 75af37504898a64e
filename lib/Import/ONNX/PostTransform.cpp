//===- PostTransform.cpp - what models of ai.onnx.ml do to scores --------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PostTransform.h"

#include "mho/Dialect/Graph/IR/Constants.h"
#include "mho/Dialect/Graph/IR/Shapes.h"

#include <numbers>

using namespace mlir;

namespace mho::import {

namespace {

template <typename OpTy> Value unary(Node &n, Value x) {
  return n.make<OpTy>(x.getType(), x);
}

Value number(Node &n, Value like, double value) {
  return n.scalar(n.element(like), value);
}

template <typename OpTy> Value withNumber(Node &n, Value x, double value) {
  return n.binary<OpTy>(x, number(n, x, value));
}

template <typename OpTy> Value alongTargets(Node &n, Value x) {
  auto type =
      n.typeOf(graph::reducedShape(n.shape(x), {1}, true), n.element(x));
  return n.make<OpTy>(type, x, n.b.getDenseI64ArrayAttr({1}),
                      n.b.getUnitAttr());
}

/// A softmax over the scores that are not zero; the others stay zero.
Value softmaxOfNonZero(Node &n, Value x) {
  constexpr double nothing = 1e-7;
  Value there = n.binary<graph::GreaterOp>(
      unary<graph::AbsOp>(n, x), number(n, x, nothing), n.b.getI1Type());
  Value largest = alongTargets<graph::ReduceMaxOp>(n, x);
  Value powers = unary<graph::ExpOp>(n, n.binary<graph::SubOp>(x, largest));
  powers = n.make<graph::WhereOp>(x.getType(), there, powers, number(n, x, 0));
  return n.binary<graph::DivOp>(powers,
                                alongTargets<graph::ReduceSumOp>(n, powers));
}

/// √2 · erf⁻¹(2x - 1), erf⁻¹ by Winitzki's approximation, as ONNX Runtime
/// computes it.
Value probit(Node &n, Value x) {
  constexpr double a = 0.147;
  Value y = withNumber<graph::SubOp>(n, withNumber<graph::MulOp>(n, x, 2), 1);
  Value one = number(n, x, 1);
  Value log = unary<graph::LogOp>(
      n, n.binary<graph::MulOp>(n.binary<graph::SubOp>(one, y),
                                n.binary<graph::AddOp>(one, y)));
  Value half = withNumber<graph::AddOp>(
      n, withNumber<graph::MulOp>(n, log, 0.5), 2 / (std::numbers::pi * a));
  Value square =
      n.binary<graph::SubOp>(n.binary<graph::MulOp>(half, half),
                             withNumber<graph::MulOp>(n, log, 1 / a));
  Value root = unary<graph::SqrtOp>(
      n, n.binary<graph::SubOp>(unary<graph::SqrtOp>(n, square), half));
  Value below = n.binary<graph::LessOp>(y, number(n, x, 0), n.b.getI1Type());
  root = n.make<graph::WhereOp>(x.getType(), below,
                                unary<graph::NegOp>(n, root), root);
  return withNumber<graph::MulOp>(n, root, std::numbers::sqrt2);
}

} // namespace

Value transformed(Node &n, Value scores, StringRef kind) {
  if (kind == "NONE" || kind.empty())
    return scores;
  if (kind == "SOFTMAX")
    return n.make<graph::SoftmaxOp>(scores.getType(), scores,
                                    n.b.getDenseI64ArrayAttr({1}));
  if (kind == "LOGISTIC")
    return unary<graph::SigmoidOp>(n, scores);
  if (kind == "SOFTMAX_ZERO")
    return softmaxOfNonZero(n, scores);
  if (kind == "PROBIT")
    return probit(n, scores);
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
  return n.make<graph::GatherOp>(type, n.constantIntegers(labels), place,
                                 n.b.getI64IntegerAttr(0));
}

Value eitherLabel(Node &n, Value condition, int64_t yes, int64_t no) {
  Type i64 = n.b.getIntegerType(64);
  int64_t samples = n.shape(condition)[0];
  auto constant = [&](int64_t label) {
    return n.constant(
        DenseElementsAttr::get(n.typeOf({}, i64), ArrayRef<int64_t>(label)));
  };
  return n.make<graph::WhereOp>(n.typeOf({samples}, i64),
                                n.reshape(condition, {samples}), constant(yes),
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
