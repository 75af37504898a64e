//===- Loops.h - trips of loops without a bound -----------------*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_PROGRAM_LOOPS_H
#define MHO_PROGRAM_LOOPS_H

#include <cstdint>

namespace mho::isa {

/// The trips of a loop that nothing bounds; none with a bound makes as many.
inline constexpr int64_t kManyTrips = int64_t(1) << 40;

} // namespace mho::isa

#endif // MHO_PROGRAM_LOOPS_H
