//===- KernelsAvx2.cpp - the inner loops for avx2 ===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#define MHO_KERNEL_SET avx2
#define MHO_KERNEL_NAME "avx2"
#define kTileRows 6
#define kTileVectors 1
#define kDirectSums 5
#include "Kernels-inl.h"
