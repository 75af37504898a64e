//===- ImageOps.td - resampling and unusual windows -------*- tablegen -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What Resize, GridSample, RoiAlign, DeformConv, ConvTranspose, Col2Im, LpPool
// and MaxPool's indices are made of.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_GRAPH_IR_IMAGEOPS
#define MHO_DIALECT_GRAPH_IR_IMAGEOPS

include "mho/Dialect/Graph/IR/GraphOps.td"

def Graph_ResampleOp : Graph_Op<"resample", [Pure]> {
  let summary = "weighted sums of a few elements along an axis";
  let description = [{
    y[…, o, …] = Σ_t weights[o, t] · x[…, taps[o, t], …] with `axis` in the
    middle. `taps` (i64, in range) and `weights` are out × count tables.
  }];
  let arguments = (ins Graph_Tensor:$x, Graph_Tensor:$taps, Graph_Tensor:$weights, I64Attr:$axis);
  let results = (outs Graph_Tensor:$y);
  let hasVerifier = 1;
  let assemblyFormat = "$x `,` $taps `,` $weights `axis` $axis attr-dict `:` functional-type(operands, results)";
}

def Graph_SampleOp : Graph_Op<"sample", [Pure]> {
  let summary = "an image's values between its elements, at computed places";
  let description = [{
    x is N, C, spatial…; `places` is M, P…, r: for each point the coordinate on
    each of the r spatial axes, in elements, outermost first. Point m looks into
    image m, or into image `images`[m]. y is M, C, P…. `interpolation` is
    nearest (halves to even), linear or cubic (Keys, a = -0.75). Outside, the
    image goes on as `border` says: zeros, edge, reflect (about the outermost
    elements) or symmetric (about their outer edges). With `largest_product` y
    is the largest of the weighted elements instead of their sum.
  }];
  let arguments = (ins Graph_Tensor:$x, Graph_Tensor:$places, Optional<Graph_Tensor>:$images,
      StrAttr:$interpolation, StrAttr:$border, UnitAttr:$largest_product);
  let results = (outs Graph_Tensor:$y);
  let hasVerifier = 1;
  let assemblyFormat = "$x `at` $places (`of` $images^)? attr-dict `:` functional-type(operands, results)";
}

def Graph_OverlapAddOp : Graph_Op<"overlap_add", [Pure]> {
  let summary = "sums pieces that overlap along one axis: a convolution's transpose";
  let description = [{
    x has a piece for every point of `axis`, its elements along `piece_axis`.
    y is x without `piece_axis`; element o of its `axis` is the sum of all
    x[piece k, point p] with p·stride + k·dilation - pad = o. Elements that no
    piece reaches are zero, pieces that reach outside are cut.
  }];
  let arguments = (ins Graph_Tensor:$x, I64Attr:$piece_axis, I64Attr:$axis,
      I64Attr:$stride, I64Attr:$dilation, I64Attr:$pad);
  let results = (outs Graph_Tensor:$y);
  let hasVerifier = 1;
  let assemblyFormat = "$x attr-dict `:` functional-type(operands, results)";
}

def Graph_SumPoolOp : Graph_PoolOp<"sum_pool", "sum of each window">;

def Graph_MaxPoolIndexOp : Graph_Op<"max_pool_index", [Pure]> {
  let summary = "where in x (i64, row-major over all of it) each window's largest element lies";
  let description = [{
    x is N, C, spatial… and y what max_pool makes of it with the same window.
    Of equal elements the first counts.
  }];
  let arguments = (ins Graph_Tensor:$x, Graph_Tensor:$y, DenseI64ArrayAttr:$kernel,
      DenseI64ArrayAttr:$strides, DenseI64ArrayAttr:$pads, DenseI64ArrayAttr:$dilations);
  let results = (outs Graph_Tensor:$indices);
  let hasVerifier = 1;
  let assemblyFormat = "$x `,` $y attr-dict `:` functional-type(operands, results)";
}

#endif // MHO_DIALECT_GRAPH_IR_IMAGEOPS
