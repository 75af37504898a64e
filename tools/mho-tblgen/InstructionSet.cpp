//===- InstructionSet.cpp - the td records, read and checked --------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "InstructionSet.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/TableGen/Error.h"

#include <map>

using namespace llvm;
using namespace mho::tblgen;

const AccessRule *Instruction::ruleFor(StringRef member) const {
  for (const AccessRule &rule : rules)
    if (rule.field == member)
      return &rule;
  return nullptr;
}

const Field *Instruction::fieldNamed(StringRef name) const {
  for (const Field &field : fields)
    if (field.name == name)
      return &field;
  return nullptr;
}

namespace {

/// Reads records; every complaint is printed with the record's place, and all
/// of them before giving up.
class Reader {
public:
  explicit Reader(const RecordKeeper &records) : records(records) {}

  std::optional<InstructionSet> run() {
    for (const Record *def : definitionsOf("Tile_Op"))
      if (def->isSubClassOf("Tile_Instruction"))
        readInstruction(*def);
      else if (def->getValue("opcode"))
        complain(*def, "has an opcode but is no Tile_Instruction");
    for (const Record *def : definitionsOf("MicroOp"))
      readMicroOp(*def);
    if (set.instructions.empty())
      PrintError("no Tile_Instruction in the input");
    if (faulty || set.instructions.empty())
      return std::nullopt;
    auto byOpcode = [](const auto &a, const auto &b) {
      return a.opcode < b.opcode;
    };
    llvm::sort(set.instructions, byOpcode);
    llvm::sort(set.microOps, byOpcode);
    return std::move(set);
  }

private:
  /// In the order of the file.
  std::vector<const Record *> definitionsOf(StringRef kind) {
    std::vector<const Record *> defs =
        records.getAllDerivedDefinitionsIfDefined(kind);
    llvm::sort(defs, [](const Record *a, const Record *b) {
      return a->getID() < b->getID();
    });
    return defs;
  }

  void complain(const Record &def, const Twine &message) {
    PrintError(def.getLoc(), message);
    faulty = true;
  }

  /// An opcode in the format's 16 bits that no other record has.
  int64_t readOpcode(const Record &def, std::map<int64_t, StringRef> &taken,
                     StringRef name) {
    const auto *number = dyn_cast_or_null<IntInit>(def.getValueInit("opcode"));
    if (!number) {
      complain(def, "'" + name + "' has no opcode");
      return 0;
    }
    int64_t opcode = number->getValue();
    if (opcode < 1 || opcode > 0xffff)
      complain(def, "opcode " + Twine(opcode) + " of '" + name +
                        "' must lie in 1 to 65535");
    auto [it, isNew] = taken.try_emplace(opcode, name);
    if (!isNew)
      complain(def, "opcode " + Twine(opcode) + " of '" + name +
                        "' belongs to '" + it->second + "' already");
    return opcode;
  }

  void readFields(const Record &def, StringRef list, bool isRegion,
                  Instruction &instruction) {
    const DagInit *dag = def.getValueAsDag(list);
    for (unsigned i = 0; i < dag->getNumArgs(); ++i) {
      const auto *kind = dyn_cast<DefInit>(dag->getArg(i));
      StringRef name = dag->getArgNameStr(i);
      if (name.empty()) {
        complain(def, "field " + Twine(i) + " has no name");
        continue;
      }
      if (!kind || !kind->getDef()->isSubClassOf("Tile_Field")) {
        complain(def, "field '" + name + "' is of the unknown kind '" +
                          dag->getArg(i)->getAsString() +
                          "': expected a def of Tile_Field");
        continue;
      }
      const Record *record = kind->getDef();
      Field field;
      field.name = name;
      field.accessor = convertToCamelFromSnakeCase(name, true);
      field.member = convertToCamelFromSnakeCase(name, false);
      field.kind = record->getName();
      field.kind.consume_front("Tile_");
      field.type = record->getValueAsString("isaType");
      field.checker = record->getValueAsString("checker");
      field.encoding = record->getValueAsString("encoding");
      field.summary = record->getValueAsString("summary");
      field.isRegion = isRegion;
      if (llvm::none_of(set.kinds, [&](const Field &other) {
            return other.kind == field.kind;
          }))
        set.kinds.push_back(field);
      instruction.fields.push_back(std::move(field));
    }
  }

