//===- InputVectors.cpp - the addresses of an mvm's vectors ----------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "InputVectors.h"

#include <algorithm>
#include <cstring>

namespace mho::rt {

int64_t dotDigits(int64_t number, std::span<const int64_t> extents,
                  std::span<const int64_t> strides) {
  int64_t sum = 0;
  for (size_t d = extents.size(); d-- > 0 && number;) {
    sum += number % extents[d] * strides[d];
    number /= extents[d];
  }
  return sum;
}

InputVectors::InputVectors(const isa::Access &access,
                           std::span<const int64_t> counts,
                           std::span<const int64_t> inner, int64_t firstRow,
                           int64_t rows)
    : fill(access.fill) {
  size_t outer = counts.size();
  extents.assign(counts.begin(), counts.end());
  strides.assign(access.strides.begin(), access.strides.begin() + outer);
  for (int64_t extent : extents)
    vectors *= extent;

  // The inner dimensions without those of extent 1, neighbours merged where
  // one continues the other and no valid range tells them apart.
  struct Dim {
    int64_t extent, stride;
    std::vector<int64_t> coefficients;
  };
  std::vector<Dim> dims;
  for (size_t d = 0; d < inner.size(); ++d) {
    if (inner[d] == 1)
      continue;
    Dim dim{inner[d], access.strides[outer + d], {}};
    for (const isa::ValidRange &range : access.valid)
      dim.coefficients.push_back(range.coefficients[outer + d]);
    if (!dims.empty() && dims.back().stride == dim.stride * dim.extent) {
      bool merge = true;
      for (size_t r = 0; r < dim.coefficients.size(); ++r)
        merge &=
            dims.back().coefficients[r] == dim.coefficients[r] * dim.extent;
      if (merge) {
        dims.back().extent *= dim.extent;
        dims.back().stride = dim.stride;
        dims.back().coefficients = dim.coefficients;
        continue;
      }
    }
    dims.push_back(std::move(dim));
  }
  if (dims.empty())
    dims.push_back({1, 1, std::vector<int64_t>(access.valid.size(), 0)});

  Dim last = dims.back();
  stride = last.stride;
  for (size_t r = 0; r < access.valid.size(); ++r) {
    const isa::ValidRange &range = access.valid[r];
    ranges.push_back(
        {range.size,
         last.coefficients[r],
         {range.coefficients.begin(), range.coefficients.begin() + outer}});
  }
  int64_t end = firstRow + rows;
  for (int64_t row = firstRow; row < end;) {
    int64_t within = row % last.extent;
    int64_t number = row / last.extent;
    InputRun run;
    run.length = std::min(last.extent - within, end - row);
    run.position = row - firstRow;
    run.offset = within * last.stride;
    for (size_t r = 0; r < ranges.size(); ++r)
      run.range.push_back(access.valid[r].offset + within * ranges[r].step);
    for (size_t d = dims.size() - 1; d-- > 0;) {
      int64_t digit = number % dims[d].extent;
      number /= dims[d].extent;
      run.offset += digit * dims[d].stride;
      for (size_t r = 0; r < ranges.size(); ++r)
        run.range[r] += digit * dims[d].coefficients[r];
    }
    row += run.length;
    runs.push_back(std::move(run));
  }
}

int64_t InputVectors::start(int64_t number) const {
  return dotDigits(number, extents, strides);
}

void InputVectors::positions(int64_t number,
                             std::vector<int64_t> &position) const {
  position.clear();
  for (const Range &range : ranges)
    position.push_back(dotDigits(number, extents, range.coefficients));
}

std::pair<int64_t, int64_t>
InputVectors::validPart(const InputRun &run,
                        std::span<const int64_t> position) const {
  // The expressions are linear along a run.
  int64_t begin = 0, end = run.length;
  for (size_t r = 0; r < ranges.size(); ++r) {
    int64_t at = position[r] + run.range[r], step = ranges[r].step;
    int64_t size = ranges[r].size;
    if (step == 0) {
      if (at < 0 || at >= size)
        end = 0;
      continue;
    }
    // at + step·i >= 0 and at + step·i <= size - 1.
    int64_t low = step > 0 ? -at : at - (size - 1);
    int64_t high = step > 0 ? size - 1 - at : at;
    int64_t magnitude = step > 0 ? step : -step;
    if (low > 0)
      begin = std::max(begin, (low + magnitude - 1) / magnitude);
    end = high < 0 ? 0 : std::min(end, high / magnitude + 1);
  }
  begin = std::min(begin, run.length);
  return {begin, std::max(end, begin)};
}

void InputVectors::gather(const float *base, int64_t number, float *out) const {
  const float *vector = base + start(number);
  std::vector<int64_t> position;
  positions(number, position);
  for (const InputRun &run : runs) {
    auto [begin, end] = validPart(run, position);
    float *to = out + run.position;
    std::fill(to, to + begin, float(fill));
    const float *from = vector + run.offset;
    if (stride == 1)
      std::memcpy(to + begin, from + begin, size_t(end - begin) * 4);
    else
      for (int64_t i = begin; i < end; ++i)
        to[i] = from[i * stride];
    std::fill(to + end, to + run.length, float(fill));
  }
}

} // namespace mho::rt
