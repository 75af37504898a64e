//===- Quantization.h - scales and zero points ---------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_IMPORT_ONNX_QUANTIZATION_H
#define MHO_LIB_IMPORT_ONNX_QUANTIZATION_H

#include "Node.h"

namespace mho::import {

/// How integers or narrow floats stand for numbers: (x - zero) · scale.
struct Quantizer {
  mlir::Value scale;
  /// Null is zero.
  mlir::Value zero;
  /// Axis of a scale of rank 1.
  int64_t axis = 0;
  /// Positive: neighbours along `axis` that share a scale.
  int64_t block = 0;
};

/// x in numbers of float type `element`.
mlir::Value dequantized(Node &n, mlir::Value x, Quantizer by,
                        mlir::Type element);
/// Numbers as elements of `element`; the quotient is rounded to `precision` if
/// given. Floats of 8 bits saturate if asked for.
mlir::Value quantized(Node &n, mlir::Value x, Quantizer by, mlir::Type element,
                      mlir::Type precision = {}, bool saturate = true);

/// Checks a quantizer against the shape of what it quantizes.
void checkQuantizer(Node &n, mlir::Value x, Quantizer &by);

/// x - zero, exactly, with elements of `to` (i32 or f32).
mlir::Value centred(Node &n, mlir::Value x, mlir::Value zero, mlir::Type to);

/// Whether `value` is a constant, or will be one: it follows from nothing else.
bool isConstant(mlir::Value value);
/// Whether `value` is omitted or a constant of zeros.
bool isZero(mlir::Value value);

} // namespace mho::import

#endif // MHO_LIB_IMPORT_ONNX_QUANTIZATION_H
