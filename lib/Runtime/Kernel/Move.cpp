//===- Move.cpp - strided copies
//--------------------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"
#include "Transpose.h"

#include <algorithm>
#include <array>
#include <cstring>

using namespace mho;
using namespace mho::rt;

namespace {
using Dim = MoveDim;

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

/// Both extents of planes that are transposed in blocks.
template <typename T>
constexpr int64_t kLeastTransposed = std::max<int64_t>(4, 16 / sizeof(T));

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
    bool transposes = rows.from == size && columns.to == size;
    if (transposes && rows.extent >= kLeastTransposed<T> &&
        columns.extent >= kLeastTransposed<T>)
      return forEachPlane(
          0, from, to, [&](const std::byte *source, std::byte *target) {
            transposePlane(sizeof(T), source, target, rows, columns);
          });
    if (transposes && rows.to == columns.extent * size && columns.extent > 1 &&
        columns.extent <= 4)
      return forEachPlane(
          0, from, to, [&](const std::byte *source, std::byte *target) {
            (columns.extent == 2 ? interleave<T, 2>
             : columns.extent == 3
                 ? interleave<T, 3>
                 : interleave<T, 4>)(source, target, rows.extent, columns.from);
          });
    if (transposes && columns.from == rows.extent * size && rows.extent > 1 &&
        rows.extent <= 4)
      return forEachPlane(0, from, to,
                          [&](const std::byte *source, std::byte *target) {
                            deinterleave(sizeof(T), int(rows.extent), source,
                                         target, columns.extent, rows.to);
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
