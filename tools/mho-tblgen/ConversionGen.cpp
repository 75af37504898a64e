//===- ConversionGen.cpp - tile ops to instruction structs and back -------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Generators.h"

#include "llvm/TableGen/TableGenBackend.h"

using namespace llvm;
using namespace mho::tblgen;

// Regions are converted by hand: a kernel's needs its block arguments, a
// structured body lies in the flat list behind its parent.

static void emitToInstruction(raw_ostream &os, const Instruction &i) {
  os << "static void fieldsOf(" << i.opClass << " op, isa::" << i.name
     << " &to) {\n";
  bool any = false;
  for (const Field &field : i.fields)
    if (!field.isRegion) {
      os << "  assign(to." << field.member << ", op.get" << field.accessor
         << "());\n";
      any = true;
    }
  if (!any)
    os << "  (void)op, (void)to;\n";
  os << "}\n";
}

static void emitFromInstruction(raw_ostream &os, const Instruction &i) {
  os << "static Operation *opOf(OpBuilder &builder, Location loc,\n"
        "                       const isa::"
     << i.name << " &from) {\n  OperationState state(loc, " << i.opClass
     << "::getOperationName());\n  (void)from;\n";
  unsigned regions = 0;
  for (const Field &field : i.fields)
    if (field.isRegion)
      ++regions;
    else
      os << "  addAttribute(state, \"" << field.name << "\", attributeOf("
         << "builder, from." << field.member << "));\n";
  for (unsigned r = 0; r < regions; ++r)
    os << "  state.addRegion();\n";
  os << "  return builder.create(state);\n}\n";
}

void mho::tblgen::emitTileConversions(raw_ostream &os,
                                      const InstructionSet &set) {
  emitSourceFileHeader("Conversion between tile ops and instructions", os);
  for (const Instruction &instruction : set.instructions) {
    emitToInstruction(os, instruction);
    emitFromInstruction(os, instruction);
  }
  os << "\nstatic std::optional<isa::Instruction> fieldsOf(Operation *op) {\n"
        "  return llvm::TypeSwitch<Operation *, "
        "std::optional<isa::Instruction>>(op)\n";
  for (const Instruction &i : set.instructions)
    os << "      .Case([](" << i.opClass << " op) {\n        isa::" << i.name
       << " to;\n        fieldsOf(op, to);\n"
          "        return isa::Instruction(std::move(to));\n      })\n";
  os << "      .Default([](Operation *) { return std::nullopt; });\n}\n";
}
