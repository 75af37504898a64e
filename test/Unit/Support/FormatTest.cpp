//===- FormatTest.cpp - quantities as people read them --------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Support/Format.h"

#include <gtest/gtest.h>

#include <limits>

using namespace mho;

TEST(Format, ThreeDigitsAndAPrefix) {
  EXPECT_EQ(formatTime(133e-9), "133 ns");
  EXPECT_EQ(formatTime(1.1312e-6), "1.13 us");
  EXPECT_EQ(formatEnergy(52.85e-9), "52.9 nJ");
  EXPECT_EQ(formatQuantity(0, "W"), "0 W");
  EXPECT_EQ(formatQuantity(-2.5e3, "V"), "-2.5 kV");
}

TEST(Format, RoundingCarriesIntoTheNextPrefix) {
  EXPECT_EQ(formatTime(999.7e-9), "1 us");
  EXPECT_EQ(formatTime(999.4e-9), "999 ns");
}

TEST(Format, LongTimesInMinutesHoursAndDays) {
  EXPECT_EQ(formatTime(99), "99 s");
  EXPECT_EQ(formatTime(150), "2.5 min");
  EXPECT_EQ(formatTime(3.1 * 3600), "3.1 h");
  EXPECT_EQ(formatTime(30 * 86400), "30 d");
}

TEST(Format, NoNumberStaysReadable) {
  EXPECT_EQ(formatTime(std::numeric_limits<double>::infinity()), "inf s");
  EXPECT_EQ(formatTime(std::numeric_limits<double>::quiet_NaN()), "nan s");
}

TEST(Format, BytesCountsAndShares) {
  EXPECT_EQ(formatBytes(512), "512 B");
  EXPECT_EQ(formatBytes(1536), "1.5 KiB");
  EXPECT_EQ(formatCount(4194304), "4,194,304");
  EXPECT_EQ(formatCount(999), "999");
  EXPECT_EQ(formatPercent(0.971), "97.1 %");
}
