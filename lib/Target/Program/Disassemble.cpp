//===- Disassemble.cpp - a .mho file to the tile phase --------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The container's structure is checked, its meaning is not: every number that
// leads into a table is looked at here too.
//
//===----------------------------------------------------------------------===//

#include "mho/Target/Program/Disassemble.h"

#include "Nodes.h"

#include "mho/Dialect/Analog/IR/AnalogOps.h"
#include "mho/Dialect/Graph/IR/NodeLoc.h"
#include "mho/Dialect/Tile/IR/TileInstructions.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;
using namespace mho;

namespace {

template <typename Vector> size_t sizeOf(const Vector *vector) {
  return vector ? vector->size() : 0;
}

StringRef textOf(const flatbuffers::String *text) {
  return text ? StringRef(text->data(), text->size()) : StringRef();
}

template <typename T, typename Vector> SmallVector<T> listOf(const Vector *v) {
  return v ? SmallVector<T>(v->begin(), v->end()) : SmallVector<T>();
}

class Disassembler {
public:
  Disassembler(std::shared_ptr<const Container> file, MLIRContext &context)
      : file(std::move(file)), program(this->file->program()), context(context),
        builder(&context), top(UnknownLoc::get(&context)) {}

  OwningOpRef<ModuleOp> run() {
    OwningOpRef<ModuleOp> module = ModuleOp::create(top);
    builder.setInsertionPointToEnd(module->getBody());
    if (failed(addLocations()) || failed(addAttributes(*module)) ||
        failed(addConstants()) || failed(addBanks()) || failed(addEntries()) ||
        failed(verify(*module)))
      return {};
    return module;
  }

private:
  LogicalResult fault(const Twine &what) {
    return emitError(top, "'" + file->path() + "': " + what);
  }

  LogicalResult addLocations();
  LogicalResult addAttributes(ModuleOp module);
  LogicalResult addConstants();
  LogicalResult addBanks();
  FailureOr<analog::BankOp> addBank(uint32_t number);
  LogicalResult addEntries();
  LogicalResult addValue(StringRef direction, uint32_t number, StringRef entry);
  LogicalResult addCode(const fb::Entry &entry, uint32_t unit,
                        const fb::Code &code);
  LogicalResult globalNumbers(uint32_t unit,
                              std::vector<isa::Instruction> &list);
  /// A constant over mapped bytes.
  FailureOr<ElementsAttr> view(std::span<const std::byte> section,
                               uint64_t offset, RankedTensorType type,
                               StringRef name);
  Location nodeLocation(uint32_t number) {
    return number < nodes.size() ? nodes[number] : top;
  }

  std::shared_ptr<const Container> file;
  const fb::Program &program;
  MLIRContext &context;
  OpBuilder builder;
  Location top;
  std::vector<Location> nodes, locations;
};

} // namespace

LogicalResult Disassembler::addLocations() {
  if (program.nodes())
    for (const fb::Node *node : *program.nodes())
      nodes.push_back(textOf(node->name()).empty()
                          ? top
                          : graph::nodeLoc(&context, textOf(node->name()),
                                           textOf(node->op())));
  if (program.locations())
    for (const fb::Location *location : *program.locations()) {
      SmallVector<Location> parts;
      for (uint32_t node : listOf<uint32_t>(location->nodes()))
        parts.push_back(nodeLocation(node));
      auto weights = listOf<int64_t>(location->weights());
      Attribute shares;
      if (!weights.empty())
        shares = builder.getDenseI64ArrayAttr(weights);
      locations.push_back(FusedLoc::get(parts, shares, &context));
    }
  return success();
}

