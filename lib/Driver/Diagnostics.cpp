//===- Diagnostics.cpp - what a compilation says, in lines for people -----===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Driver/Diagnostics.h"

#include "mlir/IR/Location.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace mho {

StringRef nameOf(mlir::DiagnosticSeverity severity) {
  switch (severity) {
  case mlir::DiagnosticSeverity::Error:
    return "error";
  case mlir::DiagnosticSeverity::Warning:
    return "warning";
  case mlir::DiagnosticSeverity::Note:
  case mlir::DiagnosticSeverity::Remark:
    break;
  }
  return "note";
}

/// The ONNX node that a location names, if any.
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

Diagnostics::Diagnostics(mlir::MLIRContext &context, std::string model,
                         Sink sink)
    : model(std::move(model)), sink(std::move(sink)),
      handler(&context, [this](mlir::Diagnostic &diagnostic) {
        tell(diagnostic, diagnostic.getSeverity());
        for (mlir::Diagnostic &note : diagnostic.getNotes())
          tell(note, mlir::DiagnosticSeverity::Note);
        return mlir::success();
      }) {}

void Diagnostics::tell(mlir::Diagnostic &diagnostic,
                       mlir::DiagnosticSeverity severity) {
  std::string text;
  raw_string_ostream os(text);
  std::string node = nodeOf(diagnostic.getLocation());
  if (!node.empty())
    os << model << ": node '" << node << "': ";
  os << diagnostic;
  sink(severity, text);
}

} // namespace mho
