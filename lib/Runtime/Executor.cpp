//===- Executor.cpp - prepares an entry point
//-------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Executor.h"

#include "GroupRun.h"
#include "Prepared.h"

#include <algorithm>
#include <type_traits>

using namespace mho;
using namespace mho::rt;
using namespace mho::isa;

Access rt::packedAccess(Type type, const std::vector<Extent> &dims) {
  Access access;
  access.type = type;
  access.strides.resize(dims.size());
  int64_t stride = 1;
  for (size_t d = dims.size(); d-- > 0;) {
    access.strides[d] = stride;
    stride *= dims[d].max;
  }
  return access;
}

/// A copy as a kernel: what pads must look at every element.
static std::unique_ptr<Kernel> asKernel(const std::vector<Extent> &dims,
                                        const Access &from, const Access &to) {
  auto kernel = std::make_unique<Kernel>();
  kernel->dims = dims;
  kernel->reads = {from};
  kernel->writes = {Write{to, WriteKind::Store, false, 0}};
  kernel->body.yields = {0};
  return kernel;
}

/// Adds the slots that a write reaches.
static void noteSlots(const Access &to, uint32_t slots,
                      PreparedInstruction &result) {
  if (to.space != Space::Slot)
    return;
  bool one = to.slots.empty() &&
             std::all_of(to.strides.begin(), to.strides.end(),
                         [](int64_t stride) { return stride == 0; });
  uint32_t first = one ? uint32_t(to.offset / 8) : 0;
  uint32_t last = one ? first + 1 : slots;
  if (result.writesSlots()) {
    first = std::min(first, result.firstSlot);
    last = std::max(last, result.lastSlot);
  }
  result.firstSlot = first;
  result.lastSlot = last;
}

/// `slots` is how many the program has.
static PreparedInstruction prepare(const Instruction &instruction,
                                   uint32_t slots) {
  PreparedInstruction result;
  auto pad = [&](const std::vector<Extent> &dims, const Access &from,
                 const Access &to) {
    if (from.valid.empty())
      return;
    result.padded = asKernel(dims, from, to);
    result.kernel = PreparedKernel::prepare(*result.padded);
  };
  if (const auto *kernel = std::get_if<Kernel>(&instruction)) {
    result.kernel = PreparedKernel::prepare(*kernel);
    for (const Write &write : kernel->writes)
      noteSlots(write.access, slots, result);
  } else if (const auto *copy = std::get_if<Copy>(&instruction)) {
    pad(copy->dims, copy->from, copy->to);
    noteSlots(copy->to, slots, result);
  } else if (const auto *send = std::get_if<Send>(&instruction)) {
    pad(send->dims, send->from, packedAccess(send->from.type, send->dims));
  } else if (const auto *recv = std::get_if<Recv>(&instruction)) {
    noteSlots(recv->to, slots, result);
  } else if (const auto *compact = std::get_if<Compact>(&instruction)) {
    result.firstSlot = compact->count;
    result.lastSlot = compact->count + 1;
  }
  return result;
}

/// Whether which instructions run, or how far, depends on values.
static bool dependsOnData(const std::vector<Instruction> &list,
                          const std::vector<PreparedInstruction> &prepared) {
  bool writesSlots = false, usesSlots = false;
  for (size_t i = 0; i < list.size(); ++i) {
    writesSlots |= prepared[i].writesSlots();
    if (std::holds_alternative<Branch>(list[i]))
      return true;
    if (const auto *loop = std::get_if<Loop>(&list[i]))
      usesSlots |= loop->condition != kNoSlot || loop->trips.slot != kNoSlot;
    std::visit(
        [&](const auto &op) {
          forEachField(op, [&](const char *, const auto &field) {
            if constexpr (std::is_same_v<std::decay_t<decltype(field)>,
                                         std::vector<Extent>>)
              for (const Extent &extent : field)
                usesSlots |= extent.slot != kNoSlot;
          });
        },
        list[i]);
  }
  return writesSlots && usesSlots;
}

Executor::Executor(std::shared_ptr<const LoadedProgram> loaded, uint32_t entry)
    : program(std::move(loaded)), entryNumber(entry) {
  const fb::Program &fbProgram = program->program();
  const fb::Entry &fbEntry = *fbProgram.entries()->Get(entryNumber);
  std::vector<bool> used(program->codes.size());
  bytesPerSample = fbEntry.io_bytes();
  for (uint32_t code : *fbEntry.codes()) {
    if (code == kIdle)
      continue;
    used[code] = true;
    bytesPerSample += fbProgram.codes()->Get(code)->scratch_bytes();
  }
  codes.resize(program->codes.size());
  for (size_t c = 0; c < codes.size(); ++c) {
    if (!used[c])
      continue;
    const auto *slots = fbProgram.codes()->Get(c)->slots();
    for (const Instruction &instruction : program->codes[c])
      codes[c].instructions.push_back(
          prepare(instruction, slots ? slots->size() : 0));
    dataDependent |= dependsOnData(program->codes[c], codes[c].instructions);
  }
  for (const auto *list : {fbEntry.inputs(), fbEntry.states()})
    for (uint32_t i = 0; list && i < list->size(); ++i)
      if (const auto *slots =
              fbProgram.values()->Get(list->Get(i))->extent_slots())
        for (int32_t slot : *slots)
          dataDependent |= slot >= 0;
}

Executor::~Executor() = default;

size_t Executor::groupSize(size_t samples, unsigned threads) const {
  if (dataDependent)
    return 1;
  // A group's memory should stay in the cache between instructions, but a few
  // samples share the reading of weights.
  constexpr size_t cache = size_t(4) << 20;
  constexpr size_t most = 64, least = 4;
  size_t fits =
      std::clamp(cache / std::max<size_t>(bytesPerSample, 1), least, most);
  size_t share = (samples + threads - 1) / std::max(threads, 1u);
  return std::max<size_t>(1, std::min(fits, share));
}

Status Executor::run(std::span<Sample> group, uint64_t first, ArrayBank &arrays,
                     ThreadPool &pool, Observer *observer) const {
  return GroupRun(*this, group, first, arrays, pool, observer).run();
}
