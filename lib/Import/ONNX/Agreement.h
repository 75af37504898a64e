//===- Agreement.h - extents that have to be equal --------------*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A model that joins what it made smaller and larger again with what was there
// before is right for those extents only for which both agree. Where the run
// gives the extents, it is held against each other there.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_IMPORT_ONNX_AGREEMENT_H
#define MHO_LIB_IMPORT_ONNX_AGREEMENT_H

#include "Node.h"

namespace mho::import {

/// `x` with the extent `to` along an axis: a run in which it has another one
/// ends with an error. Its own value where the two are known to be equal, or to
/// differ.
mlir::Value agreed(Node &n, mlir::Value x, int64_t axis, int64_t to);

/// Makes extents of operands that broadcast one, where neither is ever 1.
void agree(Node &n, mlir::Value &a, mlir::Value &c);

} // namespace mho::import

#endif // MHO_LIB_IMPORT_ONNX_AGREEMENT_H
