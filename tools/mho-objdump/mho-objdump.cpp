//===- mho-objdump.cpp - shows what a .mho file holds ---------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Dump.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"

using namespace llvm;

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  cl::OptionCategory own("mho-objdump options");
  cl::opt<std::string> input(cl::Positional, cl::desc("<model.mho>"),
                             cl::Required, cl::cat(own));
  cl::opt<bool> header(
      "header", cl::desc("sizes, units, entry points (default)"), cl::cat(own));
  cl::opt<bool> code("disassemble", cl::desc("instructions as tile.* text"),
                     cl::cat(own));
  cl::opt<bool> weights("weights", cl::desc("a line per bank"), cl::cat(own));
  cl::opt<std::string> other("diff", cl::value_desc("other.mho"), cl::cat(own),
                             cl::desc("what differs; exit code 1 if anything"));
  cl::HideUnrelatedOptions(own);
  if (!cl::ParseCommandLineOptions(argc, argv, "shows what a .mho file holds\n",
                                   &errs()))
    return 2;
  return mho::objdump(input, other,
                      {header || !(code || weights), code, weights});
}
