//===- PostTransform.h - what models of ai.onnx.ml do to scores ----------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_IMPORT_ONNX_POSTTRANSFORM_H
#define MHO_LIB_IMPORT_ONNX_POSTTRANSFORM_H

#include "Expression.h"

namespace mho::import {

/// Attribute `post_transform` on scores [samples, targets]: NONE, SOFTMAX,
/// LOGISTIC, SOFTMAX_ZERO or PROBIT.
mlir::Value transformed(Node &n, mlir::Value scores, llvm::StringRef kind);

/// x as floats: f64 stays, everything else becomes f32.
mlir::Value asFloats(Node &n, mlir::Value x);

/// The integer labels of a classifier; strings are refused.
Shape integerLabels(Node &n, llvm::StringRef integers, llvm::StringRef strings);

/// Per sample: the label with the largest score.
mlir::Value topLabel(Node &n, mlir::Value scores,
                     llvm::ArrayRef<int64_t> labels);

/// Per sample: one label where the condition [samples, 1] holds, else another.
mlir::Value eitherLabel(Node &n, mlir::Value condition, int64_t yes,
                        int64_t no);

/// A constant matrix of floats in `element`.
Expr floatConstant(Node &n, llvm::ArrayRef<int64_t> shape,
                   llvm::ArrayRef<double> values, mlir::Type element);

/// Attribute `name` as numbers: floats, or a tensor where it ends in
/// "_as_tensor".
llvm::SmallVector<double> numbers(Node &n, llvm::StringRef name);

} // namespace mho::import

#endif // MHO_LIB_IMPORT_ONNX_POSTTRANSFORM_H
