//===- Product-inl.h - register tiles of the three products ---------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Included by Kernels-inl.h. A tile is R rows by V panels; one multiply-add
// per instruction set and number format is all that differs.
//
//===----------------------------------------------------------------------===//

struct F32Step {
  using A = float;
  using PanelT = float;
  using C = float;
  using Acc = F;
  static constexpr int step = 1;
  MHO_INLINE Acc dot(Acc acc, const float *a, F b) {
    return fma(splat(*a), b, acc);
  }
};

struct S16Step {
  using A = int16_t;
  using PanelT = int16_t;
  using C = int32_t;
  using Acc = I;
  static constexpr int step = 2;
  MHO_INLINE Acc dot(Acc acc, const int16_t *a, I b) {
    int32_t pair;
    __builtin_memcpy(&pair, a, 4);
#if defined(__AVX512VNNI__)
    return (I)_mm512_dpwssd_epi32((__m512i)acc, _mm512_set1_epi32(pair),
                                  (__m512i)b);
#elif defined(__AVX512BW__)
    return acc + (I)_mm512_madd_epi16(_mm512_set1_epi32(pair), (__m512i)b);
#elif defined(__AVX2__)
    Halves h = split(b);
    __m256i x = _mm256_set1_epi32(pair);
    return acc +
           join(_mm256_madd_epi16(x, h.low), _mm256_madd_epi16(x, h.high));
#else
    // Even and odd inputs apart: low and high half of each 32-bit lane.
    I low = (b << (I)(16)) >> (I)(16), high = b >> (I)(16);
    return acc + low * (I)((int32_t)(int16_t)pair) + high * (I)(pair >> 16);
#endif
  }
};

struct U8Step {
  using A = uint8_t;
  using PanelT = int8_t;
  using C = int32_t;
  using Acc = I;
  static constexpr int step = 4;
  /// Panel values lie in 0…63, so no pair of products saturates 16 bits.
  MHO_INLINE Acc dot(Acc acc, const uint8_t *a, I b) {
    int32_t quad;
    __builtin_memcpy(&quad, a, 4);
#if defined(__AVX512VNNI__)
    return (I)_mm512_dpbusd_epi32((__m512i)acc, _mm512_set1_epi32(quad),
                                  (__m512i)b);
#elif defined(__AVX512BW__)
    __m512i pairs = _mm512_maddubs_epi16(_mm512_set1_epi32(quad), (__m512i)b);
    return acc + (I)_mm512_madd_epi16(pairs, _mm512_set1_epi16(1));
#elif defined(__AVX2__)
    Halves h = split(b);
    __m256i x = _mm256_set1_epi32(quad), one = _mm256_set1_epi16(1);
    return acc + join(_mm256_madd_epi16(_mm256_maddubs_epi16(x, h.low), one),
                      _mm256_madd_epi16(_mm256_maddubs_epi16(x, h.high), one));
#else
    U x = (U)b, y = usplat((uint32_t)quad);
    for (int i = 0; i < 4; ++i)
      acc += (I)((x >> usplat(8 * i) & usplat(255)) *
                 (y >> usplat(8 * i) & usplat(255)));
    return acc;
#endif
  }
};

template <typename T, int R, int V, typename P>
static inline void tile(const P &p, int64_t row, int64_t panel) {
  using Acc = typename T::Acc;
  Acc acc[R][V] = {};
  const typename T::PanelT *b = p.panels + panel * p.panelStride;
  for (int64_t run = 0; run < p.runCount; ++run) {
    const typename T::A *a[R];
    for (int r = 0; r < R; ++r)
      a[r] = p.rows[row + r] + p.runs[run].offset;
    int64_t length = p.runs[run].length;
    for (int64_t k = 0; k < length; k += T::step) {
      Acc w[V];
#pragma clang loop unroll(full)
      for (int v = 0; v < V; ++v)
        w[v] = load<Acc>(b + v * p.panelStride);
#pragma clang loop unroll(full)
      for (int r = 0; r < R; ++r)
#pragma clang loop unroll(full)
        for (int v = 0; v < V; ++v)
          acc[r][v] = T::dot(acc[r][v], a[r] + k, w[v]);
      b += p.panelRow;
    }
  }
  for (int r = 0; r < R; ++r)
    for (int v = 0; v < V; ++v)
      store(p.out + (row + r) * p.outStride + (panel + v) * kPanel, acc[r][v]);
}

/// All panels of R rows, V at a time while V fit.
template <typename T, int R, int V, typename P>
static inline int64_t panels(const P &p, int64_t row, int64_t panel) {
  for (; panel + V <= p.panelCount; panel += V)
    tile<T, R, V>(p, row, panel);
  return panel;
}

template <typename T, typename P> static void product(const P &p) {
  int64_t body = p.rowCount / kTileRows * kTileRows;
  // Full tiles: a panel stays in L1 while the rows of the block pass.
  int64_t panel = 0;
  for (; panel + kTileVectors <= p.panelCount; panel += kTileVectors)
    for (int64_t row = 0; row < body; row += kTileRows)
      tile<T, kTileRows, kTileVectors>(p, row, panel);
  for (; panel < p.panelCount; ++panel)
    for (int64_t row = 0; row < body; row += kTileRows)
      tile<T, kTileRows, 1>(p, row, panel);
  int64_t row = body;
  for (; row + 4 <= p.rowCount; row += 4)
    panels<T, 4, 1>(p, row, panels<T, 4, kTileVectors>(p, row, 0));
  for (; row < p.rowCount; ++row)
    panels<T, 1, 1>(
        p, row,
        panels<T, 1, 2>(p, row, panels<T, 1, 4 * kTileVectors>(p, row, 0)));
}
