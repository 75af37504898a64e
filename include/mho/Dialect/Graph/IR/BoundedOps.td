//===- BoundedOps.td - extents known at run time -----------*- tablegen -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_GRAPH_IR_BOUNDEDOPS
#define MHO_DIALECT_GRAPH_IR_BOUNDEDOPS

include "mho/Dialect/Graph/IR/GraphBase.td"
include "mlir/Interfaces/InferIntRangeInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Graph_ExtentOp : Graph_Op<"extent", [Pure,
    DeclareOpInterfaceMethods<InferIntRangeInterface, ["inferResultRanges"]>]> {
  let summary = "how far a bounded dimension of an input reaches in this run";
  let description = [{
    An argument with a bounded dimension has the type of the bound; what is
    there is its slice up to this extent, which is between 0 and `bound`. Inside,
    tensors have `?` for the dimension, and memory is planned for the bound.

    Example:

    ```mlir
    %n = graph.extent of 0 dim 1 at_most 512
    %x = tensor.extract_slice %arg0[0, 0] [1, %n] [1, 1] : tensor<1x512xf32> to tensor<1x?xf32>
    ```
  }];
  let arguments = (ins ConfinedAttr<I64Attr, [IntNonNegative]>:$input,
      ConfinedAttr<I64Attr, [IntNonNegative]>:$dim,
      ConfinedAttr<I64Attr, [IntNonNegative]>:$bound);
  let results = (outs Index:$extent);
  let assemblyFormat = "`of` $input `dim` $dim `at_most` $bound attr-dict";
}

def Graph_BoundOp : Graph_Op<"bound", [Pure,
    DeclareOpInterfaceMethods<InferIntRangeInterface, ["inferResultRanges"]>]> {
  let summary = "a scalar of the run that is known to lie in a range";
  let description = [{
    Whatever decides an extent at run time (an element of a tensor, a count, a
    scalar that another unit sends) becomes one by its bound: the range is taken
    for granted from here on, memory is planned for its upper end, and a run in
    which the scalar leaves it ends with an error at this op.

    Example:

    ```mlir
    %n = graph.bound %count from 0 to 512
    %x = tensor.extract_slice %whole[0] [%n] [1] : tensor<512xf32> to tensor<?xf32>
    ```
  }];
  let arguments = (ins Index:$value, I64Attr:$low, I64Attr:$high);
  let results = (outs Index:$bounded);
  let assemblyFormat = "$value `from` $low `to` $high attr-dict";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Graph_SetExtentOp : Graph_Op<"set_extent", [MemoryEffects<[MemWrite]>]> {
  let summary = "says how far a bounded dimension of an output reaches";
  let description = [{
    The output itself has the type of the bound: the tensor of this run was
    inserted into it. What runs the program cuts it to the extent.
  }];
  let arguments = (ins Index:$extent,
      ConfinedAttr<I64Attr, [IntNonNegative]>:$output,
      ConfinedAttr<I64Attr, [IntNonNegative]>:$dim);
  let assemblyFormat = "$extent `of` $output `dim` $dim attr-dict";
}

#endif // MHO_DIALECT_GRAPH_IR_BOUNDEDOPS
