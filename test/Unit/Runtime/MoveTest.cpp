//===- MoveTest.cpp - strided copies
//----------------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel/Kernel.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <numeric>
#include <random>
#include <utility>

using namespace mho::rt;

template <typename T> static void transposes(int64_t a, int64_t b, int64_t c) {
  constexpr int64_t size = sizeof(T);
  std::vector<T> from(a * b * c), to(a * b * c);
  std::iota(from.begin(), from.end(), T(0));
  std::vector<int64_t> extents = {a, b, c};
  std::vector<int64_t> fromStrides = {b * c * size, c * size, size};
  std::vector<int64_t> toStrides = {b * c * size, size, b * size};
  moveStrided(size, extents, reinterpret_cast<std::byte *>(from.data()),
              fromStrides, reinterpret_cast<std::byte *>(to.data()), toStrides);
  for (int64_t i = 0; i < a; ++i)
    for (int64_t j = 0; j < b; ++j)
      for (int64_t k = 0; k < c; ++k)
        ASSERT_EQ(to[size_t((i * c + k) * b + j)],
                  from[size_t((i * b + j) * c + k)]);
}

template <typename T> static void transposesEveryShape() {
  // Squares and remainders; few rows or columns, which go in turn; steps that
  // are longer in the source, and in the target.
  for (auto [b, c] : {std::pair<int64_t, int64_t>{37, 21},
                      {21, 37},
                      {16, 48},
                      {2, 19},
                      {19, 2},
                      {3, 50},
                      {50, 3},
                      {1, 9}})
    transposes<T>(3, b, c);
}

TEST(Move, TransposesEveryWidth) {
  transposesEveryShape<uint8_t>();
  transposesEveryShape<uint16_t>();
  transposesEveryShape<uint32_t>();
  transposesEveryShape<uint64_t>();
}

/// What moveStrided means.
static void moveSingly(int64_t size, const std::vector<int64_t> &extents,
                       const std::byte *from,
                       const std::vector<int64_t> &fromStrides, std::byte *to,
                       const std::vector<int64_t> &toStrides, size_t d = 0) {
  if (d == extents.size()) {
    std::memcpy(to, from, size_t(size));
    return;
  }
  for (int64_t i = 0; i < extents[d]; ++i)
    moveSingly(size, extents, from + i * fromStrides[d], fromStrides,
               to + i * toStrides[d], toStrides, d + 1);
}

/// From a tensor of `shape`, of which each axis is read at every `steps`th
/// place, into its permutation with a gap behind each row.
static void permutes(int64_t size, const std::vector<int64_t> &shape,
                     const std::vector<size_t> &perm,
                     const std::vector<int64_t> &steps, int64_t gap) {
  size_t rank = shape.size();
  std::vector<int64_t> extents(rank), fromStrides(rank), toStrides(rank);
  int64_t fromBytes = size, toBytes = size;
  for (size_t d = rank; d-- > 0;) {
    fromStrides[d] = fromBytes * steps[d];
    extents[d] = (shape[d] - 1) / steps[d] + 1;
    fromBytes *= shape[d];
  }
  for (size_t d = rank; d-- > 0;) {
    toStrides[perm[d]] = toBytes;
    toBytes *= extents[perm[d]] + (d + 1 == rank ? gap : 0);
  }
  std::vector<std::byte> from(size_t(fromBytes), std::byte(0));
  std::minstd_rand random;
  for (std::byte &byte : from)
    byte = std::byte(random() >> 8);
  std::vector<std::byte> to(size_t(toBytes), std::byte(0x5a)), expected = to;
  moveSingly(size, extents, from.data(), fromStrides, expected.data(),
             toStrides);
  moveStrided(size_t(size), extents, from.data(), fromStrides, to.data(),
              toStrides);
  ASSERT_EQ(to, expected) << "elements of " << size << " bytes, permuted "
                          << testing::PrintToString(perm) << " with steps "
                          << testing::PrintToString(steps);
}

