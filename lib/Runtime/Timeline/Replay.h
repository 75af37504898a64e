//===- Replay.h - instruction streams on time -----------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_RUNTIME_TIMELINE_REPLAY_H
#define MHO_LIB_RUNTIME_TIMELINE_REPLAY_H

#include "Calendar.h"
#include "Steps.h"

#include "mho/Runtime/Timeline.h"

#include <array>
#include <deque>
#include <map>
#include <set>
#include <tuple>

namespace mho::rt {

/// Replays one entry point. Units advance in turn, each until it needs a
/// message that is not sent yet; steps are placed in program order, later
/// ones into gaps that earlier ones leave. Times inside are in ns.
class Replay {
public:
  Replay(const LoadedProgram &loaded, uint32_t entry,
         const TimelineSettings &settings);
  TimelineResult run();

private:
  enum class Part { Array, Scaling, Digital, Out, In, Wire };

  struct Frame {
    uint32_t begin = 0, pc = 0, end = 0;
    const isa::Loop *loop = nullptr;
    int64_t trip = 0, trips = 1;
  };

  struct UnitState {
    uint32_t number = 0, code = 0;
    const fb::Unit *unit = nullptr;
    const fb::UnitKind *kind = nullptr;
    const fb::Code *stream = nullptr;
    const std::vector<isa::Instruction> *list = nullptr;
    /// Does one fixed operation per lane and cycle, however many micro-ops
    /// say it.
    bool fixedFunction = false;
    std::vector<Frame> frames;
    std::vector<SlotRange> declared, slots;
    std::array<MemoryTimes, 4> memory;
    double gate = 0; ///< when the last condition is known
    size_t decided = 0;
    bool active = false; ///< did arithmetic
  };

  /// What has been sent: elements up to `elements` are there at `arrival`.
  struct Piece {
    double elements = 0, arrival = 0;
  };
  using Message = std::vector<Piece>;

  /// What steps of one instruction cost, all together.
  struct Cost {
    double busy = 0, vectors = 0, macs = 0, operations = 0, bytesSent = 0;
    Energy energy;
  };

  bool advance(UnitState &unit);
  void enter(UnitState &unit, const isa::Loop &loop);
  bool execute(UnitState &unit, uint32_t index);
  void branch(UnitState &unit, const isa::Branch &branch);
  void mvm(UnitState &unit, uint32_t index, const isa::Mvm &op);
  void digital(UnitState &unit, uint32_t index,
               const isa::Instruction &instruction);
  void send(UnitState &unit, uint32_t index, const isa::Send &op);
  void recv(UnitState &unit, uint32_t index, const isa::Recv &op);

  int64_t decide(UnitState &unit, int64_t otherwise);
  int64_t resolve(UnitState &unit, const isa::Extent &extent, double &ready);
  static double slotReady(const UnitState &unit, uint32_t slot);
  /// When step [begin, end) of `cut` has what it reads and may write.
  double readyTime(const UnitState &unit, const Stream &stream, const Cut &cut,
                   int64_t step) const;
  void commitReads(UnitState &unit, const Stream &stream, const Cut &cut,
                   const std::vector<double> &ends);
  void commitWrites(UnitState &unit, const Stream &stream, const Cut &cut,
                    const std::vector<double> &ends);
  void forgetSlots(UnitState &unit, const isa::Access &access);

  uint32_t resource(Part part, const UnitState &owner, uint32_t number);
  /// Takes a resource; gives the step's end.
  double place(uint32_t resource, const UnitState &unit, uint32_t index,
               double ready, double duration);
  void account(const UnitState &unit, uint32_t index, double start, double end,
               const Cost &cost);
  const fb::Link *linkOf(const UnitState &from, const fb::Unit &to);
  void noteOnce(const std::string &note);
  void finish();

  const LoadedProgram &loaded;
  const fb::Program &program;
  const fb::Chip &chip;
  const TimelineSettings &settings;
  std::vector<UnitState> units;
  std::map<uint32_t, std::deque<Message>> messages; ///< by channel
  std::map<std::tuple<Part, uint32_t, uint32_t>, uint32_t> numbers;
  std::vector<Calendar> calendars;
  std::set<uint32_t> arrayResources;
  std::map<uint32_t, LayerCost> layers;
  std::map<uint32_t, std::set<uint32_t>> layerKinds;
  double latency = 0;
  TimelineResult result;
};

} // namespace mho::rt

#endif // MHO_LIB_RUNTIME_TIMELINE_REPLAY_H
