//===- Selection.cpp - results whose extents follow from elements ---------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Selection.h"

#include "Importer.h"

#include "mho/Dialect/Graph/IR/Selection.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace mho::import {

/// The product of the largest extents.
static int64_t mostElements(const Node &n, ArrayRef<int64_t> shape) {
  Shape most(shape);
  for (int64_t &extent : most)
    if (isSymbol(extent))
      extent = n.extents->range(extent).high;
  return tensorType(most, n.b.getI64Type()).getNumElements();
}

/// What is there of the same mask: its count is then the same extent.
static graph::NonZeroOp madeBefore(Node &n, Value x) {
  for (Operation *user : x.getUsers())
    if (auto made = dyn_cast<graph::NonZeroOp>(user);
        made && made->getBlock() == n.b.getInsertionBlock() &&
        n.extents->scalar(made.getCount()))
      return made;
  return {};
}

Value nonZeroPlaces(Node &n, Value x) {
  int64_t rank = n.type(x).getRank();
  int64_t most = mostElements(n, n.shape(x));
  Type integer = n.b.getI64Type();
  if (most == 0)
    return n.constant(DenseElementsAttr::get(n.typeOf({0, rank}, integer),
                                             ArrayRef<Attribute>()));
  graph::NonZeroOp found = madeBefore(n, x);
  if (!found) {
    found = graph::NonZeroOp::create(
        n.b, n.loc, n.typeOf({most, rank}, integer), n.b.getIndexType(), x);
    n.extents->add(found.getCount(), 0, most, "count of " + nameOf(n.proto));
  }
  return n.sliced(found.getPlaces(), {0, 0}, {1, 1},
                  {*n.extents->scalar(found.getCount()), rank});
}

Value chosen(Node &n, Value mask) {
  Value places = nonZeroPlaces(n, mask);
  return n.reshape(places, n.shape(places)[0]);
}

Value gathered(Node &n, Value x, Value indices, int64_t axis) {
  Shape shape(n.shape(x));
  shape[axis] = n.shape(indices)[0];
  return n.make<graph::GatherOp>(n.typeOf(shape, n.element(x)), x, indices,
                                 n.b.getI64IntegerAttr(axis));
}

namespace {

/// The elements of input `i` where they are known.
std::optional<graph::ConstantReader> known(Node &n, size_t i) {
  Attribute value;
  // More elements than a file holds are one, written once.
  if (!matchPattern(n.input(i), m_Constant(&value)) ||
      n.type(n.input(i)).getNumElements() > kMostInTable)
    return std::nullopt;
  return graph::ConstantReader::get(value);
}

Value integers(Node &n, ArrayRef<int64_t> shape, ArrayRef<int64_t> values) {
  return n.constant(
      DenseElementsAttr::get(n.typeOf(shape, n.b.getIntegerType(64)), values));
}

void nonZero(Node &n) {
  auto x = known(n, 0);
  if (!x)
    return n.result(n.transpose(nonZeroPlaces(n, n.input(0)), {1, 0}));
  ArrayRef<int64_t> shape = x->type().getShape();
  SmallVector<int64_t> found = graph::nonZeroElements(*x), coordinates;
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
  Value x = n.input(0), condition = n.input(1);
  int64_t axis = 0;
  if (n.has("axis")) {
    axis = n.axis(n.integer("axis", 0), n.type(x).getRank());
  } else {
    x = n.reshape(x, n.extents->elements(n.shape(x)));
  }
  if (n.type(condition).getRank() != 1)
    n.fail("expected a vector of conditions, found " +
           text(condition.getType()));
  int64_t length = n.shape(condition)[0], extent = n.shape(x)[axis];
  if (n.extents->range(length).low > n.extents->range(extent).high)
    n.fail("the condition has " + n.extents->text(length) +
           " elements for an axis of " + n.extents->text(extent));
  auto constant = known(n, 1);
  n.result(gathered(n, x,
                    constant
                        ? n.constantIntegers(graph::nonZeroElements(*constant))
                        : chosen(n, condition),
                    axis));
}

void unique(Node &n) {
  if (!known(n, 0))
    return uniqueAtRunTime(n);
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
  ArrayRef<int64_t> b = n.shape(n.input(0)), s = n.shape(n.input(1));
  if (b.size() != 3 || s.size() != 3 || b[2] != 4 || b[0] != s[0] ||
      b[1] != s[2])
    n.fail("expected boxes of images × boxes × 4 and scores of images × "
           "classes × boxes");
  auto boxes = known(n, 0), scores = known(n, 1);
  if (!boxes || !scores ||
      !llvm::all_of(ArrayRef(n.inputs).drop_front(2), [](Value limit) {
        return !limit || matchPattern(limit, m_Constant());
      }))
    return suppressAtRunTime(n);
  graph::BoxLimits limits;
  auto one = [&](size_t i, StringRef what) -> std::optional<double> {
    if (!n.optional(i))
      return std::nullopt;
    SmallVector<double> values = n.steeringNumbers(i, what);
    if (values.size() != 1)
      n.fail(what + " must be one number");
    return values[0];
  };
  // Exporters write the largest integer for no limit, which no double holds.
  if (n.optional(2)) {
    Shape most = n.steering(2, "the number of boxes");
    if (most.size() != 1)
      n.fail("the number of boxes must be one number");
    limits.perClass = most.front();
  }
  limits.overlap = float(one(3, "the overlap's threshold").value_or(0));
  if (auto score = one(4, "the score's threshold"))
    limits.score = float(*score);
  limits.centers = n.integer("center_point_box", 0);
  SmallVector<int64_t> selected = graph::selectedBoxes(*boxes, *scores, limits);
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
