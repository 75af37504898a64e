//===- Checksum.cpp - checksums of a container's sections -----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Checksum.h"

#if defined(__x86_64__)
#include <xxh_x86dispatch.h> // the widest vectors that the machine has
#else
#include <xxhash.h>
#endif

#include <algorithm>
#include <atomic>
#include <new>
#include <system_error>
#include <thread>

using namespace mho;

struct Checksum::State {
  XXH3_state_t *hash;
};

/// Blocks per thread below which another thread costs more than it gives.
static constexpr size_t kBlocksPerThread = 4;

static uint64_t combine(std::vector<uint64_t> blocks) {
  std::vector<uint8_t> bytes;
  for (uint64_t block : blocks)
    for (unsigned i = 0; i < 8; ++i)
      bytes.push_back(uint8_t(block >> (8 * i)));
  return XXH3_64bits(bytes.data(), bytes.size());
}

uint64_t mho::hashBytes(const void *data, size_t size) {
  return XXH3_64bits(data, size);
}

uint64_t mho::checksumOf(std::span<const std::byte> section) {
  size_t count = (section.size() + kChecksumBlock - 1) / kChecksumBlock;
  std::vector<uint64_t> blocks(count);
  std::atomic<size_t> next = 0;
  auto work = [&] {
    for (size_t i; (i = next++) < count;) {
      size_t begin = i * kChecksumBlock;
      size_t size = std::min(kChecksumBlock, section.size() - begin);
      blocks[i] = XXH3_64bits(section.data() + begin, size);
    }
  };
  size_t threads =
      std::min<size_t>(std::max(std::thread::hardware_concurrency(), 1u),
                       count / kBlocksPerThread);
  std::vector<std::jthread> helpers;
  try {
    for (size_t i = 1; i < threads; ++i)
      helpers.emplace_back(work);
  } catch (const std::system_error &) {
    // No more threads to be had: those that are there do the work.
  }
  work();
  helpers.clear();
  return combine(std::move(blocks));
}

Checksum::Checksum() : state(new State{XXH3_createState()}) {
  if (!state->hash)
    throw std::bad_alloc();
  XXH3_64bits_reset(state->hash);
}

Checksum::~Checksum() {
  XXH3_freeState(state->hash);
  delete state;
}

void Checksum::closeBlock() {
  blocks.push_back(XXH3_64bits_digest(state->hash));
  XXH3_64bits_reset(state->hash);
  filled = 0;
}

void Checksum::add(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    size_t size = std::min(bytes.size(), kChecksumBlock - filled);
    XXH3_64bits_update(state->hash, bytes.data(), size);
    filled += size;
    bytes = bytes.subspan(size);
    if (filled == kChecksumBlock)
      closeBlock();
  }
}

uint64_t Checksum::finish() {
  if (filled)
    closeBlock();
  return combine(std::move(blocks));
}
