//===- Compile.cpp - one compilation for Python ---------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compile.h"

#include "mho/Driver/Calibrate.h"
#include "mho/Driver/Diagnostics.h"
#include "mho/Pipelines/Compile.h"
#include "mho/Support/TemporaryFile.h"

#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace mho;
using namespace mho::python;

static CompileOptions optionsOf(const CompileRequest &request) {
  CompileOptions options;
  options.model = request.model;
  options.target = request.target;
  options.readMode = request.readMode;
  options.seed = request.seed;
  options.import.shapes = request.shapes;
  for (const auto &[name, tensor] : request.constants)
    options.import.frozen.emplace_back(name, importArray(tensor));
  if (request.bytes) {
    llvm::StringRef bytes(request.bytes->data(), request.bytes->size());
    options.import.model = llvm::MemoryBuffer::getMemBuffer(
        bytes, request.model, /*RequiresNullTerminator=*/false);
    options.import.folder = request.folder;
  }
  if (request.calibrate)
    options.calibrate = [&](const std::string &path) {
      auto ranges = calibrateOn(path, *request.calibrate);
      return ranges.ok() ? ranges
                         : Status(ranges.status()).within("calibrating");
    };
  return options;
}

static std::string textOf(mlir::ModuleOp module) {
  std::string text;
  llvm::raw_string_ostream os(text);
  mlir::OpPrintingFlags flags;
  flags.elideLargeElementsAttrs(16).elideLargeResourceString(0);
  module.print(os, flags);
  return text;
}

Compiled mho::python::compile(const CompileRequest &request) {
  static const mlir::DialectRegistry registry = [] {
    mlir::DialectRegistry all;
    registerAllDialects(all);
    return all;
  }();
  Compiled compiled;
  auto phase = phaseNamed(request.phase);
  if (!phase) {
    compiled.errors.push_back("expected phase graph, analog, placed, tile or "
                              "binary, found '" +
                              request.phase + "'");
    return compiled;
  }
  mlir::MLIRContext context(registry);
  Diagnostics diagnostics(
      context, llvm::sys::path::filename(request.model).str(),
      [&](mlir::DiagnosticSeverity severity, const std::string &line) {
        bool isError = severity == mlir::DiagnosticSeverity::Error;
        (isError ? compiled.errors : compiled.notes).push_back(line);
      });
  Compilation compilation(context, optionsOf(request));
  auto fail = [&](const std::string &what) {
    if (!what.empty() || compiled.errors.empty())
      compiled.errors.push_back(what);
    compiled.freeze = compilation.inputsToFreeze();
    return std::move(compiled);
  };
  if (failed(compilation.import()) || failed(compilation.lowerTo(*phase)))
    return fail("");
  if (*phase != Phase::Binary) {
    compiled.text = textOf(compilation.module());
    return compiled;
  }
  auto file = TemporaryFile::create("mho-program");
  if (!file.ok())
    return fail(file.message());
  if (failed(compilation.emit(file->path())))
    return fail("");
  auto program = Program::load(std::move(*file));
  if (!program.ok())
    return fail(program.message());
  compiled.program = std::move(*program);
  return compiled;
}
