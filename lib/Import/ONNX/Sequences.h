//===- Sequences.h - sequences and optionals, known when compiling --------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// No program holds a sequence: while importing, a sequence is the list of its
// elements, an optional that is there is its element, and an absent one is
// nothing. In the importer's tables a cast that goes with the last use stands
// for a list (to a tuple) or for nothing (to none).
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_IMPORT_ONNX_SEQUENCES_H
#define MHO_LIB_IMPORT_ONNX_SEQUENCES_H

#include "Node.h"

namespace mho::import {

mlir::Value makeSequence(mlir::OpBuilder &b, mlir::Location loc,
                         mlir::ValueRange elements);
mlir::Value makeAbsent(mlir::OpBuilder &b, mlir::Location loc);

/// Whether a value is neither a sequence nor absent.
bool isTensor(mlir::Value value);
bool isSequence(mlir::Value value);
bool isAbsent(mlir::Value value);
/// The elements of a sequence.
llvm::SmallVector<mlir::Value> elementsOf(mlir::Value sequence);

/// Operators that take or give sequences and optionals.
void addSequences(HandlerTable &table);

} // namespace mho::import

#endif // MHO_LIB_IMPORT_ONNX_SEQUENCES_H
