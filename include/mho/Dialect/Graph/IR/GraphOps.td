//===- GraphOps.td - what the model says ------------------*- tablegen -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Ops carry ONNX's names and meaning; attributes are the resolved ones (no
// auto_pad, no opset differences). Constant inputs that steer shapes (Slice's
// bounds, Reshape's target, Pad's amounts, reduction axes) are attributes.
// Tensors are static. Unsigned integers are `ui8` …, signed ones signless,
// bool is i1. Weights are `arith.constant` of a dense or dense_resource.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_GRAPH_IR_GRAPHOPS
#define MHO_DIALECT_GRAPH_IR_GRAPHOPS

include "mho/Dialect/Graph/IR/GraphBase.td"
include "mho/Dialect/Graph/IR/GraphInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===----------------------------------------------------------------------===//
// Element-wise, one line each
//===----------------------------------------------------------------------===//

// One operand, result of its type.
class Graph_UnaryOp<string mnemonic, string what>
    : Graph_Op<mnemonic, [Pure, Elementwise_, SameOperandsAndResultType]> {
  let summary = what;
  let arguments = (ins Graph_Tensor:$x);
  let results = (outs Graph_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` type($y)";
}

// Two operands broadcast as NumPy does.
class Graph_BinaryOp<string mnemonic, string what>
    : Graph_Op<mnemonic, [Pure, Elementwise_]> {
  let summary = what;
  let arguments = (ins Graph_Tensor:$a, Graph_Tensor:$b);
  let results = (outs Graph_Tensor:$y);
  let assemblyFormat = "$a `,` $b attr-dict `:` functional-type(operands, results)";
}

def Graph_NegOp : Graph_UnaryOp<"neg", "-x">;
def Graph_AbsOp : Graph_UnaryOp<"abs", "magnitude">;
def Graph_SqrtOp : Graph_UnaryOp<"sqrt", "square root, NaN below zero">;
def Graph_ReciprocalOp : Graph_UnaryOp<"reciprocal", "1/x">;
def Graph_ExpOp : Graph_UnaryOp<"exp", "e to the x">;
def Graph_LogOp : Graph_UnaryOp<"log", "natural logarithm">;
def Graph_ErfOp : Graph_UnaryOp<"erf", "error function">;
def Graph_ReluOp : Graph_UnaryOp<"relu", "max(x, 0)">;
def Graph_SigmoidOp : Graph_UnaryOp<"sigmoid", "1/(1 + e^-x)">;
def Graph_TanhOp : Graph_UnaryOp<"tanh", "hyperbolic tangent">;
def Graph_FloorOp : Graph_UnaryOp<"floor", "largest integer not above x">;
def Graph_CeilOp : Graph_UnaryOp<"ceil", "smallest integer not below x">;
def Graph_RoundOp : Graph_UnaryOp<"round", "nearest integer, halves to even">;
def Graph_NotOp : Graph_UnaryOp<"not", "complement, of every bit where x holds integers">;

def Graph_AddOp : Graph_BinaryOp<"add", "a + b">;
def Graph_SubOp : Graph_BinaryOp<"sub", "a - b">;
def Graph_MulOp : Graph_BinaryOp<"mul", "a · b">;
def Graph_DivOp : Graph_BinaryOp<"div", "a / b, integers towards zero">;
def Graph_PowOp : Graph_BinaryOp<"pow", "a to the b, in a's type">;
def Graph_MaxOp : Graph_BinaryOp<"max", "the larger, NaN wins">;
def Graph_MinOp : Graph_BinaryOp<"min", "the smaller, NaN wins">;
def Graph_AndOp : Graph_BinaryOp<"and", "and, bit by bit">;
def Graph_OrOp : Graph_BinaryOp<"or", "or, bit by bit">;
def Graph_XorOp : Graph_BinaryOp<"xor", "exclusive or, bit by bit">;
def Graph_EqualOp : Graph_BinaryOp<"equal", "a = b, as bool">;
def Graph_LessOp : Graph_BinaryOp<"less", "a < b, as bool">;
def Graph_LessOrEqualOp : Graph_BinaryOp<"less_or_equal", "a <= b, as bool">;
def Graph_GreaterOp : Graph_BinaryOp<"greater", "a > b, as bool">;
def Graph_GreaterOrEqualOp : Graph_BinaryOp<"greater_or_equal", "a >= b, as bool">;

def Graph_WhereOp : Graph_Op<"where", [Pure, Elementwise_]> {
  let summary = "x where the condition holds, else y; all three broadcast";
  let arguments = (ins Graph_Tensor:$condition, Graph_Tensor:$a, Graph_Tensor:$b);
  let results = (outs Graph_Tensor:$y);
  let assemblyFormat = "$condition `,` $a `,` $b attr-dict `:` functional-type(operands, results)";
}

def Graph_LeakyReluOp : Graph_Op<"leaky_relu", [Pure, Elementwise_, SameOperandsAndResultType]> {
  let summary = "x, or alpha·x below zero";
  let arguments = (ins Graph_Tensor:$x, F32Attr:$alpha);
  let results = (outs Graph_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` type($y)";
}

def Graph_ClipOp : Graph_Op<"clip", [Pure, Elementwise_, AttrSizedOperandSegments]> {
  let summary = "x held between two scalars of its type, each optional";
  let arguments = (ins Graph_Tensor:$x, Optional<Graph_Tensor>:$low, Optional<Graph_Tensor>:$high);
  let results = (outs Graph_Tensor:$y);
  let assemblyFormat = "$x (`low` $low^)? (`high` $high^)? attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Products with what may be weights
//===----------------------------------------------------------------------===//

def Graph_MatmulOp : Graph_Op<"matmul", [Pure, WeightStationary_]> {
  let summary = "matrix product with NumPy's rules for more and fewer axes";
  let arguments = (ins Graph_Tensor:$a, Graph_Tensor:$b);
  let results = (outs Graph_Tensor:$y);
  let hasVerifier = 1;
  let assemblyFormat = "$a `,` $b attr-dict `:` functional-type(operands, results)";
}

def Graph_GemmOp : Graph_Op<"gemm", [Pure, WeightStationary_]> {
  let summary = "alpha·A'·B' + beta·C, C broadcast to the result";
  let description = [{
    `gates` names the equal parts, one letter each, that the columns of a
    recurrent operator's product consist of ("iofc"): column n of every part
    belongs to hidden unit n. A chip may want these side by side.
  }];
  let arguments = (ins Graph_Tensor:$a, Graph_Tensor:$b, Optional<Graph_Tensor>:$c,
      DefaultValuedAttr<F32Attr, "1.0f">:$alpha, DefaultValuedAttr<F32Attr, "1.0f">:$beta,
      UnitAttr:$trans_a, UnitAttr:$trans_b, OptionalAttr<StrAttr>:$gates);
  let results = (outs Graph_Tensor:$y);
  let builders = [OpBuilder<(ins "::mlir::Type":$type, "::mlir::Value":$a, "::mlir::Value":$b,
      "::mlir::Value":$c, "::mlir::FloatAttr":$alpha, "::mlir::FloatAttr":$beta,
      "::mlir::UnitAttr":$trans_a, "::mlir::UnitAttr":$trans_b), [{
    build($_builder, $_state, type, a, b, c, alpha, beta, trans_a, trans_b,
          ::mlir::StringAttr());
  }]>];
  let hasCanonicalizer = 1;
  let hasVerifier = 1;
  let assemblyFormat = "$a `,` $b (`,` $c^)? attr-dict `:` functional-type(operands, results)";
}

def Graph_ConvOp : Graph_Op<"conv", [Pure, WeightStationary_, Windowed_]> {
  let summary = "convolution (correlation) over the spatial axes";
  let description = [{
    x is N, C, spatial…; weights O, C/groups, kernel…. With `channels_last` x
    and y are N, spatial…, C and the weights stay as they are. `pads` holds
    the begins of all spatial axes, then the ends (may be uneven).
  }];
  let arguments = (ins Graph_Tensor:$x, Graph_Tensor:$w, Optional<Graph_Tensor>:$bias,
      DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$pads,
      DenseI64ArrayAttr:$dilations, DefaultValuedAttr<I64Attr, "1">:$groups,
      UnitAttr:$channels_last);
  let results = (outs Graph_Tensor:$y);
  let hasVerifier = 1;
  let assemblyFormat = "$x `,` $w (`,` $bias^)? attr-dict `:` functional-type(operands, results)";
}

def Graph_BatchNormalizationOp : Graph_Op<"batch_normalization", [Pure]> {
  let summary = "(x - mean)/sqrt(variance + epsilon)·scale + bias, per channel";
  let description = [{Inference form. The channel axis is 1, or the last with `channels_last`.}];
  let arguments = (ins Graph_Tensor:$x, Graph_Tensor:$scale, Graph_Tensor:$bias,
      Graph_Tensor:$mean, Graph_Tensor:$variance, F32Attr:$epsilon, UnitAttr:$channels_last);
  let results = (outs Graph_Tensor:$y);
  let hasVerifier = 1;
  let assemblyFormat = "$x `,` $scale `,` $bias `,` $mean `,` $variance attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Pooling
//===----------------------------------------------------------------------===//

class Graph_PoolOp<string mnemonic, string what, dag extra = (ins)>
    : Graph_Op<mnemonic, [Pure, Windowed_]> {
  let summary = what;
  let arguments = !con((ins Graph_Tensor:$x, DenseI64ArrayAttr:$kernel,
      DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$pads,
      DenseI64ArrayAttr:$dilations, UnitAttr:$ceil_mode, UnitAttr:$channels_last), extra);
  let results = (outs Graph_Tensor:$y);
  let hasVerifier = 1;
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}
def Graph_MaxPoolOp : Graph_PoolOp<"max_pool", "largest element of each window; padding never wins">;
def Graph_AveragePoolOp : Graph_PoolOp<"average_pool", "mean of each window", (ins UnitAttr:$count_include_pad)>;
def Graph_GlobalAveragePoolOp : Graph_Op<"global_average_pool", [Pure]> {
  let summary = "mean over all spatial axes, which stay with extent 1";
  let arguments = (ins Graph_Tensor:$x, UnitAttr:$channels_last);
  let results = (outs Graph_Tensor:$y);
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// Reductions and normalization
//===----------------------------------------------------------------------===//

class Graph_ReduceOp<string mnemonic, string what> : Graph_Op<mnemonic, [Pure]> {
  let summary = what;
  let description = [{`axes` are non-negative, ascending; with `keepdims` they stay with extent 1.}];
  let arguments = (ins Graph_Tensor:$x, DenseI64ArrayAttr:$axes, UnitAttr:$keepdims);
  let results = (outs Graph_Tensor:$y);
  let hasVerifier = 1;
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}
def Graph_ReduceMeanOp : Graph_ReduceOp<"reduce_mean", "mean over axes">;
def Graph_ReduceSumOp : Graph_ReduceOp<"reduce_sum", "sum over axes">;
def Graph_ReduceMaxOp : Graph_ReduceOp<"reduce_max", "largest over axes">;
def Graph_ReduceMinOp : Graph_ReduceOp<"reduce_min", "smallest over axes">;

def Graph_ArgMaxOp : Graph_Op<"arg_max", [Pure]> {
  let summary = "index (i64) of the largest element along an axis, the first of equals; NaN counts as largest";
  let arguments = (ins Graph_Tensor:$x, I64Attr:$axis, UnitAttr:$keepdims, UnitAttr:$select_last_index);
  let results = (outs Graph_Tensor:$y);
  let hasVerifier = 1;
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

def Graph_SoftmaxOp : Graph_Op<"softmax", [Pure, SameOperandsAndResultType]> {
  let summary = "e^x over its sum along axes (one since opset 13, the trailing ones before)";
  let arguments = (ins Graph_Tensor:$x, DenseI64ArrayAttr:$axes);
  let results = (outs Graph_Tensor:$y);
  let hasVerifier = 1;
  let assemblyFormat = "$x attr-dict `:` type($y)";
}

//===----------------------------------------------------------------------===//
// Data movement
//===----------------------------------------------------------------------===//

def Graph_ReshapeOp : Graph_Op<"reshape", [Pure]> {
  let summary = "the same elements in row-major order under the result's shape";
  let description = [{Flatten, Squeeze and Unsqueeze become this too.}];
  let arguments = (ins Graph_Tensor:$x);
  let results = (outs Graph_Tensor:$y);
  let hasFolder = 1;
  let hasVerifier = 1;
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

def Graph_TransposeOp : Graph_Op<"transpose", [Pure]> {
  let summary = "y's axis i is x's axis perm[i]";
  let arguments = (ins Graph_Tensor:$x, DenseI64ArrayAttr:$perm);
  let results = (outs Graph_Tensor:$y);
  let hasFolder = 1;
  let hasVerifier = 1;
  let assemblyFormat = "$x $perm attr-dict `:` functional-type(operands, results)";
}

def Graph_ConcatOp : Graph_Op<"concat", [Pure]> {
  let summary = "joins tensors along an axis";
  let arguments = (ins Variadic<Graph_Tensor>:$xs, I64Attr:$axis);
  let results = (outs Graph_Tensor:$y);
  let hasFolder = 1;
  let hasVerifier = 1;
  let assemblyFormat = "$xs `axis` $axis attr-dict `:` functional-type(operands, results)";
}

def Graph_SliceOp : Graph_Op<"slice", [Pure]> {
  let summary = "elements starts[i] + j·steps[i] of every axis; Split becomes this too";
  let description = [{One entry per axis, resolved: starts in range, steps may be negative, extents come from the result's shape.}];
  let arguments = (ins Graph_Tensor:$x, DenseI64ArrayAttr:$starts, DenseI64ArrayAttr:$steps);
  let results = (outs Graph_Tensor:$y);
  let hasFolder = 1;
  let hasVerifier = 1;
  let assemblyFormat = "$x $starts `steps` $steps attr-dict `:` functional-type(operands, results)";
}

def Graph_PadOp : Graph_Op<"pad", [Pure, AttrSizedOperandSegments]> {
  let summary = "extends (or with negative amounts cuts) every axis at both ends";
  let description = [{
    `low` and `high` have one entry per axis. `mode` is constant (with `value`,
    default 0), reflect, edge or wrap. An entry that only the run knows is the
    next of `amounts` (those of `low` first), and the attribute has the smallest
    number there is in its place.
  }];
  let arguments = (ins Graph_Tensor:$x, Optional<Graph_Tensor>:$value, Variadic<Index>:$amounts,
      DenseI64ArrayAttr:$low, DenseI64ArrayAttr:$high,
      DefaultValuedAttr<StrAttr, "\"constant\"">:$mode);
  let results = (outs Graph_Tensor:$y);
  let builders = [
    OpBuilder<(ins "::mlir::Type":$type, "::mlir::Value":$x, "::mlir::Value":$value,
        "::llvm::ArrayRef<::mlir::OpFoldResult>":$low,
        "::llvm::ArrayRef<::mlir::OpFoldResult>":$high, "::llvm::StringRef":$mode)>,
    OpBuilder<(ins "::mlir::Type":$type, "::mlir::Value":$x, "::mlir::Value":$value,
        "::mlir::DenseI64ArrayAttr":$low, "::mlir::DenseI64ArrayAttr":$high,
        "::mlir::StringAttr":$mode), [{
      build($_builder, $_state, type, x, value, ::mlir::ValueRange(), low, high, mode);
    }]>];
  let extraClassDeclaration = [{
    /// One entry per axis, of the attribute or of the run.
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedLow();
    ::llvm::SmallVector<::mlir::OpFoldResult> getMixedHigh();
    /// Gives it other amounts.
    void setMixed(::llvm::ArrayRef<::mlir::OpFoldResult> low,
                  ::llvm::ArrayRef<::mlir::OpFoldResult> high);
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
  let assemblyFormat = "$x (`value` $value^)? (`by` $amounts^)? attr-dict `:` functional-type(operands, results)";
}

def Graph_ExpandOp : Graph_Op<"expand", [Pure]> {
  let summary = "broadcasts to the result's shape";
  let arguments = (ins Graph_Tensor:$x);
  let results = (outs Graph_Tensor:$y);
  let hasFolder = 1;
  let hasVerifier = 1;
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

def Graph_GatherOp : Graph_Op<"gather", [Pure]> {
  let summary = "slices of x along an axis, chosen by indices (negative from the end)";
  let arguments = (ins Graph_Tensor:$x, Graph_Tensor:$indices, I64Attr:$axis);
  let results = (outs Graph_Tensor:$y);
  let hasFolder = 1;
  let hasVerifier = 1;
  let assemblyFormat = "$x `,` $indices `axis` $axis attr-dict `:` functional-type(operands, results)";
}

//===----------------------------------------------------------------------===//
// What nobody knows
//===----------------------------------------------------------------------===//

def Graph_UnsupportedOp : Graph_Op<"unsupported"> {
  let summary = "a node this compiler has no meaning for, with what would help";
  let description = [{
    The importer makes one for every operator or form it does not know and goes
    on, so that graph-verify-supported can list all of them at once. Results may
    be unranked.
  }];
  let arguments = (ins Variadic<AnyType>:$inputs, StrAttr:$onnx_op, StrAttr:$reason);
  let results = (outs Variadic<AnyType>:$outputs);
  let assemblyFormat = "$onnx_op `(` $inputs `)` `because` $reason attr-dict `:` functional-type($inputs, $outputs)";
}

include "mho/Dialect/Graph/IR/MathOps.td"
include "mho/Dialect/Graph/IR/TypeOps.td"
include "mho/Dialect/Graph/IR/TreeOps.td"
include "mho/Dialect/Graph/IR/ImageOps.td"
include "mho/Dialect/Graph/IR/MovementOps.td"
include "mho/Dialect/Graph/IR/BoundedOps.td"
include "mho/Dialect/Graph/IR/SelectionOps.td"

#endif // MHO_DIALECT_GRAPH_IR_GRAPHOPS
