//===- Run.cpp - one compilation from options to files --------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"

#include "mho/Support/TemporaryFile.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/ToolOutputFile.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace mho::mhoc {

namespace {

/// One line per diagnostic: the ONNX node, where the location names one, then
/// what is wrong.
class Diagnostics {
public:
  Diagnostics(mlir::MLIRContext &context, std::string model)
      : model(std::move(model)),
        handler(&context, [this](mlir::Diagnostic &diagnostic) {
          print(diagnostic);
          return mlir::success();
        }) {}

private:
  void print(mlir::Diagnostic &diagnostic) {
    print(diagnostic, diagnostic.getSeverity());
    for (mlir::Diagnostic &note : diagnostic.getNotes())
      print(note, mlir::DiagnosticSeverity::Note);
  }

  void print(mlir::Diagnostic &diagnostic, mlir::DiagnosticSeverity severity) {
    StringRef kind = severity == mlir::DiagnosticSeverity::Error ? "error: "
                     : severity == mlir::DiagnosticSeverity::Warning
                         ? "warning: "
                     : severity == mlir::DiagnosticSeverity::Remark ? "note: "
                                                                    : "note: ";
    std::string text;
    raw_string_ostream os(text);
    os << "mhoc: " << kind;
    std::string node = nodeOf(diagnostic.getLocation());
    if (!node.empty())
      os << model << ": node '" << node << "': ";
    os << diagnostic << "\n";
    errs() << text;
  }

  static std::string nodeOf(mlir::Location location) {
    std::string name;
    location->walk([&](mlir::Location inner) {
      auto named = dyn_cast<mlir::NameLoc>(inner);
      if (!named || named.getName().getValue().starts_with("@"))
        return mlir::WalkResult::advance();
      name = named.getName().str();
      return mlir::WalkResult::interrupt();
    });
    return name;
  }

  std::string model;
  mlir::ScopedDiagnosticHandler handler;
};

mlir::LogicalResult writeText(mlir::ModuleOp module, const Options &options) {
  std::error_code code;
  ToolOutputFile file(options.output, code,
                      options.emitBytecode ? sys::fs::OF_None
                                           : sys::fs::OF_Text);
  if (code) {
    return mlir::emitError(mlir::UnknownLoc::get(module.getContext()))
           << "cannot write '" << options.output << "': " << code.message();
  }
  if (options.emitBytecode) {
    if (failed(mlir::writeBytecodeToFile(module, file.os())))
      return mlir::failure();
  } else {
    mlir::OpPrintingFlags flags;
    flags.elideLargeElementsAttrs(16).elideLargeResourceString(0);
    module.print(file.os(), flags);
  }
  file.os().flush();
  if (file.os().has_error()) {
    std::string message = file.os().error().message();
    file.os().clear_error();
    return mlir::emitError(mlir::UnknownLoc::get(module.getContext()))
           << "cannot write '" << options.output << "': " << message;
  }
  file.keep();
  return mlir::success();
}

mlir::LogicalResult compile(mlir::MLIRContext &context,
                            const Options &options) {
  CompileOptions wanted = options.compile;
  if (!options.calibrationFile.empty())
    wanted.calibrate = [&](const std::string &path) {
      return calibrateOn(path, options.calibrationFile);
    };
  Compilation compilation(context, wanted);
  if (failed(compilation.import()))
    return mlir::failure();
  if (options.explain) {
    mlir::OwningOpRef<mlir::ModuleOp> graph = compilation.module().clone();
    if (failed(compilation.lowerTo(Phase::Placed)))
      return mlir::failure();
    explain(*graph, compilation.module(), compilation.chip(), outs());
  }
  if (failed(compilation.lowerTo(options.stopAt)))
    return mlir::failure();
  if (options.stopAt != Phase::Binary)
    return options.output.empty() ? mlir::success()
                                  : writeText(compilation.module(), options);
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
    Status written = writeReport(output, options.report);
    if (!written.ok())
      return mlir::emitError(mlir::UnknownLoc::get(&context),
                             written.message());
  }
  return mlir::success();
}

} // namespace

int run(const Options &options) {
  mlir::DialectRegistry registry;
  registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  Diagnostics diagnostics(context,
                          sys::path::filename(options.compile.model).str());
  return failed(compile(context, options)) ? 1 : 0;
}

} // namespace mho::mhoc
