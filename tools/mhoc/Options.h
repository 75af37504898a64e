//===- Options.h - what mhoc is asked for ---------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_TOOLS_MHOC_OPTIONS_H
#define MHO_TOOLS_MHOC_OPTIONS_H

#include "mho/Pipelines/Compile.h"

#include <string>

namespace mho::mhoc {

struct Options {
  CompileOptions compile;
  std::string output;
  std::string calibrationFile;
  std::string report;
  Phase stopAt = Phase::Binary;
  bool explain = false;
  bool emitBytecode = false;
};

/// parseOptions' answer when everything asked for is done already (--help).
inline constexpr int kDone = -1;

/// Fills `options`; 0 to go on, kDone, or the exit code of wrong usage (2).
int parseOptions(int argc, char **argv, Options &options);

/// Compiles as asked; returns the exit code.
int run(const Options &options);

/// Prints for every ONNX node where it runs and why (`--explain`).
void explain(mlir::ModuleOp graph, mlir::ModuleOp placed, const ChipModel &chip,
             llvm::raw_ostream &os);

/// Reads array `key` of an .npz file for `--constant`, or sets `error`.
bool readConstant(const std::string &file, const std::string &key,
                  ImportArray &array, std::string &error);

/// Writes what running one sample costs, by the timeline alone.
Status writeReport(const std::string &program, const std::string &report);

} // namespace mho::mhoc

#endif // MHO_TOOLS_MHOC_OPTIONS_H
