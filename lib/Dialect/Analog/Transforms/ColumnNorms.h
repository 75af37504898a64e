//===- ColumnNorms.h - what a bank's weights say of its columns -----------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_DIALECT_ANALOG_TRANSFORMS_COLUMNNORMS_H
#define MHO_LIB_DIALECT_ANALOG_TRANSFORMS_COLUMNNORMS_H

#include "mho/Dialect/Analog/IR/AnalogOps.h"

#include <vector>

namespace mho::analog {

/// Norms of a bank's columns, block row by block row.
struct ColumnNorms {
  /// [row block][column]: √Σw², Σ|w|, max|w|.
  std::vector<std::vector<float>> square, sum, top;
};

/// One pass over the weights, which are not copied.
ColumnNorms columnNormsOf(BankOp bank);

} // namespace mho::analog

#endif // MHO_LIB_DIALECT_ANALOG_TRANSFORMS_COLUMNNORMS_H
