//===- BlocksAvx512.cpp - blocks of lanes for one instruction set
//---------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#define MHO_BLOCKS avx512
#include "Blocks-inl.h"
