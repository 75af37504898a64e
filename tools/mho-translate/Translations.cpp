//===- Translations.cpp - .mho files to tile text and back ----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Translations.h"

#include "mho/Chip/ChipModel.h"
#include "mho/Dialect/Analog/IR/AnalogOps.h"
#include "mho/Dialect/Tile/IR/TileOps.h"
#include "mho/Target/Program/Disassemble.h"
#include "mho/Target/Program/Emit.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;

/// A temporary file that goes when the guard does.
static std::error_code makeTemporary(SmallString<128> &path) {
  int descriptor;
  std::error_code code =
      llvm::sys::fs::createTemporaryFile("mho", "mho", descriptor, path);
  if (!code)
    llvm::sys::Process::SafelyCloseFileDescriptor(descriptor);
  return code;
}

static OwningOpRef<Operation *> readProgram(llvm::SourceMgr &sources,
                                            MLIRContext *context) {
  const llvm::MemoryBuffer *buffer =
      sources.getMemoryBuffer(sources.getMainFileID());
  std::string path = buffer->getBufferIdentifier().str();
  SmallString<128> copy;
  std::error_code code;
  if (!llvm::sys::fs::exists(path)) {
    // Standard input: a container is mapped, so it needs a file.
    code = makeTemporary(copy);
    if (!code) {
      llvm::raw_fd_ostream os(copy, code);
      os << buffer->getBuffer();
      path = copy.str();
    }
  }
  llvm::FileRemover remover(copy, /*deleteIt=*/!copy.empty());
  if (code) {
    emitError(UnknownLoc::get(context), "cannot write a temporary file: ")
        << code.message();
    return {};
  }
  auto file = mho::Container::open(path);
  if (!file.ok()) {
    emitError(UnknownLoc::get(context), file.message());
    return {};
  }
  return mho::disassemble(*file, *context).release().getOperation();
}

static LogicalResult writeProgram(Operation *op, raw_ostream &os) {
  auto module = dyn_cast<ModuleOp>(op);
  if (!module)
    return op->emitError("expected a module of the tile phase");
  auto target = module->getAttrOfType<StringAttr>(mho::analog::kChipAttr);
  if (!target)
    return module.emitError("names no chip in its attribute '")
           << mho::analog::kChipAttr << "'";
  auto chip = mho::ChipModel::read(target.getValue());
  if (!chip.ok())
    return module.emitError(chip.message());
  SmallString<128> path;
  std::error_code code = makeTemporary(path);
  if (code)
    return module.emitError("cannot write a temporary file: ")
           << code.message();
  llvm::FileRemover remover(path);
  if (failed(mho::emitProgram(module, path, (*chip)->chip())))
    return failure();
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return module.emitError("cannot read a temporary file");
  os << (*buffer)->getBuffer();
  return success();
}

void mho::registerProgramTranslations() {
  static TranslateToMLIRRegistration fromBinary(
      "mho-to-tile", "a .mho file to the tile phase",
      [](llvm::SourceMgr &sources, MLIRContext *context) {
        return readProgram(sources, context);
      },
      [](DialectRegistry &registry) {
        registry.insert<tile::TileDialect, analog::AnalogDialect,
                        arith::ArithDialect, math::MathDialect>();
      });
  static TranslateFromMLIRRegistration toBinary(
      "tile-to-mho", "the tile phase to a .mho file", writeProgram,
      [](DialectRegistry &registry) {
        registry.insert<tile::TileDialect, analog::AnalogDialect,
                        arith::ArithDialect, math::MathDialect,
                        tensor::TensorDialect>();
      });
}
