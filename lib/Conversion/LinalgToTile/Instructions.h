//===- Instructions.h - one linalg or analog op to instructions -*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_CONVERSION_LINALGTOTILE_INSTRUCTIONS_H
#define MHO_LIB_CONVERSION_LINALGTOTILE_INSTRUCTIONS_H

#include "Nest.h"
#include "Scalars.h"

#include "mho/Dialect/Analog/IR/AnalogOps.h"
#include "mho/Dialect/Digital/IR/DigitalOps.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"

namespace mho {

/// What the conversion of one unit's ops shares.
struct UnitContext {
  Scalars &scalars;
  /// Banks by symbol name.
  const llvm::DenseMap<mlir::StringAttr, analog::BankOp> &banks;
  /// Number of the unit.
  int32_t unit;
};

/// Each builds at `b`'s insertion point; failure after an error at the op.
mlir::LogicalResult convertGeneric(mlir::linalg::GenericOp op,
                                   mlir::OpBuilder &b,
                                   const UnitContext &context);
mlir::LogicalResult convertFill(mlir::linalg::FillOp op, mlir::OpBuilder &b,
                                const UnitContext &context);
mlir::LogicalResult convertCopy(mlir::memref::CopyOp op, mlir::OpBuilder &b,
                                const UnitContext &context);
mlir::LogicalResult convertSort(digital::SortOp op, mlir::OpBuilder &b,
                                const UnitContext &context);
mlir::LogicalResult convertScatter(digital::ScatterOp op, mlir::OpBuilder &b,
                                   const UnitContext &context);
mlir::LogicalResult convertCompact(digital::CompactOp op, mlir::OpBuilder &b,
                                   const UnitContext &context);
mlir::LogicalResult convertMvm(analog::MvmOp op, mlir::OpBuilder &b,
                               const UnitContext &context);
mlir::LogicalResult convertSend(analog::SendOp op, mlir::OpBuilder &b,
                                const UnitContext &context);
mlir::LogicalResult convertRecv(analog::RecvOp op, mlir::OpBuilder &b,
                                const UnitContext &context);

/// Converts the ops of a nested block.
using ConvertBlock = llvm::function_ref<mlir::LogicalResult(mlir::Block &)>;
mlir::LogicalResult convertFor(mlir::scf::ForOp op, mlir::OpBuilder &b,
                               const UnitContext &context,
                               ConvertBlock convertBlock);
mlir::LogicalResult convertIf(mlir::scf::IfOp op, mlir::OpBuilder &b,
                              const UnitContext &context,
                              ConvertBlock convertBlock);
mlir::LogicalResult convertWhile(mlir::scf::WhileOp op, mlir::OpBuilder &b,
                                 const UnitContext &context,
                                 ConvertBlock convertBlock);

} // namespace mho

#endif // MHO_LIB_CONVERSION_LINALGTOTILE_INSTRUCTIONS_H
