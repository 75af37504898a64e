//===- Iteration.cpp - steps that carry values to the next ----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Iteration.h"

#include "BoundedValues.h"
#include "Errors.h"

#include "mho/Dialect/Graph/IR/Bounds.h"
#include "mho/Dialect/Graph/IR/GraphOps.h"

#include "Sequences.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace mho::import {

static RankedTensorType withoutAxis(RankedTensorType type, int64_t axis) {
  SmallVector<int64_t> shape(symbolicShape(type));
  shape.erase(shape.begin() + axis);
  return boundedType(shape, type.getElementType());
}

static RankedTensorType withAxis(RankedTensorType type, int64_t axis,
                                 int64_t extent) {
  SmallVector<int64_t> shape(symbolicShape(type));
  shape.insert(shape.begin() + axis, extent);
  return boundedType(shape, type.getElementType());
}

/// Offsets, sizes and strides of one position of an axis.
struct OnePosition {
  SmallVector<OpFoldResult> offsets, sizes, strides;
  OnePosition(OpBuilder &b, Location loc, const Extents &extents,
              RankedTensorType whole, int64_t axis, OpFoldResult position) {
    for (int64_t extent : symbolicShape(whole)) {
      offsets.push_back(b.getIndexAttr(0));
      sizes.push_back(extents.value(b, loc, extent));
      strides.push_back(b.getIndexAttr(1));
    }
    offsets[axis] = position;
    sizes[axis] = b.getIndexAttr(1);
  }
};

Value sliceAt(OpBuilder &b, Location loc, const Extents &extents, Value tensor,
              int64_t axis, OpFoldResult position) {
  auto type = cast<RankedTensorType>(tensor.getType());
  RankedTensorType result = withoutAxis(type, axis);
  auto known = getConstantIntValue(position);
  if (known && type.hasStaticShape()) {
    SmallVector<int64_t> starts(type.getRank(), 0), steps(type.getRank(), 1);
    starts[axis] = *known;
    Value slice = b.createOrFold<graph::SliceOp>(
        loc, withAxis(result, axis, 1), tensor, b.getDenseI64ArrayAttr(starts),
        b.getDenseI64ArrayAttr(steps));
    return b.createOrFold<graph::ReshapeOp>(loc, result, slice);
  }
  OnePosition at(b, loc, extents, type, axis, position);
  return tensor::ExtractSliceOp::create(b, loc, result, tensor, at.offsets,
                                        at.sizes, at.strides);
}

/// Position of step `number` of `steps`.
static OpFoldResult positionOf(OpBuilder &b, Location loc, Extents &extents,
                               OpFoldResult number, int64_t steps,
                               bool backwards) {
  if (!backwards)
    return number;
  if (auto known = getConstantIntValue(number))
    return b.getIndexAttr(steps - 1 - *known);
  if (!isSymbol(steps)) {
    Value last = arith::ConstantIndexOp::create(b, loc, steps - 1);
    return arith::SubIOp::create(b, loc, last, cast<Value>(number)).getResult();
  }
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value last = arith::SubIOp::create(
      b, loc, cast<Value>(extents.value(b, loc, steps)), one);
  return arith::SubIOp::create(b, loc, last, cast<Value>(number)).getResult();
}

/// What a step sees of `sliced` when all run `steps` steps.
static SmallVector<Value> slicesOf(OpBuilder &b, Location loc, Extents &extents,
                                   ArrayRef<Sliced> sliced, OpFoldResult number,
                                   int64_t steps) {
  SmallVector<Value> slices;
  for (const Sliced &from : sliced)
    slices.push_back(
        sliceAt(b, loc, extents, from.tensor, from.axis,
                positionOf(b, loc, extents, number, steps, from.backwards)));
  return slices;
}

/// No element of any kind.
static Value emptyConstant(OpBuilder &b, Location loc, RankedTensorType type) {
  return arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(type, ArrayRef<Attribute>()));
}

/// The axis that slices of `type` are joined along.
static int64_t axisOf(const Joined &how, RankedTensorType type) {
  return how.axis < 0 ? how.axis + type.getRank() + 1 : how.axis;
}

/// The slices of each step joined; `type` is that of one slice.
static Value join(OpBuilder &b, Location loc, ArrayRef<Value> slices,
                  RankedTensorType type, const Joined &how) {
  int64_t axis = axisOf(how, type);
  RankedTensorType whole = withAxis(type, axis, slices.size());
  if (slices.empty())
    return emptyConstant(b, loc, whole);
  SmallVector<Value> parts;
  for (Value slice : slices)
    parts.push_back(
        b.createOrFold<graph::ReshapeOp>(loc, withAxis(type, axis, 1), slice));
  if (how.backwards)
    std::reverse(parts.begin(), parts.end());
  return b.createOrFold<graph::ConcatOp>(loc, whole, parts,
                                         b.getI64IntegerAttr(axis));
}

