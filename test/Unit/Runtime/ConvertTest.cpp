//===- ConvertTest.cpp - lanes of every type against the reference --------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel/Blocks.h"
#include "Kernel/Scalar.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>
#include <vector>

using namespace mho;
using namespace mho::rt;
using isa::MicroOpcode;
using isa::Type;

namespace {

const std::vector<Type> integers = {Type::Bool, Type::I4,  Type::U4,  Type::I8,
                                    Type::U8,   Type::I16, Type::U16, Type::I32,
                                    Type::U32,  Type::I64, Type::U64};
const std::vector<Type> floats = {
    Type::F16,    Type::BF16,       Type::F32,        Type::F8E4M3FN,
    Type::F8E5M2, Type::F8E4M3FNUZ, Type::F8E5M2FNUZ, Type::F64};

/// Lanes of a type: ordinary values, ties, limits, zeros, infinities, NaN.
struct Lanes {
  Lanes(Type type, size_t n, unsigned seed) : type(type) {
    std::mt19937_64 random(seed);
    size_t lane = laneBytes(laneOf(type));
    bytes.resize(n * lane);
    for (size_t i = 0; i < n; ++i) {
      Scalar value;
      if (isa::isFloat(type)) {
        static constexpr double special[] = {
            0.0,       -0.0,       INFINITY,     -INFINITY, NAN,
            65504,     65519.9,    65520,        448,       464,
            57344,     61440,      0x1p-14,      0x1p-25,   0x1.8p-24,
            255.5,     -128.5,     2147483648.0, 1e19,      -1e19,
            0x1.8p-10, 0x1.004p-6, 4294967296.0, 240,       248};
        double number = std::normal_distribution<double>()(random) *
                        std::ldexp(1.0, int(random() % 40) - 24);
        if (random() % 3 == 0)
          number = special[random() % std::size(special)];
        value = fromDouble(type, number);
      } else {
        value.i = int64_t(random() >> (random() % 64));
        if (random() % 4 == 0)
          value.i = int64_t(random() % 5) - 2;
        value = normalize(type, value);
      }
      storeLane(type, bytes.data() + i * lane, value);
    }
  }
  Scalar at(size_t i) const {
    return loadLane(type, bytes.data() + i * laneBytes(laneOf(type)));
  }
  Type type;
  std::vector<std::byte> bytes;
};

/// Compares an op's vector form, where there is one, with the reference.
/// Returns whether there is.
bool compare(MicroOpcode code, Type type, Type from, uint64_t immediate) {
  constexpr size_t n = 1037;
  bool binary = code < MicroOpcode::ArithExtf;
  std::vector<uint32_t> operands(binary ? 2 : 1);
  isa::MicroOp op{uint16_t(code), type, immediate, operands};
  Lanes a(from, n, 1), b(from, n, 2);
  std::vector<const blocks::Table *> list = blocks::tables();
  bool any = false;
  for (size_t t = 0; t < list.size(); ++t) {
    std::vector<std::byte> out(n * laneBytes(laneOf(type)));
    blocks::Call call{code,       type,
                      from,       immediate,
                      out.data(), {a.bytes.data(), b.bytes.data(), nullptr},
                      {},         n};
    if (!list[t]->apply(call))
      continue;
    any = true;
    Type types[2] = {from, from};
    for (size_t i = 0; i < n; ++i) {
      Scalar x[2] = {a.at(i), b.at(i)};
      Scalar wanted = evaluate(op, types, x);
      Scalar got = loadLane(type, out.data() + i * laneBytes(laneOf(type)));
      bool same =
          isa::isFloat(type) && std::isnan(toDouble(type, wanted))
              ? std::isnan(toDouble(type, got))
              : std::memcmp(&wanted, &got, laneBytes(laneOf(type))) == 0;
      if (!same) {
        ADD_FAILURE() << list[t]->name << ": op " << int(code) << " from "
                      << isa::nameOf(from) << " to " << isa::nameOf(type)
                      << " of " << toDouble(from, x[0]) << ", "
                      << toDouble(from, x[1]) << " is " << toDouble(type, got)
                      << ", the reference has " << toDouble(type, wanted);
        return any;
      }
    }
  }
  return any;
}

} // namespace

TEST(Convert, EqualsTheReference) {
  int forms = 0;
  for (Type from : integers) {
    for (Type to : integers)
      for (MicroOpcode op :
           {MicroOpcode::ArithExtsi, MicroOpcode::ArithExtui,
            MicroOpcode::ArithTrunci, MicroOpcode::ArithIndexCast})
        forms += compare(op, to, from, 0);
    for (Type to : floats)
      for (MicroOpcode op :
           {MicroOpcode::ArithSitofp, MicroOpcode::ArithUitofp})
        forms += compare(op, to, from, 0);
  }
  for (Type from : floats) {
    for (Type to : integers)
      for (MicroOpcode op :
           {MicroOpcode::ArithFptosi, MicroOpcode::ArithFptoui})
        forms += compare(op, to, from, 0);
    for (Type to : floats) {
      forms += compare(MicroOpcode::ArithExtf, to, from, 0);
      forms += compare(MicroOpcode::ArithTruncf, to, from, 0);
    }
  }
  // Quantised and half-precision networks live on them.
  EXPECT_GT(forms, 600);
}

