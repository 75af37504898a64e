//===- ControlFlow.cpp - loops and branches as instructions ---------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Tensors that a loop carries have become one buffer each, so only scalars are
// handed on, in slots.
//
//===----------------------------------------------------------------------===//

#include "Instructions.h"

#include "mho/Program/Loops.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mho;

/// The most trips of a loop that does not show it itself.
constexpr llvm::StringLiteral kBoundAttr = "mho.bound";

static std::optional<int64_t> boundOf(Operation *loop) {
  auto bound = loop->getAttrOfType<IntegerAttr>(kBoundAttr);
  return bound ? std::optional(bound.getInt()) : std::nullopt;
}

/// The most trips that a condition allows: where it asks that a counter which
/// begins at a constant and grows by one in every trip is below a limit.
static std::optional<int64_t> boundOf(scf::WhileOp op, const Scalars &scalars) {
  std::optional<int64_t> bound = boundOf(op.getOperation());
  SmallVector<Value> parts{op.getConditionOp().getCondition()};
  while (!parts.empty()) {
    Operation *part = parts.pop_back_val().getDefiningOp();
    if (part && llvm::isa<arith::AndIOp>(part))
      llvm::append_range(parts, part->getOperands());
    auto compare = dyn_cast_or_null<arith::CmpIOp>(part);
    if (!compare)
      continue;
    Value counter = compare.getLhs(), limit = compare.getRhs();
    switch (compare.getPredicate()) {
    case arith::CmpIPredicate::slt:
      break;
    case arith::CmpIPredicate::sgt:
      std::swap(counter, limit);
      break;
    default:
      continue;
    }
    auto argument = dyn_cast<BlockArgument>(counter);
    if (!argument || argument.getOwner() != op.getBeforeBody())
      continue;
    unsigned number = argument.getArgNumber();
    auto next =
        op.getYieldOp().getOperand(number).getDefiningOp<arith::AddIOp>();
    APInt first;
    if (!next || !matchPattern(next.getRhs(), m_One()) ||
        !matchPattern(op.getInits()[number], m_ConstantInt(&first)))
      continue;
    // What is counted up is what the condition saw.
    auto counted = dyn_cast<BlockArgument>(next.getLhs());
    if (!counted || counted.getOwner() != op.getAfterBody() ||
        op.getConditionOp().getArgs()[counted.getArgNumber()] != argument)
      continue;
    int64_t most = scalars.rangeOf(limit).high;
    if (most > isa::kManyTrips || first.getSExtValue() < -isa::kManyTrips)
      continue;
    most = std::max<int64_t>(most - first.getSExtValue(), 0);
    bound = std::min(bound.value_or(most), most);
  }
  return bound;
}

static LinearForm formOfSlot(uint32_t slot) {
  return LinearForm{0, {{slot, 1}}};
}

namespace {
/// The scalars among values that stand side by side, with a slot each.
struct Carried {
  SmallVector<uint32_t> slots;
  SmallVector<unsigned> numbers;

  Carried(ValueRange values, Scalars &scalars) {
    for (auto [i, value] : llvm::enumerate(values))
      if (isScalar(value.getType())) {
        numbers.push_back(i);
        slots.push_back(scalars.slotOf(value));
      }
  }

  void define(ValueRange values, Scalars &scalars) const {
    for (auto [number, slot] : llvm::zip_equal(numbers, slots))
      scalars.define(values[number], formOfSlot(slot));
  }

  LogicalResult assign(ValueRange values, Scalars &scalars,
                       Location loc) const {
    SmallVector<Value> chosen;
    for (unsigned number : numbers)
      chosen.push_back(values[number]);
    return scalars.assign(slots, chosen, loc);
  }
};
} // namespace

LogicalResult mho::convertFor(scf::ForOp op, OpBuilder &b,
                              const UnitContext &context,
                              ConvertBlock convertBlock) {
  Scalars &scalars = context.scalars;
  Location loc = op.getLoc();
  FailureOr<isa::Extent> trips = scalars.trips(
      op.getLowerBound(), op.getUpperBound(), op.getStep(), boundOf(op), loc);
  APInt step;
  if (failed(trips))
    return failure();
  if (!matchPattern(op.getStep(), m_ConstantInt(&step)))
    return op.emitOpError("has a step that is not constant");
  Carried carried(op.getRegionIterArgs(), scalars);
  if (failed(carried.assign(op.getInitArgs(), scalars, loc)))
    return failure();
  auto first = scalars.formOf(op.getLowerBound());
  if (!first) {
    FailureOr<uint32_t> slot = scalars.inSlot(op.getLowerBound(), loc);
    if (failed(slot))
      return failure();
    first = formOfSlot(*slot);
  }
  uint32_t index = scalars.newSlot({0, std::max<int64_t>(trips->max - 1, 0)});
  LinearForm place = *first;
  place.add(formOfSlot(index), step.getSExtValue());
  scalars.define(op.getInductionVar(), place);
  carried.define(op.getRegionIterArgs(), scalars);

  auto loop = tile::LoopOp::create(
      b, loc, tile::ExtentAttr::get(b.getContext(), *trips),
      b.getI32IntegerAttr(index), IntegerAttr());
  {
    OpBuilder::InsertionGuard guard(b);
    b.createBlock(&loop.getBody());
    if (failed(convertBlock(*op.getBody())) ||
        failed(carried.assign(op.getYieldedValues(), scalars, loc)))
      return failure();
  }
  carried.define(op.getResults(), scalars);
  return success();
}

