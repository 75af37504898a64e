//===- Pipelines.cpp - the phases and the passes between them -------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Pipelines/Pipelines.h"

#include "mho/Conversion/GraphToAnalog/GraphToAnalog.h"
#include "mho/Conversion/GraphToLinalg/GraphToLinalg.h"
#include "mho/Conversion/LinalgToTile/Pipeline.h"
#include "mho/Conversion/Passes.h"
#include "mho/Dialect/Analog/IR/AnalogOps.h"
#include "mho/Dialect/Digital/IR/DigitalOps.h"
#include "mho/Dialect/Graph/IR/GraphOps.h"
#include "mho/Dialect/Graph/Transforms/Passes.h"
#include "mho/Dialect/Tile/IR/TileOps.h"
#include "mho/Dialect/Tile/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Transforms/Passes.h"

#include <array>

using namespace mlir;

namespace mho {

static constexpr std::array<llvm::StringLiteral, 5> phaseNames = {
    "graph", "analog", "placed", "tile", "binary"};

llvm::StringRef nameOf(Phase phase) { return phaseNames[size_t(phase)]; }

std::optional<Phase> phaseNamed(llvm::StringRef name) {
  for (auto [i, known] : llvm::enumerate(phaseNames))
    if (known == name)
      return Phase(i);
  return std::nullopt;
}

void buildGraphPipeline(OpPassManager &passes) {
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(graph::createVerifySupported());
}

void buildAnalogPipeline(OpPassManager &passes, const ChipModel &chip) {
  passes.addPass(graph::createChooseLayout());
  passes.addPass(graph::createExposeWeights());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(graph::createFoldWeights());
  // What was computed from weights is a constant now, and may be a stack.
  passes.addPass(graph::createExposeWeights());
  passes.addPass(graph::createFoldWeights());
  ConvertGraphToAnalogOptions arrays;
  arrays.encoding = chip.encoding().str();
  arrays.devices = chip.devicesPerPolarity();
  arrays.gates = chip.gateColumns().str();
  passes.addPass(createConvertGraphToAnalog(arrays));
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  passes.addPass(createVerifyLogical());
}

void buildPlacedPipeline(OpPassManager &passes,
                         std::shared_ptr<const ChipModel> chip,
                         RangesByBank ranges) {
  passes.addPass(createPlaceBanksPass(std::move(chip)));
  passes.addPass(createSetRangesPass(std::move(ranges)));
  passes.addPass(createVerifyPlaced());
}

void buildTilePipeline(OpPassManager &passes) {
  // Before units are told apart: from here on each tensor shows the scalars
  // that say how far it reaches, and units compute them instead of sending
  // them.
  passes.addNestedPass<func::FuncOp>(createConvertGraphToLinalg());
  passes.addPass(createProjectUnits());
  buildUnitPipeline(passes);
}

void registerAllDialects(DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  registry.insert<graph::GraphDialect, analog::AnalogDialect,
                  digital::DigitalDialect, tile::TileDialect>();
  registerUnitPipelineExtensions(registry);
}

void registerAllPasses() {
  mlir::registerAllPasses();
  registerAnalogPasses();
  graph::registerGraphPasses();
  registerConversionPasses();
  registerUnitPipeline();
  tile::registerTilePasses();
}

} // namespace mho
