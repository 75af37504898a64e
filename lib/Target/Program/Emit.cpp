//===- Emit.cpp - the tile phase to a .mho file ---------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Target/Program/Emit.h"

#include "Images.h"
#include "Nodes.h"

#include "mho/Dialect/Tile/IR/TileInstructions.h"
#include "mho/Program/Loops.h"
#include "mho/Support/Format.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"

#include <algorithm>
#include <filesystem>
#include <map>

using namespace mlir;
using namespace mho;

namespace {

/// A part of the constant section.
struct Constant {
  Operation *op;
  uint64_t offset;
  Elements elements;
};

/// Builds the structure; the images are written from what it collects.
class Emitter {
public:
  Emitter(ModuleOp module, const fb::ChipT &chip, const EmitOptions &options)
      : module(module), options(options), nodes(program) {
    program.chip = std::make_unique<fb::ChipT>(chip);
  }

  LogicalResult build();
  LogicalResult write(StringRef path);

private:
  Status expectRoom(StringRef path) const;
  LogicalResult addUnits();
  LogicalResult addConstants();
  LogicalResult addBank(analog::BankOp bank);
  LogicalResult addArrays(analog::BankOp bank, uint32_t number);
  LogicalResult addAffine(analog::BankOp bank, std::optional<ElementsAttr> attr,
                          uint64_t &place);
  LogicalResult addChannels();
  void numberTables();
  LogicalResult addValue(tile::ValueOp value);
  LogicalResult addProgram(tile::ProgramOp program);
  LogicalResult relate(tile::ProgramOp program,
                       std::vector<tile::LoweredInstruction> &list);
  fb::EntryT &entryNamed(StringRef name);

  /// Where a physical array stands: its number in `program.arrays`.
  using ArrayKey = std::pair<uint32_t, uint32_t>; // unit, array of the unit

  ModuleOp module;
  const EmitOptions &options;
  fb::ProgramT program;
  NodeTable nodes;
  std::map<ArrayKey, uint32_t> arrays;
  /// Per unit: array or channel number in the text to place in its table.
  std::vector<DenseMap<uint32_t, uint32_t>> arrayTables, channelTables;
  std::vector<Constant> constants;
  std::vector<WeightImage> images;
  llvm::StringMap<uint32_t> entries;
  std::map<std::vector<uint8_t>, std::vector<uint32_t>> codesByBytes;
};

} // namespace

//===----------------------------------------------------------------------===//
// Units, banks, channels
//===----------------------------------------------------------------------===//

LogicalResult Emitter::addUnits() {
  auto units = module->getAttrOfType<ArrayAttr>(analog::kUnitsAttr);
  if (!units)
    return module.emitError("has no attribute '") << analog::kUnitsAttr << "'";
  for (Attribute attr : units) {
    auto dictionary = dyn_cast<DictionaryAttr>(attr);
    auto kind = dictionary ? dictionary.getAs<StringAttr>("kind") : nullptr;
    auto index = dictionary ? dictionary.getAs<IntegerAttr>("index") : nullptr;
    if (!kind || !index)
      return module.emitError("attribute '")
             << analog::kUnitsAttr << "' needs kind and index per unit, found "
             << attr;
    auto unit = std::make_unique<fb::UnitT>();
    const auto &kinds = program.chip->kinds;
    auto found = llvm::find_if(
        kinds, [&](const auto &k) { return k->name == kind.getValue(); });
    if (found == kinds.end())
      return module.emitError("chip '")
             << program.chip->name << "' has no units of kind " << kind;
    unit->kind = uint32_t(found - kinds.begin());
    unit->index = uint32_t(index.getInt());
    unit->name = (kind.getValue() + Twine(index.getInt())).str();
    program.units.push_back(std::move(unit));
  }
  arrayTables.resize(program.units.size());
  channelTables.resize(program.units.size());
  return success();
}

