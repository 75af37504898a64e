//===- QuantizedProducts.h - products of quantized tensors ---------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_IMPORT_ONNX_QUANTIZEDPRODUCTS_H
#define MHO_LIB_IMPORT_ONNX_QUANTIZEDPRODUCTS_H

#include "Quantization.h"

namespace mho::import {

/// (a - aZero)·(c - cZero) by MatMul's rules: f32 where c is constant, so that
/// an array can hold it, else i32. A zero of rank 1 is one per row of a, or per
/// column of c.
mlir::Value quantizedMatMul(Node &n, mlir::Value a, mlir::Value aZero,
                            mlir::Value c, mlir::Value cZero);

/// sum · factor, quantized.
mlir::Value requantized(Node &n, mlir::Value sum, mlir::Value factor,
                        Quantizer to, mlir::Type element);

/// sum · (a's scale · c's scale) in f32, plus a bias that may be null.
mlir::Value scaled(Node &n, mlir::Value sum, mlir::Value aScale,
                   mlir::Value cScale, mlir::Value bias);

/// The quantizer to u8 whose range just covers x and zero.
Quantizer coveringRange(Node &n, mlir::Value x);

/// A parameter per row as a column that broadcasts over a matrix.
mlir::Value overRows(Node &n, mlir::Value parameter, int64_t rank);

} // namespace mho::import

#endif // MHO_LIB_IMPORT_ONNX_QUANTIZEDPRODUCTS_H
