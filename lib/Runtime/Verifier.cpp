//===- Verifier.cpp - meaning of a decoded program
//--------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Verifier.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>

using namespace mho;
using namespace mho::rt;

template <typename V> static size_t sizeOfVector(const V *vector) {
  return vector ? vector->size() : 0;
}

static std::string text(const flatbuffers::String *string) {
  return string ? string->str() : std::string();
}

std::string rt::describeInstruction(const LoadedProgram &loaded, uint32_t unit,
                                    uint32_t codeNumber, size_t instruction) {
  const fb::Program &program = loaded.program();
  const fb::Code &code = *program.codes()->Get(codeNumber);
  std::string result = "unit " + std::to_string(unit);
  if (unit < sizeOfVector(program.units()))
    result += " (" + text(program.units()->Get(unit)->name()) + ")";
  result += ", program '" + text(code.name()) + "', instruction " +
            std::to_string(instruction);
  if (instruction < loaded.codes[codeNumber].size())
    result += std::string(" (") +
              isa::mnemonic(loaded.codes[codeNumber][instruction]) + ")";
  if (instruction >= sizeOfVector(code.locations()))
    return result;
  uint32_t place = code.locations()->Get(uint32_t(instruction));
  if (place >= sizeOfVector(program.locations()))
    return result;
  const auto *nodes = program.locations()->Get(place)->nodes();
  for (uint32_t i = 0; i < sizeOfVector(nodes) && i < 4; ++i)
    if (nodes->Get(i) < sizeOfVector(program.nodes()))
      result += (i == 0 ? " of node '" : ", '") +
                text(program.nodes()->Get(nodes->Get(i))->name()) + "'";
  return result;
}

/// Splits rise from 0 to `end`.
static bool areSplits(const flatbuffers::Vector<uint64_t> *splits,
                      uint64_t end) {
  if (sizeOfVector(splits) < 2 || splits->Get(0) != 0 ||
      splits->Get(splits->size() - 1) != end)
    return false;
  for (uint32_t i = 1; i < splits->size(); ++i)
    if (splits->Get(i) <= splits->Get(i - 1))
      return false;
  return true;
}

static Status verifyBank(const LoadedProgram &loaded, const fb::Bank &bank) {
  const fb::Program &program = loaded.program();
  uint64_t weights = loaded.file->weights().size();
  constexpr uint64_t most = uint64_t(1) << 31;
  if (bank.rows() == 0 || bank.cols() == 0 || bank.rows() > most ||
      bank.cols() > most || bank.stride() < bank.cols() || bank.stride() > most)
    return failure("has " + std::to_string(bank.rows()) + " rows, " +
                   std::to_string(bank.cols()) + " columns, stride " +
                   std::to_string(bank.stride()));
  unsigned __int128 end =
      (unsigned __int128)(bank.rows() - 1) * bank.stride() + bank.cols();
  if (bank.offset() % 4 || bank.offset() > weights ||
      end * 4 > weights - bank.offset())
    return failure("its weights lie outside the weight section");
  for (uint64_t affine : {bank.scale(), bank.shift()}) {
    uint64_t constants = loaded.file->constants().size();
    if (affine != kNoAffine && (affine % 4 || affine > constants ||
                                bank.cols() * 4 > constants - affine))
      return failure("its scale or shift lies outside the constant section");
  }
  if (!areSplits(bank.row_splits(), bank.rows()) ||
      !areSplits(bank.col_splits(), bank.cols()))
    return failure("its splits do not rise from 0 to its size");
  if (bank.node() != 0 && bank.node() >= sizeOfVector(program.nodes()))
    return failure("its node does not exist");
  return success();
}

