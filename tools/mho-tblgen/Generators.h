//===- Generators.h - what mho-tblgen can write ---------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_TBLGEN_GENERATORS_H
#define MHO_TBLGEN_GENERATORS_H

#include "InstructionSet.h"

#include "llvm/Support/raw_ostream.h"

namespace mho::tblgen {

/// Structs, enumerations, the variant, field visitors and field checks.
void emitIsaDecls(llvm::raw_ostream &os, const InstructionSet &set);
/// Decoding by opcode, mnemonics, the micro-op table.
void emitIsaDefs(llvm::raw_ostream &os, const InstructionSet &set);
/// tile ops to instruction structs and back.
void emitTileConversions(llvm::raw_ostream &os, const InstructionSet &set);
/// docs/ISA.md.
void emitIsaDoc(llvm::raw_ostream &os, const InstructionSet &set);

} // namespace mho::tblgen

#endif // MHO_TBLGEN_GENERATORS_H
