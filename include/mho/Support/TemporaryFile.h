//===- TemporaryFile.h - files that leave nothing behind ------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A temporary file that goes with its owner, and outputs that either appear
// complete under their name or not at all.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_SUPPORT_TEMPORARYFILE_H
#define MHO_SUPPORT_TEMPORARYFILE_H

#include "mho/Support/Status.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mho {

/// An empty file of its own in $TMPDIR (or /tmp), removed by the destructor.
class TemporaryFile {
public:
  /// `stem` is the beginning of its name.
  static Expected<TemporaryFile> create(const std::string &stem);

  TemporaryFile(TemporaryFile &&other) noexcept
      : name(std::exchange(other.name, std::string())) {}
  TemporaryFile &operator=(TemporaryFile &&other) noexcept {
    std::swap(name, other.name);
    return *this;
  }
  TemporaryFile(const TemporaryFile &) = delete;
  TemporaryFile &operator=(const TemporaryFile &) = delete;
  ~TemporaryFile();

  const std::string &path() const { return name; }

private:
  explicit TemporaryFile(std::string path) : name(std::move(path)) {}
  std::string name; ///< empty where moved from
};

/// A file on its way to `path`: under a temporary name beside it, gone unless
/// it is kept. A failure leaves what was there before. Where `path` is no
/// regular file (a pipe, a device) it is written as it is: to rename something
/// over it would take it away.
class PendingFile {
public:
  explicit PendingFile(std::string path) : target(std::move(path)) {}
  ~PendingFile();
  PendingFile(const PendingFile &) = delete;

  Status create();
  /// Writes at the current end. A fault of the system may show in a later call,
  /// at the latest in keep().
  Status append(const void *data, size_t size);
  /// Writes over what is at the start.
  Status rewriteStart(const void *data, size_t size);
  /// Appends what is in another file.
  Status appendFile(const std::string &path);
  /// Gives the file its name.
  Status keep();

  uint64_t size() const { return bytes; }

private:
  Status fault(const char *verb) const;
  /// Writes at the descriptor's place.
  Status write(const char *data, size_t size);
  /// Writes what waits to be a whole piece.
  Status flush();

  std::string target, temporary; ///< no temporary name: the target itself
  int descriptor = -1;
  uint64_t bytes = 0;        ///< with those that wait
  std::vector<char> waiting; ///< appended, not yet written
};

/// Gives `path` the content `bytes`, all of it or nothing.
Status writeFileAtomically(const std::string &path, std::string_view bytes);

} // namespace mho

#endif // MHO_SUPPORT_TEMPORARYFILE_H
