//===- Replay.cpp - instruction streams on time ---------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Replay.h"

#include "mho/Program/Loops.h"

#include <algorithm>
#include <string>

using namespace mho;
using namespace mho::rt;

static constexpr int64_t kSlotBytes = 8;

static std::string textOf(const flatbuffers::String *text) {
  return text ? text->str() : std::string();
}

Replay::Replay(const LoadedProgram &loaded, uint32_t entryNumber,
               const TimelineSettings &settings)
    : loaded(loaded), program(loaded.program()), chip(loaded.chip()),
      settings(settings) {
  const fb::Entry &entry = *program.entries()->Get(entryNumber);
  uint32_t count = entry.codes() ? entry.codes()->size() : 0;
  for (uint32_t i = 0; i < count; ++i) {
    uint32_t code = entry.codes()->Get(i);
    if (code == kIdle)
      continue;
    UnitState &unit = units.emplace_back();
    unit.number = i;
    unit.code = code;
    unit.unit = program.units()->Get(i);
    unit.kind = chip.kinds()->Get(unit.unit->kind());
    unit.stream = program.codes()->Get(code);
    unit.list = &loaded.codes[code];
    if (const fb::Digital *digital = unit.kind->digital()) {
      unit.fixedFunction = true;
      if (digital->operators())
        for (const flatbuffers::String *name : *digital->operators())
          unit.fixedFunction &= name->string_view() != "all";
    }
    if (unit.stream->slots())
      for (const fb::Slot *slot : *unit.stream->slots())
        unit.declared.push_back({slot->min(), slot->max()});
    unit.slots = unit.declared;
    unit.frames.push_back({0, 0, uint32_t(unit.list->size())});
  }
}

TimelineResult Replay::run() {
  bool progress = true, waiting = true;
  while (progress && waiting) {
    progress = waiting = false;
    for (UnitState &unit : units) {
      progress |= advance(unit);
      waiting |= !unit.frames.empty();
    }
  }
  if (waiting)
    noteOnce("units wait for messages that nobody sends; the timeline ends "
             "there");
  finish();
  return std::move(result);
}

/// Runs a unit until its end or a message that is not there; false where
/// nothing could be done.
bool Replay::advance(UnitState &unit) {
  bool progress = false;
  while (!unit.frames.empty()) {
    Frame &frame = unit.frames.back();
    if (frame.pc >= frame.end) {
      if (frame.loop && ++frame.trip < frame.trips) {
        frame.pc = frame.begin;
        unit.slots[frame.loop->index] = {frame.trip, frame.trip};
      } else {
        if (frame.loop)
          unit.slots[frame.loop->index] = unit.declared[frame.loop->index];
        unit.frames.pop_back();
      }
      continue;
    }
    if (!execute(unit, frame.pc))
      return progress;
    progress = true;
  }
  return progress;
}

/// False where the instruction has to wait for another unit.
bool Replay::execute(UnitState &unit, uint32_t index) {
  const isa::Instruction &instruction = (*unit.list)[index];
  if (auto *op = std::get_if<isa::Recv>(&instruction))
    if (messages[unit.unit->channels()->Get(op->channel)].empty())
      return false;
  uint32_t next = index + 1;
  if (auto *op = std::get_if<isa::Loop>(&instruction))
    next = std::max(next, op->body.end);
  else if (auto *op = std::get_if<isa::Branch>(&instruction))
    next = std::max({next, op->then.end, op->otherwise.end});
  unit.frames.back().pc = next;

  if (auto *op = std::get_if<isa::Loop>(&instruction))
    enter(unit, *op);
  else if (auto *op = std::get_if<isa::Branch>(&instruction))
    branch(unit, *op);
  else if (auto *op = std::get_if<isa::Mvm>(&instruction))
    mvm(unit, index, *op);
  else if (auto *op = std::get_if<isa::Send>(&instruction))
    send(unit, index, *op);
  else if (auto *op = std::get_if<isa::Recv>(&instruction))
    recv(unit, index, *op);
  else if (std::holds_alternative<isa::End>(instruction))
    unit.frames.clear();
  else
    digital(unit, index, instruction);
  return true;
}

int64_t Replay::decide(UnitState &unit, int64_t otherwise) {
  if (!settings.decisions || unit.number >= settings.decisions->units.size() ||
      unit.decided >= settings.decisions->units[unit.number].size()) {
    if (otherwise < isa::kManyTrips)
      return otherwise;
    noteOnce("a loop that nothing bounds counts as one trip, since no run "
             "tells how many it makes");
    return 1;
  }
  return settings.decisions->units[unit.number][unit.decided++];
}

