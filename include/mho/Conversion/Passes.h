//===- Passes.h - conversions between dialects ------------------*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_CONVERSION_PASSES_H
#define MHO_CONVERSION_PASSES_H

#include "mho/Conversion/GraphToAnalog/GraphToAnalog.h"
#include "mho/Conversion/GraphToLinalg/GraphToLinalg.h"
#include "mho/Conversion/LinalgToTile/LinalgToTile.h"

namespace mho {

#define GEN_PASS_REGISTRATION
#include "mho/Conversion/Passes.h.inc"

} // namespace mho

#endif // MHO_CONVERSION_PASSES_H
