//===- Bounds.cpp - how far an access reaches
//-------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bounds.h"

using namespace mho;
using namespace mho::rt;

/// A valid range bounds a linear form e of the coordinates; with any q the sum
/// is q·e plus what is left of the strides, so each q gives a bound. A fitting
/// one leaves nothing.
Bounds rt::boundElements(const isa::Access &access,
                         const std::vector<isa::Extent> &dims) {
  auto box = [&](const std::vector<int64_t> &factors) {
    Bounds sum;
    for (size_t d = 0; d < dims.size(); ++d)
      sum.addScaled(factors[d], 0, dims[d].max - 1);
    return sum;
  };
  Bounds best = box(access.strides);
  std::vector<int64_t> rest = access.strides;
  Bounds bounded;
  for (const isa::ValidRange &range : access.valid) {
    Bounds form = box(range.coefficients);
    Wide low = std::max<Wide>(form.low, -Wide(range.offset));
    Wide high = std::min<Wide>(form.high, Wide(range.size) - 1 - range.offset);
    if (low > high) // Nothing is ever read.
      return {0, -1};
    int64_t q = 0;
    for (size_t d = 0; d < dims.size() && q == 0; ++d)
      if (range.coefficients[d] != 0 && rest[d] % range.coefficients[d] == 0)
        q = rest[d] / range.coefficients[d];
    if (q == 0)
      continue;
    std::vector<int64_t> next = rest;
    bool fits = true;
    for (size_t d = 0; d < dims.size(); ++d) {
      Wide left = Wide(next[d]) - Wide(q) * range.coefficients[d];
      fits &= left <= kLargestStride && left >= -kLargestStride;
      next[d] = int64_t(left);
    }
    if (!fits)
      continue;
    bounded.addScaled(q, low, high);
    rest = next;
  }
  Bounds left = box(rest);
  bounded.low += left.low;
  bounded.high += left.high;
  best.low = std::max(best.low, bounded.low);
  best.high = std::min(best.high, bounded.high);
  return best;
}
