//===- Sort.cpp - the sort instruction ------------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Elements become unsigned keys of the same order, NaN last. A key and its
// index in one number make every element distinct, so that any sorting is a
// stable one; types of up to 32 bits fit in 64.
//
//===----------------------------------------------------------------------===//

#include "GroupRun.h"
#include "Kernel/Scalar.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

using namespace mho;
using namespace mho::rt;
using namespace mho::isa;

namespace {

/// A key of 64 bits with its index behind.
struct LongEntry {
  uint64_t key;
  uint64_t index;
  bool operator<(const LongEntry &other) const {
    return key != other.key ? key < other.key : index < other.index;
  }
};

uint32_t keyOf(uint64_t entry) { return uint32_t(entry >> 32); }
uint64_t keyOf(const LongEntry &entry) { return entry.key; }
uint64_t indexOf(uint64_t entry) { return uint32_t(entry); }
uint64_t indexOf(const LongEntry &entry) { return entry.index; }
uint64_t makeEntry(uint32_t key, int64_t index) {
  return uint64_t(key) << 32 | uint64_t(index);
}
LongEntry makeEntry(uint64_t key, int64_t index) {
  return {key, uint64_t(index)};
}

/// Floats in the order of their bits: both zeros alike, NaN above all. Without
/// branches, for vectors.
template <typename Bits, typename Float> Bits orderedBits(Float value) {
  constexpr Bits sign = Bits(1) << (sizeof(Bits) * 8 - 1);
  constexpr Bits infinity =
      std::bit_cast<Bits>(std::numeric_limits<Float>::infinity());
  Bits bits = std::bit_cast<Bits>(value);
  Bits magnitude = bits & ~sign;
  bits = magnitude == 0 ? 0 : bits;
  Bits ordered = bits & sign ? Bits(~bits) : Bits(bits | sign);
  return magnitude > infinity ? std::numeric_limits<Bits>::max() : ordered;
}

/// Types of less than 64 bits have keys of 32.
template <typename Key> Key orderedKey(Type type, Scalar value) {
  if (type == Type::F64)
    return Key(orderedBits<uint64_t>(value.d));
  if (isFloat(type))
    return orderedBits<uint32_t>(value.f);
  if (isUnsigned(type) || type == Type::Bool)
    return Key(value.i);
  // Signed: the lowest becomes zero.
  return sizeOf(type) == 8 ? Key(uint64_t(value.i) ^ (uint64_t(1) << 63))
                           : Key(uint32_t(value.i) ^ (uint32_t(1) << 31));
}

/// Sorts by key, digit by digit; entries come in the order of their index.
template <typename Entry> void sortByDigits(std::vector<Entry> &entries) {
  using Key = decltype(keyOf(Entry()));
  constexpr int digitBits = 8, digits = sizeof(Key) * 8 / digitBits;
  constexpr size_t values = size_t(1) << digitBits;
  auto digitOf = [](const Entry &entry, int digit) {
    return size_t(keyOf(entry) >> (digit * digitBits)) & (values - 1);
  };
  std::array<std::array<size_t, values>, digits> starts{};
  for (const Entry &entry : entries)
    for (int digit = 0; digit < digits; ++digit)
      ++starts[digit][digitOf(entry, digit)];
  std::vector<Entry> sorted(entries.size());
  for (int digit = 0; digit < digits; ++digit) {
    std::array<size_t, values> &start = starts[digit];
    if (start[digitOf(entries[0], digit)] == entries.size())
      continue; // it is the same in all
    size_t sum = 0;
    for (size_t &count : start)
      count = std::exchange(sum, sum + count);
    for (const Entry &entry : entries)
      sorted[start[digitOf(entry, digit)]++] = entry;
    entries.swap(sorted);
  }
}

/// A read with its padding, by the strides and ranges of `access`.
class Row {
public:
  Row(const Access &access, const std::byte *base,
      const std::vector<int64_t> &point)
      : access(access), bytes(int64_t(sizeOf(access.type))) {
    size_t last = point.size() - 1;
    int64_t offset = 0;
    for (size_t d = 0; d < last; ++d)
      offset += point[d] * access.strides[d];
    from = base + offset * bytes;
    step = access.strides[last] * bytes;
    for (const ValidRange &range : access.valid) {
      int64_t start = range.offset;
      for (size_t d = 0; d < last; ++d)
        start += point[d] * range.coefficients[d];
      ranges.push_back({start, range.coefficients[last], range.size});
    }
  }
  Scalar operator[](int64_t i) const {
    for (const auto &[start, coefficient, size] : ranges) {
      int64_t position = start + i * coefficient;
      if (position < 0 || position >= size)
        return fromDouble(access.type, access.fill);
    }
    return loadScalar(access.type, from + i * step);
  }

