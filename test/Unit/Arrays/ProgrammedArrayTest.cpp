//===- ProgrammedArrayTest.cpp - reads of one array ===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgrammedArray.h"
#include "Reference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

using namespace mho::rt;

namespace {

struct Case {
  Case(int64_t rows, int64_t columns, int64_t vectors)
      : weights(size_t(rows * columns)), inputs(size_t(rows * vectors)),
        scale(size_t(columns)), shift(size_t(columns)),
        outputs(size_t(vectors * columns)), vectors(vectors) {
    std::mt19937 random(6);
    std::normal_distribution<float> normal;
    for (auto *v : {&weights, &inputs, &scale, &shift})
      for (float &x : *v)
        x = normal(random);
    spec.weights = weights.data();
    spec.weightStride = columns;
    spec.rows = rows;
    spec.columns = columns;
    spec.inputRange = 2;
    spec.adcRange = range;
    spec.scale = scale.data();
    spec.shift = shift.data();
  }
  void read(const ProgrammedArray &array, uint64_t repetition = 0) {
    BlockScratch scratch(array);
    VectorBlock block;
    block.count = vectors;
    block.addShift = true;
    for (int64_t v = 0; v < vectors; ++v) {
      block.values[v] = &inputs[size_t(v * spec.rows)];
      block.out[v] = &outputs[size_t(v * spec.columns)];
    }
    BlockPart part{0, vectors, 0, streamKey(array.readKey, 0, repetition)};
    block.parts = std::span(&part, 1);
    readBlock(array, block, scratch);
  }
  float result(int64_t v, int64_t c) const {
    return outputs[size_t(v * spec.columns + c)];
  }
  std::span<const float> input(int64_t v) const {
    return std::span(inputs).subspan(size_t(v * spec.rows), size_t(spec.rows));
  }
  std::vector<float> weights, inputs, scale, shift, outputs;
  float range[1] = {5};
  int64_t vectors;
  ArraySpec spec;
};

} // namespace

TEST(ProgrammedArrayTest, IdealIsThePlainProduct) {
  for (bool perColumn : {true, false}) {
    Case c(37, 21, 19);
    c.spec.scalePerColumn = perColumn;
    c.read(programArray(c.spec, {}));
    for (int64_t v = 0; v < c.vectors; ++v)
      for (int64_t n = 0; n < 21; ++n)
        ASSERT_NEAR(c.result(v, n),
                    reference::column(c.spec, false, c.input(v), n, true),
                    3e-5);
  }
}

/// Weights in 16 bits move the sum by less than a hundredth of a code here:
/// nearly all codes are the reference's, the others neighbours.
TEST(ProgrammedArrayTest, QuantisedCodesAreTheReferences) {
  NoiseSettings noise;
  noise.quantization = true;
  for (uint32_t bits : {8u, 9u, 12u}) {
    Case c(300, 21, 40);
    c.spec.inputBits = bits;
    ProgrammedArray array = programArray(c.spec, noise);
    EXPECT_EQ(array.integer, bits <= 9);
    c.read(array);
    int64_t off = 0;
    for (int64_t v = 0; v < c.vectors; ++v)
      for (int64_t n = 0; n < 21; ++n) {
        double expected = reference::column(c.spec, true, c.input(v), n, true);
        double code =
            std::fabs(c.range[0] / 127 * c.spec.inputRange *
                      array.columnScale[size_t(n)] * c.scale[size_t(n)]);
        double error = std::fabs(c.result(v, n) - expected);
        ASSERT_LT(error, 1.01 * code + 1e-4);
        off += error > 0.5 * code;
      }
    EXPECT_LE(off, c.vectors * 21 / 50);
  }
}

/// The worst case of a 32-bit sum: every weight and every code at its end.
TEST(ProgrammedArrayTest, SumsDoNotOverflow) {
  NoiseSettings noise;
  noise.quantization = true;
  for (int64_t rows : {512, 1152, 4000})
    for (uint32_t bits : {8u, 9u}) {
      Case c(rows, 16, 1);
      std::fill(c.weights.begin(), c.weights.end(), 0.7f);
      std::fill(c.inputs.begin(), c.inputs.end(), -9.0f);
      c.spec.inputBits = bits;
      c.spec.outputBits = 12;
      c.range[0] = float(rows) * 1.25f;
      c.read(programArray(c.spec, noise));
      for (int64_t n = 0; n < 16; ++n)
        EXPECT_NEAR(c.result(0, n),
                    reference::column(c.spec, true, c.input(0), n, true),
                    1e-3 * std::fabs(c.result(0, n)) + 1e-3);
    }
}