static Status verifyArray(const fb::Program &program, const fb::Array &array) {
  if (array.unit() >= sizeOfVector(program.units()))
    return failure("its unit does not exist");
  if (array.bank() >= sizeOfVector(program.banks()))
    return failure("its bank does not exist");
  const fb::Bank &bank = *program.banks()->Get(array.bank());
  if (array.row_block() + 1ull >= bank.row_splits()->size() ||
      array.col_block() + 1ull >= bank.col_splits()->size())
    return failure("it is block (" + std::to_string(array.row_block()) + ", " +
                   std::to_string(array.col_block()) +
                   "), which its bank does not have");
  uint64_t rows = bank.row_splits()->Get(array.row_block() + 1) -
                  bank.row_splits()->Get(array.row_block());
  uint64_t columns = bank.col_splits()->Get(array.col_block() + 1) -
                     bank.col_splits()->Get(array.col_block());
  size_t ranges = sizeOfVector(array.adc_range());
  if (ranges > 1 && ranges != columns)
    return failure("it has " + std::to_string(ranges) + " ADC ranges for " +
                   std::to_string(columns) + " columns");
  const fb::Unit &unit = *program.units()->Get(array.unit());
  if (unit.kind() >= sizeOfVector(program.chip()->kinds()))
    return failure("its unit's kind does not exist");
  const fb::Arrays *shape = program.chip()->kinds()->Get(unit.kind())->arrays();
  if (!shape)
    return failure("its unit has no arrays");
  if (rows > shape->rows() || columns > shape->cols())
    return failure("its block is " + std::to_string(rows) + "x" +
                   std::to_string(columns) + ", the chip's arrays are " +
                   std::to_string(shape->rows()) + "x" +
                   std::to_string(shape->cols()));
  return success();
}

static Status verifyUnit(const fb::Program &program, uint32_t number) {
  const fb::Unit &unit = *program.units()->Get(number);
  if (unit.kind() >= sizeOfVector(program.chip()->kinds()))
    return failure("its kind does not exist");
  for (uint32_t i = 0; i < sizeOfVector(unit.arrays()); ++i) {
    uint32_t array = unit.arrays()->Get(i);
    if (array >= sizeOfVector(program.arrays()) ||
        program.arrays()->Get(array)->unit() != number)
      return failure("array " + std::to_string(array) + " is not its own");
  }
  for (uint32_t i = 0; i < sizeOfVector(unit.channels()); ++i) {
    uint32_t index = unit.channels()->Get(i);
    if (index >= sizeOfVector(program.channels()))
      return failure("channel " + std::to_string(index) + " does not exist");
    const fb::Channel &channel = *program.channels()->Get(index);
    if (channel.from() != number && channel.to() != number)
      return failure("channel " + std::to_string(index) + " is not its own");
  }
  return success();
}

static Status verifyValue(const fb::Program &program, const fb::Entry &entry,
                          uint32_t index) {
  if (index >= sizeOfVector(program.values()))
    return failure("value " + std::to_string(index) + " does not exist");
  const fb::Value &value = *program.values()->Get(index);
  Status outside =
      failure("value '" + text(value.name()) + "' lies outside the io space");
  if (!value.name())
    return failure("value " + std::to_string(index) + " has no name");
  if (value.type() >= isa::kNumTypes)
    return failure("value '" + text(value.name()) + "' has an unknown type");
  unsigned __int128 bytes = isa::sizeOf(isa::Type(value.type()));
  if (value.offset() % uint64_t(bytes))
    return failure("value '" + text(value.name()) + "' is not aligned");
  // Nothing lies nowhere, whatever its other extents.
  for (uint32_t d = 0; d < sizeOfVector(value.shape()); ++d)
    if (value.shape()->Get(d) == 0)
      bytes = 0;
  for (uint32_t d = 0; d < sizeOfVector(value.shape()); ++d) {
    int64_t extent = value.shape()->Get(d);
    if (extent < 0 || extent > (int64_t(1) << 40))
      return failure("value '" + text(value.name()) + "' has extent " +
                     std::to_string(extent));
    bytes *= uint64_t(extent);
    if (bytes > entry.io_bytes())
      return outside;
  }
  if (value.offset() > entry.io_bytes() ||
      bytes > entry.io_bytes() - value.offset())
    return outside;
  if (value.bytes() != uint64_t(bytes))
    return failure("value '" + text(value.name()) + "' takes " +
                   std::to_string(value.bytes()) + " bytes, its shape needs " +
                   std::to_string(uint64_t(bytes)));
  uint32_t code = entry.codes()->Get(0);
  size_t slots =
      code == kIdle ? 0 : sizeOfVector(program.codes()->Get(code)->slots());
  if (sizeOfVector(value.extent_slots()) > sizeOfVector(value.shape()))
    return failure("value '" + text(value.name()) + "' has too many extents");
  for (uint32_t d = 0; d < sizeOfVector(value.extent_slots()); ++d) {
    int32_t slot = value.extent_slots()->Get(d);
    if (slot < -1 || (slot >= 0 && size_t(slot) >= slots))
      return failure("value '" + text(value.name()) + "' names slot " +
                     std::to_string(slot));
    if (slot >= 0) {
      const fb::Slot &range =
          *program.codes()->Get(code)->slots()->Get(uint32_t(slot));
      if (range.min() < 0 || range.max() > value.shape()->Get(d))
        return failure("value '" + text(value.name()) + "' is bounded by " +
                       std::to_string(value.shape()->Get(d)) +
                       ", its slot is not");
    }
  }
  return success();
}

