//===- GemmTest.cpp - products against double sums ===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Runtime/Gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

using namespace mho::rt;

namespace {

struct Shape {
  int64_t m, n, k;
};
class GemmTest : public testing::TestWithParam<Shape> {};

} // namespace

/// Plain, transposed and strided operands, stored and accumulated.
TEST_P(GemmTest, FloatMatchesDouble) {
  auto [m, n, k] = GetParam();
  std::mt19937 random(3);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> a(size_t(m * k * 2)), b(size_t(n * k * 2));
  for (auto &x : a)
    x = uniform(random);
  for (auto &x : b)
    x = uniform(random);
  for (int variant = 0; variant < 4; ++variant) {
    MatrixView<const float> va =
        variant & 1 ? MatrixView<const float>{a.data(), 2, 2 * m}
                    : MatrixView<const float>{a.data(), k, 1};
    MatrixView<const float> vb = variant & 2
                                     ? MatrixView<const float>{b.data(), 1, k}
                                     : MatrixView<const float>{b.data(), n, 1};
    bool accumulate = variant == 1 || variant == 2;
    int64_t step = variant == 3 ? 2 : 1;
    std::vector<float> c(size_t(m * n * step), 5.0f);
    gemm(m, n, k, va, vb, {c.data(), n * step, step}, accumulate, nullptr);
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        double sum = accumulate ? 5 : 0;
        for (int64_t l = 0; l < k; ++l)
          sum += double(va.data[i * va.rowStride + l * va.columnStride]) *
                 vb.data[l * vb.rowStride + j * vb.columnStride];
        ASSERT_NEAR(c[size_t((i * n + j) * step)], sum, 1e-6 * (double(k) + 5));
      }
  }
}

/// A row's result does not depend on the rows beside it.
TEST_P(GemmTest, RowsAreIndependent) {
  auto [m, n, k] = GetParam();
  std::vector<float> a(size_t(m * k)), b(size_t(n * k));
  for (size_t i = 0; i < a.size(); ++i)
    a[i] = std::sin(float(i));
  for (size_t i = 0; i < b.size(); ++i)
    b[i] = std::cos(float(i));
  std::vector<float> all(size_t(m * n)), one(static_cast<size_t>(n));
  gemm(m, n, k, {a.data(), k, 1}, {b.data(), n, 1}, {all.data(), n, 1}, false,
       nullptr);
  for (int64_t i = 0; i < m; ++i) {
    gemm(1, n, k, {a.data() + i * k, k, 1}, {b.data(), n, 1},
         {one.data(), n, 1}, false, nullptr);
    ASSERT_EQ(std::memcmp(one.data(), &all[size_t(i * n)], size_t(n) * 4), 0);
  }
}

TEST_P(GemmTest, BytesAreExact) {
  auto [m, n, k] = GetParam();
  std::mt19937 random(4);
  std::vector<uint8_t> a(size_t(m * k)), b(size_t(n * k));
  for (auto &x : a)
    x = uint8_t(random());
  for (auto &x : b)
    x = uint8_t(random());
  auto *sb = reinterpret_cast<const int8_t *>(b.data());
  std::vector<int32_t> c(size_t(m * n)), d(size_t(m * n), 3);
  gemm(m, n, k, MatrixView<const uint8_t>{a.data(), k, 1},
       MatrixView<const uint8_t>{b.data(), n, 1}, {c.data(), n, 1}, false,
       nullptr);
  gemm(m, n, k, MatrixView<const uint8_t>{a.data(), k, 1},
       MatrixView<const int8_t>{sb, 1, k}, {d.data(), n, 1}, true, nullptr);
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      int32_t plain = 0, mixed = 3;
      for (int64_t l = 0; l < k; ++l) {
        plain += a[size_t(i * k + l)] * b[size_t(l * n + j)];
        mixed += a[size_t(i * k + l)] * sb[l + j * k];
      }
      ASSERT_EQ(c[size_t(i * n + j)], plain);
      ASSERT_EQ(d[size_t(i * n + j)], mixed);
    }
}

INSTANTIATE_TEST_SUITE_P(Shapes, GemmTest,
                         testing::Values(Shape{1, 1, 1}, Shape{1, 100, 37},
                                         Shape{5, 16, 3}, Shape{50, 33, 65},
                                         Shape{13, 48, 128}));

TEST(GemmTest, EmptySumsAreZero) {
  float c[2] = {1, 2};
  gemm(1, 2, 0, {nullptr, 0, 1}, {nullptr, 2, 1}, {c, 2, 1}, true, nullptr);
  EXPECT_EQ(c[0], 1);
  gemm(1, 2, 0, {nullptr, 0, 1}, {nullptr, 2, 1}, {c, 2, 1}, false, nullptr);
  EXPECT_EQ(c[1], 0);
}
