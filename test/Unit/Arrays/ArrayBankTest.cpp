//===- ArrayBankTest.cpp - instructions on the arrays of a program ===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Reference.h"
#include "mho/Runtime/Mvm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

using namespace mho;
using namespace mho::rt;

namespace {

constexpr int64_t kHeight = 9, kWidth = 8, kChannels = 8, kColumns = 24;
constexpr int64_t kDepth = 9 * kChannels, kSplit = 44;
constexpr int64_t kImage = kHeight * kWidth * kChannels;

/// One bank of 72 × 24 in two row blocks, on a chip with HERMES devices.
std::shared_ptr<const LoadedProgram>
makeProgram(const std::vector<float> &weights, const std::vector<float> &affine,
            bool ranges) {
  fb::ProgramT program;
  program.format = kFormatVersion;
  program.chip = std::make_unique<fb::ChipT>();
  program.chip->name = "test";
  auto kind = std::make_unique<fb::UnitKindT>();
  kind->name = "core";
  kind->arrays = std::make_unique<fb::ArraysT>();
  kind->arrays->rows = kind->arrays->cols = 64;
  kind->arrays->devices_per_polarity = 2;
  kind->arrays->scale_per_column = true;
  kind->arrays->input_bits = kind->arrays->output_bits = 8;
  kind->arrays->device = "hermes-pcm";
  program.chip->kinds.push_back(std::move(kind));
  program.units.push_back(std::make_unique<fb::UnitT>());
  auto bank = std::make_unique<fb::BankT>();
  bank->name = "conv1";
  bank->rows = kDepth;
  bank->cols = bank->stride = kColumns;
  bank->scale = 0;
  bank->shift = kColumns * 4;
  bank->row_splits = {0, kSplit, kDepth};
  bank->col_splits = {0, kColumns};
  bank->input_range = ranges ? 2.5f : 0;
  program.banks.push_back(std::move(bank));
  for (uint32_t block : {0u, 1u}) {
    auto array = std::make_unique<fb::ArrayT>();
    array->index = array->row_block = block;
    array->adc_range = {6.0f};
    program.arrays.push_back(std::move(array));
  }
  auto bytes = [](const std::vector<float> &values) {
    return [&values](const Sink &sink) {
      return sink(std::as_bytes(std::span(values)));
    };
  };
  std::string path = testing::TempDir() + "/array-bank.mho";
  Status written = writeContainer(path, program, bytes(affine), bytes(weights));
  EXPECT_TRUE(written.ok()) << written.message();
  auto file = Container::open(path);
  EXPECT_TRUE(file.ok()) << file.message();
  auto loaded = std::make_shared<LoadedProgram>();
  loaded->file = *file;
  return loaded;
}

struct Fixture : testing::Test {
  Fixture()
      : weights(size_t(kDepth * kColumns)), affine(2 * kColumns),
        images(size_t(samples * kImage)) {
    std::mt19937 random(8);
    std::normal_distribution<float> normal;
    for (auto *v : {&weights, &affine, &images})
      for (float &x : *v)
        x = normal(random);
    // 3×3, stride 1, padding 1, channels last.
    first.array = 0;
    first.firstRow = 0;
    first.input.strides = {kWidth * kChannels, kChannels, kWidth * kChannels,
                           kChannels, 1};
    first.input.offset = -(kWidth + 1) * kChannels * 4;
    first.input.valid = {{-1, kHeight, {1, 0, 1, 0, 0}},
                         {-1, kWidth, {0, 1, 0, 1, 0}}};
    first.output.strides = {kWidth * kColumns, kColumns, 1};
    first.accumulate = false;
    first.shift = true;
    second = first;
    second.array = 1;
    second.firstRow = kSplit;
    second.accumulate = true;
    second.shift = false;
  }

