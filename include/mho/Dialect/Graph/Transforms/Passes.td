//===- Passes.td - passes of the graph dialect ------------*- tablegen -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_GRAPH_TRANSFORMS_PASSES
#define MHO_DIALECT_GRAPH_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def ChooseLayout : Pass<"graph-choose-layout"> {
  let summary = "makes images channels last";
  let description = [{
    Convolutions, pools and normalizations get `channels_last` between two
    transposes, which then sink through what lies behind until they cancel.
    Arrays read the patches of such an image in place.
  }];
  let dependentDialects = ["::mho::graph::GraphDialect"];
}

def ExposeWeights : Pass<"graph-expose-weights"> {
  let summary = "brings products into the forms that arrays have";
  let description = [{
    A constant on the left of a product goes to its right between transposes, a
    constant vector becomes a matrix of one column. A product with a one-hot
    matrix, which compares indices with 0, 1, 2 …, takes rows of the constant
    instead; indices out of range give zeros.
  }];
  let dependentDialects = ["::mho::graph::GraphDialect", "::mlir::arith::ArithDialect"];
}

def FoldWeights : Pass<"graph-fold-weights", "::mlir::ModuleOp"> {
  let summary = "computes what follows from constants alone";
  let description = [{
    Folding puts off conversions and reorderings of large constants. Here they
    are done, but for those that every user reads through: an array's image is
    written from the constant behind them, which is never copied. Constants in
    between that nobody holds any more are freed.
  }];
  let dependentDialects = ["::mho::graph::GraphDialect", "::mlir::arith::ArithDialect"];
}

def VerifySupported : Pass<"graph-verify-supported", "::mlir::ModuleOp"> {
  let summary = "ends phase graph: every node has a meaning and a shape";
  let description = [{
    Reports every `graph.unsupported` at once, each at its node with the reason
    and what would help. Nodes that only follow one, whose inputs therefore have
    no shape, are passed over. Without any, every tensor must be static.
  }];
}

#endif // MHO_DIALECT_GRAPH_TRANSFORMS_PASSES
