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
