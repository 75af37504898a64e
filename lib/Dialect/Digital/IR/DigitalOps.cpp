//===- DigitalOps.cpp - the digital dialect -------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Digital/IR/DigitalOps.h"

using namespace mlir;
using namespace mho::digital;

#include "mho/Dialect/Digital/IR/DigitalDialect.cpp.inc"

#define GET_OP_CLASSES
#include "mho/Dialect/Digital/IR/DigitalOps.cpp.inc"

void DigitalDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "mho/Dialect/Digital/IR/DigitalOps.cpp.inc"
      >();
}

using Effects = SmallVectorImpl<MemoryEffects::EffectInstance>;

/// On buffers every operand is read but destinations that are `overwritten`;
/// destinations are written. On tensors there is no effect.
static void addEffects(DestinationStyleOpInterface op, bool overwritten,
                       Effects &effects) {
  if (op.hasPureTensorSemantics())
    return;
  for (OpOperand &operand : op->getOpOperands()) {
    if (!op.isDpsInit(&operand) || !overwritten)
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
    if (op.isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
  }
}

static LogicalResult verifyResults(DestinationStyleOpInterface op) {
  size_t expected = op.hasPureTensorSemantics() ? op.getNumDpsInits() : 0;
  size_t found =
      llvm::count_if(op->getResultTypes(), llvm::IsaPred<TensorType>);
  if (found != expected)
    return op->emitOpError("has one result for each destination on tensors and "
                           "none on buffers");
  return success();
}

static ArrayRef<int64_t> shapeOf(Value v) {
  return cast<ShapedType>(v.getType()).getShape();
}

static Type elementOf(Value v) {
  return cast<ShapedType>(v.getType()).getElementType();
}

LogicalResult SortOp::verify() {
  ArrayRef<int64_t> x = shapeOf(getX()), values = shapeOf(getValues());
  if (x.empty() || values.size() != x.size() ||
      values.drop_back() != x.drop_back() ||
      (!ShapedType::isDynamic(x.back()) && values.back() > x.back()) ||
      shapeOf(getIndices()) != values)
    return emitOpError("expected values and indices of the input's shape, the "
                       "last axis at most as long; found ")
           << getX().getType() << ", " << getValues().getType() << " and "
           << getIndices().getType();
  if (elementOf(getValues()) != elementOf(getX()) ||
      !elementOf(getIndices()).isInteger(64))
    return emitOpError("expected values of the input's elements and i64 "
                       "indices");
  return verifyResults(*this);
}

void SortOp::getEffects(Effects &effects) {
  addEffects(*this, /*overwritten=*/true, effects);
}

LogicalResult ScatterOp::verify() {
  ArrayRef<int64_t> updates = shapeOf(getUpdates()), to = shapeOf(getTo());
  if (elementOf(getUpdates()) != elementOf(getTo()))
    return emitOpError("updates and destination differ in their elements");
  if (getDims().size() != to.size() ||
      llvm::count(getDims(), -1) != int64_t(getIndices().size()))
    return emitOpError("dims needs an entry for each axis of ")
           << getTo().getType() << ", -1 for each of the "
           << getIndices().size() << " indices";
  for (auto [dim, extent] : llvm::zip_equal(getDims(), to))
    if (dim != -1 &&
        (dim < 0 || dim >= int64_t(updates.size()) ||
         (!ShapedType::isDynamic(extent) && updates[dim] > extent)))
      return emitOpError("dim ") << dim << " of " << getUpdates().getType()
                                 << " does not fit an axis of " << extent;
  for (Value index : getIndices()) {
    ArrayRef<int64_t> shape = shapeOf(index);
    bool fits =
        shape.size() == updates.size() && elementOf(index).isInteger(64);
    for (size_t i = 0; fits && i < shape.size(); ++i)
      fits = shape[i] == 1 || shape[i] == updates[i];
    if (!fits)
      return emitOpError("index of type ")
             << index.getType() << " does not run along "
             << getUpdates().getType();
  }
  if (!llvm::is_contained({"none", "add", "mul", "min", "max"}, getKind()))
    return emitOpError("kind must be none, add, mul, min or max, found '")
           << getKind() << "'";
  return verifyResults(*this);
}

void ScatterOp::getEffects(Effects &effects) {
  addEffects(*this, /*overwritten=*/false, effects);
}

LogicalResult CompactOp::verify() {
  ArrayRef<int64_t> x = shapeOf(getX()), places = shapeOf(getPlaces());
  int64_t room = 1;
  for (int64_t extent : x)
    room *= ShapedType::isDynamic(extent) ? 0 : extent;
  if (places.size() != 2 || ShapedType::isDynamicShape(places) ||
      places[1] != int64_t(x.size()) || places[0] < room ||
      !elementOf(getPlaces()).isInteger(64))
    return emitOpError("expected room for ")
           << x.size() << " coordinates (i64) of each element of "
           << getX().getType() << ", found " << getPlaces().getType();
  return verifyResults(*this);
}

void CompactOp::getEffects(Effects &effects) {
  addEffects(*this, /*overwritten=*/true, effects);
}

void CompactOp::inferResultRanges(ArrayRef<ConstantIntRanges>,
                                  SetIntRangeFn setRange) {
  APInt none(64, 0), all(64, shapeOf(getPlaces())[0]);
  setRange(getCount(), ConstantIntRanges::fromSigned(none, all));
}
