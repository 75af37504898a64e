//===- StandardOutput.h - what a tool printed was printed -----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_TOOLS_STANDARDOUTPUT_H
#define MHO_TOOLS_STANDARDOUTPUT_H

#include "llvm/Support/raw_ostream.h"

#include <string>

namespace mho {

/// Writes out what llvm::outs() holds. The fault, empty where there is none: a
/// stream with an unread fault ends the program with a message of LLVM's own.
inline std::string flushStandardOutput() {
  llvm::outs().flush();
  std::error_code code = llvm::outs().error();
  llvm::outs().clear_error();
  return code ? "cannot write to stdout: " + code.message() : std::string();
}

} // namespace mho

#endif // MHO_TOOLS_STANDARDOUTPUT_H
