//===- InstructionSet.h - the td records, read and checked ----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_TBLGEN_INSTRUCTIONSET_H
#define MHO_TBLGEN_INSTRUCTIONSET_H

#include "llvm/ADT/StringRef.h"
#include "llvm/TableGen/Record.h"

#include <optional>
#include <string>
#include <vector>

namespace mho::tblgen {

/// An argument or region of an instruction.
struct Field {
  std::string name;     ///< as the td writes it: first_row
  std::string member;   ///< of the struct: firstRow
  std::string accessor; ///< of the op, without get or set: FirstRow
  llvm::StringRef kind; ///< the td def without its prefix: Access
  llvm::StringRef type; ///< C++ type of the member
  llvm::StringRef checker;
  llvm::StringRef encoding;
  llvm::StringRef summary;
  bool isRegion = false;
};

/// One line of `accesses`: which dimensions an access walks.
struct AccessRule {
  bool writes = false;
  std::string field;      ///< member name
  std::string dimensions; ///< C++ expression over `op` and `checker`
  std::string text;       ///< the line itself
};

struct Instruction {
  std::string name; ///< of the struct: Mvm
  llvm::StringRef mnemonic;
  llvm::StringRef opClass; ///< MvmOp
  int64_t opcode = 0;
  llvm::StringRef summary, description;
  std::vector<Field> fields;
  std::vector<AccessRule> rules;

  const AccessRule *ruleFor(llvm::StringRef member) const;
  const Field *fieldNamed(llvm::StringRef name) const;
};

struct MicroOp {
  llvm::StringRef name;
  std::string enumerator; ///< ArithAddf
  int64_t opcode = 0, operands = 0, cost = 0;
};

/// Every instruction and micro-op, in order of their numbers.
struct InstructionSet {
  std::vector<Instruction> instructions;
  std::vector<MicroOp> microOps;
  std::vector<Field> kinds; ///< each field kind in use, once

  /// Reports faulty records at their place and gives nothing then.
  static std::optional<InstructionSet> read(const llvm::RecordKeeper &records);
};

} // namespace mho::tblgen

#endif // MHO_TBLGEN_INSTRUCTIONSET_H
