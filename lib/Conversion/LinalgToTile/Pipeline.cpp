//===- Pipeline.cpp - from projected units to tile programs ---------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Conversion/LinalgToTile/Pipeline.h"

#include "mho/Conversion/GraphToLinalg/GraphToLinalg.h"
#include "mho/Conversion/LinalgToTile/LinalgToTile.h"
#include "mho/Dialect/Analog/Transforms/BufferizableOpInterfaceImpl.h"
#include "mho/Dialect/Digital/Bufferize/BufferizableOpInterfaceImpl.h"
#include "mho/Dialect/Tile/Transforms/Passes.h"

#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Dialect/Arith/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Bufferization/Transforms/FuncBufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Linalg/Transforms/SubsetInsertionOpInterfaceImpl.h"
#include "mlir/Dialect/SCF/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/IR/TensorInferTypeOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/BufferizableOpInterfaceImpl.h"
#include "mlir/Dialect/Tensor/Transforms/SubsetInsertionOpInterfaceImpl.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

void mho::buildUnitPipeline(OpPassManager &pm) {
  OpPassManager &units = pm.nest<func::FuncOp>();
  // Nothing is left to do where the whole was converted before projection.
  units.addPass(createConvertGraphToLinalg());
  units.addPass(createFuseKernels());
  units.addPass(createCanonicalizerPass());
  units.addPass(createCSEPass());
  units.addPass(createBoundAllocations());
  pm.addPass(createBufferizeUnits());
  OpPassManager &buffers = pm.nest<func::FuncOp>();
  buffers.addPass(createLowerAffinePass());
  buffers.addPass(createCanonicalizerPass());
  buffers.addPass(createCSEPass());
  // Loops drop what they no longer hand on, then buffers copied onto
  // themselves.
  buffers.addPass(createCanonicalizerPass());
  pm.addPass(tile::createPlanMemory());
  pm.addPass(createConvertLinalgToTile());
  pm.addPass(tile::createVerifyTile());
}

void mho::registerUnitPipelineExtensions(DialectRegistry &registry) {
  analog::registerBufferizableOpInterfaceExternalModels(registry);
  digital::registerBufferizableOpInterfaceExternalModels(registry);
  arith::registerBufferizableOpInterfaceExternalModels(registry);
  bufferization::func_ext::registerBufferizableOpInterfaceExternalModels(
      registry);
  linalg::registerBufferizableOpInterfaceExternalModels(registry);
  linalg::registerSubsetOpInterfaceExternalModels(registry);
  scf::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerBufferizableOpInterfaceExternalModels(registry);
  tensor::registerInferTypeOpInterfaceExternalModels(registry);
  tensor::registerSubsetOpInterfaceExternalModels(registry);
}

void mho::registerUnitPipeline() {
  PassPipelineRegistration<>("unit-pipeline",
                             "projected unit functions to tile programs",
                             [](OpPassManager &pm) { buildUnitPipeline(pm); });
}
