//===- Blocks.cpp - chooses the instruction set
//-----------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Blocks.h"

namespace mho::rt::blocks {

#if defined(__x86_64__)
namespace avx512 {
extern const Table set;
}
namespace avx2 {
extern const Table set;
}
#endif
namespace portable {
extern const Table set;
}

TableList tables() {
  TableList list{};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    list.sets[list.count++] = &avx512::set;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    list.sets[list.count++] = &avx2::set;
#endif
  list.sets[list.count++] = &portable::set;
  return list;
}

const Table &table() {
  static const Table *best = tables().sets[0];
  return *best;
}

} // namespace mho::rt::blocks
