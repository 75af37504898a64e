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
#include <string>

namespace mho {

/// How the target's arrays hold a signed weight.
struct EncodingChoice {
  std::string kind = "differential";
  unsigned devices = 1;
};

/// Turns every product with constant weights into `analog.matmul` and folds
/// the per-column affine ops behind it (bias, BatchNormalization) into it.
std::unique_ptr<mlir::Pass>
createConvertGraphToAnalogPass(const EncodingChoice &encoding);

} // namespace mho

#endif // MHO_CONVERSION_GRAPHTOANALOG_GRAPHTOANALOG_H
