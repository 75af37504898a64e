//===- Report.cpp - what a run tells, as JSON -----------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Runtime/Report.h"

#include <algorithm>
#include <initializer_list>
#include <set>
#include <string_view>

using namespace mho;
using namespace mho::rt;
using Json = nlohmann::ordered_json;

static std::string textOf(const flatbuffers::String *text) {
  return text ? text->str() : std::string();
}

namespace {

/// The chip's numbers that this program's figures are made of.
class Sources {
public:
  Sources(const fb::Program &program);

  Json provenance() const;
  /// Figures ("latency_s", …) that an estimate went into.
  Json estimates() const;

private:
  /// Whether a number is one of a part of the chip that the program uses.
  bool isUsed(std::string_view key) const;

  const fb::Chip &chip;
  std::set<std::string> kinds; ///< "units.core."
  std::string readMode;        ///< "read_modes.4-phase."
  bool sends;
};

bool startsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

} // namespace

Sources::Sources(const fb::Program &program)
    : chip(*program.chip()),
      sends(program.channels() && program.channels()->size() > 0) {
  for (const fb::Unit *unit : *program.units())
    kinds.insert("units." + textOf(chip.kinds()->Get(unit->kind())->name()) +
                 ".");
  if (chip.read_modes() && chip.read_mode() < chip.read_modes()->size())
    readMode = "read_modes." +
               textOf(chip.read_modes()->Get(chip.read_mode())->name()) + ".";
}

bool Sources::isUsed(std::string_view key) const {
  if (startsWith(key, "units."))
    return std::any_of(kinds.begin(), kinds.end(),
                       [&](const auto &kind) { return startsWith(key, kind); });
  if (startsWith(key, "read_modes."))
    return startsWith(key, readMode);
  return !startsWith(key, "links.") || sends;
}

Json Sources::provenance() const {
  Json list = Json::array();
  if (chip.facts())
    for (const fb::Fact *fact : *chip.facts())
      if (std::string key = textOf(fact->key()); isUsed(key))
        list.push_back({{"key", key},
                        {"value", fact->value()},
                        {"unit", textOf(fact->unit())},
                        {"kind", fb::EnumNameProvenance(fact->kind())},
                        {"source", textOf(fact->source())}});
  return list;
}

Json Sources::estimates() const {
  std::set<std::string> figures;
  auto ends = [](const std::string &key,
                 std::initializer_list<std::string_view> names) {
    std::string_view last = std::string_view(key).substr(key.rfind('.') + 1);
    return std::any_of(names.begin(), names.end(),
                       [&](std::string_view name) { return last == name; });
  };
  if (chip.facts())
    for (const fb::Fact *fact : *chip.facts()) {
      std::string key = textOf(fact->key());
      if (fact->kind() != fb::Provenance::estimate || !isUsed(key))
        continue;
      bool mode = startsWith(key, "read_modes.");
      if (ends(key, {"latency", "bandwidth", "lanes", "clock", "start",
                     "memory_bandwidth", "post_time_per_output"})) {
        figures.insert(
            {"latency_s", "initiation_interval_s", "throughput_per_s", "tops"});
        if (mode)
          figures.insert("mvm_only");
      }
      if (ends(key, {"energy", "converter_energy", "energy_per_operation",
                     "energy_per_vector", "active_power", "passive_power",
                     "memory_energy", "post_energy_per_output"})) {
        figures.insert({"energy_j", "tops_per_w"});
        if (mode)
          figures.insert("mvm_only");
      }
      if (ends(key, {"area"}))
        figures.insert("area_mm2");
    }
  // Power that flows over an estimated latency gives an estimated energy.
  if (figures.count("latency_s"))
    for (const fb::UnitKind *kind : *chip.kinds())
      if (kind->active_power_w() > 0 || chip.passive_power_w() > 0)
        figures.insert({"energy_j", "tops_per_w"});
  Json list = Json::array();
  for (const std::string &figure : figures)
    list.push_back(figure);
  return list;
}