bool isSupported(Region &region, ArrayRef<Value> values) {
  for (Value value : values) {
    if (!isa<RankedTensorType>(value.getType()))
      return false;
  }
  return !region
              .walk(
                  [](graph::UnsupportedOp) { return WalkResult::interrupt(); })
              .wasInterrupted();
}

void splice(OpBuilder &b, Region &region) {
  b.getInsertionBlock()->getOperations().splice(b.getInsertionPoint(),
                                                region.front().getOperations());
}

StepSequence::StepSequence(OpBuilder &b, Location loc, Extents &extents,
                           ArrayRef<Value> initial, ArrayRef<Joined> joined)
    : b(b), loc(loc), extents(extents), joined(joined), parts(joined.size()) {
  region.push_back(new Block());
  results.state.assign(initial.begin(), initial.end());
}

void StepSequence::add(ArrayRef<Sliced> sliced, int64_t steps, StepFn step) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(&region.front());
  OpFoldResult number = b.getIndexAttr(count++);
  results = step({number, results.state,
                  slicesOf(b, loc, extents, sliced, number, steps)});
  for (auto [part, slice] : llvm::zip_equal(parts, results.slices))
    part.push_back(slice);
}

bool StepSequence::supported() {
  // Written out, steps may hand on sequences too.
  SmallVector<Value> all(llvm::make_filter_range(results.state, isTensor));
  all.append(results.slices);
  return isSupported(region, all);
}

SmallVector<Value> StepSequence::finish() {
  splice(b, region);
  SmallVector<Value> all(results.state);
  for (auto [part, how] : llvm::zip_equal(parts, joined))
    all.push_back(join(b, loc, part,
                       cast<RankedTensorType>(part.front().getType()), how));
  return all;
}

LoopBody::LoopBody(OpBuilder &b, Location loc, Extents &extents,
                   ArrayRef<Value> initial, ArrayRef<Sliced> sliced,
                   int64_t steps, StepFn step)
    : LoopBody(b, loc, extents, initial, sliced, steps, step, 0, {}) {}

LoopBody::LoopBody(OpBuilder &b, Location loc, Extents &extents,
                   ArrayRef<Value> initial, ArrayRef<Sliced> sliced,
                   int64_t steps, StepFn step, int64_t most, Growth growth)
    : b(b), loc(loc), extents(extents), initial(initial),
      growth(std::move(growth)) {
  OpBuilder::InsertionGuard guard(b);
  block = b.createBlock(&region);
  Step first;
  Value counted = block->addArgument(b.getIndexType(), loc);
  if (most > 0) {
    // The loop does not show how far it counts.
    counted =
        graph::BoundOp::create(b, loc, b.getIndexType(), counted, 0, most - 1);
    number = extents.add(counted, 0, most - 1, "the step");
  }
  first.number = counted;
  for (size_t i = 0; i < initial.size(); ++i) {
    Value room = block->addArgument(stateRoom(i), initial[i].getLoc());
    first.state.push_back(
        outOfRoom(b, loc, extents, room, stateType(i, number)));
  }
  first.slices = slicesOf(b, loc, extents, sliced, first.number, steps);
  try {
    results = step(first);
  } catch (...) {
    // No destructor does.
    extents.forget(region);
    throw;
  }
}

RankedTensorType LoopBody::stateType(size_t i, int64_t count) {
  auto type = cast<RankedTensorType>(initial[i].getType());
  if (growth.empty())
    return type;
  SmallVector<int64_t> shape(symbolicShape(type));
  for (auto [extent, more] : llvm::zip_equal(shape, growth[i]))
    extent = extents.sum(extent, extents.product(more, count));
  return boundedType(shape, type.getElementType());
}

RankedTensorType LoopBody::stateRoom(size_t i) {
  RankedTensorType first =
      roomType(extents, cast<RankedTensorType>(initial[i].getType()));
  if (growth.empty())
    return first;
  RankedTensorType last =
      roomType(extents, stateType(i, extents.sum(number, 1)));
  SmallVector<int64_t> shape;
  for (auto [a, c] : llvm::zip_equal(first.getShape(), last.getShape()))
    shape.push_back(std::max(a, c));
  return RankedTensorType::get(shape, first.getElementType());
}

Value LoopBody::initialRoom(size_t i) {
  if (growth.empty() ||
      llvm::all_of(growth[i], [](int64_t more) { return more == 0; }))
    return intoRoom(b, loc, extents, initial[i]);
  RankedTensorType whole = stateRoom(i);
  Value room =
      tensor::EmptyOp::create(b, loc, whole.getShape(), whole.getElementType());
  return intoRoom(b, loc, extents, initial[i], room);
}

