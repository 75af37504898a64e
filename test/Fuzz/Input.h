//===- Input.h - a fuzzer's bytes as a file ---------------------*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_TEST_FUZZ_INPUT_H
#define MHO_TEST_FUZZ_INPUT_H

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

/// A file in memory that has a path as long as this lives.
class Input {
public:
  Input(const uint8_t *data, size_t size)
      : descriptor(::memfd_create("input", MFD_CLOEXEC)) {
    for (size_t at = 0; at < size;) {
      ssize_t written = ::write(descriptor, data + at, size - at);
      if (written <= 0)
        std::abort();
      at += size_t(written);
    }
  }
  Input(const Input &) = delete;
  ~Input() { ::close(descriptor); }

  std::string path() const {
    return "/proc/self/fd/" + std::to_string(descriptor);
  }

private:
  int descriptor;
};

#endif // MHO_TEST_FUZZ_INPUT_H
