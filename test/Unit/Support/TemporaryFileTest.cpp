//===- TemporaryFileTest.cpp - files that leave nothing behind ------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Support/TemporaryFile.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

using namespace mho;
namespace fs = std::filesystem;

namespace {

std::string contentOf(const fs::path &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A folder of its own for each test.
class Files : public testing::Test {
protected:
  void SetUp() override {
    auto file = TemporaryFile::create("mho-files");
    ASSERT_TRUE(file.ok()) << file.message();
    folder = file->path() + ".d";
    fs::create_directory(folder);
  }
  void TearDown() override { fs::remove_all(folder); }
  fs::path folder;
};

TEST_F(Files, ATemporaryFileGoesWithItsOwner) {
  std::string path;
  {
    auto file = TemporaryFile::create("mho-test");
    ASSERT_TRUE(file.ok()) << file.message();
    path = file->path();
    TemporaryFile moved = std::move(*file);
    EXPECT_TRUE(fs::exists(path));
  }
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(Files, WritesReplaceTheWholeFile) {
  fs::path path = folder / "out.json";
  ASSERT_TRUE(writeFileAtomically(path, "a longer first text").ok());
  ASSERT_TRUE(writeFileAtomically(path, "second").ok());
  EXPECT_EQ(contentOf(path), "second");
}

TEST_F(Files, AFailureLeavesNothingBehind) {
  fs::path path = folder / "absent" / "out.json";
  Status status = writeFileAtomically(path, "text");
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.message().find("absent"), std::string::npos);
  EXPECT_TRUE(fs::is_empty(folder));
}

TEST_F(Files, AFolderIsNoFile) {
  EXPECT_FALSE(writeFileAtomically(folder, "text").ok());
  EXPECT_TRUE(fs::is_directory(folder));
}

} // namespace
