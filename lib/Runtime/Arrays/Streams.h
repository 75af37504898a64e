//===- Streams.h - keys as the kernels take them --------------------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_RUNTIME_ARRAYS_STREAMS_H
#define MHO_LIB_RUNTIME_ARRAYS_STREAMS_H

#include "Kernels.h"
#include "mho/Runtime/Random.h"

namespace mho::rt {

inline kernels::Key plain(const StreamKey &key) {
  return {{key.key[0], key.key[1]}, {key.salt[0], key.salt[1]}};
}

} // namespace mho::rt

#endif // MHO_LIB_RUNTIME_ARRAYS_STREAMS_H
