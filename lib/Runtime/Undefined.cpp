//===- Undefined.cpp - memory that is read before it is written -----------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Undefined.h"

#include "AccessWalk.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>

using namespace mho;
using namespace mho::rt;
using namespace mho::isa;

namespace {

/// Strided writes of more runs than this count as none.
constexpr int64_t kMostRuns = int64_t(1) << 16;

/// Disjoint ranges that do not touch, by their beginnings.
class RangeSet {
public:
  void add(ByteRange range) {
    if (range.begin >= range.end)
      return;
    auto after = ends.upper_bound(range.begin);
    if (after != ends.begin() && std::prev(after)->second >= range.begin)
      --after;
    while (after != ends.end() && after->first <= range.end) {
      range.begin = std::min(range.begin, after->first);
      range.end = std::max(range.end, after->second);
      after = ends.erase(after);
    }
    ends[range.begin] = range.end;
  }

  /// Calls `visit` with the parts of `range` that are not in the set.
  template <typename Visit> void missing(ByteRange range, Visit &&visit) const {
    auto next = ends.upper_bound(range.begin);
    if (next != ends.begin())
      range.begin = std::max(range.begin, std::prev(next)->second);
    for (; range.begin < range.end; ++next) {
      int64_t end =
          next == ends.end() ? range.end : std::min(range.end, next->first);
      if (range.begin < end)
        visit(ByteRange{range.begin, end});
      if (next == ends.end())
        break;
      range.begin = std::max(range.begin, next->second);
    }
  }

  std::vector<ByteRange> list() const {
    std::vector<ByteRange> all;
    for (auto [begin, end] : ends)
      all.push_back({begin, end});
    return all;
  }

private:
  std::map<int64_t, int64_t> ends;
};

using Dims = AccessWalk::Dims;

bool isEmpty(const Dims &dims) {
  return std::any_of(dims.begin(), dims.end(),
                     [](const Extent &extent) { return extent.max == 0; });
}

/// Walks a stream in the order of its first pass. checkFields says which
/// accesses an instruction has.
class Walk : public AccessWalk {
public:
  Walk(std::span<const Instruction> list, const StreamContext &context)
      : AccessWalk(context), list(list) {}

  void walk(size_t begin, size_t end);
  std::vector<ByteRange> result() const { return undefined.list(); }

  // Called by checkFields.
  void access(const char *, const Access &access, Direction direction,
              const Dims &dims) {
    direction == Direction::Read ? read(access, dims) : note(access, dims);
  }
  void access(const char *, const Access &) {}
  void accesses(const char *, const std::vector<Access> &accesses,
                Direction direction, const Dims &dims) {
    for (const Access &one : accesses)
      access("", one, direction, dims);
  }
  void writes(const char *, const std::vector<Write> &writes,
              const Dims &dims) {
    for (const Write &write : writes)
      if (write.kind == WriteKind::Store || !write.fromMemory)
        note(write.access, dims);
      else
        read(write.access, dims);
  }

private:
  void read(const Access &access, const Dims &dims);
  void note(const Access &access, const Dims &dims) {
    pending.push_back({&access, dims});
  }
  void written(const Access &access, const Dims &dims);

  void extra(const Mvm &op) {
    if (op.accumulate)
      read(op.output, join({op.counts, {columns(op.array)}}));
  }
  void extra(const Kernel &op) {
    for (const Table &table : op.body.tables)
      read(table.access, dimsOf(table));
  }
  void extra(const Contract &op) {
    if (op.accumulate)
      read(op.output, join({op.batch, op.rows, op.columns, op.inner}));
    else
      note(op.output, writtenBy(op));
  }
  void extra(const Scatter &op) {
    if (op.kind != WriteKind::Store)
      read(wholeOf(op), join({op.dims, op.sizes}));
  }
  template <typename Op> void extra(const Op &) {}

  std::span<const Instruction> list;
  RangeSet defined, undefined;
  /// Writes of the instruction at hand: it reads before.
  std::vector<std::pair<const Access *, Dims>> pending;
};

void Walk::read(const Access &access, const Dims &dims) {
  if (access.space != Space::Scratch)
    return;
  if (std::optional<ByteRange> bytes = reach(access, dims))
    defined.missing(*bytes, [&](ByteRange part) { undefined.add(part); });
}

void Walk::written(const Access &access, const Dims &dims) {
  if (access.space != Space::Scratch || !access.slots.empty() || isEmpty(dims))
    return;
  // Strides without sign, the smallest first.
  std::vector<std::pair<int64_t, int64_t>> steps;
  int64_t low = 0;
  for (size_t d = 0; d < dims.size(); ++d) {
    if (dims[d].slot != kNoSlot)
      return;
    int64_t stride = access.strides[d], extent = dims[d].max;
    if (stride == 0 || extent == 1)
      continue;
    low += std::min<int64_t>(stride, 0) * (extent - 1);
    steps.push_back({std::abs(stride), extent});
  }
  std::sort(steps.begin(), steps.end());
  int64_t run = 1, runs = 1;
  size_t outer = 0;
  for (; outer < steps.size() && steps[outer].first <= run; ++outer)
    run += steps[outer].first * (steps[outer].second - 1);
  for (size_t d = outer; d < steps.size(); ++d) {
    if (steps[d].second > kMostRuns / runs)
      return;
    runs *= steps[d].second;
  }
  int64_t width = int64_t(sizeOf(access.type));
  for (int64_t number = 0; number < runs; ++number) {
    int64_t at = low, rest = number;
    for (size_t d = outer; d < steps.size(); ++d) {
      at += rest % steps[d].second * steps[d].first;
      rest /= steps[d].second;
    }
    int64_t begin = access.offset + at * width;
    defined.add({begin, begin + run * width});
  }
}

void Walk::walk(size_t begin, size_t end) {
  for (size_t i = begin; i < end; ++i) {
    pending.clear();
    std::visit(
        [&](const auto &op) {
          checkFields(op, *this);
          extra(op);
        },
        list[i]);
    for (const auto &[access, dims] : std::exchange(pending, {}))
      written(*access, dims);
    if (const auto *loop = std::get_if<Loop>(&list[i])) {
      bool surely = loop->trips.slot == kNoSlot && loop->trips.max > 0 &&
                    loop->condition == kNoSlot;
      RangeSet before;
      if (!surely)
        before = defined;
      walk(loop->body.begin, loop->body.end);
      if (!surely)
        defined = std::move(before);
      i = std::max(i, size_t(loop->body.end) - 1);
    } else if (const auto *branch = std::get_if<Branch>(&list[i])) {
      for (const Body &body : {branch->then, branch->otherwise}) {
        RangeSet before = defined;
        walk(body.begin, body.end);
        defined = std::move(before);
      }
      i = std::max<size_t>(
          {i, size_t(branch->then.end) - 1, size_t(branch->otherwise.end) - 1});
    } else if (std::holds_alternative<End>(list[i])) {
      return;
    }
  }
}

} // namespace

std::vector<ByteRange> rt::undefinedReads(std::span<const Instruction> list,
                                          const StreamContext &context) {
  Walk walk(list, context);
  walk.walk(0, list.size());
  return walk.result();
}
