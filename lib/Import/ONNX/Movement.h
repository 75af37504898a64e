//===- Movement.h - joining tensors, for several handlers -----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_IMPORT_ONNX_MOVEMENT_H
#define MHO_LIB_IMPORT_ONNX_MOVEMENT_H

#include "Node.h"

namespace mho::import {

/// Tensors joined along `axis` (not negative). What does not fit together is
/// the file's fault.
mlir::Value concatenate(Node &n, llvm::ArrayRef<mlir::Value> parts,
                        int64_t axis);

} // namespace mho::import

#endif // MHO_LIB_IMPORT_ONNX_MOVEMENT_H
