//===- Compact.cpp - the places of what is not zero -----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GroupRun.h"
#include "Kernel/Scalar.h"
#include "Points.h"

#include <cstring>

using namespace mho;
using namespace mho::rt;
using namespace mho::isa;

/// A read with its padding.
static Scalar readElement(const Access &access, const std::byte *base,
                          const std::vector<int64_t> &point) {
  for (const ValidRange &range : access.valid) {
    int64_t position = range.offset + dot(point, range.coefficients);
    if (position < 0 || position >= range.size)
      return fromDouble(access.type, access.fill);
  }
  return loadScalar(access.type, base + dot(point, access.strides) *
                                            int64_t(sizeOf(access.type)));
}

/// Every element by itself: whatever the type, with padding or without.
static int64_t compactSlowly(const Compact &op,
                             std::span<const int64_t> extents,
                             const std::byte *input, std::byte *indices) {
  int64_t found = 0;
  Type type = op.input.type;
  forEachPoint(extents, [&](const std::vector<int64_t> &point) {
    Scalar value = readElement(op.input, input, point);
    bool zero = isFloat(type) ? toDouble(type, value) == 0 : value.i == 0;
    if (zero)
      return true;
    for (size_t d = 0; d < point.size(); ++d) {
      int64_t place =
          found * op.indices.strides[0] + int64_t(d) * op.indices.strides[1];
      std::memcpy(indices + place * 8, &point[d], 8);
    }
    ++found;
    return true;
  });
  return found;
}

/// Row by row; an element is zero where no bit of `mask` is set.
template <typename Bits>
static int64_t compactRows(const Compact &op, std::span<const int64_t> extents,
                           const std::byte *input, std::byte *indices,
                           Bits mask) {
  size_t rank = extents.size();
  int64_t length = extents.back(), stride = op.input.strides.back();
  int64_t next = op.indices.strides[0], apart = op.indices.strides[1];
  int64_t found = 0;
  if (length == 0)
    return 0;
  std::vector<int64_t> outer(op.input.strides.begin(),
                             op.input.strides.end() - 1);
  forEachPoint(extents.first(rank - 1), [&](const std::vector<int64_t> &point) {
    const std::byte *row = input + dot(point, outer) * int64_t(sizeof(Bits));
    for (int64_t i = 0; i < length; ++i) {
      Bits bits;
      std::memcpy(&bits, row + i * stride * int64_t(sizeof(Bits)),
                  sizeof(Bits));
      if (!(bits & mask))
        continue;
      std::byte *to = indices + found++ * next * 8;
      for (size_t d = 0; d + 1 < rank; ++d, to += apart * 8)
        std::memcpy(to, &point[d], 8);
      std::memcpy(to, &i, 8);
    }
    return true;
  });
  return found;
}

int64_t rt::runCompact(const Compact &op, std::span<const int64_t> extents,
                       const std::byte *input, std::byte *indices) {
  if (!extents.empty() && op.input.valid.empty())
    switch (op.input.type) {
    case Type::Bool:
    case Type::I8:
    case Type::U8:
      return compactRows<uint8_t>(op, extents, input, indices, 0xff);
    case Type::I16:
    case Type::U16:
      return compactRows<uint16_t>(op, extents, input, indices, 0xffff);
    case Type::I32:
    case Type::U32:
      return compactRows<uint32_t>(op, extents, input, indices, ~0u);
    case Type::I64:
    case Type::U64:
      return compactRows<uint64_t>(op, extents, input, indices, ~uint64_t(0));
    // -0 is zero, NaN is not.
    case Type::F16:
    case Type::BF16:
      return compactRows<uint16_t>(op, extents, input, indices, 0x7fff);
    case Type::F32:
      return compactRows<uint32_t>(op, extents, input, indices, 0x7fffffff);
    case Type::F64:
      return compactRows<uint64_t>(op, extents, input, indices,
                                   ~uint64_t(0) >> 1);
    default:
      break;
    }
  return compactSlowly(op, extents, input, indices);
}
