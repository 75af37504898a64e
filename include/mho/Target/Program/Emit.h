//===- Emit.h - the tile phase to a .mho file -----------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_TARGET_PROGRAM_EMIT_H
#define MHO_TARGET_PROGRAM_EMIT_H

#include "mho/Program/Container.h"

#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace mho {

/// What a program says about itself besides its module.
struct EmitOptions {
  uint64_t seed = 0;
  bool calibrated = false;
  /// Empty or 0: the module's attributes `mho.model`, `mho.opset` if set.
  std::string model;
  int64_t opset = 0;
  std::vector<std::string> notes;
};

/// Writes a module of the tile phase to `path`. Equal modules give equal
/// bytes. Weights go from their attributes to the file in blocks, never as a
/// second whole copy. Failures are diagnostics at the op they belong to and
/// leave no file behind.
mlir::LogicalResult emitProgram(mlir::ModuleOp module, llvm::StringRef path,
                                const fb::ChipT &chip,
                                const EmitOptions &options = {});

} // namespace mho

#endif // MHO_TARGET_PROGRAM_EMIT_H
