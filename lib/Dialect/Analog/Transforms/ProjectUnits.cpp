//===- ProjectUnits.cpp - one function per unit ---------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A projection of the placed function onto its units: one walk appends every
// op to its own unit's function. Cloning the function per unit and deleting
// would be quadratic.
//
// Loops and branches are made on every unit that has something inside; what
// they carry or yield stays on the unit that computes it, and conditions are
// sent. A value is sent where it is defined and received in the block of the
// same nesting, so both sides run as often.
//
// Extents of run time are scalars like others: what they are computed from is
// sent once, and every unit computes them itself. A scalar that arrives is
// given the bounds that it is known to have where it comes from.
//
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Analog/IR/Placement.h"
#include "mho/Dialect/Analog/Transforms/Passes.h"
#include "mho/Dialect/Graph/IR/RunTimeExtents.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/RegionUtils.h"

#include <set>

using namespace mlir;
using namespace mho;

namespace mho {
#define GEN_PASS_DEF_PROJECTUNITS
#include "mho/Dialect/Analog/Transforms/Passes.h.inc"
} // namespace mho

namespace {

using Units = std::set<int32_t>;

/// The unit of a placed op; nullopt for what is repeated where it is needed.
std::optional<int32_t> unitOf(Operation *op) {
  if (auto unit = op->getAttrOfType<IntegerAttr>(analog::kOpUnitAttr))
    return unit.getInt();
  return std::nullopt;
}

/// Builds the functions of all units side by side.
class Projector {
public:
  Projector(ModuleOp module, func::FuncOp main)
      : module(module), main(main), extents(main) {}

  LogicalResult run() {
    Block &body = main.getBody().front();
    if (failed(extents.analyse()))
      return failure();
    createFunction(0, main.getFunctionType());
    for (unsigned i = 0; i < main.getNumArguments(); ++i)
      define(main.getArgument(i), 0, functions[0].function.getArgument(i));
    if (ArrayAttr attributes = main.getAllArgAttrs())
      functions[0].function.setAllArgAttrs(attributes);
    if (ArrayAttr attributes = main.getAllResultAttrs())
      functions[0].function.setAllResultAttrs(attributes);

    if (failed(project(body)))
      return failure();
    Operation *end = body.getTerminator();
    SmallVector<Value> results = valuesOn(end->getOperands(), 0, end->getLoc());
    for (auto &[unit, state] : functions) {
      OpBuilder builder = OpBuilder::atBlockEnd(&state.function.front());
      func::ReturnOp::create(builder, end->getLoc(),
                             unit == 0 ? ValueRange(results) : ValueRange());
    }
    std::string prefix = "unit_";
    std::string suffix = ("_" + main.getName()).str();
    main.erase();
    for (auto &[unit, state] : functions) {
      state.function.setName(prefix + std::to_string(unit) + suffix);
      module.push_back(state.function);
    }
    module->setAttr(analog::kChannelsAttr,
                    DenseI32ArrayAttr::get(module.getContext(), channels));
    return success();
  }

private:
  /// A block of the source and what it has become on a unit. `next` is the
  /// loop or branch being built in it, in front of which values arrive.
  struct Frame {
    Block *source;
    Block *block;
    Operation *next = nullptr;
  };

  struct UnitFunction {
    func::FuncOp function;
    IRMapping mapping;
    SmallVector<Frame> frames;
  };

  UnitFunction &createFunction(int32_t unit, FunctionType type) {
    UnitFunction &state = functions[unit];
    state.function = func::FuncOp::create(main.getLoc(), "unit", type);
    state.function->setAttr(
        analog::kUnitAttr,
        IntegerAttr::get(IntegerType::get(module.getContext(), 32), unit));
    state.frames.push_back(
        {&main.getBody().front(), state.function.addEntryBlock()});
    return state;
  }

  UnitFunction &functionOf(int32_t unit) {
    auto found = functions.find(unit);
    if (found != functions.end())
      return found->second;
    return createFunction(unit, FunctionType::get(module.getContext(), {}, {}));
  }

  /// Where ops of source block `source` go on a unit.
  OpBuilder builderIn(UnitFunction &state, Block *source) {
    for (Frame &frame : llvm::reverse(state.frames))
      if (frame.source == source)
        return frame.next ? OpBuilder(frame.next)
                          : OpBuilder::atBlockEnd(frame.block);
    llvm_unreachable("a value is used outside of its block");
  }

