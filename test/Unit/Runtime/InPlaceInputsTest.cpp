//===- InPlaceInputsTest.cpp - inputs that need not be copied -------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "InPlaceInputs.h"

#include "Accesses.h"

#include <gtest/gtest.h>

using namespace mho;
using namespace mho::isa;
using namespace mho::rt;

namespace {

/// Two inputs of 16 elements and an output of as many.
const std::vector<ByteRange> kInputs = {{0, 64}, {64, 128}};
const std::vector<ByteRange> kOutputs = {{128, 192}};

Access io(int64_t offset, std::vector<int64_t> strides) {
  Access result = access(Type::F32, std::move(strides));
  result.space = Space::Io;
  result.offset = offset;
  return result;
}

Kernel kernel(int64_t extent, std::vector<Access> reads, Access to) {
  Kernel op;
  op.dims = {{extent, kNoSlot}};
  op.reads = std::move(reads);
  op.writes = {Write{std::move(to)}};
  return op;
}

struct Found {
  explicit Found(std::vector<Instruction> list,
                 std::vector<ByteRange> outputs = kOutputs,
                 std::vector<std::pair<int64_t, int64_t>> slots = {})
      : list(std::move(list)),
        inputs(kInputs, outputs, this->list, {std::move(slots), {}}) {}

  int ofRead(size_t instruction, size_t read) const {
    return inputs.numberOf(std::get<Kernel>(list[instruction]).reads[read]);
  }
  std::vector<Instruction> list;
  InPlaceInputs inputs;
};

} // namespace

TEST(InPlaceInputs, WhatIsOnlyReadStaysWhereItIs) {
  // The last element of the first input is the first one's own, too.
  Found found({kernel(16, {io(0, {1}), io(124, {-1})}, io(128, {1})), End{}});
  EXPECT_TRUE(found.inputs.may(0));
  EXPECT_TRUE(found.inputs.may(1));
  EXPECT_FALSE(found.inputs.may(2));
  EXPECT_EQ(found.ofRead(0, 0), 0);
  EXPECT_EQ(found.ofRead(0, 1), 1);
  EXPECT_EQ(
      found.inputs.numberOf(std::get<Kernel>(found.list[0]).writes[0].access),
      -1);
  EXPECT_EQ(found.inputs.offsetOf(1), 64);
}

TEST(InPlaceInputs, AReadOfTwoInputsNeedsThemSideBySide) {
  Found found({kernel(16, {io(4, {1}), io(64, {1})}, io(128, {1})), End{}});
  EXPECT_FALSE(found.inputs.may(0));
  EXPECT_FALSE(found.inputs.may(1));
  EXPECT_EQ(found.ofRead(0, 0), -1);
  // Not only the access that reaches across reads the copy.
  EXPECT_EQ(found.ofRead(0, 1), -1);
}

TEST(InPlaceInputs, WhatIsWrittenIsCopied) {
  Found found({kernel(16, {io(0, {1})}, io(64, {1})), End{}});
  EXPECT_TRUE(found.inputs.may(0));
  EXPECT_FALSE(found.inputs.may(1));

  Scatter scatter;
  scatter.dims = {{2, kNoSlot}};
  scatter.sizes = {{16, kNoSlot}};
  scatter.placeStrides = {1};
  scatter.indices = {access(Type::I64, {1})};
  scatter.updates = access(Type::F32, {1});
  scatter.to = io(64, {0});
  EXPECT_FALSE(Found({scatter, End{}}).inputs.may(1));

  Copy copy;
  copy.dims = {{0, kNoSlot}};
  copy.from = access(Type::F32, {1});
  copy.to = io(64, {1});
  EXPECT_TRUE(Found({copy, End{}}).inputs.may(1));
}

TEST(InPlaceInputs, SlotsReachAsFarAsTheyMay) {
  Access from = io(0, {1});
  from.slots = {{0, 4}};
  auto list = std::vector<Instruction>{kernel(4, {from}, io(128, {1})), End{}};
  EXPECT_TRUE(Found(list, kOutputs, {{0, 3}}).inputs.may(0));
  EXPECT_FALSE(Found(list, kOutputs, {{0, 4}}).inputs.may(0));
}

TEST(InPlaceInputs, AnInputThatIsAnOutputIsCopied) {
  Found found({End{}}, {{0, 64}});
  EXPECT_FALSE(found.inputs.may(0));
  EXPECT_TRUE(found.inputs.may(1));
}
