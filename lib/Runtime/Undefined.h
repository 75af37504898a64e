//===- Undefined.h - memory that is read before it is written -------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs reuse each other's scratch memory, and the same program with the same
// inputs gives the same bytes. So what a unit reads without having written it
// must be zero. Most programs write everything first; only the rest is cleared.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_UNDEFINED_H
#define MHO_RUNTIME_UNDEFINED_H

#include "mho/Program/Instructions.h"

#include <span>
#include <utility>
#include <vector>

namespace mho::rt {

/// Bytes [begin, end).
struct ByteRange {
  int64_t begin = 0, end = 0;
  bool operator==(const ByteRange &) const = default;
};

/// What a stream's addresses depend on.
struct StreamContext {
  std::vector<std::pair<int64_t, int64_t>> slots; ///< least and largest value
  std::vector<int64_t> columns;                   ///< of each array of the unit
};

/// Bytes of scratch that the verified stream `list` may read before it has
/// written them, in order and apart from each other. Never too few; too many
/// where what is written depends on slots.
std::vector<ByteRange> undefinedReads(std::span<const isa::Instruction> list,
                                      const StreamContext &context);

} // namespace mho::rt

#endif // MHO_RUNTIME_UNDEFINED_H
