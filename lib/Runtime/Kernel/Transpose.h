//===- Transpose.h - planes whose axes change places
//------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_KERNEL_TRANSPOSE_H
#define MHO_RUNTIME_KERNEL_TRANSPOSE_H

#include <cstddef>
#include <cstdint>

namespace mho::rt {

/// One dimension of a copy, with its steps in bytes.
struct MoveDim {
  int64_t extent, from, to;
};

/// Elements of `bytes` (1, 2, 4 or 8) bytes. Rows lie side by side in the
/// source (`rows.from == bytes`), columns do so in the target
/// (`columns.to == bytes`). Source and target do not overlap: some elements
/// are moved twice.
void transposePlane(size_t bytes, const std::byte *from, std::byte *to,
                    const MoveDim &rows, const MoveDim &columns);

/// Element i * parts + k of the source becomes element i of the target's part
/// k, which begins at to + k * stride: 2 to 4 parts of n elements.
void deinterleave(size_t bytes, int parts, const std::byte *from, std::byte *to,
                  int64_t n, int64_t stride);

} // namespace mho::rt

#endif // MHO_RUNTIME_KERNEL_TRANSPOSE_H
