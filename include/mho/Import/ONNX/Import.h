//===- Import.h - an ONNX file becomes phase graph ------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_IMPORT_ONNX_IMPORT_H
#define MHO_IMPORT_ONNX_IMPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"

#include <functional>
#include <string>
#include <vector>

namespace mho {

/// An array from a file, elements in row-major order.
struct ImportArray {
  std::vector<int64_t> shape;
  /// Every element as a double; exact for what steers shapes.
  std::vector<double> values;
  /// 8 or 16 if these are unsigned numbers of that width, which may be bit
  /// patterns of a type that the file format lacks; else 0.
  unsigned patternBits = 0;
};

struct ImportOptions {
  /// `x=1x3x32x32` binds an input's dimensions, `batch=1` a symbol.
  std::vector<std::string> shapes;
  /// `sr=16000` freezes an input; lists are `2,3`; `sr=FILE.npz:KEY` asks
  /// `readArray`.
  std::vector<std::string> constants;
  /// `loop_1=100`: the Loop node of this name stops after so many steps.
  std::vector<std::string> loopBounds;
  /// Reads array `key` of an .npz file, or sets `error`.
  std::function<bool(const std::string &file, const std::string &key,
                     ImportArray &array, std::string &error)>
      readArray;
};

/// Module attributes that the importer sets.
///
/// The model's file name, without its folder.
inline constexpr llvm::StringLiteral kModelAttr = "mho.model";
/// Version of ONNX's default domain (i64).
inline constexpr llvm::StringLiteral kOpsetAttr = "mho.opset";
/// Nodes that were folded or merged at import: array of "name@Operator".
inline constexpr llvm::StringLiteral kFoldedAttr = "mho.folded";
/// On arguments and results of @main: the ONNX name.
inline constexpr llvm::StringLiteral kNameAttr = "mho.name";

/// Reads the model at `path`: one function @main on static tensors. What is
/// wrong with the file is reported on the context's diagnostics, and the result
/// is null. Operators without meaning become graph.unsupported. Weights stay in
/// the mapped file.
mlir::OwningOpRef<mlir::ModuleOp> importOnnx(llvm::StringRef path,
                                             const ImportOptions &options,
                                             mlir::MLIRContext &context);

} // namespace mho

#endif // MHO_IMPORT_ONNX_IMPORT_H