  /// Runs both instructions for samples [from, to) in groups of `group`.
  std::vector<float> run(ArrayBank &bank, size_t from, size_t to, size_t group,
                         unsigned threads, Observer *observer = nullptr) {
    ThreadPool pool(threads);
    size_t outSize = size_t(kHeight * kWidth * kColumns);
    std::vector<float> out((to - from) * outSize);
    int64_t counts[] = {kHeight, kWidth}, inner[] = {3, 3, kChannels};
    for (size_t s = from; s < to; s += group)
      for (const isa::Mvm *instruction : {&first, &second}) {
        std::vector<const std::byte *> in;
        std::vector<std::byte *> to_;
        for (size_t i = s; i < std::min(s + group, to); ++i) {
          in.push_back(
              reinterpret_cast<const std::byte *>(&images[i * size_t(kImage)]));
          to_.push_back(
              reinterpret_cast<std::byte *>(&out[(i - from) * outSize]));
        }
        MvmCall call;
        call.instruction = instruction;
        call.array = instruction->array;
        call.inputs = in;
        call.outputs = to_;
        call.counts = counts;
        call.inner = inner;
        call.firstSample = s;
        bank.run(call, pool, observer);
      }
    return out;
  }

  std::unique_ptr<ArrayBank> program(const NoiseSettings &noise) {
    ThreadPool pool(1);
    auto bank =
        ArrayBank::program(makeProgram(weights, affine, true), noise, 0, pool);
    EXPECT_TRUE(bank.ok()) << bank.message();
    return std::move(*bank);
  }

  static constexpr size_t samples = 5;
  std::vector<float> weights, affine, images;
  isa::Mvm first, second;
};

} // namespace

TEST_F(Fixture, IdealConvolutionMatchesItsDefinition) {
  auto bank = program({});
  std::vector<float> out = run(*bank, 0, 2, 2, 2);
  int64_t counts[] = {kHeight, kWidth}, inner[] = {3, 3, kChannels};
  for (int64_t s = 0; s < 2; ++s)
    for (int64_t v = 0; v < kHeight * kWidth; ++v)
      for (int64_t n = 0; n < kColumns; ++n) {
        double sum = 0;
        for (int64_t k = 0; k < kDepth; ++k)
          sum += double(reference::inputElement(first.input,
                                                &images[size_t(s * kImage)] +
                                                    first.input.offset / 4,
                                                counts, inner, v, k)) *
                 weights[size_t(k * kColumns + n)];
        double expected =
            sum * affine[size_t(n)] + affine[size_t(kColumns + n)];
        ASSERT_NEAR(out[size_t((s * kHeight * kWidth + v) * kColumns + n)],
                    expected, 1e-4);
      }
}

/// Codes from a frame with its border are the codes of the windows: every
/// result lies within one ADC code of each row block's reference.
TEST_F(Fixture, QuantisedConvolutionMatchesItsDefinition) {
  NoiseSettings noise;
  noise.quantization = true;
  std::vector<float> out = run(*program(noise), 0, 1, 1, 1);
  int64_t counts[] = {kHeight, kWidth}, inner[] = {3, 3, kChannels};
  float range[] = {6.0f};
  size_t off = 0;
  for (int64_t v = 0; v < kHeight * kWidth; ++v) {
    std::vector<float> vector;
    for (int64_t k = 0; k < kDepth; ++k)
      vector.push_back(reference::inputElement(
          first.input, &images[0] + first.input.offset / 4, counts, inner, v,
          k));
    for (int64_t n = 0; n < kColumns; ++n) {
      double expected = affine[size_t(kColumns + n)], code = 0;
      for (int64_t row : {int64_t(0), kSplit}) {
        ArraySpec spec;
        spec.weights = &weights[size_t(row * kColumns)];
        spec.weightStride = spec.columns = kColumns;
        spec.rows = row ? kDepth - kSplit : kSplit;
        spec.inputRange = 2.5f;
        spec.adcRange = range;
        spec.scale = affine.data();
        expected += reference::column(
            spec, true, std::span(vector).subspan(size_t(row)), n, false);
        float most = 0;
        for (int64_t k = 0; k < spec.rows; ++k)
          most = std::max(most, std::fabs(spec.weights[k * kColumns + n]));
        code += std::fabs(range[0] / 127 * 2.5f * most * affine[size_t(n)]);
      }
      double error = std::fabs(out[size_t(v * kColumns + n)] - expected);
      ASSERT_LT(error, code + 1e-4);
      off += error > 0.2 * code;
    }
  }
  EXPECT_LT(off, out.size() / 100);
}

