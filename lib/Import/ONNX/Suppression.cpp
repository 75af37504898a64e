//===- Suppression.cpp - NonMaxSuppression of what only the run knows -----===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Boxes are put in the order of their scores, for every image and class. Each
// step of a loop takes the first box that is left of each and strikes out what
// overlaps it; the loop ends when nothing is left. So there are as many steps
// as one class keeps boxes, not as there are boxes.
//
//===----------------------------------------------------------------------===//

#include "Expression.h"
#include "Importer.h"
#include "Selection.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace mho::import {

namespace {

/// x with room for the bounds of its axes; what is there beyond the run's
/// extents is zero.
Value withRoom(Node &n, Value x) {
  Shape room(n.shape(x));
  if (!hasSymbol(room))
    return x;
  for (int64_t &extent : room)
    extent = n.extents->range(extent).high;
  auto type = n.typeOf(room, n.element(x));
  Value whole = n.constant(
      DenseElementsAttr::get(type, Attribute(n.b.getZeroAttr(n.element(x)))));
  SmallVector<OpFoldResult> sizes;
  for (int64_t size : n.shape(x))
    sizes.push_back(n.extents->value(n.b, n.loc, size));
  SmallVector<OpFoldResult> offsets(sizes.size(), n.b.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(sizes.size(), n.b.getIndexAttr(1));
  return tensor::InsertSliceOp::create(n.b, n.loc, x, whole, offsets, sizes,
                                       strides);
}

/// y[p] = x[place(p)], of x's elements.
Expr at(Expr x, ArrayRef<Value> indices, ArrayRef<int64_t> dims,
        ArrayRef<int64_t> shape) {
  Node &n = x.node();
  return {n, n.make<graph::GatherNDOp>(n.typeOf(shape, x.element()), Value(x),
                                       ValueRange(indices),
                                       n.b.getDenseI64ArrayAttr(dims))};
}

/// Edges and area of boxes, each of a shape that broadcasts.
struct Edges {
  Expr top, left, bottom, right, area;

  static Edges of(Expr top, Expr left, Expr bottom, Expr right) {
    return {top, left, bottom, right, (bottom - top) * (right - left)};
  }
  template <typename Fn> Edges map(Fn fn) const {
    return {fn(top), fn(left), fn(bottom), fn(right), fn(area)};
  }
};

/// The edges of boxes [B, N, 4], whichever corners are named: each [B, N].
Edges edgesOf(Node &n, Expr boxes) {
  auto part = [&](int64_t i) {
    return boxes.slice(2, i, 1).reshape(boxes.shape().drop_back());
  };
  Expr a = part(0), c = part(1), d = part(2), e = part(3);
  if (n.integer("center_point_box", 0)) {
    // Centre x and y, width, height.
    Expr height = e / 2.0, width = d / 2.0;
    return Edges::of(c - height, a - width, c + height, a + width);
  }
  return Edges::of(min(a, d), min(c, e), max(a, d), max(c, e));
}

/// Whether the common part is more than `limit` of both together.
Expr overlaps(const Edges &a, const Edges &c, Expr limit) {
  Expr height = min(a.bottom, c.bottom) - max(a.top, c.top);
  Expr width = min(a.right, c.right) - max(a.left, c.left);
  Expr common = height * width;
  return height > 0 && width > 0 && a.area > 0 && c.area > 0 &&
         common / (a.area + c.area - common) > limit;
}

Expr anyOf(Expr flags, ArrayRef<int64_t> axes, bool keepdims = true) {
  return largest(flags.as(flags.node().b.getIntegerType(8)), axes, keepdims);
}

} // namespace

void suppressAtRunTime(Node &n) {
  Type integer = n.b.getI64Type();
  Shape extents(n.shape(n.input(1)));
  Expr boxes(n, withRoom(n, n.input(0))), scores(n, withRoom(n, n.input(1)));
  int64_t images = scores.shape()[0], classes = scores.shape()[1],
          room = scores.shape()[2];
  auto number = [&](size_t i, Type element, StringRef what) {
    Value given = n.input(i);
    if (n.type(given).getNumElements() != 1 || n.element(given) != element)
      n.fail(what + " must be one number of type " + text(element) +
             ", found " + text(given.getType()));
    return Expr(n, n.reshape(given, {}));
  };

  // How many each class keeps at most, and for how many there is room.
  int64_t most = 0;
  OpFoldResult steps = n.b.getIndexAttr(0);
  if (n.optional(2)) {
    Value given = number(2, integer, "the number of boxes");
    most = room;
    auto index = [&](int64_t value) {
      return arith::ConstantIndexOp::create(n.b, n.loc, value).getResult();
    };
    if (auto known = n.constantIntegers(given)) {
      most = std::clamp<int64_t>(known->front(), 0, room);
      steps = index(most);
    } else {
      Value wide = arith::IndexCastOp::create(n.b, n.loc, n.b.getIndexType(),
                                              scalarOf(n.b, n.loc, given));
      wide = arith::MaxSIOp::create(n.b, n.loc, wide, index(0));
      steps = arith::MinSIOp::create(n.b, n.loc, wide, index(most)).getResult();
    }
  }
  if (images * classes * most == 0)
    return n.result(n.constant(DenseElementsAttr::get(n.typeOf({0, 3}, integer),
                                                      ArrayRef<Attribute>())));
  Expr limit = n.optional(3)
                   ? number(3, n.element(scores), "the overlap's threshold")
                   : scores.like(0);

  auto sort = graph::TopKOp::create(n.b, n.loc, Value(scores).getType(),
                                    n.typeOf(scores.shape(), integer), scores,
                                    n.b.getUnitAttr());
  Expr order(n, sort.getIndices()), sorted(n, sort.getValues());
  Expr alive(n, n.constant(DenseElementsAttr::get(
                    n.typeOf(scores.shape(), n.b.getI1Type()), true)));
  // No boxes, classes and images but those of the run.
  auto within = [&](Expr place, int64_t axis) {
    if (isSymbol(extents[axis]))
      alive = alive && place < Expr(n, n.extentsAsTensor(extents[axis],
                                                         /*scalar=*/true));
  };
  within(order, 2);
  within(iota(n, integer, classes).reshape({1, classes, 1}), 1);
  within(iota(n, integer, images).reshape({images, 1, 1}), 0);
  if (n.optional(4))
    alive =
        alive && sorted > number(4, n.element(scores), "the score's threshold");
  Edges edges = edgesOf(n, boxes).map([&](Expr edge) {
    return at(edge, Value(order), {0, -1}, scores.shape());
  });
  Expr position = iota(n, integer, room).reshape({1, 1, room});
  Expr turn = iota(n, integer, most).reshape({1, 1, most});
  Shape perClass{images, classes, 1};
  Expr none(n, n.constant(DenseElementsAttr::get(
                   n.typeOf({images, classes, most}, integer), int64_t(0))));
  Expr kept(n, n.constant(DenseElementsAttr::get(n.typeOf(perClass, integer),
                                                 int64_t(0))));

  Value goesOn;
  auto step = [&](const Step &now) {
    Expr alive(n, now.state[0]), boxes(n, now.state[1]), kept(n, now.state[2]);
    Expr left = alive.as(n.b.getIntegerType(8));
    Expr best(n, n.make<graph::ArgMaxOp>(n.typeOf(perClass, integer),
                                         Value(left), n.b.getI64IntegerAttr(2),
                                         n.b.getUnitAttr(), UnitAttr()));
    auto ofBest = [&](Expr x) {
      return at(x, Value(best), {0, 1, -1}, perClass);
    };
    Expr after = alive && !overlaps(edges, edges.map(ofBest), limit) &&
                 !(position == best);
    StepResult result;
    // A class of which nothing is left only repeats itself.
    result.state = {after, where(turn == kept, ofBest(order), boxes),
                    kept + anyOf(alive, 2).as(integer)};
    goesOn = anyOf(after, {0, 1, 2}, /*keepdims=*/false) == 1;
    return result;
  };
  SmallVector<Value> initial{alive, none, kept};
  LoopBody loop(n.b, n.loc, *n.extents, initial, {}, 0, step);
  Expr begins = anyOf(alive, {0, 1, 2}, /*keepdims=*/false) == 1;
  SmallVector<Value> state = loop.finishWhile(
      scalarOf(n.b, n.loc, begins), goesOn, cast<Value>(steps), most,
      /*joined=*/{}, "steps of " + nameOf(n.proto));

  Value places = nonZeroPlaces(n, turn < Expr(n, state[2]));
  int64_t found = n.shape(places)[0];
  Expr rows(n, places);
  SmallVector<Value> coordinates;
  for (int64_t i : {0, 1, 2})
    coordinates.push_back(
        n.reshape(n.sliced(places, {0, i}, {1, 1}, {found, 1}), found));
  Expr box = at({n, state[1]}, coordinates, {-1, -1, -1}, found);
  n.result(concat({Expr(n, n.sliced(places, {0, 0}, {1, 1}, {found, 2})),
                   box.reshape({found, 1})},
                  1));
}

} // namespace mho::import
