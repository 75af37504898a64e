//===- Placement.h - which ops of a placed function have a unit -*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_ANALOG_IR_PLACEMENT_H
#define MHO_DIALECT_ANALOG_IR_PLACEMENT_H

#include "mho/Dialect/Graph/IR/GraphOps.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mho::analog {

/// Whether `op` only computes scalars from scalars.
inline bool isScalarArithmetic(mlir::Operation *op) {
  auto isScalar = [](mlir::Type type) { return type.isIntOrIndexOrFloat(); };
  // An extent of an input is on the unit that has the inputs.
  if (mlir::isa<graph::ExtentOp>(op))
    return false;
  return op->getNumRegions() == 0 && op->getNumResults() > 0 &&
         mlir::isPure(op) && llvm::all_of(op->getResultTypes(), isScalar) &&
         llvm::all_of(op->getOperandTypes(), isScalar);
}

/// Loops, branches and what ends their blocks: repeated on every unit that has
/// something inside.
inline bool isControlFlow(mlir::Operation *op) {
  return op->getDialect() && mlir::isa<mlir::scf::SCFDialect>(op->getDialect());
}

/// What has no unit and is repeated wherever it is needed.
inline bool isRepeated(mlir::Operation *op) {
  return op->hasTrait<mlir::OpTrait::ConstantLike>() ||
         mlir::isa<mlir::tensor::EmptyOp>(op) || isScalarArithmetic(op) ||
         isControlFlow(op);
}

} // namespace mho::analog

#endif // MHO_DIALECT_ANALOG_IR_PLACEMENT_H
