//===- DisassembleTest.cpp - programs back to text, good and bad ----------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Target/Program/Disassemble.h"
#include "mho/Target/Program/Emit.h"

#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/raw_ostream.h"

#include <gtest/gtest.h>
#include <xxhash.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <unistd.h>

using namespace mlir;

namespace {

constexpr const char *kModule = R"(
module attributes {
  analog.chip = "two", analog.channels = array<i32: 0, 1>,
  analog.units = [{index = 0, kind = "host"}, {index = 0, kind = "core"}]
} {
  analog.bank @fc {weights = dense<0.5> : tensor<4x2xf32>,
    view = #analog.view<rows = [0] columns = [1] offsets = [0, 0] sizes = [4, 2]>,
    encoding = #analog.encoding<"differential" x 2>, shift = dense<1.0> : tensor<2xf32>,
    row_splits = array<i64: 0, 4>, col_splits = array<i64: 0, 2>, places = array<i32: 1, 0, 0>}
  tile.constant @c at 0 = dense<3> : tensor<2x2xi8>
  tile.value input "x" : tensor<1x4xf32> at 0 bytes 16
  tile.program @unit_0_main unit 0 entry "main" scratch 64 peak 16 slots [#tile.slot<0 to 1 initially 0>] {
    tile.kernel [4] reads [#tile.access<u8 io at 0, [1]>]
        writes [#tile.write<i64 scratch at 0, [0], max init -1>, #tile.write<f16 scratch at 8, [1], carry init 1.5>] {
    ^bb0(%x: i8, %h: f16):
      %i = tile.index 0 : index
      %t = tile.load <i8 const at 0, [2, 1], sizes [2, 2]>[%i, %i] : (index, index) -> i8
      %s = arith.addi %x, %t : i8
      %w = arith.extui %s : i8 to i64
      %n = arith.constant 0x7E00 : f16
      %b = arith.cmpf uno, %h, %n : f16
      %r = arith.select %b, %h, %n : f16
      tile.yield %w, %r : i64, f16
    }
    tile.loop 3 index 0 {
      tile.branch if 0 {
        tile.send 0 [4] from <f32 scratch at 0, [1], fill 0.5>
      } else {
      }
    }
    tile.end
  }
  tile.program @unit_1_main unit 1 entry "main" scratch 64 peak 64 slots [] {
    tile.recv 0 [4] to <f32 scratch at 0, [1]>
    tile.mvm array 0 counts [1] inner [4] first_row 0 from <f32 scratch at 0, [0, 1], valid [-1 + [0, 1] in 2]> to <f32 scratch at 16, [0, 1]> shift
    tile.end
  }
}
)";

class DisassembleTest : public testing::Test {
protected:
  void SetUp() override {
    folder = std::filesystem::path(testing::TempDir()) /
             ("mho-disassemble-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    for (const char *name : {"host", "core"}) {
      chip.kinds.push_back(std::make_unique<mho::fb::UnitKindT>());
      chip.kinds.back()->name = name;
    }
    chip.kinds[1]->arrays = std::make_unique<mho::fb::ArraysT>();
    chip.kinds[1]->arrays->encoding = "differential";
    chip.kinds[1]->arrays->devices_per_polarity = 2;
    chip.name = "two";
    mho::loadTilePhaseDialects(context);
    context.getDiagEngine().registerHandler(
        [this](Diagnostic &diagnostic) { faults += diagnostic.str() + "\n"; });
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  std::string pathOf(const char *name) { return (folder / name).string(); }
  std::string bytesOf(const std::string &path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string textOf(ModuleOp module) {
    std::string text;
    llvm::raw_string_ostream os(text);
    module.print(os, OpPrintingFlags().enableDebugInfo());
    return text;
  }
  void emit(ModuleOp module, const std::string &path) {
    ASSERT_TRUE(succeeded(mho::emitProgram(module, path, chip))) << faults;
  }

  MLIRContext context;
  mho::fb::ChipT chip;
  std::filesystem::path folder;
  std::string faults;
};

TEST_F(DisassembleTest, GivesBackWhatWasEmitted) {
  auto module = parseSourceString<ModuleOp>(kModule, &context);
  ASSERT_TRUE(module) << faults;
  emit(*module, pathOf("a.mho"));
  auto file = mho::Container::open(pathOf("a.mho"));
  ASSERT_TRUE(file.ok()) << file.message();
  auto back = mho::disassemble(*file, context);
  ASSERT_TRUE(back) << faults;
  emit(*back, pathOf("b.mho"));
  EXPECT_TRUE(bytesOf(pathOf("a.mho")) == bytesOf(pathOf("b.mho")));

  // And through text.
  auto reread = parseSourceString<ModuleOp>(textOf(*back), &context);
  ASSERT_TRUE(reread) << faults;
  emit(*reread, pathOf("c.mho"));
  EXPECT_TRUE(bytesOf(pathOf("a.mho")) == bytesOf(pathOf("c.mho")));
}

// Structures with a right checksum and wrong contents: a message or some
// program, never a crash.
TEST_F(DisassembleTest, SurvivesHostileStructures) {
  auto module = parseSourceString<ModuleOp>(kModule, &context);
  ASSERT_TRUE(module) << faults;
  emit(*module, pathOf("good.mho"));
  const std::string good = bytesOf(pathOf("good.mho"));
  mho::FileHeader head;
  std::memcpy(&head, good.data(), sizeof head);
  unsigned refused = 0, readable = 0;
  for (size_t i = 0; i < head.structure.size; ++i)
    for (unsigned char value : {0x01, 0xff}) {
      std::string damaged = good;
      damaged[head.structure.offset + i] ^= char(value);
      mho::FileHeader changed = head;
      uint64_t block = XXH3_64bits(damaged.data() + head.structure.offset,
                                   head.structure.size);
      changed.structure.checksum = XXH3_64bits(&block, sizeof block);
      changed.checksum = 0;
      changed.checksum = XXH3_64bits(&changed, sizeof changed);
      std::memcpy(damaged.data(), &changed, sizeof changed);
      std::ofstream(pathOf("bad.mho"), std::ios::binary) << damaged;
      auto file = mho::Container::open(pathOf("bad.mho"));
      if (!file.ok()) {
        ++refused;
        continue;
      }
      faults.clear();
      if (auto back = mho::disassemble(*file, context)) {
        textOf(*back);
        ++readable;
      } else {
        EXPECT_FALSE(faults.empty()) << "byte " << i << " in silence";
        ++refused;
      }
    }
  EXPECT_GT(refused, 100u);
  EXPECT_GT(readable, 100u);
}

} // namespace
