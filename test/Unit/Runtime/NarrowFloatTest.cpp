//===- NarrowFloatTest.cpp - floats of 4 to 16 bits
//--------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel/NarrowFloat.h"
#include "Kernel/Scalar.h"

#include <cmath>
#include <gtest/gtest.h>
#include <tuple>

using namespace mho::rt;
using mho::isa::Type;

/// Every value comes back as its own pattern, and the values between two
/// neighbours go to the nearer one, ties to even.
TEST(NarrowFloat, RoundTripAndNearest) {
  for (Type type : {Type::F16, Type::BF16, Type::F8E4M3FN, Type::F8E5M2,
                    Type::F8E4M3FNUZ, Type::F8E5M2FNUZ, Type::F4E2M1}) {
    uint32_t positive = 1u << (bitsOf(type) - 1);
    for (uint32_t bits = 0; bits < positive; ++bits) {
      float value = decodeFloat(type, bits);
      if (!std::isfinite(value))
        continue;
      ASSERT_EQ(encodeFloat(type, value), bits) << mho::isa::nameOf(type);
      float next = decodeFloat(type, bits + 1);
      if (bits + 1 >= positive || !std::isfinite(next))
        continue;
      float middle = value + (next - value) / 2;
      uint32_t even = bits & 1 ? bits + 1 : bits;
      ASSERT_EQ(encodeFloat(type, middle), even) << mho::isa::nameOf(type);
      ASSERT_EQ(encodeFloat(type, std::nextafter(middle, next)), bits + 1);
    }
  }
}

TEST(NarrowFloat, SpecialValues) {
  EXPECT_EQ(encodeFloat(Type::F16, 1e9f), 0x7c00u);
  EXPECT_EQ(encodeFloat(Type::F16, -0.0f), 0x8000u);
  EXPECT_EQ(encodeFloat(Type::F8E4M3FN, 1e9f), 0x7fu);
  EXPECT_EQ(encodeFloat(Type::F8E4M3FNUZ, NAN), 0x80u);
  EXPECT_EQ(encodeFloat(Type::F8E4M3FNUZ, -0.0f), 0u);
  EXPECT_TRUE(std::isnan(decodeFloat(Type::F8E5M2FNUZ, 0x80)));
  EXPECT_EQ(decodeFloat(Type::F8E8M0, 127), 1.0f);
  EXPECT_EQ(encodeFloat(Type::F8E8M0, 4.0f), 129u);
}

/// All values of the types that have few.
TEST(NarrowFloat, ExactTables) {
  const float f4[8] = {0, 0.5f, 1, 1.5f, 2, 3, 4, 6};
  for (uint32_t bits = 0; bits < 8; ++bits) {
    EXPECT_EQ(decodeFloat(Type::F4E2M1, bits), f4[bits]);
    EXPECT_EQ(decodeFloat(Type::F4E2M1, bits | 8), -f4[bits]);
    EXPECT_EQ(encodeFloat(Type::F4E2M1, -f4[bits]), bits | 8);
  }
  for (uint32_t bits = 0; bits < 255; ++bits) {
    EXPECT_EQ(decodeFloat(Type::F8E8M0, bits), std::exp2(int(bits) - 127.0));
    EXPECT_EQ(encodeFloat(Type::F8E8M0, std::exp2(int(bits) - 127.0)), bits);
  }
  EXPECT_TRUE(std::isnan(decodeFloat(Type::F8E8M0, 255)));
  struct Row {
    Type type;
    uint32_t bits;
    double value;
  };
  // Smallest and largest subnormal, smallest normal, one, largest.
  const Row rows[] = {
      {Type::F8E4M3FN, 0x01, 0x1p-9},       {Type::F8E4M3FN, 0x07, 7 * 0x1p-9},
      {Type::F8E4M3FN, 0x08, 0x1p-6},       {Type::F8E4M3FN, 0x38, 1},
      {Type::F8E4M3FN, 0x7e, 448},          {Type::F8E4M3FNUZ, 0x01, 0x1p-10},
      {Type::F8E4M3FNUZ, 0x08, 0x1p-7},     {Type::F8E4M3FNUZ, 0x40, 1},
      {Type::F8E4M3FNUZ, 0x7f, 240},        {Type::F8E5M2, 0x01, 0x1p-16},
      {Type::F8E5M2, 0x04, 0x1p-14},        {Type::F8E5M2, 0x3c, 1},
      {Type::F8E5M2, 0x7b, 57344},          {Type::F8E5M2FNUZ, 0x01, 0x1p-17},
      {Type::F8E5M2FNUZ, 0x04, 0x1p-15},    {Type::F8E5M2FNUZ, 0x40, 1},
      {Type::F8E5M2FNUZ, 0x7f, 57344},      {Type::F16, 0x0001, 0x1p-24},
      {Type::F16, 0x0400, 0x1p-14},         {Type::F16, 0x3c00, 1},
      {Type::F16, 0x7bff, 65504},           {Type::BF16, 0x0080, 0x1p-126},
      {Type::BF16, 0x3f80, 1},
  };
  for (const Row &row : rows) {
    EXPECT_EQ(decodeFloat(row.type, row.bits), row.value)
        << mho::isa::nameOf(row.type);
    EXPECT_EQ(encodeFloat(row.type, row.value), row.bits)
        << mho::isa::nameOf(row.type);
  }
}

