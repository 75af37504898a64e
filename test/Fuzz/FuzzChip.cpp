//===- FuzzChip.cpp - any text as a chip file -----------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Chip/ChipModel.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  // A terminated copy: LLVM's YAML reader looks one byte ahead.
  std::string text(reinterpret_cast<const char *>(data), size);
  (void)mho::parseChip(text, "chip.yaml");
  return 0;
}
