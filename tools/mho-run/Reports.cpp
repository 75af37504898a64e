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
                    const std::vector<Metric> &metrics) {
  rt::TimelineSettings wanted;
  wanted.trace = !options.trace.empty();
  wanted.decisions = &decisions;
  rt::TimelineResult timeline = rt::runTimeline(program, 0, wanted);
  rt::ReportSettings conditions;
  conditions.seed = settings.noise.seed;
  conditions.noise = options.ideal ? "none" : options.noise;
  conditions.timeSeconds = settings.noise.timeSeconds;
  conditions.celsius = settings.noise.celsius;
  static constexpr const char *compensations[] = {"none", "global", "column",
                                                  "reference"};
  conditions.compensation = compensations[int(settings.noise.compensation)];
  conditions.instances = settings.instances;
  conditions.ideal = settings.noise.ideal();
  rt::ReportMetrics figures;
  for (const Metric &metric : metrics) {
    rt::ReportMetric &figure = figures[metric.name];
    figure.value = metric.mean();
    figure.std = metric.deviation();
    figure.instances = uint32_t(metric.values.size());
    if (metric.values.size() > 1)
      figure.ci95 = metric.interval();
  }
  auto report = rt::buildReport(program, timeline, conditions, figures);
  std::fputs(rt::summarize(report).c_str(), stdout);
  if (!options.report.empty())
    if (Status status =
            writeFileAtomically(options.report, report.dump(2) + "\n");
        !status.ok())
      return status;
  if (!options.trace.empty())
    return writeFileAtomically(options.trace,
                               rt::perfettoTrace(program, timeline));
  return success();
}

} // namespace mho::run
