//===- Compile.h - a model to a program, phase by phase -------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_PIPELINES_COMPILE_H
#define MHO_PIPELINES_COMPILE_H

#include "mho/Import/ONNX/Import.h"
#include "mho/Pipelines/Pipelines.h"
#include "mho/Support/Status.h"

#include "llvm/ADT/StringRef.h"

#include <functional>
#include <string>
#include <vector>

namespace mho {

/// What `mhoc` and the Python package ask for.
struct CompileOptions {
  std::string model; ///< path of the .onnx file, or its name in messages
  std::string target = "hermes"; ///< built-in chip or a chip file
  std::string readMode;          ///< empty: the chip's default
  ImportOptions import;
  uint64_t seed = 0;
  std::string dumpFolder; ///< empty: no dumps
  /// Runs a program without ranges on sample data; set when calibrating.
  std::function<Expected<RangesByBank>(const std::string &programPath)>
      calibrate;
  /// Sets up every pass manager, as command-line flags say; may be null.
  std::function<mlir::LogicalResult(mlir::PassManager &)> configure;
  /// Told what is being done now, before it begins; may be null.
  std::function<void(const std::string &what)> onStep;
};

/// Compiles step by step. Failures are diagnostics on the context.
class Compilation {
public:
  Compilation(mlir::MLIRContext &context, CompileOptions options);

  /// Reads the chip and the model; ends in phase graph (unsupported nodes not
  /// yet refused, so that `explain` can list them).
  mlir::LogicalResult import();
  /// Runs the passes up to `phase` (at most tile), calibrating on the way.
  mlir::LogicalResult lowerTo(Phase phase);
  /// Writes the tile phase to a .mho file.
  mlir::LogicalResult emit(const std::string &path);

  mlir::ModuleOp module() { return *root; }
  /// After a failure: inputs whose values some node needs when compiling.
  std::vector<std::string> inputsToFreeze();
  const ChipModel &chip() const { return *chipModel; }
  Phase phase() const { return reached; }

private:
  void tellStep(const std::string &what);
  mlir::LogicalResult runStep(Phase next, RangesByBank ranges);
  mlir::LogicalResult calibrate(RangesByBank &ranges);
  mlir::LogicalResult dump(Phase phase);

  mlir::MLIRContext &context;
  CompileOptions options;
  std::shared_ptr<const ChipModel> chipModel;
  mlir::OwningOpRef<mlir::ModuleOp> root;
  Phase reached = Phase::Graph;
  bool verified = false;
  bool calibrated = false;
};

} // namespace mho

#endif // MHO_PIPELINES_COMPILE_H
