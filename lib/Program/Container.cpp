//===- Container.cpp - opening a .mho file --------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Program/Container.h"

#include "Checksum.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace mho;

namespace {

/// Deepest nesting and most tables of a structure that FlatBuffers checks.
/// The schema itself is five tables deep; tables are counted against the
/// structure's size, of which each takes at least eight bytes.
constexpr flatbuffers::uoffset_t kMaxStructureDepth = 16;

Status wrongFile(const std::string &path, const std::string &what) {
  return failure("'" + path + "': " + what);
}

/// Closes the descriptor on every way out.
struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0)
      ::close(number);
  }
};

/// Whether the header itself is one of ours and intact.
std::string faultOf(const FileHeader &head, size_t bytes) {
  FileHeader expected;
  if (bytes < sizeof head.magic ||
      std::memcmp(head.magic, expected.magic, sizeof head.magic) != 0)
    return "not a mho program";
  if (bytes < sizeof(FileHeader))
    return "the file is cut short within its header";
  if (head.format > kFormatVersion)
    return "format " + std::to_string(head.format) +
           " is newer than this tool's " + std::to_string(kFormatVersion) +
           "; use a newer mho";
  FileHeader unsealed = head;
  unsealed.checksum = 0;
  if (hashBytes(&unsealed, sizeof unsealed) != head.checksum)
    return "the checksum of the header does not match: the file is damaged";
  if (head.format == 0 || head.headerBytes != sizeof(FileHeader))
    return "the header is not one of format " + std::to_string(kFormatVersion);
  if (head.fileBytes > bytes)
    return "the file is cut short: " + std::to_string(bytes) + " of " +
           std::to_string(head.fileBytes) + " bytes are there";
  if (head.fileBytes < bytes)
    return "the file has " + std::to_string(bytes - head.fileBytes) +
           " bytes too many";
  return "";
}

/// Whether a section lies inside the file and holds what was written.
std::string faultOf(const SectionHeader &section, const char *name,
                    const std::byte *base, size_t length) {
  if (section.offset % kSectionAlignment != 0 || section.offset > length ||
      section.size > length - section.offset)
    return std::string("the ") + name + " section lies outside the file";
  if (checksumOf({base + section.offset, section.size}) != section.checksum)
    return std::string("the checksum of the ") + name +
           " section does not match: the file is damaged";
  return "";
}

} // namespace

Expected<std::shared_ptr<const Container>>
Container::open(const std::string &path) {
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.number < 0)
    return wrongFile(path, std::strerror(errno));
  struct stat status;
  if (::fstat(file.number, &status) != 0)
    return wrongFile(path, std::strerror(errno));
  if (!S_ISREG(status.st_mode))
    return wrongFile(path, "not a regular file");

  std::shared_ptr<Container> container(new Container());
  container->name = path;
  size_t bytes = size_t(status.st_size);
  FileHeader &head = container->head;
  std::memset(head.magic, 0, sizeof head.magic);
  size_t headBytes = std::min(bytes, sizeof head);
  if (headBytes > 0 &&
      ::pread(file.number, &head, headBytes, 0) != ssize_t(headBytes))
    return wrongFile(path, "cannot read the header");
  if (std::string fault = faultOf(head, bytes); !fault.empty())
    return wrongFile(path, fault);

  void *mapped = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, file.number, 0);
  if (mapped == MAP_FAILED)
    return wrongFile(path, std::strerror(errno));
  container->base = static_cast<const std::byte *>(mapped);
  container->length = bytes;

  auto span = [&](const SectionHeader &section) {
    return std::span(container->base + section.offset, section.size);
  };
  const std::pair<const SectionHeader *, const char *> sections[] = {
      {&head.structure, "structure"},
      {&head.constants, "constants"},
      {&head.weights, "weights"}};
  for (auto [section, name] : sections)
    if (std::string fault = faultOf(*section, name, container->base, bytes);
        !fault.empty())
      return wrongFile(path, fault);

  std::span<const std::byte> structure = span(head.structure);
  auto *data = reinterpret_cast<const uint8_t *>(structure.data());
  flatbuffers::Verifier verifier(
      data, structure.size(), kMaxStructureDepth,
      flatbuffers::uoffset_t(structure.size() / 8 + 1));
  if (structure.size() < 8 || !fb::VerifyProgramBuffer(verifier))
    return wrongFile(path, "the structure section is malformed");
  container->root = fb::GetProgram(data);
  container->constantBytes = span(head.constants);
  container->weightBytes = span(head.weights);
  return std::shared_ptr<const Container>(std::move(container));
}

Container::~Container() {
  if (base)
    ::munmap(const_cast<std::byte *>(base), length);
}
