//===- IsaGen.cpp - instruction structs and their encoding ----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Generators.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/TableGen/TableGenBackend.h"

using namespace llvm;
using namespace mho::tblgen;

/// "= 0" and the like for members whose type does not begin at a value.
static StringRef initializerFor(StringRef type) {
  if (type == "int32_t")
    return " = kNoSlot";
  if (type == "WriteKind")
    return " = WriteKind::Store";
  if (type == "bool")
    return " = false";
  if (type == "uint32_t" || type == "uint64_t")
    return " = 0";
  return "";
}

static void emitEnum(raw_ostream &os, StringRef name, const auto &records,
                     auto enumerator) {
  os << "enum class " << name << " : uint16_t {\n";
  for (const auto &record : records)
    os << "  " << enumerator(record) << " = " << record.opcode << ",\n";
  os << "};\n\n";
}

static void emitStruct(raw_ostream &os, const Instruction &instruction) {
  os << "/// " << instruction.summary << "\n";
  os << "struct " << instruction.name << " {\n";
  os << "  static constexpr Opcode opcode = Opcode::" << instruction.name
     << ";\n";
  for (const Field &field : instruction.fields)
    os << "  " << field.type << " " << field.member
       << initializerFor(field.type) << ";\n";
  os << "  bool operator==(const " << instruction.name
     << " &) const = default;\n};\n\n";
}

/// forEachField(op, visit): visit(name, member) for each field in order.
static void emitFieldVisitor(raw_ostream &os, const Instruction &instruction,
                             bool isConst) {
  os << "template <typename Visitor>\nvoid forEachField("
     << (isConst ? "const " : "") << instruction.name
     << " &op, Visitor &&visit) {\n";
  if (instruction.fields.empty())
    os << "  (void)op, (void)visit;\n";
  for (const Field &field : instruction.fields)
    os << "  visit(\"" << field.name << "\", op." << field.member << ");\n";
  os << "}\n";
}

static void emitFieldChecks(raw_ostream &os, const Instruction &instruction) {
  os << "template <typename Checker>\nvoid checkFields(const "
     << instruction.name << " &op, Checker &checker) {\n";
  if (instruction.fields.empty())
    os << "  (void)op, (void)checker;\n";
  for (const Field &field : instruction.fields) {
    os << "  checker." << field.checker << "(\"" << field.name << "\", op."
       << field.member;
    if (const AccessRule *rule = instruction.ruleFor(field.member)) {
      if (field.kind != "Writes")
        os << ", " << (rule->writes ? "Direction::Write" : "Direction::Read");
      os << ", " << rule->dimensions;
    }
    os << ");\n";
  }
  os << "}\n";
}

void mho::tblgen::emitIsaDecls(raw_ostream &os, const InstructionSet &set) {
  emitSourceFileHeader("Instructions, decoded", os);
  os << "namespace mho::isa {\n\n";
  auto name = [](const Instruction &i) { return i.name; };
  emitEnum(os, "Opcode", set.instructions, name);
  emitEnum(os, "MicroOpcode", set.microOps,
           [](const MicroOp &op) { return op.enumerator; });
  for (const Instruction &instruction : set.instructions)
    emitStruct(os, instruction);
  os << "using Instruction = std::variant<";
  interleaveComma(set.instructions, os,
                  [&](const Instruction &i) { os << i.name; });
  os << ">;\n\n";
  os << "/// The td's name of the instruction: \"mvm\".\n"
        "const char *mnemonic(const Instruction &instruction);\n\n"
        "/// What TileOps.td says of a scalar operation; operands -1 is any.\n"
        "struct MicroOpInfo {\n  const char *name;\n  int operands;\n"
        "  unsigned cost;\n};\n"
        "/// Null for a number that no micro-op has.\n"
        "const MicroOpInfo *microOpInfo(uint16_t number);\n\n"
        "/// Null for a name that no micro-op has (\"arith.addf\").\n"
        "std::optional<MicroOpcode> microOpcode(std::string_view name);\n\n"
        "/// An instruction of this opcode with empty fields; none for a "
        "number\n"
        "/// that no instruction has.\n"
        "std::optional<Instruction> emptyInstruction(uint64_t opcode);\n\n";
  os << "// forEachField(op, visit) calls visit(name, member) in encoded "
        "order.\n\n";
  for (const Instruction &instruction : set.instructions) {
    emitFieldVisitor(os, instruction, /*isConst=*/true);
    emitFieldVisitor(os, instruction, /*isConst=*/false);
  }
  os << "\n// checkFields(op, checker) shows every field to the checker's "
        "function for\n// its kind; accesses with their direction and the "
        "extents they walk. Accesses\n// without extents have none in "
        "TileOps.td and are checked by hand.\n\n";
  for (const Instruction &instruction : set.instructions)
    emitFieldChecks(os, instruction);
  os << "\n} // namespace mho::isa\n";
}

void mho::tblgen::emitIsaDefs(raw_ostream &os, const InstructionSet &set) {
  emitSourceFileHeader("Tables of instructions and micro-ops", os);
  os << "const char *mho::isa::mnemonic(const Instruction &instruction) {\n"
        "  static constexpr const char *names[] = {";
  interleaveComma(set.instructions, os, [&](const Instruction &i) {
    os << '"' << i.mnemonic << '"';
  });
  os << "};\n  return names[instruction.index()];\n}\n\n";

  os << "std::optional<mho::isa::Instruction>\n"
        "mho::isa::emptyInstruction(uint64_t opcode) {\n  switch (opcode) {\n";
  for (const Instruction &i : set.instructions)
    os << "  case " << i.opcode << ":\n    return " << i.name << "{};\n";
  os << "  default:\n    return std::nullopt;\n  }\n}\n\n";

  os << "const mho::isa::MicroOpInfo *mho::isa::microOpInfo(uint16_t number) "
        "{\n"
        "  switch (number) {\n";
  for (const MicroOp &op : set.microOps)
    os << "  case " << op.opcode << ": {\n    static constexpr MicroOpInfo info"
       << "{\"" << op.name << "\", " << op.operands << ", " << op.cost
       << "};\n    return &info;\n  }\n";
  os << "  default:\n    return nullptr;\n  }\n}\n\n";

  os << "std::optional<mho::isa::MicroOpcode>\n"
        "mho::isa::microOpcode(std::string_view name) {\n"
        "  static const std::unordered_map<std::string_view, MicroOpcode> "
        "opcodes{\n";
  for (const MicroOp &op : set.microOps)
    os << "      {\"" << op.name << "\", MicroOpcode::" << op.enumerator
       << "},\n";
  os << "  };\n  auto it = opcodes.find(name);\n"
        "  return it == opcodes.end() ? std::nullopt : "
        "std::optional(it->second);\n}\n";
}
