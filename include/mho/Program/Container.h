//===- Container.h - the .mho file's layout -------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A .mho file is: FileHeader; the FlatBuffers structure (program.fbs); the
// constant section; the weight section. Every section begins at a multiple
// of 64 and has an XXH3 checksum in the header (over the checksums of its
// blocks of 4 MiB), which itself carries one.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_PROGRAM_CONTAINER_H
#define MHO_PROGRAM_CONTAINER_H

#include "mho/Program/program_generated.h"
#include "mho/Support/Status.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

namespace mho {

inline constexpr uint32_t kFormatVersion = 1;
inline constexpr uint64_t kSectionAlignment = 64;
/// `Bank::scale` and `Bank::shift` where the bank has none.
inline constexpr uint64_t kNoAffine = ~uint64_t(0);
/// `Entry::codes` of a unit that does nothing in this entry point.
inline constexpr uint32_t kIdle = ~uint32_t(0);

struct SectionHeader {
  uint64_t offset = 0;
  uint64_t size = 0;
  uint64_t checksum = 0; ///< lib/Program/Checksum.h says of what
};

struct FileHeader {
  char magic[8] = {'m', 'h', 'o', 'p', 'r', 'o', 'g', '\n'};
  uint32_t format = kFormatVersion;
  uint32_t headerBytes = sizeof(FileHeader);
  SectionHeader structure;
  SectionHeader constants;
  SectionHeader weights;
  uint64_t fileBytes = 0;
  uint64_t checksum = 0; ///< XXH3_64 of the header with this field zero
};

/// Writes a container to `path` (a temporary name beside it, then a rename, so
/// that a failure leaves nothing behind). The two writers are called once each
/// and push their section's bytes in order into the sink they are given.
using Sink = std::function<Status(std::span<const std::byte>)>;
using SectionWriter = std::function<Status(const Sink &)>;
Status writeContainer(const std::string &path, const fb::ProgramT &program,
                      const SectionWriter &constants,
                      const SectionWriter &weights);

/// A mapped, structurally checked container: header, checksums, FlatBuffers
/// verification. Meaning is checked by the runtime's verifier.
class Container {
public:
  /// Maps `path` read-only.
  static Expected<std::shared_ptr<const Container>>
  open(const std::string &path);

  const fb::Program &program() const { return *root; }
  std::span<const std::byte> constants() const { return constantBytes; }
  std::span<const std::byte> weights() const { return weightBytes; }
  const std::string &path() const { return name; }
  const FileHeader &header() const { return head; }

  Container(const Container &) = delete;
  ~Container();

private:
  Container() = default;
  std::string name;
  FileHeader head;
  const std::byte *base = nullptr;
  size_t length = 0;
  const fb::Program *root = nullptr;
  std::span<const std::byte> constantBytes, weightBytes;
};

} // namespace mho

#endif // MHO_PROGRAM_CONTAINER_H
