//===- Options.cpp - mho-run's command line -------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"

#include "mho/Runtime/Metrics.h"
#include "mho/Runtime/Session.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdlib>
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

/// Refuses what `parse` refuses, with its message.
template <typename Parse>
static CLI::Validator parsedBy(const Parse &parse, const char *what) {
  return CLI::Validator(
      [parse](std::string &text) { return mho::Status(parse(text)).message(); },
      what);
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
  // A minus would wrap around, and nothing compares with a NaN.
  CLI::Validator number(
      [](std::string &text) {
        char *end = nullptr;
        return std::strtod(text.c_str(), &end) >= 0 && end && !*end
                   ? std::string()
                   : "takes a number of at least 0, found '" + text + "'";
      },
      "");
  app.add_option("--seed", options.noise.seed,
                 "of every random draw (default 0)")
      ->check(number);
  auto *instances =
      app.add_option("--instances", options.instances,
                     "separately programmed chips; outputs get a leading axis")
          ->check(CLI::Range(uint32_t(1), uint32_t(1) << 20));
  app.add_option("--time", options.noise.time,
                 "between programming and inference: 0s, 25s, 1h, 30d, 1y")
      ->check(parsedBy([](auto &text) { return rt::parseTime(text).status(); },
                       ""));
  app.add_option("--temperature", options.noise.temperature, "such as 40C")
      ->check(parsedBy(
          [](auto &text) { return rt::parseTemperature(text).status(); }, ""));
  app.add_option("--compensation", options.noise.compensation,
                 "of drift: none, global, column, reference")
      ->check(parsedBy(
          [](auto &text) { return rt::parseCompensation(text).status(); }, ""));
  app.add_option("--metric", options.metrics,
                 "accuracy:KEY, mse:KEY or perplexity:KEY of the input file")
      ->take_all()
      ->check(parsedBy(rt::checkMetric, ""));
  app.add_option("--compare", options.compare, "reference outputs (.npz)");
  app.add_option("--atol", options.absolute, "with --compare: absolute bound")
      ->check(number);
  app.add_option("--rtol", options.relative, "with --compare: relative bound")
      ->check(number);
  app.add_flag("--attribute-noise", options.attributeNoise,
               "runs each effect alone and all but one, tabulates the metric");
  app.add_option("--threads", options.threads, "default: all cores")
      ->check(CLI::Range(0u, 1024u));
  app.add_option("--state", states,
                 "past=present: an output is the next run's input")
      ->take_all();
  app.add_option("--report", options.reports,
                 "latency, energy, metrics: r.json or r.html; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--trace", options.trace, "timeline for Perfetto (JSON)");
  app.failure_message([](const CLI::App *, const CLI::Error &error) {
    return std::string("mho-run: ") + error.what() +
           "; mho-run --help lists the options\n";
  });
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
