//===- EncodingTest.cpp - instructions to bytes and back ------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Program/Instructions.h"

#include <gtest/gtest.h>

#include <random>

using namespace mho;
using namespace mho::isa;

namespace {

/// Fills every field of an instruction with values over its whole range.
class Random {
public:
  explicit Random(unsigned seed) : engine(seed) {}

  uint64_t below(uint64_t limit) { return engine() % limit; }
  /// Small numbers often, any number sometimes.
  uint64_t number() { return below(4) ? below(300) : engine(); }

  void field(uint32_t &value) { value = uint32_t(number()); }
  void field(uint64_t &value) { value = number(); }
  void field(int32_t &slot) { slot = int32_t(below(1000)) - 1; }
  void field(int64_t &value) { value = int64_t(number()); }
  void field(bool &value) { value = below(2); }
  void field(double &value) { value = double(below(5)) - 2; }
  void field(Type &type) { type = Type(below(kNumTypes)); }
  void field(Space &space) { space = Space(below(4)); }
  void field(WriteKind &kind) { kind = WriteKind(below(kNumWriteKinds)); }
  void field(Body &) {}
  template <typename T> void field(std::vector<T> &list) {
    list.resize(below(4));
    for (T &element : list)
      field(element);
  }
  template <typename... Ts> void fields(Ts &...members) {
    (field(members), ...);
  }
  void field(Extent &e) { fields(e.max, e.slot); }
  void field(SlotTerm &t) { fields(t.slot, t.stride); }
  void field(ValidRange &r) { fields(r.offset, r.size, r.coefficients); }
  void field(Access &a) {
    fields(a.type, a.space, a.offset, a.strides, a.slots, a.valid, a.fill);
  }
  void field(Write &w) { fields(w.access, w.kind, w.fromMemory, w.init); }
  void field(MicroOp &m) {
    m.op = uint16_t(below(80));
    fields(m.type, m.immediate, m.operands);
  }
  void field(Table &t) { fields(t.access, t.sizes); }
  void field(KernelBody &b) { fields(b.ops, b.yields, b.tables); }

  Instruction instruction() {
    for (;;)
      if (auto op = emptyInstruction(below(16))) {
        std::visit(
            [&](auto &op) {
              forEachField(op,
                           [&](const char *, auto &member) { field(member); });
            },
            *op);
        return *op;
      }
  }

  /// A list whose bodies nest, as decode gives it.
  void append(std::vector<Instruction> &list, unsigned count, unsigned depth) {
    for (unsigned i = 0; i < count; ++i) {
      size_t place = list.size();
      list.push_back(instruction());
      auto body = [&] {
        Body range;
        range.begin = uint32_t(list.size());
        append(list, unsigned(depth ? below(4) : 0), depth ? depth - 1 : 0);
        range.end = uint32_t(list.size());
        return range;
      };
      if (std::holds_alternative<Loop>(list[place])) {
        Body range = body();
        std::get<Loop>(list[place]).body = range;
      } else if (std::holds_alternative<Branch>(list[place])) {
        Body then = body(), otherwise = body();
        std::get<Branch>(list[place]).then = then;
        std::get<Branch>(list[place]).otherwise = otherwise;
      }
    }
  }

private:
  std::mt19937_64 engine;
};

std::vector<uint8_t> bytesOf(const std::vector<Instruction> &list) {
  std::vector<uint8_t> bytes;
  encode(list, bytes);
  return bytes;
}

TEST(EncodingTest, DecodesWhatItEncoded) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    std::vector<Instruction> list;
    Random(seed).append(list, 12, 3);
    auto decoded = decode(bytesOf(list));
    ASSERT_TRUE(decoded.ok()) << decoded.message();
    ASSERT_EQ(*decoded, list) << "seed " << seed;
  }
}

