//===- Kernels.h - the inner loops, one set per instruction set -----------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Plain structures and a table of functions. Kernels-inl.h is compiled once
// per instruction set; every set gives the same bits.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_RUNTIME_ARRAYS_KERNELS_H
#define MHO_LIB_RUNTIME_ARRAYS_KERNELS_H

#include <cstddef>
#include <cstdint>

namespace mho::rt::kernels {

/// Columns of a packed panel.
inline constexpr int64_t kPanel = 16;

/// `length` consecutive inputs of a vector, `offset` elements from its base.
struct Run {
  int64_t offset;
  int64_t length;
};

/// out[r][p·16 + c] = Σ_k A[r][k] · panel p[k][c]. The k of a vector are the
/// runs one after the other. Panels hold K/step rows of 16 × step values
/// (step 1 for f32, 2 for 16-bit, 4 for bytes); run lengths are multiples of
/// step.
template <typename A, typename B, typename C> struct Product {
  const A *const *rows;
  int64_t rowCount;
  const Run *runs;
  int64_t runCount;
  const B *panels;
  int64_t panelStride; ///< elements from panel to panel
  int64_t panelRow;    ///< elements from one row of a panel to the next
  int64_t panelCount;
  C *out;
  int64_t outStride; ///< elements from row to row
};
using ProductF32 = Product<float, float, float>;
using ProductS16 = Product<int16_t, int16_t, int32_t>;
using ProductU8 = Product<uint8_t, int8_t, int32_t>;

/// `length` consecutive inputs of a vector that meet the panels' rows from
/// `row` on.
struct Piece {
  int64_t offset;
  int64_t length;
  int64_t row;
};

/// out[r][c] (+)= scale[c] · Σ_k A[r][k] · w[k][c] + shift[c], over the k of
/// the pieces in their order. Rows that no piece names count as zeros.
struct Direct {
  const float *const *rows;
  int64_t rowCount;
  const Piece *pieces;
  int64_t pieceCount;
  const float *panels; ///< of column 0
  int64_t panelStride; ///< elements from panel to panel
  int64_t panelRow;    ///< elements from one row of a panel to the next
  int64_t firstPanel, panelCount;
  int64_t columns;    ///< of the whole matrix
  const float *scale; ///< per column, whole panels; null: neither is applied
  const float *shift;
  float *const *out; ///< of column 0
  bool accumulate;
};

struct Key {
  uint32_t key[2];
  uint32_t salt[2];
};

/// Noise, ADC and digital affine of a block of results. A row has `stride`
/// columns; the flattened index of its first element is a multiple of 64.
///   t = acc·gain[c] + sqrt(variance·spread[c]·rowSpread[r]) · normal
///   convert: t = clip(round(t), ±largest)
///   out[c] (+)= t·scale[c] + shift[c]
struct Epilogue {
  const void *acc;        ///< int32 or float
  const void *variance;   ///< int32 or float, null without noise
  const float *gain;      ///< per column
  const float *spread;    ///< per column
  const float *rowSpread; ///< per row
  const float *scale;     ///< per column
  const float *shift;     ///< per column
  int64_t rows;
  int64_t columns; ///< stored per row
  int64_t stride;  ///< of acc and variance: a multiple of 16
  float *const *out;
  bool convert;
  float largest;
  bool accumulate;
  Key key;
  uint64_t firstGroup;
};

/// Constants of the PCM model, see Devices.cpp. Polynomials in r = g/g_max,
/// lowest power first.
struct PcmModel {
  float gMax;
  float programming[4];
  struct Branch {
    float border; ///< below: clip(slope·ln r + constant, low, high)
    float slope, constant, low, high;
    float poly[4]; ///< at and above
  } mean, spread, read;
};

/// One call programs `rows` × `columns` cells (columns a multiple of 16).
struct ProgramCells {
  float *weights;       ///< in targets, out effective
  float *variance;      ///< may be null
  float *programmedSum; ///< per column, added to
  float *presentSum;    ///< per column, added to
  int64_t rows, columns;
  float programmingScale;  ///< 0 without programming noise
  float logAge;            ///< ln(t / t0); 0 without drift
  float readFactor;        ///< ln((t + t_read) / (2 t_read))
  uint32_t faultThreshold; ///< a device is stuck where its word is below
  Key key, faultKey;
};

/// A row-major matrix on its way into panels [stride/16][depth/step][16][step].
/// Rows from `rows` to `depth` are zeros; so are columns without scale.
struct PackPanels {
  const float *matrix;
  int64_t rows, depth;
  int64_t stride;     ///< columns: a multiple of 16
  const float *scale; ///< per column
};

struct Table {
  const char *name;
  int64_t directRows; ///< rows of a tile of directF32
  void (*directF32)(const Direct &);
  void (*productF32)(const ProductF32 &);
  void (*productS16)(const ProductS16 &);
  void (*productU8)(const ProductU8 &);
  void (*epilogueF32)(const Epilogue &);
  void (*epilogueS32)(const Epilogue &);
  /// out[i] = toCode(x[i]).
  void (*codes)(const float *x, int64_t n, float codesPerUnit, float largest,
                int16_t *out);
  /// Same, left in f32.
  void (*codesF32)(const float *x, int64_t n, float codesPerUnit, float largest,
                   float *out);
  int32_t (*largest)(const int16_t *codes, int64_t n);
  /// out[i] = code² · factor, to the nearest, 255 at most.
  void (*squares)(const int16_t *codes, int64_t n, float factor, uint8_t *out);
  /// The same with the fraction rounded up with its probability; draws are
  /// those of number `first` + i.
  void (*ditheredSquares)(const int16_t *codes, int64_t n, float factor,
                          uint32_t first, uint8_t *out);
  void (*readNormals)(const Key &key, uint64_t firstGroup, int64_t groups,
                      float *out);
  void (*cellNormals)(const Key &key, uint64_t first, int64_t count,
                      float *out);
  /// peaks[c] = the larger of itself and the largest magnitude of the column.
  void (*columnPeaks)(const float *from, int64_t rows, int64_t columns,
                      int64_t rowStride, float *peaks);
  /// sums[c] += the magnitudes of the column, from the first row on.
  void (*columnSums)(const float *from, int64_t rows, int64_t columns,
                     int64_t rowStride, float *sums);
  /// One row of weights to conductances: to[c] = from[c] · inverse[c] within
  /// ±1; a zero stays one whatever the inverse.
  void (*targets)(const float *from, int64_t columns, const float *inverse,
                  float *to);
  void (*programPcm)(const PcmModel &model, const ProgramCells &cells);
  /// matrix · scale, rounded; panels with two rows side by side.
  void (*packWeightCodes)(const PackPanels &pack, int16_t *to);
  /// matrix · scale, rounded up with the fraction's probability (draws follow
  /// from `key` and the cell), `largest` at most; four rows side by side.
  void (*packVarianceCodes)(const PackPanels &pack, uint32_t key, float largest,
                            int8_t *to);
};

/// The best set for this machine.
const Table &table();
/// Every set that this machine can run, best first (for tests).
struct TableList {
  const Table *sets[4];
  int count;
};
TableList tables();

} // namespace mho::rt::kernels

#endif // MHO_LIB_RUNTIME_ARRAYS_KERNELS_H
