//===- Reports.h - reports of a run ---------------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUN_REPORTS_H
#define MHO_RUN_REPORTS_H

#include "Metrics.h"
#include "Options.h"

#include "mho/Runtime/Decisions.h"

namespace mho::run {

/// Prints time, energy and arrays of one run, and writes the report and the
/// trace that the options name.
Status writeReports(const Options &options, const rt::LoadedProgram &program,
                    const rt::RunSettings &settings,
                    const rt::Decisions &decisions,
                    const std::vector<Metric> &metrics);

} // namespace mho::run

#endif // MHO_RUN_REPORTS_H
