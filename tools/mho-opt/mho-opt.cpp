//===- mho-opt.cpp - runs passes on any phase's text ----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Upstream's driver reads the input wherever the heap puts it, and bytecode
// with weights then loads or not by luck: its resources want 64 bytes. Here
// the buffer is aligned before the driver sees it.
//
//===----------------------------------------------------------------------===//

#include "mho/Pipelines/Pipelines.h"

#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ToolOutputFile.h"

#include <cstring>

using namespace llvm;

/// The contents of a file or of stdin, at a multiple of 64 bytes.
static std::unique_ptr<MemoryBuffer> openAligned(StringRef path,
                                                 std::string *error) {
  const Align alignment(64);
  auto buffer = mlir::openInputFile(path, alignment, error);
  if (!buffer || isAddrAligned(alignment, buffer->getBufferStart()))
    return buffer;
  auto copy = WritableMemoryBuffer::getNewUninitMemBuffer(
      buffer->getBufferSize(), buffer->getBufferIdentifier(), alignment);
  std::memcpy(copy->getBufferStart(), buffer->getBufferStart(),
              buffer->getBufferSize());
  return copy;
}

static mlir::LogicalResult optimize(StringRef input, StringRef output,
                                    mlir::DialectRegistry &registry) {
  auto config = mlir::MlirOptMainConfig::createFromCLOptions();
  std::string error;
  // The lists of dialects and passes need no input.
  auto buffer = config.shouldShowDialects() || config.shouldListPasses()
                    ? MemoryBuffer::getMemBuffer("")
                    : openAligned(input, &error);
  auto file = buffer ? mlir::openOutputFile(output, &error) : nullptr;
  if (!file) {
    errs() << "mho-opt: " << error << "\n";
    return mlir::failure();
  }
  if (failed(
          mlir::MlirOptMain(file->os(), std::move(buffer), registry, config)))
    return mlir::failure();
  file->keep();
  return mlir::success();
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  mlir::DialectRegistry registry;
  mho::registerAllDialects(registry);
  mho::registerAllPasses();
  std::string header = mlir::registerCLIOptions(
      "mho optimizer: runs passes on the text of any phase\n", registry);
  cl::opt<std::string> input(cl::Positional, cl::desc("<input file>"),
                             cl::init("-"));
  cl::opt<std::string> output("o", cl::desc("Output file"),
                              cl::value_desc("file"), cl::init("-"));
  // The parser would exit 1, which means a fault of the input.
  if (!cl::ParseCommandLineOptions(argc, argv, header, &errs()))
    return 2;
  return mlir::asMainReturnCode(optimize(input, output, registry));
}
