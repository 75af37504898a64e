//===- Stationary.h - what an array can read in place ---------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_GRAPH_IR_STATIONARY_H
#define MHO_DIALECT_GRAPH_IR_STATIONARY_H

#include "mlir/IR/Value.h"

namespace mho::graph {

/// Whether `value` is a constant, or part of one that an array can read in
/// place: behind transposes, slices without steps, reshapes that only drop
/// axes of one element, and casts that lose nothing in f32.
bool isStationary(mlir::Value value);

} // namespace mho::graph

#endif // MHO_DIALECT_GRAPH_IR_STATIONARY_H
