//===- Tensors.h - ONNX tensors and types in MLIR -------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_IMPORT_ONNX_TENSORS_H
#define MHO_LIB_IMPORT_ONNX_TENSORS_H

#include "Files.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Value.h"
#include "onnx/onnx_pb.h"

#include <optional>

namespace mho::import {

/// The element type of an ONNX data type; null for what has none here (strings
/// and complex numbers).
mlir::Type elementType(mlir::MLIRContext *context, int dataType);
std::string dataTypeName(int dataType);
/// The ONNX data type of an element type, UNDEFINED if there is none.
int dataTypeOf(mlir::Type element);

/// A tensor type whose size is sane; throws ModelError if not.
mlir::RankedTensorType tensorType(llvm::ArrayRef<int64_t> shape,
                                  mlir::Type element);

/// The constant that `tensor` holds; large ones stay in their file, and
/// packed where elements are of less than a byte; in small ones these take a
/// byte each, the bits above them zero. Throws.
mlir::ElementsAttr constantOf(mlir::MLIRContext *context,
                              const onnx::TensorProto &tensor,
                              ModelFiles &files);

/// The same for a sparse tensor, all elements in one dense constant.
mlir::ElementsAttr densified(mlir::MLIRContext *context,
                             const onnx::SparseTensorProto &tensor,
                             ModelFiles &files);

} // namespace mho::import

#endif // MHO_LIB_IMPORT_ONNX_TENSORS_H
