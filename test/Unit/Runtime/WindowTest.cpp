//===- WindowTest.cpp - reductions over windows against the reference
//----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel/Windows.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <random>

using namespace mho;
using namespace mho::rt;
using namespace mho::isa;

namespace {

struct Case {
  int64_t high, wide, kernelHigh, kernelWide, channels;
  WriteKind kind;
  bool weighted;
  /// Elements from channel to channel of the weights; 0: one for all.
  int64_t weightStride = 1;
  bool fromMemory = false;
};

constexpr int64_t kImageWide = 64;

/// NHWC image [.., 64, channels], weights per tap and channel.
Kernel makeKernel(const Case &c) {
  Kernel kernel;
  for (int64_t extent :
       {c.high, c.wide, c.kernelHigh, c.kernelWide, c.channels})
    kernel.dims.push_back({extent, kNoSlot});
  int64_t row = kImageWide * c.channels;
  kernel.reads.push_back(Access{Type::F32,
                                Space::Scratch,
                                0,
                                {2 * row, c.channels, row, c.channels, 1},
                                {},
                                {},
                                0});
  kernel.body.yields = {0};
  if (c.weighted) {
    int64_t taps = c.kernelHigh * c.kernelWide;
    int64_t tap = c.weightStride == taps ? 1 : c.channels;
    kernel.reads.push_back(
        Access{Type::F32,
               Space::Const,
               0,
               {0, 0, c.kernelWide * tap, tap, c.weightStride},
               {},
               {},
               0});
    kernel.body.ops = {
        {uint16_t(MicroOpcode::ArithMulf), Type::F32, 0, {0, 1}}};
    kernel.body.yields = {2};
  }
  Access out{Type::F32, Space::Scratch,
             0,         {c.wide * c.channels, c.channels, 0, 0, 1},
             {},        {},
             0};
  kernel.writes = {
      Write{out, c.kind, c.fromMemory, std::bit_cast<uint32_t>(0.25f)}};
  return kernel;
}

/// NCHW planes: lanes run along rows, of which every `step`th element starts a
/// window; a weight is the same for all of them.
struct Planes {
  int64_t channels, high, wide, kernelHigh, kernelWide, step;
  WriteKind kind;
  bool weighted;
};

Kernel makeKernel(const Planes &c) {
  Kernel kernel;
  // The window's dims the other way round, so that lanes do not run along it.
  for (int64_t extent :
       {c.channels, c.high, c.wide, c.kernelWide, c.kernelHigh})
    kernel.dims.push_back({extent, kNoSlot});
  int64_t row = (c.wide - 1) * c.step + c.kernelWide;
  int64_t plane = ((c.high - 1) * c.step + c.kernelHigh) * row;
  auto access = [&](Space space, std::vector<int64_t> strides) {
    return Access{Type::F32, space, 0, std::move(strides), {}, {}, 0};
  };
  kernel.reads.push_back(
      access(Space::Scratch, {plane, c.step * row, c.step, 1, row}));
  kernel.body.yields = {0};
  if (c.weighted) {
    kernel.reads.push_back(access(
        Space::Const, {c.kernelHigh * c.kernelWide, 0, 0, 1, c.kernelWide}));
    kernel.body.ops = {
        {uint16_t(MicroOpcode::ArithMulf), Type::F32, 0, {0, 1}}};
    kernel.body.yields = {2};
  }
  kernel.writes = {
      Write{access(Space::Scratch, {c.high * c.wide, c.wide, 1, 0, 0}), c.kind,
            false, std::bit_cast<uint32_t>(0.25f)}};
  return kernel;
}

/// Elements that an access reaches: what lies behind them is not there.
size_t reachOf(const Access &access, const std::vector<int64_t> &extents) {
  int64_t last = 0;
  for (size_t d = 0; d < extents.size(); ++d)
    last += access.strides[d] * (extents[d] - 1);
  return size_t(last) + 1;
}

void check(const Kernel &kernel, bool special) {
  std::vector<int64_t> extents;
  for (const Extent &extent : kernel.dims)
    extents.push_back(extent.max);
  auto plan = makePlan(kernel, extents);
  ASSERT_TRUE(plan && plan->windows);
  std::mt19937 random{unsigned(extents[2] * 7 + extents[3])};
  std::normal_distribution<float> normal;
  // Of just the bytes that are read: a sanitizer sees who reads more.
  auto numbers = [&](const Access &access) {
    std::vector<float> values(reachOf(access, extents));
    for (float &x : values)
      x = normal(random);
    return values;
  };
  std::vector<float> image = numbers(kernel.reads[0]), weights;
  if (kernel.reads.size() > 1)
    weights = numbers(kernel.reads[1]);
  if (special)
    for (size_t i = 0; i < image.size(); ++i)
      image[i] = i % 101 == 0   ? std::numeric_limits<float>::quiet_NaN()
                 : i % 3 == 0   ? -0.0f
                 : i % 103 == 1 ? -std::numeric_limits<float>::infinity()
                                : 0.0f;
  std::vector<float> start = numbers(kernel.writes[0].access);
  std::vector<const std::byte *> reads = {
      reinterpret_cast<std::byte *>(image.data()),
      reinterpret_cast<std::byte *>(weights.data())};
  reads.resize(kernel.reads.size());
  auto run = [&](const blocks::Table *table, ThreadPool *pool) {
    std::vector<float> out = start;
    std::vector<std::byte *> writes = {
        reinterpret_cast<std::byte *>(out.data())};
    KernelFrame frame{extents, reads, writes, {}};
    Status status = table ? runPlan(kernel, plan.get(), frame, pool, *table)
                          : runReference(kernel, frame);
    EXPECT_TRUE(status.ok());
    return out;
  };
  std::vector<float> wanted = run(nullptr, nullptr);
  ThreadPool pool(2);
  std::vector<const blocks::Table *> list = blocks::tables();
  for (size_t t = 0; t < list.size(); ++t) {
    std::vector<float> got = run(list[t], t == 0 ? &pool : nullptr);
    for (size_t i = 0; i < got.size(); ++i)
      ASSERT_TRUE(std::memcmp(&got[i], &wanted[i], 4) == 0 ||
                  (got[i] != got[i] && wanted[i] != wanted[i]))
          << list[t]->name << ": element " << i << " is " << got[i]
          << ", the reference has " << wanted[i];
  }
}

void check(const Case &c, bool special) { check(makeKernel(c), special); }
void check(const Planes &c, bool special) { check(makeKernel(c), special); }

} // namespace