LogicalResult Disassembler::addAttributes(ModuleOp module) {
  const fb::Chip *chip = program.chip();
  if (!chip || !program.units())
    return fault("the structure lacks its chip or its units");
  SmallVector<Attribute> units;
  for (const fb::Unit *unit : *program.units()) {
    if (unit->kind() >= sizeOf(chip->kinds()))
      return fault("a unit is of kind " + Twine(unit->kind()) +
                   ", which the chip does not have");
    StringRef kind = textOf(chip->kinds()->Get(unit->kind())->name());
    units.push_back(builder.getDictionaryAttr(
        {builder.getNamedAttr("kind", builder.getStringAttr(kind)),
         builder.getNamedAttr("index",
                              builder.getI64IntegerAttr(unit->index()))}));
  }
  SmallVector<int32_t> channels;
  if (program.channels())
    for (const fb::Channel *channel : *program.channels()) {
      channels.push_back(int32_t(channel->from()));
      channels.push_back(int32_t(channel->to()));
    }
  module->setAttr(analog::kUnitsAttr, builder.getArrayAttr(units));
  module->setAttr(analog::kChannelsAttr,
                  builder.getDenseI32ArrayAttr(channels));
  module->setAttr(analog::kChipAttr,
                  builder.getStringAttr(textOf(chip->name())));
  if (program.model())
    module->setAttr("mho.model",
                    builder.getStringAttr(textOf(program.model())));
  if (program.opset())
    module->setAttr("mho.opset", builder.getI64IntegerAttr(program.opset()));
  SmallVector<Attribute> folded;
  if (program.nodes())
    for (const fb::Node *node : *program.nodes())
      if (!textOf(node->folded_into()).empty())
        folded.push_back(builder.getStringAttr(textOf(node->name()) + "@" +
                                               textOf(node->op())));
  if (!folded.empty())
    module->setAttr(kFoldedNodesAttr, builder.getArrayAttr(folded));
  return success();
}

FailureOr<ElementsAttr> Disassembler::view(std::span<const std::byte> section,
                                           uint64_t offset,
                                           RankedTensorType type,
                                           StringRef name) {
  uint64_t width = type.getElementTypeBitWidth() / 8;
  uint64_t elements = uint64_t(type.getNumElements());
  if (offset > section.size() || elements > (section.size() - offset) / width)
    return fault("'" + name + "' lies outside its section");
  ArrayRef<char> bytes(reinterpret_cast<const char *>(section.data()) + offset,
                       elements * width);
  // The blob keeps the mapping alive.
  AsmResourceBlob blob(
      bytes, kSectionAlignment, [file = file](void *, size_t, size_t) {},
      /*dataIsMutable=*/false);
  auto resource = cast<DenseResourceElementsAttr>(
      DenseResourceElementsAttr::get(type, name, std::move(blob)));
  return cast<ElementsAttr>(Attribute(resource));
}

LogicalResult Disassembler::addConstants() {
  // What stands before the banks' scales and shifts is the constant space.
  uint64_t end = file->constants().size();
  if (program.banks())
    for (const fb::Bank *bank : *program.banks())
      end = std::min({end, bank->scale(), bank->shift()});
  if (end == 0)
    return success();
  auto type = RankedTensorType::get({int64_t(end)}, builder.getI8Type());
  FailureOr<ElementsAttr> value = view(file->constants(), 0, type, "constants");
  if (failed(value))
    return failure();
  tile::ConstantOp::create(builder, top, builder.getStringAttr("constants"),
                           StringAttr(), builder.getI64IntegerAttr(0), *value);
  return success();
}

