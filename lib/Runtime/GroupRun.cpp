//===- GroupRun.cpp - the units of one group of samples
//---------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GroupRun.h"

#include "SmallArray.h"
#include "Verifier.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <type_traits>

using namespace mho;
using namespace mho::rt;
using namespace mho::isa;

AlignedBytes::AlignedBytes(size_t bytes) {
  size_t rounded = (std::max<size_t>(bytes, 1) + 63) / 64 * 64;
  memory.reset(static_cast<std::byte *>(std::aligned_alloc(64, rounded)));
  if (!memory)
    throw std::bad_alloc();
  capacity = rounded;
}

AlignedBytes MemoryPool::take(size_t bytes) {
  {
    // The latest that is large enough, but no giant for a dwarf.
    std::lock_guard<std::mutex> guard(lock);
    for (size_t i = free.size(); i-- > 0;)
      if (free[i].size() >= bytes && free[i].size() / 4 <= bytes) {
        AlignedBytes found = std::move(free[i]);
        free.erase(free.begin() + int64_t(i));
        return found;
      }
  }
  return AlignedBytes(bytes);
}

void MemoryPool::give(AlignedBytes bytes) {
  constexpr size_t most = 64;
  std::lock_guard<std::mutex> guard(lock);
  if (free.size() == most)
    free.erase(free.begin());
  free.push_back(std::move(bytes));
}

GroupRun::GroupRun(const Executor &executor, std::span<Sample> group,
                   uint64_t first, ArrayBank &arrays, ThreadPool &pool,
                   Observer *observer)
    : executor(executor), program(executor.program->program()), group(group),
      first(first), arrays(arrays), pool(pool), observer(observer),
      decisions(group.front().decisions), units(program.units()->size()),
      channels(program.channels() ? program.channels()->size() : 0) {
  if (decisions)
    decisions->units.resize(units.size());
  for (uint32_t unit = 0; unit < units.size(); ++unit)
    start(unit);
}

void GroupRun::start(uint32_t number) {
  UnitState &unit = units[number];
  const fb::Entry &entry = *program.entries()->Get(executor.entryNumber);
  unit.unit = program.units()->Get(number);
  unit.codeNumber = entry.codes()->Get(number);
  if (unit.codeNumber == kIdle) {
    unit.finished = true;
    return;
  }
  unit.code = program.codes()->Get(unit.codeNumber);
  unit.list = &executor.program->codes[unit.codeNumber];
  unit.prepared = &executor.codes[unit.codeNumber];
  unit.repetitions.resize(unit.list->size());
  unit.scratchStride = (unit.code->scratch_bytes() + 63) / 64 * 64;
  unit.slotCount = unit.code->slots() ? unit.code->slots()->size() : 0;
  for (size_t sample = 0; sample < group.size(); ++sample)
    for (uint32_t slot = 0; slot < unit.slotCount; ++slot)
      unit.slots.push_back(unit.code->slots()->Get(slot)->initial());
  if (number == 0)
    for (size_t sample = 0; sample < group.size(); ++sample)
      for (auto [slot, value] : group[sample].extents)
        slotsOf(unit, sample)[slot] = value;
}

Status GroupRun::run() {
  for (;;) {
    bool progress = false, finished = true;
    for (UnitState &unit : units) {
      progress |= !unit.finished && advance(unit);
      if (!error.ok())
        return std::move(error);
      finished &= unit.finished;
      if (unit.finished && unit.scratch.data())
        executor.memory->give(std::move(unit.scratch));
    }
    if (finished)
      break;
    if (progress)
      continue;
    for (uint32_t number = 0; number < units.size(); ++number)
      if (!units[number].finished)
        return failure("the program waits forever: no message arrives at " +
                       describeInstruction(*executor.program, number,
                                           units[number].codeNumber,
                                           units[number].next));
  }
  for (size_t sample = 0; sample < group.size(); ++sample)
    if (units[0].slotCount)
      group[sample].slots.assign(slotsOf(units[0], sample),
                                 slotsOf(units[0], sample) +
                                     units[0].slotCount);
  return success();
}

