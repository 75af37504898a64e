//===- CompactTest.cpp - collecting the places of what is not zero --------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Accesses.h"

#include "GroupRun.h"

#include <gtest/gtest.h>
#include <limits>

using namespace mho;
using namespace mho::isa;
using namespace mho::rt;

namespace {

/// The coordinates that are found, row by row.
template <typename T>
std::vector<int64_t> found(Type type, std::vector<T> elements,
                           std::vector<int64_t> extents,
                           std::vector<int64_t> strides) {
  Compact op;
  size_t room = 1;
  for (int64_t extent : extents) {
    op.dims.push_back({extent});
    room *= size_t(extent);
  }
  int64_t rank = int64_t(extents.size());
  op.input = access(type, std::move(strides));
  op.indices = access(Type::I64, {rank, 1});
  std::vector<int64_t> places(room * extents.size(), -1);
  int64_t count = runCompact(op, extents, bytesOf(elements), bytesOf(places));
  for (size_t i = size_t(count * rank); i < places.size(); ++i)
    EXPECT_EQ(places[i], -1) << "beyond the count";
  places.resize(size_t(count * rank));
  return places;
}

using Places = std::vector<int64_t>;

TEST(Compact, RowMajorOrder) {
  EXPECT_EQ(found<int32_t>(Type::I32, {0, 3, 0, -1, 0, 7}, {2, 3}, {3, 1}),
            (Places{0, 1, 1, 0, 1, 2}));
}

TEST(Compact, AnyStrides) {
  // The same elements, read as their transpose.
  EXPECT_EQ(found<int32_t>(Type::I32, {0, 3, 0, -1, 0, 7}, {3, 2}, {1, 3}),
            (Places{0, 1, 1, 0, 2, 1}));
  // One row seen twice.
  EXPECT_EQ(found<uint8_t>(Type::Bool, {1, 0, 1}, {2, 3}, {0, 1}),
            (Places{0, 0, 0, 2, 1, 0, 1, 2}));
}

TEST(Compact, NoneAndAll) {
  EXPECT_EQ(found<uint8_t>(Type::Bool, {0, 0, 0}, {3}, {1}), Places());
  EXPECT_EQ(found<uint8_t>(Type::Bool, {1, 1, 1}, {3}, {1}), (Places{0, 1, 2}));
  EXPECT_EQ(found<float>(Type::F32, {}, {2, 0}, {0, 1}), Places());
  EXPECT_EQ(found<float>(Type::F32, {}, {0, 2}, {2, 1}), Places());
}

template <typename T> void floats(Type type) {
  T nan = std::numeric_limits<T>::quiet_NaN();
  T least = std::numeric_limits<T>::denorm_min();
  EXPECT_EQ(found<T>(type, {T(0), T(-0.0), nan, least, T(2)}, {5}, {1}),
            (Places{2, 3, 4}));
}

TEST(Compact, NegativeZeroIsZeroAndNanIsNot) {
  floats<float>(Type::F32);
  floats<double>(Type::F64);
  EXPECT_EQ(found<uint16_t>(Type::F16, {0, 0x8000, 0x7e00, 1}, {4}, {1}),
            (Places{2, 3}));
  EXPECT_EQ(found<uint16_t>(Type::BF16, {0, 0x8000, 0x7fc0, 1}, {4}, {1}),
            (Places{2, 3}));
}

TEST(Compact, EveryWidth) {
  EXPECT_EQ(found<int8_t>(Type::I8, {0, -128}, {2}, {1}), Places{1});
  EXPECT_EQ(found<uint16_t>(Type::U16, {0, 0x8000}, {2}, {1}), Places{1});
  EXPECT_EQ(found<int64_t>(Type::I64, {0, int64_t(1) << 63}, {2}, {1}),
            Places{1});
}

TEST(Compact, PaddingCountsAsItsValue) {
  Compact op;
  op.dims = {{4}};
  op.input = access(Type::F32, {1});
  op.indices = access(Type::I64, {1, 1});
  // Places -1 … 2 of two elements; what lies outside reads as 5.
  op.input.valid = {{-1, 2, {1}}};
  op.input.fill = 5;
  std::vector<float> elements{0, 0, 1};
  std::vector<int64_t> places(4), extents{4};
  int64_t count = runCompact(op, extents, bytesOf(elements), bytesOf(places));
  places.resize(size_t(count));
  EXPECT_EQ(places, (Places{0, 2, 3}));
}

TEST(Compact, AScalarCounts) {
  EXPECT_EQ(found<float>(Type::F32, {3}, {}, {}), Places());
}

} // namespace
