//===- KernelsAvx512.cpp - the inner loops for avx512 ===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#define MHO_KERNEL_SET avx512
#define MHO_KERNEL_NAME "avx512"
#define kTileRows 12
#define kTileVectors 2
#define kDirectSums 24
#include "Kernels-inl.h"
