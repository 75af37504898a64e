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

namespace mho::import {

/// The file is at fault.
struct ModelError : std::runtime_error {
  using runtime_error::runtime_error;
};

/// The node is legal, but of a form that has no meaning here.
struct Unsupported : std::runtime_error {
  using runtime_error::runtime_error;
};

} // namespace mho::import

#endif // MHO_LIB_IMPORT_ONNX_ERRORS_H
