//===- Benchmarks.h - what mho-bench can measure ---------------------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_TOOLS_MHO_BENCH_BENCHMARKS_H
#define MHO_TOOLS_MHO_BENCH_BENCHMARKS_H

namespace mho::bench {

/// noisy_mvm, f32_product, program_and_drift.
void registerArrays(unsigned threads);

/// timeline_events.
void registerTimeline();

} // namespace mho::bench

#endif // MHO_TOOLS_MHO_BENCH_BENCHMARKS_H
