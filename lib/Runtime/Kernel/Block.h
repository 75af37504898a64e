//===- Block.h - a body on a block of f32 lanes ---------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_KERNEL_BLOCK_H
#define MHO_RUNTIME_KERNEL_BLOCK_H

#include "mho/Program/Instructions.h"

#include <cstddef>
#include <span>
#include <vector>

namespace mho::rt {

/// Lanes of one block: a register is 2 KiB, so that sixteen fit a first-level
/// cache.
inline constexpr size_t kBlockLanes = 512;

/// Whether every micro-op of a body has an f32 (or bool, held as 0 and 1) form
/// here.
bool hasBlockForm(const isa::Kernel &kernel);

/// Evaluates the micro-ops on `lanes` lanes. `registers[r]` is where register r
/// lies: reads are set by the caller, the ones of micro-ops point to memory for
/// kBlockLanes floats.
void evaluateBlock(std::span<const isa::MicroOp> ops, float *const *registers,
                   size_t firstResult, size_t lanes);

/// into[i] = combine(into[i], values[i]).
void combineBlock(isa::WriteKind kind, float *into, const float *values,
                  size_t lanes);

/// Sixteen partial results: lane i goes to partial (first + i) mod 16.
void combineInterleaved(isa::WriteKind kind, float *partials,
                        const float *values, size_t lanes, size_t first);

} // namespace mho::rt

#endif // MHO_RUNTIME_KERNEL_BLOCK_H
