//===- Settings.cpp - noise lists, times and temperatures as text ---------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Runtime/Conditions.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

using namespace mho;
using namespace mho::rt;

namespace {

struct Effect {
  const char *name;
  bool NoiseSettings::*flag;
};

constexpr Effect effects[] = {{"quantization", &NoiseSettings::quantization},
                              {"programming", &NoiseSettings::programming},
                              {"drift", &NoiseSettings::drift},
                              {"read", &NoiseSettings::read},
                              {"ir-drop", &NoiseSettings::irDrop},
                              {"adc", &NoiseSettings::adc},
                              {"dac", &NoiseSettings::dac},
                              {"faults", &NoiseSettings::faults},
                              {"temperature", &NoiseSettings::temperature},
                              {"output", &NoiseSettings::output}};

bool declares(const fb::Chip &chip, const std::string &effect) {
  if (chip.effects())
    for (const auto *declared : *chip.effects())
      if (declared->str() == effect)
        return true;
  return false;
}

struct Suffix {
  const char *name;
  double factor;
};

/// "12.5h" as 12.5 · factor of "h".
template <size_t N>
Expected<double> withSuffix(const std::string &text, const char *what,
                            const Suffix (&suffixes)[N]) {
  char *end = nullptr;
  double value = std::strtod(text.c_str(), &end);
  std::string suffix = end;
  if (end != text.c_str() && std::isfinite(value))
    for (const Suffix &known : suffixes)
      if (suffix == known.name)
        return value * known.factor;
  std::string names;
  for (const Suffix &known : suffixes)
    if (*known.name)
      names += (names.empty() ? "" : ", ") + std::string(known.name);
  return failure("expected a " + std::string(what) + " (a number with one of " +
                 names + "), found '" + text + "'");
}

} // namespace

Expected<NoiseSettings> rt::parseNoise(const std::string &list,
                                       const fb::Chip &chip,
                                       std::vector<std::string> &notes) {
  NoiseSettings settings;
  settings.timeSeconds = chip.time_s();
  settings.celsius = chip.temperature_c();
  if (chip.compensation()) {
    auto compensation = parseCompensation(chip.compensation()->str());
    if (!compensation)
      return compensation.status();
    settings.compensation = *compensation;
  }
  std::string chipName = chip.name() ? chip.name()->str() : "the chip";
  for (size_t at = 0; at <= list.size();) {
    size_t comma = std::min(list.find(',', at), list.size());
    std::string name = list.substr(at, comma - at);
    at = comma + 1;
    bool on = !name.starts_with("-");
    if (!on)
      name.erase(0, 1);
    if (name == "none" && on) {
      for (const Effect &effect : effects)
        settings.*effect.flag = false;
      continue;
    }
    if (name == "all" && on) {
      for (const Effect &effect : effects)
        settings.*effect.flag = declares(chip, effect.name);
      continue;
    }
    auto known = std::find_if(std::begin(effects), std::end(effects),
                              [&](const Effect &e) { return name == e.name; });
    if (known == std::end(effects)) {
      std::string names = "all, none";
      for (const Effect &effect : effects)
        names += std::string(", ") + effect.name;
      return failure("unknown effect '" + name + "' in --noise, known are " +
                     names);
    }
    if (on && !declares(chip, name)) {
      notes.push_back("effect '" + name + "' is passed over: " + chipName +
                      " does not declare it");
      continue;
    }
    settings.*known->flag = on;
  }
  return settings;
}

Expected<NoiseSettings> rt::resolveNoise(const NoiseRequest &request,
                                         const fb::Chip &chip,
                                         std::vector<std::string> &notes) {
  auto noise = parseNoise(request.effects, chip, notes);
  if (!noise)
    return noise.status();
  noise->seed = request.seed;
  if (request.time) {
    auto time = parseTime(*request.time);
    if (!time)
      return time.status();
    noise->timeSeconds = *time;
  }
  if (request.temperature) {
    auto celsius = parseTemperature(*request.temperature);
    if (!celsius)
      return celsius.status();
    noise->celsius = *celsius;
  }
  if (request.compensation) {
    auto compensation = parseCompensation(*request.compensation);
    if (!compensation)
      return compensation.status();
    noise->compensation = *compensation;
  }
  return noise;
}

Expected<Compensation> rt::parseCompensation(const std::string &name) {
  if (name == "none")
    return Compensation::None;
  if (name == "global")
    return Compensation::Global;
  if (name == "column")
    return Compensation::Column;
  if (name == "reference")
    return Compensation::Reference;
  return failure("unknown compensation '" + name +
                 "', known are none, global, column, reference");
}

Expected<double> rt::parseTime(const std::string &text) {
  static constexpr Suffix suffixes[] = {
      {"", 1},   {"s", 1},    {"ms", 1e-3}, {"us", 1e-6},  {"min", 60},
      {"m", 60}, {"h", 3600}, {"d", 86400}, {"w", 604800}, {"y", 31557600}};
  auto time = withSuffix(text, "time", suffixes);
  if (time && *time < 0)
    return failure("expected a time of at least 0s, found '" + text + "'");
  return time;
}

Expected<double> rt::parseTemperature(const std::string &text) {
  static constexpr Suffix celsius[] = {{"", 1}, {"C", 1}, {"K", 1}};
  auto value = withSuffix(text, "temperature", celsius);
  if (!value)
    return value;
  double degrees = text.ends_with("K") ? *value - 273.15 : *value;
  if (degrees < -273.15)
    return failure("expected a temperature above absolute zero, found '" +
                   text + "'");
  return degrees;
}
