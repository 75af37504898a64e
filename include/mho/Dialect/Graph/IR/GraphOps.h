//===- GraphOps.h - what the model says -----------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_GRAPH_IR_GRAPHOPS_H
#define MHO_DIALECT_GRAPH_IR_GRAPHOPS_H

#include "mho/Dialect/Graph/IR/GraphDialect.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/InferIntRangeInterface.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mho::graph {

/// A product with a matrix that never changes: how the input's vectors are
/// gathered and which part of a constant is the matrix.
struct StationaryProduct {
  /// Vectors along the last axis; for a window an image (N, spatial…, C where
  /// the op is `channels_last`, else N, C, spatial…).
  mlir::Value input;
  /// The constant, read as a matrix as `#analog.view` tells. The rows of a
  /// convolution run over the kernel's axes, then the channel.
  mlir::Value weights;
  llvm::SmallVector<int64_t, 0> rows, columns, offsets, sizes;
  /// Constant added to every vector (one value per column, or one for all), or
  /// null. For a group of a convolution it is the whole bias; the columns of
  /// the group start at `shiftBegin`.
  mlir::Value shift;
  int64_t shiftBegin = 0;
  /// Factors of the product and of the shift.
  float scale = 1.0f;
  float shiftScale = 1.0f;
  /// The slice of the input's channel axis that belongs to the group.
  int64_t channelBegin = 0, channelCount = 0;
  /// The letters of the gates that the columns consist of, if they do.
  llvm::StringRef gates;
  bool windowed = false;
  llvm::SmallVector<int64_t, 0> kernel, strides, dilations, pads;
};

/// Names an op's results after its ONNX node.
void nameResults(mlir::Operation *op, mlir::OpAsmSetValueNameFn setName);

/// Checks that operands broadcast to the result.
mlir::LogicalResult verifyElementwise(mlir::Operation *op);

template <typename OpTy>
class ElementwiseTrait
    : public mlir::OpTrait::TraitBase<OpTy, ElementwiseTrait> {
public:
  static mlir::LogicalResult verifyTrait(mlir::Operation *op) {
    return verifyElementwise(op);
  }
};

template <typename OpTy>
class WindowedTrait : public mlir::OpTrait::TraitBase<OpTy, WindowedTrait> {};

} // namespace mho::graph

#include "mho/Dialect/Graph/IR/GraphInterfaces.h.inc"

#define GET_OP_CLASSES
#include "mho/Dialect/Graph/IR/GraphOps.h.inc"

#endif // MHO_DIALECT_GRAPH_IR_GRAPHOPS_H