/// Memory for a unit that begins; what another one has just given back is
/// still in the cache.
void GroupRun::giveMemory(UnitState &unit) {
  unit.scratch = executor.memory->take(unit.scratchStride * group.size());
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
  // Whatever is wrongly held for written shows.
  std::memset(unit.scratch.data(), 0xff, unit.scratchStride * group.size());
#endif
#endif
  for (size_t sample = 0; sample < group.size(); ++sample)
    for (ByteRange range : executor.cleared[size_t(&unit - units.data())])
      std::memset(unit.scratch.data() + sample * unit.scratchStride +
                      range.begin,
                  0, size_t(range.end - range.begin));
}

bool GroupRun::advance(UnitState &unit) {
  if (!unit.scratch.data())
    giveMemory(unit);
  bool progress = false;
  for (;;) {
    progress |= closeBodies(unit);
    if (unit.next >= unit.list->size()) {
      unit.finished = true;
      return true;
    }
    uint32_t index = unit.next++;
    if (!execute(unit, index)) {
      unit.next = index;
      return progress;
    }
    if (!error.ok())
      return true;
    ++unit.repetitions[index];
    progress = true;
    if (unit.finished)
      return true;
  }
}

/// At the end of a body: the next trip, or on behind it.
bool GroupRun::closeBodies(UnitState &unit) {
  bool moved = false;
  while (!unit.frames.empty() && unit.next == unit.frames.back().end) {
    UnitState::Frame &frame = unit.frames.back();
    moved = true;
    const auto *loop = std::get_if<Loop>(&(*unit.list)[frame.instruction]);
    bool again = loop && ++frame.trip < frame.trips;
    if (again && loop->condition != kNoSlot)
      again = slotsOf(unit, 0)[loop->condition] != 0;
    if (again) {
      for (size_t sample = 0; sample < group.size(); ++sample)
        slotsOf(unit, sample)[loop->index] = frame.trip;
      unit.next = loop->body.begin;
      // An empty body repeats nothing that anyone could see.
      if (loop->body.begin == loop->body.end)
        frame.trip = frame.trips;
      continue;
    }
    if (decisions && loop && loop->condition != kNoSlot)
      decisions->units[size_t(&unit - units.data())][frame.decision] =
          std::min(frame.trip, frame.trips);
    unit.next = frame.resume;
    unit.frames.pop_back();
  }
  return moved;
}

bool GroupRun::execute(UnitState &unit, uint32_t index) {
  size_t noted = 0;
  if (decisions) {
    noted = decisions->units[size_t(&unit - units.data())].size();
    noteExtents(unit, index);
  }
  bool done = std::visit([&](const auto &op) { return step(unit, index, op); },
                         (*unit.list)[index]);
  if (!done && decisions)
    decisions->units[size_t(&unit - units.data())].resize(noted);
  if (done && unit.prepared->instructions[index].writesSlots())
    checkSlots(unit, index);
  return done;
}

size_t GroupRun::note(UnitState &unit, int64_t decision) {
  if (!decisions)
    return 0;
  std::vector<int64_t> &list = decisions->units[size_t(&unit - units.data())];
  list.push_back(decision);
  return list.size() - 1;
}

void GroupRun::noteExtents(UnitState &unit, uint32_t index) {
  auto noteOne = [&](const Extent &extent) {
    if (extent.slot != kNoSlot)
      note(unit, resolve(unit, 0, extent));
  };
  std::visit(
      [&](const auto &op) {
        forEachField(op, [&](const char *, const auto &field) {
          using Field = std::decay_t<decltype(field)>;
          if constexpr (std::is_same_v<Field, Extent>)
            noteOne(field);
          else if constexpr (std::is_same_v<Field, std::vector<Extent>>)
            for (const Extent &extent : field)
              noteOne(extent);
        });
      },
      (*unit.list)[index]);
}

//===----------------------------------------------------------------------===//
// Addresses
//===----------------------------------------------------------------------===//