static Status verifyEntry(const LoadedProgram &loaded, const fb::Entry &entry) {
  const fb::Program &program = loaded.program();
  size_t units = sizeOfVector(program.units());
  if (sizeOfVector(entry.codes()) != units)
    return failure("has programs for " +
                   std::to_string(sizeOfVector(entry.codes())) + " of " +
                   std::to_string(units) + " units");
  if (entry.io_bytes() > (uint64_t(1) << 40))
    return failure("wants " + std::to_string(entry.io_bytes()) +
                   " bytes of inputs and outputs");
  for (uint32_t unit = 0; unit < units; ++unit)
    if (entry.codes()->Get(unit) != kIdle &&
        entry.codes()->Get(unit) >= loaded.codes.size())
      return failure("names a program that does not exist");
  for (const auto *list : {entry.inputs(), entry.outputs(), entry.states()})
    for (uint32_t i = 0; i < sizeOfVector(list); ++i)
      if (Status s = verifyValue(program, entry, list->Get(i)); !s.ok())
        return s;
  for (uint32_t unit = 0; unit < units; ++unit)
    if (entry.codes()->Get(unit) != kIdle)
      if (Status s = verifyStream(loaded, entry, unit); !s.ok())
        return s;
  return success();
}

static Status verifyCode(const fb::Code &code) {
  if (code.scratch_bytes() > (uint64_t(1) << 40))
    return failure("wants " + std::to_string(code.scratch_bytes()) +
                   " bytes of memory");
  for (uint32_t i = 0; i < sizeOfVector(code.slots()); ++i) {
    const fb::Slot &slot = *code.slots()->Get(i);
    if (slot.min() > slot.max() || slot.initial() < slot.min() ||
        slot.initial() > slot.max())
      return failure("slot " + std::to_string(i) + " starts at " +
                     std::to_string(slot.initial()) + ", outside [" +
                     std::to_string(slot.min()) + ", " +
                     std::to_string(slot.max()) + "]");
  }
  return success();
}

/// Costs add up: one that is no number would spoil every figure, or a search
/// for the earliest time.
static bool areCosts(std::initializer_list<double> numbers) {
  return std::all_of(numbers.begin(), numbers.end(), [](double number) {
    return std::isfinite(number) && number >= 0;
  });
}

static Status verifyKind(const fb::UnitKind &kind) {
  bool good = areCosts({kind.area_mm2(), kind.mvm_area_mm2(),
                        kind.active_power_w(), kind.energy_nj_per_vector()});
  if (const fb::Digital *digital = kind.digital())
    good &= areCosts({digital->lanes(), digital->clock_ghz(),
                      digital->energy_pj_per_op(), digital->start_ns(),
                      digital->bytes_per_ns(), digital->energy_pj_per_byte()});
  if (const fb::Arrays *arrays = kind.arrays())
    good &= areCosts(
        {arrays->post_ns_per_output(), arrays->post_energy_pj_per_output()});
  return good ? success() : failure("a cost is no number of at least 0");
}

