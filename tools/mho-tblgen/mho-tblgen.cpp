//===- mho-tblgen.cpp - generates what the instruction set implies --------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Generators.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/TableGen/Main.h"

using namespace llvm;

int main(int argc, char **argv) {
  using namespace mho::tblgen;
  constexpr decltype(&emitIsaDecls) generators[] = {
      emitIsaDecls, emitIsaDefs, emitTileConversions, emitIsaDoc};
  enum Choice { Decls, Defs, Conversions, Doc };
  cl::opt<Choice> chosen(
      cl::desc("What to generate:"), cl::Required,
      cl::values(clEnumValN(Decls, "gen-isa-decls", "instruction structs"),
                 clEnumValN(Defs, "gen-isa-defs", "tables of instructions"),
                 clEnumValN(Conversions, "gen-tile-conversions",
                            "ops to structs and back"),
                 clEnumValN(Doc, "gen-isa-doc", "the reference, as Markdown")));
  cl::ParseCommandLineOptions(argc, argv, "mho's TableGen backends\n");
  return TableGenMain(argv[0], [&](raw_ostream &os, const RecordKeeper &defs) {
    std::optional<InstructionSet> set = InstructionSet::read(defs);
    if (set)
      generators[chosen](os, *set);
    return !set;
  });
}
