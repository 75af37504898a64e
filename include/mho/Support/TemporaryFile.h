//===- TemporaryFile.h - files that leave nothing behind ------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A temporary file that goes with its owner, and whole-file writes that either
// appear complete under their name or not at all.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_SUPPORT_TEMPORARYFILE_H
#define MHO_SUPPORT_TEMPORARYFILE_H

#include "mho/Support/Status.h"

#include <string>
#include <string_view>
#include <utility>

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

/// Gives `path` the content `bytes`: written under a temporary name beside it,
/// every write checked, then renamed. A failure leaves what was there before.
/// Where `path` is no regular file (a pipe, a device) it is written directly.
Status writeFileAtomically(const std::string &path, std::string_view bytes);

} // namespace mho

#endif // MHO_SUPPORT_TEMPORARYFILE_H