LogicalResult Emitter::addConstants() {
  for (auto op : module.getOps<tile::ConstantOp>()) {
    FailureOr<Elements> elements = Elements::of(op, op.getValue());
    if (failed(elements))
      return failure();
    constants.push_back({op, op.getOffset(), std::move(*elements)});
  }
  llvm::sort(constants, [](const Constant &a, const Constant &b) {
    return a.offset < b.offset;
  });
  for (const Constant &constant : constants) {
    if (constant.offset < program.const_bytes)
      return constant.op->emitError("overlaps another constant at offset ")
             << constant.offset;
    program.const_bytes = constant.offset + constant.elements.bytes();
  }
  return success();
}

LogicalResult Emitter::addAffine(analog::BankOp bank,
                                 std::optional<ElementsAttr> attr,
                                 uint64_t &place) {
  place = kNoAffine;
  if (!attr)
    return success();
  FailureOr<Elements> elements = Elements::of(bank, *attr);
  if (failed(elements))
    return failure();
  if (elements->type() != isa::Type::F32)
    return bank.emitError("scale and shift must be f32, found ") << *attr;
  place = llvm::alignTo(program.const_bytes, kSectionAlignment);
  program.const_bytes = place + elements->bytes();
  constants.push_back({bank, place, std::move(*elements)});
  return success();
}

LogicalResult Emitter::addArrays(analog::BankOp bank, uint32_t number) {
  ArrayRef<int64_t> rows = bank.getRowSplits(), cols = bank.getColSplits();
  ArrayRef<int32_t> places = bank.getPlaces();
  ArrayRef<float> ranges;
  if (auto attr = bank.getAdcRanges())
    ranges = *attr;
  size_t blocks = (rows.size() - 1) * (cols.size() - 1);
  bool perColumn = ranges.size() > blocks;
  size_t used = 0;
  for (size_t block = 0; block < blocks; ++block) {
    auto array = std::make_unique<fb::ArrayT>();
    array->unit = uint32_t(places[3 * block]);
    array->index = uint32_t(places[3 * block + 1]);
    array->tier = uint32_t(places[3 * block + 2]);
    array->bank = number;
    array->row_block = uint32_t(block / (cols.size() - 1));
    array->col_block = uint32_t(block % (cols.size() - 1));
    if (array->unit >= program.units.size())
      return bank.emitError("block ")
             << block << " lies on unit " << array->unit << " of "
             << program.units.size();
    if (!ranges.empty()) {
      size_t count =
          perColumn ? cols[array->col_block + 1] - cols[array->col_block] : 1;
      if (used + count > ranges.size())
        return bank.emitError("has ")
               << ranges.size() << " ADC ranges, expected one per block or one "
               << "per block and column";
      array->adc_range.assign(ranges.begin() + used,
                              ranges.begin() + used + count);
      used += count;
    }
    auto [it, isNew] = arrays.try_emplace(ArrayKey(array->unit, array->index),
                                          uint32_t(program.arrays.size()));
    if (!isNew)
      return bank.emitError("block ")
             << block << " lies on array " << array->index << " of unit "
             << array->unit << ", where another block is already";
    program.arrays.push_back(std::move(array));
  }
  if (used != ranges.size())
    return bank.emitError("has ")
           << ranges.size() << " ADC ranges, expected " << used;
  return success();
}

LogicalResult Emitter::addBank(analog::BankOp bank) {
  FailureOr<WeightImage> image = WeightImage::of(bank);
  if (failed(image))
    return failure();
  auto entry = std::make_unique<fb::BankT>();
  entry->name = bank.getSymName();
  entry->rows = uint64_t(bank.getView().getNumRows());
  entry->cols = uint64_t(bank.getView().getNumColumns());
  entry->stride = entry->cols;
  entry->offset = llvm::alignTo(program.weights_bytes, kSectionAlignment);
  program.weights_bytes =
      entry->offset + entry->rows * entry->cols * sizeof(float);
  entry->node = nodes.nodeOf(bank.getLoc());
  if (auto range = bank.getInputRange())
    entry->input_range = range->convertToFloat();
  entry->row_splits.assign(bank.getRowSplits().begin(),
                           bank.getRowSplits().end());
  entry->col_splits.assign(bank.getColSplits().begin(),
                           bank.getColSplits().end());
  if (failed(addAffine(bank, bank.getScale(), entry->scale)) ||
      failed(addAffine(bank, bank.getShift(), entry->shift)))
    return failure();
  uint32_t number = uint32_t(program.banks.size());
  program.banks.push_back(std::move(entry));
  images.push_back(std::move(*image));
  return addArrays(bank, number);
}

