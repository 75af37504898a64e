//===- Benchmarks.h - what mho-bench can measure ---------------------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_TOOLS_MHO_BENCH_BENCHMARKS_H
#define MHO_TOOLS_MHO_BENCH_BENCHMARKS_H

#include "mho/Support/Status.h"

#include <string>

namespace mho::bench {

/// A compiled program and what to run it on; `noise` and `time` as in mho-run.
struct ProgramOptions {
  std::string program, input;
  std::string noise = "none";
  std::string time = "0s";
  bool reprogram = false; ///< the arrays anew for every run
};

/// program/<noise>, load_program.
Status registerProgram(const ProgramOptions &options, unsigned threads);

/// noisy_mvm, f32_product, program_and_drift.
void registerArrays(unsigned threads);

/// value_product, onednn_product.
void registerProducts(unsigned threads);

/// timeline_events.
void registerTimeline();

} // namespace mho::bench

#endif // MHO_TOOLS_MHO_BENCH_BENCHMARKS_H