std::optional<Growth> LoopBody::growthSeen() {
  Growth all;
  for (auto [before, after] : llvm::zip_equal(initial, results.state)) {
    auto from = cast<RankedTensorType>(before.getType());
    auto to = dyn_cast<RankedTensorType>(after.getType());
    if (!to || to.getRank() != from.getRank() ||
        to.getElementType() != from.getElementType())
      return std::nullopt;
    all.emplace_back();
    for (auto [a, c] :
         llvm::zip_equal(symbolicShape(from), symbolicShape(to))) {
      int64_t more = extents.difference(c, a);
      if (decides(more))
        return std::nullopt;
      all.back().push_back(more);
    }
  }
  return all;
}

bool LoopBody::supported() {
  SmallVector<Value> all(results.state);
  all.append(results.slices);
  return isSupported(region, all);
}

std::optional<size_t> LoopBody::changedState() {
  for (size_t i = 0; i < initial.size(); ++i)
    if (results.state[i].getType() !=
        stateType(i, growth.empty() ? 0 : extents.sum(number, 1)))
      return i;
  return std::nullopt;
}

Value LoopBody::carried(size_t i) {
  return intoRoom(b, loc, extents, results.state[i], block->getArgument(1 + i));
}

SmallVector<Value> LoopBody::cutStates(ValueRange rooms, int64_t count) {
  SmallVector<Value> states;
  for (auto [i, room] : llvm::enumerate(rooms))
    states.push_back(outOfRoom(b, loc, extents, room, stateType(i, count)));
  return states;
}

SmallVector<Value> LoopBody::finish(int64_t steps, ArrayRef<Joined> joined) {
  if (steps == 0) {
    SmallVector<Value> all(initial);
    for (auto [slice, how] : llvm::zip_equal(results.slices, joined))
      all.push_back(
          join(b, loc, {}, cast<RankedTensorType>(slice.getType()), how));
    return all;
  }
  // What is collected has room for the most steps; the rest is cut off behind.
  int64_t most = isSymbol(steps) ? extents.range(steps).high : steps;
  auto [before, after] = collect(steps, most, joined);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(block);
    scf::YieldOp::create(b, loc, after);
  }
  addRooms(before);
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value end =
      getValueOrCreateConstantIndexOp(b, loc, extents.value(b, loc, steps));
  auto loop = scf::ForOp::create(b, loc, zero, end, one, before);
  loop.getRegion().takeBody(region);
  if (isSymbol(steps))
    loop->setAttr(graph::kBoundAttr, b.getI64IntegerAttr(most));
  SmallVector<Value> all =
      cutStates(loop.getResults().take_front(initial.size()), steps);
  cutSlices(all, loop.getResults().drop_front(initial.size()), steps, joined);
  return all;
}

LoopBody::Collected LoopBody::collect(int64_t steps, int64_t most,
                                      ArrayRef<Joined> joined) {
  Collected values;
  for (size_t i = 0; i < initial.size(); ++i)
    values.before.push_back(initialRoom(i));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToEnd(block);
  for (size_t i = 0; i < initial.size(); ++i)
    values.after.push_back(carried(i));
  for (auto [slice, how] : llvm::zip_equal(results.slices, joined)) {
    auto type = cast<RankedTensorType>(slice.getType());
    int64_t axis = axisOf(how, type);
    RankedTensorType whole = withAxis(type, axis, most);
    Value room = block->addArgument(roomType(extents, whole), loc);
    OnePosition at(b, loc, extents, whole, axis,
                   positionOf(b, loc, extents, block->getArgument(0), steps,
                              how.backwards));
    values.after.push_back(tensor::InsertSliceOp::create(
        b, loc, slice, room, at.offsets, at.sizes, at.strides));
  }
  return values;
}

void LoopBody::addRooms(SmallVectorImpl<Value> &before) {
  for (BlockArgument room :
       block->getArguments().drop_front(1 + initial.size())) {
    auto type = cast<RankedTensorType>(room.getType());
    before.push_back(tensor::EmptyOp::create(b, loc, type.getShape(),
                                             type.getElementType()));
  }
}

void LoopBody::cutSlices(SmallVectorImpl<Value> &all, ValueRange rooms,
                         int64_t steps, ArrayRef<Joined> joined) {
  for (auto [room, slice, how] :
       llvm::zip_equal(rooms, results.slices, joined)) {
    auto type = cast<RankedTensorType>(slice.getType());
    all.push_back(outOfRoom(b, loc, extents, room,
                            withAxis(type, axisOf(how, type), steps)));
  }
}

