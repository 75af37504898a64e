//===- Constants.cpp - elements of constants, whatever holds them ---------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Dequantizer.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringSet.h"

#include <cmath>
#include <cstring>
#include <limits>

using namespace mlir;

namespace mho::graph {

/// Constants beyond this many bytes are blobs, which nobody hashes.
static constexpr size_t kInlineBytes = 64 << 10;
/// What the names of folded blobs begin with.
static constexpr llvm::StringLiteral kFoldedKey = "folded";

unsigned elementBytes(Type type) {
  if (type.isInteger(1))
    return 1;
  if (isa<Float16Type, BFloat16Type, Float32Type, Float64Type, Float8E4M3FNType,
          Float8E4M3FNUZType, Float8E5M2Type, Float8E5M2FNUZType,
          Float8E8M0FNUType, Float4E2M1FNType>(type))
    return llvm::divideCeil(type.getIntOrFloatBitWidth(), 8);
  if (auto integer = dyn_cast<IntegerType>(type)) {
    unsigned width = integer.getWidth();
    if (llvm::is_contained({2, 4, 8, 16, 32, 64}, int(width)))
      return llvm::divideCeil(width, 8);
  }
  return 0;
}

bool arePacked(Type type, int64_t count, size_t bytes) {
  unsigned bits = type.getIntOrFloatBitWidth();
  return (bits == 2 || bits == 4) && bytes < size_t(count) &&
         bytes == llvm::divideCeil(size_t(count) * bits, 8);
}

Attribute reshapedConstant(Attribute constant, Type type) {
  auto shaped = dyn_cast<RankedTensorType>(type);
  auto elements = dyn_cast_or_null<ElementsAttr>(constant);
  if (!shaped || !shaped.hasStaticShape() || !elements ||
      elements.getNumElements() != shaped.getNumElements() ||
      elements.getElementType() != shaped.getElementType())
    return nullptr;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(constant))
    return DenseResourceElementsAttr::get(shaped, resource.getRawHandle());
  if (auto stored = dyn_cast<DequantizedAttr>(constant))
    return DequantizedAttr::get(stored.getContext(), shaped, stored.getValues(),
                                stored.getScale(), stored.getZero());
  auto dense = dyn_cast<DenseElementsAttr>(constant);
  return dense ? dense.reshape(shaped) : nullptr;
}

/// What a bit pattern of a type narrower than 16 bits stands for.
static double narrowValue(Type type, unsigned pattern) {
  unsigned width = type.getIntOrFloatBitWidth();
  APInt bits(8, pattern);
  bits = bits.trunc(width);
  if (auto real = dyn_cast<FloatType>(type))
    return APFloat(real.getFloatSemantics(), bits).convertToDouble();
  return type.isUnsignedInteger() ? double(bits.getZExtValue())
                                  : double(bits.getSExtValue());
}

std::optional<ConstantReader> ConstantReader::get(Attribute attribute) {
  auto elements = dyn_cast_or_null<ElementsAttr>(attribute);
  if (!elements)
    return std::nullopt;
  ConstantReader reader;
  reader.tensor = dyn_cast<RankedTensorType>(elements.getType());
  if (!reader.tensor || !reader.tensor.hasStaticShape())
    return std::nullopt;
  Type element = reader.tensor.getElementType();
  reader.bytes = elementBytes(element);
  reader.count = reader.tensor.getNumElements();
  reader.floating = isa<FloatType>(element);
  reader.isSigned = !element.isUnsignedInteger() && !element.isInteger(1);
  if (!reader.bytes)
    return std::nullopt;
  unsigned width = element.getIntOrFloatBitWidth();
  if (width == 2 || width == 4 || (width == 8 && reader.floating)) {
    reader.values = std::make_shared<std::array<Element, 256>>();
    for (unsigned pattern = 0; pattern < 256; ++pattern) {
      double value = narrowValue(element, pattern);
      (*reader.values)[pattern] = {value, reader.floating ? 0 : int64_t(value)};
    }
  }
  if (auto constant = dyn_cast<DequantizedAttr>(attribute)) {
    reader.stored = Dequantizer::of(constant);
    if (!reader.stored)
      return std::nullopt;
    return reader;
  }
  if (auto dense = dyn_cast<DenseElementsAttr>(attribute)) {
    reader.splat = dense.isSplat();
    if (element.isInteger(1)) {
      reader.owned = std::make_shared<std::vector<char>>();
      if (reader.splat)
        reader.owned->push_back(dense.getSplatValue<bool>());
      else
        for (bool value : dense.getValues<bool>())
          reader.owned->push_back(value);
      reader.data = *reader.owned;
    } else {
      reader.data = dense.getRawData();
    }
  } else if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob)
      return std::nullopt;
    reader.data = blob->getData();
  } else {
    return std::nullopt;
  }
  if (arePacked(element, reader.count, reader.data.size()))
    reader.packed = width;
  else if (reader.data.size() <
           size_t(reader.splat ? 1 : reader.count) * reader.bytes)
    return std::nullopt;
  return reader;
}

