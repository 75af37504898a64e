//===- MathOps.td - functions, scans and more reductions --*- tablegen -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Arithmetic that no composition of the ops of GraphOps.td says.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_GRAPH_IR_MATHOPS
#define MHO_DIALECT_GRAPH_IR_MATHOPS

include "mho/Dialect/Graph/IR/GraphOps.td"

//===----------------------------------------------------------------------===//
// Element-wise
//===----------------------------------------------------------------------===//

def Graph_SinOp : Graph_UnaryOp<"sin", "sine of x in radians">;
def Graph_CosOp : Graph_UnaryOp<"cos", "cosine of x in radians">;
def Graph_TanOp : Graph_UnaryOp<"tan", "tangent of x in radians">;
def Graph_AsinOp : Graph_UnaryOp<"asin", "arc sine, NaN beyond ±1">;
def Graph_AcosOp : Graph_UnaryOp<"acos", "arc cosine, NaN beyond ±1">;
def Graph_AtanOp : Graph_UnaryOp<"atan", "arc tangent">;
def Graph_SinhOp : Graph_UnaryOp<"sinh", "hyperbolic sine">;
def Graph_CoshOp : Graph_UnaryOp<"cosh", "hyperbolic cosine">;
def Graph_AsinhOp : Graph_UnaryOp<"asinh", "inverse hyperbolic sine">;
def Graph_AcoshOp : Graph_UnaryOp<"acosh", "inverse hyperbolic cosine, NaN below 1">;
def Graph_AtanhOp : Graph_UnaryOp<"atanh", "inverse hyperbolic tangent, NaN beyond ±1">;

def Graph_ShiftLeftOp : Graph_BinaryOp<"shift_left", "a's bits moved up by b; 0 where b is none of a's bits">;
def Graph_ShiftRightOp : Graph_BinaryOp<"shift_right", "a's bits moved down by b, a signed a keeping its sign; all sign where b is none of a's bits">;

def Graph_ModOp : Graph_Op<"mod", [Pure, Elementwise_]> {
  let summary = "a - q·b with the quotient rounded down, or towards zero";
  let description = [{
    Rounded down the result has b's sign (a zero too), with `truncated` a's.
    Integers modulo zero give a.
  }];
  let arguments = (ins Graph_Tensor:$a, Graph_Tensor:$b, UnitAttr:$truncated);
  let results = (outs Graph_Tensor:$y);
  let assemblyFormat = "$a `,` $b attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Along axes
//===----------------------------------------------------------------------===//

def Graph_ReduceProdOp : Graph_ReduceOp<"reduce_prod", "product over axes">;

def Graph_ArgMinOp : Graph_Op<"arg_min", [Pure]> {
  let summary = "index (i64) of the smallest element along an axis, the first of equals; NaN counts as smallest";
  let arguments = (ins Graph_Tensor:$x, I64Attr:$axis, UnitAttr:$keepdims, UnitAttr:$select_last_index);
  let results = (outs Graph_Tensor:$y);
  let hasVerifier = 1;
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

class Graph_ScanOp<string mnemonic, string what>
    : Graph_Op<mnemonic, [Pure, SameOperandsAndResultType]> {
  let summary = what;
  let description = [{
    Every result takes in all elements before it along `axis` and its own, which
    `exclusive` leaves out. With `reverse` the order begins at the end.
  }];
  let arguments = (ins Graph_Tensor:$x, I64Attr:$axis, UnitAttr:$exclusive, UnitAttr:$reverse);
  let results = (outs Graph_Tensor:$y);
  let hasVerifier = 1;
  let assemblyFormat = "$x attr-dict `:` type($y)";
}
def Graph_CumSumOp : Graph_ScanOp<"cum_sum", "running sum along an axis">;
def Graph_CumProdOp : Graph_ScanOp<"cum_prod", "running product along an axis">;

#endif // MHO_DIALECT_GRAPH_IR_MATHOPS
