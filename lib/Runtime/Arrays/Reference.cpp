//===- Reference.cpp - the meaning of mvm, one number at a time ------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Reference.h"

#include "mho/Runtime/Converters.h"

#include <algorithm>
#include <cmath>

namespace mho::rt::reference {

float inputElement(const isa::Access &access, const float *base,
                   std::span<const int64_t> counts,
                   std::span<const int64_t> inner, int64_t number,
                   int64_t row) {
  std::vector<int64_t> digits(counts.size() + inner.size());
  for (size_t d = counts.size(); d-- > 0; number /= counts[d])
    digits[d] = number % counts[d];
  for (size_t d = inner.size(); d-- > 0; row /= inner[d])
    digits[counts.size() + d] = row % inner[d];
  int64_t address = 0;
  for (size_t d = 0; d < digits.size(); ++d)
    address += access.strides[d] * digits[d];
  for (const isa::ValidRange &range : access.valid) {
    int64_t value = range.offset;
    for (size_t d = 0; d < digits.size(); ++d)
      value += range.coefficients[d] * digits[d];
    if (value < 0 || value >= range.size)
      return float(access.fill);
  }
  return base[address];
}

double column(const ArraySpec &spec, bool quantised,
              std::span<const float> vector, int64_t column, bool addShift) {
  double scale = 0;
  for (int64_t row = 0; row < spec.rows; ++row)
    for (int64_t c = 0; c < spec.columns; ++c)
      if (c == column || !spec.scalePerColumn)
        scale = std::max<double>(
            scale, std::fabs(spec.weights[row * spec.weightStride + c]));
  double inMost = largestCode(spec.inputBits);
  double outMost = largestCode(spec.outputBits);
  double sum = 0;
  for (int64_t row = 0; row < spec.rows; ++row) {
    double weight = spec.weights[row * spec.weightStride + column];
    double target = scale > 0 ? weight / scale : 0;
    double x = vector[size_t(row)];
    if (quantised)
      x = toCode(vector[size_t(row)], float(inMost) / spec.inputRange,
                 float(inMost)) /
          inMost;
    sum += target * x;
  }
  if (quantised) {
    double range = spec.adcRange.size() == 1 ? spec.adcRange[0]
                                             : spec.adcRange[size_t(column)];
    double code = std::nearbyint(sum / range * outMost);
    sum =
        std::clamp(code, -outMost, outMost) * range / outMost * spec.inputRange;
  }
  return sum * scale * (spec.scale ? spec.scale[column] : 1) +
         (addShift && spec.shift ? spec.shift[column] : 0);
}

} // namespace mho::rt::reference
