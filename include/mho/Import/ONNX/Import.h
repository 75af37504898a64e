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
#include "llvm/Support/MemoryBuffer.h"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mho {

/// A value given for an input, elements in row-major order: integers and
/// booleans in `integers`, anything else in `reals`.
struct ImportArray {
  std::vector<int64_t> shape;
  bool integral = false;
  std::vector<int64_t> integers;
  std::vector<double> reals;
  /// 8 or 16 if these are unsigned numbers of that width, which may be bit
  /// patterns of a type that the file format lacks; else 0.
  unsigned patternBits = 0;

  size_t elements() const { return integral ? integers.size() : reals.size(); }
};

struct ImportOptions {
  /// `x=1x3x32x32` binds an input's dimensions, `batch=1` a symbol.
  std::vector<std::string> shapes;
  /// `sr=16000` freezes an input; lists are `2,3`; `sr=FILE.npz:KEY` asks
  /// `readArray`.
  std::vector<std::string> constants;
  /// The same with the value at hand: {input, value}.
  std::vector<std::pair<std::string, ImportArray>> frozen;
  /// `loop_1=100`: the Loop (or Range) node of this name stops after so many
  /// steps (or elements).
  std::vector<std::string> loopBounds;
  /// Reads array `key` of an .npz file, or sets `error`.
  std::function<bool(const std::string &file, const std::string &key,
                     ImportArray &array, std::string &error)>
      readArray;
  /// The model itself, where it is in memory; `path` is then only its name.
  std::shared_ptr<llvm::MemoryBuffer> model;
  /// Where external data of such a model lies.
  std::string folder;
};

/// Module attributes that the importer sets.
///
/// The model's file name, without its folder.
inline constexpr llvm::StringLiteral kModelAttr = "mho.model";
/// Version of ONNX's default domain (i64).
inline constexpr llvm::StringLiteral kOpsetAttr = "mho.opset";
/// Nodes that were folded or merged at import: array of "name@Operator".
inline constexpr llvm::StringLiteral kFoldedAttr = "mho.folded";
/// On graph.unsupported: names of the inputs (array of strings) that would have
/// to be frozen for the node to be translated.
inline constexpr llvm::StringLiteral kFreezeAttr = "mho.freeze";
/// On arguments and results of @main: the ONNX name.
inline constexpr llvm::StringLiteral kNameAttr = "mho.name";
/// On an argument: for each dimension "NAME=LOW..HIGH" where only the run knows
/// its extent, else "". Those of one name are the same.
inline constexpr llvm::StringLiteral kBoundsAttr = "mho.bounds";

/// Reads the model at `path`: one function @main on static tensors. What is
/// wrong with the file is reported on the context's diagnostics, and the result
/// is null. Operators without meaning become graph.unsupported. Weights stay in
/// the mapped file.
mlir::OwningOpRef<mlir::ModuleOp> importOnnx(llvm::StringRef path,
                                             const ImportOptions &options,
                                             mlir::MLIRContext &context);

} // namespace mho

#endif // MHO_IMPORT_ONNX_IMPORT_H
