//===- Trace.cpp - the steps for Perfetto ---------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Runtime/Timeline.h"

#include <nlohmann/json.hpp>

#include <set>

using namespace mho;
using namespace mho::rt;
using Json = nlohmann::ordered_json;

/// The ONNX nodes that an instruction was made from: "Conv_0", "Add_1 +2".
static std::string nodeNames(const fb::Program &program, const Step &step) {
  const auto *locations = program.codes()->Get(step.code)->locations();
  if (!locations || step.instruction >= locations->size() ||
      !program.locations() || !program.nodes() ||
      locations->Get(step.instruction) >= program.locations()->size())
    return "";
  const fb::Location &location =
      *program.locations()->Get(locations->Get(step.instruction));
  if (!location.nodes() || !location.nodes()->size() ||
      location.nodes()->Get(0) >= program.nodes()->size())
    return "";
  const fb::Node &first = *program.nodes()->Get(location.nodes()->Get(0));
  std::string name = first.name() ? first.name()->str() : "";
  if (location.nodes()->size() > 1)
    name += " +" + std::to_string(location.nodes()->size() - 1);
  return name;
}

std::string rt::perfettoTrace(const LoadedProgram &loaded,
                              const TimelineResult &timeline) {
  const fb::Program &program = loaded.program();
  Json events = Json::array();
  std::set<uint32_t> units;
  for (size_t i = 0; i < timeline.resources.size(); ++i) {
    const Resource &resource = timeline.resources[i];
    if (units.insert(resource.unit).second) {
      const fb::Unit &unit = *program.units()->Get(resource.unit);
      const auto *kind = loaded.chip().kinds()->Get(unit.kind())->name();
      events.push_back({{"name", "process_name"},
                        {"ph", "M"},
                        {"pid", resource.unit},
                        {"args",
                         {{"name", (kind ? kind->str() : std::string()) + " " +
                                       std::to_string(unit.index())}}}});
    }
    events.push_back({{"name", "thread_name"},
                      {"ph", "M"},
                      {"pid", resource.unit},
                      {"tid", i},
                      {"args", {{"name", resource.name}}}});
  }
  for (const Step &step : timeline.steps) {
    const isa::Instruction &instruction =
        loaded.codes[step.code][step.instruction];
    std::string what = isa::mnemonic(instruction);
    std::string node = nodeNames(program, step);
    events.push_back({{"name", node.empty() ? what : node},
                      {"cat", what},
                      {"ph", "X"},
                      {"pid", timeline.resources[step.resource].unit},
                      {"tid", step.resource},
                      {"ts", step.startSeconds * 1e6},
                      {"dur", (step.endSeconds - step.startSeconds) * 1e6},
                      {"args", {{"instruction", step.instruction}}}});
  }
  Json trace;
  trace["displayTimeUnit"] = "ns";
  trace["traceEvents"] = std::move(events);
  return trace.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}
