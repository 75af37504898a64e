//===- Mvm.h - the arrays of a program, programmed and read ------------- ===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_MVM_H
#define MHO_RUNTIME_MVM_H

#include "mho/Program/Instructions.h"
#include "mho/Runtime/LoadedProgram.h"
#include "mho/Runtime/Observer.h"
#include "mho/Runtime/Settings.h"
#include "mho/Runtime/ThreadPool.h"

#include <cstdint>
#include <memory>
#include <span>

namespace mho::rt {

/// What the executions of one instruction of one stream have in common; any
/// number of threads may use it.
class MvmCache {
public:
  MvmCache();
  ~MvmCache();
  struct State;
  State &operator*() const { return *state; }

private:
  std::unique_ptr<State> state;
};

/// One `mvm` instruction applied to a group of samples.
struct MvmCall {
  const isa::Mvm *instruction = nullptr;
  /// Number of the array in the program's table (base already added).
  uint32_t array = 0;
  /// Byte address of offset 0 of the access's space, one per sample, and the
  /// same for the output.
  std::span<const std::byte *const> inputs;
  std::span<std::byte *const> outputs;
  /// Extents with slots resolved, one per dimension.
  std::span<const int64_t> counts, inner;
  /// Slot terms of the two accesses, resolved, in elements, per sample (empty
  /// where the access has none).
  std::span<const int64_t> inputShift, outputShift;
  /// Number of the first sample among all of this run (key of read noise).
  uint64_t firstSample = 0;
  /// How often this sample has executed this instruction before (loops).
  uint64_t repetition = 0;
  /// Belongs to `instruction`; null where it will not run again.
  MvmCache *cache = nullptr;
};

/// The effective arrays of one instance: programmed, drifted, ready to read.
/// Holds no device state, only what a read needs.
class ArrayBank {
public:
  /// Programs every array that `program` uses (in parallel over arrays).
  /// Fails where quantization is asked for and an array has no ranges.
  static Expected<std::unique_ptr<ArrayBank>>
  program(std::shared_ptr<const LoadedProgram> program,
          const NoiseSettings &noise, uint32_t instance, ThreadPool &pool);

  /// Executes one instruction. The result of a sample does not depend on the
  /// other samples of the call nor on the number of threads. In ideal mode
  /// `observer`, where there is one, sees inputs and column results.
  virtual void run(const MvmCall &call, ThreadPool &pool,
                   Observer *observer) = 0;
  virtual ~ArrayBank() = default;
};

} // namespace mho::rt

#endif // MHO_RUNTIME_MVM_H