  void define(Value source, int32_t unit, Value here) {
    functionOf(unit).mapping.map(source, here);
    homes[source] = unit;
  }

  //===--- values ---===//

  /// Clones `op` on `unit`, in the block that stands for its own.
  Operation *append(Operation *op, int32_t unit) {
    SetVector<Value> used(op->operand_begin(), op->operand_end());
    getUsedValuesDefinedAbove(op->getRegions(), used);
    for (Value value : used)
      valueOn(value, unit, op->getLoc());
    UnitFunction &state = functionOf(unit);
    OpBuilder builder = builderIn(state, op->getBlock());
    Operation *copy = builder.clone(*op, state.mapping);
    copy->removeAttr(analog::kOpUnitAttr);
    return copy;
  }

  SmallVector<Value> valuesOn(ValueRange values, int32_t unit, Location user) {
    return llvm::map_to_vector(
        values, [&](Value value) { return valueOn(value, unit, user); });
  }

  /// `value` as a value of `unit`'s function, sent there if need be.
  Value valueOn(Value value, int32_t unit, Location user) {
    if (Value here = functionOf(unit).mapping.lookupOrNull(value))
      return here;
    auto home = homes.find(value);
    if (home == homes.end()) {
      append(value.getDefiningOp(), unit);
      return functionOf(unit).mapping.lookup(value);
    }
    Location loc = isa<BlockArgument>(value) ? user : value.getLoc();
    SmallVector<Value> sizes = sizesOn(value, home->second, unit, loc);
    // Sent right behind its definition, received in front of its first use:
    // both keep the source's order.
    int64_t channel = channels.size() / 2;
    channels.push_back(home->second);
    channels.push_back(unit);
    Value source = functions[home->second].mapping.lookup(value);
    UnitFunction &state = functionOf(unit);
    OpBuilder builder = builderIn(state, value.getParentBlock());
    send(source, channel, loc);
    Value received = receive(builder, loc, value, sizes, channel);
    state.mapping.map(value, received);
    return received;
  }

  /// The extents of a tensor of `home` that are known only at run time, on
  /// `unit`, which has to know how much arrives.
  SmallVector<Value> sizesOn(Value tensor, int32_t home, int32_t unit,
                             Location user) {
    SmallVector<Value> sizes = extents.of(tensor);
    for (Value &size : sizes) {
      // What only the tensor itself tells is told where it is.
      auto dim = size.getDefiningOp<tensor::DimOp>();
      if (dim && dim.getSource() == tensor &&
          homes.try_emplace(size, home).second)
        append(dim, home);
      size = valueOn(size, unit, user);
    }
    return sizes;
  }

  void send(Value source, int64_t channel, Location loc) {
    OpBuilder builder(module.getContext());
    builder.setInsertionPointAfterValue(source);
    if (Operation *last = lastSend.lookup(source))
      builder.setInsertionPointAfter(last);
    Value message = source;
    Type type = message.getType();
    if (!isa<ShapedType>(type)) {
      // A scalar travels as a tensor without dimensions; an index as 64 bits.
      if (type.isIndex())
        message = arith::IndexCastOp::create(builder, loc, builder.getI64Type(),
                                             message);
      message = tensor::FromElementsOp::create(
          builder, loc, RankedTensorType::get({}, message.getType()), message);
    }
    lastSend[source] = analog::SendOp::create(builder, loc, channel, message);
  }

  /// What stands for `value` on a unit that receives it.
  Value receive(OpBuilder &builder, Location loc, Value value, ValueRange sizes,
                int64_t channel) {
    Type type = value.getType();
    auto tensorType = dyn_cast<RankedTensorType>(type);
    if (!tensorType)
      tensorType = RankedTensorType::get(
          {}, type.isIndex() ? builder.getI64Type() : type);
    Value empty = tensor::EmptyOp::create(builder, loc, tensorType, sizes);
    Value received = analog::RecvOp::create(builder, loc, TypeRange{tensorType},
                                            channel, empty)
                         .getResult(0);
    if (tensorType == type)
      return received;
    Value scalar =
        tensor::ExtractOp::create(builder, loc, received, ValueRange());
    if (!type.isIndex())
      return scalar;
    scalar = arith::IndexCastOp::create(builder, loc, type, scalar);
    auto range = extents.rangeOf(value);
    return range ? Value(graph::BoundOp::create(builder, loc, type, scalar,
                                                range->first, range->second))
                 : scalar;
  }

