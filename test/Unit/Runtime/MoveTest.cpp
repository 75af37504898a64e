//===- MoveTest.cpp - strided copies
//----------------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel/Kernel.h"

#include <gtest/gtest.h>
#include <numeric>
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
