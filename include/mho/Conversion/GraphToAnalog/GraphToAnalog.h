//===- GraphToAnalog.h - stationary products onto arrays ------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_CONVERSION_GRAPHTOANALOG_GRAPHTOANALOG_H
#define MHO_CONVERSION_GRAPHTOANALOG_GRAPHTOANALOG_H

#include "mlir/Pass/Pass.h"

#include <memory>

namespace mho {

#define GEN_PASS_DECL_CONVERTGRAPHTOANALOG
#include "mho/Conversion/Passes.h.inc"

} // namespace mho

#endif // MHO_CONVERSION_GRAPHTOANALOG_GRAPHTOANALOG_H
