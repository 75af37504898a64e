//===- Timeline.cpp - how fast a program is replayed on time --------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Benchmarks.h"

#include "mho/Runtime/Timeline.h"
#include "mho/Support/TemporaryFile.h"

#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

using namespace mho;

namespace {

constexpr uint32_t kLayers = 32;
constexpr int64_t kRows = 32, kColumns = 32, kFeatures = 256;
constexpr int64_t kImage = kRows * kColumns * kFeatures * 4; // bytes

std::unique_ptr<fb::DigitalT> digitalUnit() {
  auto digital = std::make_unique<fb::DigitalT>();
  digital->lanes = 16;
  digital->clock_ghz = 1;
  digital->bytes_per_ns = 64;
  digital->operators = {"all"};
  return digital;
}

std::unique_ptr<fb::ChipT> makeChip() {
  auto chip = std::make_unique<fb::ChipT>();
  auto host = std::make_unique<fb::UnitKindT>();
  host->name = "host";
  host->count = 1;
  host->digital = digitalUnit();
  auto core = std::make_unique<fb::UnitKindT>();
  core->name = "core";
  core->count = kLayers;
  core->digital = digitalUnit();
  core->arrays = std::make_unique<fb::ArraysT>();
  core->arrays->per_unit = 1;
  core->arrays->rows = core->arrays->cols = uint32_t(kFeatures);
  core->arrays->input_bits = core->arrays->output_bits = 8;
  core->arrays->post_ns_per_output = 1;
  chip->kinds.push_back(std::move(host));
  chip->kinds.push_back(std::move(core));
  auto link = std::make_unique<fb::LinkT>();
  link->from = link->to = "*";
  link->latency_ns = 100;
  link->bytes_per_ns = 8;
  chip->links.push_back(std::move(link));
  auto mode = std::make_unique<fb::ReadModeT>();
  mode->name = "only";
  mode->latency_ns = 130;
  chip->read_modes.push_back(std::move(mode));
  return chip;
}

isa::Access imageAt(int64_t offset) {
  isa::Access access;
  access.offset = offset;
  access.strides = {kColumns * kFeatures, kFeatures, 1};
  return access;
}

const std::vector<isa::Extent> kDims = {{kRows}, {kColumns}, {kFeatures}};

/// max(image at 0, image at `other`) in place.
isa::Kernel kernelWith(int64_t other) {
  isa::Kernel kernel;
  kernel.dims = kDims;
  kernel.reads = {imageAt(0), imageAt(other)};
  kernel.writes = {{imageAt(0)}};
  isa::MicroOp op;
  op.op = uint16_t(isa::MicroOpcode::ArithMaximumf);
  op.operands = {0, 1};
  kernel.body.ops = {op};
  kernel.body.yields = {2};
  return kernel;
}

isa::Send sendOn(uint32_t channel) {
  isa::Send send;
  send.channel = channel;
  send.dims = kDims;
  send.from = imageAt(0);
  return send;
}

isa::Recv receiveOn(uint32_t channel, int64_t offset) {
  isa::Recv receive;
  receive.channel = channel;
  receive.dims = kDims;
  receive.to = imageAt(offset);
  return receive;
}

/// What a core does for one layer: an image in, a 3x3 window's product over
/// it, an image out.
std::vector<isa::Instruction> coreStream() {
  isa::Mvm mvm;
  mvm.counts = {{kRows}, {kColumns}};
  mvm.inner = {{3}, {3}, {kFeatures / 9}};
  mvm.input.offset = kImage;
  mvm.input.strides = {kColumns * kFeatures, kFeatures, kColumns * kFeatures,
                       kFeatures, 1};
  mvm.input.valid = {{-1, kRows, {1, 0, 1, 0, 0}},
                     {-1, kColumns, {0, 1, 0, 1, 0}}};
  mvm.output = imageAt(0);
  return {receiveOn(0, kImage), mvm, kernelWith(0), sendOn(1), isa::End()};
}

/// A host that sends an image to each core in turn and adds what comes back.
/// Null with `error` set where the container cannot be written.
std::shared_ptr<const rt::LoadedProgram> makeProgram(std::string &error) {
  fb::ProgramT program;
  program.format = kFormatVersion;
  program.chip = makeChip();
  auto entry = std::make_unique<fb::EntryT>();
  auto host = std::make_unique<fb::UnitT>();
  host->name = "host0";
  std::vector<isa::Instruction> hostList;
  program.units.push_back(std::move(host));
  entry->codes.push_back(0);
  for (uint32_t layer = 0; layer < kLayers; ++layer) {
    auto unit = std::make_unique<fb::UnitT>();
    unit->name = "core" + std::to_string(layer);
    unit->kind = 1;
    unit->index = layer;
    unit->arrays = {layer};
    unit->channels = {2 * layer, 2 * layer + 1};
    auto bank = std::make_unique<fb::BankT>();
    bank->rows = bank->cols = bank->stride = uint64_t(kFeatures);
    bank->row_splits = bank->col_splits = {0, uint64_t(kFeatures)};
    program.banks.push_back(std::move(bank));
    auto array = std::make_unique<fb::ArrayT>();
    array->unit = layer + 1;
    array->bank = layer;
    program.arrays.push_back(std::move(array));
    for (auto [from, to] :
         {std::pair(0u, layer + 1), std::pair(layer + 1, 0u)}) {
      auto channel = std::make_unique<fb::ChannelT>();
      channel->from = from;
      channel->to = to;
      channel->bytes = uint64_t(kImage);
      program.units[0]->channels.push_back(uint32_t(program.channels.size()));
      program.channels.push_back(std::move(channel));
    }
    hostList.push_back(sendOn(2 * layer));
    hostList.push_back(receiveOn(2 * layer + 1, kImage));
    hostList.push_back(kernelWith(kImage));
    program.units.push_back(std::move(unit));
    entry->codes.push_back(1);
  }
  hostList.push_back(isa::End());
  program.entries.push_back(std::move(entry));

  auto loaded = std::make_shared<rt::LoadedProgram>();
  loaded->codes = {std::move(hostList), coreStream()};
  for (const auto &list : loaded->codes) {
    auto code = std::make_unique<fb::CodeT>();
    isa::encode(list, code->bytes);
    code->scratch_bytes = code->peak_bytes = 2 * uint64_t(kImage);
    program.codes.push_back(std::move(code));
  }
  auto file = TemporaryFile::create("mho-bench");
  if (!file) {
    error = file.message();
    return nullptr;
  }
  auto nothing = [](const Sink &) { return Status(); };
  Status written = writeContainer(file->path(), program, nothing, nothing);
  auto container = written.ok()
                       ? Container::open(file->path())
                       : Expected<std::shared_ptr<const Container>>(written);
  if (!container) {
    error = container.message();
    return nullptr;
  }
  loaded->file = *container;
  return loaded;
}

void timelineEvents(benchmark::State &state) {
  std::string error;
  auto program = makeProgram(error);
  if (!program) {
    state.SkipWithError(error.c_str());
    return;
  }
  uint64_t events = 0;
  for (auto _ : state) {
    rt::TimelineResult result = rt::runTimeline(*program);
    benchmark::DoNotOptimize(result.latencySeconds);
    events += result.events;
  }
  state.SetItemsProcessed(int64_t(events));
}

} // namespace

void bench::registerTimeline() {
  benchmark::RegisterBenchmark("timeline_events", timelineEvents);
}
