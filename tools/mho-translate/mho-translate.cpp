//===- mho-translate.cpp - .mho files to tile text and back ---------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Translations.h"

#include "mlir/Tools/mlir-translate/MlirTranslateMain.h"

int main(int argc, char **argv) {
  mho::registerProgramTranslations();
  return failed(mlir::mlirTranslateMain(argc, argv, "mho's translations\n"));
}
