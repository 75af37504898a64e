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
  } else if (std::holds_alternative<Mvm>(instruction)) {
    result.mvm = std::make_unique<MvmCache>();
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
    : program(std::move(loaded)), entryNumber(entry),
      memory(std::make_unique<MemoryPool>()) {
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
  estimateTraffic();
  lookAtStreams();
}

Executor::~Executor() = default;

/// How often each instruction runs, loops at their largest number of trips.
static std::vector<double> executions(const std::vector<Instruction> &list) {
  std::vector<double> times(list.size(), 1);
  for (size_t i = 0; i < list.size(); ++i)
    if (const auto *loop = std::get_if<Loop>(&list[i]))
      for (size_t j = loop->body.begin; j < loop->body.end; ++j)
        times[j] *= double(loop->trips.max);
  return times;
}

static double points(const std::vector<Extent> &dims) {
  double product = 1;
  for (const Extent &extent : dims)
    product *= double(extent.max);
  return product;
}

void Executor::lookAtStreams() {
  const fb::Program &fbProgram = program->program();
  const fb::Entry &entry = *fbProgram.entries()->Get(entryNumber);
  cleared.resize(fbProgram.units()->size());
  for (uint32_t number = 0; number < cleared.size(); ++number) {
    uint32_t code = entry.codes()->Get(number);
    if (code == kIdle)
      continue;
    StreamContext context;
    if (const auto *slots = fbProgram.codes()->Get(code)->slots())
      for (const fb::Slot *slot : *slots)
        context.slots.push_back({slot->min(), slot->max()});
    if (const auto *arrays = fbProgram.units()->Get(number)->arrays())
      for (uint32_t index : *arrays) {
        const fb::Array &array = *fbProgram.arrays()->Get(index);
        const auto &splits =
            *fbProgram.banks()->Get(array.bank())->col_splits();
        context.columns.push_back(int64_t(splits.Get(array.col_block() + 1)) -
                                  splits.Get(array.col_block()));
      }
    cleared[number] = undefinedReads(program->codes[code], context);
    if (number == 0)
      findInPlace(context);
  }
}

void Executor::findInPlace(const StreamContext &context) {
  const fb::Program &fbProgram = program->program();
  const fb::Entry &entry = *fbProgram.entries()->Get(entryNumber);
  uint32_t code = entry.codes()->Get(0);
  const std::vector<Instruction> &list = program->codes[code];
  auto places = [&](const auto *values) {
    std::vector<ByteRange> ranges;
    for (uint32_t i = 0; values && i < values->size(); ++i) {
      const fb::Value &value = *fbProgram.values()->Get(values->Get(i));
      ranges.push_back(
          {int64_t(value.offset()), int64_t(value.offset() + value.bytes())});
    }
    return ranges;
  };
  inPlace = InPlaceInputs(places(entry.inputs()), places(entry.outputs()), list,
                          context);
  for (size_t i = 0; i < list.size(); ++i) {
    const auto &padded = codes[code].instructions[i].padded;
    if (const auto *copy = std::get_if<Copy>(&list[i]); copy && padded)
      inPlace.noteCopy(copy->from, padded->reads[0]);
    if (const auto *send = std::get_if<Send>(&list[i]); send && padded)
      inPlace.noteCopy(send->from, padded->reads[0]);
  }
}

void Executor::estimateTraffic() {
  const fb::Program &fbProgram = program->program();
  const fb::Entry &entry = *fbProgram.entries()->Get(entryNumber);
  for (uint32_t number = 0; number < fbProgram.units()->size(); ++number) {
    uint32_t code = entry.codes()->Get(number);
    if (code == kIdle)
      continue;
    const std::vector<Instruction> &list = program->codes[code];
    std::vector<double> times = executions(list);
    for (size_t i = 0; i < list.size(); ++i) {
      if (const auto *kernel = std::get_if<Kernel>(&list[i])) {
        size_t operands = kernel->reads.size() + kernel->writes.size();
        valueTraffic += times[i] * points(kernel->dims) * 4 * double(operands);
      }
      const auto *mvm = std::get_if<Mvm>(&list[i]);
      if (!mvm)
        continue;
      const auto *arrays = fbProgram.units()->Get(number)->arrays();
      const fb::Array &array =
          *fbProgram.arrays()->Get(arrays->Get(mvm->array));
      const fb::Bank &bank = *fbProgram.banks()->Get(array.bank());
      auto extent = [](const auto &splits, uint32_t block) {
        return double(splits.Get(block + 1) - splits.Get(block));
      };
      double rows = extent(*bank.row_splits(), array.row_block());
      double columns = extent(*bank.col_splits(), array.col_block());
      weightTraffic += times[i] * rows * columns * 4;
      valueTraffic += times[i] * points(mvm->counts) * columns * 8;
    }
  }
}

size_t Executor::groupSize(size_t samples, unsigned threads) const {
  if (dataDependent)
    return 1;
  // Samples that stay in a core's cache between instructions may share the
  // reading of weights for nothing; more of them where values that leave the
  // cache cost less than weights that are read again.
  constexpr size_t cache = size_t(512) << 10, memory = size_t(64) << 20;
  constexpr size_t most = 64;
  size_t bytes = std::max<size_t>(bytesPerSample, 1);
  size_t group = std::clamp<size_t>(cache / bytes, 1, most);
  size_t large = std::clamp<size_t>(memory / bytes, group, most);
  if (weightTraffic / double(group) >
      weightTraffic / double(large) + valueTraffic)
    group = large;
  size_t share = (samples + threads - 1) / std::max(threads, 1u);
  return std::max<size_t>(1, std::min(group, share));
}

Status Executor::run(std::span<Sample> group, uint64_t first, ArrayBank &arrays,
                     ThreadPool &pool, Observer *observer) const {
  return GroupRun(*this, group, first, arrays, pool, observer).run();
}