std::byte *GroupRun::base(UnitState &unit, size_t sample,
                          const Access &access) const {
  switch (access.space) {
  case Space::Scratch:
    return unit.scratch.data() + sample * unit.scratchStride;
  case Space::Const:
    return const_cast<std::byte *>(executor.program->file->constants().data()) +
           unit.unit->const_base();
  case Space::Io: {
    const Sample &own = group[sample];
    int input = own.inputs.empty() ? -1 : executor.inPlace.numberOf(access);
    // Only reads have the number of an input.
    if (input >= 0 && own.inputs[size_t(input)])
      return const_cast<std::byte *>(own.inputs[size_t(input)]) -
             executor.inPlace.offsetOf(size_t(input));
    return own.io;
  }
  case Space::Slot:
    break;
  }
  return reinterpret_cast<std::byte *>(slotsOf(unit, sample));
}

int64_t GroupRun::shift(UnitState &unit, size_t sample,
                        const Access &access) const {
  int64_t sum = 0;
  for (const SlotTerm &term : access.slots)
    sum += term.stride * slotsOf(unit, sample)[term.slot];
  return sum;
}

std::byte *GroupRun::address(UnitState &unit, size_t sample,
                             const Access &access) const {
  return base(unit, sample, access) + access.offset +
         shift(unit, sample, access) * int64_t(sizeOf(access.type));
}

int64_t GroupRun::resolve(UnitState &unit, size_t sample,
                          const Extent &extent) const {
  return extent.slot == kNoSlot ? extent.max
                                : slotsOf(unit, sample)[extent.slot];
}

void GroupRun::resolve(UnitState &unit, size_t sample,
                       const std::vector<Extent> &dims,
                       std::span<int64_t> extents) const {
  for (size_t d = 0; d < dims.size(); ++d)
    extents[d] = resolve(unit, sample, dims[d]);
}

GroupRun::Extents GroupRun::resolve(UnitState &unit, size_t sample,
                                    const std::vector<Extent> &dims) const {
  Extents extents(dims.size());
  resolve(unit, sample, dims, extents);
  return extents;
}

void GroupRun::fail(UnitState &unit, uint32_t index, const Status &status) {
  if (error.ok())
    error = Status(status).within(
        describeInstruction(*executor.program, uint32_t(&unit - units.data()),
                            unit.codeNumber, index));
}

void GroupRun::checkSlots(UnitState &unit, uint32_t index) {
  const PreparedInstruction &prepared = unit.prepared->instructions[index];
  for (size_t sample = 0; sample < group.size(); ++sample)
    for (uint32_t slot = prepared.firstSlot; slot < prepared.lastSlot; ++slot) {
      int64_t value = slotsOf(unit, sample)[slot];
      const fb::Slot &range = *unit.code->slots()->Get(slot);
      if (value < range.min() || value > range.max())
        return fail(unit, index,
                    failure("computes the extent or index " +
                            std::to_string(value) + ", declared are " +
                            std::to_string(range.min()) + " to " +
                            std::to_string(range.max())));
    }
}

template <typename Body>
void GroupRun::forEachSample(UnitState &unit, uint32_t index,
                             const Body &body) {
  if (group.size() == 1) {
    if (Status status = body(0, &pool); !status.ok())
      fail(unit, index, status);
    return;
  }
  std::vector<Status> statuses(group.size());
  pool.parallelFor(group.size(), 1, [&](size_t begin, size_t end) {
    for (size_t sample = begin; sample < end; ++sample)
      statuses[sample] = body(sample, nullptr);
  });
  for (const Status &status : statuses)
    if (!status.ok())
      fail(unit, index, status);
}

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

