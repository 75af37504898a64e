//===- Images.cpp - constant data on its way into the file ----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Images.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/APFloat.h"

#include <cmath>
#include <cstring>

using namespace mlir;
using namespace mho;

/// Elements that are converted at a time.
static constexpr int64_t kBlock = 1 << 16;

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

FailureOr<Elements> Elements::of(Operation *op, ElementsAttr attr) {
  Elements elements;
  std::optional<isa::Type> type = tile::elementTypeOf(attr.getElementType());
  if (!type)
    return op->emitError("no program holds elements of ")
           << attr.getElementType();
  elements.element = *type;
  elements.count = attr.getNumElements();

  ArrayRef<char> raw;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attr)) {
    AsmResourceBlob *blob = resource.getRawHandle().getBlob();
    if (!blob)
      return op->emitError("its data '")
             << resource.getRawHandle().getKey()
             << "' is not there: this text was printed without weight data "
                "(--emit-bytecode keeps it)";
    raw = blob->getData();
  } else if (auto dense = dyn_cast<DenseIntOrFPElementsAttr>(attr)) {
    if (*type == isa::Type::Bool) {
      for (bool value : dense.getValues<bool>())
        elements.unpacked.push_back(std::byte(value));
      return elements;
    }
    elements.isSplat = dense.isSplat();
    raw = dense.getRawData();
  } else {
    return op->emitError("its data must be dense, found ") << attr;
  }
  if (*type == isa::Type::I4 || *type == isa::Type::I2) {
    // In programs the bits above a narrow integer are its sign.
    unsigned shift = *type == isa::Type::I4 ? 4 : 6;
    int64_t given = elements.isSplat ? 1 : elements.count;
    for (int64_t i = 0; i < elements.count && int64_t(raw.size()) >= given; ++i)
      elements.unpacked.push_back(std::byte(
          int8_t(uint8_t(raw[elements.isSplat ? 0 : i]) << shift) >> shift));
    if (int64_t(elements.unpacked.size()) == elements.count) {
      elements.isSplat = false;
      return elements;
    }
  }
  elements.data = reinterpret_cast<const std::byte *>(raw.data());
  uint64_t needed = elements.isSplat ? isa::sizeOf(*type) : elements.bytes();
  if (raw.size() < needed)
    return op->emitError("its data has ")
           << raw.size() << " bytes, expected " << needed;
  return elements;
}

std::optional<std::span<const std::byte>> Elements::whole() const {
  if (isSplat && count > 1)
    return std::nullopt;
  return std::span(unpacked.empty() ? data : unpacked.data(), bytes());
}

Status Elements::write(const Sink &sink) const {
  if (auto all = whole())
    return sink(*all);
  size_t width = isa::sizeOf(element);
  std::vector<std::byte> block;
  for (int64_t i = 0; i < std::min(count, kBlock); ++i)
    block.insert(block.end(), data, data + width);
  for (int64_t left = count; left > 0; left -= kBlock)
    if (Status status =
            sink(std::span(block.data(), width * std::min(left, kBlock)));
        !status.ok())
      return status;
  return mho::success();
}

template <typename T> static T load(const std::byte *data, int64_t i) {
  T value;
  std::memcpy(&value, data + i * sizeof(T), sizeof(T));
  return value;
}

