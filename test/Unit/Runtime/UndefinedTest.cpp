//===- UndefinedTest.cpp - memory that is read before it is written -------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Undefined.h"

#include "Accesses.h"

#include <gtest/gtest.h>

using namespace mho;
using namespace mho::isa;
using namespace mho::rt;

namespace {

using Ranges = std::vector<ByteRange>;

/// f32 elements from byte `offset` of scratch.
Access at(int64_t offset, std::vector<int64_t> strides) {
  Access result = access(Type::F32, std::move(strides));
  result.offset = offset;
  return result;
}

std::vector<Extent> dimsOf(std::vector<int64_t> sizes) {
  std::vector<Extent> dims;
  for (int64_t size : sizes)
    dims.push_back({size, kNoSlot});
  return dims;
}

Kernel kernel(std::vector<int64_t> sizes, std::vector<Access> reads,
              std::vector<Write> writes) {
  Kernel op;
  op.dims = dimsOf(std::move(sizes));
  op.reads = std::move(reads);
  op.writes = std::move(writes);
  return op;
}

Kernel store(std::vector<int64_t> sizes, Access to) {
  return kernel(std::move(sizes), {}, {Write{std::move(to)}});
}

Kernel load(std::vector<int64_t> sizes, Access from) {
  return kernel(std::move(sizes), {std::move(from)}, {});
}

Ranges undefined(std::vector<Instruction> list,
                 std::vector<std::pair<int64_t, int64_t>> slots = {}) {
  list.push_back(End{});
  return undefinedReads(list, {std::move(slots), {}});
}

Loop loop(Extent trips, uint32_t begin, uint32_t end) {
  Loop op;
  op.trips = trips;
  op.body = {begin, end};
  return op;
}

} // namespace

TEST(Undefined, NothingWhereAllIsWrittenFirst) {
  EXPECT_EQ(undefined({store({4, 3}, at(0, {3, 1})), load({12}, at(0, {1}))}),
            Ranges{});
}

TEST(Undefined, WhatIsReadFirst) {
  EXPECT_EQ(undefined({load({4}, at(16, {1})), store({8}, at(0, {1}))}),
            (Ranges{{16, 32}}));
}

TEST(Undefined, OnlyWhatIsMissing) {
  EXPECT_EQ(undefined({store({2}, at(8, {1})), load({8}, at(0, {1}))}),
            (Ranges{{0, 8}, {16, 32}}));
}

TEST(Undefined, RowsThatLeaveGaps) {
  // Columns 1 and 2 of a 3 × 4 matrix, then 0 and 3.
  Kernel inside = store({3, 2}, at(4, {4, 1}));
  Kernel border = store({3, 2}, at(0, {4, 3}));
  Kernel whole = load({12}, at(0, {1}));
  EXPECT_EQ(undefined({inside, border, whole}), Ranges{});
  EXPECT_EQ(undefined({inside, whole}),
            (Ranges{{0, 4}, {12, 20}, {28, 36}, {44, 48}}));
}

TEST(Undefined, BackwardsAndOtherOrders) {
  // The last element lies first; the outer dimension is the fast one.
  EXPECT_EQ(undefined({store({2, 3}, at(20, {-1, -2})), load({6}, at(0, {1}))}),
            Ranges{});
}

TEST(Undefined, AnInstructionReadsBeforeItWrites) {
  EXPECT_EQ(undefined({kernel({4}, {at(0, {1})}, {Write{at(0, {1})}})}),
            (Ranges{{0, 16}}));
}

TEST(Undefined, ReductionsFromMemoryRead) {
  Write sum{at(0, {1, 0}), WriteKind::Add, /*fromMemory=*/false};
  EXPECT_EQ(undefined({kernel({4, 9}, {}, {sum}), load({4}, at(0, {1}))}),
            Ranges{});
  sum.fromMemory = true;
  EXPECT_EQ(undefined({kernel({4, 9}, {}, {sum}), load({4}, at(0, {1}))}),
            (Ranges{{0, 16}}));
}

TEST(Undefined, ContractsThatAccumulateRead) {
  Contract op;
  op.rows = dimsOf({2}), op.columns = dimsOf({3}), op.inner = dimsOf({5});
  op.output = at(0, {3, 1, 0});
  op.lhs = op.rhs = at(0, {0, 0, 0});
  op.lhs.space = op.rhs.space = Space::Const;
  EXPECT_EQ(undefined({op, load({6}, at(0, {1}))}), Ranges{});
  op.accumulate = true;
  EXPECT_EQ(undefined({op, load({6}, at(0, {1}))}), (Ranges{{0, 24}}));
}

TEST(Undefined, ProductsWriteTheirArraysColumns) {
  Mvm op;
  op.counts = dimsOf({2}), op.inner = dimsOf({4});
  op.input = at(0, {0, 0});
  op.input.space = Space::Const;
  op.output = at(0, {3, 1});
  std::vector<Instruction> list = {op, load({6}, at(0, {1}))};
  EXPECT_EQ(undefinedReads(list, {{}, {3}}), Ranges{});
  EXPECT_EQ(undefinedReads(list, {{}, {2}}), (Ranges{{8, 12}, {20, 24}}));
}

TEST(Undefined, ExtentsInSlotsWriteNothingForSure) {
  Kernel some = store({4}, at(0, {1}));
  some.dims[0].slot = 0;
  EXPECT_EQ(undefined({some, load({4}, at(0, {1}))}, {{0, 4}}),
            (Ranges{{0, 16}}));
}

TEST(Undefined, PlacesInSlotsReachTheirBounds) {
  Access moving = at(0, {1});
  moving.slots = {{0, 4}};
  EXPECT_EQ(undefined({store({2}, at(0, {1})), load({2}, moving)}, {{0, 3}}),
            (Ranges{{8, 56}}));
}

TEST(Undefined, LoopsThatMayNotRun) {
  Kernel body = store({4}, at(0, {1})), after = load({4}, at(0, {1}));
  EXPECT_EQ(undefined({loop({3, kNoSlot}, 1, 2), body, after}), Ranges{});
  EXPECT_EQ(undefined({loop({3, 0}, 1, 2), body, after}, {{0, 3}}),
            (Ranges{{0, 16}}));
  Loop conditional = loop({3, kNoSlot}, 1, 2);
  conditional.condition = 0;
  EXPECT_EQ(undefined({conditional, body, after}, {{0, 1}}), (Ranges{{0, 16}}));
}

TEST(Undefined, WhatTheLastIterationLeaves) {
  Kernel first = load({4}, at(0, {1})), second = store({4}, at(0, {1}));
  EXPECT_EQ(undefined({loop({3, kNoSlot}, 1, 3), first, second}),
            (Ranges{{0, 16}}));
}

TEST(Undefined, BranchesByThemselves) {
  Branch op;
  op.then = {1, 3}, op.otherwise = {3, 4};
  Kernel write = store({4}, at(0, {1})), read = load({4}, at(0, {1}));
  EXPECT_EQ(undefined({op, write, read, store({8}, at(0, {1}))}, {{0, 1}}),
            Ranges{});
  EXPECT_EQ(
      undefined({op, write, read, store({8}, at(0, {1})), read}, {{0, 1}}),
      (Ranges{{0, 16}}));
}
