//===- Footprint.cpp - the bytes that steps touch
//--------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Footprint.h"

#include <algorithm>
#include <cstdlib>

using namespace mho;
using namespace mho::rt;

/// Spaces lie this far from each other.
static constexpr int64_t kSpaceDistance = int64_t(1) << 56;

Chunking Chunking::of(std::span<const isa::Extent> dims, uint32_t limit) {
  Chunking cut;
  for (const isa::Extent &extent : dims)
    cut.extents.push_back(std::max<int64_t>(extent.max, 0));
  auto first = std::find_if(cut.extents.begin(), cut.extents.end(),
                            [](int64_t extent) { return extent > 1; });
  if (first != cut.extents.end()) {
    cut.dim = size_t(first - cut.extents.begin());
    cut.chunks = uint32_t(std::min<int64_t>(*first, std::max(limit, 1u)));
  }
  return cut;
}

int64_t Chunking::bound(uint32_t chunk) const {
  int64_t extent = extents.empty() ? 1 : extents[dim];
  return int64_t((__int128(extent) * chunk) / chunks);
}

double Chunking::points() const {
  double all = 1;
  for (int64_t extent : extents)
    all *= double(extent);
  return all;
}

double Chunking::pointsBefore(uint32_t chunk) const {
  double extent = extents.empty() ? 1 : double(extents[dim]);
  return extent == 0 ? 0 : points() / extent * double(bound(chunk));
}

namespace {

/// A range of the sum of an access's address terms, in elements.
struct Span {
  int64_t low = 0, high = 0;
  void add(int64_t factor, int64_t from, int64_t to) {
    low += std::min(factor * from, factor * to);
    high += std::max(factor * from, factor * to);
  }
};

/// A valid range that clips some dimensions' common part of the address.
struct Clip {
  const isa::ValidRange *range;
  int64_t ratio; ///< elements per unit of the range's value
};

/// The clips of an access, and which of its dimensions they cover.
std::vector<Clip> clipsOf(const isa::Access &access,
                          std::vector<bool> &covered) {
  std::vector<Clip> clips;
  for (const isa::ValidRange &range : access.valid) {
    int64_t ratio = 0;
    bool fits = range.coefficients.size() <= access.strides.size();
    for (size_t d = 0; fits && d < range.coefficients.size(); ++d) {
      int64_t coefficient = range.coefficients[d], stride = access.strides[d];
      if (coefficient == 0)
        continue;
      if (covered[d] || stride % coefficient != 0 ||
          (ratio != 0 && stride / coefficient != ratio))
        fits = false;
      else
        ratio = stride / coefficient;
    }
    if (!fits || ratio == 0)
      continue;
    for (size_t d = 0; d < range.coefficients.size(); ++d)
      if (range.coefficients[d] != 0)
        covered[d] = true;
    clips.push_back({&range, ratio});
  }
  return clips;
}

} // namespace

