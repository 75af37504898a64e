//===- TileAttrs.cpp - text of instruction fields -------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FieldText.h"

#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace mho;
using namespace mho::tile;

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

std::optional<isa::Type> tile::elementTypeOf(Type type) {
  if (type.isIndex())
    return isa::Type::I64;
  if (auto integer = dyn_cast<IntegerType>(type)) {
    bool isUnsigned = integer.isUnsigned();
    switch (integer.getWidth()) {
    case 1:
      return isa::Type::Bool;
    case 2:
      return isUnsigned ? isa::Type::U2 : isa::Type::I2;
    case 4:
      return isUnsigned ? isa::Type::U4 : isa::Type::I4;
    case 8:
      return isUnsigned ? isa::Type::U8 : isa::Type::I8;
    case 16:
      return isUnsigned ? isa::Type::U16 : isa::Type::I16;
    case 32:
      return isUnsigned ? isa::Type::U32 : isa::Type::I32;
    case 64:
      return isUnsigned ? isa::Type::U64 : isa::Type::I64;
    default:
      return std::nullopt;
    }
  }
  for (unsigned i = 0; i < isa::kNumTypes; ++i)
    if (isa::isFloat(isa::Type(i)) &&
        registerType(type.getContext(), isa::Type(i)) == type)
      return isa::Type(i);
  return std::nullopt;
}

Type tile::registerType(MLIRContext *context, isa::Type type) {
  switch (type) {
  case isa::Type::Bool:
    return IntegerType::get(context, 1);
  case isa::Type::I2:
  case isa::Type::U2:
    return IntegerType::get(context, 2);
  case isa::Type::I4:
  case isa::Type::U4:
    return IntegerType::get(context, 4);
  case isa::Type::F16:
    return Float16Type::get(context);
  case isa::Type::BF16:
    return BFloat16Type::get(context);
  case isa::Type::F32:
    return Float32Type::get(context);
  case isa::Type::F64:
    return Float64Type::get(context);
  case isa::Type::F8E4M3FN:
    return Float8E4M3FNType::get(context);
  case isa::Type::F8E5M2:
    return Float8E5M2Type::get(context);
  case isa::Type::F8E4M3FNUZ:
    return Float8E4M3FNUZType::get(context);
  case isa::Type::F8E5M2FNUZ:
    return Float8E5M2FNUZType::get(context);
  case isa::Type::F8E8M0:
    return Float8E8M0FNUType::get(context);
  case isa::Type::F4E2M1:
    return Float4E2M1FNType::get(context);
  default:
    return IntegerType::get(context, 8 * isa::sizeOf(type));
  }
}

Type tile::memoryType(MLIRContext *context, isa::Type type) {
  Type same = registerType(context, type);
  if (isa::isUnsigned(type) && type != isa::Type::Bool)
    return IntegerType::get(context, same.getIntOrFloatBitWidth(),
                            IntegerType::Unsigned);
  return same;
}

//===----------------------------------------------------------------------===//
// Shared pieces of text
//===----------------------------------------------------------------------===//

static ParseResult parseIntegers(AsmParser &parser,
                                 std::vector<int64_t> &list) {
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
    return parser.parseInteger(list.emplace_back());
  });
}

static void printIntegers(AsmPrinter &printer,
                          const std::vector<int64_t> &list) {
  printer << '[';
  llvm::interleaveComma(list, printer.getStream());
  printer << ']';
}

ParseResult tile::parseExtentText(AsmParser &parser, isa::Extent &extent) {
  extent = {};
  if (failed(parser.parseOptionalKeyword("slot")))
    return parser.parseInteger(extent.max);
  return failure(parser.parseInteger(extent.slot) ||
                 parser.parseKeyword("max") || parser.parseInteger(extent.max));
}

void tile::printExtentText(AsmPrinter &printer, const isa::Extent &extent) {
  if (extent.slot != isa::kNoSlot)
    printer << "slot " << extent.slot << " max ";
  printer << extent.max;
}

ParseResult tile::parseExtentsText(AsmParser &parser,
                                   std::vector<isa::Extent> &extents) {
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
    return parseExtentText(parser, extents.emplace_back());
  });
}

void tile::printExtentsText(AsmPrinter &printer,
                            ArrayRef<isa::Extent> extents) {
  printer << '[';
  llvm::interleaveComma(
      extents, printer.getStream(),
      [&](const isa::Extent &extent) { printExtentText(printer, extent); });
  printer << ']';
}

