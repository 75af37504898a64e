//===- Frame.h - an image with its border, once per instruction ------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The windows of a convolution overlap. A frame holds every element that they
// read once, as codes or as f32, padding filled in, so that a window is a few
// runs at an affine address and nothing is copied per window.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_RUNTIME_ARRAYS_FRAME_H
#define MHO_LIB_RUNTIME_ARRAYS_FRAME_H

#include "InputVectors.h"
#include "Kernels.h"
#include "ProgrammedArray.h"

#include <optional>
#include <vector>

namespace mho::rt {

class Frame {
public:
  /// The frame of an access, or none where the access is no set of windows,
  /// where windows do not overlap, or where runs are no multiples of `step`.
  static std::optional<Frame> plan(const isa::Access &access,
                                   std::span<const int64_t> counts,
                                   std::span<const int64_t> inner,
                                   int64_t firstRow, int64_t rows,
                                   int64_t step);

  int64_t size() const { return elements; }
  int64_t start(int64_t vector) const { return windows->start(vector); }
  std::span<const kernels::Run> runs() const { return pieces; }

  /// Fills a frame from the access's base.
  void fillValues(const float *base, float *frame) const;
  /// As codes of `array`; `squares` may be null.
  void fillCodes(const float *base, const ProgrammedArray &array,
                 int16_t *codes, uint8_t *squares) const;

private:
  /// A direction in memory that windows move and extend along.
  struct Axis {
    int64_t memoryStride = 0;
    int64_t extent = 1;
    int64_t frameStride = 0;
    int64_t validBegin = 0, validEnd = 0; ///< positions inside the image
    std::vector<int64_t> coefficients;    ///< of counts, then inner
  };
  template <typename Convert>
  void visit(size_t axis, const float *from, int64_t at, bool inside,
             const Convert &convert) const;

  std::vector<Axis> axes; ///< by falling stride
  int64_t channels = 1;
  int64_t elements = 0;
  float fill = 0;
  std::optional<InputVectors> windows;
  std::vector<kernels::Run> pieces;
};

} // namespace mho::rt

#endif // MHO_LIB_RUNTIME_ARRAYS_FRAME_H
