//===- WriteContainer.cpp - writing a .mho file ---------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Program/Container.h"

#include "Checksum.h"

#include "mho/Support/TemporaryFile.h"

using namespace mho;

namespace {

/// Zeros up to the next section's start.
Status pad(PendingFile &file) {
  static constexpr char zeros[kSectionAlignment] = {};
  return file.append(zeros,
                     (kSectionAlignment - file.size() % kSectionAlignment) %
                         kSectionAlignment);
}

/// Writes one aligned section and notes where it lies.
Status writeSection(PendingFile &file, SectionHeader &section,
                    const SectionWriter &write) {
  if (Status status = pad(file); !status.ok())
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