ParseResult tile::parseCombineText(AsmParser &parser, isa::WriteKind &kind) {
  StringRef name;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&name))
    return failure();
  for (unsigned i = 0; i < isa::kNumWriteKinds; ++i)
    if (name == isa::nameOf(isa::WriteKind(i))) {
      kind = isa::WriteKind(i);
      return success();
    }
  return parser.emitError(loc, "unknown way to combine '") << name << "'";
}

/// `f32 scratch at 64, [128, 1]` and what follows of an access. Stops before
/// a comma that begins something else; `more` says that one was taken.
static ParseResult parseAccess(AsmParser &parser, isa::Access &access,
                               bool &more) {
  StringRef type, space;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&type) || parser.parseKeyword(&space) ||
      parser.parseKeyword("at") || parser.parseInteger(access.offset) ||
      parser.parseComma() || parseIntegers(parser, access.strides))
    return failure();
  std::optional<isa::Type> known = isa::typeNamed(type.str());
  if (!known)
    return parser.emitError(loc, "unknown element type '") << type << "'";
  access.type = *known;
  unsigned number = 0;
  while (number < 4 && space != isa::nameOf(isa::Space(number)))
    ++number;
  if (number == 4)
    return parser.emitError(loc, "unknown space '")
           << space << "', expected scratch, const, io or slot";
  access.space = isa::Space(number);

  while ((more = succeeded(parser.parseOptionalComma()))) {
    if (succeeded(parser.parseOptionalKeyword("slots"))) {
      if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
            isa::SlotTerm &term = access.slots.emplace_back();
            return failure(parser.parseInteger(term.slot) ||
                           parser.parseStar() ||
                           parser.parseInteger(term.stride));
          }))
        return failure();
    } else if (succeeded(parser.parseOptionalKeyword("valid"))) {
      if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
            isa::ValidRange &range = access.valid.emplace_back();
            return failure(
                parser.parseInteger(range.offset) || parser.parsePlus() ||
                parseIntegers(parser, range.coefficients) ||
                parser.parseKeyword("in") || parser.parseInteger(range.size));
          }))
        return failure();
    } else if (succeeded(parser.parseOptionalKeyword("fill"))) {
      APFloat fill(0.0);
      if (parser.parseFloat(APFloat::IEEEdouble(), fill))
        return failure();
      access.fill = fill.convertToDouble();
    } else {
      return success();
    }
  }
  return success();
}

static void printAccess(AsmPrinter &printer, const isa::Access &access) {
  printer << isa::nameOf(access.type) << ' ' << isa::nameOf(access.space)
          << " at " << access.offset << ", ";
  printIntegers(printer, access.strides);
  if (!access.slots.empty()) {
    printer << ", slots [";
    llvm::interleaveComma(access.slots, printer.getStream(),
                          [&](const isa::SlotTerm &term) {
                            printer << term.slot << " * " << term.stride;
                          });
    printer << ']';
  }
  if (!access.valid.empty()) {
    printer << ", valid [";
    llvm::interleaveComma(access.valid, printer.getStream(),
                          [&](const isa::ValidRange &range) {
                            printer << range.offset << " + ";
                            printIntegers(printer, range.coefficients);
                            printer << " in " << range.size;
                          });
    printer << ']';
  }
  if (llvm::bit_cast<uint64_t>(access.fill) != 0) {
    printer << ", fill ";
    printer.printFloat(APFloat(access.fill));
  }
}

/// The semantics of float types whose values MLIR's text can say.
static const llvm::fltSemantics *semanticsOf(MLIRContext *context,
                                             isa::Type type) {
  if (!isa::isFloat(type))
    return nullptr;
  return &cast<FloatType>(registerType(context, type)).getFloatSemantics();
}

/// A first value: as a number of the type, or `bits` where the high bytes
/// hold something too.
static ParseResult parseInit(AsmParser &parser, isa::Type type,
                             uint64_t &init) {
  if (succeeded(parser.parseOptionalKeyword("bits")))
    return parser.parseInteger(init);
  if (auto *semantics = semanticsOf(parser.getContext(), type)) {
    APFloat value(*semantics);
    if (parser.parseFloat(*semantics, value))
      return failure();
    init = value.bitcastToAPInt().getZExtValue();
    return success();
  }
  int64_t value = 0;
  if (parser.parseInteger(value))
    return failure();
  unsigned width = 8 * isa::sizeOf(type);
  init = uint64_t(value) & (~uint64_t(0) >> (64 - width));
  return success();
}

