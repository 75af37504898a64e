//===- GroupRun.h - the state of one group of samples
//-----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_GROUPRUN_H
#define MHO_RUNTIME_GROUPRUN_H

#include "Prepared.h"

#include <deque>
#include <mutex>

namespace mho::rt {

/// Bytes at a multiple of 64.
class AlignedBytes {
public:
  AlignedBytes() = default;
  explicit AlignedBytes(size_t bytes);
  std::byte *data() const { return memory.get(); }
  size_t size() const { return capacity; }

private:
  struct Free {
    void operator()(std::byte *bytes) const { std::free(bytes); }
  };
  std::unique_ptr<std::byte, Free> memory;
  size_t capacity = 0;
};

/// Memory that runs hand on to each other: fresh pages cost more than zeroing
/// ones that are still in the cache.
class MemoryPool {
public:
  AlignedBytes take(size_t bytes);
  void give(AlignedBytes bytes);

private:
  std::mutex lock;
  std::vector<AlignedBytes> free;
};

/// One message of every sample of the group, one after the other.
struct Message {
  AlignedBytes bytes;
  size_t perSample = 0;
};

/// Where a unit is in its stream, and what it remembers.
struct UnitState {
  const fb::Unit *unit = nullptr;
  const fb::Code *code = nullptr;
  uint32_t codeNumber = kIdle;
  const std::vector<isa::Instruction> *list = nullptr;
  const Executor::Prepared *prepared = nullptr;

  /// An open body: the loop it belongs to (a branch's has none to repeat).
  struct Frame {
    uint32_t instruction, end;
    int64_t trip, trips;
    uint32_t resume;     ///< where to go on behind a body that does not repeat
    size_t decision = 0; ///< where the trips of a loop with a condition go
  };
  uint32_t next = 0;
  std::vector<Frame> frames;
  bool finished = false;

  AlignedBytes scratch;
  size_t scratchStride = 0;
  size_t slotCount = 0;
  std::vector<int64_t> slots;        ///< samples × slotCount
  std::vector<uint64_t> repetitions; ///< per instruction
};

class GroupRun {
public:
  GroupRun(const Executor &executor, std::span<Sample> group, uint64_t first,
           ArrayBank &arrays, ThreadPool &pool, Observer *observer);
  Status run();

private:
  using Extents = std::vector<int64_t>;

  void start(uint32_t unit);
  void giveMemory(UnitState &unit);
  /// Runs a unit until it ends or waits; whether it did anything.
  bool advance(UnitState &unit);
  bool closeBodies(UnitState &unit);
  /// False: it waits for a message.
  bool execute(UnitState &unit, uint32_t index);

  bool step(UnitState &unit, uint32_t index, const isa::Mvm &op);
  bool step(UnitState &unit, uint32_t index, const isa::Kernel &op);
  bool step(UnitState &unit, uint32_t index, const isa::Contract &op);
  bool step(UnitState &unit, uint32_t index, const isa::Copy &op);
  bool step(UnitState &unit, uint32_t index, const isa::Send &op);
  bool step(UnitState &unit, uint32_t index, const isa::Recv &op);
  bool step(UnitState &unit, uint32_t index, const isa::Loop &op);
  bool step(UnitState &unit, uint32_t index, const isa::Branch &op);
  bool step(UnitState &unit, uint32_t index, const isa::Sort &op);
  bool step(UnitState &unit, uint32_t index, const isa::Scatter &op);
  bool step(UnitState &unit, uint32_t index, const isa::Compact &op);
  bool step(UnitState &unit, uint32_t index, const isa::End &op);

  int64_t *slotsOf(UnitState &unit, size_t sample) const {
    return const_cast<int64_t *>(unit.slots.data()) + sample * unit.slotCount;
  }
  /// Address of offset 0 of a space.
  std::byte *base(UnitState &unit, size_t sample,
                  const isa::Access &access) const;
  /// Address of an access's point 0, slot terms included.
  std::byte *address(UnitState &unit, size_t sample,
                     const isa::Access &access) const;
  int64_t shift(UnitState &unit, size_t sample,
                const isa::Access &access) const;
  Extents resolve(UnitState &unit, size_t sample,
                  const std::vector<isa::Extent> &dims) const;
  void resolve(UnitState &unit, size_t sample,
               const std::vector<isa::Extent> &dims,
               std::span<int64_t> extents) const;
  int64_t resolve(UnitState &unit, size_t sample,
                  const isa::Extent &extent) const;
  /// Calls body for every sample, on several threads where there are several
  /// samples; a lone sample gets the pool to split its own work.
  template <typename Body>
  void forEachSample(UnitState &unit, uint32_t index, const Body &body);
  /// Notes what extents of the instruction turn out to be.
  void noteExtents(UnitState &unit, uint32_t index);
  /// Notes a number; gives its place in the list.
  size_t note(UnitState &unit, int64_t decision);

  void fail(UnitState &unit, uint32_t index, const Status &status);
  void checkSlots(UnitState &unit, uint32_t index);
  Status runKernel(UnitState &unit, size_t sample, const isa::Kernel &op,
                   const PreparedKernel &kernel, std::byte *write,
                   ThreadPool *pool);

  const Executor &executor;
  const fb::Program &program;
  std::span<Sample> group;
  uint64_t first;
  ArrayBank &arrays;
  ThreadPool &pool;
  Observer *observer;
  Decisions *decisions;
  std::vector<UnitState> units;
  std::vector<std::deque<Message>> channels;
  Status error;
};

/// Reads, sorts, scatters of one sample; see ISA.md for their meaning.
Status runContract(const isa::Contract &op, std::span<const int64_t> extents,
                   const std::byte *lhs, const std::byte *rhs,
                   std::byte *output, ThreadPool *pool);
void runSort(const isa::Sort &op, std::span<const int64_t> extents,
             int64_t count, const std::byte *input, std::byte *values,
             std::byte *indices, ThreadPool *pool);
Status runScatter(const isa::Scatter &op, std::span<const int64_t> extents,
                  std::span<const int64_t> sizes,
                  std::span<const std::byte *const> indices,
                  const std::byte *updates, std::byte *to);
/// The number of non-zero elements.
int64_t runCompact(const isa::Compact &op, std::span<const int64_t> extents,
                   const std::byte *input, std::byte *indices);

} // namespace mho::rt

#endif // MHO_RUNTIME_GROUPRUN_H
