//===- InputVectors.h - the addresses of an mvm's vectors ------------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Turns an access descriptor with its extents into what a loop over vectors
// needs: where a vector starts, and the runs of consecutive elements that its
// rows of the array are made of, cut where padding begins and ends.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_RUNTIME_ARRAYS_INPUTVECTORS_H
#define MHO_LIB_RUNTIME_ARRAYS_INPUTVECTORS_H

#include "mho/Program/Instructions.h"

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace mho::rt {

/// Elements `begin`, `begin` + stride, … of one innermost dimension.
struct InputRun {
  int64_t offset = 0; ///< elements from the vector's start
  int64_t length = 0;
  int64_t position = 0; ///< of its first element within the vector
  /// For every valid range: value of its expression at the first element.
  std::vector<int64_t> range;
};

class InputVectors {
public:
  /// Rows [firstRow, firstRow + rows) of the vectors of an instruction.
  /// Extents have their slots resolved.
  InputVectors(const isa::Access &access, std::span<const int64_t> counts,
               std::span<const int64_t> inner, int64_t firstRow, int64_t rows);

  int64_t count() const { return vectors; }
  /// Whether a vector is one run of consecutive elements in memory.
  bool contiguous() const {
    return ranges.empty() && runs.size() == 1 && stride == 1;
  }
  /// Whether the vectors are plain runs at affine addresses, no padding.
  bool unpadded() const { return ranges.empty() && stride == 1; }
  /// Whether the elements of a run are neighbours in memory.
  bool unitStride() const { return stride == 1; }
  bool padded() const { return !ranges.empty(); }
  float fillValue() const { return float(fill); }
  std::span<const InputRun> pieces() const { return runs; }

  /// Value of every valid range's expression at the start of vector `number`.
  void positions(int64_t number, std::vector<int64_t> &position) const;
  /// The part [begin, end) of a run where all ranges hold for a vector with
  /// these positions.
  std::pair<int64_t, int64_t>
  validPart(const InputRun &run, std::span<const int64_t> position) const;

  /// Elements from the access's base to the start of vector `number`.
  int64_t start(int64_t number) const;
  /// Copies a vector's elements to `out`; `base` is the access's base.
  void gather(const float *base, int64_t number, float *out) const;

private:
  int64_t vectors = 1;
  int64_t stride = 1; ///< between the elements of a run
  double fill = 0;
  std::vector<int64_t> extents, strides; ///< of the counts
  struct Range {
    int64_t size = 0;
    int64_t step = 0;                  ///< along a run
    std::vector<int64_t> coefficients; ///< of the counts
  };
  std::vector<Range> ranges;
  std::vector<InputRun> runs;
};

/// Σ over dimensions of digit · stride for the mixed-radix digits of `number`.
int64_t dotDigits(int64_t number, std::span<const int64_t> extents,
                  std::span<const int64_t> strides);

} // namespace mho::rt

#endif // MHO_LIB_RUNTIME_ARRAYS_INPUTVECTORS_H
