//===- Costs.h - what an instruction takes on a chip
//-----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_RUNTIME_TIMELINE_COSTS_H
#define MHO_LIB_RUNTIME_TIMELINE_COSTS_H

#include "Footprint.h"

#include "mho/Runtime/Timeline.h"

#include <map>

namespace mho::rt {

inline constexpr uint32_t kNoResource = ~uint32_t(0);

/// What one instruction takes, all its chunks together. Seconds and joules.
struct Cost {
  /// Held in turn by the chunks; `second` together with it.
  uint32_t resource = kNoResource, second = kNoResource;
  double busy = 0, secondBusy = 0;
  double startup = 0; ///< on the resource, before the first chunk
  double tail = 0;    ///< from the resource's release to the chunk's end

  /// An mvm: each vector holds the array for `vectorTime`, then the logic
  /// behind its ADC for `postTime`, which the next vector's MVM overlaps.
  uint64_t vectors = 0;
  uint32_t array = 0; ///< index into the program's arrays
  double vectorTime = 0, postTime = 0;

  double macs = 0, microOps = 0, bytesSent = 0;
  Energy energy;
};

/// Prices instructions by the chip's numbers. Figures that depend on the
/// latency (active and passive power) are not in here.
class CostModel {
public:
  explicit CostModel(const fb::Program &program);

  Cost priceOf(uint32_t unit, const isa::Instruction &instruction,
               const Chunking &cut);
  /// The extents along which an instruction is cut.
  static std::vector<isa::Extent> dimsOf(const isa::Instruction &instruction);

  /// Those that were asked for.
  std::vector<Resource> resources;
  std::vector<std::string> notes;

private:
  uint32_t resourceNamed(uint32_t unit, const std::string &name);
  Cost price(uint32_t unit, const isa::Mvm &op, const Chunking &cut);
  Cost priceOfSend(uint32_t unit, const isa::Send &op, const Chunking &cut);
  Cost priceOfWork(uint32_t unit, double operations, double elements,
                   double bytes);
  void noteOnce(const std::string &note);

  const fb::Program &program;
  const fb::Chip &chip;
  std::map<std::pair<uint32_t, std::string>, uint32_t> numbers;
};

/// Columns of a physical array's block, without padding; rows likewise.
uint64_t blockRows(const fb::Program &program, const fb::Array &array);
uint64_t blockColumns(const fb::Program &program, const fb::Array &array);

} // namespace mho::rt

#endif // MHO_LIB_RUNTIME_TIMELINE_COSTS_H
