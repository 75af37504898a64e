//===- ProgrammedArray.h - one array, ready to be read ---------------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The effective weights of one array in the form its products want them, and
// the read of a block of vectors: product, variance, noise, converters and
// digital affine. Knows nothing of programs and instructions.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_RUNTIME_ARRAYS_PROGRAMMEDARRAY_H
#define MHO_LIB_RUNTIME_ARRAYS_PROGRAMMEDARRAY_H

#include "Buffer.h"
#include "Kernels.h"
#include "mho/Runtime/Devices.h"
#include "mho/Runtime/Random.h"
#include "mho/Runtime/Settings.h"

#include <cstdint>
#include <span>

namespace mho::rt {

/// What an array is made of.
struct ArraySpec {
  /// rows × columns, `weightStride` elements from row to row.
  const float *weights = nullptr;
  int64_t weightStride = 0;
  int64_t rows = 0, columns = 0;
  bool scalePerColumn = true;
  uint32_t inputBits = 8, outputBits = 8;
  float inputRange = 0;            ///< α, in input units
  std::span<const float> adcRange; ///< β: one, or one per column
  const float *scale = nullptr;    ///< digital, per column; null is 1
  const float *shift = nullptr;    ///< digital, per column; null is 0
  const DeviceModel *device = nullptr;
  uint32_t instance = 0, array = 0; ///< of the random draws
};

/// Vectors of a block: products are formed 48 at a time, and noise groups of
/// 64 outputs never cross the border of a block (48 · 16 = 12 · 64).
inline constexpr int64_t kBlockVectors = 48;

struct ProgrammedArray {
  int64_t rows = 0, columns = 0;
  int64_t depth = 0;  ///< rows, padded for the kernels
  int64_t stride = 0; ///< columns, padded to whole panels
  bool quantised = false;
  bool integer = false;
  bool noisy = false;
  /// Panels of effective weights and read variances, f32 or fixed point.
  Buffer<float> panels, variancePanels;
  Buffer<int16_t> codePanels;
  Buffer<int8_t> varianceCodes;
  /// Per column, see kernels::Epilogue; `zeros` replaces an absent shift.
  Buffer<float> gain, spread, scale, shift, zeros;
  /// Largest weight of each column: what a target of 1 stands for.
  Buffer<float> columnScale;
  float codesPerUnit = 0, largestIn = 0, largestOut = 0;
  /// Factor of a code's square in the u8 variance product, where its scale
  /// is that of the converter and not of the vector.
  float fixedSquare = 0;
  StreamKey readKey;
};

/// Programs `spec` under `noise`.
ProgrammedArray programArray(const ArraySpec &spec, const NoiseSettings &noise);

/// Vectors of one sample within a block.
struct BlockPart {
  int64_t first = 0, count = 0;
  uint64_t firstVector = 0; ///< its number within the sample's instruction
  StreamKey key;            ///< of the sample and repetition
};

/// Up to kBlockVectors vectors, as f32 rows or as codes.
struct VectorBlock {
  int64_t count = 0;
  const float *values[kBlockVectors];
  const int16_t *codes[kBlockVectors];
  const uint8_t *squares[kBlockVectors];
  bool coded = false; ///< codes (and squares, where noisy) are given
  std::span<const kernels::Run> runs;
  float *out[kBlockVectors];
  bool accumulate = false, addShift = false;
  std::span<const BlockPart> parts;
};

/// Memory that reads of one array reuse.
struct BlockScratch {
  explicit BlockScratch(const ProgrammedArray &array);
  Buffer<float> acc, variance, values;
  Buffer<int16_t> codes;
  Buffer<uint8_t> squares;
};

/// Reads `array` with every vector of `block`. In f32 without quantization or
/// noise, acc holds the plain products afterwards (for observers).
void readBlock(const ProgrammedArray &array, const VectorBlock &block,
               BlockScratch &scratch);

} // namespace mho::rt

#endif // MHO_LIB_RUNTIME_ARRAYS_PROGRAMMEDARRAY_H
