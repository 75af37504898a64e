//===- KernelsPortable.cpp - the inner loops for portable ===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#define MHO_KERNEL_SET portable
#define MHO_KERNEL_NAME "portable"
#define kTileRows 4
#define kTileVectors 1
#define kDirectSums 4
#include "Kernels-inl.h"