static Json energyOf(const Energy &energy) {
  return {{"total", energy.total()},
          {"mvm", energy.mvm},
          {"converters", energy.converters},
          {"digital", energy.digital},
          {"communication", energy.communication},
          {"memory", energy.memory},
          {"passive", energy.passive}};
}

static Json layersOf(const fb::Program &program,
                     const TimelineResult &timeline) {
  Json list = Json::array();
  for (const LayerCost &layer : timeline.layers) {
    const fb::Node &node = *program.nodes()->Get(layer.node);
    list.push_back({{"node", textOf(node.name())},
                    {"op", textOf(node.op())},
                    {"unit_kind", layer.unitKind},
                    {"arrays", layer.arrays},
                    {"vectors", layer.vectors},
                    {"latency_s", layer.endSeconds - layer.startSeconds},
                    {"start_s", layer.startSeconds},
                    {"end_s", layer.endSeconds},
                    {"busy_s", layer.busySeconds},
                    {"macs", layer.macs},
                    {"operations", layer.microOps},
                    {"bytes_sent", layer.bytesSent},
                    {"energy_j", energyOf(layer.energy)}});
  }
  return list;
}

/// What part of which matrix each array holds.
static Json mappingOf(const fb::Program &program) {
  Json list = Json::array();
  if (!program.arrays())
    return list;
  for (const fb::Array *array : *program.arrays()) {
    const fb::Bank &bank = *program.banks()->Get(array->bank());
    const fb::Unit &unit = *program.units()->Get(array->unit());
    const fb::UnitKind &kind = *program.chip()->kinds()->Get(unit.kind());
    auto block = [](const flatbuffers::Vector<uint64_t> &splits, uint32_t b) {
      return Json::array({splits.Get(b), splits.Get(b + 1)});
    };
    Json entry = {
        {"bank", textOf(bank.name())},
        {"unit", textOf(kind.name()) + " " + std::to_string(unit.index())},
        {"array", array->index()},
        {"tier", array->tier()},
        {"rows", block(*bank.row_splits(), array->row_block())},
        {"columns", block(*bank.col_splits(), array->col_block())}};
    if (program.nodes() && bank.node() < program.nodes()->size())
      entry["node"] = textOf(program.nodes()->Get(bank.node())->name());
    if (const fb::Arrays *arrays = kind.arrays())
      entry["size"] = Json::array({arrays->rows(), arrays->cols()});
    list.push_back(std::move(entry));
  }
  return list;
}

/// Nodes that no instruction is led back to.
static Json foldedOf(const fb::Program &program,
                     const TimelineResult &timeline) {
  std::set<uint32_t> present;
  for (const LayerCost &layer : timeline.layers)
    present.insert(layer.node);
  Json list = Json::array();
  for (uint32_t i = 0; program.nodes() && i < program.nodes()->size(); ++i) {
    const fb::Node &node = *program.nodes()->Get(i);
    if (present.count(i) || textOf(node.name()).empty())
      continue;
    std::string into = textOf(node.folded_into());
    list.push_back({{"node", textOf(node.name())},
                    {"op", textOf(node.op())},
                    {"into", into.empty() ? Json() : Json(into)}});
  }
  return list;
}

static Json resourcesOf(const fb::Program &program,
                        const TimelineResult &timeline) {
  Json list = Json::array();
  for (const Resource &resource : timeline.resources) {
    double share = timeline.latencySeconds > 0
                       ? resource.busySeconds / timeline.latencySeconds
                       : 0;
    list.push_back(
        {{"name", resource.name},
         {"unit", textOf(program.units()->Get(resource.unit)->name())},
         {"busy_s", resource.busySeconds},
         {"utilization", share}});
  }
  return list;
}

