//===- Translations.h - .mho files to tile text and back ------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_TRANSLATE_TRANSLATIONS_H
#define MHO_TRANSLATE_TRANSLATIONS_H

namespace mho {

/// Makes `--mho-to-tile` and `--tile-to-mho` known to MLIR's translation tool.
void registerProgramTranslations();

} // namespace mho

#endif // MHO_TRANSLATE_TRANSLATIONS_H
