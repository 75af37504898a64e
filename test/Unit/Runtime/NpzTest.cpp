//===- NpzTest.cpp - archives there and back, and broken ones
//---------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Runtime/Npz.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <numeric>

using namespace mho::rt;
using mho::isa::Type;

namespace {
class Npz : public testing::Test {
protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "mho-npz-XXXXXX";
    folder = mkdtemp(name.data());
    path = folder + "/x.npz";
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string contents() {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void rewrite(const std::string &bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  }
  Tensor numbers() {
    Tensor tensor(Type::F32, {3, 5});
    std::iota(tensor.as<float>(), tensor.as<float>() + 15, 0.5f);
    return tensor;
  }
  std::string folder, path;
};
} // namespace

TEST_F(Npz, ThereAndBack) {
  Tensor floats = numbers(), scalar(Type::I64, {}), flags(Type::Bool, {2});
  *scalar.as<int64_t>() = -7;
  flags.as<uint8_t>()[1] = 1;
  ASSERT_TRUE(
      writeNpz(path, {{"a", &floats}, {"b", &scalar}, {"c", &flags}}).ok());
  auto read = readNpz(path);
  ASSERT_TRUE(read.ok()) << read.message();
  EXPECT_EQ(read->size(), 3u);
  EXPECT_EQ((*read)["a"].shape, floats.shape);
  EXPECT_EQ((*read)["a"].data, floats.data);
  EXPECT_EQ((*read)["b"].type, Type::I64);
  EXPECT_EQ(*(*read)["b"].as<int64_t>(), -7);
  EXPECT_EQ((*read)["c"].data, flags.data);
}

TEST_F(Npz, EqualContentsAreEqualBytes) {
  Tensor floats = numbers();
  ASSERT_TRUE(writeNpz(path, {{"a", &floats}}).ok());
  std::string first = contents();
  ASSERT_TRUE(writeNpz(path, {{"a", &floats}}).ok());
  EXPECT_EQ(first, contents());
}

TEST_F(Npz, BrokenFilesAreRefused) {
  EXPECT_NE(readNpz(path).message().find("no such file"), std::string::npos);
  rewrite("this is no archive");
  EXPECT_NE(readNpz(path).message().find("not an .npz archive"),
            std::string::npos);
  Tensor floats = numbers();
  ASSERT_TRUE(writeNpz(path, {{"a", &floats}}).ok());
  std::string bytes = contents();
  rewrite(bytes.substr(0, bytes.size() / 2));
  EXPECT_FALSE(readNpz(path).ok());
  // A flipped bit in the data is seen by the archive's checksum.
  std::string flipped = bytes;
  flipped[200] = char(flipped[200] ^ 1);
  rewrite(flipped);
  EXPECT_NE(readNpz(path).message().find("'a'"), std::string::npos);
}

TEST_F(Npz, AFailedWriteLeavesNothing) {
  Tensor floats = numbers();
  std::string missing = folder + "/no/such/folder.npz";
  EXPECT_FALSE(writeNpz(missing, {{"a", &floats}}).ok());
  EXPECT_TRUE(std::filesystem::is_empty(folder));
}
