//===- Compile.h - one compilation for Python -----------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_PYTHON_COMPILE_H
#define MHO_PYTHON_COMPILE_H

#include "Program.h"

#include <optional>
#include <string>
#include <vector>

namespace mho::python {

/// What mho.compile is asked for. Arrays are copies, so that nothing of Python
/// is touched without its lock.
struct CompileRequest {
  std::string model; ///< path, or a name where `bytes` is given
  /// A serialized model that the caller keeps, and its external data's folder.
  std::optional<std::string_view> bytes;
  std::string folder;
  std::string target, readMode;
  std::vector<std::string> shapes;
  rt::TensorMap constants;
  std::optional<rt::TensorMap> calibrate;
  uint64_t seed = 0;
  std::string phase; ///< where to stop; "binary" makes a program
};

/// A program (or IR text), or what was wrong: lines as mhoc prints them.
struct Compiled {
  std::unique_ptr<Program> program;
  std::string text;
  std::vector<std::string> errors, notes;
  /// Inputs whose values the compiler asks for.
  std::vector<std::string> freeze;
};

Compiled compile(const CompileRequest &request);

} // namespace mho::python

#endif // MHO_PYTHON_COMPILE_H