float Elements::asFloat(int64_t i) const {
  if (isSplat)
    i = 0;
  const std::byte *from = unpacked.empty() ? data : unpacked.data();
  switch (element) {
  case isa::Type::F32:
    return load<float>(from, i);
  case isa::Type::F64:
    return load<double>(from, i);
  case isa::Type::Bool:
  case isa::Type::U8:
    return load<uint8_t>(from, i);
  case isa::Type::I8:
    return load<int8_t>(from, i);
  case isa::Type::I16:
    return load<int16_t>(from, i);
  case isa::Type::U16:
    return load<uint16_t>(from, i);
  case isa::Type::I32:
    return load<int32_t>(from, i);
  case isa::Type::U32:
    return load<uint32_t>(from, i);
  case isa::Type::I64:
    return load<int64_t>(from, i);
  case isa::Type::U64:
    return load<uint64_t>(from, i);
  case isa::Type::F16:
    return APFloat(APFloat::IEEEhalf(), APInt(16, load<uint16_t>(from, i)))
        .convertToFloat();
  case isa::Type::BF16:
    return APFloat(APFloat::BFloat(), APInt(16, load<uint16_t>(from, i)))
        .convertToFloat();
  case isa::Type::I4:
  case isa::Type::I2:
    return load<int8_t>(from, i);
  case isa::Type::U4:
  case isa::Type::U2:
    return load<uint8_t>(from, i);
  default:
    return std::nanf("");
  }
}

//===----------------------------------------------------------------------===//
// WeightImage
//===----------------------------------------------------------------------===//

/// Element numbers along `axes`, the last one fastest.
static std::vector<int64_t> walkAxes(ArrayRef<int64_t> axes,
                                     ArrayRef<int64_t> sizes,
                                     ArrayRef<int64_t> strides) {
  std::vector<int64_t> offsets = {0};
  for (int64_t axis : axes) {
    std::vector<int64_t> longer;
    longer.reserve(offsets.size() * sizes[axis]);
    for (int64_t offset : offsets)
      for (int64_t i = 0; i < sizes[axis]; ++i)
        longer.push_back(offset + i * strides[axis]);
    offsets = std::move(longer);
  }
  return offsets;
}

FailureOr<WeightImage> WeightImage::of(analog::BankOp bank) {
  WeightImage image;
  image.name = bank.getSymName().str();
  FailureOr<Elements> elements = Elements::of(bank, bank.getWeights());
  if (failed(elements))
    return mlir::failure();
  image.elements = std::move(*elements);
  ArrayRef<int64_t> shape = bank.getWeights().getShapedType().getShape();
  SmallVector<int64_t> strides(shape.size(), 1);
  for (size_t axis = shape.size(); axis-- > 1;)
    strides[axis - 1] = strides[axis] * shape[axis];
  analog::ViewAttr view = bank.getView();
  image.rowOffsets = walkAxes(view.getRows(), view.getSizes(), strides);
  image.colOffsets = walkAxes(view.getColumns(), view.getSizes(), strides);
  int64_t first = 0;
  for (auto [offset, stride] : llvm::zip(view.getOffsets(), strides))
    first += offset * stride;
  for (int64_t &offset : image.rowOffsets)
    offset += first;
  return image;
}

Status WeightImage::write(const Sink &sink) const {
  int64_t rows = rowOffsets.size(), cols = colOffsets.size();
  int64_t rowsAtOnce =
      std::max<int64_t>(1, kBlock / std::max<int64_t>(cols, 1));
  std::vector<float> block;
  for (int64_t begin = 0; begin < rows; begin += rowsAtOnce) {
    int64_t end = std::min(rows, begin + rowsAtOnce);
    block.clear();
    for (int64_t row = begin; row < end; ++row)
      for (int64_t col = 0; col < cols; ++col) {
        float weight = elements.asFloat(rowOffsets[row] + colOffsets[col]);
        if (!std::isfinite(weight))
          return mho::failure("weight " + std::to_string(row) + ", " +
                              std::to_string(col) + " of bank '" + name +
                              "' is not a finite number");
        block.push_back(weight);
      }
    if (Status status = sink(std::as_bytes(std::span(block))); !status.ok())
      return status;
  }
  return mho::success();
}

Status mho::padWith(uint64_t position, uint64_t end, const Sink &sink) {
  static constexpr std::byte zeros[256] = {};
  while (position < end) {
    uint64_t missing = std::min<uint64_t>(end - position, sizeof zeros);
    if (Status status = sink(std::span(zeros, missing)); !status.ok())
      return status;
    position += missing;
  }
  return mho::success();
}