TEST(Move, EveryPermutationOfUpToFiveAxes) {
  std::vector<std::vector<int64_t>> shapes = {
      {19, 4, 37}, {1, 33, 17, 5}, {2, 3, 18, 35}, {2, 5, 17, 3, 16}};
  for (int64_t size : {1, 2, 4, 8})
    for (const auto &shape : shapes) {
      std::vector<size_t> perm(shape.size());
      std::iota(perm.begin(), perm.end(), size_t(0));
      std::vector<int64_t> ones(shape.size(), 1);
      do {
        permutes(size, shape, perm, ones, 0);
        permutes(size, shape, perm, ones, 3);
      } while (std::next_permutation(perm.begin(), perm.end()));
    }
}

TEST(Move, ReadsWithSteps) {
  for (int64_t size : {1, 2, 4, 8})
    for (int64_t step : {2, 3, 4, 5}) {
      permutes(size, {3, 40, 67}, {0, 1, 2}, {1, 1, step}, 0);
      permutes(size, {3, 40, 67}, {0, 1, 2}, {1, step, 1}, 0);
      permutes(size, {3, 40, 67}, {2, 0, 1}, {1, step, 1}, 1);
      permutes(size, {3, 40, 67}, {0, 2, 1}, {2, 1, step}, 1);
    }
}

TEST(Move, SplitsInterleavedParts) {
  // [n, parts] to [parts, n], as blocks of an image become channels.
  for (int64_t size : {1, 2, 4, 8})
    for (int64_t parts : {2, 3, 4, 5})
      for (int64_t n : {1, 3, 16, 67, 130})
        permutes(size, {3, n, parts}, {0, 2, 1}, {1, 1, 1}, 0);
}

TEST(Move, RepeatsElements) {
  std::vector<float> from(21), to(42);
  std::iota(from.begin(), from.end(), 1.0f);
  std::vector<int64_t> extents = {21, 2}, fromStrides = {4, 0},
                       toStrides = {8, 4};
  moveStrided(4, extents, reinterpret_cast<std::byte *>(from.data()),
              fromStrides, reinterpret_cast<std::byte *>(to.data()), toStrides);
  for (size_t i = 0; i < to.size(); ++i)
    EXPECT_EQ(to[i], from[i / 2]);
}

TEST(Move, TransposesIntoGaps) {
  // [channel, y, x] to [y, x, channel] inside rows that are longer.
  constexpr int64_t channels = 20, height = 5, width = 18, row = 22;
  std::vector<float> from(channels * height * width),
      to(height * row * channels, -1);
  std::iota(from.begin(), from.end(), 0.0f);
  std::vector<int64_t> extents = {height, width, channels};
  std::vector<int64_t> fromStrides = {width * 4, 4, height * width * 4};
  std::vector<int64_t> toStrides = {row * channels * 4, channels * 4, 4};
  moveStrided(4, extents, reinterpret_cast<std::byte *>(from.data()),
              fromStrides, reinterpret_cast<std::byte *>(to.data()), toStrides);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < row; ++x)
      for (int64_t c = 0; c < channels; ++c)
        ASSERT_EQ(to[size_t((y * row + x) * channels + c)],
                  x < width ? from[size_t((c * height + y) * width + x)] : -1);
}

TEST(Move, CopiesRowsWithGapsAndRepeats) {
  std::vector<float> from = {1, 2, 3, 4}, to(12, -1);
  std::vector<int64_t> extents = {2, 2, 2}, fromStrides = {8, 0, 4},
                       toStrides = {24, 8, 4};
  moveStrided(4, extents, reinterpret_cast<std::byte *>(from.data()),
              fromStrides, reinterpret_cast<std::byte *>(to.data()), toStrides);
  EXPECT_EQ(to, (std::vector<float>{1, 2, 1, 2, -1, -1, 3, 4, 3, 4, -1, -1}));
}

TEST(Move, NothingIsMovedWhereAnExtentIsZero) {
  std::vector<int64_t> extents = {4, 0}, strides = {4, 4};
  moveStrided(4, extents, nullptr, strides, nullptr, strides);
}
