//===- Random.h - random numbers that are looked up, not consumed ---------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every draw is a function of what it is for: seed, instance, array, purpose
// and the number of the cell or output. So threads, groups and vector widths
// cannot change one.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_RANDOM_H
#define MHO_RUNTIME_RANDOM_H

#include <array>
#include <cstddef>
#include <cstdint>

namespace mho::rt {

/// Philox-4x32 with 10 rounds: four words of a counter to four random words.
std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter,
                               std::array<uint32_t, 2> key);

/// What a stream of draws is for. The numbers are part of what a seed means.
enum class Purpose : uint32_t {
  Programming = 1,
  Faults = 2,
  Read = 3,
  Output = 4,
  VarianceRounding = 5,
};

/// Names a stream: word b of the stream is in philox({b low, b high, salt}).
struct StreamKey {
  std::array<uint32_t, 2> key{};
  std::array<uint32_t, 2> salt{};
};

StreamKey streamKey(uint64_t seed, uint32_t instance, uint32_t array,
                    Purpose purpose);
/// The stream of one execution of an instruction by one sample.
StreamKey streamKey(const StreamKey &parent, uint64_t sample,
                    uint64_t repetition);

/// Read-noise draws come in groups of this many outputs: eight counters, one
/// word per pair of outputs.
inline constexpr size_t kNormalGroup = 64;

/// Standard normals of groups [firstGroup, firstGroup + groups) of a stream,
/// 16 bits of radius and 16 of angle each (|x| <= 4.86).
void readNormals(const StreamKey &key, uint64_t firstGroup, size_t groups,
                 float *out);
/// Four standard normals for each of the cells [first, first + count), full
/// 32-bit radius and angle; out[4·i + j].
void cellNormals(const StreamKey &key, uint64_t first, size_t count,
                 float *out);

} // namespace mho::rt

#endif // MHO_RUNTIME_RANDOM_H
