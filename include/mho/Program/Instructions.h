//===- Instructions.h - decoded instructions, generated ------------------- ===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One struct per instruction of TileOps.td with its fields in camelCase,
// `enum class Opcode`, `using Instruction = std::variant<...>`, encode and
// decode. See docs/ISA.md for what each does.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_PROGRAM_INSTRUCTIONS_H
#define MHO_PROGRAM_INSTRUCTIONS_H

#include "mho/Program/Isa.h"
#include "mho/Support/Status.h"

#include <span>
#include <variant>

#include "mho/Program/Instructions.h.inc"

namespace mho::isa {

/// Appends the encoding of `list` (decoded form: bodies directly after their
/// parent, ranges in the parent's Body fields) to `bytes`.
void encode(std::span<const Instruction> list, std::vector<uint8_t> &bytes);

/// Decodes a whole stream. Fails on unknown opcodes, truncated fields,
/// unbalanced bodies and over-long vectors, naming the instruction's number.
Expected<std::vector<Instruction>> decode(std::span<const uint8_t> bytes);

} // namespace mho::isa

#endif // MHO_PROGRAM_INSTRUCTIONS_H
