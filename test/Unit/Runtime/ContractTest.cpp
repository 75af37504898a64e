//===- ContractTest.cpp - products over many axes against plain loops -----===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Accesses.h"

#include "GroupRun.h"
#include "mho/Runtime/ThreadPool.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <string>

using namespace mho;
using namespace mho::isa;
using namespace mho::rt;

namespace {

/// One dimension with the operands' strides.
struct Axis {
  int64_t extent, lhs, rhs, out;
};
using Axes = std::vector<Axis>;

struct Case {
  const char *name;
  Axes batch, rows, columns, inner;
};

// Axes that are one dimension to an operand, and such that are none: to the
// left operand, the right one, the result, with few and with many uses of each
// value.
const Case kCases[] = {
    {"matrices", {}, {{7, 5, 0, 9}}, {{9, 0, 5, 1}}, {{5, 1, 1, 0}}},
    {"batchOfSmall",
     {{3, 500, 0, 260}, {2, 200, 70, 130}},
     {{10, 20, 0, 13}},
     {{13, 0, 1, 1}},
     {{5, 1, 13, 0}}},
    {"batchOfLarge",
     {{2, 20000, 20000, 20000}},
     {{100, 130, 0, 140}},
     {{140, 0, 1, 1}},
     {{130, 1, 140, 0}}},
    {"windows",
     {},
     {{40, 32 * 20, 0, 30 * 18}, {30, 20, 0, 18}},
     {{18, 0, 180, 1}},
     {{3, 32 * 20, 60, 0}, {3, 20, 20, 0}, {20, 1, 1, 0}}},
    {"windowsOfChannels",
     {},
     {{21, 23, 0, 22}, {21, 1, 0, 1}},
     {{17, 0, 180, 500}},
     {{20, 529, 9, 0}, {3, 23, 3, 0}, {3, 1, 1, 0}}},
    {"windowsAlongOneAxis",
     {},
     {{50, 4, 0, 20}},
     {{20, 0, 24, 1}},
     {{6, 4, 4, 0}, {4, 1, 1, 0}}},
    {"windowsByChannel",
     {{5, 100, 9, 64}},
     {{8, 10, 0, 8}, {8, 1, 0, 1}},
     {},
     {{3, 10, 3, 0}, {3, 1, 1, 0}}},
    {"windowsOnTheRight",
     {},
     {{17, 90, 0, 500}},
     {{21, 0, 23, 21}, {21, 0, 1, 1}},
     {{10, 9, 529, 0}, {3, 3, 23, 0}, {3, 1, 1, 0}}},
    {"headsTogether",
     {},
     {{64, 32, 0, 48}},
     {{48, 0, 1, 1}},
     {{4, 64 * 32, 32 * 48, 0}, {32, 1, 48, 0}}},
    {"weightsTransposed",
     {},
     {{33, 64, 0, 36}},
     {{4, 0, 9, 9}, {9, 0, 1, 1}},
     {{8, 8, 1000, 0}, {8, 1, 36, 0}}},
    {"bothGathered",
     {},
     {{6, 1000, 0, 200}, {7, 1, 0, 25}},
     {{5, 0, 1000, 5}, {5, 0, 1, 1}},
     {{4, 100, 120, 0}, {5, 7, 10, 0}}},
    {"resultIsNoMatrix",
     {},
     {{6, 100, 0, 10}, {10, 10, 0, 1}},
     {{3, 0, 200, 2000}, {5, 0, 10, 100}},
     {{10, 1, 1, 0}}},
    {"resultIsNoMatrixAndLarge",
     {},
     {{60, 1000, 0, 40}, {40, 20, 0, 1}},
     {{30, 0, 20, 5000}, {3, 0, 700, 200000}},
     {{20, 1, 1, 0}}},
    {"longSumsOfFewRows",
     {},
     {{2, 6000, 0, 3}},
     {{3, 0, 1, 1}},
     {{40, 60, 3, 0}, {50, 1, 200, 0}}},
    {"oneElement", {}, {}, {}, {{9, 2, 3, 0}}},
    {"emptySums",
     {},
     {{3, 0, 0, 4}},
     {{4, 0, 0, 1}},
     {{0, 1, 1, 0}, {3, 0, 0, 0}}},
    {"nothing", {}, {{0, 1, 0, 4}}, {{4, 0, 1, 1}}, {{3, 1, 4, 0}}},
};

class ContractTest : public testing::TestWithParam<Case> {
protected:
  ContractTest() {
    const Case &c = GetParam();
    for (const Axes *role : {&c.batch, &c.rows, &c.columns, &c.inner})
      all.insert(all.end(), role->begin(), role->end());
    for (const Axis &axis : all)
      extents.push_back(axis.extent);
  }

  /// The last element that an operand has, plus one.
  size_t room(int64_t Axis::*stride) const {
    int64_t last = 0;
    for (const Axis &axis : all)
      last += std::max<int64_t>(axis.extent - 1, 0) * axis.*stride;
    return size_t(last) + 1;
  }

