//===- Selection.h - results whose extents follow from elements -*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What is known when compiling is computed there; else the places of a mask's
// true elements are collected in room for all of them, and their number is an
// extent like any other.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_IMPORT_ONNX_SELECTION_H
#define MHO_LIB_IMPORT_ONNX_SELECTION_H

#include "Node.h"

namespace mho::import {

/// Coordinates of the elements of `x` that are not zero, one row each, in
/// row-major order: [count, rank].
mlir::Value nonZeroPlaces(Node &n, mlir::Value x);
/// Numbers of the elements of a vector that are not zero: [count].
mlir::Value chosen(Node &n, mlir::Value mask);
/// Positions `indices` of an axis of x.
mlir::Value gathered(Node &n, mlir::Value x, mlir::Value indices, int64_t axis);

/// Unique and NonMaxSuppression of what only the run knows.
void uniqueAtRunTime(Node &n);
void suppressAtRunTime(Node &n);

} // namespace mho::import

#endif // MHO_LIB_IMPORT_ONNX_SELECTION_H
