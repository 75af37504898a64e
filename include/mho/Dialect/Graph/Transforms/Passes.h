//===- Passes.h - passes of the graph dialect -----------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_GRAPH_TRANSFORMS_PASSES_H
#define MHO_DIALECT_GRAPH_TRANSFORMS_PASSES_H

#include "mho/Dialect/Graph/IR/GraphOps.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mho::graph {

/// On a graph.unsupported whose operator is known, but whose inputs have no
/// shape because they follow from another one.
inline constexpr llvm::StringLiteral kFollowsAttr = "follows";

#define GEN_PASS_DECL
#include "mho/Dialect/Graph/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "mho/Dialect/Graph/Transforms/Passes.h.inc"

} // namespace mho::graph

#endif // MHO_DIALECT_GRAPH_TRANSFORMS_PASSES_H