  //===--- homes ---===//

  /// The unit that a value of a loop or branch is kept on: the one that
  /// computes it. Scalars that every unit can compute itself have none.
  std::optional<int32_t> homeOf(Value value) {
    // A loop's results are what it carries.
    if (auto loop = value.getDefiningOp<scf::ForOp>())
      value = loop.getRegionIterArgs()[cast<OpResult>(value).getResultNumber()];
    else if (auto loop = value.getDefiningOp<scf::WhileOp>())
      value = loop.getAfterArguments()[cast<OpResult>(value).getResultNumber()];
    if (auto known = planned.find(value); known != planned.end())
      return known->second;
    llvm::SmallPtrSet<void *, 8> asked;
    std::optional<int32_t> unit = originOf(value, asked);
    if (!unit && isa<ShapedType>(value.getType()))
      unit = 0;
    planned[value] = unit;
    return unit;
  }

  /// The first unit met on the way back along a value's sources.
  std::optional<int32_t> originOf(Value value,
                                  llvm::SmallPtrSetImpl<void *> &asked) {
    if (!asked.insert(value.getAsOpaquePointer()).second)
      return std::nullopt;
    if (auto home = homes.find(value); home != homes.end())
      return home->second;
    Operation *op = value.getDefiningOp();
    if (op)
      if (auto unit = unitOf(op))
        return unit;
    for (Value source : sourcesOf(value))
      if (auto unit = originOf(source, asked))
        return unit;
    return std::nullopt;
  }

  /// What a value is computed from or handed on from, loop by loop.
  static SmallVector<Value> sourcesOf(Value value) {
    if (auto argument = dyn_cast<BlockArgument>(value)) {
      Operation *op = argument.getOwner()->getParentOp();
      unsigned number = argument.getArgNumber();
      if (auto loop = dyn_cast<scf::ForOp>(op)) {
        if (argument == loop.getInductionVar())
          return {};
        return {loop.getYieldedValues()[number - 1]};
      }
      if (auto loop = dyn_cast<scf::WhileOp>(op)) {
        if (argument.getOwner() == loop.getBeforeBody())
          return {loop.getYieldOp().getOperand(number)};
        return {loop.getConditionOp().getArgs()[number]};
      }
      return {};
    }
    Operation *op = value.getDefiningOp();
    unsigned number = cast<OpResult>(value).getResultNumber();
    if (auto loop = dyn_cast<scf::ForOp>(op))
      return {loop.getRegionIterArgs()[number]};
    if (auto loop = dyn_cast<scf::WhileOp>(op))
      return {loop.getAfterArguments()[number]};
    if (auto branch = dyn_cast<scf::IfOp>(op))
      return {branch.thenYield().getOperand(number),
              branch.elseYield().getOperand(number)};
    return SmallVector<Value>(op->getOperands());
  }

  /// The units that a loop or branch has to be made on.
  Units unitsInside(Operation *op) {
    Units units;
    auto add = [&](ValueRange values) {
      for (Value value : values)
        if (auto unit = homeOf(value))
          units.insert(*unit);
    };
    op->walk([&](Operation *inner) {
      if (auto unit = unitOf(inner))
        units.insert(*unit);
      if (auto loop = dyn_cast<scf::ForOp>(inner)) {
        add(loop.getRegionIterArgs());
      } else if (auto loop = dyn_cast<scf::WhileOp>(inner)) {
        add(loop.getBeforeArguments());
        add(loop.getAfterArguments());
      } else if (auto branch = dyn_cast<scf::IfOp>(inner)) {
        add(branch.getResults());
      }
    });
    if (units.empty())
      units.insert(0);
    return units;
  }

  /// Which of `values` are on `unit`, by number.
  SmallVector<unsigned> keptBy(int32_t unit, ValueRange values) {
    SmallVector<unsigned> kept;
    for (auto [i, value] : llvm::enumerate(values))
      if (homeOf(value).value_or(unit) == unit)
        kept.push_back(i);
    return kept;
  }

  static SmallVector<Value> pick(ValueRange values,
                                 ArrayRef<unsigned> numbers) {
    return llvm::map_to_vector(numbers,
                               [&](unsigned i) -> Value { return values[i]; });
  }

