//===- TreeOps.td - ensembles of decision trees -----------*- tablegen -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_GRAPH_IR_TREEOPS
#define MHO_DIALECT_GRAPH_IR_TREEOPS

include "mho/Dialect/Graph/IR/GraphBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Graph_TreeLeavesOp : Graph_Op<"tree_leaves", [Pure]> {
  let summary = "the node (i32) where each tree's walk ends, per sample";
  let description = [{
    The walk of tree t starts at node roots[t] and takes `depth` steps. A step
    compares v = x[sample, features[node]] with thresholds[node]: outcomes[node]
    has bit 1 set where v below it takes the second child, bit 2 for equal, 4
    for above and 8 for NaN; children[2·node] and children[2·node + 1] are the
    children. Leaves are their own children, so that walks may be shorter.
  }];
  let arguments = (ins Graph_Tensor:$x, Graph_Tensor:$features,
      Graph_Tensor:$thresholds, Graph_Tensor:$outcomes, Graph_Tensor:$children,
      Graph_Tensor:$roots, I64Attr:$depth);
  let results = (outs Graph_Tensor:$y);
  let hasVerifier = 1;
  let assemblyFormat = [{
    $x `features` $features `thresholds` $thresholds `outcomes` $outcomes
    `children` $children `roots` $roots `depth` $depth attr-dict `:`
    functional-type(operands, results)
  }];
}

#endif // MHO_DIALECT_GRAPH_IR_TREEOPS