static void setBound(OpBuilder &b, Operation *loop,
                     std::optional<int64_t> bound) {
  if (bound)
    loop->setAttr(graph::kBoundAttr, b.getI64IntegerAttr(*bound));
}

SmallVector<Value> LoopBody::finish(Value steps, std::optional<int64_t> bound) {
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(block);
    SmallVector<Value> after;
    for (size_t i = 0; i < initial.size(); ++i)
      after.push_back(carried(i));
    scf::YieldOp::create(b, loc, after);
  }
  SmallVector<Value> before;
  for (Value value : initial)
    before.push_back(intoRoom(b, loc, extents, value));
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  auto loop = scf::ForOp::create(b, loc, zero, steps, one, before);
  loop.getRegion().takeBody(region);
  setBound(b, loop, bound);
  return cutStates(loop.getResults(), 0);
}

SmallVector<Value> LoopBody::finishWhile(Value first, Value condition,
                                         Value steps,
                                         std::optional<int64_t> bound,
                                         ArrayRef<Joined> joined,
                                         StringRef name) {
  // Tensors stand first and scalars last, in both regions alike.
  int64_t most = bound.value_or(0);
  auto [before, after] = collect(most, most, joined);
  addRooms(before);
  size_t tensors = before.size();
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  before.append({zero, first});
  auto types = llvm::to_vector(ValueRange(before).getTypes());
  auto loop = scf::WhileOp::create(b, loc, types, before);
  setBound(b, loop, bound);
  {
    OpBuilder::InsertionGuard guard(b);
    SmallVector<Location> locations(types.size(), loc);
    Block *test = b.createBlock(&loop.getBefore(), {}, types, locations);
    Value goes = test->getArguments().back();
    if (steps) {
      Value more = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                                         test->getArgument(tensors), steps);
      goes = arith::AndIOp::create(b, loc, more, goes);
    }
    scf::ConditionOp::create(b, loc, goes, test->getArguments());

    loop.getAfter().takeBody(region);
    BlockArgument number = block->getArgument(0);
    Value counted = block->addArgument(b.getIndexType(), loc);
    block->addArgument(b.getI1Type(), loc);
    number.replaceAllUsesWith(counted);
    block->eraseArgument(0);
    b.setInsertionPointToEnd(block);
    Value one = arith::ConstantIndexOp::create(b, loc, 1);
    after.push_back(arith::AddIOp::create(b, loc, counted, one));
    after.push_back(scalarOf(b, loc, condition));
    scf::YieldOp::create(b, loc, after);
  }
  ValueRange rooms = loop.getResults().take_front(initial.size());
  if (joined.empty() && growth.empty())
    return cutStates(rooms, 0);
  // The loop does not show how far it counts.
  Value made = graph::BoundOp::create(b, loc, b.getIndexType(),
                                      loop.getResult(tensors), 0, most);
  int64_t count = extents.add(made, 0, most, name.str());
  SmallVector<Value> all = cutStates(rooms, count);
  cutSlices(all,
            loop.getResults().slice(initial.size(), tensors - initial.size()),
            count, joined);
  return all;
}

void LoopBody::leaveForListing() {
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  block->getArgument(0).replaceAllUsesWith(zero);
  for (auto [argument, value] :
       llvm::zip(block->getArguments().drop_front(), initial))
    argument.replaceAllUsesWith(intoRoom(b, loc, extents, value));
  splice(b, region);
}

SmallVector<Value> iterate(OpBuilder &b, Location loc, Extents &extents,
                           int64_t steps, ArrayRef<Value> initial,
                           ArrayRef<Sliced> sliced, ArrayRef<Joined> joined,
                           StepFn step) {
  auto check = [](bool supported) {
    if (!supported)
      throw Unsupported("its body holds a node that is not supported");
  };
  if (steps <= 0 || steps > kStraightSteps) {
    LoopBody body(b, loc, extents, initial, sliced, steps, step);
    check(body.supported());
    return body.finish(steps, joined);
  }
  StepSequence sequence(b, loc, extents, initial, joined);
  while (sequence.size() < steps) {
    sequence.add(sliced, steps, step);
    check(sequence.supported());
  }
  return sequence.finish();
}

Value scalarOf(OpBuilder &b, Location loc, Value tensor) {
  int64_t rank = cast<RankedTensorType>(tensor.getType()).getRank();
  SmallVector<Value> indices;
  for (int64_t i = 0; i < rank; ++i)
    indices.push_back(arith::ConstantIndexOp::create(b, loc, 0));
  return b.createOrFold<tensor::ExtractOp>(loc, tensor, indices);
}

} // namespace mho::import
