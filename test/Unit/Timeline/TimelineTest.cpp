//===- TimelineTest.cpp - time and energy of small programs ---------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Programs.h"

#include "mho/Runtime/Timeline.h"

#include <gtest/gtest.h>

#include <chrono>

using namespace mho;
using namespace mho::rt;

/// One vector through every core at once.
static TimelineResult allCores(const std::string &readMode) {
  ProgramBuilder builder(64, readMode);
  uint32_t at = builder.node("all", "MatMul");
  for (uint32_t core = 1; core <= 64; ++core)
    builder.stream(core, {mvmOf(1)}, {at});
  return runTimeline(builder.finish());
}

// Le Gallo et al. 2023, Table I, first row.
TEST(TimelineTest, ReproducesTableOneOfHermes) {
  TimelineResult onePhase = allCores("1-phase");
  EXPECT_NEAR(onePhase.arrayTops(), 63.1, 63.1 * 0.005);
  EXPECT_NEAR(onePhase.arrayTopsPerWatt(), 9.76, 9.76 * 0.005);
  TimelineResult fourPhase = allCores("4-phase");
  EXPECT_NEAR(fourPhase.arrayTops(), 16.1, 16.1 * 0.005);
  EXPECT_NEAR(fourPhase.arrayTopsPerWatt(), 2.48, 2.48 * 0.005);
  EXPECT_EQ(fourPhase.arraysUsed, 64u);
  EXPECT_EQ(fourPhase.arraysAvailable, 64u);
  EXPECT_EQ(fourPhase.cellsUsed, fourPhase.cells);
}

TEST(TimelineTest, OneVectorTakesReadAndScaling) {
  // 133 ns of reading, 256 outputs of 2.5 ns behind it.
  EXPECT_NEAR(allCores("1-phase").latencySeconds, 773e-9, 1e-12);
}

TEST(TimelineTest, ScalingOverlapsTheNextVector) {
  ProgramBuilder builder(1, "4-phase");
  builder.stream(1, {mvmOf(100)}, {builder.node("m", "MatMul")});
  TimelineResult result = runTimeline(builder.finish());
  // The slower of 520 ns and 640 ns sets the pace.
  EXPECT_NEAR(result.latencySeconds, (520 + 100 * 640) * 1e-9, 1e-9);
  EXPECT_NEAR(result.intervalSeconds, 100 * 640e-9, 1e-12);
}

TEST(TimelineTest, ConsumerFollowsStepByStep) {
  ProgramBuilder builder(1, "4-phase");
  uint32_t at = builder.node("m", "MatMul");
  builder.stream(1, {mvmOf(64), kernelOf(64, 1 << 20, 1 << 21)}, {at, at});
  TimelineResult result = runTimeline(builder.finish());
  // The kernel takes 640 ns a row like the scaling and runs one row behind.
  EXPECT_NEAR(result.latencySeconds, (520 + 65 * 640) * 1e-9, 5e-9);
}

TEST(TimelineTest, OverwritingWaitsForTheReader) {
  ProgramBuilder builder(1, "4-phase");
  uint32_t at = builder.node("m", "MatMul");
  // The second kernel overwrites what the mvm reads, row by row.
  builder.stream(1, {mvmOf(64), kernelOf(64, 1 << 22, 0)}, {at, at});
  TimelineResult late = runTimeline(builder.finish());
  ProgramBuilder other(1, "4-phase");
  at = other.node("m", "MatMul");
  other.stream(1, {mvmOf(64), kernelOf(64, 1 << 22, 1 << 21)}, {at, at});
  TimelineResult free = runTimeline(other.finish());
  auto kernelEnd = [](const TimelineResult &result) {
    return result.layers.front().endSeconds;
  };
  EXPECT_GE(kernelEnd(late), 64 * 520e-9 + 640e-9);
  EXPECT_GE(kernelEnd(late), kernelEnd(free));
}

TEST(TimelineTest, MessagesFlowInSteps) {
  ProgramBuilder builder(2, "4-phase");
  uint32_t at = builder.node("m", "MatMul");
  uint32_t wire = builder.channel(1, 2);
  isa::Send send;
  send.channel = wire;
  send.dims = {{64}, {256}};
  send.from = rowsAt(1 << 20);
  isa::Recv recv;
  recv.channel = wire;
  recv.dims = send.dims;
  recv.to = rowsAt(0);
  builder.stream(1, {mvmOf(64), send}, {at, at});
  builder.stream(2, {recv, mvmOf(64)}, {at, at});
  TimelineResult result = runTimeline(builder.finish());
  // 256 codes take 640 ns on the link: both cores work at the same time.
  EXPECT_NEAR(result.latencySeconds, (520 + 640 + 640 + 520 + 64 * 640) * 1e-9,
              700e-9);
  EXPECT_TRUE(result.notes.empty());
}

TEST(TimelineTest, FusedKernelIsDividedByItsMicroOps) {
  ProgramBuilder builder(0, "4-phase");
  builder.node("a", "Mul");
  builder.node("b", "Add");
  uint32_t both = builder.location({0, 1}, {60, 180});
  builder.stream(0, {kernelOf(16, 0, 1 << 20)}, {both});
  TimelineResult result = runTimeline(builder.finish());
  ASSERT_EQ(result.layers.size(), 2u);
  EXPECT_NEAR(result.layers[0].energy.total() * 3,
              result.layers[1].energy.total(), 1e-18);
  EXPECT_NEAR(result.layers[0].energy.total() + result.layers[1].energy.total(),
              result.energy.total(), 1e-15);
}

TEST(TimelineTest, ReportsAMessageThatNobodySends) {
  ProgramBuilder builder(2, "4-phase");
  isa::Recv recv;
  recv.channel = builder.channel(1, 2);
  recv.dims = {{1}, {256}};
  recv.to = rowsAt(0);
  builder.stream(2, {recv}, {builder.node("m", "MatMul")});
  EXPECT_FALSE(runTimeline(builder.finish()).notes.empty());
}

TEST(TimelineTest, ThousandInstructionsAreFast) {
  ProgramBuilder builder(64, "4-phase");
  uint32_t at = builder.node("m", "MatMul");
  for (uint32_t core = 0; core <= 64; ++core) {
    std::vector<isa::Instruction> list;
    for (int64_t i = 0; i < 16; ++i) {
      if (core)
        list.push_back(mvmOf(1024));
      list.push_back(kernelOf(1024, 1 << 20, 0));
    }
    builder.stream(core, list, std::vector<uint32_t>(list.size(), at));
  }
  LoadedProgram program = builder.finish();
  auto start = std::chrono::steady_clock::now();
  TimelineResult result = runTimeline(program);
  std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  EXPECT_GT(result.events, 2000u * 64u);
  // Far above what it takes, for slow and shared machines.
  EXPECT_LT(took.count(), 2.0);
}
