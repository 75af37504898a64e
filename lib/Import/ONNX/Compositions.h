//===- Compositions.h - what several operators are made of ----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Activations, normalizations and attention as compositions of graph ops, for
// the operators that are fused forms of them.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_IMPORT_ONNX_COMPOSITIONS_H
#define MHO_LIB_IMPORT_ONNX_COMPOSITIONS_H

#include "Expression.h"

namespace mho::import {

/// Calls the handler of another operator on the inputs given, under version
/// `opset` of its domain; attributes are those of `n`.
mlir::Value delegated(Node &n, Handler handler,
                      llvm::ArrayRef<mlir::Value> inputs, int64_t opset);

//===----------------------------------------------------------------------===//
// Arithmetic: the formulas of Expression.h on values, for handlers that mix
// them with what is no formula
//===----------------------------------------------------------------------===//

mlir::Value added(Node &n, mlir::Value a, mlir::Value c);
mlir::Value multiplied(Node &n, mlir::Value a, mlir::Value c);
/// With a number of the value's element type.
mlir::Value plus(Node &n, mlir::Value x, double term);
mlir::Value times(Node &n, mlir::Value x, double factor);
template <typename OpTy> mlir::Value applied(Node &n, mlir::Value x) {
  return n.make<OpTy>(x.getType(), x);
}
/// Elements [begin, end) of an axis, every `step`-th.
mlir::Value sliced(Node &n, mlir::Value x, int64_t axis, int64_t begin,
                   int64_t end, int64_t step = 1);
/// Offsets, sizes and strides of a slice that takes all of a tensor.
struct SliceOfAll {
  llvm::SmallVector<mlir::OpFoldResult> offsets, sizes, strides;
};
SliceOfAll sliceOfAll(Node &n, llvm::ArrayRef<int64_t> shape);
/// `x` in front of zeros that make an axis as long as `extent`, which is not
/// shorter.
mlir::Value widened(Node &n, mlir::Value x, int64_t axis, int64_t extent);
mlir::Value concatenated(Node &n, llvm::ArrayRef<mlir::Value> parts,
                         int64_t axis);
mlir::Value product(Node &n, mlir::Value a, mlir::Value c);
/// The last two axes swapped.
mlir::Value transposed(Node &n, mlir::Value x);
/// 0, 1, 2 … of `element` type along `axis` of a tensor of rank `rank`.
Expr counted(Node &n, int64_t count, int64_t axis, int64_t rank,
             mlir::Type element);
/// Sum over the last axes from `axis` on, which stay with extent 1.
mlir::Value summedFrom(Node &n, mlir::Value x, int64_t axis);

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

/// x·(1 + erf(x/√2))/2.
mlir::Value gelu(Node &n, mlir::Value x);
/// x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2.
mlir::Value tanhGelu(Node &n, mlir::Value x);
/// x·sigmoid(alpha·x).
mlir::Value swish(Node &n, mlir::Value x, double alpha = 1);
/// The activation that an attribute names, as ONNX's recurrent operators and
/// fused convolutions do; `parameters` are alpha, beta, gamma as far as given.
mlir::Value activated(Node &n, mlir::Value x, llvm::StringRef name,
                      llvm::ArrayRef<float> parameters);

//===----------------------------------------------------------------------===//
// Normalizations
//===----------------------------------------------------------------------===//

/// What a normalization gives. Statistics are f32 with extent 1 where reduced.
struct Normalized {
  mlir::Value y, mean, inverse;
};

/// (x - mean)/√(variance + epsilon)·scale + bias over the axes from `axis` on,
/// computed in f32. Scale and bias may be null.
Normalized normalized(Node &n, mlir::Value x, int64_t axis, mlir::Value scale,
                      mlir::Value bias, double epsilon);
/// x/√(mean of squares + epsilon)·scale; `mean` is null.
Normalized rootMeanSquareNormalized(Node &n, mlir::Value x, int64_t axis,
                                    mlir::Value scale, double epsilon);

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

/// Attention of heads: q is [B, N, S, H], k [B, M, T, H], v [B, M, T, V], where
/// M divides N: heads in a row share a key.
struct Heads {
  mlir::Value q, k, v;
  double scale = 1;
  /// Added to the scaled scores, broadcast to [B, N, S, T]; may be null.
  mlir::Value bias;
  /// Where true (broadcast to [B, N, S, T]), the score counts; may be null.
  mlir::Value allowed;
  /// Scores are held within ±softcap by a tanh; 0: they are not.
  double softcap = 0;
  /// One more score per head, broadcast to [B, N, S, 1], that takes its part of
  /// the sum but gives no value; may be null.
  mlir::Value sink;
};

/// [B, N, S, V], and with `scores` the products before the softmax, with
/// `weights` what it gives.
mlir::Value attended(Node &n, const Heads &heads, mlir::Value *scores = nullptr,
                     mlir::Value *weights = nullptr);

/// [B, S, N·H] as [B, N, S, H], and back.
mlir::Value splitHeads(Node &n, mlir::Value x, int64_t heads);
mlir::Value joinHeads(Node &n, mlir::Value x);

/// x rotated by the angles whose cosines and sines are given, broadcast to
/// x's shape with half of the first `width` elements of its last axis; the
/// others stay. Pairs are neighbours if `interleaved`, else halves.
mlir::Value rotated(Node &n, mlir::Value x, mlir::Value cosines,
                    mlir::Value sines, int64_t width, bool interleaved);

} // namespace mho::import

#endif // MHO_LIB_IMPORT_ONNX_COMPOSITIONS_H
