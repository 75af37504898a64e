//===- WriteContainer.cpp - writing a .mho file ---------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Program/Container.h"

#include "Checksum.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace mho;

namespace {

/// A file under a temporary name that disappears unless it is kept.
class PendingFile {
public:
  explicit PendingFile(const std::string &path)
      : path(path), temporary(path + ".XXXXXX") {}
  ~PendingFile() {
    if (descriptor >= 0)
      ::close(descriptor);
    if (created)
      ::unlink(temporary.c_str());
  }
  PendingFile(const PendingFile &) = delete;

  Status create() {
    descriptor = ::mkostemp(temporary.data(), O_CLOEXEC);
    if (descriptor < 0)
      return fault("create");
    created = true;
    // mkostemp gives 0600; a program is as readable as any other output.
    mode_t mask = ::umask(0);
    ::umask(mask);
    ::fchmod(descriptor, 0666 & ~mask);
    return success();
  }

  /// Writes at the current end.
  Status append(const void *data, size_t size) {
    const char *next = static_cast<const char *>(data);
    for (size_t left = size; left > 0;) {
      ssize_t written = ::write(descriptor, next, left);
      if (written < 0 && errno == EINTR)
        continue;
      if (written < 0)
        return fault("write");
      next += written;
      left -= size_t(written);
    }
    bytes += size;
    return success();
  }

  /// Zeros up to the next section's start.
  Status pad() {
    static constexpr char zeros[kSectionAlignment] = {};
    return append(zeros, (kSectionAlignment - bytes % kSectionAlignment) %
                             kSectionAlignment);
  }

  Status rewriteStart(const void *data, size_t size) {
    if (::pwrite(descriptor, data, size, 0) != ssize_t(size))
      return fault("write");
    return success();
  }

  /// Gives the file its name.
  Status keep() {
    // close() reports what a network file system could not write.
    int closed = ::close(descriptor);
    descriptor = -1;
    if (closed != 0)
      return fault("write");
    if (::rename(temporary.c_str(), path.c_str()) != 0)
      return fault("write");
    created = false;
    return success();
  }

  uint64_t size() const { return bytes; }

private:
  Status fault(const char *verb) {
    return failure(std::string("cannot ") + verb + " '" + path +
                   "': " + std::strerror(errno));
  }

  std::string path, temporary;
  int descriptor = -1;
  bool created = false;
  uint64_t bytes = 0;
};

/// Writes one aligned section and notes where it lies.
Status writeSection(PendingFile &file, SectionHeader &section,
                    const SectionWriter &write) {
  if (Status status = file.pad(); !status.ok())
    return status;
  section.offset = file.size();
  Checksum checksum;
  Status status = write([&](std::span<const std::byte> bytes) {
    checksum.add(bytes);
    return file.append(bytes.data(), bytes.size());
  });
  section.size = file.size() - section.offset;
  section.checksum = checksum.finish();
  return status;
}

} // namespace

Status mho::writeContainer(const std::string &path, const fb::ProgramT &program,
                           const SectionWriter &constants,
                           const SectionWriter &weights) {
  flatbuffers::FlatBufferBuilder builder(1 << 16);
  fb::FinishProgramBuffer(builder, fb::CreateProgram(builder, &program));
  SectionWriter structure = [&](const Sink &sink) {
    return sink(std::as_bytes(
        std::span(builder.GetBufferPointer(), builder.GetSize())));
  };

  PendingFile file(path);
  if (Status status = file.create(); !status.ok())
    return status;
  FileHeader head;
  if (Status status = file.append(&head, sizeof head); !status.ok())
    return status;
  const std::pair<SectionHeader *, const SectionWriter *> sections[] = {
      {&head.structure, &structure},
      {&head.constants, &constants},
      {&head.weights, &weights}};
  for (auto [section, writer] : sections)
    if (Status status = writeSection(file, *section, *writer); !status.ok())
      return status;
  head.fileBytes = file.size();
  head.checksum = hashBytes(&head, sizeof head);
  if (Status status = file.rewriteStart(&head, sizeof head); !status.ok())
    return status;
  return file.keep();
}
