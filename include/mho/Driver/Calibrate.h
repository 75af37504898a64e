//===- Calibrate.h - ranges from sample data ------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DRIVER_CALIBRATE_H
#define MHO_DRIVER_CALIBRATE_H

#include "mho/Dialect/Analog/Transforms/Passes.h"
#include "mho/Import/ONNX/Import.h"
#include "mho/Runtime/Tensor.h"
#include "mho/Support/Status.h"

#include <functional>
#include <string>

namespace mho {

/// Runs the program at `path` on samples with exact arrays and returns the
/// ranges its arrays saw. `progress` is called now and then with the share of
/// the samples done; may be null.
Expected<RangesByBank>
calibrateOn(const std::string &path, const rt::TensorMap &samples,
            const std::function<void(double)> &progress = nullptr);

/// A value that an input is to be frozen to.
ImportArray importArray(const rt::Tensor &tensor);

} // namespace mho

#endif // MHO_DRIVER_CALIBRATE_H
