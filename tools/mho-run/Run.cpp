//===- Run.cpp - one execution from options to files ----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"
#include "Reports.h"

#include "mho/Runtime/Metrics.h"
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

void printMetric(const char *label, const rt::Metric &metric) {
  std::printf("%s%s %.6g", label, metric.name.c_str(), metric.mean());
  if (metric.values.size() > 1)
    std::printf(" +- %.3g (95 %%, sd %.3g, %zu instances)", metric.interval(),
                metric.deviation(), metric.values.size());
  std::printf("\n");
}

/// Every declared effect alone, and all but it.
Status attributeNoise(const Options &options, rt::Session &session,
                      const rt::TensorMap &inputs,
                      const rt::RunSettings &settings, Progress &progress) {
  const fb::Chip &chip = session.program()->chip();
  if (options.metrics.empty())
    return failure("--attribute-noise needs a --metric to tabulate");
  std::vector<std::string> lists = {"none", "all"};
  if (chip.effects())
    for (const auto *effect : *chip.effects()) {
      lists.push_back(effect->str());
      lists.push_back("all,-" + effect->str());
    }
  for (size_t i = 0; i < lists.size(); ++i) {
    const std::string &list = lists[i];
    std::vector<std::string> notes;
    rt::NoiseRequest request = options.noise;
    request.effects = list;
    auto noise = rt::resolveNoise(request, chip, notes);
    if (!noise)
      return noise.status();
    rt::RunSettings one = settings;
    one.noise = *noise;
    one.progress = [&](double share) {
      progress.update((double(i) + share) / double(lists.size()));
    };
    auto result = session.run(inputs, one);
    if (!result)
      return result.status();
    auto metrics = rt::evaluateMetrics(options.metrics, *result, inputs);
    if (!metrics)
      return metrics.status();
    char label[64];
    std::snprintf(label, sizeof(label), "%-24s ", list.c_str());
    progress.pause([&] {
      for (const rt::Metric &metric : *metrics)
        printMetric(label, metric);
      std::fflush(stdout);
    });
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
      rt::compareOutputs(result, *reference, options.absolute.value_or(0),
                         options.relative.value_or(0));
  if (!comparisons)
    return comparisons.status();
  for (const rt::Comparison &one : *comparisons) {
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
  auto progress = std::make_unique<Progress>("mho-run");
  progress->step("loading");
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
  settings.inputsFrom = options.input;
  settings.progress = [&](double share) { progress->update(share); };
  std::vector<std::string> notes;
  auto noise =
      rt::resolveNoise(options.noise, (*session)->program()->chip(), notes);
  if (!noise)
    return noise.status();
  settings.noise = *noise;
  progress->pause([&] {
    for (const std::string &text : notes)
      note(text);
  });
  progress->step("running");
  if (options.attributeNoise)
    return attributeNoise(options, **session, *inputs, settings, *progress);

  auto result = (*session)->run(*inputs, settings);
  if (!result)
    return result.status();
  progress.reset();
  auto metrics = rt::evaluateMetrics(options.metrics, *result, *inputs);
  if (!metrics)
    return metrics.status();
  for (const std::string &text : result->notes)
    note(text);
  if (!options.output.empty()) {
    std::vector<std::pair<std::string, const rt::Tensor *>> arrays;
    for (const auto &[name, tensor] : result->outputs)
      arrays.emplace_back(name, &tensor);
    if (Status written = rt::writeNpz(options.output, arrays); !written.ok())
      return written;
  }
  for (const rt::Metric &metric : *metrics)
    printMetric("", metric);
  if (Status status = writeReports(options, *(*session)->program(), settings,
                                   result->decisions, *metrics);
      !status.ok())
    return status;
  return options.compare.empty() ? success()
                                 : compare(options, *result, differs);
}

} // namespace mho::run
