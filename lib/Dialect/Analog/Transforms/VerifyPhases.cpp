//===- VerifyPhases.cpp - what may still be in the IR ---------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Analog/IR/Placement.h"
#include "mho/Dialect/Analog/Transforms/Passes.h"

#include "mho/Dialect/Graph/IR/GraphOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace mho;

namespace mho {
#define GEN_PASS_DEF_VERIFYLOGICAL
#define GEN_PASS_DEF_VERIFYPLACED
#include "mho/Dialect/Analog/Transforms/Passes.h.inc"
} // namespace mho

namespace {

/// Every tensor has a rank; extents may be known only at run time, but not
/// those of arguments and results.
LogicalResult verifyRanked(Operation *op) {
  for (Type type : op->getResultTypes())
    if (auto tensor = dyn_cast<TensorType>(type); tensor && !tensor.hasRank())
      return op->emitError("expected a tensor of known rank, found ") << type;
  if (auto function = dyn_cast<func::FuncOp>(op))
    for (TypeRange types :
         {function.getArgumentTypes(), function.getResultTypes()})
      for (Type type : types)
        if (auto tensor = dyn_cast<TensorType>(type);
            tensor && (!tensor.hasRank() || !tensor.hasStaticShape()))
          return op->emitError("expected constant extents, found ") << type;
  return success();
}

bool isPlain(Operation *op) {
  return isa<func::FuncOp, func::ReturnOp>(op) ||
         isa_and_nonnull<graph::GraphDialect, tensor::TensorDialect,
                         arith::ArithDialect, scf::SCFDialect>(
             op->getDialect());
}

struct VerifyLogical : mho::impl::VerifyLogicalBase<VerifyLogical> {
  void runOnOperation() override {
    auto result = getOperation()->walk([&](Operation *op) {
      if (op == getOperation())
        return WalkResult::advance();
      if (!isPlain(op) && !isa<analog::MatmulOp>(op)) {
        op->emitError("does not belong in the analog phase");
        return WalkResult::interrupt();
      }
      return WalkResult(verifyRanked(op));
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};

struct VerifyPlaced : mho::impl::VerifyPlacedBase<VerifyPlaced> {
  void runOnOperation() override {
    auto units = getOperation()->getAttrOfType<ArrayAttr>(analog::kUnitsAttr);
    if (!units) {
      getOperation().emitError("placed module lists no units in '")
          << analog::kUnitsAttr << "'";
      return signalPassFailure();
    }
    SymbolTable symbols(getOperation());
    auto check = [&](Operation *op) -> LogicalResult {
      if (isa<ModuleOp, analog::BankOp, func::FuncOp, func::ReturnOp>(op))
        return verifyRanked(op);
      if (!isPlain(op) && !isa<analog::MvmOp>(op))
        return op->emitError("does not belong in the placed phase");
      auto unit = op->getAttrOfType<IntegerAttr>(analog::kOpUnitAttr);
      if (!unit)
        return analog::isRepeated(op) ? verifyRanked(op)
                                      : op->emitError("has no unit");
      if (unit.getInt() < 0 || unit.getInt() >= int64_t(units.size()))
        return op->emitError("has unit ")
               << unit.getInt() << ", there are " << units.size();
      if (auto mvm = dyn_cast<analog::MvmOp>(op)) {
        auto bank = symbols.lookup<analog::BankOp>(mvm.getBank());
        int64_t columns = bank.getColSplits().size() - 1;
        for (uint64_t r = mvm.getRowBegin(); r < mvm.getRowEnd(); ++r)
          for (uint64_t c = mvm.getColBegin(); c < mvm.getColEnd(); ++c)
            if (bank.getPlaces()[3 * (r * columns + c)] != unit.getInt())
              return op->emitError("runs on unit ")
                     << unit.getInt() << ", block " << r * columns + c
                     << " of its bank lies on unit "
                     << bank.getPlaces()[3 * (r * columns + c)];
      }
      return verifyRanked(op);
    };
    auto result = getOperation()->walk(
        [&](Operation *op) { return WalkResult(check(op)); });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
