//===- FuzzProgram.cpp - damaged programs through loader and verifier -----===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Checksums would stop every change at the door, so the bytes are sealed again
// first: what is tried is the structure's check, the decoder, the verifier,
// and, where a program passes and is small, that neither a run nor the timeline
// can crash. Most changes are made inside instruction streams, to bytes that
// keep their length there.
//
//===----------------------------------------------------------------------===//

#include "Input.h"

#include "Program/Checksum.h"

#include "mho/Program/Container.h"
#include "mho/Runtime/Report.h"
#include "mho/Runtime/Session.h"
#include "mho/Runtime/Timeline.h"

#include <algorithm>
#include <cstring>
#include <random>
#include <vector>

using namespace mho;

extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

/// Gives header and sections the checksums of what they hold now.
static void seal(std::vector<uint8_t> &bytes) {
  FileHeader head;
  if (bytes.size() < sizeof head)
    return;
  std::memcpy(static_cast<void *>(&head), bytes.data(), sizeof head);
  head.fileBytes = bytes.size();
  for (SectionHeader *section :
       {&head.structure, &head.constants, &head.weights})
    if (section->offset <= bytes.size() &&
        section->size <= bytes.size() - section->offset)
      section->checksum = checksumOf(
          {reinterpret_cast<const std::byte *>(bytes.data()) + section->offset,
           section->size});
  head.checksum = 0;
  head.checksum = hashBytes(&head, sizeof head);
  std::memcpy(bytes.data(), static_cast<const void *>(&head), sizeof head);
}

/// The structure of a file that has one, or null.
static const fb::Program *structureOf(const uint8_t *data, size_t size) {
  FileHeader head;
  if (size < sizeof head)
    return nullptr;
  std::memcpy(static_cast<void *>(&head), data, sizeof head);
  if (head.structure.offset % kSectionAlignment != 0 ||
      head.structure.offset > size ||
      head.structure.size > size - head.structure.offset ||
      head.structure.size < 8)
    return nullptr;
  const uint8_t *begin = data + head.structure.offset;
  flatbuffers::Verifier verifier(begin, head.structure.size);
  return fb::VerifyProgramBuffer(verifier) ? fb::GetProgram(begin) : nullptr;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size,
                                          size_t most, unsigned int seed) {
  std::minstd_rand random(seed);
  const fb::Program *program = structureOf(data, size);
  if (!program || !program->codes() || program->codes()->size() == 0 ||
      random() % 4 == 0)
    return LLVMFuzzerMutate(data, size, most);
  const fb::Code *code = program->codes()->Get(
      flatbuffers::uoffset_t(random() % program->codes()->size()));
  if (!code->bytes() || code->bytes()->size() == 0)
    return LLVMFuzzerMutate(data, size, most);
  uint8_t *stream = data + (code->bytes()->data() - data);
  size_t length = code->bytes()->size();
  for (size_t changes = 1 + random() % 3; changes > 0; --changes) {
    uint8_t &byte = stream[random() % length];
    switch (random() % 4) {
    case 0: // The upper bit tells whether a number goes on.
      byte ^= uint8_t(1u << (random() % 7));
      break;
    case 1:
      byte = uint8_t((byte & 0x80) | ((byte + 1) & 0x7f));
      break;
    case 2:
      byte = uint8_t((byte & 0x80) | ((byte - 1) & 0x7f));
      break;
    case 3:
      byte = stream[random() % length];
      break;
    }
  }
  return size;
}

/// Values of a plain pattern for every input, or nothing where they would take
/// too much memory.
static bool inputsOf(const rt::LoadedProgram &program, rt::TensorMap &inputs) {
  size_t bytes = 0;
  const auto *entry = program.program().entries()->Get(0);
  for (uint32_t i = 0; entry->inputs() && i < entry->inputs()->size(); ++i) {
    const fb::Value *value =
        program.program().values()->Get(entry->inputs()->Get(i));
    rt::Tensor tensor;
    tensor.type = isa::Type(value->type());
    if (value->shape())
      tensor.shape.assign(value->shape()->begin(), value->shape()->end());
    size_t size = isa::sizeOf(tensor.type);
    for (int64_t extent : tensor.shape)
      size *= size_t(extent);
    bytes += size;
    if (bytes > (1u << 20))
      return false;
    tensor.data.resize(size);
    for (size_t at = 0; at < size; ++at)
      tensor.data[at] = std::byte(at * 37 & 0x3f);
    if (value->name())
      inputs[value->name()->str()] = std::move(tensor);
  }
  return true;
}

namespace {

/// Points of an instruction's loop nest, all its lists of extents together.
struct Points {
  double count = 1;
  void operator()(const char *, const std::vector<isa::Extent> &extents) {
    for (const isa::Extent &extent : extents)
      count *= double(std::max<int64_t>(extent.max, 1));
  }
  void operator()(const char *, const isa::Extent &extent) {
    count *= double(std::max<int64_t>(extent.max, 1));
  }
  void operator()(const char *, const isa::KernelBody &body) {
    count *= double(body.ops.size() + 1);
  }
  template <typename Field> void operator()(const char *, const Field &) {}
};

} // namespace

/// Whether a run does not take long and needs little memory: that others do is
/// no fault.
static bool isSmall(const rt::LoadedProgram &loaded) {
  const fb::Program &program = loaded.program();
  double work = 0, memory = 0;
  for (const auto *entry : *program.entries())
    memory += double(entry->io_bytes());
  for (uint32_t number = 0; number < loaded.codes.size(); ++number) {
    const std::vector<isa::Instruction> &list = loaded.codes[number];
    memory += double(program.codes()->Get(number)->scratch_bytes());
    std::vector<double> times(list.size(), 1);
    for (size_t i = 0; i < list.size(); ++i) {
      Points points;
      std::visit([&](const auto &op) { isa::forEachField(op, points); },
                 list[i]);
      work += times[i] * points.count;
      if (const auto *loop = std::get_if<isa::Loop>(&list[i]))
        for (size_t at = loop->body.begin; at < loop->body.end; ++at)
          times[at] *= points.count;
    }
  }
  for (uint32_t i = 0; program.channels() && i < program.channels()->size();
       ++i)
    memory += double(program.channels()->Get(i)->bytes());
  for (uint32_t i = 0; program.arrays() && i < program.arrays()->size(); ++i) {
    const fb::Bank *bank =
        program.banks()->Get(program.arrays()->Get(i)->bank());
    work += double(bank->rows()) * double(bank->cols());
  }
  // The programs of all units, were each run by every unit.
  return work * double(program.units()->size()) < 5e7 &&
         memory * double(program.units()->size()) < double(64u << 20);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::vector<uint8_t> bytes(data, data + size);
  seal(bytes);
  Input file(bytes.data(), bytes.size());
  auto session = rt::Session::load(file.path());
  if (!session)
    return 0;
  const rt::LoadedProgram &program = *(*session)->program();
  rt::TensorMap inputs;
  if (!isSmall(program) || !inputsOf(program, inputs))
    return 0;
  rt::RunSettings settings;
  settings.threads = 1;
  auto ideal = (*session)->run(inputs, settings);
  std::vector<std::string> notes;
  if (auto noise = rt::parseNoise("all", program.chip(), notes)) {
    settings.noise = *noise;
    (void)(*session)->run(inputs, settings);
  }
  if (!ideal)
    return 0;
  rt::TimelineSettings timing;
  timing.decisions = &ideal->decisions;
  rt::TimelineResult timeline = rt::runTimeline(program, 0, timing);
  (void)rt::buildReport(program, timeline, rt::ReportSettings(), {});
  return 0;
}
