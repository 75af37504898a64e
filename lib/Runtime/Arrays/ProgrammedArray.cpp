//===- ProgrammedArray.cpp - programming and reading one array -------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgrammedArray.h"

#include "Streams.h"
#include "mho/Runtime/Converters.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

namespace mho::rt {

using kernels::kPanel;

namespace {

int64_t roundUp(int64_t n, int64_t to) { return (n + to - 1) / to * to; }

/// Largest magnitude of a 16-bit weight that still splits into two bytes of
/// -128…127 each.
constexpr float kLargestWeight = 32639;
/// Largest variance code: two products with a byte stay below 2^15.
constexpr float kLargestVariance = 63;

/// Row-major [rows][stride] to panels [stride/16][rows][16] of f32.
Buffer<float> packFloats(const float *matrix, int64_t rows, int64_t stride) {
  Buffer<float> packed(size_t(rows * stride));
  float *to = packed.data();
  for (int64_t first = 0; first < stride; first += kPanel)
    for (int64_t row = 0; row < rows; ++row, to += kPanel)
      std::memcpy(to, matrix + row * stride + first, kPanel * sizeof(float));
  return packed;
}

/// The weights as they are, in panels of f32.
Buffer<float> packPlain(const ArraySpec &spec, int64_t stride) {
  Buffer<float> packed(size_t(spec.rows * stride));
  float *to = packed.data();
  for (int64_t first = 0; first < stride; first += kPanel) {
    size_t bytes = size_t(std::min(kPanel, spec.columns - first)) * 4;
    const float *from = spec.weights + first;
    for (int64_t row = 0; row < spec.rows; ++row) {
      std::memcpy(to, from, bytes);
      std::memset(to + bytes / 4, 0, kPanel * 4 - bytes);
      to += kPanel;
      from += spec.weightStride;
    }
  }
  return packed;
}

/// Largest magnitude of each column, or of all.
void findColumnScales(const ArraySpec &spec, float *scale) {
  kernels::table().columnPeaks(spec.weights, spec.rows, spec.columns,
                               spec.weightStride, scale);
  if (!spec.scalePerColumn)
    std::fill_n(scale, spec.columns,
                *std::max_element(scale, scale + spec.columns));
}

/// The matrix while it is being programmed.
struct Draft {
  Buffer<float> weights, variance;
  std::vector<float> columnScale, compensation;
};

Draft programCells(const ArraySpec &spec, const NoiseSettings &noise,
                   int64_t stride, bool noisy) {
  Draft draft;
  draft.weights = Buffer<float>(size_t(spec.rows * stride));
  draft.columnScale.assign(size_t(stride), 0);
  draft.compensation.assign(size_t(stride), 1);
  float *scale = draft.columnScale.data();
  findColumnScales(spec, scale);
  std::vector<float> inverse(size_t(stride), 0);
  for (int64_t c = 0; c < spec.columns; ++c)
    inverse[c] = scale[c] > 0 ? 1 / scale[c] : 0;
  for (int64_t row = 0; row < spec.rows; ++row) {
    float *to = draft.weights.data() + row * stride;
    kernels::table().targets(spec.weights + row * spec.weightStride,
                             spec.columns, inverse.data(), to);
    std::fill(to + spec.columns, to + stride, 0.0f);
  }
  if (noisy)
    draft.variance = Buffer<float>(size_t(spec.rows * stride));
  if (!spec.device || !spec.device->changesWeights(noise))
    return draft;

  std::vector<float> before(size_t(stride), 0), now(size_t(stride), 0);
  CellArray cells{size_t(spec.rows),
                  size_t(spec.columns),
                  size_t(stride),
                  draft.weights.data(),
                  noisy ? draft.variance.data() : nullptr,
                  before.data(),
                  now.data()};
  spec.device->program(
      cells, noise,
      streamKey(noise.seed, spec.instance, spec.array, Purpose::Programming),
      streamKey(noise.seed, spec.instance, spec.array, Purpose::Faults));
  if (!noise.drift || noise.compensation == Compensation::None)
    return draft;
  if (noise.compensation == Compensation::Column) {
    for (int64_t c = 0; c < spec.columns; ++c)
      draft.compensation[c] = now[c] > 0 ? before[c] / now[c] : 1;
    return draft;
  }
  double reference = 0, present = 0;
  for (int64_t c = 0; c < spec.columns; ++c) {
    reference += before[c];
    present += now[c];
  }
  float ratio = present > 0 ? float(reference / present) : 1;
  std::fill(draft.compensation.begin(), draft.compensation.end(), ratio);
  return draft;
}

/// Fixed-point panels and the factors that lead back; see performance notes
/// in docs for why the sums cannot overflow.
void packInteger(ProgrammedArray &a, const Draft &draft,
                 const ArraySpec &spec) {
  const kernels::Table &k = kernels::table();
  std::vector<float> sums(size_t(a.stride), 0), largest(size_t(a.stride), 0);
  k.columnSums(draft.weights.data(), a.rows, a.columns, a.stride, sums.data());
  k.columnPeaks(draft.weights.data(), a.rows, a.columns, a.stride,
                largest.data());
  float sum = *std::max_element(sums.begin(), sums.end());
  float top = *std::max_element(largest.begin(), largest.end());
  // Σ|w|·max|q| must stay below 2^31: rounding adds at most 1/2 per row, and
  // the f32 sum is short of the exact one by less than a thousandth.
  double room = (2147483647.0 / a.largestIn - double(a.rows)) / 1.001;
  float fullScale = 1;
  if (top > 0)
    fullScale = float(std::min<double>(kLargestWeight / top, room / sum));
  std::vector<float> codesPer(size_t(a.stride), 0);
  std::fill_n(codesPer.begin(), a.columns, fullScale);
  a.codePanels = Buffer<int16_t>(size_t(a.depth * a.stride));
  k.packWeightCodes(
      {draft.weights.data(), a.rows, a.depth, a.stride, codesPer.data()},
      a.codePanels.data());
  for (int64_t c = 0; c < a.columns; ++c)
    a.gain[c] /= fullScale;
  a.fixedSquare = 255 / (a.largestIn * a.largestIn);
  if (!a.noisy)
    return;
  std::vector<float> peak(size_t(a.stride), 0);
  k.columnPeaks(draft.variance.data(), a.rows, a.columns, a.stride,
                peak.data());
  for (int64_t c = 0; c < a.columns; ++c) {
    codesPer[c] = peak[c] > 0 ? kLargestVariance / peak[c] : 0;
    a.spread[c] *= peak[c] / kLargestVariance;
  }
  uint32_t key =
      streamKey(0, spec.instance, spec.array, Purpose::VarianceRounding).key[0];
  a.varianceCodes = Buffer<int8_t>(size_t(a.depth * a.stride));
  k.packVarianceCodes(
      {draft.variance.data(), a.rows, a.depth, a.stride, codesPer.data()}, key,
      kLargestVariance, a.varianceCodes.data());
}

} // namespace

ProgrammedArray programArray(const ArraySpec &spec,
                             const NoiseSettings &noise) {
  ProgrammedArray a;
  a.rows = spec.rows;
  a.columns = spec.columns;
  a.depth = roundUp(spec.rows, 4);
  a.stride = roundUp(spec.columns, kPanel);
  size_t stride = size_t(a.stride);
  for (Buffer<float> *perColumn :
       {&a.gain, &a.spread, &a.scale, &a.shift, &a.zeros, &a.columnScale}) {
    *perColumn = Buffer<float>(stride);
    std::fill_n(perColumn->data(), stride, 0.0f);
  }
  for (int64_t c = 0; c < a.columns; ++c) {
    a.gain[c] = 1;
    a.spread[c] = 1;
    a.scale[c] = spec.scale ? spec.scale[c] : 1;
    a.shift[c] = spec.shift ? spec.shift[c] : 0;
  }
  bool ideal = noise.ideal();
  a.noisy = !ideal && spec.device && spec.device->hasReadNoise(noise);
  if (ideal) {
    // The weights as they are, not divided by a scale and multiplied again.
    findColumnScales(spec, a.columnScale.data());
    a.panels = packPlain(spec, a.stride);
    return a;
  }
  Draft draft = programCells(spec, noise, a.stride, a.noisy);
  std::copy_n(draft.columnScale.data(), a.columns, a.columnScale.data());
  for (int64_t c = 0; c < a.columns; ++c)
    a.scale[c] *= draft.columnScale[c] * draft.compensation[c];
  a.readKey = streamKey(noise.seed, spec.instance, spec.array, Purpose::Read);
  a.quantised = noise.quantization;
  if (a.quantised) {
    a.largestIn = float(largestCode(spec.inputBits));
    a.largestOut = float(largestCode(spec.outputBits));
    a.codesPerUnit = a.largestIn / spec.inputRange;
    for (int64_t c = 0; c < a.columns; ++c) {
      float range = spec.adcRange.size() == 1 ? spec.adcRange[0]
                                              : spec.adcRange[size_t(c)];
      float perCode = range > 0 ? a.largestOut / range : 0;
      a.gain[c] = perCode / a.largestIn;
      a.spread[c] = a.gain[c] * a.gain[c];
      a.scale[c] *= spec.inputRange * range / a.largestOut;
    }
    // Codes of more bits leave too few bits for the weights in 32-bit sums.
    a.integer = spec.inputBits <= 9;
  }
  if (a.integer) {
    packInteger(a, draft, spec);
    return a;
  }
  a.panels = packFloats(draft.weights.data(), a.rows, a.stride);
  if (a.noisy)
    a.variancePanels = packFloats(draft.variance.data(), a.rows, a.stride);
  return a;
}

BlockScratch::BlockScratch(const ProgrammedArray &array)
    : acc(size_t(kBlockVectors * array.stride)),
      variance(size_t(array.noisy ? kBlockVectors * array.stride : 0)),
      values(size_t(array.integer || !(array.quantised || array.noisy)
                        ? 0
                        : 2 * kBlockVectors * array.rows)),
      codes(size_t(array.integer ? kBlockVectors * array.depth : 0)),
      squares(size_t(array.integer && array.noisy ? kBlockVectors * array.depth
                                                  : 0)) {}

namespace {

template <typename A, typename B, typename C>
void multiply(void (*kernel)(const kernels::Product<A, B, C> &),
              const A *const *vectors, int64_t count,
              std::span<const kernels::Run> runs, const B *panels,
              int64_t depth, int64_t step, int64_t stride, void *out) {
  kernels::Product<A, B, C> product{};
  product.rows = vectors;
  product.rowCount = count;
  product.runs = runs.data();
  product.runCount = int64_t(runs.size());
  product.panels = panels;
  product.panelStride = depth * kPanel;
  product.panelRow = kPanel * step;
  product.panelCount = stride / kPanel;
  product.out = static_cast<C *>(out);
  product.outStride = stride;
  kernel(product);
}

void readIntegers(const ProgrammedArray &array, const VectorBlock &block,
                  BlockScratch &scratch, float *rowSpread) {
  const kernels::Table &k = kernels::table();
  const int16_t *codes[kBlockVectors];
  const uint8_t *squares[kBlockVectors];
  kernels::Run whole{0, array.depth};
  std::span<const kernels::Run> runs(&whole, 1);
  if (block.coded) {
    std::copy_n(block.codes, block.count, codes);
    if (array.noisy)
      std::copy_n(block.squares, block.count, squares);
    std::fill_n(rowSpread, block.count, 1 / array.fixedSquare);
    runs = block.runs;
  } else {
    for (int64_t v = 0; v < block.count; ++v) {
      int16_t *to = scratch.codes.data() + v * array.depth;
      k.codes(block.values[v], array.rows, array.codesPerUnit, array.largestIn,
              to);
      std::fill(to + array.rows, to + array.depth, int16_t(0));
      codes[v] = to;
      if (!array.noisy)
        continue;
      uint8_t *squared = scratch.squares.data() + v * array.depth;
      float most = float(k.largest(to, array.depth));
      k.squares(to, array.depth, most > 0 ? 255 / (most * most) : 0, squared);
      squares[v] = squared;
      rowSpread[v] = most * most / 255;
    }
  }
  multiply<int16_t, int16_t, int32_t>(k.productS16, codes, block.count, runs,
                                      array.codePanels.data(), array.depth, 2,
                                      array.stride, scratch.acc.data());
  if (array.noisy)
    multiply<uint8_t, int8_t, int32_t>(
        k.productU8, squares, block.count, runs, array.varianceCodes.data(),
        array.depth, 4, array.stride, scratch.variance.data());
}

void readFloats(const ProgrammedArray &array, const VectorBlock &block,
                BlockScratch &scratch, float *rowSpread) {
  const kernels::Table &k = kernels::table();
  const float *values[kBlockVectors];
  std::copy_n(block.values, block.count, values);
  kernels::Run whole{0, array.rows};
  std::span<const kernels::Run> runs =
      block.runs.empty() ? std::span<const kernels::Run>(&whole, 1)
                         : block.runs;
  if (array.quantised)
    for (int64_t v = 0; v < block.count; ++v) {
      float *to = scratch.values.data() + v * array.rows;
      k.codesF32(values[v], array.rows, array.codesPerUnit, array.largestIn,
                 to);
      values[v] = to;
    }
  multiply<float, float, float>(k.productF32, values, block.count, runs,
                                array.panels.data(), array.rows, 1,
                                array.stride, scratch.acc.data());
  if (!array.noisy)
    return;
  const float *squares[kBlockVectors];
  for (int64_t v = 0; v < block.count; ++v) {
    float *to = scratch.values.data() + (kBlockVectors + v) * array.rows;
    for (int64_t i = 0; i < array.rows; ++i)
      to[i] = values[v][i] * values[v][i];
    squares[v] = to;
    rowSpread[v] = 1;
  }
  multiply<float, float, float>(k.productF32, squares, block.count, runs,
                                array.variancePanels.data(), array.rows, 1,
                                array.stride, scratch.variance.data());
}

} // namespace

void readBlock(const ProgrammedArray &array, const VectorBlock &block,
               BlockScratch &scratch) {
  const kernels::Table &k = kernels::table();
  float rowSpread[kBlockVectors] = {};
  if (array.integer)
    readIntegers(array, block, scratch, rowSpread);
  else
    readFloats(array, block, scratch, rowSpread);

  kernels::Epilogue e{};
  e.gain = array.gain.data();
  e.spread = array.spread.data();
  e.scale = array.scale.data();
  e.shift = block.addShift ? array.shift.data() : array.zeros.data();
  e.columns = array.columns;
  e.stride = array.stride;
  e.convert = array.quantised;
  e.largest = array.largestOut;
  e.accumulate = block.accumulate;
  for (const BlockPart &part : block.parts) {
    e.acc = scratch.acc.data() + part.first * array.stride;
    e.variance = array.noisy
                     ? scratch.variance.data() + part.first * array.stride
                     : nullptr;
    e.rowSpread = rowSpread + part.first;
    e.rows = part.count;
    e.out = block.out + part.first;
    e.key = plain(part.key);
    e.firstGroup = part.firstVector * uint64_t(array.stride) / kNormalGroup;
    (array.integer ? k.epilogueS32 : k.epilogueF32)(e);
  }
}

} // namespace mho::rt