FailureOr<analog::BankOp> Disassembler::addBank(uint32_t number) {
  const fb::Bank &bank = *program.banks()->Get(number);
  StringRef name = textOf(bank.name());
  int64_t rows = bank.rows(), cols = bank.cols();
  if (rows <= 0 || cols <= 0 || bank.stride() != bank.cols() ||
      rows > INT64_MAX / cols / 4)
    return fault("bank '" + name + "' has the extents " + Twine(rows) + " x " +
                 Twine(cols));
  Type f32 = builder.getF32Type();
  FailureOr<ElementsAttr> weights =
      view(file->weights(), bank.offset(),
           RankedTensorType::get({rows, cols}, f32), name);
  if (failed(weights))
    return failure();
  ElementsAttr affine[2];
  const uint64_t affinePlaces[] = {bank.scale(), bank.shift()};
  for (auto [i, place] : llvm::enumerate(affinePlaces)) {
    if (place == kNoAffine)
      continue;
    FailureOr<ElementsAttr> values =
        view(file->constants(), place, RankedTensorType::get({cols}, f32),
             (name + (i ? "_shift" : "_scale")).str());
    if (failed(values))
      return failure();
    affine[i] = *values;
  }

  auto rowSplits = listOf<int64_t>(bank.row_splits());
  auto colSplits = listOf<int64_t>(bank.col_splits());
  if (rowSplits.size() < 2 || colSplits.size() < 2)
    return fault("bank '" + name + "' has no blocks");
  size_t columns = colSplits.size() - 1;
  SmallVector<int32_t> places(3 * (rowSplits.size() - 1) * columns, 0);
  std::vector<SmallVector<float>> ranges(places.size() / 3);
  std::string encoding = "differential";
  unsigned devices = 1;
  if (program.arrays())
    for (const fb::Array *array : *program.arrays()) {
      if (array->bank() != number)
        continue;
      size_t block = size_t(array->row_block()) * columns + array->col_block();
      if (array->col_block() >= columns || 3 * block >= places.size() ||
          array->unit() >= program.units()->size())
        return fault("an array lies outside bank '" + name + "'");
      places[3 * block] = int32_t(array->unit());
      places[3 * block + 1] = int32_t(array->index());
      places[3 * block + 2] = int32_t(array->tier());
      ranges[block] = listOf<float>(array->adc_range());
      auto *kind = program.chip()->kinds()->Get(
          program.units()->Get(array->unit())->kind());
      if (kind->arrays()) {
        if (kind->arrays()->encoding())
          encoding = textOf(kind->arrays()->encoding());
        devices = kind->arrays()->devices_per_polarity();
      }
    }
  SmallVector<float> allRanges;
  for (const SmallVector<float> &range : ranges)
    allRanges.append(range.begin(), range.end());

  auto viewAttr =
      analog::ViewAttr::get(&context, ArrayRef<int64_t>{0},
                            ArrayRef<int64_t>{1}, ArrayRef<int64_t>{0, 0},
                            ArrayRef<int64_t>{rows, cols}, ArrayRef<int64_t>());
  auto encodingAttr = analog::EncodingAttr::get(&context, encoding, devices);
  FloatAttr inputRange = bank.input_range() != 0
                             ? builder.getF32FloatAttr(bank.input_range())
                             : FloatAttr();
  DenseF32ArrayAttr adcRanges = allRanges.empty()
                                    ? DenseF32ArrayAttr()
                                    : builder.getDenseF32ArrayAttr(allRanges);
  return analog::BankOp::create(
      builder, nodeLocation(bank.node()), builder.getStringAttr(name),
      StringAttr(), *weights, viewAttr, encodingAttr, affine[0], affine[1],
      builder.getDenseI64ArrayAttr(rowSplits),
      builder.getDenseI64ArrayAttr(colSplits),
      builder.getDenseI32ArrayAttr(places), inputRange, adcRanges);
}

LogicalResult Disassembler::addBanks() {
  for (uint32_t i = 0; i < sizeOf(program.banks()); ++i)
    if (failed(addBank(i)))
      return failure();
  return success();
}

LogicalResult Disassembler::addValue(StringRef direction, uint32_t number,
                                     StringRef entry) {
  if (number >= sizeOf(program.values()))
    return fault("entry point '" + entry + "' names value " + Twine(number));
  const fb::Value &value = *program.values()->Get(number);
  if (value.type() >= isa::kNumTypes)
    return fault("value '" + textOf(value.name()) + "' is of unknown type");
  auto shape = listOf<int64_t>(value.shape());
  if (llvm::any_of(shape, [](int64_t extent) { return extent < 0; }))
    return fault("value '" + textOf(value.name()) + "' has a negative extent");
  auto type = RankedTensorType::get(
      shape, tile::memoryType(&context, isa::Type(value.type())));
  auto strings = [&](const auto *list) -> ArrayAttr {
    if (!sizeOf(list))
      return {};
    SmallVector<Attribute> attrs;
    for (const flatbuffers::String *text : *list)
      attrs.push_back(builder.getStringAttr(textOf(text)));
    return builder.getArrayAttr(attrs);
  };
  auto slots = listOf<int32_t>(value.extent_slots());
  tile::ValueOp::create(
      builder, top, builder.getStringAttr(direction),
      builder.getStringAttr(textOf(value.name())), TypeAttr::get(type),
      builder.getI64IntegerAttr(value.offset()),
      builder.getI64IntegerAttr(value.bytes()), builder.getStringAttr(entry),
      slots.empty() ? DenseI32ArrayAttr() : builder.getDenseI32ArrayAttr(slots),
      strings(value.bound()), strings(value.declared()));
  return success();
}

/// Undoes what emission does to array and channel numbers.
LogicalResult Disassembler::globalNumbers(uint32_t unit,
                                          std::vector<isa::Instruction> &list) {
  const fb::Unit &tables = *program.units()->Get(unit);
  for (isa::Instruction &instruction : list) {
    if (auto *mvm = std::get_if<isa::Mvm>(&instruction)) {
      if (mvm->array >= sizeOf(tables.arrays()) ||
          tables.arrays()->Get(mvm->array) >= sizeOf(program.arrays()))
        return fault("unit " + Twine(unit) + " has no array " +
                     Twine(mvm->array));
      mvm->array =
          program.arrays()->Get(tables.arrays()->Get(mvm->array))->index();
      continue;
    }
    uint32_t *channel = nullptr;
    if (auto *send = std::get_if<isa::Send>(&instruction))
      channel = &send->channel;
    else if (auto *recv = std::get_if<isa::Recv>(&instruction))
      channel = &recv->channel;
    if (!channel)
      continue;
    if (*channel >= sizeOf(tables.channels()))
      return fault("unit " + Twine(unit) + " has no channel " +
                   Twine(*channel));
    *channel = tables.channels()->Get(*channel);
  }
  return success();
}

