//===- AccessWalk.h - looks at the accesses of a stream -------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// checkFields tells a visitor every field of an instruction. Passes that only
// want to know what memory is touched start from here.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_ACCESSWALK_H
#define MHO_RUNTIME_ACCESSWALK_H

#include "Bounds.h"
#include "Undefined.h"

#include <algorithm>
#include <optional>

namespace mho::rt {

class AccessWalk {
public:
  using Dims = std::vector<isa::Extent>;

  /// `context` must outlive this.
  explicit AccessWalk(const StreamContext &context) : context(context) {}

  // Called by checkFields.
  void arrayIndex(const char *, uint32_t) {}
  void channelIndex(const char *, uint32_t) {}
  void slotIndex(const char *, uint32_t) {}
  void optionalSlot(const char *, int32_t) {}
  void number(const char *, uint64_t) {}
  void flag(const char *, bool) {}
  void strides(const char *, const std::vector<int64_t> &) {}
  void combineKind(const char *, isa::WriteKind) {}
  void extent(const char *, const isa::Extent &) {}
  void extents(const char *, const Dims &) {}
  void kernelBody(const char *, const isa::KernelBody &) {}
  void body(const char *, const isa::Body &) {}
  isa::Extent columns(uint32_t array) const {
    return {context.columns[array], isa::kNoSlot};
  }

protected:
  /// From the first to the last byte that the access may touch at any value of
  /// its slots; none if it touches nothing.
  std::optional<ByteRange> reach(const isa::Access &access,
                                 const Dims &dims) const {
    Bounds range = boundElements(access, dims);
    if (range.low > range.high ||
        std::any_of(dims.begin(), dims.end(),
                    [](const isa::Extent &extent) { return extent.max == 0; }))
      return std::nullopt;
    for (const isa::SlotTerm &term : access.slots)
      range.addScaled(term.stride, context.slots[term.slot].first,
                      context.slots[term.slot].second);
    Wide width = isa::sizeOf(access.type);
    return ByteRange{int64_t(access.offset + range.low * width),
                     int64_t(access.offset + (range.high + 1) * width)};
  }

  /// The extents of a table that a kernel's body loads from.
  static Dims dimsOf(const isa::Table &table) {
    Dims sizes;
    for (int64_t size : table.sizes)
      sizes.push_back({size, isa::kNoSlot});
    return sizes;
  }

  /// Where a scatter may write: its steps and its places.
  static isa::Access wholeOf(const isa::Scatter &op) {
    isa::Access whole = op.to;
    whole.strides.insert(whole.strides.end(), op.placeStrides.begin(),
                         op.placeStrides.end());
    return whole;
  }

  /// Where a contraction writes: a sum over nothing is stored, too.
  static Dims writtenBy(const isa::Contract &op) {
    Dims dims = isa::join({op.batch, op.rows, op.columns, op.inner});
    for (size_t d = dims.size() - op.inner.size(); d < dims.size(); ++d)
      dims[d] = {1, isa::kNoSlot};
    return dims;
  }

  const StreamContext &context;
};

} // namespace mho::rt

#endif // MHO_RUNTIME_ACCESSWALK_H