static Json notesOf(const fb::Program &program,
                    const TimelineResult &timeline) {
  Json notes = Json::array();
  auto add = [&](const auto *texts) {
    if (texts)
      for (const flatbuffers::String *text : *texts)
        notes.push_back(textOf(text));
  };
  add(program.notes());
  add(program.chip()->notes());
  for (const std::string &note : timeline.notes)
    notes.push_back(note);
  notes.push_back("energy of layers leaves out what flows over the latency "
                  "(active and passive power)");
  return notes;
}

ReportSettings mho::rt::reportSettings(const RunSettings &run,
                                       const std::string &effects) {
  static constexpr const char *compensations[] = {"none", "global", "column",
                                                  "reference"};
  ReportSettings settings;
  settings.seed = run.noise.seed;
  settings.noise = effects;
  settings.timeSeconds = run.noise.timeSeconds;
  settings.celsius = run.noise.celsius;
  settings.compensation = compensations[int(run.noise.compensation)];
  settings.instances = run.instances;
  settings.ideal = run.noise.ideal();
  return settings;
}

ReportMetrics mho::rt::reportMetrics(const std::vector<Metric> &metrics) {
  ReportMetrics figures;
  for (const Metric &metric : metrics) {
    ReportMetric &figure = figures[metric.name];
    figure.value = metric.mean();
    figure.std = metric.deviation();
    figure.instances = uint32_t(metric.values.size());
    if (metric.values.size() > 1)
      figure.ci95 = metric.interval();
  }
  return figures;
}

Json mho::rt::buildReport(const LoadedProgram &loaded,
                          const TimelineResult &timeline,
                          const ReportSettings &settings,
                          const ReportMetrics &metrics) {
  const fb::Program &program = loaded.program();
  Sources sources(program);
  bool limited = timeline.arraysAvailable > 0;
  Json report;
  report["schema"] = kReportSchema;
  report["producer"] = textOf(program.producer());
  report["model"] = textOf(program.model());
  report["target"] = textOf(program.target());
  report["arrays"] = {
      {"used", timeline.arraysUsed},
      {"available", limited ? Json(timeline.arraysAvailable) : Json()},
      {"utilization",
       timeline.cells > 0 ? timeline.cellsUsed / timeline.cells : 0.0}};
  report["chips"] = timeline.chips;
  report["latency_s"] = timeline.latencySeconds;
  report["initiation_interval_s"] = timeline.intervalSeconds;
  report["throughput_per_s"] = timeline.throughput();
  report["energy_j"] = energyOf(timeline.energy);
  report["area_mm2"] = timeline.areaMm2;
  report["tops"] = timeline.tops();
  report["tops_per_w"] = timeline.topsPerWatt();
  report["mvm_only"] = {{"tops", timeline.arrayTops()},
                        {"tops_per_w", timeline.arrayTopsPerWatt()}};
  report["layers"] = layersOf(program, timeline);
  report["folded"] = foldedOf(program, timeline);
  report["mapping"] = mappingOf(program);
  Json values = Json::object();
  for (const auto &[name, metric] : metrics)
    values[name] = {{"value", metric.value},
                    {"std", metric.std},
                    {"ci95", metric.ci95 ? Json(*metric.ci95) : Json()},
                    {"instances", metric.instances}};
  report["metrics"] = std::move(values);
  report["settings"] = {{"seed", settings.seed},
                        {"noise", settings.noise},
                        {"ideal", settings.ideal},
                        {"time_s", settings.timeSeconds},
                        {"temperature_c", settings.celsius},
                        {"compensation", settings.compensation},
                        {"instances", settings.instances},
                        {"threads", settings.threads}};
  if (const auto *modes = loaded.chip().read_modes();
      modes && loaded.chip().read_mode() < modes->size())
    report["settings"]["read_mode"] =
        textOf(modes->Get(loaded.chip().read_mode())->name());
  report["resources"] = resourcesOf(program, timeline);
  if (timeline.busiest < timeline.resources.size())
    report["bottleneck"] = timeline.resources[timeline.busiest].name;
  report["provenance"] = sources.provenance();
  report["estimates"] = sources.estimates();
  report["notes"] = notesOf(program, timeline);
  return report;
}
