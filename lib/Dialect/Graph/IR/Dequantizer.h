//===- Dequantizer.h - elements of quantized constants --------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_DIALECT_GRAPH_IR_DEQUANTIZER_H
#define MHO_LIB_DIALECT_GRAPH_IR_DEQUANTIZER_H

#include "mho/Dialect/Graph/IR/Constants.h"
#include "mho/Dialect/Graph/IR/GraphDialect.h"

namespace mho::graph {

class DequantizeLinearOp;

/// Computes elements of a `#graph.dequantized` where they are wanted. The
/// attribute must outlive it.
class Dequantizer {
public:
  static std::shared_ptr<const Dequantizer> of(DequantizedAttr constant);

  float at(int64_t index) const;
  /// Elements begin, begin + 1, …; run by run of one scale, or of scales that
  /// follow each other.
  void floatsFrom(int64_t begin, int64_t count, float *to) const;

private:
  /// An axis of the values, neighbours joined where scale and zero allow.
  struct Axis {
    int64_t extent, scale, zero;
  };

  /// Where scale and zero of element `index` are, and how many of its
  /// innermost axis follow.
  struct Place {
    int64_t scale = 0, zero = 0, left = 1;
  };
  Place placeOf(int64_t index) const;
  float rounded(float value) const;

  std::optional<ConstantReader> values, scale, zero;
  mlir::SmallVector<Axis> axes;
  /// Null for f32, to which all others round.
  mlir::FloatType narrow;
};

/// The constant that `op` gives on constants, without computing it; null where
/// the operands are not of a form for that.
mlir::Attribute asStored(DequantizeLinearOp op,
                         llvm::ArrayRef<mlir::Attribute> operands,
                         mlir::RankedTensorType type);

} // namespace mho::graph

#endif // MHO_LIB_DIALECT_GRAPH_IR_DEQUANTIZER_H
