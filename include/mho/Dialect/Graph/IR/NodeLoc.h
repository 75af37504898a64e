//===- NodeLoc.h - ONNX nodes in locations --------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An op made for the node `Conv_0` of operator Conv carries
// loc("Conv_0"("@Conv")); fused locations hold several nodes.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_GRAPH_IR_NODELOC_H
#define MHO_DIALECT_GRAPH_IR_NODELOC_H

#include "mlir/IR/Location.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <utility>

namespace mho::graph {

/// The location of an ONNX node.
mlir::Location nodeLoc(mlir::MLIRContext *context, llvm::StringRef name,
                       llvm::StringRef opType);

/// Appends (name, operator) of every node in `location`, each once.
void collectNodes(
    mlir::Location location,
    llvm::SmallVectorImpl<std::pair<llvm::StringRef, llvm::StringRef>> &nodes);

} // namespace mho::graph

#endif // MHO_DIALECT_GRAPH_IR_NODELOC_H
