//===- Instructions.h - decoded instructions, generated -------------------
//===//
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

#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <variant>

namespace mho::isa {

/// Which way an access moves data, for field checks.
enum class Direction : uint8_t { Read, Write };

/// The dimensions of several extents lists, one after the other.
inline std::vector<Extent>
join(std::initializer_list<std::vector<Extent>> lists) {
  std::vector<Extent> all;
  for (const std::vector<Extent> &list : lists)
    all.insert(all.end(), list.begin(), list.end());
  return all;
}

/// `dims` with another last dimension.
inline std::vector<Extent> replaceLast(std::vector<Extent> dims, Extent last) {
  if (!dims.empty())
    dims.back() = last;
  return dims;
}

} // namespace mho::isa

#include "mho/Program/Instructions.h.inc"

namespace mho::isa {

/// Bodies within bodies at most this deep.
inline constexpr unsigned kMaxDepth = 64;

/// Appends the encoding of `list` (decoded form: bodies directly after their
/// parent, ranges in the parent's Body fields) to `bytes`.
void encode(std::span<const Instruction> list, std::vector<uint8_t> &bytes);

/// Decodes a whole stream. Fails on unknown opcodes, truncated fields,
/// unbalanced bodies and over-long vectors, naming the instruction's number.
Expected<std::vector<Instruction>> decode(std::span<const uint8_t> bytes);

} // namespace mho::isa

#endif // MHO_PROGRAM_INSTRUCTIONS_H