/// Output spread of repeated reads against Σ x² · variance, both paths.
/// 2000 reads of 16 columns: the ratio of spreads has a standard error of
/// 1/√(2·2000) per column, 0.4 % over all.
TEST(ProgrammedArrayTest, ReadNoiseHasTheCellsVariance) {
  auto device = createDeviceModel("hermes-pcm", 2, {});
  ASSERT_TRUE(device.ok());
  for (bool quantised : {true, false}) {
    Case c(144, 16, 40);
    std::fill(c.shift.begin(), c.shift.end(), 0.0f);
    std::fill(c.scale.begin(), c.scale.end(), 1.0f);
    for (int64_t v = 1; v < c.vectors; ++v)
      std::copy_n(c.inputs.begin(), 144, c.inputs.begin() + v * 144);
    for (float &x : c.inputs)
      x = std::clamp(x * 0.6f, -1.9f, 1.9f);
    c.spec.device = device->get();
    c.spec.outputBits = 16; // no rounding to speak of
    c.range[0] = 30;
    NoiseSettings noise;
    noise.quantization = quantised;
    noise.read = true;
    noise.timeSeconds = 86400;
    ProgrammedArray array = programArray(c.spec, noise);
    EXPECT_EQ(array.integer, quantised);
    std::vector<double> sum(16), square(16);
    double reads = 0;
    for (uint64_t repetition = 0; repetition < 50; ++repetition) {
      c.read(array, repetition);
      for (int64_t v = 0; v < c.vectors; ++v, ++reads)
        for (int64_t n = 0; n < 16; ++n) {
          sum[size_t(n)] += c.result(v, n);
          square[size_t(n)] += double(c.result(v, n)) * c.result(v, n);
        }
    }
    // The cells' variance from the device itself.
    std::vector<float> cells(144 * 16), variance(144 * 16), before(16), now(16);
    for (int64_t k = 0; k < 144; ++k)
      for (int64_t n = 0; n < 16; ++n)
        cells[size_t(k * 16 + n)] =
            c.weights[size_t(k * 16 + n)] / array.columnScale[size_t(n)];
    (*device)->program(
        {144, 16, 16, cells.data(), variance.data(), before.data(), now.data()},
        noise, streamKey(0, 0, 0, Purpose::Programming),
        streamKey(0, 0, 0, Purpose::Faults));
    double ratios = 0;
    for (int64_t n = 0; n < 16; ++n) {
      double expected = 0;
      for (int64_t k = 0; k < 144; ++k)
        expected += double(c.inputs[size_t(k)]) * c.inputs[size_t(k)] *
                    variance[size_t(k * 16 + n)];
      expected = std::sqrt(expected) * array.columnScale[size_t(n)];
      double mean = sum[size_t(n)] / reads;
      double got = std::sqrt(square[size_t(n)] / reads - mean * mean);
      EXPECT_NEAR(got / expected, 1, 0.1);
      ratios += got / expected / 16;
      double exact = reference::column(c.spec, quantised, c.input(0), n, true);
      EXPECT_NEAR(mean, exact, 5 * expected / std::sqrt(reads) + 2e-3);
    }
    EXPECT_NEAR(ratios, 1, 0.025);
  }
}

/// After a day the uncompensated array has lost weight, a compensated one
/// hardly any on average.
TEST(ProgrammedArrayTest, CompensationRestoresTheMean) {
  auto device = createDeviceModel("hermes-pcm", 2, {});
  ASSERT_TRUE(device.ok());
  NoiseSettings noise;
  noise.drift = true;
  noise.timeSeconds = 86400;
  auto gain = [&](Compensation compensation) {
    Case c(256, 64, 32);
    c.spec.device = device->get();
    for (float &w : c.weights)
      w = std::fabs(w);
    for (float &x : c.inputs)
      x = std::fabs(x);
    std::fill(c.scale.begin(), c.scale.end(), 1.0f);
    std::fill(c.shift.begin(), c.shift.end(), 0.0f);
    noise.compensation = compensation;
    c.read(programArray(c.spec, noise));
    double got = 0, exact = 0;
    for (int64_t v = 0; v < 32; ++v)
      for (int64_t n = 0; n < 64; ++n) {
        got += c.result(v, n);
        exact += reference::column(c.spec, false, c.input(v), n, true);
      }
    return got / exact;
  };
  EXPECT_LT(gain(Compensation::None), 0.80);
  EXPECT_NEAR(gain(Compensation::Global), 1, 0.005);
  EXPECT_NEAR(gain(Compensation::Column), 1, 0.005);
}
