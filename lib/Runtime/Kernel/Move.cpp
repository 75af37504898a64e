//===- Move.cpp - strided copies
//--------------------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"

#include <algorithm>
#include <array>
#include <cstring>

using namespace mho;
using namespace mho::rt;

namespace {
struct Dim {
  int64_t extent, from, to;
};

/// A transposition's tile: 16 x 16 elements touch 32 cache lines.
constexpr int64_t kTile = 16;

/// 4 × 4 elements of 4 bytes, rows of one side columns of the other; strides
/// from vector to vector in bytes.
void transpose4(const std::byte *from, int64_t fromStride, std::byte *to,
                int64_t toStride) {
  typedef uint32_t V __attribute__((ext_vector_type(4)));
  V in[4];
  for (int k = 0; k < 4; ++k)
    std::memcpy(&in[k], from + k * fromStride, sizeof(V));
  V low01 = __builtin_shufflevector(in[0], in[1], 0, 4, 1, 5);
  V high01 = __builtin_shufflevector(in[0], in[1], 2, 6, 3, 7);
  V low23 = __builtin_shufflevector(in[2], in[3], 0, 4, 1, 5);
  V high23 = __builtin_shufflevector(in[2], in[3], 2, 6, 3, 7);
  V out[4] = {__builtin_shufflevector(low01, low23, 0, 1, 4, 5),
              __builtin_shufflevector(low01, low23, 2, 3, 6, 7),
              __builtin_shufflevector(high01, high23, 0, 1, 4, 5),
              __builtin_shufflevector(high01, high23, 2, 3, 6, 7)};
  for (int k = 0; k < 4; ++k)
    std::memcpy(to + k * toStride, &out[k], sizeof(V));
}

/// Rows × columns of elements, any strides.
template <typename T>
void movePlane(const std::byte *from, std::byte *to, const Dim &rows,
               const Dim &columns) {
  constexpr int64_t size = sizeof(T);
  auto moveRow = [](const std::byte *source, std::byte *target, int64_t n,
                    int64_t fromStride, int64_t toStride) {
    if (fromStride == 0 && toStride == size) {
      T element;
      std::memcpy(&element, source, size);
      if (element == 0) {
        std::memset(target, 0, size_t(n * size));
        return;
      }
      for (int64_t j = 0; j < n; ++j)
        std::memcpy(target + j * size, &element, size);
      return;
    }
    for (int64_t j = 0; j < n; ++j) {
      T element;
      std::memcpy(&element, source + j * fromStride, size);
      std::memcpy(target + j * toStride, &element, size);
    }
  };
  bool transposes = rows.from == size && columns.to == size &&
                    rows.extent >= 4 && columns.extent >= 4;
  if (!transposes) {
    for (int64_t i = 0; i < rows.extent; ++i)
      moveRow(from + i * rows.from, to + i * rows.to, columns.extent,
              columns.from, columns.to);
    return;
  }
  for (int64_t i = 0; i < rows.extent; i += kTile)
    for (int64_t j = 0; j < columns.extent; j += kTile) {
      int64_t height = std::min(kTile, rows.extent - i);
      int64_t width = std::min(kTile, columns.extent - j);
      int64_t r = 0;
      if constexpr (size == 4)
        for (; r + 4 <= height; r += 4) {
          const std::byte *source = from + (i + r) * size;
          std::byte *target = to + (i + r) * rows.to;
          int64_t c = 0;
          for (; c + 4 <= width; c += 4)
            transpose4(source + (j + c) * columns.from, columns.from,
                       target + (j + c) * size, rows.to);
          for (int64_t k = 0; k < 4 && c < width; ++k)
            moveRow(source + k * size + (j + c) * columns.from,
                    target + k * rows.to + (j + c) * size, width - c,
                    columns.from, size);
        }
      for (; r < height; ++r)
        moveRow(from + (i + r) * size + j * columns.from,
                to + (i + r) * rows.to + j * size, width, columns.from, size);
    }
}

struct Mover {
  size_t bytes;
  std::vector<Dim> dims;

  /// Moves dims [d, end) of the nest, the last two as a plane.
  void move(size_t d, const std::byte *from, std::byte *to) const {
    size_t left = dims.size() - d;
    if (left > 2) {
      for (int64_t i = 0; i < dims[d].extent; ++i)
        move(d + 1, from + i * dims[d].from, to + i * dims[d].to);
      return;
    }
    Dim single{1, 0, 0};
    const Dim &rows = left == 2 ? dims[d] : single;
    const Dim &columns = left >= 1 ? dims.back() : single;
    int64_t size = int64_t(bytes);
    if ((columns.from == size && columns.to == size) || columns.extent == 1) {
      for (int64_t i = 0; i < rows.extent; ++i)
        std::memmove(to + i * rows.to, from + i * rows.from,
                     size_t(columns.extent) * bytes);
      return;
    }
    switch (bytes) {
    case 1:
      return movePlane<uint8_t>(from, to, rows, columns);
    case 2:
      return movePlane<uint16_t>(from, to, rows, columns);
    case 4:
      return movePlane<uint32_t>(from, to, rows, columns);
    default:
      return movePlane<uint64_t>(from, to, rows, columns);
    }
  }
};
} // namespace

void rt::moveStrided(size_t bytes, std::span<const int64_t> extents,
                     const std::byte *from,
                     std::span<const int64_t> fromStrides, std::byte *to,
                     std::span<const int64_t> toStrides) {
  Mover mover{bytes, {}};
  for (size_t d = 0; d < extents.size(); ++d) {
    if (extents[d] == 0)
      return;
    if (extents[d] == 1)
      continue;
    Dim dim{extents[d], fromStrides[d], toStrides[d]};
    if (!mover.dims.empty()) {
      Dim &outer = mover.dims.back();
      if (outer.from == dim.from * dim.extent &&
          outer.to == dim.to * dim.extent) {
        outer = {outer.extent * dim.extent, dim.from, dim.to};
        continue;
      }
    }
    mover.dims.push_back(dim);
  }
  // Innermost the dimension that is contiguous in the target, before it one
  // that is contiguous in the source.
  auto &dims = mover.dims;
  auto bringLast = [&](auto wanted, size_t end) {
    for (size_t d = end; d-- > 0;)
      if (wanted(dims[d])) {
        std::rotate(dims.begin() + int64_t(d), dims.begin() + int64_t(d) + 1,
                    dims.begin() + int64_t(end));
        return true;
      }
    return false;
  };
  int64_t size = int64_t(bytes);
  if (bringLast([&](const Dim &d) { return d.to == size; }, dims.size()) &&
      dims.size() >= 2 && dims.back().from != size)
    bringLast([&](const Dim &d) { return d.from == size; }, dims.size() - 1);
  mover.move(0, from, to);
}
