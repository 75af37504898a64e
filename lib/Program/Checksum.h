//===- Checksum.h - checksums of a container's sections -------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A section's checksum is XXH3_64 over the XXH3_64 values (8 bytes each, low
// byte first) of its consecutive blocks of 4 MiB, so that several threads can
// check one section: a single one is bound by its core's memory bandwidth.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_PROGRAM_CHECKSUM_H
#define MHO_LIB_PROGRAM_CHECKSUM_H

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mho {

inline constexpr size_t kChecksumBlock = size_t(4) << 20;

/// Plain XXH3_64 of some bytes.
uint64_t hashBytes(const void *data, size_t size);

/// The checksum of a whole section, by as many threads as pay.
uint64_t checksumOf(std::span<const std::byte> section);

/// The checksum of a section that comes in pieces.
class Checksum {
public:
  Checksum();
  ~Checksum();
  Checksum(const Checksum &) = delete;

  void add(std::span<const std::byte> bytes);
  uint64_t finish();

private:
  void closeBlock();

  struct State;
  State *state;
  size_t filled = 0; ///< bytes in the open block
  std::vector<uint64_t> blocks;
};

} // namespace mho

#endif // MHO_LIB_PROGRAM_CHECKSUM_H
