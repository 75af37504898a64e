//===- PackedGemm.h - dense products on our own packed kernels -*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The kernels of the arrays on plain matrices: every product of bytes (Gemm.h),
// and the small f32 products that oneDNN is slow at.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_RUNTIME_ARRAYS_PACKEDGEMM_H
#define MHO_LIB_RUNTIME_ARRAYS_PACKEDGEMM_H

#include "mho/Runtime/Gemm.h"

namespace mho::rt {

/// C = A · B or C += A · B on this thread. Rows of B that are contiguous are
/// read where they lie if there are at most kRowsInPlace rows of A.
void packedGemm(int64_t m, int64_t n, int64_t k, MatrixView<const float> a,
                MatrixView<const float> b, MatrixView<float> c,
                bool accumulate);

inline constexpr int64_t kRowsInPlace = 8;

} // namespace mho::rt

#endif // MHO_LIB_RUNTIME_ARRAYS_PACKEDGEMM_H
