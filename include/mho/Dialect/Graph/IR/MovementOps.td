//===- MovementOps.td - elements at computed places -------*- tablegen -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two general forms stand for ONNX's GatherElements, GatherND,
// ReverseSequence, Scatter, ScatterElements, ScatterND, TensorScatter and
// MaxUnpool: a place of the tensor has along each axis either a loop dim or an
// index from a tensor.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_GRAPH_IR_MOVEMENTOPS
#define MHO_DIALECT_GRAPH_IR_MOVEMENTOPS

include "mho/Dialect/Graph/IR/GraphOps.td"

def Graph_GatherNDOp : Graph_Op<"gather_nd", [Pure]> {
  let summary = "y[p] = x[place(p)], places partly computed";
  let description = [{
    `dims` has one entry per axis of x: the dim of p that the place runs along
    there, or -1 where the next of `indices` says it. Indices broadcast to y's
    shape, count from the end where negative, and are checked when used.
  }];
  let arguments = (ins Graph_Tensor:$x, Variadic<Graph_Tensor>:$indices, DenseI64ArrayAttr:$dims);
  let results = (outs Graph_Tensor:$y);
  let hasVerifier = 1;
  let assemblyFormat = "$x `at` `(` $indices `)` `dims` $dims attr-dict `:` functional-type(operands, results)";
}

def Graph_ScatterNDOp : Graph_Op<"scatter_nd", [Pure]> {
  let summary = "x with updates stored or combined at computed places";
  let description = [{
    For every place p of `updates`, in row-major order: y[place(p)] becomes the
    update (kind none) or is combined with it (add, mul, min, max). `dims` and
    `indices` are as in gather_nd, the indices broadcast to the updates' shape.
  }];
  let arguments = (ins Graph_Tensor:$x, Graph_Tensor:$updates, Variadic<Graph_Tensor>:$indices,
      DenseI64ArrayAttr:$dims, StrAttr:$kind);
  let results = (outs Graph_Tensor:$y);
  let hasVerifier = 1;
  let assemblyFormat = "$kind $updates `into` $x `at` `(` $indices `)` `dims` $dims attr-dict `:` functional-type(operands, results)";
}

def Graph_TopKOp : Graph_Op<"top_k", [Pure]> {
  let summary = "the first elements of the order along the last axis, with their indices (i64)";
  let description = [{
    Ascending, or descending with `largest`; as many as the results' last axis
    has. NaN counts as largest; equal elements keep their order.
  }];
  let arguments = (ins Graph_Tensor:$x, UnitAttr:$largest);
  let results = (outs Graph_Tensor:$values, Graph_Tensor:$indices);
  let hasVerifier = 1;
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

#endif // MHO_DIALECT_GRAPH_IR_MOVEMENTOPS
