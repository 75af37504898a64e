//===- Compile.cpp - a model to a program, phase by phase -----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Pipelines/Compile.h"

#include "mho/Dialect/Graph/IR/GraphOps.h"
#include "mho/Support/TemporaryFile.h"
#include "mho/Target/Program/Emit.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/Verifier.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/ToolOutputFile.h"

#include <set>

using namespace mlir;
using namespace mho;

Compilation::Compilation(MLIRContext &context, CompileOptions options)
    : context(context), options(std::move(options)) {}

void Compilation::tellStep(const std::string &what) {
  if (options.onStep)
    options.onStep(what);
}

LogicalResult Compilation::import() {
  tellStep("importing");
  auto chip = ChipModel::read(options.target);
  if (!chip.ok())
    return emitError(UnknownLoc::get(&context), chip.message());
  if (!options.readMode.empty()) {
    auto selected = (*chip)->withReadMode(options.readMode);
    if (!selected.ok())
      return emitError(UnknownLoc::get(&context), selected.message());
    chipModel = *selected;
  } else {
    chipModel = *chip;
  }
  root = importOnnx(options.model, options.import, context);
  reached = Phase::Graph;
  return mlir::success(bool(root));
}

LogicalResult Compilation::runStep(Phase next, RangesByBank ranges) {
  tellStep("phase " + nameOf(next).str());
  PassManager passes(&context);
  if (options.configure && failed(options.configure(passes)))
    return mlir::failure();
  switch (next) {
  case Phase::Graph:
    buildGraphPipeline(passes);
    break;
  case Phase::Analog:
    buildAnalogPipeline(passes, *chipModel);
    break;
  case Phase::Placed:
    buildPlacedPipeline(passes, chipModel, std::move(ranges));
    break;
  case Phase::Tile:
  case Phase::Binary:
    buildTilePipeline(passes);
    break;
  }
  if (failed(passes.run(*root)))
    return mlir::failure();
  reached = next;
  return dump(next);
}

LogicalResult Compilation::lowerTo(Phase phase) {
  if (!verified) {
    if (failed(runStep(Phase::Graph, {})))
      return mlir::failure();
    verified = true;
  }
  phase = std::min(phase, Phase::Tile);
  while (reached < phase) {
    Phase next = Phase(int(reached) + 1);
    if (failed(runStep(next, {})))
      return mlir::failure();
    if (next == Phase::Placed && options.calibrate) {
      RangesByBank ranges;
      if (failed(calibrate(ranges)))
        return mlir::failure();
      PassManager passes(&context);
      passes.addPass(createSetRangesPass(std::move(ranges)));
      passes.addPass(createVerifyPlaced());
      if (failed(passes.run(*root)) || failed(dump(Phase::Placed)))
        return mlir::failure();
      calibrated = true;
    }
  }
  return mlir::success();
}

/// Runs the same program, its ranges not yet set by data, on the samples:
/// there is no second evaluator.
LogicalResult Compilation::calibrate(RangesByBank &ranges) {
  tellStep("preparing calibration");
  Compilation trial(context, options);
  trial.options.calibrate = nullptr;
  trial.options.onStep = nullptr;
  trial.options.dumpFolder.clear();
  trial.chipModel = chipModel;
  trial.root = root->clone();
  trial.reached = Phase::Placed;
  trial.verified = true;
  Expected<TemporaryFile> file = TemporaryFile::create("mho-calibration");
  if (!file.ok())
    return emitError(UnknownLoc::get(&context), file.message());
  if (failed(trial.lowerTo(Phase::Tile)) || failed(trial.emit(file->path())))
    return mlir::failure();
  tellStep("calibrating");
  auto found = options.calibrate(file->path());
  if (!found.ok())
    return emitError(UnknownLoc::get(&context), found.message());
  ranges = std::move(*found);
  return mlir::success();
}

std::vector<std::string> Compilation::inputsToFreeze() {
  std::set<std::string> names;
  if (root)
    root->walk([&](graph::UnsupportedOp op) {
      if (auto inputs = op->getAttrOfType<ArrayAttr>(kFreezeAttr))
        for (StringAttr name : inputs.getAsRange<StringAttr>())
          names.insert(name.str());
    });
  return {names.begin(), names.end()};
}

LogicalResult Compilation::emit(const std::string &path) {
  tellStep("writing the program");
  EmitOptions emit;
  emit.seed = options.seed;
  emit.calibrated = calibrated;
  return emitProgram(*root, path, chipModel->chip(), emit);
}

LogicalResult Compilation::dump(Phase phase) {
  if (options.dumpFolder.empty())
    return mlir::success();
  std::error_code code = llvm::sys::fs::create_directories(options.dumpFolder);
  std::string path = options.dumpFolder + "/" + std::to_string(int(phase)) +
                     "-" + nameOf(phase).str() + ".mlir";
  if (!code) {
    llvm::ToolOutputFile file(path, code, llvm::sys::fs::OF_Text);
    if (!code) {
      OpPrintingFlags flags;
      flags.enableDebugInfo(true)
          .elideLargeElementsAttrs(16)
          .elideLargeResourceString(0);
      root->print(file.os(), flags);
      file.keep();
      return mlir::success();
    }
  }
  return emitError(UnknownLoc::get(&context), "cannot write '")
         << path << "': " << code.message();
}
