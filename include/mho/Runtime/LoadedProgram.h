//===- LoadedProgram.h - a container decoded and verified ---------------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_LOADEDPROGRAM_H
#define MHO_RUNTIME_LOADEDPROGRAM_H

#include "mho/Program/Container.h"
#include "mho/Program/Instructions.h"

#include <memory>
#include <vector>

namespace mho::rt {

/// A container whose streams are decoded (index = Entry::codes / fb codes
/// index) and whose meaning is verified: no instruction of it can crash or
/// reach outside its spaces.
struct LoadedProgram {
  std::shared_ptr<const Container> file;
  std::vector<std::vector<isa::Instruction>> codes;

  const fb::Program &program() const { return file->program(); }
  const fb::Chip &chip() const { return *program().chip(); }
};

/// Opens, checks, decodes and verifies `path`.
Expected<std::shared_ptr<const LoadedProgram>>
loadProgram(const std::string &path);

} // namespace mho::rt

#endif // MHO_RUNTIME_LOADEDPROGRAM_H
