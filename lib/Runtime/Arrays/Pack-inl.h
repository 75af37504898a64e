//===- Pack-inl.h - weights to targets, cells to panels -------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Included by Kernels-inl.h. What is done to a whole matrix before and after
// its devices are programmed.
//
//===----------------------------------------------------------------------===//

static void columnPeaks(const float *from, int64_t rows, int64_t columns,
                        int64_t rowStride, float *peaks) {
  for (int64_t row = 0; row < rows; ++row, from += rowStride) {
    int64_t c = 0;
    for (; c + 16 <= columns; c += 16) {
      store(peaks + c, most(magnitude(load<F>(from + c)), load<F>(peaks + c)));
    }
    for (; c < columns; ++c) {
      float size = __builtin_fabsf(from[c]);
      peaks[c] = size > peaks[c] ? size : peaks[c];
    }
  }
}

static void columnSums(const float *from, int64_t rows, int64_t columns,
                       int64_t rowStride, float *sums) {
  for (int64_t row = 0; row < rows; ++row, from += rowStride) {
    int64_t c = 0;
    for (; c + 16 <= columns; c += 16)
      store(sums + c, load<F>(sums + c) + magnitude(load<F>(from + c)));
    for (; c < columns; ++c)
      sums[c] += __builtin_fabsf(from[c]);
  }
}

/// A subnormal column's inverse is infinite: the target stays within 1.
static void targets(const float *from, int64_t columns, const float *inverse,
                    float *to) {
  for (int64_t c = 0; c < columns; ++c) {
    float target = from[c] * inverse[c];
    target = target > 1.0f ? 1.0f : target;
    target = target < -1.0f ? -1.0f : target;
    to[c] = from[c] == 0 ? 0 : target;
  }
}

/// Sixteen columns of row `row`, or zeros below the matrix.
MHO_INLINE F rowOf(const PackPanels &p, int64_t row, int64_t column) {
  return row < p.rows ? load<F>(p.matrix + row * p.stride + column)
                      : splat(0.0f);
}

static void packWeightCodes(const PackPanels &p, int16_t *to) {
  for (int64_t first = 0; first < p.stride; first += kPanel) {
    F scale = load<F>(p.scale + first);
    for (int64_t row = 0; row < p.depth; row += 2, to += kPanel * 2) {
      I even = toInt(roundEven(rowOf(p, row, first) * scale));
      I odd = toInt(roundEven(rowOf(p, row + 1, first) * scale));
      // Two codes share a 32-bit lane, the first in its lower half.
      store(to, ((U)even & usplat(0xffff)) | ((U)odd << usplat(16)));
    }
  }
}

/// A fraction in [0, 1) that depends on the cell alone.
MHO_INLINE F dither(uint32_t key, int64_t cell) {
  const U lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  U h = ((usplat((uint32_t)cell) + lanes) ^ usplat(key)) * usplat(0x9E3779B9u);
  h = (h ^ (h >> usplat(15))) * usplat(0x85EBCA6Bu);
  h = (h ^ (h >> usplat(13))) * usplat(0xC2B2AE35u);
  return toFloat((I)(h >> usplat(8))) * splat(0x1p-24f);
}

static void packVarianceCodes(const PackPanels &p, uint32_t key, float largest,
                              int8_t *to) {
  for (int64_t first = 0; first < p.stride; first += kPanel) {
    F scale = load<F>(p.scale + first);
    for (int64_t row = 0; row < p.depth; row += 4, to += kPanel * 4) {
      U codes = usplat(0);
#pragma clang loop unroll(full)
      for (int i = 0; i < 4; ++i) {
        if (row + i >= p.rows)
          break;
        F code = rowOf(p, row + i, first) * scale +
                 dither(key, (row + i) * p.stride + first);
        // Never negative: four codes share a lane, the first lowest.
        codes |= (U)toInt(least(code, splat(largest))) << usplat(8 * i);
      }
      store(to, codes);
    }
  }
}
