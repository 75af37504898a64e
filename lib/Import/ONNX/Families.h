//===- Families.h - the importer's handlers, family by family -------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The one list of what is known: the importer's table and docs/Operators.md
// both come from it.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_IMPORT_ONNX_FAMILIES_H
#define MHO_LIB_IMPORT_ONNX_FAMILIES_H

#include "Node.h"

namespace mho::import {

/// Operators of one file.
struct Family {
  /// What their nodes become when they are not folded, in the words of
  /// docs/Operators.md: arrays and the tile dialect's instructions.
  const char *where;
  void (*add)(HandlerTable &);
};

llvm::ArrayRef<Family> families();

} // namespace mho::import

#endif // MHO_LIB_IMPORT_ONNX_FAMILIES_H
