//===- Executor.h - runs a program's streams on values
//----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Units form a Kahn network: each runs until it finds a channel empty, so what
// is computed does not depend on the order in which they are visited. Samples
// run in groups; an instruction is applied to the whole group before the next.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_EXECUTOR_H
#define MHO_RUNTIME_EXECUTOR_H

#include "InPlaceInputs.h"
#include "Kernel/Kernel.h"
#include "Undefined.h"
#include "mho/Runtime/Decisions.h"

#include "mho/Runtime/LoadedProgram.h"
#include "mho/Runtime/Mvm.h"

#include <memory>
#include <span>

namespace mho::rt {

/// One run of the program: its inputs and outputs.
struct Sample {
  /// Where to note how control flow goes; may be null.
  Decisions *decisions = nullptr;
  std::byte *io = nullptr;
  /// Per input of the entry: where the caller holds it; null: in `io`.
  std::vector<const std::byte *> inputs;
  /// Actual extents of bounded inputs on the way in: slot of unit 0, value.
  std::vector<std::pair<uint32_t, int64_t>> extents;
  /// Slots of unit 0 when the run is over.
  std::vector<int64_t> slots;
};

class MemoryPool;

/// An entry point made ready to run; immutable, shared by threads.
class Executor {
public:
  Executor(std::shared_ptr<const LoadedProgram> program, uint32_t entry);
  ~Executor();

  /// Samples that run in one group when `samples` are waiting.
  size_t groupSize(size_t samples, unsigned threads) const;

  /// Whether input `number` of the entry may be read where the caller holds it.
  bool readsInPlace(size_t number) const { return inPlace.may(number); }

  /// Runs one group. `first` is the number of its first sample in the run.
  Status run(std::span<Sample> group, uint64_t first, ArrayBank &arrays,
             ThreadPool &pool, Observer *observer) const;

  struct Prepared;

private:
  friend class GroupRun;
  void estimateTraffic();
  void lookAtStreams();
  void findInPlace(const StreamContext &context);

  std::shared_ptr<const LoadedProgram> program;
  uint32_t entryNumber;
  std::vector<Prepared> codes; ///< by fb code index
  /// Of each unit: scratch that has to be zero when it begins.
  std::vector<std::vector<ByteRange>> cleared;
  InPlaceInputs inPlace;
  bool dataDependent = false; ///< control flow depends on values
  size_t bytesPerSample = 0;
  /// Bytes that a sample run alone moves: weights, and values between
  /// instructions.
  double weightTraffic = 0, valueTraffic = 0;
  std::unique_ptr<MemoryPool> memory; ///< of units that have ended
};

} // namespace mho::rt

#endif // MHO_RUNTIME_EXECUTOR_H
