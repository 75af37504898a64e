//===- ReportTest.cpp - the report's keys and words -----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Programs.h"

#include "mho/Runtime/Report.h"

#include <gtest/gtest.h>

using namespace mho;
using namespace mho::rt;
using Json = nlohmann::ordered_json;

static LoadedProgram smallProgram() {
  ProgramBuilder builder(2, "4-phase");
  uint32_t at = builder.node("dense", "Gemm");
  builder.node("reshape", "Reshape");
  builder.stream(1, {mvmOf(4)}, {at});
  builder.stream(2, {mvmOf(4)}, {at});
  return builder.finish();
}

TEST(ReportTest, HasTheKeysOfTheContract) {
  LoadedProgram program = smallProgram();
  ReportMetrics metrics{{"accuracy", {0.9, 0.01, 0.02, 5}}};
  Json report =
      buildReport(program, runTimeline(program), ReportSettings(), metrics);
  for (const char *key :
       {"schema", "model", "target", "arrays", "chips", "latency_s",
        "initiation_interval_s", "throughput_per_s", "energy_j", "area_mm2",
        "tops", "tops_per_w", "mvm_only", "layers", "metrics", "settings",
        "provenance", "folded"})
    EXPECT_TRUE(report.contains(key)) << key;
  EXPECT_EQ(report["layers"][0]["node"], "dense");
  EXPECT_EQ(report["layers"][0]["unit_kind"], "core");
  EXPECT_EQ(report["folded"][0]["node"], "reshape");
  EXPECT_EQ(report["metrics"]["accuracy"]["instances"], 5);
  double sum = 0;
  for (const char *part :
       {"mvm", "converters", "digital", "communication", "memory", "passive"})
    sum += report["energy_j"][part].get<double>();
  EXPECT_NEAR(sum, report["energy_j"]["total"].get<double>(), 1e-15);
}

TEST(ReportTest, NamesOnlyNumbersThatAreUsed) {
  LoadedProgram program = smallProgram();
  Json report = buildReport(program, runTimeline(program), {}, {});
  bool fourPhase = false;
  for (const Json &fact : report["provenance"]) {
    std::string key = fact["key"];
    EXPECT_EQ(key.find("1-phase"), std::string::npos) << key;
    EXPECT_EQ(key.find("gdpu"), std::string::npos) << key;
    fourPhase |= key == "read_modes.4-phase.latency";
  }
  EXPECT_TRUE(fourPhase);
}

TEST(ReportTest, SummaryTellsEstimates) {
  LoadedProgram program = smallProgram();
  Json report = buildReport(program, runTimeline(program), {}, {});
  report["estimates"] = {"latency_s"};
  std::string text = summarize(report);
  EXPECT_NE(text.find("(rests on estimates)"), std::string::npos);
  EXPECT_NE(text.find("arrays      2 of 64"), std::string::npos) << text;
  EXPECT_NE(text.find("dense"), std::string::npos);
}
