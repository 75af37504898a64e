//===- Evaluate.h - graph ops on constants --------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_DIALECT_GRAPH_IR_EVALUATE_H
#define MHO_LIB_DIALECT_GRAPH_IR_EVALUATE_H

#include "mho/Dialect/Graph/IR/Constants.h"

#include "mlir/IR/Operation.h"

namespace mho::graph {

/// Results beyond these many elements stay computed at run time. What is
/// computed from weights alone may be larger, but not much larger than they
/// are.
inline constexpr int64_t kFoldLimit = int64_t(1) << 20;
inline constexpr int64_t kWeightFoldLimit = int64_t(1) << 28;

/// Conversions and reorderings of more bytes are put off: an array may read the
/// constant behind them, and nothing is copied.
inline constexpr int64_t kPutOffBytes = int64_t(64) << 10;
inline constexpr int64_t kPutOffTransposeBytes = int64_t(1) << 10;

/// The same for ops that only move elements.
mlir::Attribute evaluateMovement(mlir::Operation *op,
                                 llvm::ArrayRef<ConstantReader> operands,
                                 mlir::RankedTensorType type);

/// What a function or remainder is on doubles; null for other ops.
using RealFn = double (*)(const double *);
RealFn mathFunction(mlir::Operation *op);
/// Shifts and remainders of two integers of `type`; nothing for other ops or
/// where the result is not defined.
std::optional<int64_t> integerMath(mlir::Operation *op, const int64_t *x,
                                   mlir::IntegerType type);
/// Scans, and the place of the largest or smallest element.
mlir::Attribute evaluateAlongAxis(mlir::Operation *op, const ConstantReader &x,
                                  mlir::RankedTensorType type);
/// The same for ops that change the element type.
mlir::Attribute evaluateTypes(mlir::Operation *op,
                              llvm::ArrayRef<mlir::Attribute> operands,
                              mlir::RankedTensorType type);

/// Strides of an operand under the axes of the result it broadcasts to.
llvm::SmallVector<int64_t> broadcastStrides(llvm::ArrayRef<int64_t> shape,
                                            size_t rank);

/// Row-major strides of `shape`.
llvm::SmallVector<int64_t> rowMajorStrides(llvm::ArrayRef<int64_t> shape);

/// Steps through all positions of `shape` in row-major order; `offset(i)` is
/// the position's address under the strides of list i.
class Odometer {
public:
  Odometer(llvm::ArrayRef<int64_t> shape,
           llvm::ArrayRef<llvm::SmallVector<int64_t>> strides)
      : shape(shape), strides(strides.begin(), strides.end()),
        index(shape.size(), 0), offsets(strides.size(), 0) {}

  int64_t offset(size_t list) const { return offsets[list]; }
  int64_t &offset(size_t list) { return offsets[list]; }
  llvm::ArrayRef<int64_t> position() const { return index; }

  void next() {
    for (size_t axis = shape.size(); axis-- > 0;) {
      for (size_t i = 0; i < strides.size(); ++i)
        offsets[i] += strides[i][axis];
      if (++index[axis] < shape[axis])
        return;
      for (size_t i = 0; i < strides.size(); ++i)
        offsets[i] -= strides[i][axis] * shape[axis];
      index[axis] = 0;
    }
  }

private:
  llvm::ArrayRef<int64_t> shape;
  llvm::SmallVector<llvm::SmallVector<int64_t>> strides;
  llvm::SmallVector<int64_t> index;
  llvm::SmallVector<int64_t> offsets;
};

} // namespace mho::graph

#endif // MHO_LIB_DIALECT_GRAPH_IR_EVALUATE_H
