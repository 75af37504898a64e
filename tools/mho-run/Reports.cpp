//===- Reports.cpp - reports of a run -------------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Reports.h"

namespace mho::run {

Status writeReports(const Options &options, const rt::LoadedProgram &program,
                    const rt::RunSettings &settings,
                    const std::vector<Metric> &metrics) {
  return success();
}

} // namespace mho::run
