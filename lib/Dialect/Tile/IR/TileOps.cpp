//===- TileOps.cpp - the tile dialect's ops -------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FieldText.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mho;
using namespace mho::tile;

//===----------------------------------------------------------------------===//
// Directives of assembly formats
//===----------------------------------------------------------------------===//

static ParseResult parseExtent(OpAsmParser &parser, ExtentAttr &attr) {
  isa::Extent extent;
  if (parseExtentText(parser, extent))
    return failure();
  attr = ExtentAttr::get(parser.getContext(), extent);
  return success();
}

static void printExtent(OpAsmPrinter &printer, Operation *, ExtentAttr attr) {
  printExtentText(printer, attr.getValue());
}

static ParseResult parseExtents(OpAsmParser &parser, ExtentsAttr &attr) {
  std::vector<isa::Extent> extents;
  if (parseExtentsText(parser, extents))
    return failure();
  attr = ExtentsAttr::get(parser.getContext(), extents);
  return success();
}

static void printExtents(OpAsmPrinter &printer, Operation *, ExtentsAttr attr) {
  printExtentsText(printer, attr.getValue());
}

static ParseResult parseCombine(OpAsmParser &parser, CombineAttr &attr) {
  isa::WriteKind kind;
  if (parseCombineText(parser, kind))
    return failure();
  attr = CombineAttr::get(parser.getContext(), kind);
  return success();
}

static void printCombine(OpAsmPrinter &printer, Operation *, CombineAttr attr) {
  printer << isa::nameOf(attr.getValue());
}

static ParseResult parseKeyword(OpAsmParser &parser, StringAttr &attr) {
  StringRef keyword;
  if (parser.parseKeyword(&keyword))
    return failure();
  attr = parser.getBuilder().getStringAttr(keyword);
  return success();
}

static void printKeyword(OpAsmPrinter &printer, Operation *, StringAttr attr) {
  printer << attr.getValue();
}

#include "mho/Dialect/Tile/IR/TileDialect.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "mho/Dialect/Tile/IR/TileAttrs.cpp.inc"

#define GET_OP_CLASSES
#include "mho/Dialect/Tile/IR/TileOps.cpp.inc"

void TileDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "mho/Dialect/Tile/IR/TileAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "mho/Dialect/Tile/IR/TileOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// KernelOp
//===----------------------------------------------------------------------===//

LogicalResult KernelOp::verify() {
  size_t dims = getDims().getValue().size();
  auto check = [&](const isa::Access &access, const char *what,
                   size_t i) -> LogicalResult {
    if (access.strides.size() == dims)
      return success();
    return emitOpError("has ")
           << dims << " dimensions, but " << what << " " << i << " has "
           << access.strides.size() << " strides";
  };
  for (auto [i, read] : llvm::enumerate(getReads().getAsRange<AccessAttr>()))
    if (failed(check(read.getValue(), "read", i)))
      return failure();
  for (auto [i, write] : llvm::enumerate(getWrites().getAsRange<WriteAttr>()))
    if (failed(check(write.getValue().access, "write", i)))
      return failure();
  return success();
}

LogicalResult KernelOp::verifyRegions() {
  SmallVector<isa::Type> inputs;
  for (AccessAttr read : getReads().getAsRange<AccessAttr>())
    inputs.push_back(read.getValue().type);
  for (WriteAttr write : getWrites().getAsRange<WriteAttr>())
    if (write.getValue().kind == isa::WriteKind::Carry)
      inputs.push_back(write.getValue().access.type);
  Block &block = getBody().front();
  if (block.getNumArguments() != inputs.size())
    return emitOpError("needs one block argument per read and per carried "
                       "write, ")
           << inputs.size() << " in all, found " << block.getNumArguments();
  for (auto [i, type] : llvm::enumerate(inputs))
    if (block.getArgument(i).getType() != registerType(getContext(), type))
      return emitOpError("block argument ")
             << i << " must be " << registerType(getContext(), type)
             << ", since memory holds " << isa::nameOf(type);
  auto yield = dyn_cast<YieldOp>(block.getTerminator());
  if (!yield)
    return emitOpError("must end in tile.yield");
  if (yield.getNumOperands() != getWrites().size())
    return yield.emitOpError("needs one value per write, ")
           << getWrites().size() << " in all, found " << yield.getNumOperands();
  for (auto [value, write] :
       llvm::zip(yield.getValues(), getWrites().getAsRange<WriteAttr>())) {
    isa::Type type = write.getValue().access.type;
    bool isIndex = value.getType().isIndex() && isa::sizeOf(type) == 8 &&
                   !isa::isFloat(type);
    if (!isIndex && value.getType() != registerType(getContext(), type))
      return yield.emitOpError("yields ")
             << value.getType() << " where memory holds " << isa::nameOf(type);
  }
  return success();
}

LogicalResult LoadOp::verify() {
  const isa::Table &table = getTable().getValue();
  if (table.sizes.size() != getIndices().size() ||
      table.access.strides.size() != getIndices().size())
    return emitOpError("needs one index, one size and one stride per "
                       "dimension, found ")
           << getIndices().size() << ", " << table.sizes.size() << " and "
           << table.access.strides.size();
  if (getResult().getType() != registerType(getContext(), table.access.type))
    return emitOpError("gives ")
           << getResult().getType() << " where memory holds "
           << isa::nameOf(table.access.type);
  return success();
}

//===----------------------------------------------------------------------===//
// Module level
//===----------------------------------------------------------------------===//

LogicalResult ProgramOp::verifyRegions() {
  size_t slots = getSlots().size();
  for (auto [i, slot] : llvm::enumerate(getSlots().getAsRange<SlotAttr>()))
    if (slot.getMin() > slot.getMax() || slot.getInitial() < slot.getMin() ||
        slot.getInitial() > slot.getMax())
      return emitOpError("slot ")
             << i << " of " << slots << " needs min <= initially <= max, found "
             << slot;
  if (getPeakBytes() > getScratchBytes())
    return emitOpError("uses ")
           << getPeakBytes() << " bytes of a scratch of " << getScratchBytes();
  return success();
}

LogicalResult ValueOp::verify() {
  if (!llvm::is_contained({"input", "output", "state"}, getDirection()))
    return emitOpError("expected input, output or state, found '")
           << getDirection() << "'";
  auto type = dyn_cast<RankedTensorType>(getType());
  if (!type || !type.hasStaticShape())
    return emitOpError("needs a tensor type of fixed shape, found ")
           << getType();
  std::optional<isa::Type> element = elementTypeOf(type.getElementType());
  if (!element)
    return emitOpError("cannot hold elements of ") << type.getElementType();
  uint64_t needed = uint64_t(type.getNumElements()) * isa::sizeOf(*element);
  if (getBytes() < needed)
    return emitOpError("needs ") << needed << " bytes, has " << getBytes();
  if (getExtentSlots() && int64_t(getExtentSlots()->size()) != type.getRank())
    return emitOpError("needs one entry of extent_slots per dimension");
  return success();
}

LogicalResult ConstantOp::verify() {
  if (!elementTypeOf(getValue().getElementType()))
    return emitOpError("cannot hold elements of ")
           << getValue().getElementType();
  return success();
}
