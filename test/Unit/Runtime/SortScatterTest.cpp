//===- SortScatterTest.cpp - sorting and scattering -----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Accesses.h"

#include "GroupRun.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <numeric>
#include <random>

using namespace mho;
using namespace mho::isa;
using namespace mho::rt;

namespace {

template <typename T> bool isNan(T value) {
  if constexpr (std::is_floating_point_v<T>)
    return std::isnan(value);
  return false;
}

/// What the instruction set says: stable, NaN largest.
template <typename T>
std::vector<int64_t> orderOf(const T *row, int64_t length, bool largest) {
  std::vector<int64_t> order(static_cast<size_t>(length));
  std::iota(order.begin(), order.end(), 0);
  auto less = [](T a, T b) {
    if (isNan(a) || isNan(b))
      return !isNan(a) && isNan(b);
    return a < b;
  };
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return largest ? less(row[b], row[a]) : less(row[a], row[b]);
  });
  return order;
}

template <typename T>
void sorts(Type type, std::vector<T> elements, int64_t rows, int64_t count,
           bool largest) {
  int64_t length = int64_t(elements.size()) / rows;
  std::vector<T> values(size_t(rows * count));
  std::vector<int64_t> indices(values.size());
  Sort op;
  op.dims = {{rows}, {length}};
  op.count = {count};
  op.largest = largest;
  op.input = access(type, {length, 1});
  op.values = access(type, {count, 1});
  op.indices = access(Type::I64, {count, 1});
  int64_t extents[] = {rows, length};
  runSort(op, extents, count, bytesOf(elements), bytesOf(values),
          bytesOf(indices), nullptr);
  for (int64_t row = 0; row < rows; ++row) {
    const T *from = elements.data() + row * length;
    std::vector<int64_t> order = orderOf(from, length, largest);
    for (int64_t i = 0; i < count; ++i) {
      size_t at = size_t(row * count + i), source = size_t(order[size_t(i)]);
      ASSERT_EQ(indices[at], order[size_t(i)]) << "row " << row;
      ASSERT_TRUE(values[at] == from[source] ||
                  (isNan(values[at]) && isNan(from[source])));
    }
  }
}

/// Few different values, so that many are equal, and the extremes.
template <typename T> std::vector<T> elements(size_t count) {
  std::mt19937 random(7);
  std::vector<T> result(count);
  for (T &element : result) {
    element = T(int(random() % 9) - 4);
    if (random() % 11 == 0)
      element = std::numeric_limits<T>::max();
    if (random() % 11 == 0)
      element = std::numeric_limits<T>::lowest();
  }
  return result;
}

template <typename T> void sortsBothWays(Type type) {
  for (bool largest : {false, true})
    for (int64_t count : {1, 5, 37})
      sorts(type, elements<T>(3 * 37), 3, count, largest);
}

TEST(Sort, EveryKindOfElement) {
  sortsBothWays<float>(Type::F32);
  sortsBothWays<double>(Type::F64);
  sortsBothWays<int8_t>(Type::I8);
  sortsBothWays<uint8_t>(Type::U8);
  sortsBothWays<int32_t>(Type::I32);
  sortsBothWays<uint32_t>(Type::U32);
  sortsBothWays<int64_t>(Type::I64);
  sortsBothWays<uint64_t>(Type::U64);
}

TEST(Sort, NanIsLargestAndZerosAreEqual) {
  float nan = std::numeric_limits<float>::quiet_NaN();
  float inf = std::numeric_limits<float>::infinity();
  std::vector<float> row = {0.f, nan, -0.f, inf, -nan, -inf, 1.f, 0.f};
  sorts(Type::F32, row, 1, 8, true);
  sorts(Type::F32, row, 1, 8, false);
  sorts(Type::F64, std::vector<double>(row.begin(), row.end()), 1, 8, true);
}

/// Rows of several blocks of keys: few and many are wanted of values in any
/// order, in the worst one, and of equal ones.
template <typename T> void sortsLongRows(Type type) {
  constexpr int64_t length = 1537;
  std::vector<T> rising(2 * length);
  std::iota(rising.begin(), rising.begin() + length, T(0));
  std::copy_n(rising.begin(), length, rising.begin() + length);
  std::vector<T> falling(rising.rbegin(), rising.rend());
  std::vector<T> equal(2 * length, std::numeric_limits<T>::max());
  for (const auto &rows : {elements<T>(2 * length), rising, falling, equal})
    for (bool largest : {false, true})
      for (int64_t count : {int64_t(1), int64_t(100), length / 2, length})
        sorts(type, rows, 2, count, largest);
}