double Replay::slotReady(const UnitState &unit, uint32_t slot) {
  return unit.memory[size_t(isa::Space::Slot)].readable(
      slot * kSlotBytes, (slot + 1) * kSlotBytes);
}

int64_t Replay::resolve(UnitState &unit, const isa::Extent &extent,
                        double &ready) {
  if (extent.slot == isa::kNoSlot)
    return extent.max;
  uint32_t slot = uint32_t(extent.slot);
  ready = std::max(ready, slotReady(unit, slot));
  int64_t bound = std::min(extent.max, unit.slots[slot].high);
  return std::clamp<int64_t>(decide(unit, bound), 0, extent.max);
}

void Replay::enter(UnitState &unit, const isa::Loop &loop) {
  int64_t trips = resolve(unit, loop.trips, unit.gate);
  if (loop.condition != isa::kNoSlot) {
    unit.gate = std::max(unit.gate, slotReady(unit, uint32_t(loop.condition)));
    trips = std::clamp<int64_t>(decide(unit, trips), 0, trips);
  }
  if (trips == 0)
    return;
  unit.slots[loop.index] = {0, 0};
  unit.frames.push_back(
      {loop.body.begin, loop.body.begin, loop.body.end, &loop, 0, trips});
}

void Replay::branch(UnitState &unit, const isa::Branch &branch) {
  unit.gate = std::max(unit.gate, slotReady(unit, branch.condition));
  auto length = [](const isa::Body &body) { return body.end - body.begin; };
  bool longer = length(branch.then) >= length(branch.otherwise);
  const isa::Body &body = decide(unit, longer) ? branch.then : branch.otherwise;
  unit.frames.push_back({body.begin, body.begin, body.end});
}

double Replay::readyTime(const UnitState &unit, const Stream &stream,
                         const Cut &cut, int64_t step) const {
  double ready = unit.gate;
  for (const Operand &operand : stream.operands) {
    isa::Space space = operand.access->space;
    if (space == isa::Space::Const)
      continue;
    for (const isa::SlotTerm &term : operand.access->slots)
      ready = std::max(ready, slotReady(unit, term.slot));
    auto bytes = touched(operand, cut.dim, cut.begin(step), cut.begin(step + 1),
                         unit.slots);
    if (!bytes)
      continue;
    const MemoryTimes &memory = unit.memory[size_t(space)];
    ready = std::max(ready, operand.isWrite
                                ? memory.writable(bytes->begin, bytes->end)
                                : memory.readable(bytes->begin, bytes->end));
  }
  return ready;
}

void Replay::commitReads(UnitState &unit, const Stream &stream, const Cut &cut,
                         const std::vector<double> &ends) {
  for (const Operand &operand : stream.operands) {
    if (operand.isWrite || operand.access->space == isa::Space::Const)
      continue;
    for (int64_t step = 0; step < cut.steps; ++step)
      if (auto bytes = touched(operand, cut.dim, cut.begin(step),
                               cut.begin(step + 1), unit.slots))
        unit.memory[size_t(operand.access->space)].read(bytes->begin,
                                                        bytes->end, ends[step]);
  }
}

void Replay::commitWrites(UnitState &unit, const Stream &stream, const Cut &cut,
                          const std::vector<double> &ends) {
  for (const Operand &operand : stream.operands) {
    if (!operand.isWrite || operand.access->space == isa::Space::Const)
      continue;
    for (int64_t step = 0; step < cut.steps; ++step)
      if (auto bytes = touched(operand, cut.dim, cut.begin(step),
                               cut.begin(step + 1), unit.slots))
        unit.memory[size_t(operand.access->space)].write(
            bytes->begin, bytes->end, ends[step]);
    if (operand.access->space == isa::Space::Slot)
      forgetSlots(unit, *operand.access);
  }
}

/// A written slot holds anything of what it declares.
void Replay::forgetSlots(UnitState &unit, const isa::Access &access) {
  size_t slot = size_t(std::max<int64_t>(access.offset, 0) / kSlotBytes);
  if (slot < unit.slots.size())
    unit.slots[slot] = unit.declared[slot];
}

