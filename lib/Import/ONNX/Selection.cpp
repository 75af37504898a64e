//===- Selection.cpp - results whose extents follow from elements ---------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Node.h"

#include "mho/Dialect/Graph/IR/Selection.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace mho::import {

namespace {

/// The elements of input `i`, which must be constant.
graph::ConstantReader known(Node &n, size_t i, StringRef what) {
  Attribute value;
  if (!matchPattern(n.input(i), m_Constant(&value)))
    n.refuseUnknown(i, what);
  auto reader = graph::ConstantReader::get(value);
  if (!reader)
    n.refuseUnknown(i, what);
  return *reader;
}

Value integers(Node &n, ArrayRef<int64_t> shape, ArrayRef<int64_t> values) {
  return n.constant(
      DenseElementsAttr::get(n.typeOf(shape, n.b.getIntegerType(64)), values));
}

void nonZero(Node &n) {
  graph::ConstantReader x =
      known(n, 0, "the elements, whose number decides the result's shape,");
  ArrayRef<int64_t> shape = x.type().getShape();
  SmallVector<int64_t> found = graph::nonZeroElements(x), coordinates;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    int64_t inner = 1;
    for (int64_t extent : shape.drop_front(axis + 1))
      inner *= extent;
    for (int64_t element : found)
      coordinates.push_back(element / inner % shape[axis]);
  }
  n.result(
      integers(n, {int64_t(shape.size()), int64_t(found.size())}, coordinates));
}

/// Slices of x along an axis, or elements of flat x.
void compress(Node &n) {
  Value x = n.input(0);
  graph::ConstantReader condition =
      known(n, 1, "the condition, which decides the result's shape,");
  int64_t axis = 0;
  if (n.has("axis"))
    axis = n.axis(n.integer("axis", 0), n.type(x).getRank());
  else
    x = n.reshape(x, {n.type(x).getNumElements()});
  if (condition.type().getRank() != 1 || condition.size() > n.shape(x)[axis])
    n.fail("the condition has " + Twine(condition.size()) +
           " elements for an axis of " + Twine(n.shape(x)[axis]));
  SmallVector<int64_t> chosen = graph::nonZeroElements(condition);
  Shape shape(n.shape(x));
  shape[axis] = chosen.size();
  n.result(n.make<graph::GatherOp>(n.typeOf(shape, n.element(x)), x,
                                   n.constantIntegers(chosen),
                                   n.b.getI64IntegerAttr(axis)));
}

void unique(Node &n) {
  known(n, 0, "the elements, whose number decides the result's shape,");
  Value x = n.input(0);
  int64_t axis = 0;
  if (n.has("axis"))
    axis = n.axis(n.integer("axis", 0), n.type(x).getRank());
  else
    x = n.reshape(x, {n.type(x).getNumElements()});
  Attribute value;
  matchPattern(x, m_Constant(&value));
  auto reader = graph::ConstantReader::get(value);
  if (!reader)
    n.refuse("elements of this type are not supported");
  graph::UniqueSlices slices =
      graph::uniqueSlices(*reader, axis, n.integer("sorted", 1));
  Value first = n.constantIntegers(slices.first);
  Shape shape(n.shape(x));
  shape[axis] = slices.first.size();
  n.result(n.make<graph::GatherOp>(n.typeOf(shape, n.element(x)), x, first,
                                   n.b.getI64IntegerAttr(axis)));
  n.result(first);
  n.result(n.constantIntegers(slices.inverse));
  n.result(n.constantIntegers(slices.counts));
}

void nonMaxSuppression(Node &n) {
  StringRef why = "which decide the result's shape,";
  graph::ConstantReader boxes = known(n, 0, ("the boxes, " + why).str());
  graph::ConstantReader scores = known(n, 1, ("the scores, " + why).str());
  ArrayRef<int64_t> b = boxes.type().getShape(), s = scores.type().getShape();
  if (b.size() != 3 || s.size() != 3 || b[2] != 4 || b[0] != s[0] ||
      b[1] != s[2])
    n.fail("expected boxes of images × boxes × 4 and scores of images × "
           "classes × boxes");
  graph::BoxLimits limits;
  auto one = [&](size_t i, StringRef what) -> std::optional<double> {
    if (!n.optional(i))
      return std::nullopt;
    SmallVector<double> values = n.steeringNumbers(i, what);
    if (values.size() != 1)
      n.fail(what + " must be one number");
    return values[0];
  };
  limits.perClass = int64_t(one(2, "the number of boxes").value_or(0));
  limits.overlap = float(one(3, "the overlap's threshold").value_or(0));
  if (auto score = one(4, "the score's threshold"))
    limits.score = float(*score);
  limits.centers = n.integer("center_point_box", 0);
  SmallVector<int64_t> selected = graph::selectedBoxes(boxes, scores, limits);
  n.result(integers(n, {int64_t(selected.size()) / 3, 3}, selected));
}

} // namespace

void addSelection(HandlerTable &table) {
  table[".NonZero"] = nonZero;
  table[".Compress"] = compress;
  table[".Unique"] = unique;
  table[".NonMaxSuppression"] = nonMaxSuppression;
}

} // namespace mho::import
