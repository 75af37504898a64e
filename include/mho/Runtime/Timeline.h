//===- Timeline.h - a program's time and energy ---------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The instruction streams that the executor runs on values, run on time. An
// instruction over n points is a stream of steps; a step starts when what it
// reads is there, when what it overwrites is no longer needed and when its
// resource is free. Energy follows from the counts alone, save what flows over
// the latency. Seconds, joules, mm².
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_TIMELINE_H
#define MHO_RUNTIME_TIMELINE_H

#include "mho/Runtime/Decisions.h"
#include "mho/Runtime/LoadedProgram.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mho::rt {

struct TimelineSettings {
  /// Steps of one instruction at most.
  unsigned maxSteps = 64;
  /// Keeps every step, for perfettoTrace.
  bool trace = false;
  const Decisions *decisions = nullptr;
};

/// Joules by component, for one run.
struct Energy {
  double mvm = 0;
  double converters = 0; ///< 0 where the chip's figure for arrays holds them
  double digital = 0;
  double communication = 0;
  double memory = 0;
  double passive = 0;

  double total() const {
    return mvm + converters + digital + communication + memory + passive;
  }
  Energy &operator+=(const Energy &other);
  Energy operator*(double share) const;
};

/// What one node of the model costs. A fused kernel's cost is divided by its
/// micro-ops' nodes.
struct LayerCost {
  uint32_t node = 0;       ///< index into the program's nodes
  std::string unitKind;    ///< "core", or several: "core, host"
  uint32_t arrays = 0;     ///< that hold its weights
  double vectors = 0;      ///< input vectors of its whole matrix
  double macs = 0;         ///< analog, without padding
  double microOps = 0;     ///< of digital units
  double bytesSent = 0;    ///< over links
  double startSeconds = 0; ///< of its first step
  double endSeconds = 0;   ///< of its last step
  double busySeconds = 0;  ///< of resources, added up
  Energy energy;           ///< without what flows over the latency
};

/// Something that one step at a time may use.
struct Resource {
  std::string name; ///< "core 3 array 3", "host 0 digital"
  uint32_t unit = 0;
  double busySeconds = 0;
};

/// One step on a resource, for traces.
struct Step {
  uint32_t resource = 0;
  uint32_t code = 0;        ///< index into the program's codes
  uint32_t instruction = 0; ///< in decoded order
  double startSeconds = 0;
  double endSeconds = 0;
};

struct TimelineResult {
  double latencySeconds = 0;
  /// Busy time of the busiest resource: how soon a next run could follow.
  double intervalSeconds = 0;
  uint32_t busiest = 0; ///< index into resources
  Energy energy;
  double macs = 0; ///< analog, without padding

  /// Time in which at least one array works.
  double arraySeconds = 0;
  uint32_t arraysUsed = 0;
  uint64_t arraysAvailable = 0;
  double cellsUsed = 0; ///< weights held, without padding
  double cells = 0;     ///< of the arrays used
  uint32_t chips = 1;
  double areaMm2 = 0;

  std::vector<LayerCost> layers; ///< in order of their first step
  std::vector<Resource> resources;
  std::vector<Step> steps; ///< with TimelineSettings::trace
  uint64_t events = 0;     ///< steps that were placed
  /// What the figures leave out or assume, for the user.
  std::vector<std::string> notes;

  double throughput() const;       ///< runs per second
  double tops() const;             ///< two operations per MAC, over the latency
  double topsPerWatt() const;      ///< over the total energy
  double arrayTops() const;        ///< over the arrays' window
  double arrayTopsPerWatt() const; ///< over mvm and converters
};

/// Runs entry point `entry` of a program on time, once.
TimelineResult runTimeline(const LoadedProgram &program, uint32_t entry = 0,
                           const TimelineSettings &settings = {});

/// The steps as a trace for Perfetto or chrome://tracing (JSON).
std::string perfettoTrace(const LoadedProgram &program,
                          const TimelineResult &timeline);

} // namespace mho::rt

#endif // MHO_RUNTIME_TIMELINE_H