  Contract instruction(Type left, Type right, Type out, bool accumulate) const {
    const Case &c = GetParam();
    Contract op;
    auto extentsOf = [](const Axes &axes) {
      std::vector<Extent> extents;
      for (const Axis &axis : axes)
        extents.push_back({axis.extent});
      return extents;
    };
    op.batch = extentsOf(c.batch);
    op.rows = extentsOf(c.rows);
    op.columns = extentsOf(c.columns);
    op.inner = extentsOf(c.inner);
    auto of = [&](Type type, int64_t Axis::*stride) {
      std::vector<int64_t> strides;
      for (const Axis &axis : all)
        strides.push_back(axis.*stride);
      return access(type, strides);
    };
    op.lhs = of(left, &Axis::lhs);
    op.rhs = of(right, &Axis::rhs);
    op.output = of(out, &Axis::out);
    op.accumulate = accumulate;
    return op;
  }

  /// visit(lhs, rhs, out) for every multiplication, in elements.
  template <typename Visit>
  void forEachTerm(const Visit &visit, size_t d = 0, int64_t lhs = 0,
                   int64_t rhs = 0, int64_t out = 0) const {
    if (d == all.size())
      return visit(size_t(lhs), size_t(rhs), size_t(out));
    for (int64_t i = 0; i < all[d].extent; ++i)
      forEachTerm(visit, d + 1, lhs + i * all[d].lhs, rhs + i * all[d].rhs,
                  out + i * all[d].out);
  }

  /// Without a sum there are no terms: its result is 0, or stays.
  template <typename T> void clearResults(std::vector<T> &result) const {
    const Case &c = GetParam();
    size_t outer = all.size() - c.inner.size();
    auto visit = [&](auto &&self, size_t d, int64_t out) -> void {
      if (d == outer) {
        result[size_t(out)] = 0;
        return;
      }
      for (int64_t i = 0; i < all[d].extent; ++i)
        self(self, d + 1, out + i * all[d].out);
    };
    visit(visit, 0, 0);
  }

  template <typename L, typename R>
  void expectExact(Type left, Type right, bool accumulate) {
    std::mt19937 random(3);
    std::vector<L> lhs(room(&Axis::lhs));
    std::vector<R> rhs(room(&Axis::rhs));
    for (L &value : lhs)
      value = L(random());
    for (R &value : rhs)
      value = R(random());
    std::vector<int32_t> out(room(&Axis::out), 77), expected = out;
    if (!accumulate)
      clearResults(expected);
    forEachTerm(
        [&](size_t l, size_t r, size_t o) { expected[o] += lhs[l] * rhs[r]; });
    ThreadPool pool(2);
    ASSERT_TRUE(runContract(instruction(left, right, Type::I32, accumulate),
                            extents, bytesOf(lhs), bytesOf(rhs), bytesOf(out),
                            &pool)
                    .ok());
    EXPECT_EQ(out, expected);
  }

  Axes all;
  std::vector<int64_t> extents;
};

} // namespace

TEST_P(ContractTest, FloatsMatchDoubles) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> lhs(room(&Axis::lhs)), rhs(room(&Axis::rhs));
  for (float &value : lhs)
    value = uniform(random);
  for (float &value : rhs)
    value = uniform(random);
  int64_t terms = 1;
  for (const Axis &axis : GetParam().inner)
    terms *= axis.extent;
  for (bool accumulate : {false, true}) {
    std::vector<double> expected(room(&Axis::out), 0.75), bounds = expected;
    if (!accumulate)
      clearResults(expected);
    forEachTerm([&](size_t l, size_t r, size_t o) {
      double term = double(lhs[l]) * rhs[r];
      expected[o] += term;
      bounds[o] += std::abs(term);
    });
    Contract op = instruction(Type::F32, Type::F32, Type::F32, accumulate);
    std::vector<float> alone;
    for (unsigned threads : {0, 1, 2, 3}) {
      std::vector<float> out(expected.size(), 0.75f);
      std::unique_ptr<ThreadPool> pool;
      if (threads)
        pool = std::make_unique<ThreadPool>(threads);
      ASSERT_TRUE(runContract(op, extents, bytesOf(lhs), bytesOf(rhs),
                              bytesOf(out), pool.get())
                      .ok());
      if (threads) {
        ASSERT_EQ(std::memcmp(out.data(), alone.data(), out.size() * 4), 0)
            << threads << " threads";
        continue;
      }
      for (size_t i = 0; i < out.size(); ++i)
        ASSERT_NEAR(out[i], expected[i], 6e-8 * double(terms + 1) * bounds[i])
            << "element " << i << ", accumulate " << accumulate;
      alone = out;
    }
  }
}

TEST_P(ContractTest, BytesAreExact) {
  for (bool accumulate : {false, true}) {
    SCOPED_TRACE(accumulate);
    expectExact<int8_t, int8_t>(Type::I8, Type::I8, accumulate);
    expectExact<int8_t, uint8_t>(Type::I8, Type::U8, accumulate);
    expectExact<uint8_t, int8_t>(Type::U8, Type::I8, accumulate);
    expectExact<uint8_t, uint8_t>(Type::U8, Type::U8, accumulate);
  }
}

static std::string caseName(const testing::TestParamInfo<Case> &info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(Cases, ContractTest, testing::ValuesIn(kCases),
                         caseName);