  /// Values `numbers` of the source are `here` on the unit.
  static void map(UnitFunction &state, ValueRange values,
                  ArrayRef<unsigned> numbers, ValueRange here) {
    for (auto [number, value] : llvm::zip_equal(numbers, here))
      state.mapping.map(values[number], value);
  }

  /// Says where others find the results of a loop or branch: what every unit
  /// has comes from the first.
  void settle(ValueRange values, const Units &units) {
    for (Value value : values)
      homes[value] = homeOf(value).value_or(*units.begin());
  }

  //===--- loops and branches ---===//

  LogicalResult project(Block &block) {
    for (Operation &op : block.without_terminator()) {
      LogicalResult done = success();
      if (auto loop = dyn_cast<scf::ForOp>(op)) {
        done = project(loop);
      } else if (auto loop = dyn_cast<scf::WhileOp>(op)) {
        done = project(loop);
      } else if (auto branch = dyn_cast<scf::IfOp>(op)) {
        done = project(branch);
      } else if (std::optional<int32_t> unit = unitOf(&op)) {
        append(&op, *unit);
        for (Value result : op.getResults())
          homes[result] = *unit;
      } else if (!isPure(&op)) {
        done = op.emitError("has an effect but no unit");
      } // else repeated where it is used
      if (failed(done))
        return failure();
    }
    return success();
  }

  /// Begins to fill `block`, which stands for `source` on the unit.
  void enter(int32_t unit, Block *source, Block *block) {
    UnitFunction &state = functionOf(unit);
    if (!block->empty() && block->back().hasTrait<OpTrait::IsTerminator>())
      block->back().erase();
    state.frames.back().next = block->getParentOp();
    state.frames.push_back({source, block});
  }

  template <typename EndOp, typename... Args>
  void leave(int32_t unit, Location loc, Args &&...args) {
    UnitFunction &state = functionOf(unit);
    OpBuilder builder = OpBuilder::atBlockEnd(state.frames.back().block);
    EndOp::create(builder, loc, std::forward<Args>(args)...);
    state.frames.pop_back();
    state.frames.back().next = nullptr;
  }

  /// The unit's copy of `op` that `create` makes at a builder.
  template <typename OpTy, typename Create>
  OpTy createOn(int32_t unit, OpTy op, Create create) {
    OpBuilder builder = builderIn(functionOf(unit), op->getBlock());
    OpTy copy = create(builder);
    copy->setDiscardableAttrs(op->getDiscardableAttrDictionary());
    return copy;
  }

  LogicalResult project(scf::ForOp loop) {
    Units units = unitsInside(loop);
    Location loc = loop.getLoc();
    for (int32_t unit : units) {
      SmallVector<unsigned> kept = keptBy(unit, loop.getRegionIterArgs());
      Value lower = valueOn(loop.getLowerBound(), unit, loc);
      Value upper = valueOn(loop.getUpperBound(), unit, loc);
      Value step = valueOn(loop.getStep(), unit, loc);
      SmallVector<Value> inits =
          valuesOn(pick(loop.getInitArgs(), kept), unit, loc);
      scf::ForOp own = createOn(unit, loop, [&](OpBuilder &b) {
        return scf::ForOp::create(b, loc, lower, upper, step, inits);
      });
      UnitFunction &state = functionOf(unit);
      state.mapping.map(loop.getInductionVar(), own.getInductionVar());
      map(state, loop.getRegionIterArgs(), kept, own.getRegionIterArgs());
      map(state, loop.getResults(), kept, own.getResults());
      enter(unit, loop.getBody(), own.getBody());
    }
    settle(loop.getRegionIterArgs(), units);
    if (failed(project(*loop.getBody())))
      return failure();
    for (int32_t unit : units)
      leave<scf::YieldOp>(unit, loc,
                          valuesOn(pick(loop.getYieldedValues(),
                                        keptBy(unit, loop.getRegionIterArgs())),
                                   unit, loc));
    settle(loop.getResults(), units);
    return success();
  }

