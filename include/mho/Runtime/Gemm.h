//===- Gemm.h - dense products of values ------------------------*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One interface for every dense product of values. f32 goes to oneDNN, but for
// small products. Where a large product is cut for threads follows from its
// shape alone, so one machine gives the same bytes with any number of threads,
// wherever the operands lie. The order in which a sum is formed is oneDNN's: it
// may differ with the shape, so a row multiplied alone may differ in its last
// bits from the same row among others.
//
// Bytes stay on our own kernel, whose sums are exact: without VNNI oneDNN adds
// pairs of byte products in 16 bits, which saturate. With VNNI its sums would
// be exact too; that is not used.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_GEMM_H
#define MHO_RUNTIME_GEMM_H

#include "mho/Runtime/ThreadPool.h"
#include "mho/Support/Status.h"

#include <cstdint>

namespace mho::rt {

/// A strided matrix: element (i, j) at data[i·rowStride + j·columnStride],
/// strides in elements (any sign, 0 repeats).
template <typename T> struct MatrixView {
  T *data = nullptr;
  int64_t rowStride = 0;
  int64_t columnStride = 1;
};

/// C (M×N) = A (M×K) · B (K×N), or C += with `accumulate`; C's elements are
/// distinct and not read without it. `pool` may be null. Fails where oneDNN
/// does (no memory).
Status gemm(int64_t m, int64_t n, int64_t k, MatrixView<const float> a,
            MatrixView<const float> b, MatrixView<float> c, bool accumulate,
            ThreadPool *pool);

/// The same on bytes, summed exactly in 32 bits (wrapping).
void gemm(int64_t m, int64_t n, int64_t k, MatrixView<const int8_t> a,
          MatrixView<const int8_t> b, MatrixView<int32_t> c, bool accumulate,
          ThreadPool *pool);
void gemm(int64_t m, int64_t n, int64_t k, MatrixView<const uint8_t> a,
          MatrixView<const int8_t> b, MatrixView<int32_t> c, bool accumulate,
          ThreadPool *pool);
void gemm(int64_t m, int64_t n, int64_t k, MatrixView<const int8_t> a,
          MatrixView<const uint8_t> b, MatrixView<int32_t> c, bool accumulate,
          ThreadPool *pool);
void gemm(int64_t m, int64_t n, int64_t k, MatrixView<const uint8_t> a,
          MatrixView<const uint8_t> b, MatrixView<int32_t> c, bool accumulate,
          ThreadPool *pool);

} // namespace mho::rt

#endif // MHO_RUNTIME_GEMM_H
