//===- Errors.h - what stops an import ------------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Thrown inside this library only; importOnnx turns them into diagnostics.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_IMPORT_ONNX_ERRORS_H
#define MHO_LIB_IMPORT_ONNX_ERRORS_H

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace mho::import {

/// The file is at fault.
struct ModelError : std::runtime_error {
  using runtime_error::runtime_error;
};

/// The node is legal, but of a form that has no meaning here.
struct Unsupported : std::runtime_error {
  using runtime_error::runtime_error;
  Unsupported(const std::string &what, std::vector<std::string> freeze)
      : runtime_error(what), freeze(std::move(freeze)) {}

  /// Inputs of the model that it would have a meaning with, were they known.
  std::vector<std::string> freeze;
};

} // namespace mho::import

#endif // MHO_LIB_IMPORT_ONNX_ERRORS_H
