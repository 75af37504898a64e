//===- Timeline.cpp - what a replay adds up to ----------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Runtime/Timeline.h"

#include "Replay.h"

#include <algorithm>

using namespace mho;
using namespace mho::rt;

static constexpr double kSecondsPerNs = 1e-9;

Energy &Energy::operator+=(const Energy &other) {
  mvm += other.mvm;
  converters += other.converters;
  digital += other.digital;
  communication += other.communication;
  memory += other.memory;
  passive += other.passive;
  return *this;
}

Energy Energy::operator*(double share) const {
  return {mvm * share,           converters * share, digital * share,
          communication * share, memory * share,     passive * share};
}

static double ratio(double above, double below) {
  return below > 0 ? above / below : 0;
}

double TimelineResult::throughput() const { return ratio(1, intervalSeconds); }
double TimelineResult::tops() const {
  return ratio(2 * macs, latencySeconds) * 1e-12;
}
double TimelineResult::topsPerWatt() const {
  return ratio(2 * macs, energy.total()) * 1e-12;
}
double TimelineResult::arrayTops() const {
  return ratio(2 * macs, arraySeconds) * 1e-12;
}
double TimelineResult::arrayTopsPerWatt() const {
  return ratio(2 * macs, energy.mvm + energy.converters) * 1e-12;
}

/// Shares of an instruction's nodes; they add up to 1.
static std::vector<std::pair<uint32_t, double>>
nodesOf(const fb::Program &program, const fb::Code &code, uint32_t index) {
  std::vector<std::pair<uint32_t, double>> nodes;
  const auto *table = code.locations();
  if (!table || index >= table->size() || !program.locations() ||
      table->Get(index) >= program.locations()->size())
    return nodes;
  const fb::Location &location = *program.locations()->Get(table->Get(index));
  double all = 0;
  for (uint32_t i = 0; location.nodes() && i < location.nodes()->size(); ++i) {
    bool weighted = location.weights() && i < location.weights()->size();
    double weight = weighted ? double(location.weights()->Get(i)) : 1;
    nodes.push_back({location.nodes()->Get(i), weight});
    all += weight;
  }
  for (auto &[node, share] : nodes)
    share = all > 0 ? share / all : 1 / double(nodes.size());
  return nodes;
}

/// Notes what an instruction of `unit` cost between `start` and `end` (ns).
void Replay::account(const UnitState &unit, uint32_t index, double start,
                     double end, const Cost &cost) {
  latency = std::max(latency, end);
  result.macs += cost.macs;
  result.energy += cost.energy;
  start *= kSecondsPerNs;
  end *= kSecondsPerNs;
  for (auto [node, share] : nodesOf(program, *unit.stream, index)) {
    auto [it, isNew] = layers.try_emplace(node);
    LayerCost &layer = it->second;
    layer.node = node;
    layerKinds[node].insert(unit.unit->kind());
    layer.startSeconds = isNew ? start : std::min(layer.startSeconds, start);
    layer.endSeconds = std::max(layer.endSeconds, end);
    layer.vectors += cost.vectors;
    layer.macs += share * cost.macs;
    layer.microOps += share * cost.operations;
    layer.bytesSent += share * cost.bytesSent;
    layer.busySeconds += share * cost.busy * kSecondsPerNs;
    layer.energy += cost.energy * share;
  }
}

/// What depends on the latency, on all resources or on the chip alone.
void Replay::finish() {
  result.latencySeconds = latency * kSecondsPerNs;
  result.chips = chip.chips();
  result.areaMm2 = chip.area_mm2() * chip.chips();
  result.energy.passive =
      chip.passive_power_w() * chip.chips() * result.latencySeconds;
  for (const UnitState &unit : units)
    if (unit.active)
      result.energy.digital +=
          unit.kind->active_power_w() * result.latencySeconds;

  Calendar together; // arrays that work at the same time count once
  for (uint32_t r = 0; r < calendars.size(); ++r) {
    double busy = calendars[r].busy() * kSecondsPerNs;
    result.resources[r].busySeconds = busy;
    if (busy > result.intervalSeconds) {
      result.intervalSeconds = busy;
      result.busiest = r;
    }
    if (arrayResources.count(r))
      for (auto [start, end] : calendars[r].intervals())
        together.book(start, end - start);
  }
  for (auto [start, end] : together.intervals())
    result.arraySeconds += (end - start) * kSecondsPerNs;

  for (const fb::UnitKind *kind : *chip.kinds())
    if (const fb::Arrays *arrays = kind->arrays();
        arrays && !arrays->unlimited() && !kind->unlimited())
      result.arraysAvailable += uint64_t(arrays->per_unit()) * arrays->tiers() *
                                kind->count() * chip.chips();
  result.arraysUsed = program.arrays() ? program.arrays()->size() : 0;
  for (uint32_t i = 0; i < result.arraysUsed; ++i) {
    const fb::Array &array = *program.arrays()->Get(i);
    const fb::Bank &bank = *program.banks()->Get(array.bank());
    auto extent = [](const flatbuffers::Vector<uint64_t> &splits, uint32_t b) {
      return double(splits.Get(b + 1) - splits.Get(b));
    };
    result.cellsUsed += extent(*bank.row_splits(), array.row_block()) *
                        extent(*bank.col_splits(), array.col_block());
    const fb::Unit &unit = *program.units()->Get(array.unit());
    if (const fb::Arrays *arrays = chip.kinds()->Get(unit.kind())->arrays())
      result.cells += double(arrays->rows()) * double(arrays->cols());
    if (auto it = layers.find(bank.node()); it != layers.end())
      ++it->second.arrays;
  }

  for (auto &[node, layer] : layers) {
    for (uint32_t kind : layerKinds[node])
      layer.unitKind += (layer.unitKind.empty() ? "" : ", ") +
                        chip.kinds()->Get(kind)->name()->str();
    result.layers.push_back(std::move(layer));
  }
  // By node where they start together, as `layers` is in that order.
  std::sort(result.layers.begin(), result.layers.end(),
            [](const LayerCost &a, const LayerCost &b) {
              return std::pair(a.startSeconds, a.node) <
                     std::pair(b.startSeconds, b.node);
            });
}

TimelineResult mho::rt::runTimeline(const LoadedProgram &program,
                                    uint32_t entry,
                                    const TimelineSettings &settings) {
  return Replay(program, entry, settings).run();
}