LogicalResult Emitter::addChannels() {
  auto pairs = module->getAttrOfType<DenseI32ArrayAttr>(analog::kChannelsAttr);
  if (!pairs)
    return success();
  for (int64_t i = 0; i + 1 < pairs.size(); i += 2) {
    auto channel = std::make_unique<fb::ChannelT>();
    channel->from = uint32_t(pairs[i]);
    channel->to = uint32_t(pairs[i + 1]);
    if (channel->from >= program.units.size() ||
        channel->to >= program.units.size())
      return module.emitError("channel ")
             << i / 2 << " joins units " << channel->from << " and "
             << channel->to << " of " << program.units.size();
    program.channels.push_back(std::move(channel));
  }
  return success();
}

/// Instructions name arrays and channels by their place in the unit's own
/// tables, so that units that do the same have the same bytes.
void Emitter::numberTables() {
  for (auto [key, array] : arrays) {
    auto [unit, index] = key;
    auto &table = program.units[unit]->arrays;
    arrayTables[unit][index] = uint32_t(table.size());
    table.push_back(array);
  }
  for (auto [number, channel] : llvm::enumerate(program.channels))
    for (uint32_t unit : {channel->from, channel->to}) {
      auto &table = program.units[unit]->channels;
      if (channelTables[unit].try_emplace(number, table.size()).second)
        table.push_back(uint32_t(number));
    }
}

//===----------------------------------------------------------------------===//
// Entry points and programs
//===----------------------------------------------------------------------===//

fb::EntryT &Emitter::entryNamed(StringRef name) {
  auto [it, isNew] =
      entries.try_emplace(name, uint32_t(program.entries.size()));
  if (isNew) {
    auto entry = std::make_unique<fb::EntryT>();
    entry->name = name;
    entry->codes.assign(program.units.size(), kIdle);
    program.entries.push_back(std::move(entry));
  }
  return *program.entries[it->second];
}

LogicalResult Emitter::addValue(tile::ValueOp op) {
  auto type = cast<RankedTensorType>(op.getType());
  auto value = std::make_unique<fb::ValueT>();
  value->name = op.getName();
  value->type = uint8_t(*tile::elementTypeOf(type.getElementType()));
  value->shape.assign(type.getShape().begin(), type.getShape().end());
  value->offset = op.getOffset();
  value->bytes = op.getBytes();
  if (auto slots = op.getExtentSlots())
    value->extent_slots.assign(slots->begin(), slots->end());
  auto strings = [](std::optional<ArrayAttr> attr,
                    std::vector<std::string> &list) {
    if (attr)
      for (StringAttr text : attr->getAsRange<StringAttr>())
        list.push_back(text.str());
  };
  strings(op.getBound(), value->bound);
  strings(op.getDeclared(), value->declared);

  fb::EntryT &entry = entryNamed(op.getEntry());
  uint64_t end = llvm::alignTo(value->offset + value->bytes, kSectionAlignment);
  entry.io_bytes = std::max<uint64_t>(entry.io_bytes, end);
  auto &list = op.getDirection() == "input"    ? entry.inputs
               : op.getDirection() == "output" ? entry.outputs
                                               : entry.states;
  list.push_back(uint32_t(program.values.size()));
  program.values.push_back(std::move(value));
  return success();
}

/// What a transfer or a product moves at most.
static uint64_t pointsOf(ArrayRef<isa::Extent> dims) {
  uint64_t points = 1;
  for (const isa::Extent &extent : dims)
    points *= uint64_t(std::max<int64_t>(extent.max, 0));
  return points;
}

/// How often an instruction runs at most; a loop that nothing bounds counts
/// once.
static uint64_t tripsAround(Operation *op) {
  uint64_t trips = 1;
  for (auto loop = op->getParentOfType<tile::LoopOp>(); loop;
       loop = loop->getParentOfType<tile::LoopOp>())
    if (int64_t most = loop.getTrips().getValue().max; most < isa::kManyTrips)
      trips *= uint64_t(std::max<int64_t>(most, 0));
  return trips;
}

