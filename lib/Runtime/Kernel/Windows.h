//===- Windows.h - kernels that reduce over windows -------------------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Pooling, depthwise convolution and sums over outer axes: f32 kernels that
// reduce one read, or the product of two, over a fixed set of taps, with lanes
// that are neighbours in memory, or every second one is. A point costs little,
// so these run without register blocks.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_KERNEL_WINDOWS_H
#define MHO_RUNTIME_KERNEL_WINDOWS_H

#include "Plan.h"

namespace mho::rt {

struct WindowPlan {
  std::vector<PlanDim> loops; ///< parallel, the last runs over rows
  int64_t lanes = 0;
  int64_t xLane = 1; ///< elements from lane to lane of x: 1 or 2
  int x = 0, w = -1; ///< numbers of the reads; w < 0: there is one alone
  bool scalarWeights = false;
  /// Weights are not neighbours in memory but the same for all points: bytes
  /// from lane to lane; copied once a run.
  int64_t packedStride = 0;
  std::vector<int64_t> packedFrom; ///< bytes, per tap
  std::vector<blocks::Tap> taps;   ///< partial result by partial result
  std::vector<uint32_t> ends;      ///< of each partial result's taps
};

/// Null where the kernel is none of these. `parallel` are the dimensions apart
/// from the lanes.
std::unique_ptr<WindowPlan> planWindows(const isa::Kernel &kernel,
                                        std::vector<PlanDim> parallel,
                                        const PlanDim &lanes,
                                        const std::vector<PlanDim> &inner,
                                        int64_t partials);

void runWindows(const isa::Kernel &kernel, const WindowPlan &plan,
                const KernelFrame &frame, ThreadPool *pool,
                const blocks::Table &table);

} // namespace mho::rt

#endif // MHO_RUNTIME_KERNEL_WINDOWS_H
