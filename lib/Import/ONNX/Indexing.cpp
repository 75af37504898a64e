//===- Indexing.cpp - gathering, scattering, ordering, masks --------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compositions.h"

using namespace mlir;

namespace mho::import {

namespace {

Shape allAxes(int64_t rank) {
  return llvm::to_vector(llvm::seq<int64_t>(0, rank));
}

/// Input `i`, an int32 or int64 tensor, as int64.
Value indicesOf(Node &n, size_t i) {
  Value indices = n.input(i);
  Type element = n.element(indices);
  if (!element.isSignlessInteger(64) && !element.isSignlessInteger(32))
    n.fail("indices must be int32 or int64");
  return n.cast(indices, n.b.getIntegerType(64));
}

/// Constant indices are checked here, others when they are used.
void checkRange(Node &n, Value indices, int64_t extent) {
  auto known = n.constantIntegers(indices);
  if (!known)
    return;
  for (int64_t index : *known)
    if (!isSymbol(index) && !isSymbol(extent) &&
        (index < -extent || index >= extent))
      n.fail("index " + Twine(index) + " is out of range for an axis of " +
             Twine(extent));
}

Value gatheredAt(Node &n, Value x, ArrayRef<Value> indices,
                 ArrayRef<int64_t> dims, ArrayRef<int64_t> shape) {
  return n.make<graph::GatherNDOp>(n.typeOf(shape, n.element(x)), x,
                                   ValueRange(indices),
                                   n.b.getDenseI64ArrayAttr(dims));
}

Value scatteredAt(Node &n, Value x, Value updates, ArrayRef<Value> indices,
                  ArrayRef<int64_t> dims, StringRef kind) {
  n.checkSameElement(x, updates);
  if (kind != "none" && n.element(x).isInteger(1))
    n.refuse("bool elements cannot be combined by '" + kind + "'");
  return n.make<graph::ScatterNDOp>(
      x.getType(), x, updates, ValueRange(indices),
      n.b.getDenseI64ArrayAttr(dims), n.b.getStringAttr(kind));
}

std::string reductionOf(Node &n) {
  std::string kind = n.string("reduction", "none");
  if (!llvm::is_contained({"none", "add", "mul", "min", "max"}, kind))
    n.fail("attribute 'reduction' is none, add, mul, min or max, found '" +
           kind + "'");
  return kind;
}

/// Indices that name places of one axis of x, and elsewhere their own.
/// Whether `extent` is more than `room`; refuses where that depends on the run.
bool reachesFurther(Node &n, int64_t extent, int64_t room) {
  auto more = n.extents->less(room, extent);
  if (!more)
    n.refuse("whether " + n.extents->text(extent) + " is more than the " +
             n.extents->text(room) +
             " there are depends on the run; give the extents limits by "
             "--shape that tell");
  return *more;
}

int64_t elementsAxis(Node &n, Value x, Value indices) {
  int64_t rank = n.type(x).getRank();
  if (n.type(indices).getRank() != rank)
    n.fail("indices need the input's rank " + Twine(rank) + ", found rank " +
           Twine(n.type(indices).getRank()));
  int64_t axis = n.axis(n.integer("axis", 0), rank);
  for (int64_t i = 0; i < rank; ++i)
    if (i != axis && reachesFurther(n, n.shape(indices)[i], n.shape(x)[i]))
      n.fail("indices reach further than the input on axis " + Twine(i));
  checkRange(n, indices, n.shape(x)[axis]);
  return axis;
}

void gatherElements(Node &n) {
  Value x = n.input(0), indices = indicesOf(n, 1);
  int64_t axis = elementsAxis(n, x, indices);
  Shape dims = allAxes(n.type(x).getRank());
  dims[axis] = -1;
  n.result(gatheredAt(n, x, {indices}, dims, n.shape(indices)));
}

/// Coordinate `i` of index tuples that lie along the last axis, given
/// `trailing` axes of extent 1.
Value coordinate(Node &n, Value tuples, int64_t i, int64_t trailing) {
  Shape shape(n.shape(tuples).drop_back());
  shape.append(trailing, 1);
  Value one = sliced(n, tuples, n.type(tuples).getRank() - 1, i, i + 1);
  return n.reshape(one, shape);
}

void gatherND(Node &n) {
  Value x = n.input(0), tuples = indicesOf(n, 1);
  int64_t rank = n.type(x).getRank(), tupleRank = n.type(tuples).getRank();
  int64_t batch = n.integer("batch_dims", 0);
  if (rank < 1 || tupleRank < 1)
    n.fail("expected data and indices of rank 1 or more");
  int64_t count = n.shape(tuples).back();
  if (batch < 0 || batch >= tupleRank || count < 1 || batch + count > rank ||
      n.shape(x).take_front(batch) != n.shape(tuples).take_front(batch))
    n.fail("indices of " + Twine(count) + " coordinates behind " +
           Twine(batch) + " batch axes do not fit data of rank " + Twine(rank));
  int64_t trailing = rank - batch - count;
  Shape dims, shape(n.shape(tuples).drop_back());
  SmallVector<Value> indices;
  for (int64_t axis = 0; axis < rank; ++axis) {
    if (axis < batch) {
      dims.push_back(axis);
    } else if (axis < batch + count) {
      dims.push_back(-1);
      indices.push_back(coordinate(n, tuples, axis - batch, trailing));
      checkRange(n, indices.back(), n.shape(x)[axis]);
    } else {
      dims.push_back(tupleRank - 1 + axis - batch - count);
      shape.push_back(n.shape(x)[axis]);
    }
  }
  n.result(gatheredAt(n, x, indices, dims, shape));
}

void scatterElements(Node &n) {
  Value x = n.input(0), indices = indicesOf(n, 1), updates = n.input(2);
  int64_t axis = elementsAxis(n, x, indices);
  if (n.shape(updates) != n.shape(indices))
    n.fail("updates and indices differ in shape");
  Shape dims = allAxes(n.type(x).getRank());
  dims[axis] = -1;
  n.result(scatteredAt(n, x, updates, {indices}, dims, reductionOf(n)));
}

void scatterND(Node &n) {
  Value x = n.input(0), tuples = indicesOf(n, 1), updates = n.input(2);
  int64_t rank = n.type(x).getRank();
  if (n.type(tuples).getRank() < 1)
    n.fail("expected indices of rank 1 or more");
  int64_t count = n.shape(tuples).back();
  if (count < 1 || count > rank)
    n.fail("indices of " + Twine(count) +
           " coordinates do not fit data of rank " + Twine(rank));
  Shape expected(n.shape(tuples).drop_back());
  llvm::append_range(expected, n.shape(x).drop_front(count));
  if (n.shape(updates) != ArrayRef<int64_t>(expected))
    n.fail("updates must have one slice of the data for each index");
  // All slices in one row.
  int64_t slices = n.extents->elements(n.shape(tuples).drop_back());
  tuples = n.reshape(tuples, {slices, count});
  Shape flat{slices}, dims;
  llvm::append_range(flat, n.shape(x).drop_front(count));
  updates = n.reshape(updates, flat);
  SmallVector<Value> indices;
  for (int64_t axis = 0; axis < rank; ++axis) {
    dims.push_back(axis < count ? -1 : 1 + axis - count);
    if (axis < count) {
      indices.push_back(coordinate(n, tuples, axis, rank - count));
      checkRange(n, indices.back(), n.shape(x)[axis]);
    }
  }
  n.result(scatteredAt(n, x, updates, indices, dims, reductionOf(n)));
}

/// Writes a piece of a sequence into a cache, each batch at its own place.
void tensorScatter(Node &n) {
  Value cache = n.input(0), update = n.input(1);
  int64_t rank = n.type(cache).getRank();
  int64_t axis = n.axis(n.integer("axis", -2), rank);
  std::string mode = n.string("mode", "linear");
  if (mode != "linear" && mode != "circular")
    n.fail("attribute 'mode' is linear or circular, found '" + mode + "'");
  if (axis == 0 || n.type(update).getRank() != rank)
    n.fail("expected an update of rank " + Twine(rank) +
           " and an axis behind the batch");
  for (int64_t i = 0; i < rank; ++i)
    if (i == axis ? reachesFurther(n, n.shape(update)[i], n.shape(cache)[i])
                  : n.shape(update)[i] != n.shape(cache)[i])
      n.fail("the update does not fit the cache on axis " + Twine(i));
  int64_t capacity = n.shape(cache)[axis];
  Value index =
      counted(n, n.shape(update)[axis], axis, rank, n.b.getIntegerType(64));
  if (n.optional(2)) {
    Value begins = indicesOf(n, 2);
    Shape shape(rank, 1);
    shape[0] = n.shape(cache)[0];
    index = n.binary<graph::AddOp>(n.reshape(begins, shape), index);
  }
  if (mode == "circular") {
    Value size = n.scalar(n.b.getIntegerType(64), double(capacity));
    Value turns = n.binary<graph::DivOp>(index, size);
    index = n.binary<graph::SubOp>(index, n.binary<graph::MulOp>(turns, size));
  }
  Shape dims = allAxes(rank);
  dims[axis] = -1;
  n.result(scatteredAt(n, cache, update, {index}, dims, "none"));
}

void topK(Node &n) {
  Value x = n.input(0);
  int64_t rank = n.type(x).getRank(), count = 0;
  int64_t axis = n.axis(n.integer("axis", -1), rank);
  if (n.opset < 10) {
    count = n.integer("k", -1);
  } else {
    Shape given = n.steering(1, "the number of elements");
    if (given.size() != 1)
      n.fail("expected one number of elements, found " + Twine(given.size()));
    count = given[0];
  }
  if ((count < 0 && !isSymbol(count)) ||
      reachesFurther(n, count, n.shape(x)[axis]))
    n.fail("cannot take " + Twine(count) + " elements of an axis of " +
           Twine(n.shape(x)[axis]));
  // The order runs along the last axis.
  Shape perm = allAxes(rank);
  std::swap(perm[axis], perm[rank - 1]);
  x = n.transpose(x, perm);
  Shape shape(n.shape(x));
  if (!isSymbol(count))
    shape.back() = count;
  auto op = graph::TopKOp::create(n.b, n.loc, n.typeOf(shape, n.element(x)),
                                  n.typeOf(shape, n.b.getIntegerType(64)), x,
                                  n.integer("largest", 1) ? n.b.getUnitAttr()
                                                          : UnitAttr());
  // Of all in order, the run's part.
  for (Value all : {op.getValues(), op.getIndices()}) {
    Shape part(n.shape(all)), zeros(rank, 0), ones(rank, 1);
    part.back() = count;
    n.result(n.transpose(n.sliced(all, zeros, ones, part), perm));
  }
}

/// Turns the first elements of each sequence around.
void reverseSequence(Node &n) {
  Value x = n.input(0), lengths = indicesOf(n, 1);
  int64_t rank = n.type(x).getRank();
  int64_t batch = n.axis(n.integer("batch_axis", 1), rank);
  int64_t time = n.axis(n.integer("time_axis", 0), rank);
  if (batch == time || n.shape(lengths) != n.shape(x).slice(batch, 1))
    n.fail("expected a length for each of the " + Twine(n.shape(x)[batch]) +
           " sequences along another axis");
  Shape shape(rank, 1);
  shape[batch] = n.shape(x)[batch];
  lengths = n.reshape(lengths, shape);
  Value step = counted(n, n.shape(x)[time], time, rank, n.b.getIntegerType(64));
  Value inside = n.binary<graph::LessOp>(step, lengths, n.b.getI1Type());
  Value one = n.scalar(n.b.getIntegerType(64), 1);
  Value turned =
      n.binary<graph::SubOp>(n.binary<graph::SubOp>(lengths, one), step);
  Value index = n.make<graph::WhereOp>(turned.getType(), inside, turned, step);
  Shape dims = allAxes(rank);
  dims[time] = -1;
  n.result(gatheredAt(n, x, {index}, dims, n.shape(x)));
}

void oneHot(Node &n) {
  Value indices = n.cast(n.input(0), n.b.getIntegerType(64));
  SmallVector<double> given = n.steeringNumbers(1, "the depth");
  Value values = n.input(2);
  if (given.size() != 1 || !(given[0] >= 0) || given[0] > INT32_MAX)
    n.fail("the depth must be one number that is not negative");
  if (n.shape(values) != ArrayRef<int64_t>(2))
    n.fail("expected two values, off and on");
  int64_t depth = int64_t(given[0]), rank = n.type(indices).getRank() + 1;
  int64_t axis = n.axis(n.integer("axis", -1), rank);
  Shape shape(n.shape(indices));
  shape.insert(shape.begin() + axis, 1);
  indices = n.reshape(indices, shape);
  Value zero = n.scalar(n.b.getIntegerType(64), 0);
  Value negative = n.binary<graph::LessOp>(indices, zero, n.b.getI1Type());
  Value fromEnd = n.binary<graph::AddOp>(
      indices, n.scalar(n.b.getIntegerType(64), double(depth)));
  indices =
      n.make<graph::WhereOp>(indices.getType(), negative, fromEnd, indices);
  Value hot = n.binary<graph::EqualOp>(
      indices, counted(n, depth, axis, rank, n.b.getIntegerType(64)),
      n.b.getI1Type());
  Value off = n.reshape(sliced(n, values, 0, 0, 1), {});
  Value on = n.reshape(sliced(n, values, 0, 1, 2), {});
  n.result(n.make<graph::WhereOp>(n.typeOf(n.shape(hot), n.element(values)),
                                  hot, on, off));
}

/// Column minus row of a matrix's elements.
Value diagonalOf(Node &n, int64_t rows, int64_t columns) {
  return n.binary<graph::SubOp>(
      counted(n, columns, 1, 2, n.b.getIntegerType(64)),
      counted(n, rows, 0, 2, n.b.getIntegerType(64)));
}

void eyeLike(Node &n) {
  Value x = n.input(0);
  if (n.type(x).getRank() != 2)
    n.fail("expected a matrix, found rank " + Twine(n.type(x).getRank()));
  Type element = n.element(x);
  if (n.has("dtype")) {
    element = elementType(n.b.getContext(), int(n.integer("dtype", 0)));
    if (!element)
      n.refuse("attribute 'dtype' is " + Twine(n.integer("dtype", 0)) +
               ", which names no supported type");
  }
  Value diagonal = diagonalOf(n, n.shape(x)[0], n.shape(x)[1]);
  Value k = n.extentsAsTensor({n.integer("k", 0)}, /*scalar=*/true);
  n.result(
      n.cast(n.binary<graph::EqualOp>(diagonal, k, n.b.getI1Type()), element));
}

void trilu(Node &n) {
  Value x = n.input(0);
  int64_t rank = n.type(x).getRank();
  if (rank < 2)
    n.fail("expected matrices, found rank " + Twine(rank));
  Value k = n.optional(1) ? n.reshape(indicesOf(n, 1), {})
                          : n.scalar(n.b.getIntegerType(64), 0);
  ArrayRef<int64_t> matrix = n.shape(x).take_back(2);
  Value diagonal = diagonalOf(n, matrix[0], matrix[1]);
  Type test = n.b.getI1Type();
  Value kept = n.integer("upper", 1)
                   ? n.binary<graph::GreaterOrEqualOp>(diagonal, k, test)
                   : n.binary<graph::LessOrEqualOp>(diagonal, k, test);
  n.result(
      n.make<graph::WhereOp>(x.getType(), kept, x, n.scalar(n.element(x), 0)));
}

/// Cuts or pads axes about their middles; an odd rest goes to the end.
void centerCropPad(Node &n) {
  Value x = n.input(0);
  int64_t rank = n.type(x).getRank();
  Shape target = n.steering(1, "the shape"), axes = allAxes(rank);
  if (auto named = n.integers("axes")) {
    n.axes(*named, rank);
    axes.clear();
    for (int64_t axis : *named)
      axes.push_back(n.axis(axis, rank));
  }
  if (target.size() != axes.size())
    n.fail("expected " + Twine(axes.size()) + " extents, found " +
           Twine(target.size()));
  Shape low(rank, 0), high(rank, 0), shape(n.shape(x));
  for (auto [axis, extent] : llvm::zip_equal(axes, target)) {
    int64_t have = shape[axis];
    if (extent < 0)
      n.fail("an extent is negative");
    if (extent < have) {
      x = sliced(n, x, axis, (have - extent) / 2, (have - extent) / 2 + extent);
    } else {
      low[axis] = (extent - have) / 2;
      high[axis] = extent - have - low[axis];
    }
    shape[axis] = extent;
  }
  n.result(n.make<graph::PadOp>(
      n.typeOf(shape, n.element(x)), x, Value(), n.b.getDenseI64ArrayAttr(low),
      n.b.getDenseI64ArrayAttr(high), n.b.getStringAttr("constant")));
}

} // namespace

void addIndexing(HandlerTable &table) {
  table[".GatherElements"] = gatherElements;
  table[".GatherND"] = gatherND;
  table[".Scatter"] = scatterElements;
  table[".ScatterElements"] = scatterElements;
  table[".ScatterND"] = scatterND;
  table[".TensorScatter"] = tensorScatter;
  table[".TopK"] = topK;
  table[".ReverseSequence"] = reverseSequence;
  table[".OneHot"] = oneHot;
  table[".EyeLike"] = eyeLike;
  table[".Trilu"] = trilu;
  table[".CenterCropPad"] = centerCropPad;
}

} // namespace mho::import
