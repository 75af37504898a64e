//===- Footprint.h - the bytes that steps touch
//----------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An instruction is cut along its outermost dimension into chunks. For each
// access and chunk the bytes between the first and the last it may touch, and
// from two such footprints which chunk has to wait for which.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_RUNTIME_TIMELINE_FOOTPRINT_H
#define MHO_LIB_RUNTIME_TIMELINE_FOOTPRINT_H

#include "mho/Program/Isa.h"

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace mho::rt {

/// How an instruction's points are cut: chunk c takes [bound(c), bound(c+1))
/// of dimension `dim`.
struct Chunking {
  std::vector<int64_t> extents;
  size_t dim = 0;
  uint32_t chunks = 1;

  /// Cuts the first dimension of more than one point into at most `limit`.
  static Chunking of(std::span<const isa::Extent> dims, uint32_t limit);
  int64_t bound(uint32_t chunk) const;
  /// All points, and those before chunk `chunk`.
  double points() const;
  double pointsBefore(uint32_t chunk) const;
};

/// Least and greatest value that a slot may have.
using SlotRanges = std::span<const std::pair<int64_t, int64_t>>;

/// Bytes touched, half open, in one address space for all spaces of a unit.
struct Interval {
  int64_t begin = 0, end = 0;
  bool empty() const { return begin >= end; }
};

struct Footprint {
  /// Per chunk; begins and ends both rise or both fall.
  std::vector<Interval> chunks;
  Interval whole;
  bool falling = false;
  /// Every byte of `whole` is touched.
  bool dense = false;
  /// If not 0: only the first `width` of every `pitch` bytes, from `phase`.
  int64_t pitch = 0, width = 0, phase = 0;

  /// The footprint of `access` along `cut.extents` (an access with further
  /// strides has `more` extents after them).
  static Footprint of(const isa::Access &access, const Chunking &cut,
                      SlotRanges slots, std::span<const int64_t> more = {});
  /// One scalar slot.
  static Footprint ofSlot(uint32_t slot, uint32_t chunks);

  /// Whether some byte may belong to both.
  bool meets(const Footprint &other) const;
  /// The last chunk that may touch a byte of `bytes`; -1 where none does.
  int lastMeeting(Interval bytes) const;
};

} // namespace mho::rt

#endif // MHO_LIB_RUNTIME_TIMELINE_FOOTPRINT_H
