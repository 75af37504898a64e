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
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Analog/Transforms/Passes.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mho;

namespace mho {
#define GEN_PASS_DEF_PROJECTUNITS
#include "mho/Dialect/Analog/Transforms/Passes.h.inc"
} // namespace mho

namespace {

/// The unit of a placed op; nullopt for what is repeated where it is needed.
std::optional<int32_t> unitOf(Operation *op) {
  if (auto unit = op->getAttrOfType<IntegerAttr>(analog::kOpUnitAttr))
    return unit.getInt();
  return std::nullopt;
}

/// Builds the functions of all units side by side.
class Projector {
public:
  Projector(ModuleOp module, func::FuncOp main) : module(module), main(main) {}

  LogicalResult run() {
    Block &body = main.getBody().front();
    createFunction(0, main.getFunctionType());
    for (unsigned i = 0; i < main.getNumArguments(); ++i) {
      functions[0].mapping.map(main.getArgument(i),
                               functions[0].function.getArgument(i));
      homes[main.getArgument(i)] = 0;
    }
    if (ArrayAttr attributes = main.getAllArgAttrs())
      functions[0].function.setAllArgAttrs(attributes);
    if (ArrayAttr attributes = main.getAllResultAttrs())
      functions[0].function.setAllResultAttrs(attributes);

    for (Operation &op : body.without_terminator()) {
      std::optional<int32_t> unit = unitOf(&op);
      if (!unit) {
        if (!isPure(&op))
          return op.emitError("has an effect but no unit");
        continue; // repeated where it is used
      }
      append(&op, *unit);
      for (Value result : op.getResults())
        homes[result] = *unit;
    }
    Operation *end = body.getTerminator();
    SmallVector<Value> results;
    for (Value operand : end->getOperands())
      results.push_back(valueOn(operand, 0, end->getLoc()));
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
  struct UnitFunction {
    func::FuncOp function;
    IRMapping mapping;
  };

  UnitFunction &createFunction(int32_t unit, FunctionType type) {
    UnitFunction &state = functions[unit];
    state.function = func::FuncOp::create(main.getLoc(), "unit", type);
    state.function->setAttr(
        analog::kUnitAttr,
        IntegerAttr::get(IntegerType::get(module.getContext(), 32), unit));
    state.function.addEntryBlock();
    return state;
  }

  UnitFunction &functionOf(int32_t unit) {
    auto found = functions.find(unit);
    if (found != functions.end())
      return found->second;
    return createFunction(unit, FunctionType::get(module.getContext(), {}, {}));
  }

  /// Clones `op` to the end of `unit`'s function.
  Operation *append(Operation *op, int32_t unit) {
    for (Value operand : op->getOperands())
      valueOn(operand, unit, op->getLoc());
    UnitFunction &state = functionOf(unit);
    OpBuilder builder = OpBuilder::atBlockEnd(&state.function.front());
    Operation *copy = builder.clone(*op, state.mapping);
    copy->removeAttr(analog::kOpUnitAttr);
    return copy;
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
    // Sent right behind its definition, received in front of its first use:
    // both keep the source's order.
    int64_t channel = channels.size() / 2;
    channels.push_back(home->second);
    channels.push_back(unit);
    Value source = functions[home->second].mapping.lookup(value);
    OpBuilder builder(module.getContext());
    builder.setInsertionPointAfterValue(source);
    if (Operation *last = lastSend.lookup(source))
      builder.setInsertionPointAfter(last);
    Location loc = value.getLoc();
    if (isa<BlockArgument>(value))
      loc = user;
    lastSend[source] = analog::SendOp::create(builder, loc, channel, source);
    UnitFunction &state = functionOf(unit);
    builder.setInsertionPointToEnd(&state.function.front());
    auto type = cast<RankedTensorType>(value.getType());
    Value empty = tensor::EmptyOp::create(builder, loc, type.getShape(),
                                          type.getElementType());
    Value received =
        analog::RecvOp::create(builder, loc, TypeRange{type}, channel, empty)
            .getResult(0);
    state.mapping.map(value, received);
    return received;
  }

  ModuleOp module;
  func::FuncOp main;
  std::map<int32_t, UnitFunction> functions;
  DenseMap<Value, int32_t> homes;
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
