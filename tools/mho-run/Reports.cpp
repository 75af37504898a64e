//===- Reports.cpp - reports of a run -------------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Reports.h"

#include "mho/Runtime/Report.h"
#include "mho/Runtime/Timeline.h"
#include "mho/Support/TemporaryFile.h"

#include <cstdio>

namespace mho::run {

Status writeReports(const Options &options, const rt::LoadedProgram &program,
                    const rt::RunSettings &settings,
                    const rt::Decisions &decisions,
                    const std::vector<rt::Metric> &metrics) {
  rt::TimelineSettings wanted;
  wanted.trace = !options.trace.empty();
  wanted.decisions = &decisions;
  rt::TimelineResult timeline = rt::runTimeline(program, 0, wanted);
  auto report = rt::buildReport(
      program, timeline, rt::reportSettings(settings, options.noise.effects),
      rt::reportMetrics(metrics));
  std::fputs(rt::summarize(report).c_str(), stdout);
  for (const std::string &path : options.reports)
    if (Status status = writeFileAtomically(path, rt::reportFile(report, path));
        !status.ok())
      return status;
  if (!options.trace.empty())
    return writeFileAtomically(options.trace,
                               rt::perfettoTrace(program, timeline));
  return success();
}

} // namespace mho::run