  /// The extents a rule names, as a C++ expression.
  std::optional<std::string> dimensionsOf(const Record &def,
                                          const Instruction &instruction,
                                          StringRef text) {
    auto [names, last] = text.split(" with last ");
    std::string expression = "join({";
    SmallVector<StringRef> parts;
    names.split(parts, ',');
    for (auto [i, part] : llvm::enumerate(parts)) {
      part = part.trim();
      if (i)
        expression += ", ";
      if (part.consume_front("columns(") && part.consume_back(")"))
        expression += "{checker.columns(op." + part.str() + ")}";
      else if (const Field *field = instruction.fieldNamed(part);
               field && field->kind == "Extents")
        expression += "op." + field->member;
      else
        return std::nullopt;
    }
    expression += "})";
    if (last.empty())
      return expression;
    const Field *field = instruction.fieldNamed(last.trim());
    if (!field || field->kind != "Extent")
      return std::nullopt;
    return "replaceLast(" + expression + ", op." + field->member + ")";
  }

  void readRule(const Record &def, StringRef text, Instruction &instruction) {
    AccessRule rule;
    rule.text = text;
    auto [head, dimensions] = text.split(" along ");
    rule.writes = head.consume_front("writes ");
    const Field *field = nullptr;
    if (rule.writes || head.consume_front("reads "))
      field = instruction.fieldNamed(head);
    std::optional<std::string> expression;
    if (field && is_contained({"Access", "Accesses", "Writes"}, field->kind))
      expression = dimensionsOf(def, instruction, dimensions);
    if (!expression)
      return complain(def, "cannot read the access rule '" + text +
                               "': expected 'reads|writes <access> along "
                               "<extents>, ... [with last <extent>]'");
    rule.field = field->member;
    rule.dimensions = *expression;
    instruction.rules.push_back(std::move(rule));
  }

  void readInstruction(const Record &def) {
    Instruction instruction;
    instruction.mnemonic = def.getValueAsString("opName");
    instruction.name =
        convertToCamelFromSnakeCase(instruction.mnemonic, /*capitalize=*/true);
    instruction.opClass = def.getName();
    instruction.opClass.consume_front("Tile_");
    auto [it, isNew] =
        mnemonics.try_emplace(instruction.mnemonic.str(), def.getName());
    if (!isNew)
      complain(def, "mnemonic '" + instruction.mnemonic + "' belongs to '" +
                        it->second + "' already");
    instruction.opcode = readOpcode(def, opcodes, instruction.mnemonic);
    instruction.summary = def.getValueAsString("summary");
    instruction.description = def.getValueAsString("description");
    if (instruction.summary.empty())
      complain(def, "'" + instruction.mnemonic + "' needs a summary");
    readFields(def, "arguments", /*isRegion=*/false, instruction);
    readFields(def, "regions", /*isRegion=*/true, instruction);
    for (StringRef rule : def.getValueAsListOfStrings("accesses"))
      readRule(def, rule, instruction);
    set.instructions.push_back(std::move(instruction));
  }

  void readMicroOp(const Record &def) {
    MicroOp op;
    op.name = def.getValueAsString("name");
    op.opcode = readOpcode(def, microOpcodes, op.name);
    op.operands = def.getValueAsInt("operands");
    op.cost = def.getValueAsInt("cost");
    auto [it, isNew] = microNames.try_emplace(op.name.str(), def.getName());
    if (!isNew)
      complain(def, "micro-op '" + op.name + "' is declared twice");
    std::string flat = op.name.str();
    std::replace(flat.begin(), flat.end(), '.', '_');
    op.enumerator = convertToCamelFromSnakeCase(flat, /*capitalize=*/true);
    if (op.operands < -1 || op.cost < 0)
      complain(def, "'" + op.name + "' has a negative operand count or cost");
    set.microOps.push_back(std::move(op));
  }

  const RecordKeeper &records;
  InstructionSet set;
  std::map<int64_t, StringRef> opcodes, microOpcodes;
  std::map<std::string, StringRef> mnemonics, microNames;
  bool faulty = false;
};

} // namespace

std::optional<InstructionSet>
InstructionSet::read(const RecordKeeper &records) {
  return Reader(records).run();
}
