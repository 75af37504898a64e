//===- mhoc.cpp - compiles an ONNX model for an analog chip ---------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"

#include "llvm/Support/InitLLVM.h"

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  mho::mhoc::Options options;
  if (int code = mho::mhoc::parseOptions(argc, argv, options))
    return code == mho::mhoc::kDone ? 0 : code;
  return mho::mhoc::run(options);
}
