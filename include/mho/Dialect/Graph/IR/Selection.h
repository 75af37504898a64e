//===- Selection.h - results whose extents follow from elements -*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// NonZero, Unique and NonMaxSuppression on constants: how large their results
// are is known only once they are computed.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_GRAPH_IR_SELECTION_H
#define MHO_DIALECT_GRAPH_IR_SELECTION_H

#include "mho/Dialect/Graph/IR/Constants.h"

#include "llvm/ADT/SmallVector.h"

namespace mho::graph {

/// Row-major numbers of the elements that are not zero.
llvm::SmallVector<int64_t> nonZeroElements(const ConstantReader &x);

/// The slices along an axis that differ.
struct UniqueSlices {
  /// Where each stands first, in order of the slices or of their appearance.
  llvm::SmallVector<int64_t> first;
  /// Which of them each slice of the input is.
  llvm::SmallVector<int64_t> inverse;
  llvm::SmallVector<int64_t> counts;
};
/// Slices compare element by element, NaN largest and equal to NaN.
UniqueSlices uniqueSlices(const ConstantReader &x, int64_t axis, bool sorted);

/// What NonMaxSuppression is told besides boxes and scores.
struct BoxLimits {
  int64_t perClass = 0;
  float overlap = 0;
  /// Only scores above it count, where given.
  std::optional<float> score;
  /// Boxes are centre and size instead of two corners.
  bool centers = false;
};
/// Image, class and number of each box that stays, one after the other.
llvm::SmallVector<int64_t> selectedBoxes(const ConstantReader &boxes,
                                         const ConstantReader &scores,
                                         const BoxLimits &limits);

} // namespace mho::graph

#endif // MHO_DIALECT_GRAPH_IR_SELECTION_H
