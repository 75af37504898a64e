//===- Buffer.h - aligned memory that is not cleared ----------------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_RUNTIME_ARRAYS_BUFFER_H
#define MHO_LIB_RUNTIME_ARRAYS_BUFFER_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace mho::rt {

/// 64-byte aligned elements of a trivial type, uninitialised.
template <typename T> class Buffer {
public:
  Buffer() = default;
  explicit Buffer(size_t count)
      : elements(count ? static_cast<T *>(::operator new(count * sizeof(T),
                                                         std::align_val_t(64)))
                       : nullptr) {}
  T *data() { return elements.get(); }
  const T *data() const { return elements.get(); }
  T &operator[](size_t i) { return elements.get()[i]; }
  const T &operator[](size_t i) const { return elements.get()[i]; }
  explicit operator bool() const { return bool(elements); }

private:
  struct Free {
    void operator()(T *p) const { ::operator delete(p, std::align_val_t(64)); }
  };
  std::unique_ptr<T, Free> elements;
};

} // namespace mho::rt

#endif // MHO_LIB_RUNTIME_ARRAYS_BUFFER_H
