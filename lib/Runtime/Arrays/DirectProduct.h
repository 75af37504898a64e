//===- DirectProduct.h - f32 products straight from the image --------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In f32, without converters and read noise, a vector's elements are multiplied
// where they lie in memory and the result goes straight to the output. Padding
// is left out instead of copied: vectors whose windows are cut alike form a
// class with one list of pieces.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_RUNTIME_ARRAYS_DIRECTPRODUCT_H
#define MHO_LIB_RUNTIME_ARRAYS_DIRECTPRODUCT_H

#include "Kernels.h"
#include "ProgrammedArray.h"
#include "mho/Runtime/Mvm.h"

#include <memory>
#include <vector>

namespace mho::rt {

/// Where the vectors of an instruction lie; the same for every sample.
class DirectPlan {
public:
  /// Null where vectors must be copied: elements or columns that are no
  /// neighbours in memory, padding with other values than zero, or windows of
  /// which hardly two are cut alike.
  static std::shared_ptr<const DirectPlan> make(const isa::Mvm &instruction,
                                                std::span<const int64_t> counts,
                                                std::span<const int64_t> inner,
                                                int64_t rows);

  struct Class {
    std::vector<kernels::Piece> pieces;
    int64_t first = 0, count = 0; ///< of the vectors in the plan's order
  };
  std::vector<Class> classes;
  /// Per vector, class by class: elements from the access's base.
  std::vector<int32_t> inputs, outputs;
};

/// The plan of a call, from its cache where it has one.
std::shared_ptr<const DirectPlan> directPlan(const MvmCall &call, int64_t rows);

/// Whether products of `array` are plain f32 sums with an affine behind them.
inline bool isPlain(const ProgrammedArray &array) {
  return !array.integer && !array.quantised && !array.noisy;
}

/// Executes a call on a plain array.
void runDirect(const DirectPlan &plan, const MvmCall &call,
               const ProgrammedArray &array, ThreadPool &pool);

} // namespace mho::rt

#endif // MHO_LIB_RUNTIME_ARRAYS_DIRECTPRODUCT_H