void Replay::mvm(UnitState &unit, uint32_t index, const isa::Mvm &op) {
  uint32_t number = unit.unit->arrays()->Get(op.array);
  const fb::Array &array = *program.arrays()->Get(number);
  const fb::Bank &bank = *program.banks()->Get(array.bank());
  auto block = [](const flatbuffers::Vector<uint64_t> &splits, uint32_t i) {
    return double(splits.Get(i + 1) - splits.Get(i));
  };
  double rows = block(*bank.row_splits(), array.row_block());
  double columns = block(*bank.col_splits(), array.col_block());
  double ready = 0;
  Stream stream =
      describeMvm(op, int64_t(columns), [&](const isa::Extent &extent) {
        return resolve(unit, extent, ready);
      });
  if (stream.points <= 0)
    return;
  const fb::Arrays *arrays = unit.kind->arrays();
  const fb::ReadMode &mode = *chip.read_modes()->Get(chip.read_mode());
  double post = arrays ? columns * arrays->post_ns_per_output() : 0;
  uint32_t place3d =
      arrays && arrays->one_tier_at_a_time()
          ? array.index()
          : array.index() * (arrays ? arrays->tiers() : 1) + array.tier();
  uint32_t reads = resource(Part::Array, unit, place3d);
  uint32_t scales = resource(Part::Scaling, unit, place3d);
  arrayResources.insert(reads);

  Cut cut = cutSteps(stream.extents, settings.maxSteps);
  double each = stream.points / double(cut.extent); // vectors per index
  std::vector<double> starts(cut.steps), readEnds(cut.steps), ends(cut.steps),
      scaled(cut.steps);
  double first = 0, last = 0, after = ready;
  for (int64_t step = 0; step < cut.steps; ++step) {
    double vectors = each * double(cut.begin(step + 1) - cut.begin(step));
    double begin = std::max(after, readyTime(unit, stream, cut, step));
    readEnds[step] =
        place(reads, unit, index, begin, vectors * mode.latency_ns());
    starts[step] = readEnds[step] - vectors * mode.latency_ns();
    // The first vector's outputs come after one window, the last's when both
    // the last window and all scaling are over.
    double end = place(scales, unit, index, starts[step] + mode.latency_ns(),
                       vectors * post);
    scaled[step] = end - vectors * post;
    ends[step] = std::max(end, readEnds[step] + post);
    first = step ? std::min(first, starts[step]) : starts[step];
    last = std::max(last, ends[step]);
    after = starts[step];
  }
  commitReads(unit, stream, cut, readEnds);
  if (stream.points == 1 && post > 0) {
    // One vector's outputs appear one after the other.
    const Operand &output = stream.operands.back();
    Cut columnsCut = cutSteps({{int64_t(columns)}}, settings.maxSteps);
    Operand flat = output;
    unsigned dim = unsigned(output.extents.size()) - 1;
    for (int64_t step = 0; step < columnsCut.steps; ++step) {
      double done =
          scaled[0] + post * double(columnsCut.begin(step + 1)) / columns;
      if (auto bytes = touched(flat, dim, columnsCut.begin(step),
                               columnsCut.begin(step + 1), unit.slots))
        unit.memory[size_t(output.access->space)].write(bytes->begin,
                                                        bytes->end, done);
    }
  } else {
    commitWrites(unit, stream, cut, ends);
  }

  Cost cost;
  double vectors = stream.points;
  double blocks = double(bank.row_splits()->size() - 1) *
                  double(bank.col_splits()->size() - 1);
  cost.busy = vectors * (mode.latency_ns() + post);
  cost.vectors = vectors / blocks;
  cost.macs = vectors * rows * columns;
  cost.energy.mvm = vectors * mode.energy_nj() * 1e-9;
  cost.energy.converters = vectors * mode.converter_energy_nj() * 1e-9;
  cost.energy.digital = vectors * unit.kind->energy_nj_per_vector() * 1e-9;
  if (arrays)
    cost.energy.digital +=
        vectors * columns * arrays->post_energy_pj_per_output() * 1e-12;
  unit.active = true;
  account(unit, index, first, last, cost);
}

