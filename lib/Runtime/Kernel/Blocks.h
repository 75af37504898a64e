//===- Blocks.h - micro-ops on blocks of lanes
//------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The vector forms, with the Highway library: compiled for each of its targets
// and chosen when the program runs. Nothing in them is approximate but for the
// elementary functions, and those use fused operations in a fixed order: all
// targets that have these give the same bytes.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_KERNEL_BLOCKS_H
#define MHO_RUNTIME_KERNEL_BLOCKS_H

#include "mho/Program/Instructions.h"

#include <cstddef>
#include <vector>

namespace mho::rt::blocks {

/// Lanes of a block; a register then has 4 KB in f32.
inline constexpr int64_t kLanes = 1024;

/// One micro-op on n lanes. An operand is a vector or one value for all.
struct Call {
  isa::MicroOpcode op;
  isa::Type type; ///< of the result
  isa::Type from; ///< of the first operand
  uint64_t immediate = 0;
  void *out = nullptr;
  const void *operands[3] = {};
  bool scalar[3] = {};
  size_t n = 0;
};

/// One element of a window: elements from the window's first.
struct Tap {
  int64_t x, w;
};

/// Reduces f32 x, or x·w, over the taps of a window, for neighbouring lanes
/// and `rows` windows. Partial result p takes the taps up to ends[p].
struct Window {
  isa::WriteKind kind; ///< Add, Min, Max
  const float *x;
  const float *w; ///< may be null, and is where extremes are asked for
  float *out;
  size_t lanes;
  /// Elements from lane to lane: 1, or 2 unless lanes have weights of their
  /// own.
  int64_t xLane;
  int64_t rows, xRow, wRow, outRow; ///< elements from row to row
  bool scalarWeights;               ///< one for all lanes
  const Tap *taps;
  const uint32_t *ends;
  size_t partials; ///< at most 16; of extremes 1
  float init;
  bool fromMemory;
};

struct Table {
  const char *name;      ///< Highway's of the target
  bool fusesMultiplyAdd; ///< if not, functions round in another way
  /// False: there is no vector form. With n = 0 it only tells.
  bool (*apply)(const Call &call);
  /// Adds the n lanes of each row to its 16 partial results: lane i to number
  /// i mod 16.
  bool (*fold)(isa::WriteKind kind, isa::Type type, void *partials,
               const void *values, size_t n, size_t rows);
  /// Combines each row's 16 partial results pairwise; row r's value goes to
  /// number r.
  bool (*tree)(isa::WriteKind kind, isa::Type type, void *partials,
               size_t rows);
  /// Memory with a stride in bytes to lanes and back.
  bool (*load)(isa::Type type, void *lanes, const std::byte *memory,
               int64_t stride, size_t n);
  bool (*store)(isa::Type type, std::byte *memory, int64_t stride,
                const void *lanes, size_t n);
  void (*window)(const Window &call);
};

/// What this machine runs best.
const Table &table();
/// All that this machine can run, best first; for tests.
std::vector<const Table *> tables();

} // namespace mho::rt::blocks

#endif // MHO_RUNTIME_KERNEL_BLOCKS_H
