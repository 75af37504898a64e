//===- Shapes.cpp - extents of results ------------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Graph/IR/Shapes.h"

#include "llvm/ADT/STLExtras.h"

using namespace llvm;

namespace mho::graph {

std::optional<SmallVector<int64_t>> broadcastShapes(ArrayRef<int64_t> a,
                                                    ArrayRef<int64_t> b) {
  if (a.size() < b.size())
    std::swap(a, b);
  SmallVector<int64_t> result(a);
  size_t lead = a.size() - b.size();
  for (size_t i = 0; i < b.size(); ++i) {
    int64_t &extent = result[lead + i];
    if (extent == 1)
      extent = b[i];
    else if (b[i] != 1 && b[i] != extent)
      return std::nullopt;
  }
  return result;
}

std::optional<SmallVector<int64_t>> matmulShape(ArrayRef<int64_t> a,
                                                ArrayRef<int64_t> b) {
  if (a.empty() || b.empty())
    return std::nullopt;
  bool vectorA = a.size() == 1, vectorB = b.size() == 1;
  int64_t innerB = vectorB ? b[0] : b[b.size() - 2];
  if (a.back() != innerB)
    return std::nullopt;
  auto batch = broadcastShapes(vectorA ? ArrayRef<int64_t>() : a.drop_back(2),
                               vectorB ? ArrayRef<int64_t>() : b.drop_back(2));
  if (!batch)
    return std::nullopt;
  if (!vectorA)
    batch->push_back(a[a.size() - 2]);
  if (!vectorB)
    batch->push_back(b.back());
  return batch;
}

int64_t windowPositions(int64_t extent, int64_t kernel, int64_t stride,
                        int64_t dilation, int64_t padBegin, int64_t padEnd,
                        bool ceil) {
  int64_t span = extent + padBegin + padEnd - ((kernel - 1) * dilation + 1);
  if (span < 0 || stride < 1)
    return 0;
  if (!ceil)
    return span / stride + 1;
  int64_t count = (span + stride - 1) / stride + 1;
  if ((count - 1) * stride >= extent + padBegin)
    --count;
  return count;
}

SmallVector<int64_t> reducedShape(ArrayRef<int64_t> shape,
                                  ArrayRef<int64_t> axes, bool keepdims) {
  SmallVector<int64_t> result;
  for (auto [axis, extent] : enumerate(shape)) {
    bool reduced = is_contained(axes, int64_t(axis));
    if (!reduced)
      result.push_back(extent);
    else if (keepdims)
      result.push_back(1);
  }
  return result;
}

} // namespace mho::graph
