//===- Summary.cpp - a report in a few lines ------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Runtime/Report.h"

#include "mho/Support/Format.h"

#include <algorithm>
#include <vector>

using namespace mho;
using Json = nlohmann::ordered_json;

static constexpr size_t kLayersShown = 5;

/// "mvm 3.4 uJ, digital 1 uJ": parts that are not 0, largest first.
static std::string partsOf(const Json &energy) {
  std::vector<std::pair<double, std::string>> parts;
  for (const auto &[name, value] : energy.items())
    if (name != "total" && value.get<double>() > 0)
      parts.push_back({value.get<double>(), name});
  std::sort(parts.rbegin(), parts.rend());
  std::string text;
  for (const auto &[joules, name] : parts)
    text += (text.empty() ? "" : ", ") + name + " " + formatEnergy(joules);
  return text;
}

static std::string padded(std::string text, size_t width) {
  if (text.size() > width)
    text = text.substr(0, width - 2) + "..";
  text.resize(width, ' ');
  return text;
}

/// The layers that take most energy, or most time where none takes any.
static std::string layersOf(const Json &layers) {
  std::vector<const Json *> order;
  for (const Json &layer : layers)
    order.push_back(&layer);
  auto joules = [](const Json *layer) {
    return (*layer)["energy_j"]["total"].get<double>();
  };
  // Equal ones in the report's order.
  std::sort(order.begin(), order.end(), [&](const Json *a, const Json *b) {
    return joules(a) != joules(b) ? joules(a) > joules(b) : a < b;
  });
  if (order.empty())
    return "";
  std::string text = "layers of most energy:\n";
  for (size_t i = 0; i < std::min(order.size(), kLayersShown); ++i) {
    const Json &layer = *order[i];
    uint32_t arrays = layer["arrays"].get<uint32_t>();
    text +=
        "  " + padded(layer["node"].get<std::string>(), 28) + " " +
        padded(layer["op"].get<std::string>(), 12) + " " +
        padded(formatEnergy(layer["energy_j"]["total"].get<double>()), 9) +
        " " + padded(formatTime(layer["latency_s"].get<double>()), 9) + " " +
        (arrays ? std::to_string(arrays) + (arrays == 1 ? " array" : " arrays")
                : layer["unit_kind"].get<std::string>()) +
        "\n";
  }
  return text;
}

std::string mho::rt::summarize(const Json &report) {
  auto mark = [&](const char *figure) -> std::string {
    for (const Json &name : report["estimates"])
      if (name == figure)
        return " (rests on estimates)";
    return "";
  };
  const Json &arrays = report["arrays"], &energy = report["energy_j"];
  std::string text;
  text += "latency     " + formatTime(report["latency_s"].get<double>()) +
          mark("latency_s") + "\n";
  text += "throughput  " +
          formatQuantity(report["throughput_per_s"].get<double>(), "runs/s");
  if (report.contains("bottleneck"))
    text += ", bound by " + report["bottleneck"].get<std::string>();
  text += mark("throughput_per_s") + "\n";
  text += "energy      " + formatEnergy(energy["total"].get<double>());
  if (std::string parts = partsOf(energy); !parts.empty())
    text += ": " + parts;
  text += mark("energy_j") + "\n";
  text += "arrays      " + formatCount(arrays["used"].get<uint64_t>());
  if (!arrays["available"].is_null())
    text += " of " + formatCount(arrays["available"].get<uint64_t>());
  text += ", " + formatPercent(arrays["utilization"].get<double>()) +
          " of their cells\n";
  if (report["mvm_only"]["tops"].get<double>() > 0)
    text +=
        "arrays only " +
        formatQuantity(report["mvm_only"]["tops"].get<double>() * 1e12,
                       "OP/s") +
        ", " +
        formatQuantity(report["mvm_only"]["tops_per_w"].get<double>() * 1e12,
                       "OP/s/W") +
        mark("mvm_only") + "\n";
  return text + layersOf(report["layers"]);
}