/// Turns the numbers of arrays and channels into places in the unit's tables;
/// counts what goes over each channel and through each bank.
LogicalResult Emitter::relate(tile::ProgramOp op,
                              std::vector<tile::LoweredInstruction> &list) {
  uint32_t unit = op.getUnit();
  auto replace = [&](Operation *at, const DenseMap<uint32_t, uint32_t> &table,
                     const char *what, uint32_t &number) -> LogicalResult {
    auto it = table.find(number);
    if (it == table.end())
      return at->emitError("unit ")
             << unit << " has no " << what << " " << number;
    number = it->second;
    return success();
  };
  for (tile::LoweredInstruction &lowered : list) {
    LogicalResult result = success();
    if (auto *mvm = std::get_if<isa::Mvm>(&lowered.instruction)) {
      auto it = arrays.find(ArrayKey(unit, mvm->array));
      if (it != arrays.end()) {
        const fb::ArrayT &array = *program.arrays[it->second];
        fb::BankT &bank = *program.banks[array.bank];
        uint64_t rows = bank.row_splits[array.row_block + 1] -
                        bank.row_splits[array.row_block];
        uint64_t cols = bank.col_splits[array.col_block + 1] -
                        bank.col_splits[array.col_block];
        bank.macs_per_run +=
            pointsOf(mvm->counts) * tripsAround(lowered.op) * rows * cols;
      }
      result = replace(lowered.op, arrayTables[unit], "array", mvm->array);
    } else if (auto *send = std::get_if<isa::Send>(&lowered.instruction)) {
      uint64_t bytes = pointsOf(send->dims) * isa::sizeOf(send->from.type);
      if (send->channel < program.channels.size())
        program.channels[send->channel]->bytes =
            std::max(program.channels[send->channel]->bytes, bytes);
      result =
          replace(lowered.op, channelTables[unit], "channel", send->channel);
    } else if (auto *recv = std::get_if<isa::Recv>(&lowered.instruction)) {
      result =
          replace(lowered.op, channelTables[unit], "channel", recv->channel);
    }
    if (failed(result))
      return failure();
  }
  return success();
}

LogicalResult Emitter::addProgram(tile::ProgramOp op) {
  if (op.getUnit() >= program.units.size())
    return op.emitError("unit ")
           << op.getUnit() << " of " << program.units.size();
  std::vector<tile::LoweredInstruction> list;
  if (failed(tile::toInstructions(op.getBody().front(), list)) ||
      failed(relate(op, list)))
    return failure();
  if (list.empty() ||
      !std::holds_alternative<isa::End>(list.back().instruction))
    return op.emitError("must end in tile.end");

  auto code = std::make_unique<fb::CodeT>();
  code->name = op.getSymName();
  std::vector<isa::Instruction> instructions;
  for (tile::LoweredInstruction &lowered : list) {
    code->locations.push_back(nodes.locationOf(lowered.op));
    instructions.push_back(std::move(lowered.instruction));
  }
  isa::encode(instructions, code->bytes);
  for (tile::SlotAttr slot : op.getSlots().getAsRange<tile::SlotAttr>()) {
    auto entry = std::make_unique<fb::SlotT>();
    entry->min = slot.getMin();
    entry->max = slot.getMax();
    entry->initial = slot.getInitial();
    code->slots.push_back(std::move(entry));
  }
  code->scratch_bytes = op.getScratchBytes();
  code->peak_bytes = op.getPeakBytes();

  // Units whose streams are equal share one.
  auto sameAs = [&](const fb::CodeT &other) {
    return other.locations == code->locations &&
           other.scratch_bytes == code->scratch_bytes &&
           other.peak_bytes == code->peak_bytes &&
           llvm::equal(other.slots, code->slots,
                       [](const auto &a, const auto &b) {
                         return a->min == b->min && a->max == b->max &&
                                a->initial == b->initial;
                       });
  };
  std::vector<uint32_t> &candidates = codesByBytes[code->bytes];
  auto it = llvm::find_if(
      candidates, [&](uint32_t i) { return sameAs(*program.codes[i]); });
  uint32_t number = it != candidates.end() ? *it : program.codes.size();
  if (it == candidates.end()) {
    candidates.push_back(number);
    program.codes.push_back(std::move(code));
  }
  uint32_t &place = entryNamed(op.getEntry()).codes[op.getUnit()];
  if (place != kIdle)
    return op.emitError("unit ")
           << op.getUnit() << " has two programs in entry point '"
           << op.getEntry() << "'";
  place = number;
  return success();
}

