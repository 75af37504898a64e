//===- VerifierTest.cpp - what a verified program may be relied on for ----===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A good program with one thing changed, and its checksums right again: only
// the verifier stands between such a file and a crash.
//
//===----------------------------------------------------------------------===//

#include "mho/Program/Container.h"
#include "mho/Runtime/LoadedProgram.h"
#include "mho/Support/TemporaryFile.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

using namespace mho;
using namespace mho::rt;

namespace {

/// The message of loading the golden program after `change`.
std::string
messageAfter(const std::function<void(fb::ProgramT &program)> &change) {
  auto golden = Container::open(MHO_GOLDEN_PROGRAM);
  EXPECT_TRUE(golden.ok()) << golden.message();
  fb::ProgramT program;
  (*golden)->program().UnPackTo(&program);
  change(program);
  auto file = TemporaryFile::create("mho-verifier");
  EXPECT_TRUE(file.ok());
  auto section = [&](std::span<const std::byte> bytes) {
    return SectionWriter([bytes](const Sink &sink) { return sink(bytes); });
  };
  Status written =
      writeContainer(file->path(), program, section((*golden)->constants()),
                     section((*golden)->weights()));
  EXPECT_TRUE(written.ok()) << written.message();
  return loadProgram(file->path()).message();
}

void expectRefused(const std::string &word,
                   const std::function<void(fb::ProgramT &program)> &change) {
  std::string message = messageAfter(change);
  EXPECT_NE(message.find("not a valid program"), std::string::npos) << message;
  EXPECT_NE(message.find(word), std::string::npos) << message;
}

} // namespace

TEST(Verifier, TakesWhatIsUnchanged) {
  EXPECT_EQ(messageAfter([](fb::ProgramT &) {}), "");
}

TEST(Verifier, SizesOfValuesFollowFromTheirShapes) {
  expectRefused("its shape needs", [](fb::ProgramT &program) {
    program.values.back()->bytes += 64;
  });
  expectRefused("its shape needs", [](fb::ProgramT &program) {
    program.values.back()->bytes = uint64_t(1) << 60;
  });
}

TEST(Verifier, ValuesHaveNames) {
  expectRefused("has no name", [](fb::ProgramT &program) {
    program.values.front()->name.clear();
  });
}

TEST(Verifier, TheReadModeExists) {
  expectRefused("read mode 7",
                [](fb::ProgramT &program) { program.chip->read_mode = 7; });
  expectRefused("read mode", [](fb::ProgramT &program) {
    program.chip->read_modes.clear();
  });
}

TEST(Verifier, KindsAndLinksHaveNames) {
  expectRefused("unit kind 0", [](fb::ProgramT &program) {
    program.chip->kinds.front()->name.clear();
  });
  expectRefused("link 0", [](fb::ProgramT &program) {
    program.chip->links.front()->to.clear();
  });
}

TEST(Verifier, CostsAreNumbers) {
  double none = std::numeric_limits<double>::quiet_NaN();
  double endless = std::numeric_limits<double>::infinity();
  expectRefused("cost", [=](fb::ProgramT &program) {
    program.chip->read_modes.front()->latency_ns = none;
  });
  expectRefused("cost", [=](fb::ProgramT &program) {
    for (auto &kind : program.chip->kinds)
      if (kind->digital)
        kind->digital->start_ns = endless;
  });
  expectRefused("link 0", [](fb::ProgramT &program) {
    program.chip->links.front()->latency_ns = -1;
  });
  expectRefused("temperature", [=](fb::ProgramT &program) {
    program.chip->temperature_c = none;
  });
}
