//===- Kernels.cpp - which set of inner loops this machine gets -----------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"

namespace mho::rt::kernels {

#if defined(__x86_64__)
namespace vnni {
extern const Table set;
}
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
  bool wide =
      __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (wide && __builtin_cpu_supports("avx512vnni"))
    list.sets[list.count++] = &vnni::set;
  if (wide)
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

} // namespace mho::rt::kernels