void Replay::digital(UnitState &unit, uint32_t index,
                     const isa::Instruction &instruction) {
  double ready = 0;
  Stream stream = describe(instruction, [&](const isa::Extent &extent) {
    return resolve(unit, extent, ready);
  });
  if (stream.points <= 0)
    return;
  const fb::Digital *digital = unit.kind->digital();
  Cost cost;
  double start = 0;
  cost.operations = stream.points * stream.operations;
  if (digital) {
    bool moves = std::holds_alternative<isa::Copy>(instruction);
    double cycles =
        unit.fixedFunction && !moves ? stream.points : cost.operations;
    double rate = digital->lanes() * digital->clock_ghz();
    double compute = rate > 0 ? cycles / rate : 0;
    double move = digital->bytes_per_ns() > 0
                      ? stream.bytes / digital->bytes_per_ns()
                      : 0;
    cost.busy = std::max(compute, move);
    cost.energy.digital = cost.operations * digital->energy_pj_per_op() * 1e-12;
    cost.energy.memory = stream.bytes * digital->energy_pj_per_byte() * 1e-12;
    start = digital->start_ns();
  } else {
    noteOnce("units of kind '" + textOf(unit.kind->name()) +
             "' have no digital part in the chip file: what they compute "
             "takes no time");
  }
  uint32_t lanes = resource(Part::Digital, unit, 0);
  Cut cut = cutSteps(stream.extents, settings.maxSteps);
  std::vector<double> ends(cut.steps);
  double first = 0, last = 0, after = ready;
  for (int64_t step = 0; step < cut.steps; ++step) {
    double share =
        double(cut.begin(step + 1) - cut.begin(step)) / double(cut.extent);
    double busy = cost.busy * share + (step ? 0 : start);
    double begin = std::max(after, readyTime(unit, stream, cut, step));
    ends[step] = place(lanes, unit, index, begin, busy);
    after = ends[step] - busy;
    if (!step)
      first = after;
    last = std::max(last, ends[step]);
  }
  cost.busy += start;
  commitReads(unit, stream, cut, ends);
  commitWrites(unit, stream, cut, ends);
  if (auto *op = std::get_if<isa::Compact>(&instruction)) {
    unit.memory[size_t(isa::Space::Slot)].write(
        op->count * kSlotBytes, (op->count + 1) * kSlotBytes, last);
    unit.slots[op->count] = unit.declared[op->count];
  }
  unit.active |= cost.operations > 0;
  account(unit, index, first, last, cost);
}

/// The first link of the chip file that leads from `from` to `to`.
const fb::Link *Replay::linkOf(const UnitState &from, const fb::Unit &to) {
  const fb::UnitKind &toKind = *chip.kinds()->Get(to.kind());
  auto serves = [](const flatbuffers::String *end, const fb::UnitKind &kind) {
    return end && (end->string_view() == "*" ||
                   end->string_view() == kind.name()->string_view());
  };
  if (chip.links())
    for (const fb::Link *link : *chip.links())
      if (serves(link->from(), *from.kind) && serves(link->to(), toKind))
        return link;
  noteOnce("the chip file has no link from '" + textOf(from.kind->name()) +
           "' to '" + textOf(toKind.name()) + "': such transfers take no time");
  return nullptr;
}