  /// The keys of `n` elements from number `first` on, each xor `flip`.
  template <typename Key>
  void loadKeys(int64_t first, int64_t n, Key flip, Key *keys) const {
    if constexpr (std::is_same_v<Key, uint32_t>)
      if (access.type == Type::F32 && ranges.empty()) {
        const std::byte *element = from + first * step;
        auto load = [&](int64_t stride) {
          for (int64_t i = 0; i < n; ++i) {
            float value;
            std::memcpy(&value, element + i * stride, sizeof value);
            keys[i] = orderedBits<uint32_t>(value) ^ flip;
          }
        };
        // Of neighbours the compiler makes vectors.
        return step == sizeof(float) ? load(sizeof(float)) : load(step);
      }
    for (int64_t i = 0; i < n; ++i)
      keys[i] = orderedKey<Key>(access.type, (*this)[first + i]) ^ flip;
  }

private:
  struct Range {
    int64_t start, coefficient, size;
  };
  const Access &access;
  int64_t bytes, step = 0;
  const std::byte *from = nullptr;
  std::vector<Range> ranges;
};

/// Elements whose keys are looked at together.
constexpr int64_t kBlock = 256;

/// The first `count` entries of the row's order, in order.
template <typename Entry>
std::vector<Entry> firstOf(const Row &row, int64_t length, int64_t count,
                           bool largest) {
  using Key = decltype(keyOf(Entry()));
  const Key flip = largest ? std::numeric_limits<Key>::max() : 0;
  std::array<Key, kBlock> keys;
  std::vector<Entry> entries;
  auto forEachBlock = [&](auto f) {
    for (int64_t first = 0; first < length; first += kBlock) {
      int64_t n = std::min(kBlock, length - first);
      row.loadKeys(first, n, flip, keys.data());
      f(first, n);
    }
  };
  constexpr int64_t fewOf = 8;
  if (count > length / fewOf) {
    entries.resize(size_t(length));
    forEachBlock([&](int64_t first, int64_t n) {
      for (int64_t j = 0; j < n; ++j)
        entries[size_t(first + j)] = makeEntry(keys[size_t(j)], first + j);
    });
    if (length >= kBlock)
      sortByDigits(entries);
    else
      std::sort(entries.begin(), entries.end());
    entries.resize(size_t(count));
    return entries;
  }
  // Among twice as many are the first of what has been seen; of what comes
  // behind, an element belongs to them only if its key is below the last one's.
  int64_t most = 2 * count + kBlock / 8, size = 0;
  entries.resize(size_t(most + kBlock));
  Key limit = 0;
  bool limited = false;
  forEachBlock([&](int64_t first, int64_t n) {
    uint32_t anyBelow = !limited;
    for (int64_t j = 0; j < n; ++j)
      anyBelow |= uint32_t(keys[size_t(j)] < limit);
    if (!anyBelow)
      return;
    for (int64_t j = 0; j < n; ++j) {
      entries[size_t(size)] = makeEntry(keys[size_t(j)], first + j);
      size += !limited || keys[size_t(j)] < limit;
    }
    if (size < most)
      return;
    auto last = entries.begin() + count - 1;
    std::nth_element(entries.begin(), last, entries.begin() + size);
    limit = keyOf(*last);
    limited = true;
    size = count;
  });
  entries.resize(size_t(size));
  std::partial_sort(entries.begin(), entries.begin() + count, entries.end());
  entries.resize(size_t(count));
  return entries;
}

/// One row at `point`, whose last coordinate is free.
template <typename Entry>
void sortRow(const Sort &op, const std::vector<int64_t> &point, int64_t length,
             int64_t count, const std::byte *input, std::byte *values,
             std::byte *indices) {
  Type type = op.input.type;
  Row row(op.input, input, point);
  std::vector<Entry> entries = firstOf<Entry>(row, length, count, op.largest);
  // Before any is stored: results may lie where the elements do.
  std::vector<Scalar> first;
  for (int64_t i = 0; i < count; ++i)
    first.push_back(row[int64_t(indexOf(entries[size_t(i)]))]);
  size_t last = point.size() - 1;
  int64_t toValue = 0, toIndex = 0;
  for (size_t d = 0; d < last; ++d) {
    toValue += point[d] * op.values.strides[d];
    toIndex += point[d] * op.indices.strides[d];
  }
  int64_t bytes = int64_t(sizeOf(type));
  for (int64_t i = 0; i < count; ++i) {
    auto from = int64_t(indexOf(entries[size_t(i)]));
    storeScalar(type, values + (toValue + i * op.values.strides[last]) * bytes,
                first[size_t(i)]);
    std::memcpy(indices + (toIndex + i * op.indices.strides[last]) * 8, &from,
                8);
  }
}

} // namespace

void rt::runSort(const Sort &op, std::span<const int64_t> extents,
                 int64_t count, const std::byte *input, std::byte *values,
                 std::byte *indices, ThreadPool *pool) {
  int64_t length = extents.back(), rows = 1;
  std::span<const int64_t> outer = extents.first(extents.size() - 1);
  for (int64_t extent : outer)
    rows *= extent;
  if (rows == 0 || count == 0)
    return;
  bool isLong = sizeOf(op.input.type) == 8 ||
                length > int64_t(std::numeric_limits<uint32_t>::max());
  auto run = [&](size_t begin, size_t end) {
    std::vector<int64_t> point(extents.size(), 0);
    for (size_t row = begin; row < end; ++row) {
      int64_t rest = int64_t(row);
      for (size_t d = outer.size(); d-- > 0; rest /= outer[d])
        point[d] = rest % outer[d];
      if (isLong)
        sortRow<LongEntry>(op, point, length, count, input, values, indices);
      else
        sortRow<uint64_t>(op, point, length, count, input, values, indices);
    }
  };
  // Threads pay from a few thousand elements each.
  if (pool && rows > 1)
    pool->parallelFor(size_t(rows), size_t(4096 / length + 1), run);
  else
    run(0, size_t(rows));
}
