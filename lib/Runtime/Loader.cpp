//===- Loader.cpp - opens, decodes and verifies a program
//-------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Verifier.h"

using namespace mho;
using namespace mho::rt;

Expected<std::shared_ptr<const LoadedProgram>>
rt::loadProgram(const std::string &path) {
  auto file = Container::open(path);
  if (!file)
    return file.status();
  auto loaded = std::make_shared<LoadedProgram>();
  loaded->file = *file;
  const fb::Program &program = loaded->program();
  uint32_t codes = program.codes() ? program.codes()->size() : 0;
  for (uint32_t i = 0; i < codes; ++i) {
    const fb::Code &code = *program.codes()->Get(i);
    std::span<const uint8_t> bytes;
    if (code.bytes())
      bytes = {code.bytes()->data(), code.bytes()->size()};
    auto list = isa::decode(bytes);
    if (!list) {
      std::string name = code.name() ? code.name()->str() : std::to_string(i);
      return Status(list.status()).within(path + ": program '" + name + "'");
    }
    loaded->codes.push_back(std::move(*list));
  }
  if (Status status = verifyProgram(*loaded); !status.ok())
    return std::move(status).within(path + ": not a valid program");
  return std::shared_ptr<const LoadedProgram>(std::move(loaded));
}
