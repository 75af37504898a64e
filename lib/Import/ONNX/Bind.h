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

#include <map>
#include <string>
#include <vector>

namespace mho::import {

/// A dimension whose extent the run gives, within limits. Those of one name
/// are the same.
struct BoundedDim {
  std::string name;
  int64_t low, high;
};
/// By input and axis.
using BoundedDims = std::map<std::pair<std::string, int64_t>, BoundedDim>;

/// What inputs of the model stand for other than a tensor of fixed shape.
struct Bound {
  /// Inputs that are constants.
  llvm::StringMap<mlir::ElementsAttr> frozen;
  /// Sequences, with the inputs (added to the model) that are their elements.
  llvm::StringMap<std::vector<std::string>> sequences;
  /// Optionals without an element.
  std::vector<std::string> absent;
  /// Dimensions that have the extent of their bound in the model now.
  BoundedDims bounded;
};

/// Name of an element of a sequence at a program's border.
inline std::string elementName(const std::string &sequence, size_t i) {
  return sequence + "[" + std::to_string(i) + "]";
}

/// Gives every dimension of the model's inputs an extent, from the options and
/// by default. Notes what was defaulted on `context`; throws ModelError.
Bound bindInputs(onnx::ModelProto &model, const ImportOptions &options,
                 mlir::MLIRContext &context);

} // namespace mho::import

#endif // MHO_LIB_IMPORT_ONNX_BIND_H