// Hostile bytes are refused or mean something; what is accepted has exactly
// this encoding.
TEST(EncodingTest, SurvivesMutations) {
  unsigned accepted = 0;
  for (unsigned seed = 0; seed < 200; ++seed) {
    Random random(seed);
    std::vector<Instruction> list;
    random.append(list, 6, 3);
    const std::vector<uint8_t> bytes = bytesOf(list);
    for (unsigned round = 0; round < 200; ++round) {
      std::vector<uint8_t> damaged = bytes;
      for (uint64_t n = 1 + random.below(3); n > 0; --n)
        damaged[random.below(damaged.size())] = uint8_t(random.below(256));
      if (random.below(4) == 0)
        damaged.resize(random.below(damaged.size()));
      auto decoded = decode(damaged);
      if (!decoded.ok())
        continue;
      ++accepted;
      ASSERT_EQ(bytesOf(*decoded), damaged);
    }
  }
  EXPECT_GT(accepted, 1000u);
}

TEST(EncodingTest, RefusesRandomBytes) {
  Random random(1);
  for (unsigned round = 0; round < 20000; ++round) {
    std::vector<uint8_t> bytes(random.below(200));
    for (uint8_t &byte : bytes)
      byte = uint8_t(random.below(256));
    auto decoded = decode(bytes);
    if (decoded.ok()) {
      ASSERT_EQ(bytesOf(*decoded), bytes);
    }
  }
}

TEST(EncodingTest, NamesTheFaultyInstruction) {
  std::vector<uint8_t> bytes = bytesOf({End{}, End{}});
  bytes.push_back(200);
  bytes.push_back(1);
  EXPECT_EQ(decode(bytes).message(),
            "instruction 2 has the unknown opcode 200");

  bytes = bytesOf({Copy{}});
  bytes.pop_back();
  EXPECT_EQ(decode(bytes).message(), "instruction 0 ends within a field");
}

TEST(EncodingTest, RefusesBodiesThatLeaveTheirParent) {
  Loop outer, inner;
  outer.body = {1, 2};
  inner.body = {2, 3};
  EXPECT_EQ(decode(bytesOf({outer, inner, End{}})).message(),
            "instruction 1 has a body that reaches beyond its parent");
  // The second body of a branch is not the first one's.
  Branch branch;
  branch.then = {1, 2};
  branch.otherwise = {2, 3};
  EXPECT_FALSE(decode(bytesOf({branch, inner, End{}})).ok());
  EXPECT_EQ(decode(bytesOf({outer})).message(),
            "the stream ends within a body");
}

TEST(EncodingTest, RefusesBodiesNestedTooDeep) {
  std::vector<Instruction> list;
  for (uint32_t i = 0; i < 100; ++i) {
    Loop loop;
    loop.body = {i + 1, 101};
    list.push_back(loop);
  }
  list.push_back(End{});
  EXPECT_EQ(decode(bytesOf(list)).message(),
            "instruction 64 lies too deep in bodies");
}

TEST(EncodingTest, RefusesListsLongerThanTheStream) {
  // A copy whose extents list claims 2^60 elements.
  std::vector<uint8_t> bytes = {4,    0x80, 0x80, 0x80, 0x80,
                                0x80, 0x80, 0x80, 0x80, 0x10};
  EXPECT_EQ(decode(bytes).message(), "instruction 0 ends within a list");
}

TEST(IsaTest, NamesMatchNumbers) {
  for (unsigned i = 0; i < kNumTypes; ++i)
    EXPECT_EQ(typeNamed(nameOf(Type(i))), Type(i));
  EXPECT_EQ(microOpcode("arith.addf"), MicroOpcode::ArithAddf);
  EXPECT_EQ(microOpcode("arith.nothing"), std::nullopt);
  EXPECT_EQ(microOpInfo(uint16_t(MicroOpcode::MathFma))->operands, 3);
  EXPECT_EQ(microOpInfo(0), nullptr);
  EXPECT_STREQ(mnemonic(Mvm{}), "mvm");
}

} // namespace