/// What a type lacks: infinities, NaN, the sign of zero.
TEST(NarrowFloat, MissingValues) {
  EXPECT_EQ(encodeFloat(Type::F8E4M3FN, INFINITY), 0x7fu);
  EXPECT_EQ(encodeFloat(Type::F8E4M3FN, -INFINITY), 0xffu);
  EXPECT_EQ(encodeFloat(Type::F8E4M3FNUZ, INFINITY), 0x80u);
  EXPECT_EQ(encodeFloat(Type::F8E5M2, INFINITY), 0x7cu);
  EXPECT_EQ(encodeFloat(Type::F8E5M2, 61440.0), 0x7cu);
  EXPECT_EQ(encodeFloat(Type::F8E5M2FNUZ, 61440.0), 0x80u);
  // A tie between the largest number and where the next would be.
  EXPECT_EQ(encodeFloat(Type::F8E4M3FN, 464.0), 0x7eu);
  EXPECT_EQ(encodeFloat(Type::F8E4M3FN, 465.0), 0x7fu);
  EXPECT_EQ(encodeFloat(Type::F4E2M1, INFINITY), 7u);
  EXPECT_EQ(encodeFloat(Type::F4E2M1, -1e6), 15u);
  EXPECT_EQ(decodeFloat(Type::F4E2M1, encodeFloat(Type::F4E2M1, NAN)), 0.0f);
  EXPECT_EQ(encodeFloat(Type::F8E8M0, 1.5), 128u);
  EXPECT_EQ(encodeFloat(Type::F8E8M0, 3.0), 128u);
  EXPECT_EQ(encodeFloat(Type::F8E8M0, -1.0), 255u);
}

/// From double one rounding: a float in between would make a tie of it.
TEST(NarrowFloat, RoundsOnce) {
  double value = 1 + 0x1p-11 + 0x1p-40;
  EXPECT_EQ(encodeFloat(Type::F16, value), 0x3c01u);
  EXPECT_EQ(encodeFloat(Type::F16, float(value)), 0x3c00u);
  EXPECT_EQ(fromDouble(Type::F16, value).f, 1 + 0x1p-10f);
}

/// Integers of less than a byte: the bits above are the sign.
TEST(NarrowFloat, NarrowIntegers) {
  for (auto [type, low, high] :
       {std::tuple(Type::I4, -8, 7), std::tuple(Type::U4, 0, 15),
        std::tuple(Type::I2, -2, 1), std::tuple(Type::U2, 0, 3)})
    for (int i = low; i <= high; ++i) {
      int8_t memory = 0x55;
      Scalar value;
      value.i = i;
      storeScalar(type, &memory, value);
      EXPECT_EQ(memory, int8_t(i));
      EXPECT_EQ(loadScalar(type, &memory).i, i);
      value.i = i + 16;
      EXPECT_EQ(normalize(type, value).i, i);
    }
}
