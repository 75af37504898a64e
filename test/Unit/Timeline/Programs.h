//===- Programs.h - small programs on HERMES, built by hand ---------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_TEST_UNIT_TIMELINE_PROGRAMS_H
#define MHO_TEST_UNIT_TIMELINE_PROGRAMS_H

#include "mho/Runtime/LoadedProgram.h"

#include <string>
#include <vector>

namespace mho::rt {

/// Builds a program for HERMES: unit 0 is the host, units 1 to n are cores,
/// each with one full array.
class ProgramBuilder {
public:
  ProgramBuilder(unsigned cores, const std::string &readMode);

  /// Node `name`; gives the location of instructions that belong to it.
  uint32_t node(const std::string &name, const std::string &op);
  /// Nodes with micro-op weights.
  uint32_t location(std::vector<uint32_t> nodes, std::vector<uint32_t> weights);
  /// Channel number; the place in each unit's table is the same number.
  uint32_t channel(uint32_t from, uint32_t to);
  /// The unit's stream, without the end.
  void stream(uint32_t unit, std::vector<isa::Instruction> list,
              std::vector<uint32_t> locations);
  LoadedProgram finish();

private:
  fb::ProgramT program;
};

/// `count` vectors of 256 from offset 0 through array 0 to offset `to`.
isa::Mvm mvmOf(int64_t count, int64_t to = 1 << 20);
/// Doubles `count` × 256 numbers at `from` into `to`.
isa::Kernel kernelOf(int64_t count, int64_t from, int64_t to);
/// A dense access of rows of 256 f32.
isa::Access rowsAt(int64_t offset);

} // namespace mho::rt

#endif // MHO_TEST_UNIT_TIMELINE_PROGRAMS_H
