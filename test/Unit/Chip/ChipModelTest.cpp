//===- ChipModelTest.cpp - what passes learn about the built-in chips -----===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Chip/ChipModel.h"

#include <gtest/gtest.h>

#include <algorithm>

using namespace mho;

TEST(ChipModel, Hermes) {
  auto model = ChipModel::read("hermes");
  ASSERT_TRUE(model.ok()) << model.message();
  const ChipModel &chip = **model;
  EXPECT_EQ(chip.arrayRows(), 256);
  EXPECT_EQ(chip.arrayColumns(), 256);
  EXPECT_EQ(chip.totalArrays(), 64);
  EXPECT_EQ(chip.kindName(chip.arrayKind()), "core");
  EXPECT_EQ(chip.kindName(chip.ioKind()), "host");
  EXPECT_TRUE(chip.supports(chip.arrayKind(), "relu"));
  EXPECT_FALSE(chip.supports(chip.arrayKind(), "softmax"));
  EXPECT_TRUE(chip.supports(chip.ioKind(), "softmax"));
  EXPECT_EQ(chip.capacity(), "64 arrays of 256x256, 4194304 weights");
}

TEST(ChipModel, HermesReadModes) {
  auto model = ChipModel::read("hermes");
  ASSERT_TRUE(model.ok()) << model.message();
  const fb::ChipT &chip = (*model)->chip();
  EXPECT_EQ(chip.read_modes[chip.read_mode]->name, "4-phase");
  EXPECT_DOUBLE_EQ(chip.read_modes[chip.read_mode]->latency_ns, 520);
  auto fast = (*model)->withReadMode("1-phase");
  ASSERT_TRUE(fast.ok()) << fast.message();
  const fb::ChipT &other = (*fast)->chip();
  EXPECT_DOUBLE_EQ(other.read_modes[other.read_mode]->latency_ns, 133);
  EXPECT_EQ((*model)->withReadMode("2-phase").message(),
            "target 'hermes' has no read mode '2-phase'; it has 4-phase, "
            "1-phase");
}

TEST(ChipModel, IdealHasAsManyArraysAsNeeded) {
  auto model = ChipModel::read("ideal");
  ASSERT_TRUE(model.ok()) << model.message();
  EXPECT_EQ((*model)->totalArrays(), std::nullopt);
  EXPECT_EQ((*model)->arrayKind(), (*model)->ioKind());
  EXPECT_TRUE((*model)->supports((*model)->ioKind(), "softmax"));
}

TEST(ChipModel, WhatIsNotPublicIsAnEstimate) {
  auto model = ChipModel::read("hermes");
  ASSERT_TRUE(model.ok()) << model.message();
  for (const auto &fact : (*model)->chip().facts) {
    EXPECT_FALSE(fact->source.empty()) << fact->key;
    if (fact->key.rfind("units.host.", 0) == 0) {
      EXPECT_EQ(fact->kind, fb::Provenance::estimate) << fact->key;
    }
  }
}

TEST(ChipModel, UnknownTargetListsThoseThereAre) {
  EXPECT_EQ(ChipModel::read("herms").message(),
            "unknown target 'herms'; built in are hermes, ideal; a chip of "
            "your own is a path to a .yaml file");
  EXPECT_EQ(ChipModel::read("absent/chip.yaml")
                .message()
                .find("cannot read chip file 'absent/chip.yaml'"),
            0u);
}

TEST(ChipModel, ListTargets) {
  std::vector<TargetInfo> targets = listTargets();
  auto ideal =
      std::find_if(targets.begin(), targets.end(),
                   [](const TargetInfo &info) { return info.name == "ideal"; });
  ASSERT_NE(ideal, targets.end());
  EXPECT_EQ(ideal->capacity, "as many 512x512 arrays as a model needs");
}
