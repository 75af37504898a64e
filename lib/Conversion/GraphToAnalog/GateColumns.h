//===- GateColumns.h - gates of one hidden unit side by side --------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_CONVERSION_GRAPHTOANALOG_GATECOLUMNS_H
#define MHO_LIB_CONVERSION_GRAPHTOANALOG_GATECOLUMNS_H

#include "mho/Dialect/Graph/IR/GraphOps.h"

namespace mho {

/// The columns of a recurrent product, gate by gate in the model, taken hidden
/// unit by hidden unit: an array that holds some of them then has all gates of
/// its units.
class GateColumns {
public:
  /// Changes `product` accordingly (its weights get an axis for the gates, the
  /// last of its columns). `wanted` is the chip's order of gates; those that it
  /// does not name stay in the model's. Nothing for products without gates.
  static std::optional<GateColumns> take(graph::StationaryProduct &product,
                                         llvm::StringRef wanted,
                                         mlir::PatternRewriter &rewriter,
                                         mlir::Location loc);

  /// The gate at each position within a hidden unit; empty where that is the
  /// model's order.
  llvm::ArrayRef<int64_t> viewOrder() const;
  /// A value per column of the model, in the order of the columns taken.
  llvm::SmallVector<float> inOrder(llvm::ArrayRef<float> values) const;
  /// The product's result with the columns as the model has them.
  mlir::Value restored(mlir::Value y, mlir::PatternRewriter &rewriter,
                       mlir::Location loc) const;

private:
  int64_t units = 0;
  llvm::SmallVector<int64_t> order;
};

} // namespace mho

#endif // MHO_LIB_CONVERSION_GRAPHTOANALOG_GATECOLUMNS_H
