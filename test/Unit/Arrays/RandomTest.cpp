//===- RandomTest.cpp - draws are what their keys say ===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Runtime/Random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

using namespace mho::rt;

/// The vectors that Random123 publishes for philox4x32-10.
TEST(RandomTest, PhiloxKnownAnswers) {
  using Four = std::array<uint32_t, 4>;
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}),
            (Four{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
                   {0xffffffff, 0xffffffff}),
            (Four{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
                   {0xa4093822, 0x299f31d0}),
            (Four{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

/// Every output follows from one word of one counter, also across the carry
/// into the counter's second word.
TEST(RandomTest, ReadNormalsFollowFromWords) {
  StreamKey key{{11, 22}, {33, 44}};
  constexpr uint64_t first = (uint64_t(1) << 29) - 2; // counter 2^32 - 16
  constexpr size_t groups = 5;
  std::vector<float> out(groups * kNormalGroup);
  readNormals(key, first, groups, out.data());
  for (size_t g = 0; g < groups; ++g)
    for (size_t w = 0; w < 4; ++w)
      for (size_t j = 0; j < 8; ++j) {
        uint64_t counter = (first + g) * 8 + j;
        uint32_t word = philox({uint32_t(counter), uint32_t(counter >> 32),
                                key.salt[0], key.salt[1]},
                               key.key)[w];
        double u = ((word >> 16) + 0.5) / 65536;
        double t = M_PI / 2 * (((word & 0x3fff) + 0.5) / 16384 - 0.5);
        double a = (word & 0x8000) ? -std::cos(t) : std::cos(t);
        double b = std::sin(t), r = std::sqrt(-2 * std::log(u));
        bool swap = word & 0x4000;
        const float *pair = &out[g * kNormalGroup + w * 16];
        EXPECT_NEAR(pair[j], r * (swap ? b : a), 5e-5);
        EXPECT_NEAR(pair[8 + j], r * (swap ? a : b), 5e-5);
      }
}

/// Moments of 4 million normals: each bound is six standard errors, so a
/// correct generator fails with probability below 1e-7 (and the draws are
/// fixed: it passes for ever or never).
static void checkMoments(const std::vector<float> &values, double bias) {
  double n = double(values.size()), m1 = 0, m2 = 0, m3 = 0, m4 = 0;
  size_t beyond = 0;
  for (double x : values) {
    m1 += x;
    m2 += x * x;
    m3 += x * x * x;
    m4 += x * x * x * x;
    beyond += std::fabs(x) > 3;
  }
  EXPECT_NEAR(m1 / n, 0, 6 / std::sqrt(n));
  EXPECT_NEAR(m2 / n, 1, 6 * std::sqrt(2 / n) + bias);
  EXPECT_NEAR(m3 / n, 0, 6 * std::sqrt(15 / n));
  EXPECT_NEAR(m4 / n, 3, 6 * std::sqrt(96 / n) + 10 * bias);
  double p = 0.0026998;
  EXPECT_NEAR(double(beyond) / n, p, 6 * std::sqrt(p / n) + bias / 10);
  double lag = 0;
  for (size_t i = 8; i < values.size(); ++i)
    lag += double(values[i]) * values[i - 8];
  EXPECT_NEAR(lag / n, 0, 6 / std::sqrt(n));
}

TEST(RandomTest, NormalsHaveNormalMoments) {
  constexpr size_t count = size_t(1) << 22;
  std::vector<float> values(count);
  StreamKey key = streamKey(1, 2, 3, Purpose::Read);
  readNormals(key, 0, count / kNormalGroup, values.data());
  // 16 bits of radius end at 4.85 standard deviations.
  checkMoments(values, 2e-3);
  cellNormals(streamKey(1, 2, 3, Purpose::Programming), 0, count / 4,
              values.data());
  checkMoments(values, 0);
}

TEST(RandomTest, StreamsDiffer) {
  StreamKey a = streamKey(1, 0, 0, Purpose::Read);
  EXPECT_NE(a.key, streamKey(2, 0, 0, Purpose::Read).key);
  EXPECT_NE(a.key, streamKey(1, 1, 0, Purpose::Read).key);
  EXPECT_NE(a.key, streamKey(1, 0, 1, Purpose::Read).key);
  EXPECT_NE(a.key, streamKey(1, 0, 0, Purpose::Programming).key);
  EXPECT_NE(streamKey(a, 0, 0).key, streamKey(a, 1, 0).key);
  EXPECT_NE(streamKey(a, 0, 0).key, streamKey(a, 0, 1).key);
}
