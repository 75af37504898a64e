//===- Options.cpp - mho-run's command line -------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <iostream>
#include <sstream>

/// What is wrong with a --noise list; empty if nothing is.
static std::string unknownEffect(const std::string &list) {
  static const std::string known[] = {
      "all", "none", "quantization", "programming", "drift", "read", "ir-drop",
      "adc", "dac",  "faults",       "temperature", "output"};
  std::istringstream names(list);
  for (std::string name; std::getline(names, name, ',');) {
    if (name.starts_with("-"))
      name.erase(0, 1);
    if (std::find(std::begin(known), std::end(known), name) == std::end(known))
      return "unknown effect '" + name +
             "', known are all, none, quantization, programming, drift, read, "
             "ir-drop, adc, dac, faults, temperature, output";
  }
  return "";
}

int mho::run::parseOptions(int argc, char **argv, Options &options) {
  CLI::App app("mho-run executes a .mho program on a model of its chip");
  std::vector<std::string> states;
  app.add_option("program", options.program, "model.mho")->required();
  app.add_option("--input", options.input, "arrays named by the inputs (.npz)")
      ->required();
  app.add_option("--output", options.output, "where the outputs go (.npz)");
  bool ideal = false;
  app.add_flag("--ideal", ideal, "arrays compute exactly, converters are off");
  auto *noise = app.add_option(
      "--noise", options.noise.effects,
      "effects that are on: all (default), none, or a list of quantization, "
      "programming, drift, read, ir-drop, adc, dac, faults, temperature, "
      "output; a leading - removes one");
  noise->allow_extra_args(false);
  noise->check(CLI::Validator(
      [](std::string &list) { return unknownEffect(list); }, "LIST"));
  app.add_option("--seed", options.noise.seed,
                 "of every random draw (default 0)");
  auto *instances =
      app.add_option("--instances", options.instances,
                     "separately programmed chips; outputs get a leading axis")
          ->check(CLI::Range(uint32_t(1), uint32_t(1) << 20));
  app.add_option("--time", options.noise.time,
                 "between programming and inference: 0s, 25s, 1h, 30d, 1y");
  app.add_option("--temperature", options.noise.temperature, "such as 40C");
  app.add_option("--compensation", options.noise.compensation,
                 "of drift: none, global, column, reference");
  app.add_option("--metric", options.metrics,
                 "accuracy:KEY, mse:KEY or perplexity:KEY of the input file")
      ->take_all();
  app.add_option("--compare", options.compare, "reference outputs (.npz)");
  app.add_option("--atol", options.absolute, "with --compare: absolute bound");
  app.add_option("--rtol", options.relative, "with --compare: relative bound");
  app.add_flag("--attribute-noise", options.attributeNoise,
               "runs each effect alone and all but one, tabulates the metric");
  app.add_option("--threads", options.threads, "default: all cores");
  app.add_option("--state", states,
                 "past=present: an output is the next run's input")
      ->take_all();
  app.add_option("--report", options.report, "latency, energy, metrics (JSON)");
  app.add_option("--trace", options.trace, "timeline for Perfetto (JSON)");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? kDone : 2;
  }
  if (ideal)
    options.noise.effects = "none";
  options.instanceAxis = instances->count() > 0;
  for (const std::string &state : states) {
    size_t equals = state.find('=');
    if (equals == std::string::npos || equals == 0 ||
        equals + 1 == state.size()) {
      std::cerr << "mho-run: --state takes INPUT=OUTPUT, found '" << state
                << "'\n";
      return 2;
    }
    options.states.emplace_back(state.substr(0, equals),
                                state.substr(equals + 1));
  }
  return 0;
}