bool GroupRun::step(UnitState &unit, uint32_t index, const Mvm &op) {
  size_t samples = group.size();
  SmallArray<const std::byte *> inputs(samples);
  SmallArray<std::byte *> outputs(samples);
  SmallArray<int64_t> inputShift(op.input.slots.empty() ? 0 : samples);
  SmallArray<int64_t> outputShift(op.output.slots.empty() ? 0 : samples);
  for (size_t sample = 0; sample < samples; ++sample) {
    inputs[sample] = base(unit, sample, op.input);
    outputs[sample] = base(unit, sample, op.output);
    if (inputShift.size())
      inputShift[sample] = shift(unit, sample, op.input);
    if (outputShift.size())
      outputShift[sample] = shift(unit, sample, op.output);
  }
  SmallArray<int64_t, kMaxDims> counts(op.counts.size());
  SmallArray<int64_t, kMaxDims> inner(op.inner.size());
  resolve(unit, 0, op.counts, counts);
  resolve(unit, 0, op.inner, inner);
  MvmCall call;
  call.instruction = &op;
  call.array = unit.unit->arrays()->Get(op.array);
  call.inputs = inputs;
  call.outputs = outputs;
  call.counts = counts;
  call.inner = inner;
  call.inputShift = inputShift;
  call.outputShift = outputShift;
  call.firstSample = first;
  call.repetition = unit.repetitions[index];
  call.cache = unit.prepared->instructions[index].mvm.get();
  arrays.run(call, pool, observer);
  return true;
}

Status GroupRun::runKernel(UnitState &unit, size_t sample, const Kernel &op,
                           const PreparedKernel &kernel, std::byte *write,
                           ThreadPool *threads) {
  SmallArray<const std::byte *> reads(op.reads.size());
  SmallArray<const std::byte *> tables(op.body.tables.size());
  SmallArray<std::byte *> writes(op.writes.size());
  SmallArray<int64_t, kMaxDims> extents(op.dims.size());
  for (size_t i = 0; i < op.reads.size(); ++i)
    reads[i] = address(unit, sample, op.reads[i]);
  for (size_t i = 0; i < op.writes.size(); ++i)
    writes[i] = write ? write : address(unit, sample, op.writes[i].access);
  for (size_t i = 0; i < op.body.tables.size(); ++i)
    tables[i] = address(unit, sample, op.body.tables[i].access);
  resolve(unit, sample, op.dims, extents);
  return kernel.run({extents, reads, writes, tables}, threads);
}

bool GroupRun::step(UnitState &unit, uint32_t index, const Kernel &op) {
  const PreparedKernel &kernel = *unit.prepared->instructions[index].kernel;
  forEachSample(unit, index, [&](size_t sample, ThreadPool *threads) {
    return runKernel(unit, sample, op, kernel, nullptr, threads);
  });
  return true;
}

/// Strides in bytes.
static std::vector<int64_t> byteStrides(const Access &access) {
  std::vector<int64_t> strides(access.strides);
  for (int64_t &stride : strides)
    stride *= int64_t(sizeOf(access.type));
  return strides;
}

bool GroupRun::step(UnitState &unit, uint32_t index, const Copy &op) {
  const PreparedInstruction &prepared = unit.prepared->instructions[index];
  std::vector<int64_t> from = byteStrides(op.from), to = byteStrides(op.to);
  forEachSample(unit, index, [&](size_t sample, ThreadPool *threads) {
    if (prepared.kernel)
      return runKernel(unit, sample, *prepared.padded, *prepared.kernel,
                       nullptr, threads);
    moveStrided(sizeOf(op.from.type), resolve(unit, sample, op.dims),
                address(unit, sample, op.from), from,
                address(unit, sample, op.to), to);
    return success();
  });
  return true;
}

bool GroupRun::step(UnitState &unit, uint32_t index, const Send &op) {
  const PreparedInstruction &prepared = unit.prepared->instructions[index];
  uint32_t number = unit.unit->channels()->Get(op.channel);
  Message message;
  message.perSample = (program.channels()->Get(number)->bytes() + 63) / 64 * 64;
  message.bytes = executor.memory->take(message.perSample * group.size());
  std::vector<int64_t> from = byteStrides(op.from);
  std::vector<int64_t> to = byteStrides(packedAccess(op.from.type, op.dims));
  forEachSample(unit, index, [&](size_t sample, ThreadPool *threads) {
    std::byte *target = message.bytes.data() + sample * message.perSample;
    if (prepared.kernel)
      return runKernel(unit, sample, *prepared.padded, *prepared.kernel, target,
                       threads);
    moveStrided(sizeOf(op.from.type), resolve(unit, sample, op.dims),
                address(unit, sample, op.from), from, target, to);
    return success();
  });
  channels[number].push_back(std::move(message));
  return true;
}