TEST(Windows, DepthwiseEqualsTheReference) {
  for (int64_t channels : {8, 9, 37, 64, 100})
    for (int64_t wide : {1, 3, 5})
      // Side by side, one for all channels, channel after channel.
      for (int64_t stride : {int64_t(1), int64_t(0), 3 * wide})
        check({4, 7, 3, wide, channels, WriteKind::Add, true, stride}, false);
  // Rows that share their weights, in blocks and what is left of them.
  for (int64_t rows = 1; rows <= 11; ++rows)
    for (int64_t wide : {1, 2, 3, 4, 5, 7})
      check({2, rows, 2, wide, 24, WriteKind::Add, true, 1, rows % 2 == 0},
            false);
  // More taps in a row than partial results.
  check({2, 3, 2, 21, 33, WriteKind::Add, true}, false);
  check({2, 3, 2, 21, 33, WriteKind::Add, true, 1, true}, false);
}

TEST(Windows, PoolingEqualsTheReference) {
  for (WriteKind kind : {WriteKind::Add, WriteKind::Max, WriteKind::Min})
    for (int64_t channels : {8, 19, 72})
      for (bool special : {false, true}) {
        check({5, 6, 3, 3, channels, kind, false}, special);
        check({1, 1, 9, 20, channels, kind, false, 1, true}, special);
      }
}

TEST(Windows, PlanesEqualTheReference) {
  for (int64_t step : {1, 2})
    for (int64_t wide : {16, 17, 28, 36, 56, 67})
      for (int64_t kernel : {1, 2, 3, 4}) {
        if (kernel > 1)
          check(Planes{3, 5, wide, kernel, 3, step, WriteKind::Add, true},
                false);
        for (WriteKind kind : {WriteKind::Add, WriteKind::Max, WriteKind::Min})
          for (bool special : {false, true})
            check(Planes{3, 5, wide, kernel + 1, 2, step, kind, false},
                  special);
      }
}
