//===- Transpose.cpp - planes whose axes change places --------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A tile is a few rows of one vector each: its vectors are loaded in blocks of
// 16 bytes from as many columns, so that what crosses lanes stays within
// blocks.
//
//===----------------------------------------------------------------------===//

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "Kernel/Transpose.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "Transpose.h"

#include <algorithm>
#include <cstring>

HWY_BEFORE_NAMESPACE();
namespace mho::rt {
namespace HWY_NAMESPACE {
namespace {
namespace hn = hwy::HWY_NAMESPACE;

/// Elements of a block: the rows of a tile.
template <typename T> constexpr int64_t kBlock = 16 / sizeof(T);

template <typename T>
void moveSingly(const std::byte *from, std::byte *to, int64_t n,
                int64_t fromStride) {
  for (int64_t i = 0; i < n; ++i)
    std::memcpy(to + i * int64_t(sizeof(T)), from + i * fromStride, sizeof(T));
}

/// The block at `from`, above it those of the columns kBlock further each.
template <typename D>
hn::Vec<D> loadBlocks(D d, const std::byte *from, int64_t stride) {
  using T = hn::TFromD<D>;
  if constexpr (hn::MaxLanes(d) > size_t(kBlock<T>)) {
    hn::Half<D> half;
    int64_t further = int64_t(hn::MaxLanes(half)) * stride;
    return hn::Combine(d, loadBlocks(half, from + further, stride),
                       loadBlocks(half, from, stride));
  } else {
    return hn::LoadU(d, reinterpret_cast<const T *>(from));
  }
}

/// kBlock rows, as many columns as `d` has lanes.
template <typename D>
HWY_INLINE void transposeTile(D d, const std::byte *from, int64_t fromStride,
                              std::byte *to, int64_t toStride) {
  using T = hn::TFromD<D>;
  using V = hn::Vec<D>;
  constexpr int64_t n = kBlock<T>;
  V in[n], out[n];
  for (int64_t k = 0; k < n; ++k)
    in[k] = loadBlocks(d, from + k * fromStride, fromStride);
  // Each step moves one bit of the column's number into the lane's, and one of
  // the lane's into the row's.
  for (int64_t bit = 1; bit < n; bit *= 2) {
    for (int64_t k = 0; k < n / 2; ++k) {
      out[2 * k] = hn::InterleaveLower(d, in[k], in[k + n / 2]);
      out[2 * k + 1] = hn::InterleaveUpper(d, in[k], in[k + n / 2]);
    }
    for (int64_t k = 0; k < n; ++k)
      in[k] = out[k];
  }
  for (int64_t k = 0; k < n; ++k)
    hn::StoreU(in[k], d, reinterpret_cast<T *>(to + k * toStride));
}

/// Tiles of as many columns as `d` has lanes, of which there are no fewer. The
/// last tiles begin sooner than their neighbours end.
template <typename D>
void transposeTiles(D d, const std::byte *from, std::byte *to,
                    const MoveDim &rows, const MoveDim &columns) {
  using T = hn::TFromD<D>;
  constexpr int64_t size = sizeof(T), height = kBlock<T>;
  // Rows that fill a line of the source's: it is read while it is near.
  constexpr int64_t strip = std::max<int64_t>(height, 64 / size);
  int64_t width = int64_t(hn::Lanes(d));
  for (int64_t r = 0; r < rows.extent; r += strip) {
    int64_t end = std::min(rows.extent, r + strip);
    for (int64_t c = 0; c < columns.extent; c += width) {
      int64_t column = std::min(c, columns.extent - width);
      for (int64_t i = r; i < end; i += height) {
        int64_t row = std::min(i, rows.extent - height);
        transposeTile(d, from + row * size + column * columns.from,
                      columns.from, to + row * rows.to + column * size,
                      rows.to);
      }
    }
  }
}

template <typename T>
void transposeOf(const std::byte *from, std::byte *to, const MoveDim &rows,
                 const MoveDim &columns) {
  // Wider vectors save nothing: a tile reads blocks and is bound by memory.
  const hn::CappedTag<T, 32 / sizeof(T)> wide;
  const hn::FixedTag<T, kBlock<T>> narrow;
  if (rows.extent < kBlock<T> || columns.extent < kBlock<T>) {
    for (int64_t r = 0; r < rows.extent; ++r)
      moveSingly<T>(from + r * int64_t(sizeof(T)), to + r * rows.to,
                    columns.extent, columns.from);
  } else if (columns.extent < int64_t(hn::Lanes(wide))) {
    transposeTiles(narrow, from, to, rows, columns);
  } else {
    transposeTiles(wide, from, to, rows, columns);
  }
}

template <typename T, int parts>
void deinterleaveOf(const std::byte *from, std::byte *to, int64_t n,
                    int64_t stride) {
  const hn::ScalableTag<T> d;
  constexpr int64_t size = sizeof(T);
  int64_t i = 0, lanes = int64_t(hn::Lanes(d));
  for (; i + lanes <= n; i += lanes) {
    hn::Vec<decltype(d)> v[4];
    auto source = reinterpret_cast<const T *>(from + i * parts * size);
    if constexpr (parts == 2)
      hn::LoadInterleaved2(d, source, v[0], v[1]);
    else if constexpr (parts == 3)
      hn::LoadInterleaved3(d, source, v[0], v[1], v[2]);
    else
      hn::LoadInterleaved4(d, source, v[0], v[1], v[2], v[3]);
    for (int k = 0; k < parts; ++k)
      hn::StoreU(v[k], d, reinterpret_cast<T *>(to + k * stride + i * size));
  }
  for (int k = 0; k < parts; ++k)
    moveSingly<T>(from + (i * parts + k) * size, to + k * stride + i * size,
                  n - i, parts * size);
}

template <typename T>
void deinterleaveOf(int parts, const std::byte *from, std::byte *to, int64_t n,
                    int64_t stride) {
  (parts == 2   ? deinterleaveOf<T, 2>
   : parts == 3 ? deinterleaveOf<T, 3>
                : deinterleaveOf<T, 4>)(from, to, n, stride);
}
} // namespace

void transposeBytes(size_t bytes, const std::byte *from, std::byte *to,
                    const MoveDim &rows, const MoveDim &columns) {
  switch (bytes) {
  case 1:
    return transposeOf<uint8_t>(from, to, rows, columns);
  case 2:
    return transposeOf<uint16_t>(from, to, rows, columns);
  case 4:
    return transposeOf<uint32_t>(from, to, rows, columns);
  default:
    return transposeOf<uint64_t>(from, to, rows, columns);
  }
}

void deinterleaveBytes(size_t bytes, int parts, const std::byte *from,
                       std::byte *to, int64_t n, int64_t stride) {
  switch (bytes) {
  case 1:
    return deinterleaveOf<uint8_t>(parts, from, to, n, stride);
  case 2:
    return deinterleaveOf<uint16_t>(parts, from, to, n, stride);
  case 4:
    return deinterleaveOf<uint32_t>(parts, from, to, n, stride);
  default:
    return deinterleaveOf<uint64_t>(parts, from, to, n, stride);
  }
}
} // namespace HWY_NAMESPACE
} // namespace mho::rt
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mho::rt {
HWY_EXPORT(transposeBytes);
HWY_EXPORT(deinterleaveBytes);
} // namespace mho::rt

void mho::rt::transposePlane(size_t bytes, const std::byte *from, std::byte *to,
                             const MoveDim &rows, const MoveDim &columns) {
  HWY_DYNAMIC_DISPATCH(transposeBytes)(bytes, from, to, rows, columns);
}

void mho::rt::deinterleave(size_t bytes, int parts, const std::byte *from,
                           std::byte *to, int64_t n, int64_t stride) {
  HWY_DYNAMIC_DISPATCH(deinterleaveBytes)(bytes, parts, from, to, n, stride);
}
#endif
