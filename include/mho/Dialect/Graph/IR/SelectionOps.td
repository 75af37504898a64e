//===- SelectionOps.td - results as long as the data say ---*- tablegen -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_GRAPH_IR_SELECTIONOPS
#define MHO_DIALECT_GRAPH_IR_SELECTIONOPS

include "mho/Dialect/Graph/IR/GraphBase.td"
include "mlir/Interfaces/InferIntRangeInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Graph_NonZeroOp : Graph_Op<"non_zero", [Pure,
    DeclareOpInterfaceMethods<InferIntRangeInterface, ["inferResultRanges"]>]> {
  let summary = "the places of the elements that are not zero, and how many there are";
  let description = [{
    Row i of `places` holds the coordinates of the i-th element in row-major
    order that is not zero; NaN is none. There is room for as many rows as x can
    have elements; those from `count` on hold nothing. NonZero, Compress, Unique
    and NonMaxSuppression are this around masks, and their results are slices up
    to `count`.

    Example:

    ```mlir
    %places, %count = graph.non_zero %mask : tensor<2x3xi1> -> tensor<6x2xi64>
    %found = tensor.extract_slice %places[0, 0] [%count, 2] [1, 1] : tensor<6x2xi64> to tensor<?x2xi64>
    ```
  }];
  let arguments = (ins Graph_Tensor:$x);
  let results = (outs Graph_Tensor:$places, Index:$count);
  let hasVerifier = 1;
  let assemblyFormat = "$x attr-dict `:` type($x) `->` type($places)";
}

#endif // MHO_DIALECT_GRAPH_IR_SELECTIONOPS
