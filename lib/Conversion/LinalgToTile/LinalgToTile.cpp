//===- LinalgToTile.cpp - unit functions to tile programs -----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Programs go where their functions stood. Ops become instructions in their
// own order; views, allocations and constants are only addresses and vanish.
//
//===----------------------------------------------------------------------===//

#include "mho/Conversion/LinalgToTile/LinalgToTile.h"

#include "Instructions.h"

#include "mho/Conversion/GraphToLinalg/GraphToLinalg.h"
#include "mho/Dialect/Graph/IR/GraphOps.h"
#include "mho/Dialect/Tile/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mho {
#define GEN_PASS_DEF_CONVERTLINALGTOTILE
#include "mho/Conversion/Passes.h.inc"
} // namespace mho

using namespace mlir;
using namespace mho;

namespace {

/// The ONNX name of an argument or result.
constexpr llvm::StringLiteral kNameAttr = "mho.name";
/// On an argument: for each dimension "NAME=LOW..HIGH" where only the run knows
/// its extent. Those of one name are the same.
constexpr llvm::StringLiteral kBoundsAttr = "mho.bounds";

int64_t numberOf(func::FuncOp func, StringRef name) {
  auto attr = func->getAttrOfType<IntegerAttr>(name);
  return attr ? attr.getInt() : 0;
}

/// Converts one function; the program stands behind it.
class UnitConverter {
public:
  UnitConverter(func::FuncOp func, const Places &places,
                const llvm::DenseMap<StringAttr, analog::BankOp> &banks,
                int32_t unit)
      : func(func), b(func), scalars(func, b, places),
        context{scalars, banks, unit} {}

  LogicalResult run() {
    if (!llvm::hasSingleElement(func.getBody()))
      return func.emitOpError("has branches between blocks, which no "
                              "instruction does");
    StringRef unitName = func.getSymName();
    // @unit_3_main runs in entry point "main".
    StringRef entry = unitName;
    if (entry.consume_front("unit_"))
      entry = entry.drop_while(llvm::isDigit);
    entry.consume_front("_");
    if (entry.empty())
      entry = "main";
    addValues(entry);
    auto program = tile::ProgramOp::create(
        b, func.getLoc(), StringAttr::get(func.getContext(), unitName),
        StringAttr(), b.getI32IntegerAttr(context.unit), b.getStringAttr(entry),
        b.getI64IntegerAttr(numberOf(func, tile::kScratchBytesAttr)),
        b.getI64IntegerAttr(numberOf(func, tile::kPeakBytesAttr)),
        b.getArrayAttr({}));
    b.createBlock(&program.getBody());
    LogicalResult result = scalars.analyse();
    if (succeeded(result))
      result = convertBlock(func.getBody().front());
    if (succeeded(result))
      result = shareExtents();
    for (auto *list : {&inputs, &outputs})
      for (auto [i, value] : llvm::enumerate(*list))
        if (list == &inputs)
          noteExtents(value, inputExtents[i],
                      func.getArgAttrOfType<ArrayAttr>(i, kBoundsAttr));
        else
          noteExtents(value, outputExtents[i], {});
    tile::EndOp::create(b, func.getLoc());
    program.setSlotsAttr(scalars.slotsAttr());
    return result;
  }

private:
  void addValues(StringRef entry) {
    for (BlockArgument arg : func.getArguments())
      addValue("input", arg.getArgNumber(), arg.getType(),
               func.getArgAttrDict(arg.getArgNumber()), arg.getLoc(), entry);
    for (auto [i, type] : llvm::enumerate(func.getResultTypes()))
      addValue("output", i, type, func.getResultAttrDict(i), func.getLoc(),
               entry);
  }

  /// Gives every dimension of one name one slot, used or not: what arrives is
  /// held against it.
  LogicalResult shareExtents() {
    llvm::StringMap<uint32_t> named;
    for (bool first : {true, false})
      for (BlockArgument arg : func.getArguments()) {
        unsigned i = arg.getArgNumber();
        auto bounds = func.getArgAttrOfType<ArrayAttr>(i, kBoundsAttr);
        if (!bounds)
          continue;
        for (auto [axis, text] :
             llvm::enumerate(bounds.getAsValueRange<StringAttr>())) {
          if (text.empty())
            continue;
          auto [name, range] = text.rsplit('=');
          auto [least, most] = range.split("..");
          Interval interval;
          if (least.getAsInteger(10, interval.low) ||
              most.getAsInteger(10, interval.high))
            return func.emitOpError("expected NAME=LOW..HIGH, found ") << text;
          auto known = inputExtents[i].find(axis);
          if (first && known != inputExtents[i].end())
            named.try_emplace(name, known->second);
          else if (!first && known == inputExtents[i].end())
            inputExtents[i][axis] =
                named.count(name) ? named[name]
                                  : (named[name] = scalars.newSlot(interval));
        }
      }
    return success();
  }

