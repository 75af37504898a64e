//===- Timeline.h - a program's time and energy
//----------------------------===//
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
// the latency.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_TIMELINE_H
#define MHO_RUNTIME_TIMELINE_H

#include "mho/Runtime/LoadedProgram.h"

#include <cstdint>
#include <string>
#include <vector>

namespace mho::rt {

/// Joules by component, for one run.
struct Energy {
  double mvm = 0;
  double converters = 0;
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
  uint32_t node = 0; ///< index into the program's nodes
  std::string unitKind;
  uint32_t arrays = 0;
  uint64_t vectors = 0;    ///< largest number of vectors one array took
  double macs = 0;         ///< analog, without padding
  double microOps = 0;     ///< of digital units
  double bytesSent = 0;    ///< over links
  double startSeconds = 0; ///< of its first step
  double endSeconds = 0;   ///< of its last step
  double busySeconds = 0;  ///< of resources, added up
  Energy energy;
};

/// Something that one step at a time may use.
struct Resource {
  std::string name; ///< "core3 array 0", "host0 digital", "host0 link off_chip"
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
  double cellsUsed = 0; ///< weights held, without padding
  double cells = 0;     ///< of the arrays used

  std::vector<LayerCost> layers; ///< in order of their first step
  std::vector<Resource> resources;
  std::vector<Step> steps;
  /// What the figures leave out or assume, for the user.
  std::vector<std::string> notes;
};

/// Runs entry point `entry` of a program on time, once. Extents and conditions
/// known only at run time count with their bound and as true.
TimelineResult runTimeline(const LoadedProgram &program, uint32_t entry = 0);

/// The steps as a trace for Perfetto or chrome://tracing (JSON).
std::string perfettoTrace(const LoadedProgram &program,
                          const TimelineResult &timeline);

} // namespace mho::rt

#endif // MHO_RUNTIME_TIMELINE_H