/// The same bytes for any group and any number of threads, every effect on.
TEST_F(Fixture, GroupsAndThreadsChangeNothing) {
  for (bool quantised : {true, false}) {
    NoiseSettings noise;
    noise.quantization = quantised;
    noise.programming = noise.drift = noise.read = true;
    noise.timeSeconds = 3600;
    auto bank = program(noise);
    std::vector<float> all = run(*bank, 0, samples, samples, 1);
    std::vector<float> single = run(*bank, 0, samples, 1, 2);
    std::vector<float> pairs = run(*bank, 0, samples, 2, 2);
    EXPECT_EQ(std::memcmp(all.data(), single.data(), all.size() * 4), 0);
    EXPECT_EQ(std::memcmp(all.data(), pairs.data(), all.size() * 4), 0);
  }
}

/// Quantised results stay near the ideal ones and noise differs by seed.
TEST_F(Fixture, EffectsAreSmallAndSeeded) {
  std::vector<float> ideal = run(*program({}), 0, 2, 2, 1);
  auto error = [&](const std::vector<float> &out) {
    double off = 0, norm = 0;
    for (size_t i = 0; i < out.size(); ++i) {
      off += std::pow(double(out[i]) - ideal[i], 2);
      norm += double(ideal[i]) * ideal[i];
    }
    return std::sqrt(off / norm);
  };
  NoiseSettings noise;
  noise.quantization = true;
  double rounding = error(run(*program(noise), 0, 2, 2, 1));
  EXPECT_LT(rounding, 0.05);
  noise.programming = noise.read = true;
  auto seed0 = run(*program(noise), 0, 2, 2, 1);
  noise.seed = 1;
  auto seed1 = run(*program(noise), 0, 2, 2, 1);
  EXPECT_NE(seed0, seed1);
  EXPECT_GT(error(seed0), rounding);
  EXPECT_LT(error(seed0), 0.4);
}

TEST_F(Fixture, ObserverSeesInputsAndColumns) {
  Observer observer(2);
  run(*program({}), 0, 1, 1, 1, &observer);
  float most = 0;
  for (int64_t i = 0; i < kImage; ++i)
    most = std::max(most, std::fabs(images[size_t(i)]));
  EXPECT_LE(observer.input(0).largest(), most);
  EXPECT_GE(std::max(observer.input(0).largest(), observer.input(1).largest()),
            most);
  EXPECT_EQ(observer.input(0).count(), uint64_t(kHeight * kWidth * kSplit));
  ASSERT_EQ(observer.column(1).size(), size_t(kColumns));
  EXPECT_GT(observer.column(1)[5].largest(), 0);
}

TEST_F(Fixture, MissingRangesNameTheBank) {
  ThreadPool pool(1);
  NoiseSettings noise;
  noise.quantization = true;
  auto bank =
      ArrayBank::program(makeProgram(weights, affine, false), noise, 0, pool);
  ASSERT_FALSE(bank.ok());
  EXPECT_NE(bank.message().find("bank 'conv1' has no ranges"),
            std::string::npos);
  noise = {};
  noise.drift = true;
  noise.compensation = Compensation::Reference;
  bank = ArrayBank::program(makeProgram(weights, affine, true), noise, 0, pool);
  ASSERT_FALSE(bank.ok());
  EXPECT_NE(bank.message().find("reference cells"), std::string::npos);
}
