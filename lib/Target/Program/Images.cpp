//===- Images.cpp - constant data on its way into the file ----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Images.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "llvm/ADT/STLExtras.h"

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

  if (auto reader = graph::ConstantReader::get(attr);
      reader && !reader->isPlain()) {
    elements.reader = std::move(reader);
    return elements;
  }
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
  elements.data = reinterpret_cast<const std::byte *>(raw.data());
  uint64_t needed = elements.isSplat ? isa::sizeOf(*type) : elements.bytes();
  if (raw.size() < needed)
    return op->emitError("its data has ")
           << raw.size() << " bytes, expected " << needed;
  return elements;
}

std::optional<std::span<const std::byte>> Elements::whole() const {
  if (reader || (isSplat && count > 1))
    return std::nullopt;
  return std::span(unpacked.empty() ? data : unpacked.data(), bytes());
}

/// Elements begin, begin + 1, … of `reader` in their own type.
static ArrayRef<char> elementsFrom(const graph::ConstantReader &reader,
                                   graph::ConstantWriter &to, int64_t begin,
                                   int64_t count) {
  if (reader.type().getElementType().isF32())
    reader.floatsFrom(begin, count, reinterpret_cast<float *>(to.at(0)));
  else
    for (int64_t i = 0; i < count; ++i)
      if (reader.isFloat())
        to.setDouble(i, reader.asDouble(begin + i));
      else
        to.setInteger(i, reader.asInteger(begin + i));
  return ArrayRef(to.at(0), count * to.width());
}

Status Elements::write(const Sink &sink) const {
  if (auto all = whole())
    return sink(*all);
  if (reader) {
    graph::ConstantWriter block(
        RankedTensorType::get({std::min(count, kBlock)},
                              reader->type().getElementType()),
        /*splat=*/false);
    for (int64_t begin = 0; begin < count; begin += kBlock) {
      ArrayRef<char> part =
          elementsFrom(*reader, block, begin, std::min(count - begin, kBlock));
      if (Status status = sink(std::as_bytes(std::span(part))); !status.ok())
        return status;
    }
    return mho::success();
  }
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
  auto reader = graph::ConstantReader::get(bank.getWeights());
  if (!reader) {
    // Says what is wrong with them.
    if (failed(Elements::of(bank, bank.getWeights())))
      return mlir::failure();
    return bank.emitError("no array holds elements of ")
           << bank.getWeights().getElementType();
  }
  WeightImage image(*reader);
  image.name = bank.getSymName().str();
  ArrayRef<int64_t> shape = bank.getWeights().getShapedType().getShape();
  SmallVector<int64_t> strides(shape.size(), 1);
  for (size_t axis = shape.size(); axis-- > 1;)
    strides[axis - 1] = strides[axis] * shape[axis];
  analog::ViewAttr view = bank.getView();
  image.rowOffsets = walkAxes(view.getRows(), view.getSizes(), strides);
  image.colOffsets = walkAxes(view.getColumns(), view.getSizes(), strides);
  if (ArrayRef<int64_t> order = view.getOrder(); !order.empty()) {
    std::vector<int64_t> ordered = image.colOffsets;
    for (size_t group = 0; group < ordered.size(); group += order.size())
      for (auto [i, position] : llvm::enumerate(order))
        ordered[group + i] = image.colOffsets[group + position];
    image.colOffsets = std::move(ordered);
  }
  int64_t first = 0;
  for (auto [offset, stride] : llvm::zip(view.getOffsets(), strides))
    first += offset * stride;
  for (int64_t &offset : image.rowOffsets)
    offset += first;
  return image;
}

Status WeightImage::checkFinite(std::span<const float> block,
                                int64_t firstRow) const {
  // A finite number's exponent is not all ones.
  uint32_t largest = 0;
  for (float weight : block)
    largest = std::max(largest, llvm::bit_cast<uint32_t>(weight) << 1);
  if (largest < 0xff000000u)
    return mho::success();
  auto found = llvm::find_if(block, [](float w) { return !std::isfinite(w); });
  int64_t place = found - block.begin(), cols = colOffsets.size();
  return mho::failure("weight " + std::to_string(firstRow + place / cols) +
                      ", " + std::to_string(place % cols) + " of bank '" +
                      name + "' is not a finite number");
}

/// Whether offsets rise by one.
static bool isRun(const std::vector<int64_t> &offsets) {
  return offsets.back() - offsets.front() + 1 == int64_t(offsets.size()) &&
         std::is_sorted(offsets.begin(), offsets.end());
}

Status WeightImage::write(const Sink &sink) const {
  int64_t rows = rowOffsets.size(), cols = colOffsets.size();
  if (rows == 0 || cols == 0)
    return mho::success();
  // At least as many rows as elements lie in a cache line, for images that are
  // read across.
  int64_t rowsAtOnce =
      std::max<int64_t>(weights.isPlain() ? 16 : 128, kBlock / cols);
  bool along = isRun(colOffsets);
  bool across = !along && isRun(rowOffsets);
  std::vector<float> block, column;
  for (int64_t begin = 0; begin < rows; begin += rowsAtOnce) {
    int64_t count = std::min(rows - begin, rowsAtOnce);
    ArrayRef<int64_t> some(rowOffsets.data() + begin, count);
    if (!weights.isSplat() || begin == 0) {
      block.resize(count * cols);
      column.resize(count);
      for (int64_t row = 0; row < count && !across; ++row)
        if (along)
          weights.floatsFrom(some[row] + colOffsets[0], cols,
                             &block[row * cols]);
        else
          weights.floatsAt(colOffsets, some[row], &block[row * cols]);
      for (int64_t col = 0; col < cols && across; ++col) {
        weights.floatsFrom(some[0] + colOffsets[col], count, column.data());
        for (int64_t row = 0; row < count; ++row)
          block[row * cols + col] = column[row];
      }
    }
    auto written = std::span<const float>(block).first(count * cols);
    if (Status status = checkFinite(written, begin); !status.ok())
      return status;
    if (Status status = sink(std::as_bytes(written)); !status.ok())
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
