//===- Bounds.h - how far an access reaches
//---------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_BOUNDS_H
#define MHO_RUNTIME_BOUNDS_H

#include "mho/Program/Isa.h"

#include <algorithm>

namespace mho::rt {

/// Wide enough for sums of products of two numbers below 2^48.
using Wide = __int128;
inline constexpr int64_t kLargestStride = int64_t(1) << 48;

/// An interval of elements; empty where low > high.
struct Bounds {
  Wide low = 0, high = 0;

  void addScaled(Wide factor, Wide least, Wide most) {
    low += std::min(factor * least, factor * most);
    high += std::max(factor * least, factor * most);
  }
};

/// Bounds of Σ stride·dim over the box of `dims` (largest extents, none 0)
/// where the valid ranges hold. Slot terms are not counted.
Bounds boundElements(const isa::Access &access,
                     const std::vector<isa::Extent> &dims);

} // namespace mho::rt

#endif // MHO_RUNTIME_BOUNDS_H
