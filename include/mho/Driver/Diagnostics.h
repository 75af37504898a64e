//===- Diagnostics.h - what a compilation says, in lines for people -------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DRIVER_DIAGNOSTICS_H
#define MHO_DRIVER_DIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"

#include <functional>
#include <string>

namespace mho {

/// Gives every diagnostic of a context, and each of its notes, to `sink` as one
/// line: the model and the ONNX node, where the location names one, then what
/// is wrong. May be called from the context's threads, one after the other.
class Diagnostics {
public:
  using Sink = std::function<void(mlir::DiagnosticSeverity severity,
                                  const std::string &line)>;

  /// `model` is the model's name in messages.
  Diagnostics(mlir::MLIRContext &context, std::string model, Sink sink);

private:
  void tell(mlir::Diagnostic &diagnostic, mlir::DiagnosticSeverity severity);

  std::string model;
  Sink sink;
  mlir::ScopedDiagnosticHandler handler;
};

/// "error", "warning" or "note".
llvm::StringRef nameOf(mlir::DiagnosticSeverity severity);

} // namespace mho

#endif // MHO_DRIVER_DIAGNOSTICS_H
