//===- Run.cpp - one execution from options to files ----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Metrics.h"
#include "Options.h"
#include "Reports.h"

#include "mho/Runtime/Npz.h"
#include "mho/Runtime/Session.h"
#include "mho/Support/Progress.h"

#include <cstdio>
#include <iostream>
#include <memory>

namespace mho::run {

namespace {

void note(const std::string &text) {
  std::cerr << "mho-run: note: " << text << "\n";
}

/// Noise settings of a list under the options' conditions.
Expected<rt::NoiseSettings> settingsFor(const Options &options,
                                        const std::string &list,
                                        const fb::Chip &chip,
                                        std::vector<std::string> &notes) {
  auto noise = rt::parseNoise(list, chip, notes);
  if (!noise)
    return noise.status();
  noise->seed = options.seed;
  if (options.time) {
    auto time = rt::parseTime(*options.time);
    if (!time)
      return time.status();
    noise->timeSeconds = *time;
  }
  if (options.temperature) {
    auto celsius = rt::parseTemperature(*options.temperature);
    if (!celsius)
      return celsius.status();
    noise->celsius = *celsius;
  }
  if (options.compensation) {
    auto compensation = rt::parseCompensation(*options.compensation);
    if (!compensation)
      return compensation.status();
    noise->compensation = *compensation;
  }
  return noise;
}

void printMetric(const char *label, const Metric &metric) {
  std::printf("%s%s %.6g", label, metric.name.c_str(), metric.mean());
  if (metric.values.size() > 1)
    std::printf(" +- %.3g (95 %%, sd %.3g, %zu instances)", metric.interval(),
                metric.deviation(), metric.values.size());
  std::printf("\n");
}

/// Every declared effect alone, and all but it.
Status attributeNoise(const Options &options, rt::Session &session,
                      const rt::TensorMap &inputs,
                      const rt::RunSettings &settings) {
  const fb::Chip &chip = session.program()->chip();
  if (options.metrics.empty())
    return failure("--attribute-noise needs a --metric to tabulate");
  std::vector<std::string> lists = {"none", "all"};
  if (chip.effects())
    for (const auto *effect : *chip.effects()) {
      lists.push_back(effect->str());
      lists.push_back("all,-" + effect->str());
    }
  for (const std::string &list : lists) {
    std::vector<std::string> notes;
    auto noise = settingsFor(options, list, chip, notes);
    if (!noise)
      return noise.status();
    rt::RunSettings one = settings;
    one.noise = *noise;
    auto result = session.run(inputs, one);
    if (!result)
      return result.status();
    for (const std::string &text : options.metrics) {
      auto metric = evaluateMetric(text, *result, inputs);
      if (!metric)
        return metric.status();
      char label[64];
      std::snprintf(label, sizeof(label), "%-24s ", list.c_str());
      printMetric(label, *metric);
    }
  }
  return success();
}

Status compare(const Options &options, const rt::RunResult &result,
               bool &differs) {
  auto reference = rt::readNpz(options.compare);
  if (!reference)
    return reference.status();
  bool bounded = options.absolute || options.relative;
  auto comparisons =
      compareOutputs(result, *reference, options.absolute.value_or(0),
                     options.relative.value_or(0));
  if (!comparisons)
    return comparisons.status();
  for (const Comparison &one : *comparisons) {
    std::printf("%s: max abs %.3g, relative L2 %.3g, cosine %.9f, worst at %zu "
                "(%.7g, reference %.7g)%s\n",
                one.output.c_str(), one.largest, one.relativeL2, one.cosine,
                one.worst, one.got, one.want,
                bounded && !one.within ? ", beyond the tolerance" : "");
    differs |= bounded && !one.within;
  }
  return success();
}

} // namespace

Status runProgram(const Options &options, bool &differs) {
  auto session = rt::Session::load(options.program);
  if (!session)
    return session.status();
  auto inputs = rt::readNpz(options.input);
  if (!inputs)
    return inputs.status();

  rt::RunSettings settings;
  settings.instances = options.instances;
  settings.instanceAxis = options.instanceAxis;
  settings.threads = options.threads;
  settings.states = options.states;
  auto progress = std::make_unique<Progress>("running");
  settings.progress = [&](double share) { progress->update(share); };
  std::vector<std::string> notes;
  auto noise = settingsFor(options, options.ideal ? "none" : options.noise,
                           (*session)->program()->chip(), notes);
  if (!noise)
    return noise.status();
  settings.noise = *noise;
  for (const std::string &text : notes)
    note(text);
  if (options.attributeNoise)
    return attributeNoise(options, **session, *inputs, settings);

  auto result = (*session)->run(*inputs, settings);
  if (!result)
    return result.status();
  progress.reset();
  std::vector<Metric> metrics;
  for (const std::string &text : options.metrics) {
    auto metric = evaluateMetric(text, *result, *inputs);
    if (!metric)
      return metric.status();
    metrics.push_back(std::move(*metric));
  }
  bool labelled = false;
  for (const std::string &text : result->notes) {
    for (const std::string &metric : options.metrics)
      labelled = labelled ||
                 text.find("'" + metric.substr(metric.find(':') + 1) + "'") !=
                     std::string::npos;
    if (!labelled)
      note(text);
    labelled = false;
  }
  if (!options.output.empty()) {
    std::vector<std::pair<std::string, const rt::Tensor *>> arrays;
    for (const auto &[name, tensor] : result->outputs)
      arrays.emplace_back(name, &tensor);
    if (Status written = rt::writeNpz(options.output, arrays); !written.ok())
      return written;
  }
  for (const Metric &metric : metrics)
    printMetric("", metric);
  if (Status status = writeReports(options, *(*session)->program(), settings,
                                   result->decisions, metrics);
      !status.ok())
    return status;
  return options.compare.empty() ? success()
                                 : compare(options, *result, differs);
}

} // namespace mho::run
