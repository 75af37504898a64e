//===- mho-run.cpp - executes a program on a model of its chip ------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <new>

int main(int argc, char **argv) {
  mho::run::Options options;
  if (int code = mho::run::parseOptions(argc, argv, options))
    return code == mho::run::kDone ? 0 : code;
  try {
    bool differs = false;
    mho::Status status = mho::run::runProgram(options, differs);
    if (status.ok() && (std::fflush(stdout) != 0 || std::ferror(stdout)))
      status = mho::failure(std::string("cannot write to stdout: ") +
                            std::strerror(errno));
    if (!status.ok())
      std::cerr << "mho-run: error: " << status.message() << "\n";
    return status.ok() && !differs ? 0 : 1;
  } catch (const std::bad_alloc &) {
    std::cerr << "mho-run: error: '" << options.program
              << "' needs more memory than there is\n";
    return 1;
  }
}
