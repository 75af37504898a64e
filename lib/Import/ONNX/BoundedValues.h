//===- BoundedValues.h - tensors across borders of fixed shape --*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What enters or leaves a program, a loop or a branch has one place in memory,
// and so room for the bounds of its extents: on one side of the border the
// tensor lies in the front corner of that room, on the other it is cut out.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_IMPORT_ONNX_BOUNDEDVALUES_H
#define MHO_LIB_IMPORT_ONNX_BOUNDEDVALUES_H

#include "Extents.h"

namespace mho::import {

/// The type with the bounds as extents.
mlir::RankedTensorType roomType(const Extents &extents,
                                mlir::RankedTensorType type);

/// `value` in the front corner of `room`, or of a new one where that is null.
/// What has no bounded extents is its own room.
mlir::Value intoRoom(mlir::OpBuilder &b, mlir::Location loc,
                     const Extents &extents, mlir::Value value,
                     mlir::Value room = {});

/// The tensor of `type` that lies in the front corner of `room`.
mlir::Value outOfRoom(mlir::OpBuilder &b, mlir::Location loc,
                      const Extents &extents, mlir::Value room,
                      mlir::RankedTensorType type);

} // namespace mho::import

#endif // MHO_LIB_IMPORT_ONNX_BOUNDEDVALUES_H