/// What the timeline and the devices take for granted of the chip.
static Status verifyChip(const fb::Chip &chip) {
  bool hasArrays = false;
  for (uint32_t i = 0; i < sizeOfVector(chip.kinds()); ++i) {
    const fb::UnitKind &kind = *chip.kinds()->Get(i);
    if (!kind.name())
      return failure("unit kind " + std::to_string(i) + " has no name");
    if (Status s = verifyKind(kind); !s.ok())
      return std::move(s).within("unit kind '" + text(kind.name()) + "'");
    hasArrays |= kind.arrays() != nullptr;
  }
  for (uint32_t i = 0; i < sizeOfVector(chip.read_modes()); ++i) {
    const fb::ReadMode &mode = *chip.read_modes()->Get(i);
    if (!areCosts(
            {mode.latency_ns(), mode.energy_nj(), mode.converter_energy_nj()}))
      return failure("a cost of read mode '" + text(mode.name()) +
                     "' is no number of at least 0");
  }
  if (hasArrays && chip.read_mode() >= sizeOfVector(chip.read_modes()))
    return failure("read mode " + std::to_string(chip.read_mode()) +
                   " does not exist");
  for (uint32_t i = 0; i < sizeOfVector(chip.links()); ++i) {
    const fb::Link &link = *chip.links()->Get(i);
    if (!link.from() || !link.to() ||
        !areCosts({link.latency_ns(), link.bytes_per_ns(),
                   link.energy_pj_per_byte()}))
      return failure("link " + std::to_string(i) +
                     " has an end without a name, or a cost that is no number "
                     "of at least 0");
  }
  if (!areCosts({chip.time_s(), chip.passive_power_w(), chip.area_mm2()}) ||
      !std::isfinite(chip.temperature_c()))
    return failure("its time, temperature, power or area is no number");
  return success();
}

Status rt::verifyProgram(const LoadedProgram &loaded) {
  const fb::Program &program = loaded.program();
  if (!program.chip())
    return failure("there is no chip description");
  if (Status s = verifyChip(*program.chip()); !s.ok())
    return std::move(s).within("chip '" + text(program.chip()->name()) + "'");
  if (sizeOfVector(program.units()) == 0 ||
      sizeOfVector(program.entries()) == 0)
    return failure("there are no units or no entry points");
  for (uint32_t i = 0; i < sizeOfVector(program.banks()); ++i)
    if (Status s = verifyBank(loaded, *program.banks()->Get(i)); !s.ok())
      return std::move(s).within("bank '" +
                                 text(program.banks()->Get(i)->name()) + "'");
  for (uint32_t i = 0; i < sizeOfVector(program.arrays()); ++i)
    if (Status s = verifyArray(program, *program.arrays()->Get(i)); !s.ok())
      return std::move(s).within("array " + std::to_string(i));
  for (uint32_t i = 0; i < sizeOfVector(program.units()); ++i)
    if (Status s = verifyUnit(program, i); !s.ok())
      return std::move(s).within("unit " + std::to_string(i));
  for (uint32_t i = 0; i < sizeOfVector(program.channels()); ++i) {
    const fb::Channel &channel = *program.channels()->Get(i);
    if (channel.from() >= program.units()->size() ||
        channel.to() >= program.units()->size() ||
        channel.bytes() > (uint64_t(1) << 40))
      return failure("channel " + std::to_string(i) +
                     " joins units that do not exist");
  }
  for (uint32_t i = 0; i < sizeOfVector(program.codes()); ++i)
    if (Status s = verifyCode(*program.codes()->Get(i)); !s.ok())
      return std::move(s).within("program '" +
                                 text(program.codes()->Get(i)->name()) + "'");
  for (uint32_t i = 0; i < sizeOfVector(program.entries()); ++i)
    if (Status s = verifyEntry(loaded, *program.entries()->Get(i)); !s.ok())
      return std::move(s).within("entry point '" +
                                 text(program.entries()->Get(i)->name()) + "'");
  return success();
}