  /// Notes which dimensions are known at run time, and their slots.
  void noteExtents(tile::ValueOp value,
                   const std::map<int64_t, uint32_t> &slots, ArrayAttr given) {
    if (slots.empty())
      return;
    auto shape = cast<RankedTensorType>(value.getType()).getShape();
    SmallVector<int32_t> numbers(shape.size(), -1);
    SmallVector<StringRef> bounds(shape.size());
    SmallVector<std::string> texts;
    for (auto [axis, extent] : llvm::enumerate(shape))
      texts.push_back(std::to_string(extent));
    for (auto [axis, slot] : slots) {
      numbers[axis] = int32_t(slot);
      bounds[axis] = texts[axis];
    }
    if (given)
      for (auto [bound, own] :
           llvm::zip(bounds, given.getAsValueRange<StringAttr>()))
        if (!own.empty())
          bound = own;
    value.setExtentSlots(numbers);
    value.setBoundAttr(b.getStrArrayAttr(bounds));
  }

  LogicalResult convertExtent(graph::ExtentOp op) {
    if (op.getInput() >= inputs.size())
      return op.emitOpError("names input ")
             << op.getInput() << " of " << inputs.size();
    auto known = inputExtents[op.getInput()].find(op.getDim());
    // What is bounded and not used otherwise is refused when it arrives.
    Interval range{0, int64_t(op.getBound())};
    auto bound = op->hasOneUse()
                     ? llvm::dyn_cast<graph::BoundOp>(*op->user_begin())
                     : graph::BoundOp();
    if (bound)
      range = {std::max(range.low, int64_t(bound.getLow())),
               std::min(range.high, int64_t(bound.getHigh()))};
    uint32_t slot = known != inputExtents[op.getInput()].end()
                        ? known->second
                        : scalars.newSlot(range);
    inputExtents[op.getInput()][op.getDim()] = slot;
    scalars.define(op.getExtent(), LinearForm{0, {{slot, 1}}});
    return success();
  }

  LogicalResult convertSetExtent(graph::SetExtentOp op) {
    if (op.getOutput() >= outputs.size())
      return op.emitOpError("names output ")
             << op.getOutput() << " of " << outputs.size();
    auto type = cast<RankedTensorType>(outputs[op.getOutput()].getType());
    if (int64_t(op.getDim()) >= type.getRank())
      return op.emitOpError("names dimension ")
             << op.getDim() << " of " << type;
    FailureOr<isa::Extent> extent = scalars.extentInSlot(
        op.getExtent(), type.getDimSize(op.getDim()), op.getLoc());
    if (failed(extent))
      return failure();
    outputExtents[op.getOutput()][op.getDim()] = uint32_t(extent->slot);
    return success();
  }

  void addValue(StringRef direction, unsigned i, Type type,
                DictionaryAttr attributes, Location loc, StringRef entry) {
    auto buffer = cast<MemRefType>(type);
    Type declared =
        RankedTensorType::get(buffer.getShape(), buffer.getElementType());
    auto name = b.getStringAttr(direction + Twine(i));
    int64_t offset = 0;
    if (attributes) {
      if (auto own = attributes.getAs<TypeAttr>(kDeclaredTypeAttr))
        declared = own.getValue();
      if (auto own = attributes.getAs<StringAttr>(kNameAttr))
        name = own;
      if (auto own = attributes.getAs<IntegerAttr>(tile::kOffsetAttr))
        offset = own.getInt();
    }
    int64_t bytes = buffer.getNumElements();
    if (auto element = tile::elementTypeOf(buffer.getElementType()))
      bytes *= isa::sizeOf(*element);
    auto value = tile::ValueOp::create(
        b, loc, b.getStringAttr(direction), name, TypeAttr::get(declared),
        b.getI64IntegerAttr(offset), b.getI64IntegerAttr(bytes),
        b.getStringAttr(entry), DenseI32ArrayAttr(), ArrayAttr(), ArrayAttr());
    (direction == "input" ? inputs : outputs).push_back(value);
  }

