//===- ParseChipTest.cpp - what a chip file may say -----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Chip/ChipModel.h"

#include <gtest/gtest.h>

#include <string>

using namespace mho;

namespace {

/// The smallest chip: `mvm` is the line of its read mode's latency.
std::string chipWith(const std::string &latency, const std::string &more = "") {
  return "name: tiny\n"
         "units:\n"
         "  core:\n"
         "    count: {value: 2, source: s, kind: measured}\n"
         "    arrays:\n"
         "      per_unit: {value: 3, source: s, kind: measured}\n"
         "      rows: {value: 16, source: s, kind: measured}\n"
         "      columns: {value: 8, source: s, kind: measured}\n"
         "      input_bits: {value: 8, unit: bit, source: s, kind: measured}\n"
         "      output_bits: {value: 8, unit: bit, source: s, kind: measured}\n"
         "    digital:\n"
         "      operators: [all]\n"
         "      lanes: {value: 4, source: s, kind: estimate}\n"
         "      clock: {value: 500, unit: MHz, source: s, kind: estimate}\n"
         "      energy_per_operation: {value: 1, unit: pJ, source: s, kind: "
         "estimate}\n"
         "read_modes:\n"
         "  only:\n"
         "    latency: " +
         latency +
         "\n"
         "    energy: {value: 10, unit: nJ, source: s, kind: measured}\n" +
         more;
}

std::string errorOf(const std::string &yaml) {
  auto chip = parseChip(yaml, "tiny.yaml");
  return chip.ok() ? "no error" : chip.message();
}

constexpr const char *kGood =
    "{value: 0.133, unit: us, source: a paper, kind: measured}";

TEST(ParseChip, ConvertsUnits) {
  auto chip = parseChip(chipWith(kGood), "tiny.yaml");
  ASSERT_TRUE(chip.ok()) << chip.message();
  EXPECT_DOUBLE_EQ(chip->read_modes[0]->latency_ns, 133);
  EXPECT_DOUBLE_EQ(chip->kinds[0]->digital->clock_ghz, 0.5);
  EXPECT_DOUBLE_EQ(chip->kinds[0]->digital->energy_pj_per_op, 1);
}

TEST(ParseChip, KeepsEveryNumberAsWritten) {
  auto chip = parseChip(chipWith(kGood), "tiny.yaml");
  ASSERT_TRUE(chip.ok()) << chip.message();
  const fb::FactT *latency = nullptr;
  for (const auto &fact : chip->facts)
    if (fact->key == "read_modes.only.latency")
      latency = fact.get();
  ASSERT_NE(latency, nullptr);
  EXPECT_DOUBLE_EQ(latency->value, 0.133);
  EXPECT_EQ(latency->unit, "us");
  EXPECT_EQ(latency->source, "a paper");
  EXPECT_EQ(latency->kind, fb::Provenance::measured);
}

TEST(ParseChip, MissingUnit) {
  EXPECT_EQ(errorOf(chipWith("{value: 1, source: s, kind: measured}")),
            "tiny.yaml:18:14: missing 'unit' of 'read_modes.only.latency', a "
            "time in ns");
}

TEST(ParseChip, WrongUnit) {
  EXPECT_EQ(
      errorOf(chipWith("{value: 1, unit: nJ, source: s, kind: measured}")),
      "tiny.yaml:18:31: unit 'nJ' does not fit "
      "'read_modes.only.latency', expected one of ns, us, ms, s");
}

TEST(ParseChip, OutOfRange) {
  EXPECT_EQ(
      errorOf(chipWith("{value: -1, unit: ns, source: s, kind: measured}")),
      "tiny.yaml:18:22: 'read_modes.only.latency' is -1, expected at least "
      "0.000001");
}

TEST(ParseChip, NoNumber) {
  EXPECT_EQ(
      errorOf(chipWith("{value: fast, unit: ns, source: s, kind: measured}")),
      "tiny.yaml:18:22: expected a number for 'read_modes.only.latency', found "
      "'fast'");
}

TEST(ParseChip, MissingSource) {
  EXPECT_EQ(errorOf(chipWith("{value: 1, unit: ns, kind: measured}")),
            "tiny.yaml:18:14: missing 'source' of read_modes.only.latency");
}

TEST(ParseChip, UnknownKindOfProvenance) {
  std::string error =
      errorOf(chipWith("{value: 1, unit: ns, source: s, kind: guess}"));
  EXPECT_EQ(error.find("tiny.yaml:18:52: unknown kind 'guess'"), 0u) << error;
}

TEST(ParseChip, GateColumns) {
  auto with = [](const std::string &gates) {
    std::string yaml = chipWith(kGood), at = "      input_bits";
    return yaml.insert(yaml.find(at), "      gate_columns: " + gates + "\n");
  };
  auto chip =
      parseChip(with("{value: icfo, source: s, kind: measured}"), "tiny.yaml");
  ASSERT_TRUE(chip.ok()) << chip.message();
  EXPECT_EQ(chip->kinds[0]->arrays->gate_columns, "icfo");
  std::string wrong = errorOf(with("{value: ifgo, source: s, kind: measured}"));
  EXPECT_NE(wrong.find("gate_columns' is 'ifgo', expected the letters i, o, f "
                       "and c"),
            std::string::npos)
      << wrong;
  EXPECT_NE(
      errorOf(with("{value: icfo, kind: measured}")).find("missing 'source'"),
      std::string::npos);
}

TEST(ParseChip, UnknownKey) {
  std::string error = errorOf(chipWith(kGood, "voltage: 3\n"));
  EXPECT_EQ(error.find("tiny.yaml:20:1: unknown key 'voltage' in a chip file; "
                       "known are name, "),
            0u)
      << error;
}

TEST(ParseChip, KeyTwice) {
  EXPECT_EQ(errorOf(chipWith(kGood, "name: again\n")),
            "tiny.yaml:20:1: key 'name' is there twice");
}

TEST(ParseChip, UnknownEffect) {
  std::string error = errorOf(chipWith(kGood, "effects: [magic]\n"));
  EXPECT_EQ(error.find("tiny.yaml:20:10: unknown effect 'magic'"), 0u) << error;
}

TEST(ParseChip, BrokenYaml) {
  EXPECT_EQ(errorOf("name: [tiny\n").find("tiny.yaml:"), 0u);
  EXPECT_EQ(errorOf(""), "tiny.yaml:1:1: expected a chip file as a map");
}

} // namespace
