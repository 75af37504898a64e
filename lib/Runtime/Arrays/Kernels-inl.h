//===- Kernels-inl.h - the inner loops, compiled per instruction set ------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A file that includes this defines MHO_KERNEL_SET (namespace and name of the
// set) and the tile shape, and is compiled with that set's options. Nothing
// but C headers may be included here: an inline function of the library
// compiled with those options could end up in a program for every machine.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"

#include <stdint.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace mho::rt::kernels {
namespace MHO_KERNEL_SET {

#include "Vector-inl.h"

#if defined(__AVX2__)
struct Halves {
  __m256i low, high;
};
MHO_INLINE Halves split(I v) {
  typedef int32_t H __attribute__((ext_vector_type(8)));
  H low = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7);
  H high = __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
  return {(__m256i)low, (__m256i)high};
}
MHO_INLINE I join(__m256i low, __m256i high) {
  typedef int32_t H __attribute__((ext_vector_type(8)));
  return __builtin_shufflevector((H)low, (H)high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
                                 10, 11, 12, 13, 14, 15);
}
#endif

#include "Noise-inl.h"
#include "Product-inl.h"

#include "Direct-inl.h"
#include "Pack-inl.h"

static void productF32(const ProductF32 &p) { product<F32Step>(p); }
static void productS16(const ProductS16 &p) { product<S16Step>(p); }
static void productU8(const ProductU8 &p) { product<U8Step>(p); }

extern const Table set;
const Table set = {MHO_KERNEL_NAME, kTileRows,       directF32,
                   productF32,      productS16,      productU8,
                   epilogue<F>,     epilogue<I>,     codes,
                   codesF32,        largest,         squares,
                   ditheredSquares, readNormals,     cellNormals,
                   columnPeaks,     columnSums,      targets,
                   programPcm,      packWeightCodes, packVarianceCodes};

} // namespace MHO_KERNEL_SET
} // namespace mho::rt::kernels
