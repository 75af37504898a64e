//===- KernelsTest.cpp - every instruction set, the same bits ===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <random>
#include <vector>

using namespace mho::rt::kernels;

namespace {

template <typename T>
bool same(const std::vector<T> &a, const std::vector<T> &b) {
  return std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

/// Runs `body` with every set and expects one result.
template <typename Body> void expectOneResult(const Body &body) {
  TableList list = tables();
  auto first = body(*list.sets[0]);
  for (int i = 1; i < list.count; ++i)
    EXPECT_TRUE(same(first, body(*list.sets[i])))
        << list.sets[0]->name << " and " << list.sets[i]->name << " differ";
}

constexpr Key kKey = {{1, 2}, {3, 4}};

} // namespace

/// 37 rows and 5 panels: full tiles, both tails. Against 64-bit sums.
TEST(KernelsTest, IntegerProductsAreExact) {
  constexpr int64_t rows = 37, depth = 64, panels = 5, columns = panels * 16;
  std::mt19937 random(1);
  std::vector<int16_t> a(rows * depth), b(depth * columns);
  std::vector<uint8_t> ua(rows * depth);
  std::vector<int8_t> ub(depth * columns);
  for (auto &x : a)
    x = int16_t(int(random() % 511) - 255);
  for (auto &x : b)
    x = int16_t(int(random() % 65279) - 32639);
  for (auto &x : ua)
    x = uint8_t(random());
  for (auto &x : ub)
    x = int8_t(random() % 64);
  std::vector<const int16_t *> pointers;
  std::vector<const uint8_t *> bytePointers;
  for (int64_t r = 0; r < rows; ++r) {
    pointers.push_back(&a[size_t(r * depth)]);
    bytePointers.push_back(&ua[size_t(r * depth)]);
  }
  // The same elements in two runs, the second half first in memory.
  mho::rt::kernels::Run runs[2] = {{32, 32}, {0, 32}};
  TableList list = tables();
  for (int i = 0; i < list.count; ++i) {
    std::vector<int32_t> out(rows * columns), var(rows * columns);
    list.sets[i]->productS16({pointers.data(), rows, runs, 2, b.data(),
                              depth * 16, 32, panels, out.data(), columns});
    list.sets[i]->productU8({bytePointers.data(), rows, runs, 2, ub.data(),
                             depth * 16, 64, panels, var.data(), columns});
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < columns; ++c) {
        int64_t sum = 0, squares = 0;
        for (int64_t k = 0; k < depth; ++k) {
          int64_t from = r * depth + (k + 32) % 64;
          int64_t panel = c / 16 * depth * 16, lane = c % 16;
          sum += int64_t(a[size_t(from)]) *
                 b[size_t(panel + k / 2 * 32 + lane * 2 + k % 2)];
          squares += int64_t(ua[size_t(from)]) *
                     ub[size_t(panel + k / 4 * 64 + lane * 4 + k % 4)];
        }
        ASSERT_EQ(out[size_t(r * columns + c)], int32_t(sum))
            << list.sets[i]->name;
        ASSERT_EQ(var[size_t(r * columns + c)], squares) << list.sets[i]->name;
      }
  }
}

TEST(KernelsTest, FloatProductsAreTheSameBits) {
  constexpr int64_t rows = 29, depth = 33, columns = 48;
  std::mt19937 random(2);
  std::normal_distribution<float> normal;
  std::vector<float> a(rows * depth), b(depth * columns);
  for (auto &x : a)
    x = normal(random);
  for (auto &x : b)
    x = normal(random);
  std::vector<const float *> pointers;
  for (int64_t r = 0; r < rows; ++r)
    pointers.push_back(&a[size_t(r * depth)]);
  mho::rt::kernels::Run run{0, depth};
  expectOneResult([&](const Table &t) {
    std::vector<float> out(rows * columns);
    t.productF32({pointers.data(), rows, &run, 1, b.data(), depth * 16, 16, 3,
                  out.data(), columns});
    return out;
  });
}

TEST(KernelsTest, NoiseConvertersAndDevicesAreTheSameBits) {
  expectOneResult([](const Table &t) {
    std::vector<float> out(64 * 5);
    t.readNormals(kKey, 3, 5, out.data());
    return out;
  });
  expectOneResult([](const Table &t) {
    std::vector<float> out(4 * 50);
    t.cellNormals(kKey, 7, 50, out.data());
    return out;
  });
  std::vector<float> x(100);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = (float(i) - 50) * 0.0371f;
  x[3] = std::numeric_limits<float>::infinity();
  x[4] = std::numeric_limits<float>::quiet_NaN();
  expectOneResult([&](const Table &t) {
    std::vector<int16_t> out(x.size());
    t.codes(x.data(), int64_t(x.size()), 127 / 1.5f, 127, out.data());
    return out;
  });
  expectOneResult([&](const Table &t) {
    std::vector<int32_t> acc(48 * 32), var(48 * 32);
    for (size_t i = 0; i < acc.size(); ++i) {
      acc[i] = int32_t(i * 7919) - 5000000;
      var[i] = int32_t(i * 104729 % 3000000);
    }
    std::vector<float> gain(32, 1e-5f), spread(32, 3e-4f), scale(32, 0.5f),
        shift(32, 0.25f), row(48, 0.7f), out(48 * 27, 1.0f);
    std::vector<float *> rows;
    for (size_t r = 0; r < 48; ++r)
      rows.push_back(&out[r * 27]);
    t.epilogueS32({acc.data(), var.data(), gain.data(), spread.data(),
                   row.data(), scale.data(), shift.data(), 48, 27, 32,
                   rows.data(), true, 127, true, kKey, 11});
    return out;
  });
  expectOneResult([](const Table &t) {
    PcmModel model = {20.7f,
                      {.17f, 4.7f, -8.5f, 4.7f},
                      {.09f, -.04f, -.02f, .07f, .13f, {.07f, -.01f, -.04f, 0}},
                      {.3f, -.01f, -.006f, .01f, .04f, {.007f, .01f, -.01f, 0}},
                      {.16f, -.01f, -.007f, .015f, .04f, {.01f, .02f, 0, 0}}};
    std::vector<float> cells(16 * 32 * 2 + 64);
    for (size_t i = 0; i < 16 * 32; ++i)
      cells[i] = float(i) / 256 - 1;
    float *end = cells.data() + 2 * 16 * 32;
    t.programPcm(model, {cells.data(),
                         cells.data() + 16 * 32,
                         end,
                         end + 32,
                         16,
                         32,
                         1,
                         5.7f,
                         18.f,
                         1u << 28,
                         kKey,
                         {{5}, {6}}});
    return cells;
  });
}