template <typename T> static T loadAs(const char *from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

float widenHalf(uint16_t half) {
  uint32_t sign = uint32_t(half >> 15) << 31, rest = half & 0x7fff;
  if (rest >= 0x7c00)
    return llvm::bit_cast<float>(sign | 0x7f800000u | (rest & 0x3ff) << 13);
  if (rest >= 0x400)
    return llvm::bit_cast<float>(sign | ((rest << 13) + (112u << 23)));
  float tiny = std::ldexp(float(rest), -24);
  return sign ? -tiny : tiny;
}

ConstantReader::Element ConstantReader::load(const char *from) const {
  if (values)
    return (*values)[uint8_t(*from)];
  auto real = [](double value) { return Element{value, int64_t(0)}; };
  auto integer = [](auto value) {
    return Element{double(value), int64_t(value)};
  };
  if (floating) {
    if (bytes == 4)
      return real(loadAs<float>(from));
    if (bytes == 8)
      return real(loadAs<double>(from));
    uint16_t bits = loadAs<uint16_t>(from);
    if (tensor.getElementType().isF16())
      return real(widenHalf(bits));
    return real(llvm::bit_cast<float>(uint32_t(bits) << 16));
  }
  switch (bytes) {
  case 1:
    return isSigned ? integer(loadAs<int8_t>(from))
                    : integer(loadAs<uint8_t>(from));
  case 2:
    return isSigned ? integer(loadAs<int16_t>(from))
                    : integer(loadAs<uint16_t>(from));
  case 4:
    return isSigned ? integer(loadAs<int32_t>(from))
                    : integer(loadAs<uint32_t>(from));
  default:
    return isSigned ? integer(loadAs<int64_t>(from))
                    : integer(loadAs<uint64_t>(from));
  }
}

double ConstantReader::asDouble(int64_t index) const {
  if (stored)
    return stored->at(index);
  return packed ? (*values)[pattern(index)].real : load(at(index)).real;
}

int64_t ConstantReader::asInteger(int64_t index) const {
  if (stored)
    return 0;
  return packed ? (*values)[pattern(index)].integer : load(at(index)).integer;
}

void ConstantReader::makePlain() {
  if (isPlain())
    return;
  auto all = std::make_shared<std::vector<char>>(count * bytes);
  if (packed) {
    for (int64_t i = 0; i < count; ++i)
      (*all)[i] = pattern(i);
  } else if (tensor.getElementType().isF32()) {
    stored->floatsFrom(0, count, reinterpret_cast<float *>(all->data()));
  } else {
    ConstantWriter one(RankedTensorType::get({1}, tensor.getElementType()),
                       /*splat=*/false);
    for (int64_t i = 0; i < count; ++i) {
      one.setDouble(0, stored->at(i));
      std::memcpy(all->data() + i * bytes, one.at(0), bytes);
    }
  }
  owned = std::move(all);
  data = *owned;
  packed = 0;
  stored = nullptr;
}

ConstantWriter::ConstantWriter(RankedTensorType type, bool splat)
    : tensor(type), count(splat ? 1 : type.getNumElements()),
      bytes(elementBytes(type.getElementType())) {
  size_t size = count * bytes;
  if (size <= kInlineBytes || type.getElementType().isInteger(1)) {
    data.resize(size);
    begin = data.data();
    return;
  }
  blob = HeapAsmResourceBlob::allocate(size, /*align=*/16);
  begin = blob->getMutableData().data();
  std::memset(begin, 0, size);
}

void ConstantWriter::setDouble(int64_t index, double value) {
  Type element = tensor.getElementType();
  if (element.isF32()) {
    float narrow = value;
    std::memcpy(at(index), &narrow, 4);
  } else if (element.isF64()) {
    std::memcpy(at(index), &value, 8);
  } else if (auto type = dyn_cast<FloatType>(element)) {
    const llvm::fltSemantics &semantics = type.getFloatSemantics();
    if (isa<Float4E2M1FNType>(element))
      value = std::isnan(value) ? 0 : std::clamp(value, -6.0, 6.0);
    llvm::APFloat narrow(value);
    bool lossy;
    narrow.convert(semantics, llvm::APFloat::rmNearestTiesToEven, &lossy);
    uint16_t bits = narrow.bitcastToAPInt().getZExtValue();
    std::memcpy(at(index), &bits, bytes);
  } else if (element.isInteger(1)) {
    *at(index) = value != 0;
  } else {
    unsigned width = element.getIntOrFloatBitWidth();
    bool isUnsigned = element.isUnsignedInteger();
    double low = isUnsigned ? 0 : -std::ldexp(1.0, width - 1);
    double high = std::ldexp(1.0, isUnsigned ? width : width - 1);
    int64_t integer;
    if (std::isnan(value))
      integer = 0;
    else if (value <= low)
      integer = isUnsigned ? 0 : int64_t(uint64_t(-1) << (width - 1));
    else if (value >= high)
      integer = isUnsigned ? int64_t(uint64_t(-1) >> (64 - width))
                           : int64_t(uint64_t(-1) >> (65 - width));
    else
      integer = value >= 0 ? int64_t(uint64_t(value)) : int64_t(value);
    setInteger(index, integer);
  }
}

void ConstantWriter::setInteger(int64_t index, int64_t value) {
  Type element = tensor.getElementType();
  if (element.isInteger(1))
    value = value != 0;
  else if (element.getIntOrFloatBitWidth() < 8)
    value &= (1 << element.getIntOrFloatBitWidth()) - 1;
  // Little-endian, as the attribute storage of this toolchain's hosts.
  std::memcpy(at(index), &value, bytes);
}

Attribute ConstantWriter::finish() {
  if (tensor.getElementType().isInteger(1)) {
    auto bools = std::make_unique<bool[]>(count);
    for (int64_t i = 0; i < count; ++i)
      bools[i] = data[i];
    return DenseElementsAttr::get(tensor,
                                  ArrayRef<bool>(bools.get(), size_t(count)));
  }
  if (!blob)
    return DenseElementsAttr::getFromRawBuffer(tensor, data);
  return DenseResourceElementsAttr::get(tensor, kFoldedKey, std::move(*blob));
}

void releaseUnusedConstants(ModuleOp module) {
  llvm::StringSet<> used;
  module.walk([&](Operation *op) {
    for (NamedAttribute attribute : op->getAttrs())
      if (auto resource =
              dyn_cast<DenseResourceElementsAttr>(attribute.getValue()))
        used.insert(resource.getRawHandle().getKey());
    if (Attribute properties = op->getPropertiesAsAttribute())
      properties.walk([&](DenseResourceElementsAttr resource) {
        used.insert(resource.getRawHandle().getKey());
      });
  });
  auto &manager =
      DenseResourceElementsHandle::getManagerInterface(module.getContext());
  SmallVector<std::string> unused;
  manager.getBlobManager().getBlobMap([&](const auto &map) {
    for (const auto &entry : map)
      if (entry.getKey().starts_with(kFoldedKey) &&
          entry.getValue().getBlob() && !used.contains(entry.getKey()))
        unused.push_back(entry.getKey().str());
  });
  for (const std::string &key : unused)
    manager.update(key, AsmResourceBlob());
}

} // namespace mho::graph