Footprint Footprint::of(const isa::Access &access, const Chunking &cut,
                        SlotRanges slots, std::span<const int64_t> more) {
  Footprint result;
  std::vector<int64_t> extents = cut.extents;
  extents.insert(extents.end(), more.begin(), more.end());
  size_t dims = std::min(extents.size(), access.strides.size());
  int64_t size = int64_t(isa::sizeOf(access.type));
  int64_t base = access.offset + int64_t(access.space) * kSpaceDistance;
  std::vector<bool> covered(access.strides.size());
  std::vector<Clip> clips = clipsOf(access, covered);

  Span fixed;
  for (const isa::SlotTerm &term : access.slots)
    if (term.slot < slots.size())
      fixed.add(term.stride, slots[term.slot].first, slots[term.slot].second);
  for (size_t d = 0; d < dims; ++d)
    if (!covered[d] && d != cut.dim)
      fixed.add(access.strides[d], 0, std::max<int64_t>(extents[d] - 1, 0));

  bool empty = std::any_of(extents.begin(), extents.end(),
                           [](int64_t extent) { return extent <= 0; });
  for (uint32_t c = 0; c < cut.chunks; ++c) {
    int64_t from = cut.bound(c), to = cut.bound(c + 1) - 1;
    Span span = fixed;
    bool nothing = empty || from > to;
    if (cut.dim < dims && !covered[cut.dim])
      span.add(access.strides[cut.dim], from, to);
    for (const Clip &clip : clips) {
      Span value{clip.range->offset, clip.range->offset};
      for (size_t d = 0; d < clip.range->coefficients.size() && d < dims; ++d)
        value.add(clip.range->coefficients[d], d == cut.dim ? from : 0,
                  d == cut.dim ? to : extents[d] - 1);
      int64_t low = std::max<int64_t>(value.low, 0);
      int64_t high = std::min(value.high, clip.range->size - 1);
      nothing |= low > high;
      span.add(clip.ratio, low - clip.range->offset, high - clip.range->offset);
    }
    // A chunk that reads only padding stands where its neighbour ends, which
    // keeps begins and ends in order.
    Interval bytes{base + span.low * size, base + (span.high + 1) * size};
    if (nothing)
      bytes.begin = bytes.end =
          result.chunks.empty() ? bytes.begin : result.chunks.back().end;
    result.chunks.push_back(bytes);
  }
  const Interval &first = result.chunks.front(), &last = result.chunks.back();
  result.falling = last.begin < first.begin;
  result.whole = result.falling ? Interval{last.begin, first.end}
                                : Interval{first.begin, last.end};

  // Which bytes of a row: with one stride larger than what all others span.
  int64_t pitch = 0, inner = 1, distinct = 1;
  for (size_t d = 0; d < dims; ++d) {
    int64_t stride = std::abs(access.strides[d]);
    if (extents[d] > 1 && stride != 0) {
      pitch = std::max(pitch, stride);
      distinct *= extents[d];
    }
  }
  for (size_t d = 0; d < dims; ++d)
    if (int64_t stride = std::abs(access.strides[d]); stride < pitch)
      inner += stride * std::max<int64_t>(extents[d] - 1, 0);
  if (access.slots.empty() && clips.empty() && !empty) {
    result.dense = distinct * size == result.whole.end - result.whole.begin;
    if (inner < pitch) {
      result.pitch = pitch * size;
      result.width = inner * size;
      result.phase = result.whole.begin;
    }
  }
  return result;
}

Footprint Footprint::ofSlot(uint32_t slot, uint32_t chunks) {
  Footprint result;
  int64_t begin =
      int64_t(isa::Space::Slot) * kSpaceDistance + int64_t(slot) * 8;
  result.whole = {begin, begin + 8};
  result.chunks.assign(chunks, result.whole);
  return result;
}

bool Footprint::meets(const Footprint &other) const {
  if (whole.empty() || other.whole.empty() || whole.begin >= other.whole.end ||
      other.whole.begin >= whole.end)
    return false;
  if (pitch == 0 || pitch != other.pitch)
    return true;
  // Blocks of columns of the same rows.
  int64_t shift = (other.phase - phase) % pitch;
  if (shift < 0)
    shift += pitch;
  return shift < width || shift + other.width > pitch;
}

int Footprint::lastMeeting(Interval bytes) const {
  if (bytes.empty())
    return -1;
  // Of a rising footprint the last chunk that begins before the bytes' end, of
  // a falling one the last that ends behind their begin.
  auto past = falling ? std::partition_point(chunks.begin(), chunks.end(),
                                             [&](const Interval &chunk) {
                                               return chunk.end > bytes.begin;
                                             })
                      : std::partition_point(chunks.begin(), chunks.end(),
                                             [&](const Interval &chunk) {
                                               return chunk.begin < bytes.end;
                                             });
  while (past != chunks.begin() && std::prev(past)->empty())
    --past;
  if (past == chunks.begin())
    return -1;
  const Interval &chunk = *std::prev(past);
  bool meets = chunk.begin < bytes.end && bytes.begin < chunk.end;
  return meets ? int(past - chunks.begin()) - 1 : -1;
}