bool GroupRun::step(UnitState &unit, uint32_t index, const Recv &op) {
  uint32_t number = unit.unit->channels()->Get(op.channel);
  if (channels[number].empty())
    return false;
  Message message = std::move(channels[number].front());
  channels[number].pop_front();
  std::vector<int64_t> from = byteStrides(packedAccess(op.to.type, op.dims));
  std::vector<int64_t> to = byteStrides(op.to);
  forEachSample(unit, index, [&](size_t sample, ThreadPool *) {
    moveStrided(sizeOf(op.to.type), resolve(unit, sample, op.dims),
                message.bytes.data() + sample * message.perSample, from,
                address(unit, sample, op.to), to);
    return success();
  });
  executor.memory->give(std::move(message.bytes));
  return true;
}

bool GroupRun::step(UnitState &unit, uint32_t index, const Loop &op) {
  int64_t trips = resolve(unit, 0, op.trips);
  bool enters = trips > 0 && (op.condition == kNoSlot ||
                              slotsOf(unit, 0)[op.condition] != 0);
  size_t decision = op.condition == kNoSlot ? 0 : note(unit, 0);
  if (!enters) {
    unit.next = op.body.end;
    return true;
  }
  for (size_t sample = 0; sample < group.size(); ++sample)
    slotsOf(unit, sample)[op.index] = 0;
  unit.frames.push_back({index, op.body.end, 0, trips, op.body.end, decision});
  unit.next = op.body.begin;
  return true;
}

bool GroupRun::step(UnitState &unit, uint32_t index, const Branch &op) {
  bool taken = slotsOf(unit, 0)[op.condition] != 0;
  note(unit, taken);
  const Body &body = taken ? op.then : op.otherwise;
  uint32_t resume = std::max(op.then.end, op.otherwise.end);
  unit.frames.push_back({index, body.end, 0, 1, resume});
  unit.next = body.begin;
  return true;
}

bool GroupRun::step(UnitState &unit, uint32_t index, const Contract &op) {
  forEachSample(unit, index, [&](size_t sample, ThreadPool *threads) {
    Extents extents =
        resolve(unit, sample, join({op.batch, op.rows, op.columns, op.inner}));
    return runContract(op, extents, address(unit, sample, op.lhs),
                       address(unit, sample, op.rhs),
                       address(unit, sample, op.output), threads);
  });
  return true;
}

bool GroupRun::step(UnitState &unit, uint32_t index, const Sort &op) {
  forEachSample(unit, index, [&](size_t sample, ThreadPool *threads) {
    Extents extents = resolve(unit, sample, op.dims);
    int64_t count = std::min(resolve(unit, sample, op.count), extents.back());
    runSort(op, extents, count, address(unit, sample, op.input),
            address(unit, sample, op.values), address(unit, sample, op.indices),
            threads);
    return success();
  });
  return true;
}

bool GroupRun::step(UnitState &unit, uint32_t index, const Scatter &op) {
  forEachSample(unit, index, [&](size_t sample, ThreadPool *) {
    std::vector<const std::byte *> indices;
    for (const Access &access : op.indices)
      indices.push_back(address(unit, sample, access));
    return runScatter(op, resolve(unit, sample, op.dims),
                      resolve(unit, sample, op.sizes), indices,
                      address(unit, sample, op.updates),
                      address(unit, sample, op.to));
  });
  return true;
}

bool GroupRun::step(UnitState &unit, uint32_t index, const Compact &op) {
  forEachSample(unit, index, [&](size_t sample, ThreadPool *) {
    slotsOf(unit, sample)[op.count] = runCompact(
        op, resolve(unit, sample, op.dims), address(unit, sample, op.input),
        address(unit, sample, op.indices));
    return success();
  });
  return true;
}

bool GroupRun::step(UnitState &unit, uint32_t, const End &) {
  unit.finished = true;
  unit.frames.clear();
  return true;
}
