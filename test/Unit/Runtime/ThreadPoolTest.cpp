//===- ThreadPoolTest.cpp - loops are split without gaps
//--------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Runtime/ThreadPool.h"

#include <algorithm>
#include <chrono>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

using namespace mho::rt;

TEST(ThreadPool, EveryIndexOnce) {
  for (unsigned threads : {1u, 2u, 5u}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.size(), threads);
    for (size_t n : {0, 1, 7, 1000}) {
      std::vector<int> seen(n, 0);
      pool.parallelFor(n, 3, [&](size_t begin, size_t end) {
        EXPECT_EQ(begin % 3, 0u);
        for (size_t i = begin; i < end; ++i)
          ++seen[i];
      });
      EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), long(n));
    }
  }
}

TEST(ThreadPool, NestedLoopsRunInline) {
  ThreadPool pool(3);
  std::vector<int> seen(60, 0);
  pool.parallelFor(6, 1, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i)
      pool.parallelFor(10, 1, [&](size_t b, size_t e) {
        for (size_t j = b; j < e; ++j)
          ++seen[i * 10 + j];
      });
  });
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), 60);
}

/// Loops that follow each other at once, after a pause, and from two callers:
/// every index once, and a loop is over when the call returns.
TEST(ThreadPool, LoopsInQuickSuccession) {
  ThreadPool pool(4);
  auto run = [&](uint64_t salt) {
    std::vector<uint64_t> values(64);
    for (uint64_t round = 1; round <= 3000; ++round) {
      pool.parallelFor(values.size(), 1, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i)
          values[i] += round * salt;
      });
      if (round % 1000 == 0)
        std::this_thread::sleep_for(std::chrono::milliseconds(3));
    }
    return std::all_of(values.begin(), values.end(), [&](uint64_t value) {
      return value == salt * 3000 * 3001 / 2;
    });
  };
  bool other = false;
  std::thread caller([&] { other = run(7); });
  EXPECT_TRUE(run(3));
  caller.join();
  EXPECT_TRUE(other);
}
