//===- Frame.cpp - an image with its border, once per instruction ----------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Frame.h"

#include "mho/Runtime/Converters.h"

#include <algorithm>
#include <tuple>

namespace mho::rt {

std::optional<Frame> Frame::plan(const isa::Access &access,
                                 std::span<const int64_t> counts,
                                 std::span<const int64_t> inner,
                                 int64_t firstRow, int64_t rows, int64_t step) {
  Frame frame;
  frame.fill = float(access.fill);
  size_t outer = counts.size(), dims = outer + inner.size();
  auto extent = [&](size_t d) {
    return d < outer ? counts[d] : inner[d - outer];
  };
  // The innermost dimension with more than one point is the channel: plain
  // consecutive elements.
  size_t channel = dims;
  while (channel > outer && extent(channel - 1) == 1)
    --channel;
  if (channel == outer)
    return std::nullopt;
  --channel;
  if (access.strides[channel] != 1)
    return std::nullopt;
  frame.channels = extent(channel);

  // One axis per valid range: all dimensions in it must step through memory
  // as they step through the range.
  std::vector<bool> placed(dims, false);
  placed[channel] = true;
  for (const isa::ValidRange &range : access.valid) {
    Axis axis;
    axis.coefficients.assign(dims, 0);
    for (size_t d = 0; d < dims; ++d) {
      int64_t c = range.coefficients[d];
      if (c == 0 || extent(d) == 1)
        continue;
      if (placed[d] || c < 0 || access.strides[d] % c != 0)
        return std::nullopt;
      int64_t memory = access.strides[d] / c;
      if (memory <= 0 || (axis.memoryStride && axis.memoryStride != memory))
        return std::nullopt;
      axis.memoryStride = memory;
      axis.coefficients[d] = c;
      placed[d] = true;
    }
    axis.validBegin = -range.offset;
    axis.validEnd = range.size - range.offset;
    frame.axes.push_back(std::move(axis));
  }
  // Without padding: an inner dimension and the count that moves it.
  std::vector<size_t> rest;
  for (size_t d = outer; d < dims; ++d)
    if (!placed[d] && extent(d) > 1)
      rest.push_back(d);
  std::sort(rest.begin(), rest.end(), [&](size_t a, size_t b) {
    return access.strides[a] > access.strides[b];
  });
  auto alone = [&](size_t d) {
    Axis axis;
    axis.coefficients.assign(dims, 0);
    axis.coefficients[d] = 1;
    axis.memoryStride = access.strides[d];
    axis.validBegin = 0;
    axis.validEnd = INT64_MAX;
    placed[d] = true;
    return axis;
  };
  for (size_t d : rest) {
    if (access.strides[d] <= 0)
      return std::nullopt;
    Axis axis = alone(d);
    for (size_t e = 0; e < outer; ++e)
      if (!placed[e] && extent(e) > 1 && access.strides[e] > 0 &&
          access.strides[e] % axis.memoryStride == 0) {
        axis.coefficients[e] = access.strides[e] / axis.memoryStride;
        placed[e] = true;
        break;
      }
    frame.axes.push_back(std::move(axis));
  }
  for (size_t d = 0; d < outer; ++d)
    if (!placed[d] && extent(d) > 1) {
      if (access.strides[d] <= 0)
        return std::nullopt;
      frame.axes.push_back(alone(d));
    }

  // Dense over the axes, the channels innermost.
  std::sort(frame.axes.begin(), frame.axes.end(),
            [](const Axis &a, const Axis &b) {
              return std::tie(a.memoryStride, a.coefficients) >
                     std::tie(b.memoryStride, b.coefficients);
            });
  int64_t vectors = 1;
  for (int64_t count : counts)
    vectors *= count;
  int64_t limit = vectors * rows;
  frame.elements = frame.channels;
  for (size_t a = frame.axes.size(); a-- > 0;) {
    Axis &axis = frame.axes[a];
    for (size_t d = 0; d < dims; ++d)
      axis.extent += axis.coefficients[d] * (extent(d) - 1);
    axis.frameStride = frame.elements;
    if (axis.extent > limit / frame.elements)
      return std::nullopt;
    frame.elements *= axis.extent;
  }
  isa::Access dense;
  dense.strides.assign(dims, 0);
  dense.strides[channel] = 1;
  for (const Axis &axis : frame.axes)
    for (size_t d = 0; d < dims; ++d)
      dense.strides[d] += axis.coefficients[d] * axis.frameStride;
  frame.windows.emplace(dense, counts, inner, firstRow, rows);
  if (!frame.windows->unpadded())
    return std::nullopt;
  for (const InputRun &run : frame.windows->pieces()) {
    if (run.length % step != 0)
      return std::nullopt;
    frame.pieces.push_back({run.offset, run.length});
  }
  return frame;
}

/// Calls convert(from, count, at) for each stretch of the frame that lies one
/// after the other in memory, with from = null for padding.
template <typename Convert>
void Frame::visit(size_t number, const float *from, int64_t at, bool inside,
                  const Convert &convert) const {
  if (number == axes.size()) {
    convert(inside ? from : nullptr, channels, at);
    return;
  }
  const Axis &axis = axes[number];
  int64_t begin = std::clamp<int64_t>(axis.validBegin, 0, axis.extent);
  int64_t end = std::clamp<int64_t>(axis.validEnd, begin, axis.extent);
  bool last = number + 1 == axes.size();
  if (!inside)
    begin = end = 0;
  if (begin > 0)
    convert(nullptr, begin * axis.frameStride, at);
  if (last && axis.memoryStride == channels && end > begin)
    convert(from + begin * channels, (end - begin) * channels,
            at + begin * channels);
  else
    for (int64_t p = begin; p < end; ++p)
      visit(number + 1, from + p * axis.memoryStride, at + p * axis.frameStride,
            true, convert);
  if (end < axis.extent)
    convert(nullptr, (axis.extent - end) * axis.frameStride,
            at + end * axis.frameStride);
}

void Frame::fillValues(const float *base, float *frame) const {
  visit(0, base, 0, true, [&](const float *from, int64_t count, int64_t at) {
    if (from)
      std::copy_n(from, count, frame + at);
    else
      std::fill_n(frame + at, count, fill);
  });
}

void Frame::fillCodes(const float *base, const ProgrammedArray &array,
                      int16_t *codes, uint8_t *squares) const {
  const kernels::Table &k = kernels::table();
  auto border = int16_t(toCode(fill, array.codesPerUnit, array.largestIn));
  visit(0, base, 0, true, [&](const float *from, int64_t count, int64_t at) {
    if (from)
      k.codes(from, count, array.codesPerUnit, array.largestIn, codes + at);
    else
      std::fill_n(codes + at, count, border);
  });
  if (squares)
    k.ditheredSquares(codes, elements, array.fixedSquare, 0, squares);
}

} // namespace mho::rt
