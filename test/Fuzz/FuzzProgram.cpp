//===- FuzzProgram.cpp - damaged programs through loader and verifier -----===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Checksums would stop every change at the door, so the bytes are sealed again
// first: what is tried is the structure's check, the decoder, the verifier,
// and, where a program passes and is small, that it cannot crash.
//
//===----------------------------------------------------------------------===//

#include "Input.h"

#include "Program/Checksum.h"

#include "mho/Program/Container.h"
#include "mho/Runtime/Session.h"

#include <algorithm>
#include <cstring>
#include <vector>

using namespace mho;

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

/// Zeros for every input, or nothing where they would take too much memory.
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
    bytes += value->bytes();
    if (bytes > (1u << 20))
      return false;
    tensor.data.resize(value->bytes());
    inputs[value->name()->str()] = std::move(tensor);
  }
  return true;
}

/// Loops may run long without any fault; only straight programs are run.
static bool isStraight(const rt::LoadedProgram &program) {
  return std::none_of(
      program.codes.begin(), program.codes.end(), [](const auto &list) {
        return std::any_of(list.begin(), list.end(), [](const auto &op) {
          return std::holds_alternative<isa::Loop>(op);
        });
      });
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
  rt::RunSettings settings;
  settings.threads = 1;
  if (isStraight(program) && inputsOf(program, inputs))
    (void)(*session)->run(inputs, settings);
  return 0;
}
