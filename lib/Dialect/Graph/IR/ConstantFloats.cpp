//===- ConstantFloats.cpp - constants as floats, without copies -----------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Weights may fill memory many times over, so whoever looks at all of them gets
// them in parts that fit a cache.
//
//===----------------------------------------------------------------------===//

#include "Dequantizer.h"

#include <algorithm>
#include <cstring>

using namespace mlir;

namespace mho::graph {

/// Elements of a part.
static constexpr int64_t kPart = 4096;

/// The common types without a decision per element.
template <typename PlaceFn>
void ConstantReader::convert(PlaceFn place, int64_t count, float *to) const {
  Type element = tensor.getElementType();
  if (packed) {
    float table[16];
    for (unsigned bits = 0; bits < (1u << packed); ++bits)
      table[bits] = float((*values)[bits].real);
    for (int64_t i = 0; i < count; ++i)
      to[i] = table[pattern(place(i))];
  } else if (stored) {
    for (int64_t i = 0; i < count; ++i)
      to[i] = stored->at(place(i));
  } else if (element.isInteger(8)) {
    for (int64_t i = 0; i < count; ++i)
      to[i] = isSigned ? float(int8_t(*at(place(i))))
                       : float(uint8_t(*at(place(i))));
  } else if (element.isF32()) {
    for (int64_t i = 0; i < count; ++i)
      std::memcpy(to + i, at(place(i)), sizeof(float));
  } else if (element.isF16() || element.isBF16()) {
    bool half = element.isF16();
    for (int64_t i = 0; i < count; ++i) {
      uint16_t bits;
      std::memcpy(&bits, at(place(i)), sizeof bits);
      to[i] =
          half ? widenHalf(bits) : llvm::bit_cast<float>(uint32_t(bits) << 16);
    }
  } else {
    for (int64_t i = 0; i < count; ++i)
      to[i] = float(asDouble(place(i)));
  }
}

void ConstantReader::floatsAt(ArrayRef<int64_t> places, int64_t shift,
                              float *to) const {
  convert([&](int64_t i) { return shift + places[i]; }, places.size(), to);
}

void ConstantReader::floatsFrom(int64_t begin, int64_t count, float *to) const {
  if (stored)
    return stored->floatsFrom(begin, count, to);
  // The file need not have aligned them.
  if (tensor.getElementType().isF32() && !splat)
    std::memcpy(to, at(begin), count * sizeof(float));
  else
    convert([&](int64_t i) { return begin + i; }, count, to);
}

bool forEachFloats(ElementsAttr elements,
                   llvm::function_ref<void(int64_t, ArrayRef<float>)> visit) {
  auto reader = ConstantReader::get(elements);
  if (!reader)
    return false;
  float part[kPart];
  for (int64_t begin = 0; begin < reader->size(); begin += kPart) {
    int64_t count = std::min(kPart, reader->size() - begin);
    reader->floatsFrom(begin, count, part);
    visit(begin, ArrayRef(part, count));
  }
  return true;
}

std::optional<SmallVector<float>> floatsOf(ElementsAttr elements) {
  if (!elements)
    return std::nullopt;
  SmallVector<float> all;
  all.reserve(elements.getNumElements());
  if (!forEachFloats(elements, [&](int64_t, ArrayRef<float> part) {
        all.append(part.begin(), part.end());
      }))
    return std::nullopt;
  return all;
}

std::optional<float> splatFloatOf(ElementsAttr elements) {
  auto reader = ConstantReader::get(elements);
  if (!reader || reader->size() == 0 ||
      (!reader->isSplat() && reader->size() != 1))
    return std::nullopt;
  return float(reader->asDouble(0));
}

} // namespace mho::graph
