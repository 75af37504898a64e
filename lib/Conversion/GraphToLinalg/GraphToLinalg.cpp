//===- GraphToLinalg.cpp - digital graph ops to linalg --------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One walk per function in program order. A direct walk instead of the dialect
// conversion driver: every op has exactly one lowering, and the only type
// change is that unsigned integers become signless. What a placed op becomes is
// on its unit.
//
//===----------------------------------------------------------------------===//

#include "mho/Conversion/GraphToLinalg/GraphToLinalg.h"

#include "Lowering.h"

#include "mho/Dialect/Analog/IR/AnalogOps.h"
#include "mho/Dialect/Analog/IR/Placement.h"
#include "mho/Dialect/Digital/IR/DigitalOps.h"
#include "mho/Dialect/Graph/IR/RunTimeExtents.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/DialectResourceBlobManager.h"

namespace mho {
#define GEN_PASS_DEF_CONVERTGRAPHTOLINALG
#include "mho/Conversion/Passes.h.inc"
} // namespace mho

using namespace mlir;
using namespace mho;

namespace {

/// The type with signless elements if its elements are unsigned, else null.
Type signlessOf(Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  if (!shaped || !shaped.getElementType().isUnsignedInteger())
    return {};
  return shaped.clone(IntegerType::get(
      type.getContext(), shaped.getElementType().getIntOrFloatBitWidth()));
}

bool isUnsigned(Value v) { return bool(signlessOf(v.getType())); }

/// The same bits under a signless type.
Attribute signlessOf(Attribute value, ShapedType type) {
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value))
    return DenseResourceElementsAttr::get(type, resource.getRawHandle());
  if (auto dense = dyn_cast<DenseElementsAttr>(value))
    return dense.bitcast(type.getElementType());
  return {};
}

class Converter {
public:
  explicit Converter(func::FuncOp func) : func(func) {}

  LogicalResult run() {
    SmallVector<Operation *> work;
    func.walk([&](Operation *op) {
      if (op->getName().getDialectNamespace() == "graph" ||
          isa<tensor::ReshapeOp>(op))
        work.push_back(op);
    });
    recordUnsigned(work);
    if (failed(makeSignless()))
      return failure();
    LogicalResult result = success();
    for (Operation *op : work)
      if (failed(lower(op)))
        result = failure();
    return result;
  }

private:
  void recordUnsigned(ArrayRef<Operation *> work) {
    for (Operation *op : work) {
      SmallVector<bool> flags;
      for (Value v : op->getOperands())
        flags.push_back(isUnsigned(v));
      for (Value v : op->getResults())
        flags.push_back(isUnsigned(v));
      if (llvm::is_contained(flags, true))
        unsignedValues[op] = std::move(flags);
    }
  }

  LogicalResult makeSignless() {
    for (auto [i, type] : llvm::enumerate(func.getArgumentTypes()))
      if (signlessOf(type))
        func.setArgAttr(i, kDeclaredTypeAttr, TypeAttr::get(type));
    for (auto [i, type] : llvm::enumerate(func.getResultTypes()))
      if (signlessOf(type))
        func.setResultAttr(i, kDeclaredTypeAttr, TypeAttr::get(type));
    auto all = [](TypeRange types) {
      SmallVector<Type> changed;
      for (Type type : types) {
        Type signless = signlessOf(type);
        changed.push_back(signless ? signless : type);
      }
      return changed;
    };
    func.setType(FunctionType::get(func.getContext(),
                                   all(func.getArgumentTypes()),
                                   all(func.getResultTypes())));
    auto change = [](Value v) {
      if (Type type = signlessOf(v.getType()))
        v.setType(type);
    };
    WalkResult walked = func.walk([&](Operation *op) {
      if (auto constant = dyn_cast<arith::ConstantOp>(op))
        if (Type type = signlessOf(constant.getType())) {
          Attribute value =
              signlessOf(constant.getValue(), cast<ShapedType>(type));
          if (!value) {
            constant.emitOpError("holds unsigned values in a form that is not "
                                 "known: ")
                << constant.getValueAttr().getAbstractAttribute().getName();
            return WalkResult::interrupt();
          }
          constant.setValueAttr(cast<TypedAttr>(value));
        }
      for (Value v : op->getResults())
        change(v);
      for (Region &region : op->getRegions())
        for (Block &block : region)
          for (Value v : block.getArguments())
            change(v);
      return WalkResult::advance();
    });
    return failure(walked.wasInterrupted());
  }

  /// Gives the ops in front of `op`, back to `before`, its unit.
  static void place(Operation *before, Operation *op) {
    Attribute unit = op->getAttr(analog::kOpUnitAttr);
    if (!unit)
      return;
    auto first =
        before ? std::next(before->getIterator()) : op->getBlock()->begin();
    for (Operation &made : llvm::make_range(first, op->getIterator()))
      if (!analog::isRepeated(&made))
        made.setAttr(analog::kOpUnitAttr, unit);
  }

  LogicalResult lower(Operation *op) {
    ArrayRef<bool> flags;
    if (auto found = unsignedValues.find(op); found != unsignedValues.end())
      flags = found->second;
    // Extents of run time stay what they are, down to slots.
    if (isa<graph::ExtentOp, graph::BoundOp, graph::SetExtentOp>(op))
      return success();
    Operation *before = op->getPrevNode();
    // Scalars of the run are counts that stand beside tensors.
    auto isRanked = [](Type type) {
      return isa<RankedTensorType, IndexType>(type);
    };
    if (op->getNumResults() == 0 ||
        !llvm::all_of(op->getOperandTypes(), isRanked) ||
        !llvm::all_of(op->getResultTypes(), isRanked))
      return op->emitOpError("has no digital form here: every operand and the "
                             "result must be tensors of known rank");
    graph::Lowering l(op, flags);
    using Family = graph::Lowered (*)(graph::Lowering &);
    constexpr Family families[] = {
        graph::lowerMath,       graph::lowerTypes,    graph::lowerElementwise,
        graph::lowerTrees,      graph::lowerMovement, graph::lowerReduction,
        graph::lowerWindowed,   graph::lowerProduct,  graph::lowerPlaces,
        graph::lowerResampling, graph::lowerOverlap,
    };
    for (Family family : families) {
      graph::Lowered results = family(l);
      if (failed(results))
        return failure();
      if (results->empty())
        continue;
      if (l.isOpen())
        return op->emitOpError("has no digital form where these extents are "
                               "known only at run time; give the input they "
                               "follow from a constant extent (--shape)");
      place(before, op);
      op->replaceAllUsesWith(*results);
      op->erase();
      return success();
    }
    return op->emitOpError("has no digital form");
  }

  func::FuncOp func;
  /// Per op: which operands, then results, had unsigned elements.
  llvm::DenseMap<Operation *, SmallVector<bool>> unsignedValues;
};

struct ConvertGraphToLinalg
    : mho::impl::ConvertGraphToLinalgBase<ConvertGraphToLinalg> {
  void runOnOperation() override {
    if (failed(Converter(getOperation()).run()))
      return signalPassFailure();
    // Linalg shows what each tensor was made with.
    graph::RunTimeExtents(getOperation()).resolve();
  }
};

} // namespace
