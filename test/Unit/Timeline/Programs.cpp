//===- Programs.cpp - small programs on HERMES, built by hand -------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Programs.h"

#include "mho/Chip/ChipModel.h"
#include "mho/Support/TemporaryFile.h"

#include <gtest/gtest.h>

using namespace mho;
using namespace mho::rt;

static constexpr int64_t kRows = 256, kColumns = 256;

ProgramBuilder::ProgramBuilder(unsigned cores, const std::string &readMode) {
  auto chip = ChipModel::read("hermes");
  if (!chip.ok())
    throw std::runtime_error(chip.message());
  auto read = (*chip)->withReadMode(readMode);
  if (!read.ok())
    throw std::runtime_error(read.message());
  program.format = kFormatVersion;
  program.target = "hermes";
  program.chip = std::make_unique<fb::ChipT>((*read)->chip());
  auto entry = std::make_unique<fb::EntryT>();
  entry->name = "main";
  entry->codes.assign(cores + 1, kIdle);
  program.entries.push_back(std::move(entry));
  for (unsigned u = 0; u <= cores; ++u) {
    auto unit = std::make_unique<fb::UnitT>();
    unit->kind = u == 0 ? (*read)->ioKind() : (*read)->arrayKind();
    unit->index = u == 0 ? 0 : u - 1;
    unit->name = u == 0 ? "host0" : "core" + std::to_string(u - 1);
    if (u > 0) {
      unit->arrays.push_back(u - 1);
      auto bank = std::make_unique<fb::BankT>();
      bank->rows = kRows;
      bank->cols = bank->stride = kColumns;
      bank->row_splits = {0, kRows};
      bank->col_splits = {0, kColumns};
      program.banks.push_back(std::move(bank));
      auto array = std::make_unique<fb::ArrayT>();
      array->unit = u;
      array->bank = u - 1;
      program.arrays.push_back(std::move(array));
    }
    program.units.push_back(std::move(unit));
  }
}

uint32_t ProgramBuilder::node(const std::string &name, const std::string &op) {
  auto node = std::make_unique<fb::NodeT>();
  node->name = name;
  node->op = op;
  program.nodes.push_back(std::move(node));
  return location({uint32_t(program.nodes.size() - 1)}, {});
}

uint32_t ProgramBuilder::location(std::vector<uint32_t> nodes,
                                  std::vector<uint32_t> weights) {
  auto location = std::make_unique<fb::LocationT>();
  location->nodes = std::move(nodes);
  location->weights = std::move(weights);
  program.locations.push_back(std::move(location));
  return uint32_t(program.locations.size() - 1);
}

uint32_t ProgramBuilder::channel(uint32_t from, uint32_t to) {
  auto channel = std::make_unique<fb::ChannelT>();
  channel->from = from;
  channel->to = to;
  program.channels.push_back(std::move(channel));
  uint32_t number = uint32_t(program.channels.size() - 1);
  for (auto &unit : program.units)
    unit->channels.push_back(number);
  return number;
}

void ProgramBuilder::stream(uint32_t unit, std::vector<isa::Instruction> list,
                            std::vector<uint32_t> locations) {
  list.push_back(isa::End());
  locations.push_back(locations.empty() ? 0 : locations.back());
  auto code = std::make_unique<fb::CodeT>();
  isa::encode(list, code->bytes);
  code->locations = std::move(locations);
  code->scratch_bytes = 1 << 24;
  program.entries[0]->codes[unit] = uint32_t(program.codes.size());
  program.codes.push_back(std::move(code));
}

LoadedProgram ProgramBuilder::finish() {
  auto nothing = [](const Sink &) { return mho::success(); };
  auto file = TemporaryFile::create("mho-timeline-test");
  EXPECT_TRUE(file.ok()) << file.message();
  Status written = writeContainer(file->path(), program, nothing, nothing);
  EXPECT_TRUE(written.ok()) << written.message();
  auto container = Container::open(file->path());
  EXPECT_TRUE(container.ok()) << container.message();
  LoadedProgram loaded;
  loaded.file = *container;
  for (const fb::Code *code : *loaded.program().codes()) {
    auto list = isa::decode({code->bytes()->data(), code->bytes()->size()});
    EXPECT_TRUE(list.ok()) << list.message();
    loaded.codes.push_back(*list);
  }
  return loaded;
}

isa::Access mho::rt::rowsAt(int64_t offset) {
  isa::Access access;
  access.offset = offset;
  access.strides = {kRows, 1};
  return access;
}

isa::Mvm mho::rt::mvmOf(int64_t count, int64_t to) {
  isa::Mvm mvm;
  mvm.counts = {{count}};
  mvm.inner = {{kRows}};
  mvm.input = rowsAt(0);
  mvm.output = rowsAt(to);
  return mvm;
}

isa::Kernel mho::rt::kernelOf(int64_t count, int64_t from, int64_t to) {
  isa::Kernel kernel;
  kernel.dims = {{count}, {kColumns}};
  kernel.reads = {rowsAt(from)};
  kernel.writes = {{rowsAt(to)}};
  isa::MicroOp twice;
  twice.op = uint16_t(isa::MicroOpcode::ArithAddf);
  twice.operands = {0, 0};
  kernel.body.ops = {twice};
  kernel.body.yields = {1};
  return kernel;
}
