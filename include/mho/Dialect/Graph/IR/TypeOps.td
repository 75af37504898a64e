//===- TypeOps.td - ops that change the element type ------*- tablegen -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_GRAPH_IR_TYPEOPS
#define MHO_DIALECT_GRAPH_IR_TYPEOPS

include "mho/Dialect/Graph/IR/GraphBase.td"
include "mho/Dialect/Graph/IR/GraphInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Graph_CastOp : Graph_Op<"cast", [Pure, Elementwise_]> {
  let summary = "converts elements to the result's type, as ONNX's Cast";
  let description = [{
    Floats go to integers towards zero, NaN to 0; what the type cannot hold
    keeps its low bits, but saturates at the ends of i32, i64 and ui64 (ONNX
    leaves that open). Floats of 8 bits saturate unless `unsaturated`, which
    makes infinity of what is beyond, or NaN where the type has none. f8E8M0FNU
    holds powers of two: `round_mode` is up, down or nearest (ties up), the sign
    is dropped.
  }];
  let arguments = (ins Graph_Tensor:$x, UnitAttr:$unsaturated,
      DefaultValuedAttr<StrAttr, "\"up\"">:$round_mode);
  let results = (outs Graph_Tensor:$y);
  let hasFolder = 1;
  let assemblyFormat = "$x attr-dict `:` type($x) `to` type($y)";
}

def Graph_BitCastOp : Graph_Op<"bit_cast", [Pure, Elementwise_]> {
  let summary = "reads the bits of elements as another type of their width";
  let arguments = (ins Graph_Tensor:$x);
  let results = (outs Graph_Tensor:$y);
  let hasVerifier = 1;
  let assemblyFormat = "$x attr-dict `:` type($x) `to` type($y)";
}

def Graph_QuantizeLinearOp : Graph_Op<"quantize_linear", [Pure, Elementwise_]> {
  let summary = "saturate(round_half_even(x / scale) + zero_point)";
  let description = [{
    A scale of rank 1 runs along axis `axis` of x; one of x's own rank
    broadcasts to it, as the zero point does. Results of a float type are
    rounded to it; `unsaturated` is as in graph.cast. The quotient is rounded to
    `precision` where that is given.
  }];
  let arguments = (ins Graph_Tensor:$x, Graph_Tensor:$scale,
      Optional<Graph_Tensor>:$zero_point, I64Attr:$axis, UnitAttr:$unsaturated,
      OptionalAttr<TypeAttr>:$precision);
  let results = (outs Graph_Tensor:$y);
  let assemblyFormat = "$x `,` $scale (`zero` $zero_point^)? attr-dict `:` functional-type(operands, results)";
}

def Graph_DequantizeLinearOp : Graph_Op<"dequantize_linear", [Pure, Elementwise_]> {
  let summary = "(x - zero_point) · scale";
  let description = [{Scale and zero point as in graph.quantize_linear.}];
  let arguments = (ins Graph_Tensor:$x, Graph_Tensor:$scale, Optional<Graph_Tensor>:$zero_point, I64Attr:$axis);
  let results = (outs Graph_Tensor:$y);
  let assemblyFormat = "$x `,` $scale (`zero` $zero_point^)? attr-dict `:` functional-type(operands, results)";
}

#endif // MHO_DIALECT_GRAPH_IR_TYPEOPS
