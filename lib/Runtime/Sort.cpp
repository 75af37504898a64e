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
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

using namespace mho;
using namespace mho::rt;
using namespace mho::isa;

namespace {

/// A key of 64 bits with its index behind.
struct LongKey {
  uint64_t key;
  uint64_t index;
  bool operator<(const LongKey &other) const {
    return key != other.key ? key < other.key : index < other.index;
  }
};

/// Floats in the order of their bits: both zeros alike, NaN above all.
template <typename Bits, typename Float> Bits orderedBits(Float value) {
  if (std::isnan(value))
    return std::numeric_limits<Bits>::max();
  constexpr Bits sign = Bits(1) << (sizeof(Bits) * 8 - 1);
  Bits bits = std::bit_cast<Bits>(value == 0 ? Float(0) : value);
  return bits & sign ? Bits(~bits) : Bits(bits | sign);
}

uint64_t keyOf(Type type, Scalar value) {
  if (type == Type::F64)
    return orderedBits<uint64_t>(value.d);
  if (isFloat(type))
    return orderedBits<uint32_t>(value.f);
  if (isUnsigned(type) || type == Type::Bool)
    return uint64_t(value.i);
  // Signed: the lowest becomes zero.
  return sizeOf(type) == 8 ? uint64_t(value.i) ^ (uint64_t(1) << 63)
                           : uint32_t(value.i) ^ (uint32_t(1) << 31);
}

uint64_t indexOf(uint64_t entry) { return uint32_t(entry); }
uint64_t indexOf(const LongKey &entry) { return entry.index; }

/// The first `count` of the order to the front, in order.
template <typename Entry> void order(std::vector<Entry> &row, int64_t count) {
  auto end = row.begin() + count;
  if (count < int64_t(row.size()) / 2)
    std::nth_element(row.begin(), end, row.end());
  std::sort(row.begin(), count < int64_t(row.size()) / 2 ? end : row.end());
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

  /// Calls f(i, key) for the keys of elements [0, length).
  template <typename F> void forEachKey(int64_t length, F f) const {
    if (access.type == Type::F32 && ranges.empty()) {
      for (int64_t i = 0; i < length; ++i) {
        float value;
        std::memcpy(&value, from + i * step, sizeof value);
        f(i, uint64_t(orderedBits<uint32_t>(value)));
      }
      return;
    }
    for (int64_t i = 0; i < length; ++i)
      f(i, keyOf(access.type, (*this)[i]));
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

/// One row at `point`, whose last coordinate is free.
template <typename Entry>
void sortRow(const Sort &op, const std::vector<int64_t> &point, int64_t length,
             int64_t count, const std::byte *input, std::byte *values,
             std::byte *indices) {
  Type type = op.input.type;
  Row row(op.input, input, point);
  std::vector<Entry> entries(static_cast<size_t>(length));
  row.forEachKey(length, [&](int64_t i, uint64_t key) {
    key = op.largest ? ~key : key;
    if constexpr (std::is_same_v<Entry, LongKey>)
      entries[size_t(i)] = {key, uint64_t(i)};
    else
      entries[size_t(i)] = key << 32 | uint64_t(i);
  });
  order(entries, count);
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
        sortRow<LongKey>(op, point, length, count, input, values, indices);
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