//===----------------------------------------------------------------------===//
// The whole
//===----------------------------------------------------------------------===//

LogicalResult Emitter::build() {
  program.format = kFormatVersion;
  program.producer = "mho " MHO_VERSION;
  program.target = program.chip->name;
  program.seed = options.seed;
  program.calibrated = options.calibrated;
  program.notes = options.notes;
  program.model = options.model;
  program.opset = options.opset;
  if (auto model = module->getAttrOfType<StringAttr>("mho.model");
      model && program.model.empty())
    program.model = model.str();
  if (auto opset = module->getAttrOfType<IntegerAttr>("mho.opset");
      opset && program.opset == 0)
    program.opset = opset.getInt();

  if (failed(addUnits()) || failed(addConstants()))
    return failure();
  for (auto bank : module.getOps<analog::BankOp>())
    if (failed(addBank(bank)))
      return failure();
  if (failed(addChannels()))
    return failure();
  numberTables();
  for (auto value : module.getOps<tile::ValueOp>())
    if (failed(addValue(value)))
      return failure();
  for (auto code : module.getOps<tile::ProgramOp>())
    if (failed(addProgram(code)))
      return failure();
  if (program.entries.empty())
    return module.emitError("has no tile.program");
  if (auto folded = module->getAttrOfType<ArrayAttr>(kFoldedNodesAttr))
    for (auto node : folded.getAsRange<StringAttr>())
      nodes.addFolded(node.getValue());
  return success();
}

/// A fault where the disk has not the room for constants and weights: a small
/// model may declare more than any disk holds.
Status Emitter::expectRoom(StringRef path) const {
  double needed = 0;
  for (const Constant &constant : constants)
    needed += double(constant.elements.bytes());
  for (const auto &bank : program.banks)
    needed += double(bank->rows) * double(bank->cols) * sizeof(float);
  std::filesystem::path folder =
      std::filesystem::path(path.str()).parent_path();
  std::error_code code;
  std::filesystem::space_info space =
      std::filesystem::space(folder.empty() ? "." : folder, code);
  if (code || needed <= double(space.available))
    return mho::success();
  return mho::failure("'" + path.str() + "' would have " +
                      formatBytes(uint64_t(std::min(needed, 0x1p62))) +
                      " of constants and weights, the disk has room for " +
                      formatBytes(space.available));
}

LogicalResult Emitter::write(StringRef path) {
  SectionWriter writeConstants = [&](const Sink &sink) {
    uint64_t position = 0;
    for (const Constant &constant : constants) {
      Status status = padWith(position, constant.offset, sink);
      if (status.ok())
        status = constant.elements.write(sink);
      if (!status.ok())
        return status;
      position = constant.offset + constant.elements.bytes();
    }
    return mho::success();
  };
  SectionWriter writeWeights = [&](const Sink &sink) {
    uint64_t position = 0;
    for (auto [bank, image] : llvm::zip(program.banks, images)) {
      Status status = padWith(position, bank->offset, sink);
      if (status.ok())
        status = image.write(sink);
      if (!status.ok())
        return status;
      position = bank->offset + bank->rows * bank->cols * sizeof(float);
    }
    return mho::success();
  };
  Status status = expectRoom(path);
  if (status.ok())
    status = writeContainer(path.str(), program, writeConstants, writeWeights);
  if (!status.ok())
    return emitError(UnknownLoc::get(module.getContext()), status.message());
  return success();
}

LogicalResult mho::emitProgram(ModuleOp module, StringRef path,
                               const fb::ChipT &chip,
                               const EmitOptions &options) {
  Emitter emitter(module, chip, options);
  if (failed(emitter.build()))
    return mlir::failure();
  return emitter.write(path);
}
