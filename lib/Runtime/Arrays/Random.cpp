//===- Random.cpp - Philox and the streams drawn from it ------------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Runtime/Random.h"

#include "Kernels.h"
#include "Streams.h"

namespace mho::rt {

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> c,
                               std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    uint64_t a = uint64_t(0xD2511F53u) * c[0];
    uint64_t b = uint64_t(0xCD9E8D57u) * c[2];
    c = {uint32_t(b >> 32) ^ c[1] ^ key[0], uint32_t(b),
         uint32_t(a >> 32) ^ c[3] ^ key[1], uint32_t(a)};
    key[0] += 0x9E3779B9u;
    key[1] += 0xBB67AE85u;
  }
  return c;
}

StreamKey streamKey(uint64_t seed, uint32_t instance, uint32_t array,
                    Purpose purpose) {
  auto words = philox({instance, array, uint32_t(purpose), 0},
                      {uint32_t(seed), uint32_t(seed >> 32)});
  return {{words[0], words[1]}, {words[2], words[3]}};
}

StreamKey streamKey(const StreamKey &parent, uint64_t sample,
                    uint64_t repetition) {
  auto words =
      philox({uint32_t(sample), uint32_t(sample >> 32), uint32_t(repetition),
              uint32_t(repetition >> 32)},
             {parent.key[0] ^ parent.salt[0], parent.key[1] ^ parent.salt[1]});
  return {{words[0], words[1]}, {words[2], words[3]}};
}

void readNormals(const StreamKey &key, uint64_t firstGroup, size_t groups,
                 float *out) {
  kernels::table().readNormals(plain(key), firstGroup, int64_t(groups), out);
}

void cellNormals(const StreamKey &key, uint64_t first, size_t count,
                 float *out) {
  kernels::table().cellNormals(plain(key), first, int64_t(count), out);
}

} // namespace mho::rt