LogicalResult mho::convertIf(scf::IfOp op, OpBuilder &b,
                             const UnitContext &context,
                             ConvertBlock convertBlock) {
  Scalars &scalars = context.scalars;
  FailureOr<uint32_t> condition =
      scalars.inSlot(op.getCondition(), op.getLoc());
  if (failed(condition))
    return failure();
  Carried results(op.getResults(), scalars);
  auto branch =
      tile::BranchOp::create(b, op.getLoc(), b.getI32IntegerAttr(*condition));
  auto convertSide = [&](Region &from, Region &to) -> LogicalResult {
    OpBuilder::InsertionGuard guard(b);
    b.createBlock(&to);
    if (from.empty())
      return success();
    Block &block = from.front();
    if (failed(convertBlock(block)))
      return failure();
    return results.assign(block.getTerminator()->getOperands(), scalars,
                          op.getLoc());
  };
  if (failed(convertSide(op.getThenRegion(), branch.getThen())) ||
      failed(convertSide(op.getElseRegion(), branch.getOtherwise())))
    return failure();
  results.define(op.getResults(), scalars);
  return success();
}

namespace {
/// The condition is computed in front of the loop and again at the end of
/// every trip.
class WhileConverter {
public:
  WhileConverter(scf::WhileOp op, OpBuilder &b, Scalars &scalars,
                 ConvertBlock convertBlock)
      : op(op), b(b), scalars(scalars), convertBlock(convertBlock),
        state(op.getBeforeArguments(), scalars),
        condition(scalars.slotOf(op.getConditionOp().getCondition())) {}

  LogicalResult run() {
    Location loc = op.getLoc();
    if (failed(state.assign(op.getInits(), scalars, loc)))
      return failure();
    state.define(op.getBeforeArguments(), scalars);
    if (failed(decide()))
      return failure();
    int64_t most = boundOf(op, scalars).value_or(isa::kManyTrips);
    uint32_t index = scalars.newSlot({0, std::max<int64_t>(most - 1, 0)});
    auto loop = tile::LoopOp::create(
        b, loc, tile::ExtentAttr::get(b.getContext(), isa::Extent{most}),
        b.getI32IntegerAttr(index), b.getI32IntegerAttr(condition));
    {
      OpBuilder::InsertionGuard guard(b);
      b.createBlock(&loop.getBody());
      if (failed(convertBlock(*op.getAfterBody())) ||
          failed(state.assign(op.getYieldOp().getResults(), scalars, loc)) ||
          failed(decide()))
        return failure();
    }
    for (auto [result, argument] :
         llvm::zip_equal(op.getResults(), op.getAfterArguments()))
      if (auto form = scalars.formOf(argument))
        scalars.define(result, *form);
    return success();
  }

private:
  LogicalResult decide() {
    scalars.forget(op.getBefore());
    if (failed(convertBlock(*op.getBeforeBody())))
      return failure();
    scf::ConditionOp end = op.getConditionOp();
    SmallVector<uint32_t> slots{condition};
    SmallVector<Value> values{end.getCondition()};
    for (auto [value, argument] :
         llvm::zip_equal(end.getArgs(), op.getAfterArguments())) {
      if (!isScalar(value.getType()))
        continue;
      // What is only handed through stays where it is.
      auto own = dyn_cast<BlockArgument>(value);
      if (own && own.getOwner() == op.getBeforeBody()) {
        scalars.define(argument, *scalars.formOf(value));
        continue;
      }
      slots.push_back(scalars.slotOf(argument));
      values.push_back(value);
      scalars.define(argument, formOfSlot(slots.back()));
    }
    return scalars.assign(slots, values, op.getLoc());
  }

  scf::WhileOp op;
  OpBuilder &b;
  Scalars &scalars;
  ConvertBlock convertBlock;
  Carried state;
  uint32_t condition;
};
} // namespace

LogicalResult mho::convertWhile(scf::WhileOp op, OpBuilder &b,
                                const UnitContext &context,
                                ConvertBlock convertBlock) {
  return WhileConverter(op, b, context.scalars, convertBlock).run();
}
