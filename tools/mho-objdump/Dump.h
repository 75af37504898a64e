//===- Dump.h - what mho-objdump prints -----------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_OBJDUMP_DUMP_H
#define MHO_OBJDUMP_DUMP_H

#include "mho/Program/Container.h"

#include "llvm/Support/raw_ostream.h"

namespace mho {

using Program = std::shared_ptr<const Container>;

struct DumpParts {
  bool header, disassembly, weights;
};

/// Prints the parts of `path`, or with `other` what differs. The exit code.
int objdump(const std::string &path, const std::string &other, DumpParts parts);

/// Sizes, target, units, entry points with their values, programs.
void printHeader(llvm::raw_ostream &os, const Container &file);
/// One line per bank: extents, blocks, place in the file, values.
void printWeights(llvm::raw_ostream &os, const Container &file);
/// The tile phase as text, with locations, without data. False after a
/// message.
bool printDisassembly(llvm::raw_ostream &os, Program file);

/// Prints what differs, part by part. True when nothing does; nullopt after a
/// message.
std::optional<bool> printDiff(llvm::raw_ostream &os, Program a, Program b);

} // namespace mho

#endif // MHO_OBJDUMP_DUMP_H