void Replay::send(UnitState &unit, uint32_t index, const isa::Send &op) {
  double ready = 0;
  Stream stream = describe((*unit.list)[index], [&](const isa::Extent &extent) {
    return resolve(unit, extent, ready);
  });
  uint32_t number = unit.unit->channels()->Get(op.channel);
  uint32_t to = program.channels()->Get(number)->to();
  const fb::Link *link = linkOf(unit, *program.units()->Get(to));
  Message &message = messages[number].emplace_back();
  if (stream.points <= 0)
    return;
  // Activations cross links as codes of the arrays' inputs; other types as
  // they are.
  double width = double(isa::sizeOf(op.from.type));
  if (isa::isFloat(op.from.type))
    for (const fb::UnitKind *kind : *chip.kinds())
      if (kind->arrays() && kind->arrays()->input_bits())
        width = std::min(width, double((kind->arrays()->input_bits() + 7) / 8));

  Cost cost;
  cost.bytesSent = stream.points * width;
  double perByte =
      link && link->bytes_per_ns() > 0 ? 1 / link->bytes_per_ns() : 0;
  cost.busy = cost.bytesSent * perByte;
  if (link)
    cost.energy.communication =
        cost.bytesSent * link->energy_pj_per_byte() * 1e-12;
  // A link between two named kinds is a wire of its own for each pair of
  // units; one that serves any kind leaves through one port of each unit.
  std::vector<uint32_t> held;
  if (link) {
    bool shared =
        link->from()->string_view() == "*" || link->to()->string_view() == "*";
    if (shared) {
      held.push_back(resource(Part::Out, unit, 0));
      auto receiver =
          std::find_if(units.begin(), units.end(), [&](const UnitState &other) {
            return other.number == to;
          });
      if (receiver != units.end())
        held.push_back(resource(Part::In, *receiver, 0));
    } else {
      held.push_back(resource(Part::Wire, unit, to));
    }
  }
  Cut cut = cutSteps(stream.extents, settings.maxSteps);
  std::vector<double> ends(cut.steps);
  double first = 0, last = 0, after = ready;
  double perIndex = stream.points / double(cut.extent);
  for (int64_t step = 0; step < cut.steps; ++step) {
    double busy = perIndex * width * perByte *
                  double(cut.begin(step + 1) - cut.begin(step));
    double begin = std::max(after, readyTime(unit, stream, cut, step));
    // Both ports have to be free at once.
    for (bool moved = true; moved;) {
      moved = false;
      for (uint32_t port : held) {
        double free = calendars[port].fit(begin, busy);
        moved |= free > begin;
        begin = free;
      }
    }
    for (uint32_t port : held)
      place(port, unit, index, begin, busy);
    ends[step] = begin + busy;
    double arrival = ends[step] + (link ? link->latency_ns() : 0);
    message.push_back({perIndex * double(cut.begin(step + 1)), arrival});
    if (!step)
      first = begin;
    last = std::max(last, arrival);
    after = begin;
  }
  commitReads(unit, stream, cut, ends);
  account(unit, index, first, last, cost);
}

void Replay::recv(UnitState &unit, uint32_t index, const isa::Recv &op) {
  auto &queue = messages[unit.unit->channels()->Get(op.channel)];
  Message message = std::move(queue.front());
  queue.pop_front();
  double ready = 0;
  Stream stream = describe((*unit.list)[index], [&](const isa::Extent &extent) {
    return resolve(unit, extent, ready);
  });
  if (stream.points <= 0)
    return;
  Cut cut = cutSteps(stream.extents, settings.maxSteps);
  std::vector<double> ends(cut.steps);
  double perIndex = stream.points / double(cut.extent), last = 0;
  size_t piece = 0;
  for (int64_t step = 0; step < cut.steps; ++step) {
    double needed = perIndex * double(cut.begin(step + 1));
    while (piece + 1 < message.size() && message[piece].elements < needed - 0.5)
      ++piece;
    double arrival = message.empty() ? 0 : message[piece].arrival;
    last = ends[step] =
        std::max({last, ready, arrival, readyTime(unit, stream, cut, step)});
    ++result.events;
  }
  commitWrites(unit, stream, cut, ends);
  account(unit, index, ends.front(), last, {});
}

uint32_t Replay::resource(Part part, const UnitState &owner, uint32_t number) {
  auto [it, isNew] = numbers.try_emplace(std::tuple(part, owner.number, number),
                                         uint32_t(calendars.size()));
  if (isNew) {
    std::string name =
        textOf(owner.kind->name()) + " " + std::to_string(owner.unit->index());
    switch (part) {
    case Part::Array:
      name += " array " + std::to_string(number);
      break;
    case Part::Scaling:
      name += " scaling " + std::to_string(number);
      break;
    case Part::Digital:
      name += " digital";
      break;
    case Part::Out:
      name += " output port";
      break;
    case Part::In:
      name += " input port";
      break;
    case Part::Wire: {
      const fb::Unit &to = *program.units()->Get(number);
      name += " link to " + textOf(chip.kinds()->Get(to.kind())->name()) + " " +
              std::to_string(to.index());
      break;
    }
    }
    calendars.emplace_back();
    result.resources.push_back({std::move(name), owner.number, 0});
  }
  return it->second;
}

double Replay::place(uint32_t number, const UnitState &unit, uint32_t index,
                     double ready, double duration) {
  double start = calendars[number].fit(ready, duration);
  calendars[number].book(start, duration);
  ++result.events;
  if (settings.trace && duration > 0)
    result.steps.push_back(
        {number, unit.code, index, start * 1e-9, (start + duration) * 1e-9});
  return start + duration;
}

void Replay::noteOnce(const std::string &note) {
  auto &notes = result.notes;
  if (std::find(notes.begin(), notes.end(), note) == notes.end())
    notes.push_back(note);
}
