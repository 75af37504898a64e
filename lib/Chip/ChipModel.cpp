//===- ChipModel.cpp - what passes may ask about the target ---------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Chip/ChipModel.h"

#include "BuiltinChips.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;
using namespace mho;

ChipModel::ChipModel(fb::ChipT chip) : spec(std::move(chip)) {
  for (auto [i, kind] : llvm::enumerate(spec.kinds))
    if (kind->arrays)
      arrays = i;
}

mho::Expected<std::shared_ptr<const ChipModel>>
ChipModel::read(StringRef target) {
  auto wrap = [](mho::Expected<fb::ChipT> chip)
      -> mho::Expected<std::shared_ptr<const ChipModel>> {
    if (!chip.ok())
      return chip.status();
    return std::make_shared<const ChipModel>(std::move(*chip));
  };
  for (const BuiltinChip &chip : builtinChips())
    if (chip.name == target)
      return wrap(parseChip(chip.text, (chip.name + ".yaml").str()));
  if (!target.contains('/') && !target.ends_with(".yaml") &&
      !target.ends_with(".yml")) {
    std::string names;
    for (const BuiltinChip &chip : builtinChips())
      names += (names.empty() ? "" : ", ") + chip.name.str();
    return failure("unknown target '" + target.str() + "'; built in are " +
                   names + "; a chip of your own is a path to a .yaml file");
  }
  auto buffer = MemoryBuffer::getFile(target);
  if (!buffer)
    return failure("cannot read chip file '" + target.str() +
                   "': " + buffer.getError().message());
  return wrap(parseChip((*buffer)->getBuffer(), target));
}

mho::Expected<std::shared_ptr<const ChipModel>>
ChipModel::withReadMode(StringRef mode) const {
  std::string names;
  for (auto [i, known] : llvm::enumerate(spec.read_modes)) {
    if (known->name == mode) {
      // The object API's structs do not copy; their packed form does.
      flatbuffers::FlatBufferBuilder packed;
      packed.Finish(fb::Chip::Pack(packed, &spec));
      fb::ChipT copy;
      flatbuffers::GetRoot<fb::Chip>(packed.GetBufferPointer())
          ->UnPackTo(&copy);
      copy.read_mode = i;
      return std::shared_ptr<const ChipModel>(
          std::make_shared<ChipModel>(std::move(copy)));
    }
    names += (i ? ", " : "") + known->name;
  }
  return failure("target '" + spec.name + "' has no read mode '" + mode.str() +
                 "'; it has " + names);
}

StringRef ChipModel::kindName(unsigned kind) const {
  return spec.kinds[kind]->name;
}

std::optional<int64_t> ChipModel::unitCount(unsigned kind) const {
  if (spec.kinds[kind]->unlimited)
    return std::nullopt;
  return spec.kinds[kind]->count;
}

int64_t ChipModel::arrayRows() const { return arraySpec().rows; }
int64_t ChipModel::arrayColumns() const { return arraySpec().cols; }

std::optional<int64_t> ChipModel::arraysPerUnit(unsigned kind) const {
  const auto &there = spec.kinds[kind]->arrays;
  if (!there)
    return 0;
  if (there->unlimited)
    return std::nullopt;
  return there->per_unit;
}

std::optional<int64_t> ChipModel::totalArrays() const {
  auto units = unitCount(arrays), each = arraysPerUnit(arrays);
  if (!units || !each)
    return std::nullopt;
  return *units * *each * spec.chips;
}

StringRef ChipModel::encoding() const { return arraySpec().encoding; }
unsigned ChipModel::devicesPerPolarity() const {
  return arraySpec().devices_per_polarity;
}
bool ChipModel::scalePerColumn() const { return arraySpec().scale_per_column; }
bool ChipModel::adcRangePerColumn() const {
  return arraySpec().adc_range_per_column;
}
llvm::StringRef ChipModel::gateColumns() const {
  return arraySpec().gate_columns;
}

bool ChipModel::supports(unsigned kind, StringRef op) const {
  const auto &digital = spec.kinds[kind]->digital;
  return digital && llvm::any_of(digital->operators, [&](const std::string &o) {
           return o == "all" || op == o;
         });
}

std::string ChipModel::capacity() const {
  std::string shape =
      std::to_string(arrayRows()) + "x" + std::to_string(arrayColumns());
  auto total = totalArrays();
  if (!total)
    return "as many " + shape + " arrays as a model needs";
  return std::to_string(*total) + " arrays of " + shape + ", " +
         std::to_string(*total * arrayRows() * arrayColumns()) + " weights";
}

std::vector<TargetInfo> mho::listTargets() {
  std::vector<TargetInfo> list;
  for (const BuiltinChip &chip : builtinChips()) {
    auto model = ChipModel::read(chip.name);
    if (model.ok())
      list.push_back({chip.name.str(), (*model)->chip().description,
                      (*model)->capacity()});
  }
  return list;
}
