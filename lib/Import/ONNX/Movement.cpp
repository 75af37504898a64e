//===- Movement.cpp - operators that only move elements -------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Movement.h"

#include "Agreement.h"

#include "mho/Dialect/Graph/IR/Shapes.h"

#include <tuple>

using namespace mlir;

namespace mho::import {

namespace {

void identity(Node &n) { n.result(n.input(0)); }

void reshape(Node &n) {
  Value x = n.input(0);
  auto target = n.integersOrInput("shape", 1);
  if (!target)
    n.fail("the target shape is missing");
  bool keepZero = n.integer("allowzero", 0);
  int64_t known = 1, open = -1;
  for (auto [axis, extent] : llvm::enumerate(*target)) {
    if (extent == 0 && !keepZero) {
      if (axis >= n.shape(x).size())
        n.fail("extent 0 of axis " + Twine(axis) +
               " copies an axis that the input lacks");
      extent = n.shape(x)[axis];
    }
    if (extent == -1) {
      if (open >= 0)
        n.fail("the target shape has -1 twice");
      open = axis;
    } else if (isSymbol(extent) || isSymbol(known)) {
      known = n.extents->product(known, extent);
    } else if (extent < 0 || (extent && known > (int64_t(1) << 40) / extent)) {
      n.fail("the target shape has the extent " + Twine(extent));
    } else {
      known *= extent;
    }
  }
  if (open >= 0 && (isSymbol(known) || hasSymbol(n.shape(x)))) {
    int64_t count = n.extents->elements(n.shape(x));
    auto rest = n.extents->quotient(count, known);
    if (!rest)
      n.refuse("the extent that -1 stands for cannot be told: " +
               n.extents->text(count) + " elements in rows of " +
               n.extents->text(known) +
               ", known only at run time; fix the extents with --shape");
    (*target)[open] = *rest;
  } else if (open >= 0) {
    int64_t count = n.type(x).getNumElements();
    if (known == 0 || count % known)
      n.fail("cannot reshape " + Twine(count) + " elements into rows of " +
             Twine(known));
    (*target)[open] = count / known;
  }
  n.result(n.reshape(x, *target));
}

void flatten(Node &n) {
  Value x = n.input(0);
  int64_t rank = n.type(x).getRank(), axis = n.integer("axis", 1);
  axis = axis == rank ? rank : n.axis(axis, rank);
  int64_t rows = 1, columns = 1;
  for (auto [i, extent] : llvm::enumerate(n.shape(x)))
    if (int64_t(i) < axis)
      rows = n.extents->product(rows, extent);
    else
      columns = n.extents->product(columns, extent);
  n.result(n.reshape(x, {rows, columns}));
}

void squeeze(Node &n) {
  Value x = n.input(0);
  auto given = n.integersOrInput("axes", 1);
  Shape axes, shape;
  if (given)
    axes = n.axes(*given, n.type(x).getRank());
  for (auto [axis, extent] : llvm::enumerate(n.shape(x))) {
    bool drop = given ? llvm::is_contained(axes, int64_t(axis)) : extent == 1;
    if (drop && extent != 1)
      n.fail("axis " + Twine(axis) + " has extent " + Twine(extent) +
             " and cannot be squeezed");
    if (!drop)
      shape.push_back(extent);
  }
  n.result(n.reshape(x, shape));
}

void unsqueeze(Node &n) {
  Value x = n.input(0);
  auto given = n.integersOrInput("axes", 1);
  if (!given)
    n.fail("the axes are missing");
  int64_t rank = n.type(x).getRank() + given->size();
  Shape axes = n.axes(*given, rank), shape;
  ArrayRef<int64_t> rest = n.shape(x);
  for (int64_t axis = 0; axis < rank; ++axis) {
    if (llvm::is_contained(axes, axis)) {
      shape.push_back(1);
      continue;
    }
    shape.push_back(rest.front());
    rest = rest.drop_front();
  }
  n.result(n.reshape(x, shape));
}

void transpose(Node &n) {
  Value x = n.input(0);
  int64_t rank = n.type(x).getRank();
  Shape reversed;
  for (int64_t axis = rank; axis-- > 0;)
    reversed.push_back(axis);
  Shape perm = n.integers("perm").value_or(reversed);
  if (int64_t(perm.size()) != rank ||
      int64_t(n.axes(perm, rank).size()) != rank)
    n.fail("perm must name each of the " + Twine(rank) + " axes once");
  for (int64_t &axis : perm)
    axis = n.axis(axis, rank);
  n.result(n.transpose(x, perm));
}

void concat(Node &n) {
  SmallVector<Value> parts;
  for (size_t i = 0; i < std::max<size_t>(n.inputs.size(), 1); ++i)
    parts.push_back(n.input(i));
  int64_t rank = n.type(parts[0]).getRank();
  n.result(concatenate(n, parts, n.axis(n.integer("axis", 1), rank)));
}

/// Start and extent of a slice with extents known only at run time. A bound is
/// a place from the end where it is negative, and no place outside is reached.
std::pair<int64_t, int64_t> boundedSlice(Node &n, int64_t extent, int64_t start,
                                         int64_t end, int64_t step) {
  Extents &e = *n.extents;
  // Exporters write the largest numbers for no bound.
  constexpr int64_t kFar = int64_t(1) << 40;
  auto bound = [&](int64_t index, int64_t low, int64_t high) {
    if (!isSymbol(index))
      index = std::clamp(index, -kFar, kFar);
    int64_t fromEnd = e.min(e.max(e.product(index, -1), 0), 1);
    index = e.sum(index, e.product(extent, fromEnd));
    return e.min(e.max(index, low), high);
  };
  int64_t last = e.difference(extent, 1), size = std::abs(step);
  int64_t from = step > 0 ? bound(start, 0, extent) : bound(start, 0, last);
  int64_t to = step > 0 ? bound(end, 0, extent) : bound(end, -1, last);
  int64_t reach = step > 0 ? e.difference(to, from) : e.difference(from, to);
  int64_t count = e.floorQuotient(e.sum(e.max(reach, 0), size - 1), size);
  return {from, count};
}

void slice(Node &n) {
  Value x = n.input(0);
  int64_t rank = n.type(x).getRank();
  auto starts = n.integersOrInput("starts", 1);
  auto ends = n.integersOrInput("ends", 2);
  auto axes = n.integersOrInput("axes", 3);
  std::optional<Shape> steps;
  if (n.optional(4))
    steps = n.steering(4, "steps");
  if (!starts || !ends || starts->size() != ends->size() ||
      (axes && axes->size() != starts->size()) ||
      (steps && steps->size() != starts->size()))
    n.fail("starts, ends, axes and steps differ in length");
  if (!axes && int64_t(starts->size()) > rank)
    n.fail("more bounds than axes");
  Shape begin(rank, 0), step(rank, 1), shape(n.shape(x));
  for (size_t i = 0; i < starts->size(); ++i) {
    int64_t axis = axes ? n.axis((*axes)[i], rank) : int64_t(i);
    int64_t extent = n.shape(x)[axis], by = steps ? (*steps)[i] : 1;
    if (by == 0)
      n.fail("a step is zero");
    // Negation and small sums below must not overflow.
    by = std::clamp<int64_t>(by, -(int64_t(1) << 40), int64_t(1) << 40);
    step[axis] = by;
    if (extent == 0)
      continue;
    if (isSymbol(extent) || isSymbol((*starts)[i]) || isSymbol((*ends)[i])) {
      std::tie(begin[axis], shape[axis]) =
          boundedSlice(n, extent, (*starts)[i], (*ends)[i], by);
      continue;
    }
    auto bound = [&](int64_t index, int64_t low, int64_t high) {
      return std::clamp(index < 0 ? index + extent : index, low, high);
    };
    int64_t from = by > 0 ? bound((*starts)[i], 0, extent)
                          : bound((*starts)[i], 0, extent - 1);
    int64_t to = by > 0 ? bound((*ends)[i], 0, extent)
                        : bound((*ends)[i], -1, extent - 1);
    int64_t count =
        by > 0 ? (to - from + by - 1) / by : (from - to - by - 1) / -by;
    shape[axis] = std::max<int64_t>(count, 0);
    begin[axis] = shape[axis] ? from : 0;
    // A step that leads nowhere may be any number.
    if (shape[axis] < 2)
      step[axis] = 1;
  }
  n.result(n.sliced(x, begin, step, shape));
}

void split(Node &n) {
  Value x = n.input(0);
  int64_t rank = n.type(x).getRank();
  int64_t axis = n.axis(n.integer("axis", 0), rank);
  int64_t extent = n.shape(x)[axis], parts = n.outputs();
  auto sizes = n.integersOrInput("split", 1);
  bool bounded = isSymbol(extent) || (sizes && hasSymbol(*sizes));
  if (!sizes && bounded) {
    auto each = n.extents->quotient(extent, parts);
    if (!each)
      n.refuse("whether the extent " + n.extents->text(extent) +
               ", known only at run time, makes " + Twine(parts) +
               " equal parts depends on the run; fix it with --shape");
    sizes = Shape(parts, *each);
  }
  if (!sizes) {
    int64_t asked = n.integer("num_outputs", parts);
    if (asked != parts)
      n.fail("num_outputs is " + Twine(asked) + ", but the node has " +
             Twine(parts) + " outputs");
    int64_t each = (extent + parts - 1) / parts;
    if (n.opset < 18 && extent % parts)
      n.fail("an axis of " + Twine(extent) + " cannot be split into " +
             Twine(parts) + " equal parts");
    sizes = Shape();
    for (int64_t i = 0, left = extent; i < parts; ++i, left -= each)
      sizes->push_back(std::clamp<int64_t>(left, 0, each));
  }
  int64_t sum = 0;
  for (int64_t size : *sizes) {
    if (!bounded && (size < 0 || size > extent))
      n.fail("a part has the extent " + Twine(size));
    sum = n.extents->sum(sum, size);
  }
  if (bounded && sum != extent)
    n.refuse("whether the parts add up to the extent " +
             n.extents->text(extent) +
             " is known only at run time; fix it with --shape");
  if (int64_t(sizes->size()) != parts || sum != extent)
    n.fail("the parts do not add up to the axis of " + Twine(extent));
  Shape starts(rank, 0), steps(rank, 1), shape(n.shape(x));
  for (int64_t size : *sizes) {
    shape[axis] = size;
    Shape from(starts);
    from[axis] = size ? starts[axis] : 0;
    n.result(n.sliced(x, from, steps, shape));
    starts[axis] = n.extents->sum(starts[axis], size);
  }
}

/// Borders show what is left where pads below zero have cut; the cut pads
/// become zero.
Value cutForBorders(Node &n, Value x, Shape &low, Shape &high,
                    ArrayRef<int64_t> padded, const std::string &mode) {
  int64_t rank = n.type(x).getRank();
  Shape starts(rank, 0), rest(n.shape(x));
  for (int64_t axis = 0; axis < rank; ++axis) {
    for (int64_t *pad : {&low[axis], &high[axis]}) {
      if (isSymbol(*pad) || *pad >= 0)
        continue;
      if (pad == &low[axis])
        starts[axis] = -*pad;
      rest[axis] = n.extents->sum(rest[axis], *pad);
      *pad = 0;
    }
    if (n.extents->range(rest[axis]).low < 0)
      n.fail("pads cut more than axis " + Twine(axis) + " has");
    if (rest[axis] == 0 && padded[axis] != 0)
      n.fail("an empty axis cannot be padded with mode " + mode);
  }
  if (llvm::equal(rest, n.shape(x)))
    return x;
  return n.sliced(x, starts, Shape(rank, 1), rest);
}

void pad(Node &n) {
  Value x = n.input(0);
  int64_t rank = n.type(x).getRank();
  auto pads =
      n.opset < 2 ? n.integers("paddings") : n.integersOrInput("pads", 1);
  if (!pads)
    n.fail("the pads are missing");
  Shape axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  if (n.optional(3)) {
    axes = n.steering(3, "axes");
    n.axes(axes, rank);
  }
  if (pads->size() != 2 * axes.size())
    n.fail("expected " + Twine(2 * axes.size()) + " pads, found " +
           Twine(pads->size()));
  std::string mode = n.string("mode", "constant");
  if (mode != "constant" && mode != "reflect" && mode != "edge" &&
      mode != "wrap")
    n.fail("mode is constant, reflect, edge or wrap, found '" + mode + "'");
  Value value = n.optional(2);
  if (n.opset < 11 && n.real("value", 0) != 0)
    value = n.scalar(n.element(x), n.real("value", 0));
  if (value) {
    n.checkSameElement(x, value);
    if (n.type(value).getNumElements() != 1)
      n.fail("the constant must be one element");
    value = n.reshape(value, {});
  }
  Shape low(rank, 0), high(rank, 0), shape(n.shape(x));
  for (size_t i = 0; i < axes.size(); ++i) {
    int64_t axis = n.axis(axes[i], rank), extent = n.shape(x)[axis];
    low[axis] = (*pads)[i];
    high[axis] = (*pads)[axes.size() + i];
    for (int64_t pad : {low[axis], high[axis]}) {
      Extents::Range range = n.extents->range(pad);
      if (isSymbol(pad) && range.low < 0)
        n.refuse("a pad of " + n.extents->text(pad) + " along axis " +
                 Twine(axis) + " may be negative in a run (from " +
                 Twine(range.low) + " to " + Twine(range.high) + "); " +
                 n.extents->howToFix(pad) +
                 ", or give it a lower limit by Max with 0");
      if (range.low < -(int64_t(1) << 40) || range.high > int64_t(1) << 40)
        n.fail("a pad of " + n.extents->text(pad) + " is out of range");
    }
    shape[axis] = n.extents->sum(extent, n.extents->sum(low[axis], high[axis]));
    if (n.extents->range(shape[axis]).low < 0)
      n.fail("pads cut more than axis " + Twine(axis) + " has");
  }
  if (mode != "constant")
    x = cutForBorders(n, x, low, high, shape, mode);
  auto amounts = [&](ArrayRef<int64_t> pads) {
    return llvm::map_to_vector(
        pads, [&](int64_t pad) { return n.extents->value(n.b, n.loc, pad); });
  };
  n.result(n.make<graph::PadOp>(n.typeOf(shape, n.element(x)), x,
                                mode == "constant" ? value : Value(),
                                amounts(low), amounts(high), StringRef(mode)));
}

void expand(Node &n) {
  Value x = n.input(0);
  Shape asked = n.steering(1, "the shape");
  auto shape = graph::broadcastShapes(n.shape(x), asked);
  if (!shape)
    n.fail("the input does not broadcast to the shape asked for");
  n.result(n.expand(x, *shape));
}

/// Each axis is preceded by one that is broadcast, then both are joined.
void tile(Node &n) {
  Value x = n.input(0);
  Shape repeats = n.steering(1, "the repeats");
  if (n.opset < 6) {
    // Once: how often, and along which axis.
    Shape axis = n.steering(2, "the axis");
    if (repeats.size() != 1 || axis.size() != 1)
      n.fail("expected one number of tiles and one axis");
    Shape all(n.type(x).getRank(), 1);
    all[n.axis(axis[0], all.size())] = repeats[0];
    repeats = all;
  }
  if (int64_t(repeats.size()) != n.type(x).getRank())
    n.fail("expected one repeat an axis");
  Shape apart, wide, joined;
  for (auto [extent, repeat] : llvm::zip(n.shape(x), repeats)) {
    if (!isSymbol(repeat) && (repeat < 0 || repeat > (int64_t(1) << 32)))
      n.fail("a repeat is out of range");
    apart.append({1, extent});
    wide.append({repeat, extent});
    joined.push_back(n.extents->product(extent, repeat));
  }
  n.typeOf(joined, n.element(x));
  n.result(n.reshape(n.expand(n.reshape(x, apart), wide), joined));
}

void gather(Node &n) {
  Value x = n.input(0), indices = n.input(1);
  int64_t axis = n.axis(n.integer("axis", 0), n.type(x).getRank());
  if (!n.element(indices).isSignlessInteger(64) &&
      !n.element(indices).isSignlessInteger(32))
    n.fail("indices must be int32 or int64");
  if (auto known = n.constantIntegers(indices))
    for (int64_t index : *known)
      if (!isSymbol(index) && !isSymbol(n.shape(x)[axis]) &&
          (index < -n.shape(x)[axis] || index >= n.shape(x)[axis]))
        n.fail("index " + Twine(index) + " is out of range for an axis of " +
               Twine(n.shape(x)[axis]));
  Shape shape(n.shape(x).take_front(axis));
  llvm::append_range(shape, n.shape(indices));
  llvm::append_range(shape, n.shape(x).drop_front(axis + 1));
  n.result(n.make<graph::GatherOp>(n.typeOf(shape, n.element(x)), x, indices,
                                   n.b.getI64IntegerAttr(axis)));
}

int64_t blockSize(Node &n) {
  int64_t size = n.integer("blocksize", 0);
  if (n.type(n.input(0)).getRank() != 4 || size < 1 || size > INT32_MAX)
    n.fail("expected an image of rank 4 and a positive blocksize");
  return size;
}

void depthToSpace(Node &n) {
  Value x = n.input(0);
  int64_t s = blockSize(n);
  ArrayRef<int64_t> d = n.shape(x);
  n.expectFixed(x, {1, 2, 3});
  if (d[1] % (s * s))
    n.fail("blocksize squared does not divide the channels");
  int64_t channels = d[1] / (s * s);
  bool columnRow = n.string("mode", "DCR") == "CRD";
  Value y = columnRow ? n.reshape(x, {d[0], channels, s, s, d[2], d[3]})
                      : n.reshape(x, {d[0], s, s, channels, d[2], d[3]});
  y = columnRow ? n.transpose(y, {0, 1, 4, 2, 5, 3})
                : n.transpose(y, {0, 3, 4, 1, 5, 2});
  n.result(n.reshape(y, {d[0], channels, d[2] * s, d[3] * s}));
}

void spaceToDepth(Node &n) {
  Value x = n.input(0);
  int64_t s = blockSize(n);
  ArrayRef<int64_t> d = n.shape(x);
  n.expectFixed(x, {1, 2, 3});
  if (d[2] % s || d[3] % s)
    n.fail("blocksize does not divide the image");
  Value y = n.reshape(x, {d[0], d[1], d[2] / s, s, d[3] / s, s});
  std::string mode = n.string("mode", "DCR");
  if (mode != "DCR" && mode != "CRD")
    n.fail("attribute 'mode' is DCR or CRD, found '" + mode + "'");
  y = mode == "CRD" ? n.transpose(y, {0, 1, 3, 5, 2, 4})
                    : n.transpose(y, {0, 3, 5, 1, 2, 4});
  n.result(n.reshape(y, {d[0], d[1] * s * s, d[2] / s, d[3] / s}));
}

} // namespace

Value concatenate(Node &n, ArrayRef<Value> parts, int64_t axis) {
  Value first = parts.front();
  int64_t rank = n.type(first).getRank();
  Shape shape(n.shape(first));
  // A number rather than a symbol, where one of them has it.
  for (Value part : parts)
    for (int64_t other = 0; other < rank && rank == n.type(part).getRank();
         ++other)
      if (isSymbol(shape[other]) && !isSymbol(n.shape(part)[other]))
        shape[other] = n.shape(part)[other];
  shape[axis] = 0;
  SmallVector<Value> all;
  for (Value part : parts) {
    n.checkSameElement(first, part);
    if (n.type(part).getRank() != rank)
      n.fail("inputs differ in rank");
    for (int64_t other = 0; other < rank; ++other) {
      if (other == axis)
        continue;
      part = agreed(n, part, other, shape[other]);
      if (n.shape(part)[other] != shape[other])
        n.fail("inputs differ on axis " + Twine(other) + ": " +
               n.extents->text(shape[other]) + " and " +
               n.extents->text(n.shape(part)[other]));
    }
    shape[axis] = n.extents->sum(shape[axis], n.shape(part)[axis]);
    all.push_back(part);
  }
  return n.make<graph::ConcatOp>(n.typeOf(shape, n.element(first)), all,
                                 n.b.getI64IntegerAttr(axis));
}

void addMovement(HandlerTable &table) {
  table[".Identity"] = identity;
  table[".Reshape"] = reshape;
  table[".Flatten"] = flatten;
  table[".Squeeze"] = squeeze;
  table[".Unsqueeze"] = unsqueeze;
  table[".Transpose"] = transpose;
  table[".Concat"] = concat;
  table[".Slice"] = slice;
  table[".Split"] = split;
  table[".Pad"] = pad;
  table[".Expand"] = expand;
  table[".Tile"] = tile;
  table[".Gather"] = gather;
  table[".DepthToSpace"] = depthToSpace;
  table[".SpaceToDepth"] = spaceToDepth;
}

} // namespace mho::import
