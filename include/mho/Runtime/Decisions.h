//===- Decisions.h - how a run's control flow went --------------*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_DECISIONS_H
#define MHO_RUNTIME_DECISIONS_H

#include <cstdint>
#include <vector>

namespace mho::rt {

/// What the values decided, unit by unit in the order of execution: for every
/// extent that a slot gives its value, for every loop with a condition (after
/// its extent) the trips it made, for every branch 1 or 0. Where the list
/// ends, bounds count: an extent's and a loop's maximum, a branch's longer
/// side.
struct Decisions {
  std::vector<std::vector<int64_t>> units;
};

} // namespace mho::rt

#endif // MHO_RUNTIME_DECISIONS_H
