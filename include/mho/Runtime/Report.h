//===- Report.h - what a run tells, as JSON and in words ------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_REPORT_H
#define MHO_RUNTIME_REPORT_H

#include "mho/Runtime/Metrics.h"
#include "mho/Runtime/Session.h"
#include "mho/Runtime/Timeline.h"

#include <nlohmann/json.hpp>

#include <map>
#include <optional>
#include <string>

namespace mho::rt {

/// Version of the report's keys.
inline constexpr int kReportSchema = 1;

/// What the run was told; stands under `settings`.
struct ReportSettings {
  uint64_t seed = 0;
  std::string noise = "none"; ///< the effects that were on
  double timeSeconds = 0;     ///< between programming and inference
  double celsius = 25;
  std::string compensation = "none";
  uint32_t instances = 1;
  unsigned threads = 0; ///< 0: all cores
  bool ideal = true;
};

/// The settings of a run; `effects` is the list that its noise came from.
ReportSettings reportSettings(const RunSettings &run,
                              const std::string &effects);

/// A metric over instances.
struct ReportMetric {
  double value = 0;           ///< mean
  double std = 0;             ///< sample standard deviation
  std::optional<double> ci95; ///< half width of the mean's 95 % interval
  uint32_t instances = 1;
};
using ReportMetrics = std::map<std::string, ReportMetric>;
ReportMetrics reportMetrics(const std::vector<Metric> &metrics);

/// The report; seconds, joules, mm².
nlohmann::ordered_json buildReport(const LoadedProgram &program,
                                   const TimelineResult &timeline,
                                   const ReportSettings &settings,
                                   const ReportMetrics &metrics);

/// The report as one HTML page that needs nothing from elsewhere.
std::string renderHtml(const nlohmann::ordered_json &report);
/// What a report file of this name holds: a page if it ends in .html or .htm,
/// else the JSON.
std::string reportFile(const nlohmann::ordered_json &report,
                       const std::string &path);

/// A few lines of it for people. Figures that rest on estimates say so.
std::string summarize(const nlohmann::ordered_json &report);

} // namespace mho::rt

#endif // MHO_RUNTIME_REPORT_H
