//===- KernelsVnni.cpp - the inner loops for avx512vnni ===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#define MHO_KERNEL_SET vnni
#define MHO_KERNEL_NAME "avx512vnni"
#define kTileRows 12
#define kTileVectors 2
#define kDirectSums 24
#include "Kernels-inl.h"