  LogicalResult project(scf::WhileOp loop) {
    Units units = unitsInside(loop);
    Location loc = loop.getLoc();
    DenseMap<int32_t, scf::WhileOp> copies;
    for (int32_t unit : units) {
      SmallVector<unsigned> before = keptBy(unit, loop.getBeforeArguments());
      SmallVector<unsigned> after = keptBy(unit, loop.getAfterArguments());
      SmallVector<Value> inits =
          valuesOn(pick(loop.getInits(), before), unit, loc);
      SmallVector<Value> results = pick(loop.getResults(), after);
      scf::WhileOp own = createOn(unit, loop, [&](OpBuilder &b) {
        return scf::WhileOp::create(b, loc, TypeRange(ValueRange(results)),
                                    inits, nullptr, nullptr);
      });
      copies[unit] = own;
      UnitFunction &state = functionOf(unit);
      map(state, loop.getBeforeArguments(), before, own.getBeforeArguments());
      map(state, loop.getAfterArguments(), after, own.getAfterArguments());
      map(state, loop.getResults(), after, own.getResults());
      enter(unit, loop.getBeforeBody(), own.getBeforeBody());
    }
    settle(loop.getBeforeArguments(), units);
    settle(loop.getAfterArguments(), units);
    if (failed(project(*loop.getBeforeBody())))
      return failure();
    scf::ConditionOp end = loop.getConditionOp();
    for (int32_t unit : units) {
      Value condition = valueOn(end.getCondition(), unit, loc);
      SmallVector<Value> args =
          valuesOn(pick(end.getArgs(), keptBy(unit, loop.getAfterArguments())),
                   unit, loc);
      leave<scf::ConditionOp>(unit, loc, condition, args);
      enter(unit, loop.getAfterBody(), copies[unit].getAfterBody());
    }
    if (failed(project(*loop.getAfterBody())))
      return failure();
    for (int32_t unit : units)
      leave<scf::YieldOp>(
          unit, loc,
          valuesOn(pick(loop.getYieldOp().getResults(),
                        keptBy(unit, loop.getBeforeArguments())),
                   unit, loc));
    settle(loop.getResults(), units);
    return success();
  }

  LogicalResult project(scf::IfOp branch) {
    Units units = unitsInside(branch);
    Location loc = branch.getLoc();
    DenseMap<int32_t, scf::IfOp> copies;
    bool hasElse = !branch.getElseRegion().empty();
    for (int32_t unit : units) {
      SmallVector<unsigned> kept = keptBy(unit, branch.getResults());
      SmallVector<Value> results = pick(branch.getResults(), kept);
      Value condition = valueOn(branch.getCondition(), unit, loc);
      scf::IfOp own = createOn(unit, branch, [&](OpBuilder &b) {
        return scf::IfOp::create(b, loc, TypeRange(ValueRange(results)),
                                 condition, /*addThenBlock=*/true,
                                 /*addElseBlock=*/hasElse);
      });
      copies[unit] = own;
      map(functionOf(unit), branch.getResults(), kept, own.getResults());
    }
    auto projectSide = [&](Region &side, unsigned number) -> LogicalResult {
      if (side.empty())
        return success();
      for (int32_t unit : units)
        enter(unit, &side.front(), &copies[unit]->getRegion(number).front());
      if (failed(project(side.front())))
        return failure();
      ValueRange yielded = side.front().getTerminator()->getOperands();
      for (int32_t unit : units)
        leave<scf::YieldOp>(
            unit, loc,
            valuesOn(pick(yielded, keptBy(unit, branch.getResults())), unit,
                     loc));
      return success();
    };
    if (failed(projectSide(branch.getThenRegion(), 0)) ||
        failed(projectSide(branch.getElseRegion(), 1)))
      return failure();
    settle(branch.getResults(), units);
    return success();
  }

  ModuleOp module;
  func::FuncOp main;
  graph::RunTimeExtents extents;
  std::map<int32_t, UnitFunction> functions;
  /// Where the values are that one unit has; others receive them from there.
  DenseMap<Value, int32_t> homes;
  /// What homeOf has answered.
  DenseMap<Value, std::optional<int32_t>> planned;
  DenseMap<Value, Operation *> lastSend;
  SmallVector<int32_t> channels;
};

struct ProjectUnits : mho::impl::ProjectUnitsBase<ProjectUnits> {
  void runOnOperation() override {
    for (auto function :
         llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      if (function->hasAttr(analog::kUnitAttr))
        continue;
      if (failed(Projector(getOperation(), function).run()))
        return signalPassFailure();
    }
  }
};

} // namespace
