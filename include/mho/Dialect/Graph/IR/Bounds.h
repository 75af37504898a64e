//===- Bounds.h - limits of what is known only at run time ----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_GRAPH_IR_BOUNDS_H
#define MHO_DIALECT_GRAPH_IR_BOUNDS_H

#include "llvm/ADT/StringRef.h"

namespace mho::graph {

/// On a loop of scf whose number of steps is known only at run time: the
/// largest number (i64) that it may run.
inline constexpr llvm::StringLiteral kBoundAttr = "mho.bound";

} // namespace mho::graph

#endif // MHO_DIALECT_GRAPH_IR_BOUNDS_H
