//===- TemporaryFile.cpp - files that leave nothing behind ----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Support/TemporaryFile.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

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

/// 0, or the error of the write that failed.
static int writeAll(int descriptor, std::string_view bytes) {
  const char *next = bytes.data();
  for (size_t left = bytes.size(); left > 0;) {
    ssize_t written = ::write(descriptor, next, left);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      return errno;
    next += written;
    left -= size_t(written);
  }
  return 0;
}

/// Writes and closes; close() reports what a network file system could not
/// write.
static int writeAndClose(int descriptor, std::string_view bytes) {
  int error = writeAll(descriptor, bytes);
  if (::close(descriptor) != 0 && !error)
    error = errno;
  return error;
}

Status mho::writeFileAtomically(const std::string &path,
                                std::string_view bytes) {
  struct stat info;
  if (::stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode)) {
    int descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    int error = descriptor < 0 ? errno : writeAndClose(descriptor, bytes);
    return error ? fault("write", path, error) : success();
  }
  std::string temporary = path + ".XXXXXX";
  int descriptor = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (descriptor < 0)
    return fault("create", path, errno);
  // mkostemp gives 0600; an output is as readable as any other.
  mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(descriptor, 0666 & ~mask);
  int error = writeAndClose(descriptor, bytes);
  if (!error && ::rename(temporary.c_str(), path.c_str()) != 0)
    error = errno;
  if (error) {
    ::unlink(temporary.c_str());
    return fault("write", path, error);
  }
  return success();
}
