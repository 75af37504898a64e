//===- BoundsTest.cpp - how far an access reaches
//---------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bounds.h"

#include <gtest/gtest.h>

using namespace mho::rt;
using namespace mho::isa;

TEST(Bounds, BoxOfStrides) {
  Access access;
  access.strides = {10, -1};
  Bounds bounds = boundElements(access, {{3, kNoSlot}, {5, kNoSlot}});
  EXPECT_EQ(int64_t(bounds.low), -4);
  EXPECT_EQ(int64_t(bounds.high), 20);
}

/// A padded 3x3 window over an 8x6 image with 4 channels reaches exactly the
/// image.
TEST(Bounds, ValidRangesOfAWindow) {
  Access access;
  access.strides = {24, 4, 24, 4, 1};
  access.valid = {{-1, 8, {1, 0, 1, 0, 0}}, {-1, 6, {0, 1, 0, 1, 0}}};
  Bounds bounds = boundElements(
      access,
      {{8, kNoSlot}, {6, kNoSlot}, {3, kNoSlot}, {3, kNoSlot}, {4, kNoSlot}});
  // Relative to one row and one pixel before the image.
  EXPECT_EQ(int64_t(bounds.low), 24 + 4);
  EXPECT_EQ(int64_t(bounds.high), 24 + 4 + 8 * 6 * 4 - 1);
}

TEST(Bounds, EmptyWhereNothingIsValid) {
  Access access;
  access.strides = {1};
  access.valid = {{100, 8, {1}}};
  Bounds bounds = boundElements(access, {{5, kNoSlot}});
  EXPECT_GT(bounds.low, bounds.high);
}
