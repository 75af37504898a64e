//===- TemporaryFile.cpp - files that leave nothing behind ----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Support/TemporaryFile.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

using namespace mho;

static Status fault(const char *verb, const std::string &path, int error) {
  return failure(std::string("cannot ") + verb + " '" + path +
                 "': " + std::strerror(error));
}

Expected<TemporaryFile> TemporaryFile::create(const std::string &stem) {
  const char *set = std::getenv("TMPDIR");
  std::string path = set && *set ? set : "/tmp";
  path += "/" + stem + "-XXXXXX";
  int descriptor = ::mkostemp(path.data(), O_CLOEXEC);
  if (descriptor < 0)
    return fault("create", path, errno);
  ::close(descriptor);
  return TemporaryFile(std::move(path));
}

TemporaryFile::~TemporaryFile() {
  if (!name.empty())
    ::unlink(name.c_str());
}

PendingFile::~PendingFile() {
  if (descriptor >= 0)
    ::close(descriptor);
  if (!temporary.empty())
    ::unlink(temporary.c_str());
}

Status PendingFile::fault(const char *verb) const {
  return ::fault(verb, target, errno);
}

Status PendingFile::create() {
  struct stat info;
  if (::stat(target.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    descriptor = ::open(target.c_str(), O_WRONLY | O_CLOEXEC);
    return descriptor < 0 ? fault("write") : success();
  }
  std::string name = target + ".XXXXXX";
  descriptor = ::mkostemp(name.data(), O_CLOEXEC);
  if (descriptor < 0)
    return fault("create");
  temporary = std::move(name);
  // mkostemp gives 0600; an output is as readable as any other.
  mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(descriptor, 0666 & ~mask);
  return success();
}

/// What goes to the system at once, from an offset that is a multiple of it.
/// File systems keep what is written together in pages of that size and map
/// them so: a reader meets one page fault where there were dozens. Longer
/// pieces gain the reader little, and the system has to search for such pages.
static constexpr size_t kPiece = size_t(256) << 10;

Status PendingFile::write(const char *data, size_t size) {
  while (size > 0) {
    ssize_t written = ::write(descriptor, data, size);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return fault("write");
    data += written;
    size -= size_t(written);
  }
  return success();
}

Status PendingFile::flush() {
  Status status = write(waiting.data(), waiting.size());
  waiting.clear();
  return status;
}

Status PendingFile::append(const void *data, size_t size) {
  const char *next = static_cast<const char *>(data);
  bytes += size;
  while (size > 0) {
    if (size_t whole = size - size % kPiece; waiting.empty() && whole > 0) {
      if (Status status = write(next, whole); !status.ok())
        return status;
      next += whole;
      size -= whole;
      continue;
    }
    size_t part = std::min(size, kPiece - waiting.size());
    waiting.insert(waiting.end(), next, next + part);
    next += part;
    size -= part;
    if (waiting.size() == kPiece)
      if (Status status = flush(); !status.ok())
        return status;
  }
  return success();
}

Status PendingFile::rewriteStart(const void *data, size_t size) {
  if (Status status = flush(); !status.ok())
    return status;
  if (::pwrite(descriptor, data, size, 0) != ssize_t(size))
    return fault("write");
  return success();
}

Status PendingFile::appendFile(const std::string &path) {
  int from = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (from < 0)
    return ::fault("read", path, errno);
  std::vector<char> buffer(kPiece);
  Status status;
  while (status.ok()) {
    ssize_t count = ::read(from, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      status = ::fault("read", path, errno);
    if (count <= 0)
      break;
    status = append(buffer.data(), size_t(count));
  }
  ::close(from);
  return status;
}

Status PendingFile::keep() {
  if (Status status = flush(); !status.ok())
    return status;
  // close() reports what a network file system could not write.
  int closed = ::close(descriptor);
  descriptor = -1;
  if (closed != 0)
    return fault("write");
  if (temporary.empty())
    return success();
  if (::rename(temporary.c_str(), target.c_str()) != 0)
    return fault("write");
  temporary.clear();
  return success();
}

Status mho::writeFileAtomically(const std::string &path,
                                std::string_view bytes) {
  PendingFile file(path);
  Status status = file.create();
  if (status.ok())
    status = file.append(bytes.data(), bytes.size());
  return status.ok() ? file.keep() : status;
}