  LogicalResult convertBlock(Block &block) {
    LogicalResult result = success();
    for (Operation &op : block)
      if (failed(convert(&op)))
        result = failure();
    return result;
  }

  LogicalResult convert(Operation *op) {
    if (auto view = llvm::dyn_cast<memref::SubViewOp>(op))
      return scalars.define(view);
    if (auto view = llvm::dyn_cast<memref::ExpandShapeOp>(op))
      return scalars.define(view);
    if (llvm::isa<ViewLikeOpInterface, memref::AllocOp, memref::DeallocOp,
                  memref::GetGlobalOp>(op) ||
        op->hasTrait<OpTrait::ConstantLike>() ||
        op->hasTrait<OpTrait::IsTerminator>())
      return success();
    if (auto bound = llvm::dyn_cast<graph::BoundOp>(op))
      return scalars.define(bound);
    if (isScalarArithmetic(op))
      return scalars.define(op);
    auto nested = [&](Block &block) { return convertBlock(block); };
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case(
            [&](linalg::GenericOp o) { return convertGeneric(o, b, context); })
        .Case([&](linalg::FillOp o) { return convertFill(o, b, context); })
        .Case([&](memref::CopyOp o) { return convertCopy(o, b, context); })
        .Case([&](analog::MvmOp o) { return convertMvm(o, b, context); })
        .Case([&](digital::SortOp o) { return convertSort(o, b, context); })
        .Case(
            [&](digital::ScatterOp o) { return convertScatter(o, b, context); })
        .Case(
            [&](digital::CompactOp o) { return convertCompact(o, b, context); })
        .Case([&](analog::SendOp o) { return convertSend(o, b, context); })
        .Case([&](analog::RecvOp o) { return convertRecv(o, b, context); })
        .Case([&](graph::ExtentOp o) { return convertExtent(o); })
        .Case([&](graph::SetExtentOp o) { return convertSetExtent(o); })
        .Case([&](memref::LoadOp o) { return scalars.define(o); })
        .Case([&](memref::StoreOp o) { return scalars.store(o); })
        .Case([&](scf::ForOp o) { return convertFor(o, b, context, nested); })
        .Case([&](scf::IfOp o) { return convertIf(o, b, context, nested); })
        .Case(
            [&](scf::WhileOp o) { return convertWhile(o, b, context, nested); })
        .Default(
            [](Operation *o) { return o->emitOpError("has no instruction"); });
  }

  func::FuncOp func;
  OpBuilder b;
  Scalars scalars;
  UnitContext context;
  SmallVector<tile::ValueOp> inputs, outputs;
  /// By value: the slots of dimensions that are known at run time.
  std::map<size_t, std::map<int64_t, uint32_t>> inputExtents, outputExtents;
};

struct ConvertLinalgToTile
    : mho::impl::ConvertLinalgToTileBase<ConvertLinalgToTile> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    Places places(module);
    llvm::DenseMap<StringAttr, analog::BankOp> banks;
    for (auto bank : module.getOps<analog::BankOp>())
      banks[bank.getSymNameAttr()] = bank;

    SmallVector<func::FuncOp> functions(module.getOps<func::FuncOp>());
    bool failedOnce = false;
    for (func::FuncOp func : functions) {
      auto unit = func->getAttrOfType<IntegerAttr>(analog::kUnitAttr);
      int32_t number = unit ? int32_t(unit.getInt()) : 0;
      if (failed(UnitConverter(func, places, banks, number).run()))
        failedOnce = true;
    }
    if (failedOnce)
      return signalPassFailure();
    for (func::FuncOp func : functions)
      func.erase();
    replaceGlobals(module);
  }

  void replaceGlobals(ModuleOp module) {
    for (auto global :
         llvm::make_early_inc_range(module.getOps<memref::GlobalOp>())) {
      OpBuilder b(global);
      auto offset = global->getAttrOfType<IntegerAttr>(tile::kOffsetAttr);
      auto value =
          dyn_cast_if_present<ElementsAttr>(global.getInitialValueAttr());
      if (!value || !offset) {
        global.emitOpError("has no value or no planned place");
        signalPassFailure();
        continue;
      }
      tile::ConstantOp::create(b, global.getLoc(), global.getSymNameAttr(),
                               StringAttr(), offset, value);
      global.erase();
    }
  }
};

} // namespace