TEST(Sort, LongRows) {
  sortsLongRows<float>(Type::F32);
  sortsLongRows<double>(Type::F64);
  sortsLongRows<int16_t>(Type::I16);
  sortsLongRows<int64_t>(Type::I64);
}

TEST(Sort, FewOfManyNan) {
  float nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> row(2000, nan);
  row[1500] = 1;
  row[1700] = -1;
  for (bool largest : {false, true})
    sorts(Type::F32, row, 1, 3, largest);
}

TEST(Sort, SameWithThreads) {
  ThreadPool pool(3);
  std::vector<float> input = elements<float>(64 * 301);
  std::vector<float> values[2];
  std::vector<int64_t> indices[2];
  Sort op;
  op.largest = true;
  op.input = access(Type::F32, {301, 1});
  op.values = access(Type::F32, {9, 1});
  op.indices = access(Type::I64, {9, 1});
  int64_t extents[] = {64, 301};
  for (int i = 0; i < 2; ++i) {
    values[i].resize(64 * 9);
    indices[i].resize(64 * 9);
    runSort(op, extents, 9, bytesOf(input), bytesOf(values[i]),
            bytesOf(indices[i]), i ? &pool : nullptr);
  }
  EXPECT_EQ(indices[0], indices[1]);
}

/// Rows of 3 stored at rows of a 4×3 matrix.
Scatter rowScatter(WriteKind kind) {
  Scatter op;
  op.kind = kind;
  op.dims = {{3}, {3}};
  op.sizes = {{4}};
  op.placeStrides = {3};
  op.indices = {access(Type::I64, {1, 0})};
  op.updates = access(Type::F32, {3, 1});
  op.to = access(Type::F32, {0, 1});
  return op;
}

Status scatterRows(WriteKind kind, std::vector<int64_t> places,
                   std::vector<float> &to) {
  std::vector<float> updates = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  const std::byte *indices[] = {bytesOf(places)};
  int64_t extents[] = {3, 3}, sizes[] = {4};
  return runScatter(rowScatter(kind), extents, sizes, indices, bytesOf(updates),
                    bytesOf(to));
}

TEST(Scatter, StoresRowsTheLastOneWins) {
  std::vector<float> to(12, -1);
  ASSERT_TRUE(scatterRows(WriteKind::Store, {2, -4, 2}, to).ok());
  EXPECT_EQ(to, (std::vector<float>{4, 5, 6, -1, -1, -1, 7, 8, 9, -1, -1, -1}));
}

TEST(Scatter, CombinesInOrder) {
  std::vector<float> to(12, 1);
  ASSERT_TRUE(scatterRows(WriteKind::Add, {2, 0, 2}, to).ok());
  EXPECT_EQ(to, (std::vector<float>{5, 6, 7, 1, 1, 1, 9, 11, 13, 1, 1, 1}));
  std::fill(to.begin(), to.end(), 4.f);
  ASSERT_TRUE(scatterRows(WriteKind::Min, {3, 3, 1}, to).ok());
  EXPECT_EQ(to, (std::vector<float>{4, 4, 4, 4, 4, 4, 4, 4, 4, 1, 2, 3}));
}

TEST(Scatter, IndexOutOfRangeIsAnError) {
  std::vector<float> to(12, 0);
  Status status = scatterRows(WriteKind::Store, {0, 4, 1}, to);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.message().find("index 4 is out of range"),
            std::string::npos);
}

TEST(Scatter, StridedBlocksAndTwoIndices) {
  // to[i][j][:] with a gap between the elements of a block.
  std::vector<float> to(2 * 3 * 4, 0), updates = {1, 2, 3, 4};
  std::vector<int64_t> rows = {1, 0}, columns = {2, -3};
  Scatter op;
  op.kind = WriteKind::Store;
  op.dims = {{2}, {2}};
  op.sizes = {{2}, {3}};
  op.placeStrides = {12, 4};
  op.indices = {access(Type::I64, {1, 0}), access(Type::I64, {1, 0})};
  op.updates = access(Type::F32, {2, 1});
  op.to = access(Type::F32, {0, 2});
  const std::byte *indices[] = {bytesOf(rows), bytesOf(columns)};
  int64_t extents[] = {2, 2}, sizes[] = {2, 3};
  ASSERT_TRUE(
      runScatter(op, extents, sizes, indices, bytesOf(updates), bytesOf(to))
          .ok());
  std::vector<float> expected(24, 0);
  expected[12 + 8] = 1;
  expected[12 + 10] = 2;
  expected[0] = 3;
  expected[2] = 4;
  EXPECT_EQ(to, expected);
}

} // namespace