LogicalResult Disassembler::addCode(const fb::Entry &entry, uint32_t unit,
                                    const fb::Code &code) {
  std::span<const uint8_t> bytes;
  if (code.bytes())
    bytes = {code.bytes()->data(), code.bytes()->size()};
  Expected<std::vector<isa::Instruction>> list = isa::decode(bytes);
  if (!list.ok())
    return fault("program '" + textOf(code.name()) + "': " + list.message());
  if (failed(globalNumbers(unit, *list)))
    return failure();
  SmallVector<Attribute> slots;
  if (code.slots())
    for (const fb::Slot *slot : *code.slots())
      slots.push_back(tile::SlotAttr::get(&context, slot->min(), slot->max(),
                                          slot->initial()));
  std::string name = ("unit_" + Twine(unit) + "_" + textOf(entry.name())).str();
  auto op = tile::ProgramOp::create(
      builder, top, builder.getStringAttr(name), StringAttr(),
      builder.getI32IntegerAttr(int32_t(unit)),
      builder.getStringAttr(textOf(entry.name())),
      builder.getI64IntegerAttr(code.scratch_bytes()),
      builder.getI64IntegerAttr(code.peak_bytes()),
      builder.getArrayAttr(slots));
  OpBuilder::InsertionGuard guard(builder);
  builder.createBlock(&op.getBody());
  return tile::fromInstructions(builder, *list, [&](size_t i) -> Location {
    if (i >= sizeOf(code.locations()) ||
        code.locations()->Get(i) >= locations.size())
      return top;
    return locations[code.locations()->Get(i)];
  });
}

LogicalResult Disassembler::addEntries() {
  if (!program.entries())
    return fault("the structure has no entry points");
  for (const fb::Entry *entry : *program.entries()) {
    StringRef name = textOf(entry->name());
    auto add = [&](StringRef direction, const auto *numbers) {
      for (uint32_t number : listOf<uint32_t>(numbers))
        if (failed(addValue(direction, number, name)))
          return failure();
      return success();
    };
    if (failed(add("input", entry->inputs())) ||
        failed(add("output", entry->outputs())) ||
        failed(add("state", entry->states())))
      return failure();
    for (uint32_t unit = 0; unit < sizeOf(entry->codes()); ++unit) {
      uint32_t code = entry->codes()->Get(unit);
      if (code == kIdle)
        continue;
      if (code >= sizeOf(program.codes()) || unit >= program.units()->size())
        return fault("entry point '" + name + "' names program " + Twine(code));
      if (failed(addCode(*entry, unit, *program.codes()->Get(code))))
        return failure();
    }
  }
  return success();
}

void mho::loadTilePhaseDialects(MLIRContext &context) {
  context.loadDialect<tile::TileDialect, analog::AnalogDialect,
                      arith::ArithDialect, math::MathDialect>();
}

OwningOpRef<ModuleOp> mho::disassemble(std::shared_ptr<const Container> file,
                                       MLIRContext &context) {
  loadTilePhaseDialects(context);
  return Disassembler(std::move(file), context).run();
}

Expected<std::string>
mho::disassembleToText(std::shared_ptr<const Container> file) {
  MLIRContext context(MLIRContext::Threading::DISABLED);
  std::string problems;
  context.getDiagEngine().registerHandler([&](Diagnostic &diagnostic) {
    problems += (problems.empty() ? "" : "\n") + diagnostic.str();
    return mlir::success();
  });
  OwningOpRef<ModuleOp> module = disassemble(std::move(file), context);
  if (!module)
    return mho::failure(problems);
  OpPrintingFlags flags;
  flags.enableDebugInfo(/*enable=*/true, /*prettyForm=*/false)
      .elideLargeElementsAttrs(16)
      .elideLargeResourceString(0);
  std::string text;
  llvm::raw_string_ostream os(text);
  module->print(os, flags);
  os << "\n";
  return text;
}
