//===- ImportTest.cpp - real models and damaged files through the importer ===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Import/ONNX/Import.h"
#include "mho/Dialect/Graph/IR/GraphOps.h"
#include "mho/Dialect/Graph/IR/NodeLoc.h"
#include "mho/Dialect/Graph/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

using namespace mlir;
using namespace mho;

namespace {

std::string modelsFolder() {
  const char *folder = std::getenv("MHO_MODELS");
  return folder ? folder : "";
}

/// Imports `path`; what was reported, joined, in `messages`.
OwningOpRef<ModuleOp> import(MLIRContext &context, const std::string &path,
                             const ImportOptions &options,
                             std::string &messages) {
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    messages += diagnostic.str() + "\n";
    return success();
  });
  return importOnnx(path, options, context);
}

class RealModels : public testing::TestWithParam<const char *> {};

/// Every node has a meaning, every shape is known, weights are constants, and
/// no op has lost its node.
TEST_P(RealModels, AreUnderstoodWhole) {
  if (modelsFolder().empty())
    GTEST_SKIP() << "MHO_MODELS is not set";
  MLIRContext context;
  std::string messages;
  auto module = import(context, modelsFolder() + "/" + GetParam() + ".onnx", {},
                       messages);
  ASSERT_TRUE(module) << messages;
  PassManager passes(&context);
  passes.addPass(createCanonicalizerPass());
  passes.addPass(graph::createVerifySupported());
  ASSERT_TRUE(succeeded(passes.run(*module)));
  int products = 0;
  module->walk([&](Operation *op) {
    if (auto stationary = dyn_cast<graph::WeightStationaryOpInterface>(op)) {
      auto conv = dyn_cast<graph::ConvOp>(op);
      bool depthwise = conv && conv.getGroups() > 1;
      EXPECT_EQ(stationary.getStationaryProducts().empty(), depthwise);
      ++products;
    }
    if (!isa_and_nonnull<graph::GraphDialect>(op->getDialect()))
      return;
    SmallVector<std::pair<StringRef, StringRef>> nodes;
    graph::collectNodes(op->getLoc(), nodes);
    EXPECT_FALSE(nodes.empty());
  });
  EXPECT_GT(products, 0);
}

INSTANTIATE_TEST_SUITE_P(Models, RealModels,
                         testing::Values("mnist-net_256x4", "resnet32",
                                         "resnet32_bn", "ds_cnn_kws",
                                         "ds_cnn_kws_qdq"),
                         [](const auto &info) {
                           std::string name = info.param;
                           llvm::replace(name, '-', '_');
                           return name;
                         });

/// The batch is 1 unless asked for; a range that is none and a wrong name are
/// refused.
TEST(Shapes, AreBoundByOptions) {
  if (modelsFolder().empty())
    GTEST_SKIP() << "MHO_MODELS is not set";
  std::string path = modelsFolder() + "/ds_cnn_kws.onnx";
  MLIRContext context;
  std::string messages;
  EXPECT_TRUE(import(context, path, {}, messages));
  EXPECT_NE(messages.find("becomes 1"), std::string::npos);
  ImportOptions options;
  for (const char *good : {"batch=4", "input=4x1x49x10"}) {
    options.shapes = {good};
    auto module = import(context, path, options, messages);
    ASSERT_TRUE(module) << messages;
    auto main = module->lookupSymbol<func::FuncOp>("main");
    auto type = cast<RankedTensorType>(main.getArgumentTypes().front());
    EXPECT_EQ(type.getDimSize(0), 4);
  }
  for (const char *bad : {"batch=4..1", "inptu=1x1x49x10", "input=1x49x10",
                          "input=1x1x49x11", "batch=x", "batch"}) {
    options.shapes = {bad};
    messages.clear();
    EXPECT_FALSE(import(context, path, options, messages)) << bad;
    EXPECT_NE(messages.find(bad), std::string::npos) << messages;
  }
}

/// Whatever happens to a file, the importer answers with a message.
TEST(DamagedFiles, AreRefusedOrRead) {
  if (modelsFolder().empty())
    GTEST_SKIP() << "MHO_MODELS is not set";
  auto model =
      llvm::MemoryBuffer::getFile(modelsFolder() + "/ds_cnn_kws_qdq.onnx");
  ASSERT_TRUE(bool(model));
  SmallString<128> path;
  ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("mho", "onnx", path));
  llvm::FileRemover remove(path);
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::string bytes = (*model)->getBuffer().str();
    if (round % 4 == 0)
      bytes.resize(random() % bytes.size());
    else
      for (int flips = round % 3; flips >= 0; --flips)
        bytes[random() % bytes.size()] ^= 1 << random() % 8;
    std::error_code error;
    llvm::raw_fd_ostream(path, error) << bytes;
    ASSERT_FALSE(error);
    MLIRContext context;
    std::string messages;
    if (!import(context, path.str().str(), {}, messages)) {
      EXPECT_FALSE(messages.empty());
    }
  }
}

} // namespace