TEST(Convert, ArithmeticOfEveryTypeEqualsTheReference) {
  for (Type type : integers) {
    for (MicroOpcode op :
         {MicroOpcode::ArithAddi, MicroOpcode::ArithSubi,
          MicroOpcode::ArithMuli, MicroOpcode::ArithDivsi,
          MicroOpcode::ArithDivui, MicroOpcode::ArithRemsi,
          MicroOpcode::ArithRemui, MicroOpcode::ArithFloordivsi,
          MicroOpcode::ArithCeildivsi, MicroOpcode::ArithMaxsi,
          MicroOpcode::ArithMinsi, MicroOpcode::ArithMaxui,
          MicroOpcode::ArithMinui, MicroOpcode::ArithAndi,
          MicroOpcode::ArithOri, MicroOpcode::ArithXori, MicroOpcode::ArithShli,
          MicroOpcode::ArithShrsi, MicroOpcode::ArithShrui})
      compare(op, type, type, 0);
    for (uint64_t predicate = 0; predicate < 10; ++predicate)
      compare(MicroOpcode::ArithCmpi, Type::Bool, type, predicate);
  }
  for (Type type : {Type::I8, Type::U8, Type::I32, Type::I64})
    EXPECT_TRUE(compare(MicroOpcode::ArithAddi, type, type, 0));
  for (Type type : floats)
    for (MicroOpcode op : {MicroOpcode::ArithAddf, MicroOpcode::ArithMulf,
                           MicroOpcode::ArithDivf, MicroOpcode::ArithMaximumf,
                           MicroOpcode::ArithMinnumf})
      EXPECT_TRUE(compare(op, type, type, 0)) << isa::nameOf(type);
}

TEST(Convert, HalvesInMemory) {
  constexpr size_t n = 1 << 16;
  std::vector<uint16_t> patterns(n);
  for (size_t i = 0; i < n; ++i)
    patterns[i] = uint16_t(i);
  auto *memory = reinterpret_cast<const std::byte *>(patterns.data());
  std::vector<const blocks::Table *> list = blocks::tables();
  for (Type type : {Type::F16, Type::BF16})
    for (size_t t = 0; t < list.size(); ++t) {
      std::vector<float> lanes(n);
      ASSERT_TRUE(list[t]->load(type, lanes.data(), memory, 2, n));
      std::vector<uint16_t> back(n);
      ASSERT_TRUE(list[t]->store(type,
                                 reinterpret_cast<std::byte *>(back.data()), 2,
                                 lanes.data(), n));
      for (size_t i = 0; i < n; ++i) {
        Scalar wanted = loadScalar(type, &patterns[i]);
        ASSERT_TRUE(std::memcmp(&wanted.f, &lanes[i], 4) == 0)
            << list[t]->name << " " << isa::nameOf(type) << " " << i;
        uint16_t stored = 0;
        storeScalar(type, &stored, wanted);
        ASSERT_EQ(back[i], stored) << isa::nameOf(type) << " " << i;
      }
    }
}

TEST(Convert, ReductionsOfHalves) {
  constexpr size_t n = 173, rows = 5;
  using isa::WriteKind;
  std::vector<const blocks::Table *> list = blocks::tables();
  for (Type type : {Type::F16, Type::BF16, Type::F32})
    for (WriteKind kind :
         {WriteKind::Add, WriteKind::Mul, WriteKind::Max, WriteKind::Min})
      for (unsigned seed = 0; seed < 4; ++seed)
        for (size_t t = 0; t < list.size(); ++t) {
          Lanes values(type, n * rows, seed);
          auto *data = reinterpret_cast<float *>(values.bytes.data());
          // Finite numbers of one sign at first.
          if (seed < 2)
            for (size_t i = 0; i < n * rows; ++i)
              if (!std::isfinite(data[i]))
                data[i] = 1;
          std::vector<float> got(16 * rows, identityOf(kind, type).f);
          std::vector<float> wanted = got;
          ASSERT_TRUE(list[t]->fold(kind, type, got.data(), data, n, rows));
          for (size_t r = 0; r < rows; ++r)
            for (size_t j = 0; j < n; ++j) {
              Scalar a, b;
              a.f = wanted[r * 16 + j % 16];
              b.f = data[r * n + j];
              wanted[r * 16 + j % 16] = combine(kind, type, a, b).f;
            }
          for (size_t i = 0; i < got.size(); ++i)
            ASSERT_TRUE(std::isnan(wanted[i])
                            ? std::isnan(got[i])
                            : std::memcmp(&wanted[i], &got[i], 4) == 0)
                << isa::nameOf(type) << " kind " << int(kind) << ": " << got[i]
                << ", the reference has " << wanted[i];
        }
}
