//===- Pipeline.h - from projected units to tile programs -------*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_CONVERSION_LINALGTOTILE_PIPELINE_H
#define MHO_CONVERSION_LINALGTOTILE_PIPELINE_H

namespace mlir {
class DialectRegistry;
class OpPassManager;
} // namespace mlir

namespace mho {

/// The passes that take a module of projected unit functions (phase placed) to
/// the tile phase. The context needs `registerUnitPipelineExtensions`.
void buildUnitPipeline(mlir::OpPassManager &pm);

/// What bufferization must know of every dialect that reaches it.
void registerUnitPipelineExtensions(mlir::DialectRegistry &registry);

/// `--unit-pipeline` for mho-opt.
void registerUnitPipeline();

} // namespace mho

#endif // MHO_CONVERSION_LINALGTOTILE_PIPELINE_H
