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
#include <cstdlib>
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

/// n elements, any strides.
template <typename T>
void moveRow(const std::byte *from, std::byte *to, int64_t n,
             int64_t fromStride, int64_t toStride) {
  constexpr int64_t size = sizeof(T);
  if (fromStride == 0 && toStride == size) {
    T element;
    std::memcpy(&element, from, size);
    if (element == 0) {
      std::memset(to, 0, size_t(n * size));
      return;
    }
    for (int64_t j = 0; j < n; ++j)
      std::memcpy(to + j * size, &element, size);
    return;
  }
  for (int64_t j = 0; j < n; ++j) {
    T element;
    std::memcpy(&element, from + j * fromStride, size);
    std::memcpy(to + j * toStride, &element, size);
  }
}

/// At most kTile × kTile elements whose rows lie side by side in the source and
/// whose columns do so in the target.
template <typename T>
void transposeTile(const std::byte *from, std::byte *to, const Dim &rows,
                   const Dim &columns) {
  constexpr int64_t size = sizeof(T);
  int64_t r = 0;
  if constexpr (size == 4)
    for (; r + 4 <= rows.extent; r += 4) {
      const std::byte *source = from + r * size;
      std::byte *target = to + r * rows.to;
      int64_t c = 0;
      for (; c + 4 <= columns.extent; c += 4)
        transpose4(source + c * columns.from, columns.from, target + c * size,
                   rows.to);
      for (int64_t k = 0; k < 4 && c < columns.extent; ++k)
        moveRow<T>(source + k * size + c * columns.from,
                   target + k * rows.to + c * size, columns.extent - c,
                   columns.from, size);
    }
  for (; r < rows.extent; ++r)
    moveRow<T>(from + r * size, to + r * rows.to, columns.extent, columns.from,
               size);
}

/// n elements of each of N rows, in turn: how images become channels-last, and
/// how elements are repeated (`rowStride` 0). The compiler vectorises it.
template <typename T, int N>
void interleave(const std::byte *__restrict from, std::byte *__restrict to,
                int64_t n, int64_t rowStride) {
  for (int64_t i = 0; i < n; ++i)
    for (int k = 0; k < N; ++k)
      std::memcpy(to + (i * N + k) * int64_t(sizeof(T)),
                  from + k * rowStride + i * int64_t(sizeof(T)), sizeof(T));
}

struct Mover {
  size_t bytes;
  std::vector<Dim> dims;

  void move(const std::byte *from, std::byte *to) const {
    switch (bytes) {
    case 1:
      return moveAs<uint8_t>(from, to);
    case 2:
      return moveAs<uint16_t>(from, to);
    case 4:
      return moveAs<uint32_t>(from, to);
    default:
      return moveAs<uint64_t>(from, to);
    }
  }

private:
  /// The last two dimensions; what is missing has one element.
  std::array<Dim, 2> plane() const {
    Dim single{1, 0, 0};
    size_t n = dims.size();
    return {n >= 2 ? dims[n - 2] : single, n >= 1 ? dims[n - 1] : single};
  }

  /// Calls `visit` with the start of each plane.
  template <typename Visit>
  void forEachPlane(size_t d, const std::byte *from, std::byte *to,
                    const Visit &visit) const {
    if (d + 2 >= dims.size())
      return visit(from, to);
    for (int64_t i = 0; i < dims[d].extent; ++i)
      forEachPlane(d + 1, from + i * dims[d].from, to + i * dims[d].to, visit);
  }

  template <typename T>
  void moveAs(const std::byte *from, std::byte *to) const {
    constexpr int64_t size = sizeof(T);
    auto [rows, columns] = plane();
    if (rows.from == size && columns.to == size && rows.extent >= 4 &&
        columns.extent >= 4)
      return transpose<T>(from, to);
    bool inTurn = rows.from == size && columns.to == size &&
                  rows.to == columns.extent * size;
    if (inTurn && (columns.extent == 2 || columns.extent == 3))
      return forEachPlane(
          0, from, to, [&](const std::byte *source, std::byte *target) {
            (columns.extent == 2
                 ? interleave<T, 2>
                 : interleave<T, 3>)(source, target, rows.extent, columns.from);
          });
    bool whole =
        (columns.from == size && columns.to == size) || columns.extent == 1;
    forEachPlane(0, from, to, [&](const std::byte *source, std::byte *target) {
      for (int64_t i = 0; i < rows.extent; ++i)
        if (whole)
          std::memmove(target + i * rows.to, source + i * rows.from,
                       size_t(columns.extent * size));
        else
          moveRow<T>(source + i * rows.from, target + i * rows.to,
                     columns.extent, columns.from, columns.to);
    });
  }

  /// Few elements of the dimension with the longer steps at once, all of the
  /// others for them: so memory is read, or written, in as many streams as the
  /// processor fetches ahead, and not line by line from everywhere.
  template <typename T>
  void transpose(const std::byte *from, std::byte *to) const {
    constexpr int64_t size = sizeof(T);
    auto [rows, columns] = plane();
    bool byColumns = std::abs(columns.from) >= std::abs(rows.to);
    const Dim &blocked = byColumns ? columns : rows;
    const Dim &along = byColumns ? rows : columns;
    for (int64_t block = 0; block < blocked.extent; block += kTile)
      forEachPlane(0, from + block * blocked.from, to + block * blocked.to,
                   [&](const std::byte *source, std::byte *target) {
                     Dim some = blocked, part = along;
                     some.extent = std::min(kTile, blocked.extent - block);
                     for (int64_t i = 0; i < along.extent; i += kTile) {
                       part.extent = std::min(kTile, along.extent - i);
                       transposeTile<T>(
                           source + i * along.from, target + i * along.to,
                           byColumns ? part : some, byColumns ? some : part);
                     }
                   });
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
  mover.move(from, to);
}
