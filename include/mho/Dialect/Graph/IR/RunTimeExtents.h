//===- RunTimeExtents.h - extents that only the run knows -------*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_GRAPH_IR_RUNTIMEEXTENTS_H
#define MHO_DIALECT_GRAPH_IR_RUNTIMEEXTENTS_H

#include "mlir/Analysis/DataFlowFramework.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <memory>
#include <optional>

namespace mho::graph {

/// Runs MLIR's analysis of integer ranges on a function; null where it fails.
std::unique_ptr<mlir::DataFlowSolver> analyseRanges(mlir::func::FuncOp func);

/// Positions of a window along an axis of `extent` (index), as windowPositions
/// of Shapes.h counts them. A run in which no window fits ends with an error.
mlir::Value windowPositions(mlir::OpBuilder &b, mlir::Location loc,
                            mlir::Value extent, int64_t kernel, int64_t stride,
                            int64_t dilation, int64_t padBegin, int64_t padEnd,
                            bool ceil = false);

/// The scalars of a function of linalg and tensor ops that say how far its
/// tensors reach, and what is known of them.
class RunTimeExtents {
public:
  explicit RunTimeExtents(mlir::func::FuncOp main) : main(main) {}

  /// Tells where scalars lie; before anything else.
  mlir::LogicalResult analyse();

  /// Replaces each `tensor.dim` by the scalar that the tensor was made with, as
  /// far as it can be followed.
  void resolve();

  /// The extents of a tensor that its type does not give, in their order. One
  /// that cannot be followed is a `tensor.dim` of it.
  llvm::SmallVector<mlir::Value> of(mlir::Value tensor);

  /// Least and greatest value of an index; nothing where it has no bounds.
  std::optional<std::pair<int64_t, int64_t>> rangeOf(mlir::Value index) const;

private:
  /// The scalar behind one extent; null where it cannot be followed.
  static mlir::Value follow(mlir::Value tensor, int64_t axis);
  static mlir::Value collapsed(mlir::Value tensor, int64_t axis);

  mlir::func::FuncOp main;
  std::unique_ptr<mlir::DataFlowSolver> solver;
};

} // namespace mho::graph

#endif // MHO_DIALECT_GRAPH_IR_RUNTIMEEXTENTS_H
