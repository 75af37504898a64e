//===- ContainerTest.cpp - .mho files, good and bad -----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Program/Container.h"

#include <gtest/gtest.h>
#include <xxhash.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sys/resource.h>
#include <unistd.h>

using namespace mho;

namespace {

class ContainerTest : public testing::Test {
protected:
  void SetUp() override {
    folder = std::filesystem::path(testing::TempDir()) /
             ("mho-container-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    path = folder / "p.mho";
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  Status write(const std::string &where) {
    fb::ProgramT program;
    program.format = kFormatVersion;
    program.model = "net";
    program.banks.push_back(std::make_unique<fb::BankT>());
    program.banks[0]->name = "fc";
    std::vector<std::byte> bytes(100, std::byte(7));
    return writeContainer(
        where, program, [](const Sink &) { return success(); },
        [&](const Sink &sink) {
          if (Status status = sink(bytes); !status.ok())
            return status;
          return sink(bytes);
        });
  }

  std::string read() {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  void replace(const std::string &bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
  }
  /// The file with `change` made to its header, which is then signed again.
  template <typename Change> void replaceHeader(Change change) {
    std::string bytes = read();
    FileHeader head;
    std::memcpy(&head, bytes.data(), sizeof head);
    change(head);
    head.checksum = 0;
    head.checksum = XXH3_64bits(&head, sizeof head);
    std::memcpy(bytes.data(), &head, sizeof head);
    replace(bytes);
  }
  std::string fault() {
    auto file = Container::open(path);
    return file.ok() ? "no fault" : file.message();
  }
  void expectFault(const std::string &text) {
    EXPECT_NE(fault().find(text), std::string::npos) << fault();
  }

  std::filesystem::path folder, path;
};

TEST_F(ContainerTest, ReadsWhatItWrote) {
  ASSERT_TRUE(write(path).ok());
  auto file = Container::open(path);
  ASSERT_TRUE(file.ok()) << file.message();
  EXPECT_EQ((*file)->program().model()->str(), "net");
  EXPECT_EQ((*file)->program().banks()->Get(0)->name()->str(), "fc");
  EXPECT_EQ((*file)->constants().size(), 0u);
  ASSERT_EQ((*file)->weights().size(), 200u);
  EXPECT_EQ((*file)->weights()[199], std::byte(7));
  EXPECT_EQ((*file)->header().weights.offset % kSectionAlignment, 0u);
}

TEST_F(ContainerTest, WritesTheSameBytesTwice) {
  ASSERT_TRUE(write(path).ok());
  std::string first = read();
  ASSERT_TRUE(write(path).ok());
  EXPECT_EQ(read(), first);
}

// Sections longer than one block of the checksum, written in odd pieces.
TEST_F(ContainerTest, ReadsLongSections) {
  std::vector<std::byte> piece(1234567, std::byte(5));
  constexpr size_t kPieces = 20;
  Status status = writeContainer(
      path, fb::ProgramT(), [](const Sink &) { return success(); },
      [&](const Sink &sink) {
        for (size_t i = 0; i < kPieces; ++i) {
          piece[i] = std::byte(i);
          if (Status status = sink(piece); !status.ok())
            return status;
        }
        return success();
      });
  ASSERT_TRUE(status.ok()) << status.message();
  auto file = Container::open(path);
  ASSERT_TRUE(file.ok()) << file.message();
  EXPECT_EQ((*file)->weights().size(), kPieces * piece.size());
}

TEST_F(ContainerTest, LeavesNothingBehindWhenWritingFails) {
  Status status = writeContainer(
      path, fb::ProgramT(), [](const Sink &) { return success(); },
      [](const Sink &) { return failure("no weights"); });
  EXPECT_EQ(status.message(), "no weights");
  EXPECT_TRUE(std::filesystem::is_empty(folder));
  EXPECT_FALSE(write(folder / "absent" / "p.mho").ok());
}

// A limit on file sizes stands for the full disk.
TEST_F(ContainerTest, ReportsAFullDisk) {
  ASSERT_TRUE(write(path).ok());
  const std::string before = read();
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit old, small;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  small = old;
  small.rlim_cur = 256;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  Status status = write(path);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
  EXPECT_EQ(status.message().find("cannot write '" + path.string() + "'"), 0u)
      << status.message();
  // The earlier file is still there, and nothing beside it.
  EXPECT_EQ(read(), before);
  auto files = std::filesystem::directory_iterator(folder);
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
}

TEST_F(ContainerTest, SaysWhatIsWrongWithAFile) {
  EXPECT_NE(fault().find("No such file"), std::string::npos);
  replace("");
  expectFault("not a mho program");
  replace("ONNX or anything else that is longer than a header of a program, "
          "which has one hundred and twenty-eight bytes, so here are more");
  expectFault("not a mho program");
  ASSERT_TRUE(write(path).ok());
  std::string good = read();
  replace(good.substr(0, 50));
  expectFault("cut short within its header");
  replace(good.substr(0, good.size() - 1));
  expectFault("the file is cut short");
  replace(good + "x");
  expectFault("1 bytes too many");
  std::filesystem::remove(path);
  std::filesystem::create_directory(path);
  expectFault("not a regular file");
}

TEST_F(ContainerTest, RefusesNewerFormats) {
  ASSERT_TRUE(write(path).ok());
  replaceHeader([](FileHeader &head) { head.format = 2; });
  expectFault("format 2 is newer than this tool's 1");
}

TEST_F(ContainerTest, RefusesSectionsOutsideTheFile) {
  ASSERT_TRUE(write(path).ok());
  replaceHeader([](FileHeader &head) { head.weights.size = UINT64_MAX - 63; });
  expectFault("the weights section lies outside the file");
  replaceHeader([](FileHeader &head) {
    head.weights.size = 0;
    head.weights.offset = UINT64_MAX - 63;
  });
  expectFault("the weights section lies outside the file");
}

TEST_F(ContainerTest, RefusesEveryFlippedBit) {
  ASSERT_TRUE(write(path).ok());
  const std::string good = read();
  FileHeader head;
  std::memcpy(&head, good.data(), sizeof head);
  auto inside = [](const SectionHeader &section, size_t i) {
    return i >= section.offset && i < section.offset + section.size;
  };
  for (size_t i = 0; i < good.size(); ++i) {
    std::string damaged = good;
    damaged[i] ^= char(1 << (i % 8));
    replace(damaged);
    bool isPadding = i >= sizeof head && !inside(head.structure, i) &&
                     !inside(head.constants, i) && !inside(head.weights, i);
    EXPECT_EQ(Container::open(path).ok(), isPadding) << "byte " << i;
  }
}

// A structure whose checksum is right but whose bytes are not FlatBuffers'.
TEST_F(ContainerTest, RefusesMalformedStructures) {
  ASSERT_TRUE(write(path).ok());
  const std::string good = read();
  FileHeader head;
  std::memcpy(&head, good.data(), sizeof head);
  unsigned refused = 0;
  for (size_t i = 0; i < head.structure.size; ++i) {
    std::string damaged = good;
    damaged[head.structure.offset + i] = char(0xff);
    replace(damaged);
    replaceHeader([&](FileHeader &h) {
      h.structure.checksum =
          XXH3_64bits(damaged.data() + h.structure.offset, h.structure.size);
    });
    refused += !Container::open(path).ok();
  }
  EXPECT_GT(refused, head.structure.size / 4);
}

} // namespace
