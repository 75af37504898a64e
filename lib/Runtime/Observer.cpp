//===- Observer.cpp - what calibration sees
//---------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Runtime/Observer.h"

#include <algorithm>
#include <cmath>

using namespace mho::rt;

namespace {
constexpr size_t kBins = 1024;
}

/// Halves the resolution of `bins` once.
static void fold(std::vector<uint64_t> &bins, float &width) {
  for (size_t i = 0; i < kBins / 2; ++i)
    bins[i] = bins[2 * i] + bins[2 * i + 1];
  std::fill(bins.begin() + kBins / 2, bins.end(), 0);
  width *= 2;
}

void MagnitudeHistogram::add(float magnitude) {
  magnitude = std::abs(magnitude);
  if (!std::isfinite(magnitude))
    return;
  ++total;
  top = std::max(top, magnitude);
  if (magnitude == 0) {
    ++bins[0];
    return;
  }
  if (width == 0) {
    // A power of two, so that histograms merge without loss.
    int exponent;
    std::frexp(magnitude, &exponent);
    width = std::ldexp(1.0f, std::max(exponent - 9, -120));
  }
  while (magnitude >= width * float(kBins))
    fold(bins, width);
  ++bins[size_t(magnitude / width)];
}

void MagnitudeHistogram::merge(const MagnitudeHistogram &other) {
  total += other.total;
  top = std::max(top, other.top);
  if (other.width == 0) {
    bins[0] += other.bins[0];
    return;
  }
  if (width == 0) {
    uint64_t zeros = bins[0];
    bins = other.bins;
    bins[0] += zeros;
    width = other.width;
    return;
  }
  std::vector<uint64_t> theirs = other.bins;
  float theirWidth = other.width;
  while (width < theirWidth)
    fold(bins, width);
  while (theirWidth < width)
    fold(theirs, theirWidth);
  for (size_t i = 0; i < kBins; ++i)
    bins[i] += theirs[i];
}

float MagnitudeHistogram::percentile(double fraction) const {
  if (total == 0)
    return 0;
  uint64_t wanted = uint64_t(std::ceil(fraction * double(total)));
  uint64_t seen = 0;
  for (size_t i = 0; i < kBins; ++i) {
    seen += bins[i];
    if (seen >= wanted)
      return std::min(top, width * float(i + 1));
  }
  return top;
}

void Observer::seeInputs(uint32_t array, const MagnitudeHistogram &values) {
  std::lock_guard<std::mutex> guard(lock);
  inputs[array].merge(values);
}

void Observer::seeColumns(uint32_t array,
                          std::span<const MagnitudeHistogram> values) {
  std::lock_guard<std::mutex> guard(lock);
  std::vector<MagnitudeHistogram> &mine = columns[array];
  if (mine.size() < values.size())
    mine.resize(values.size());
  for (size_t i = 0; i < values.size(); ++i)
    mine[i].merge(values[i]);
}
