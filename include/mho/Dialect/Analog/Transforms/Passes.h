//===- Passes.h - passes of the analog dialect ----------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_ANALOG_TRANSFORMS_PASSES_H
#define MHO_DIALECT_ANALOG_TRANSFORMS_PASSES_H

#include "mho/Chip/ChipModel.h"

#include "mho/Dialect/Analog/IR/AnalogOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace mho {

/// Ranges of one bank, from calibration.
struct BankRanges {
  /// α: the DAC's full scale, in the units of the input.
  float input = 0;
  /// β per block, row-major (or per row block and column), in units of α ×
  /// the column's largest weight.
  std::vector<float> adc;
};
using RangesByBank = std::map<std::string, BankRanges>;

#define GEN_PASS_DECL
#include "mho/Dialect/Analog/Transforms/Passes.h.inc"

/// analog-place-banks for a chip that is already read.
std::unique_ptr<mlir::Pass>
createPlaceBanksPass(std::shared_ptr<const ChipModel> chip);

/// analog-set-ranges with calibrated ranges; banks without an entry get the
/// default rule.
std::unique_ptr<mlir::Pass> createSetRangesPass(RangesByBank ranges);

#define GEN_PASS_REGISTRATION
#include "mho/Dialect/Analog/Transforms/Passes.h.inc"

} // namespace mho

#endif // MHO_DIALECT_ANALOG_TRANSFORMS_PASSES_H
