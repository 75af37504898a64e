//===- Direct-inl.h - f32 products that end in memory ----------------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Included by Kernels-inl.h. Sums stay in registers until they are scaled and
// stored. Every output is one chain of fused multiply-adds in the order of k,
// so that its bits do not depend on the tile that it lies in.
//
//===----------------------------------------------------------------------===//

MHO_INLINE void finishDirect(const Direct &d, float *out, int64_t column,
                             F sum) {
  if (d.scale)
    sum = fma(sum, load<F>(d.scale + column), load<F>(d.shift + column));
  out += column;
  int64_t count = d.columns - column;
  if (count >= 16) {
    if (d.accumulate)
      sum = load<F>(out) + sum;
    store(out, sum);
    return;
  }
  for (int64_t i = 0; i < count; ++i)
    out[i] = d.accumulate ? out[i] + sum[i] : sum[i];
}

/// The sums of a tile, [R][V] of them. Apart from what becomes of them, or the
/// compiler keeps the sums in memory.
template <int R, int V>
static inline void directSums(const Direct &d, int64_t row, int64_t panel,
                              float *sums) {
  F acc[R][V] = {};
  const float *first = d.panels + panel * d.panelStride;
  for (int64_t p = 0; p < d.pieceCount; ++p) {
    const Piece &piece = d.pieces[p];
    const float *a[R];
    for (int r = 0; r < R; ++r)
      a[r] = d.rows[row + r] + piece.offset;
    const float *b = first + piece.row * d.panelRow;
    int64_t length = piece.length;
    for (int64_t k = 0; k < length; ++k) {
      F w[V];
#pragma clang loop unroll(full)
      for (int v = 0; v < V; ++v)
        w[v] = load<F>(b + v * d.panelStride);
#pragma clang loop unroll(full)
      for (int r = 0; r < R; ++r)
#pragma clang loop unroll(full)
        for (int v = 0; v < V; ++v)
          acc[r][v] = fma(splat(a[r][k]), w[v], acc[r][v]);
      b += d.panelRow;
    }
  }
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v)
      store(sums + (r * V + v) * 16, acc[r][v]);
}

template <int R, int V>
static inline void directTile(const Direct &d, int64_t row, int64_t panel) {
  alignas(64) float sums[R * V * 16];
  // Rows of the output lie far apart: their lines come while the sums form.
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v)
      __builtin_prefetch(d.out[row + r] + (panel + v) * kPanel, 1);
  directSums<R, V>(d, row, panel, sums);
#pragma clang loop unroll(disable)
  for (int r = 0; r < R; ++r)
#pragma clang loop unroll(disable)
    for (int v = 0; v < V; ++v)
      finishDirect(d, d.out[row + r], (panel + v) * kPanel,
                   load<F>(sums + (r * V + v) * 16));
}

/// All rows at one place of V panels: `larger` tiles of R + 1 rows, then tiles
/// of R.
template <int R, int V>
static inline void directTiles(const Direct &d, int64_t larger, int64_t tiles,
                               int64_t panel) {
  int64_t row = 0;
  if constexpr (R < kTileRows)
    for (int64_t t = 0; t < larger; ++t, row += R + 1)
      directTile<R + 1, V>(d, row, panel);
  for (int64_t t = larger; t < tiles; ++t, row += R)
    directTile<R, V>(d, row, panel);
}

/// A panel stays in L1 while the rows pass.
template <int R, bool isMixed>
static inline void directRows(const Direct &d, int64_t larger, int64_t tiles) {
  constexpr int fits = kDirectSums / (isMixed ? R + 1 : R);
  constexpr int V = fits < 1 ? 1 : fits < 4 ? fits : 4;
  int64_t panel = d.firstPanel, end = d.firstPanel + d.panelCount;
  for (; panel + V <= end; panel += V)
    directTiles<R, V>(d, larger, tiles, panel);
  if constexpr (V > 1)
    for (; panel < end; ++panel)
      directTiles<R, 1>(d, larger, tiles, panel);
}

template <int R>
static void directOf(int64_t size, const Direct &d, int64_t larger,
                     int64_t tiles) {
  if (size == R)
    return larger ? directRows<R, true>(d, larger, tiles)
                  : directRows<R, false>(d, 0, tiles);
  if constexpr (R > 1)
    directOf<R - 1>(size, d, larger, tiles);
}

/// Rows fall into as few tiles as can hold them, of sizes that differ by one
/// at most.
static void directF32(const Direct &d) {
  if (d.rowCount <= 0)
    return;
  int64_t tiles = (d.rowCount + kTileRows - 1) / kTileRows;
  directOf<kTileRows>(d.rowCount / tiles, d, d.rowCount % tiles, tiles);
}