static void printInit(AsmPrinter &printer, MLIRContext *context, isa::Type type,
                      uint64_t init) {
  const llvm::fltSemantics *semantics = semanticsOf(context, type);
  unsigned width =
      semantics ? APFloat::getSizeInBits(*semantics) : 8 * isa::sizeOf(type);
  if (width < 64 && init >> width != 0)
    printer << "bits " << init;
  else if (semantics)
    printer.printFloat(APFloat(*semantics, APInt(width, init)));
  else
    printer << APInt(width, init).getSExtValue();
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

Attribute ExtentAttr::parse(AsmParser &parser, Type) {
  isa::Extent extent;
  if (parser.parseLess() || parseExtentText(parser, extent) ||
      parser.parseGreater())
    return {};
  return get(parser.getContext(), extent);
}

void ExtentAttr::print(AsmPrinter &printer) const {
  printer << '<';
  printExtentText(printer, getValue());
  printer << '>';
}

Attribute ExtentsAttr::parse(AsmParser &parser, Type) {
  std::vector<isa::Extent> extents;
  if (parser.parseLess() || parseExtentsText(parser, extents) ||
      parser.parseGreater())
    return {};
  return get(parser.getContext(), extents);
}

void ExtentsAttr::print(AsmPrinter &printer) const {
  printer << '<';
  printExtentsText(printer, getValue());
  printer << '>';
}

Attribute AccessAttr::parse(AsmParser &parser, Type) {
  isa::Access access;
  bool more = false;
  if (parser.parseLess() || parseAccess(parser, access, more))
    return {};
  if (more) {
    parser.emitError(parser.getCurrentLocation(),
                     "expected slots, valid or fill");
    return {};
  }
  if (parser.parseGreater())
    return {};
  return get(parser.getContext(), access);
}

void AccessAttr::print(AsmPrinter &printer) const {
  printer << '<';
  printAccess(printer, getValue());
  printer << '>';
}

Attribute WriteAttr::parse(AsmParser &parser, Type) {
  isa::Write write;
  bool more = false;
  if (parser.parseLess() || parseAccess(parser, write.access, more))
    return {};
  if (more) {
    if (parseCombineText(parser, write.kind))
      return {};
    if (succeeded(parser.parseOptionalKeyword("from"))) {
      if (parser.parseKeyword("memory"))
        return {};
      write.fromMemory = true;
    }
    if (succeeded(parser.parseOptionalKeyword("init")) &&
        parseInit(parser, write.access.type, write.init))
      return {};
  }
  if (parser.parseGreater())
    return {};
  return get(parser.getContext(), write);
}

void WriteAttr::print(AsmPrinter &printer) const {
  const isa::Write &write = getValue();
  printer << '<';
  printAccess(printer, write.access);
  bool isStore = write.kind == isa::WriteKind::Store;
  if (!isStore || write.fromMemory || write.init) {
    printer << ", " << isa::nameOf(write.kind);
    if (write.fromMemory)
      printer << " from memory";
    if (write.init || (!write.fromMemory && !isStore)) {
      printer << " init ";
      printInit(printer, getContext(), write.access.type, write.init);
    }
  }
  printer << '>';
}

Attribute TableAttr::parse(AsmParser &parser, Type) {
  isa::Table table;
  bool more = false;
  if (parser.parseLess() || parseAccess(parser, table.access, more))
    return {};
  if (!more) {
    parser.emitError(parser.getCurrentLocation(), "expected ', sizes [...]'");
    return {};
  }
  if (parser.parseKeyword("sizes") || parseIntegers(parser, table.sizes) ||
      parser.parseGreater())
    return {};
  return get(parser.getContext(), table);
}

void TableAttr::print(AsmPrinter &printer) const {
  printer << '<';
  printAccess(printer, getValue().access);
  printer << ", sizes ";
  printIntegers(printer, getValue().sizes);
  printer << '>';
}

Attribute CombineAttr::parse(AsmParser &parser, Type) {
  isa::WriteKind kind;
  if (parser.parseLess() || parseCombineText(parser, kind) ||
      parser.parseGreater())
    return {};
  return get(parser.getContext(), kind);
}

void CombineAttr::print(AsmPrinter &printer) const {
  printer << '<' << isa::nameOf(getValue()) << '>';
}
