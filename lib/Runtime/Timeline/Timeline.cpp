//===- Timeline.cpp - a program's time and energy
//--------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Adds up what the machine's executions cost, for the whole and by node.
//
//===----------------------------------------------------------------------===//

#include "mho/Runtime/Timeline.h"

#include "Machine.h"

#include <algorithm>
#include <map>
#include <set>

using namespace mho;
using namespace mho::rt;

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

namespace {

class Ledger {
public:
  Ledger(const fb::Program &program, TimelineResult &result)
      : program(program), chip(*program.chip()), result(result),
        unitVectors(program.units()->size()) {}

  void add(const Execution &done);
  /// What depends on the latency, and the order of the layers.
  void close();

private:
  struct Layer {
    LayerCost cost;
    bool timed = false, ofMvm = false;
    std::map<uint32_t, double> vectorsOfArray;
  };
  void addTo(uint32_t node, double share, const Execution &done);
  /// Shares of an instruction's nodes; they add up to 1.
  std::vector<std::pair<uint32_t, double>> nodesOf(uint32_t code,
                                                   uint32_t instruction) const;
  const fb::UnitKind &kindOf(uint32_t unit) const {
    return *chip.kinds()->Get(program.units()->Get(unit)->kind());
  }

  const fb::Program &program;
  const fb::Chip &chip;
  TimelineResult &result;
  std::map<uint32_t, Layer> layers;
  std::set<uint32_t> arrays;
  /// By unit: mvm vectors of each node.
  std::vector<std::map<uint32_t, double>> unitVectors;
};

std::vector<std::pair<uint32_t, double>>
Ledger::nodesOf(uint32_t code, uint32_t instruction) const {
  const auto *table = program.codes()->Get(code)->locations();
  if (!table || instruction >= table->size() || !program.locations() ||
      table->Get(instruction) >= program.locations()->size())
    return {};
  const fb::Location &location =
      *program.locations()->Get(table->Get(instruction));
  if (!location.nodes())
    return {};
  std::vector<std::pair<uint32_t, double>> nodes;
  double all = 0;
  for (uint32_t i = 0; i < location.nodes()->size(); ++i) {
    bool weighted = location.weights() && i < location.weights()->size();
    nodes.push_back({location.nodes()->Get(i),
                     weighted ? double(location.weights()->Get(i)) : 1.0});
    all += nodes.back().second;
  }
  for (auto &[node, share] : nodes)
    share = all > 0 ? share / all : 1.0 / double(nodes.size());
  return nodes;
}

void Ledger::addTo(uint32_t node, double share, const Execution &done) {
  Layer &layer = layers[node];
  LayerCost &cost = layer.cost;
  cost.node = node;
  const Cost &price = done.cost;
  bool isMvm = price.vectors > 0;
  if (cost.unitKind.empty() || (isMvm && !layer.ofMvm)) {
    cost.unitKind = kindOf(done.unit).name()->str();
    layer.ofMvm = isMvm;
  }
  // A node that only lent its name to the kernel does not stretch over it.
  if (share > 0) {
    cost.startSeconds =
        layer.timed ? std::min(cost.startSeconds, done.start) : done.start;
    cost.endSeconds = std::max(cost.endSeconds, done.end);
    layer.timed = true;
  }
  cost.busySeconds += share * (price.busy + price.startup);
  cost.macs += share * price.macs;
  cost.microOps += share * price.microOps;
  cost.bytesSent += share * price.bytesSent;
  cost.energy += price.energy * share;
  if (isMvm) {
    layer.vectorsOfArray[price.array] += double(price.vectors);
    unitVectors[done.unit][node] += share * double(price.vectors);
  }
}

void Ledger::add(const Execution &done) {
  result.energy += done.cost.energy;
  result.macs += done.cost.macs;
  if (done.cost.vectors > 0)
    arrays.insert(done.cost.array);
  auto nodes = nodesOf(done.code, done.instruction);
  for (auto [node, share] : nodes)
    addTo(node, share, done);
}

void Ledger::close() {
  result.energy.passive = chip.passive_power_w() * result.latencySeconds;
  std::set<uint32_t> active;
  for (uint32_t array : arrays) {
    const fb::Array &physical = *program.arrays()->Get(array);
    active.insert(physical.unit());
    result.cellsUsed += double(blockRows(program, physical)) *
                        double(blockColumns(program, physical));
    if (const fb::Arrays *spec = kindOf(physical.unit()).arrays())
      result.cells += double(spec->rows()) * double(spec->cols());
  }
  result.arraysUsed = uint32_t(arrays.size());
  for (uint32_t unit : active) {
    double joules = kindOf(unit).active_power_w() * result.latencySeconds;
    result.energy.digital += joules;
    double all = 0;
    for (auto [node, vectors] : unitVectors[unit])
      all += vectors;
    for (auto [node, vectors] : unitVectors[unit])
      layers[node].cost.energy.digital += joules * vectors / all;
  }
  for (auto &[node, layer] : layers) {
    layer.cost.arrays = uint32_t(layer.vectorsOfArray.size());
    for (auto [array, vectors] : layer.vectorsOfArray)
      layer.cost.vectors = std::max(layer.cost.vectors, uint64_t(vectors));
    result.layers.push_back(std::move(layer.cost));
  }
  std::sort(result.layers.begin(), result.layers.end(),
            [](const LayerCost &a, const LayerCost &b) {
              return std::pair(a.startSeconds, a.node) <
                     std::pair(b.startSeconds, b.node);
            });
}

} // namespace

TimelineResult mho::rt::runTimeline(const LoadedProgram &program,
                                    uint32_t entry) {
  TimelineResult result;
  Machine machine(program, entry);
  Ledger ledger(program.program(), result);
  machine.run([&](const Execution &done) { ledger.add(done); });
  result.latencySeconds = machine.latency;
  // Arrays that work at the same time count once.
  for (auto [start, end] : machine.arrays.intervals())
    result.arraySeconds += end - start;
  result.resources = std::move(machine.costs.resources);
  for (uint32_t r = 0; r < result.resources.size(); ++r)
    if (result.resources[r].busySeconds > result.intervalSeconds) {
      result.intervalSeconds = result.resources[r].busySeconds;
      result.busiest = r;
    }
  result.steps = std::move(machine.steps);
  result.notes = std::move(machine.notes);
  result.notes.insert(result.notes.end(), machine.costs.notes.begin(),
                      machine.costs.notes.end());
  ledger.close();
  return result;
}
