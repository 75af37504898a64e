//===- Gemm.h - dense products with a fixed result ------------------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One interface for every dense product of the runtime. Each element's sum
// runs over k in ascending order with fused multiply-adds, whatever the
// shape, the number of threads and the split: a result depends on one row of
// A and one column of B alone.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_GEMM_H
#define MHO_RUNTIME_GEMM_H

#include "mho/Runtime/ThreadPool.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mho::rt {

/// A strided matrix: element (i, j) at data[i·rowStride + j·columnStride],
/// strides in elements (any sign, 0 repeats).
template <typename T> struct MatrixView {
  T *data = nullptr;
  int64_t rowStride = 0;
  int64_t columnStride = 1;
};

/// C (M×N) = A (M×K) · B (K×N), or C += with `accumulate`. `pool` may be null.
void gemm(int64_t m, int64_t n, int64_t k, MatrixView<const float> a,
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
