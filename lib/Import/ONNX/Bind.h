//===- Bind.h - what the user says of a model's inputs --------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_IMPORT_ONNX_BIND_H
#define MHO_LIB_IMPORT_ONNX_BIND_H

#include "mho/Import/ONNX/Import.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "onnx/onnx_pb.h"
#include "llvm/ADT/StringMap.h"

namespace mho::import {

/// Gives every dimension of the model's inputs an extent, from the options and
/// by default, and the constants that inputs are frozen to in `frozen`. Notes
/// what was defaulted on `context`; throws ModelError.
void bindInputs(onnx::ModelProto &model, const ImportOptions &options,
                mlir::MLIRContext &context,
                llvm::StringMap<mlir::ElementsAttr> &frozen);

} // namespace mho::import

#endif // MHO_LIB_IMPORT_ONNX_BIND_H
