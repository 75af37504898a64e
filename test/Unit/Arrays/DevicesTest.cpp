//===- DevicesTest.cpp - cells against the published formulas ===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Runtime/Devices.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

using namespace mho::rt;

namespace {

/// The formulas of hardware facts §12.2, in microsiemens and double.
struct Formulas {
  bool two;
  double gMax() const { return two ? 20.7 : 10.35; }
  double t0() const { return two ? 300 : 200; }
  double programming(double r) const {
    return two ? .16603222 + 4.71806468 * r - 8.48101252 * r * r +
                     4.68961419 * r * r * r
               : .15781817 + 2.32443916 * r - 2.16310839 * r * r +
                     .68841818 * r * r * r;
  }
  double nuMean(double r) const {
    return r < .0945 ? std::clamp(-.0387 * std::log(r) - .0182, .0720, .13)
                     : -.0436 * r * r - .0126 * r + .0736;
  }
  double nuSpread(double r) const {
    if (two)
      return r < .3055 ? std::clamp(-.0117 * std::log(r) - .0057, .0091, .04)
                       : -.0118 * r * r + .0093 * r + .0073;
    return r < .3039 ? std::clamp(-.0120 * std::log(r) - .0023, .0124, .04)
                     : -.0165 * r * r + .0116 * r + .0104;
  }
  double read(double r) const {
    if (two)
      return r < .16 ? std::clamp(-.0117 * std::log(r) - .0069, .015, .04)
                     : .0069 * r * r * r - .0280 * r * r + .0211 * r + .0123;
    return r < .1591 ? std::clamp(-.0078 * std::log(r) + .0038, .0179, .04)
                     : .0664 * r * r * r - .1352 * r * r + .0768 * r + .0088;
  }
};

constexpr size_t kRows = 512, kColumns = 256, kCells = kRows * kColumns;

struct Cells {
  explicit Cells(float target)
      : weights(kCells, target), variance(kCells), before(kColumns),
        now(kColumns) {}
  void program(uint32_t devices, const NoiseSettings &noise,
               const DeviceParameters &parameters = {}, uint32_t array = 0) {
    auto model = createDeviceModel("hermes-pcm", devices, parameters);
    ASSERT_TRUE(model.ok()) << model.message();
    (*model)->program({kRows, kColumns, kColumns, weights.data(),
                       variance.data(), before.data(), now.data()},
                      noise, streamKey(5, 0, array, Purpose::Programming),
                      streamKey(5, 0, array, Purpose::Faults));
  }
  std::vector<float> weights, variance, before, now;
};

double mean(const std::vector<float> &v) {
  double sum = 0;
  for (double x : v)
    sum += x;
  return sum / double(v.size());
}
double spread(const std::vector<float> &v) {
  double m = mean(v), sum = 0;
  for (double x : v)
    sum += (x - m) * (x - m);
  return std::sqrt(sum / double(v.size() - 1));
}

/// Mean and variance of max(0, g + σξ) for g = 0: the idle device of a pair.
double idleMean(double sigma) { return sigma / std::sqrt(2 * M_PI); }
double idleVariance(double sigma) {
  return sigma * sigma * (0.5 - 1 / (2 * M_PI));
}

class HermesTest : public testing::TestWithParam<uint32_t> {};

} // namespace

/// Bounds: five standard errors of 131,072 cells.
TEST_P(HermesTest, ProgrammingErrorHasThePublishedSpread) {
  Formulas f{GetParam() == 2};
  NoiseSettings noise;
  noise.programming = true;
  double idle = f.programming(0) / f.gMax();
  uint32_t array = 0;
  for (float r : {0.3f, 0.6f, -0.9f}) {
    Cells cells(r);
    cells.program(GetParam(), noise, {}, array++);
    double sigma = f.programming(std::fabs(r)) / f.gMax();
    double expected = std::sqrt(sigma * sigma + idleVariance(idle));
    double sign = r > 0 ? 1 : -1, root = std::sqrt(double(kCells));
    EXPECT_NEAR(mean(cells.weights), r - sign * idleMean(idle),
                5 * expected / root);
    EXPECT_NEAR(spread(cells.weights), expected,
                5 * expected / (root * std::sqrt(2.0)));
  }
}

TEST_P(HermesTest, DriftExponentsFollowTheTarget) {
  Formulas f{GetParam() == 2};
  NoiseSettings noise;
  noise.drift = true;
  noise.timeSeconds = 86400;
  double age = std::log((86400 + f.t0()) / f.t0());
  for (float r : {0.02f, 0.05f, 0.2f, 0.7f, 1.0f}) {
    Cells cells(r);
    cells.program(GetParam(), noise);
    std::vector<float> nu;
    for (float w : cells.weights)
      nu.push_back(float(-std::log(double(w) / r) / age));
    double sd = f.nuSpread(r), root = std::sqrt(double(kCells));
    EXPECT_NEAR(mean(nu), f.nuMean(r), 5 * sd / root) << r;
    EXPECT_NEAR(spread(nu), sd, 5 * sd / (root * std::sqrt(2.0))) << r;
    EXPECT_NEAR(cells.before[7], kRows * r, 1e-4 * kRows);
    EXPECT_LT(cells.now[7], cells.before[7]);
  }
}

TEST_P(HermesTest, ReadVarianceFollowsTheProgrammedConductance) {
  Formulas f{GetParam() == 2};
  NoiseSettings noise;
  noise.read = true;
  noise.timeSeconds = 3600;
  double factor = std::log((3600 + f.t0() + 512e-9) / (2 * 512e-9));
  for (float r : {0.01f, 0.1f, 0.2f, 0.5f, 1.0f}) {
    Cells cells(r);
    cells.program(GetParam(), noise);
    double sigma = r * f.read(r) * std::sqrt(factor);
    EXPECT_NEAR(std::sqrt(cells.variance[3]), sigma, 1e-5 * sigma) << r;
    EXPECT_FLOAT_EQ(cells.weights[3], r);
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, HermesTest, testing::Values(1u, 2u));

TEST(DevicesTest, FaultsStickAtZeroWithTheirProbability) {
  NoiseSettings noise;
  noise.faults = true;
  Cells cells(1.0f);
  cells.program(2, noise, {{"fault_probability", 0.05}});
  size_t stuck = std::count(cells.weights.begin(), cells.weights.end(), 0.0f);
  double n = kCells, p = 0.05;
  EXPECT_NEAR(double(stuck) / n, p, 5 * std::sqrt(p * (1 - p) / n));
}

TEST(DevicesTest, WrongNamesAndValuesAreRefused) {
  EXPECT_EQ(createDeviceModel("flux", 2, {}).message(),
            "unknown device model 'flux', there are 'ideal' and "
            "'hermes-pcm'");
  EXPECT_NE(createDeviceModel("hermes-pcm", 2, {{"gmax", 1}})
                .message()
                .find("has no parameter 'gmax'"),
            std::string::npos);
  EXPECT_FALSE(createDeviceModel("hermes-pcm", 2, {{"t0", 0}}).ok());
  EXPECT_FALSE(createDeviceModel("hermes-pcm", 3, {}).ok());
}
