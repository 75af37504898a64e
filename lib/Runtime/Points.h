//===- Points.h - walks over index spaces -----------------------*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_POINTS_H
#define MHO_RUNTIME_POINTS_H

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mho::rt {

/// Calls body(point) for every point of `extents` in lexicographic order,
/// until it returns false.
template <typename F>
void forEachPoint(std::span<const int64_t> extents, F &&body) {
  if (std::find(extents.begin(), extents.end(), 0) != extents.end())
    return;
  std::vector<int64_t> point(extents.size(), 0);
  for (;;) {
    if (!body(point))
      return;
    size_t d = extents.size();
    while (d > 0 && ++point[d - 1] == extents[d - 1])
      point[--d] = 0;
    if (d == 0)
      return;
  }
}

inline int64_t dot(const std::vector<int64_t> &point,
                   const std::vector<int64_t> &strides) {
  int64_t sum = 0;
  for (size_t d = 0; d < point.size(); ++d)
    sum += point[d] * strides[d];
  return sum;
}

} // namespace mho::rt

#endif // MHO_RUNTIME_POINTS_H
