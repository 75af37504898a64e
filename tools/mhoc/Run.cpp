//===- Run.cpp - one compilation from options to files --------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../StandardOutput.h"
#include "Options.h"

#include "mho/Driver/Calibrate.h"
#include "mho/Driver/Diagnostics.h"
#include "mho/Runtime/Npz.h"
#include "mho/Support/Progress.h"
#include "mho/Support/TemporaryFile.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace mho::mhoc {

namespace {

/// Ranges that the program at `path` saw on the arrays of an .npz file.
Expected<RangesByBank> calibrateOnFile(const std::string &path,
                                       const std::string &samples,
                                       Progress &progress) {
  auto arrays = rt::readNpz(samples);
  if (!arrays.ok())
    return arrays.status();
  auto ranges =
      calibrateOn(path, *arrays, [&](double share) { progress.update(share); });
  return ranges.ok() ? ranges
                     : Status(ranges.status())
                           .within("calibrating on '" + samples + "'");
}

mlir::LogicalResult writeModule(mlir::ModuleOp module, const Options &options) {
  std::string content;
  raw_string_ostream os(content);
  if (options.emitBytecode) {
    if (failed(mlir::writeBytecodeToFile(module, os)))
      return mlir::failure();
  } else {
    mlir::OpPrintingFlags flags;
    flags.elideLargeElementsAttrs(16).elideLargeResourceString(0);
    module.print(os, flags);
  }
  std::string error;
  if (options.output == "-") {
    outs() << content;
    error = flushStandardOutput();
  } else if (Status written = writeFileAtomically(options.output, content);
             !written.ok()) {
    error = written.message();
  }
  if (!error.empty())
    return mlir::emitError(mlir::UnknownLoc::get(module.getContext()), error);
  return mlir::success();
}

mlir::LogicalResult compile(mlir::MLIRContext &context, const Options &options,
                            Progress &progress) {
  CompileOptions wanted = options.compile;
  wanted.onStep = [&](const std::string &what) { progress.step(what); };
  if (!options.calibrationFile.empty())
    wanted.calibrate = [&](const std::string &path) {
      return calibrateOnFile(path, options.calibrationFile, progress);
    };
  Compilation compilation(context, wanted);
  if (failed(compilation.import()))
    return mlir::failure();
  if (options.explain) {
    mlir::OwningOpRef<mlir::ModuleOp> graph = compilation.module().clone();
    if (failed(compilation.lowerTo(Phase::Placed)))
      return mlir::failure();
    std::string error;
    progress.pause([&] {
      explain(*graph, compilation.module(), compilation.chip(), outs());
      error = flushStandardOutput();
    });
    if (!error.empty())
      return mlir::emitError(mlir::UnknownLoc::get(&context), error);
  }
  if (failed(compilation.lowerTo(options.stopAt)))
    return mlir::failure();
  if (options.stopAt != Phase::Binary)
    return options.output.empty() ? mlir::success()
                                  : writeModule(compilation.module(), options);
  std::string output = options.output;
  std::optional<TemporaryFile> scratch;
  if (output.empty() && !options.report.empty()) {
    auto file = TemporaryFile::create("mho-report");
    if (!file.ok())
      return mlir::emitError(mlir::UnknownLoc::get(&context), file.message());
    scratch = std::move(*file);
    output = scratch->path();
  }
  if (output.empty())
    return mlir::success();
  if (failed(compilation.emit(output)))
    return mlir::failure();
  if (!options.report.empty()) {
    progress.step("timing a run");
    Status written = writeReport(output, options.report);
    if (!written.ok())
      return mlir::emitError(mlir::UnknownLoc::get(&context),
                             written.message());
  }
  return mlir::success();
}

} // namespace

bool readConstant(const std::string &file, const std::string &key,
                  ImportArray &array, std::string &error) {
  auto arrays = rt::readNpz(file);
  if (!arrays.ok()) {
    error = arrays.message();
    return false;
  }
  auto found = arrays->find(key);
  if (found == arrays->end()) {
    error = "'" + file + "' has no array '" + key + "'";
    return false;
  }
  array = importArray(found->second);
  return true;
}

int run(const Options &options) {
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  Progress progress("mhoc");
  Diagnostics diagnostics(
      context, sys::path::filename(options.compile.model).str(),
      [&](mlir::DiagnosticSeverity severity, const std::string &line) {
        progress.pause([&] {
          errs() << "mhoc: " + nameOf(severity).str() + ": " + line + "\n";
        });
      });
  return failed(compile(context, options, progress)) ? 1 : 0;
}

} // namespace mho::mhoc
