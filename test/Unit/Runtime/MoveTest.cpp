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

using namespace mho::rt;

template <typename T> static void transposes() {
  constexpr int64_t a = 3, b = 37, c = 21, size = sizeof(T);
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

TEST(Move, TransposesEveryWidth) {
  transposes<uint8_t>();
  transposes<uint16_t>();
  transposes<uint32_t>();
  transposes<uint64_t>();
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
