//===- Pipelines.h - the phases and the passes between them ---------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_PIPELINES_PIPELINES_H
#define MHO_PIPELINES_PIPELINES_H

#include "mho/Chip/ChipModel.h"
#include "mho/Dialect/Analog/Transforms/Passes.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/PassManager.h"

#include <memory>
#include <optional>

namespace mho {

/// Named stages of compilation, each readable text closed by a verify pass
/// (binary: a file).
enum class Phase { Graph, Analog, Placed, Tile, Binary };

/// "graph", "analog", …
llvm::StringRef nameOf(Phase phase);
std::optional<Phase> phaseNamed(llvm::StringRef name);

/// Closes the graph phase: folds, and refuses unsupported nodes, all at once.
void buildGraphPipeline(mlir::OpPassManager &passes);
/// graph → analog for the arrays of `chip`.
void buildAnalogPipeline(mlir::OpPassManager &passes, const ChipModel &chip);
/// analog → placed on `chip`; ranges by the default rule where none is given.
void buildPlacedPipeline(mlir::OpPassManager &passes,
                         std::shared_ptr<const ChipModel> chip,
                         RangesByBank ranges = {});
/// placed → tile.
void buildTilePipeline(mlir::OpPassManager &passes);

/// Every dialect, interface model and pass of the toolchain.
void registerAllDialects(mlir::DialectRegistry &registry);
void registerAllPasses();

} // namespace mho

#endif // MHO_PIPELINES_PIPELINES_H
