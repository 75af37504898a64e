//===- SmallArray.h - a short array without an allocation -------*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An instruction in a loop runs thousands of times a second and has a handful
// of operands: asking the heap for each list costs more than small kernels do.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_SMALLARRAY_H
#define MHO_RUNTIME_SMALLARRAY_H

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>

namespace mho::rt {

/// `n` elements, not initialized, on the stack where there are at most
/// `inside`.
template <typename T, size_t inside = 16> class SmallArray {
  static_assert(std::is_trivial_v<T>);

public:
  explicit SmallArray(size_t n) : count(n) {
    if (n > inside)
      heap = std::make_unique_for_overwrite<T[]>(n);
  }
  SmallArray(const SmallArray &) = delete;
  SmallArray &operator=(const SmallArray &) = delete;

  T *data() { return heap ? heap.get() : stack.data(); }
  T &operator[](size_t i) { return data()[i]; }
  size_t size() const { return count; }
  operator std::span<T>() { return {data(), count}; }
  operator std::span<const T>() { return {data(), count}; }

private:
  size_t count;
  std::array<T, inside> stack;
  std::unique_ptr<T[]> heap;
};

} // namespace mho::rt

#endif // MHO_RUNTIME_SMALLARRAY_H
