//===- Scatter.cpp - the scatter instruction ------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The dims that no index runs along are a block of their own, stored or
// combined as a whole at each place; the others are met in their order.
//
//===----------------------------------------------------------------------===//

#include "GroupRun.h"
#include "Kernel/Kernel.h"
#include "Kernel/Scalar.h"

#include <algorithm>
#include <cstring>

using namespace mho;
using namespace mho::rt;
using namespace mho::isa;

namespace {

/// Steps through all points of some dims in lexicographic order and keeps the
/// byte offset of each access.
class Walk {
public:
  Walk(std::span<const int64_t> extents,
       std::vector<std::vector<int64_t>> steps)
      : extents(extents), steps(std::move(steps)), point(extents.size(), 0),
        offsets(this->steps.size(), 0) {
    for (int64_t extent : extents)
      left *= extent;
    for (const std::vector<int64_t> &list : this->steps)
      lastSteps.push_back(list.empty() ? 0 : list.back());
  }
  bool done() const { return left == 0; }
  int64_t offset(size_t access) const { return offsets[access]; }
  const std::vector<int64_t> &at() const { return point; }
  void next() {
    --left;
    // Mostly it is the last dim's turn.
    size_t last = extents.size();
    if (last > 0 && point[last - 1] + 1 < extents[last - 1]) {
      ++point[last - 1];
      for (size_t i = 0; i < offsets.size(); ++i)
        offsets[i] += lastSteps[i];
      return;
    }
    for (size_t d = last; d-- > 0;) {
      bool wraps = ++point[d] == extents[d];
      int64_t turns = wraps ? 1 - extents[d] : 1;
      for (size_t i = 0; i < steps.size(); ++i)
        offsets[i] += turns * steps[i][d];
      if (!wraps)
        return;
      point[d] = 0;
    }
  }

private:
  std::span<const int64_t> extents;
  std::vector<std::vector<int64_t>> steps;
  std::vector<int64_t> lastSteps, point, offsets;
  int64_t left = 1;
};

std::vector<int64_t> byteSteps(const Access &access, size_t first,
                               size_t count) {
  std::vector<int64_t> steps;
  for (size_t d = first; d < first + count; ++d)
    steps.push_back(access.strides[d] * int64_t(sizeOf(access.type)));
  return steps;
}

/// Whether a read's padding shows the fill value at `point`.
bool isFilled(const Access &access, const std::vector<int64_t> &outer,
              const std::vector<int64_t> &inner) {
  for (const ValidRange &range : access.valid) {
    int64_t position = range.offset;
    for (size_t d = 0; d < outer.size(); ++d)
      position += outer[d] * range.coefficients[d];
    for (size_t d = 0; d < inner.size(); ++d)
      position += inner[d] * range.coefficients[outer.size() + d];
    if (position < 0 || position >= range.size)
      return true;
  }
  return false;
}

/// A run of bytes; single elements without a call.
void copyRun(std::byte *to, const std::byte *from, int64_t bytes) {
  if (bytes == 4)
    std::memcpy(to, from, 4);
  else if (bytes == 8)
    std::memcpy(to, from, 8);
  else
    std::memcpy(to, from, size_t(bytes));
}

/// memory op= update.
void combineElement(const Scatter &op, Scalar update, std::byte *memory) {
  Type type = op.to.type;
  if (op.kind != WriteKind::Store)
    update = combine(op.kind, type, loadScalar(type, memory), update);
  storeScalar(type, memory, update);
}

/// to op= update over a block, element by element.
void combineBlock(const Scatter &op, std::span<const int64_t> extents,
                  const std::vector<int64_t> &outer, const std::byte *updates,
                  std::byte *to) {
  Type type = op.to.type;
  size_t first = outer.size();
  for (Walk walk(extents, {byteSteps(op.updates, first, extents.size()),
                           byteSteps(op.to, first, extents.size())});
       !walk.done(); walk.next()) {
    Scalar update = isFilled(op.updates, outer, walk.at())
                        ? fromDouble(type, op.updates.fill)
                        : loadScalar(type, updates + walk.offset(0));
    combineElement(op, update, to + walk.offset(1));
  }
}

} // namespace

Status rt::runScatter(const Scatter &op, std::span<const int64_t> extents,
                      std::span<const int64_t> sizes,
                      std::span<const std::byte *const> indices,
                      const std::byte *updates, std::byte *to) {
  // An index may be read at a place that padding hides: then it counts.
  auto varies = [&](const Access &index, size_t d) {
    return index.strides[d] != 0 || !index.valid.empty();
  };
  size_t outerDims = extents.size();
  while (outerDims > 0 && std::none_of(op.indices.begin(), op.indices.end(),
                                       [&](const Access &index) {
                                         return varies(index, outerDims - 1);
                                       }))
    --outerDims;
  std::span<const int64_t> outer = extents.first(outerDims);
  std::span<const int64_t> inner = extents.subspan(outerDims);
  if (std::find(inner.begin(), inner.end(), 0) != inner.end())
    return success();

  std::vector<std::vector<int64_t>> steps;
  for (const Access &index : op.indices)
    steps.push_back(byteSteps(index, 0, outerDims));
  steps.push_back(byteSteps(op.updates, 0, outerDims));
  steps.push_back(byteSteps(op.to, 0, outerDims));
  std::vector<int64_t> from = byteSteps(op.updates, outerDims, inner.size());
  std::vector<int64_t> into = byteSteps(op.to, outerDims, inner.size());
  int64_t bytes = int64_t(sizeOf(op.to.type));
  bool moves = op.kind == WriteKind::Store && op.updates.valid.empty();
  // Bytes of a block that lies in one piece on both sides.
  int64_t run = moves ? bytes : 0;
  for (size_t d = inner.size(); d-- > 0 && run > 0;)
    run = from[d] == run && into[d] == run ? run * inner[d] : 0;
  for (Walk walk(outer, std::move(steps)); !walk.done(); walk.next()) {
    int64_t place = walk.offset(indices.size() + 1);
    for (size_t p = 0; p < indices.size(); ++p) {
      const Access &access = op.indices[p];
      int64_t index =
          isFilled(access, walk.at(), {})
              ? int64_t(access.fill)
              : loadScalar(Type::I64, indices[p] + walk.offset(p)).i;
      int64_t wrapped = index < 0 ? index + sizes[p] : index;
      if (wrapped < 0 || wrapped >= sizes[p])
        return failure("index " + std::to_string(index) +
                       " is out of range, the dimension has " +
                       std::to_string(sizes[p]) + " elements");
      place += wrapped * op.placeStrides[p] * bytes;
    }
    const std::byte *update = updates + walk.offset(indices.size());
    if (run > 0)
      copyRun(to + place, update, run);
    else if (moves)
      moveStrided(size_t(bytes), inner, update, from, to + place, into);
    else if (inner.empty() && op.updates.valid.empty())
      combineElement(op, loadScalar(op.to.type, update), to + place);
    else
      combineBlock(op, inner, walk.at(), update, to + place);
  }
  return success();
}
