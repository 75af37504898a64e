//===- Bounded.cpp - extents known at run time ----------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Graph/IR/GraphOps.h"

using namespace mlir;
using namespace mho::graph;

void ExtentOp::inferResultRanges(ArrayRef<ConstantIntRanges>,
                                 SetIntRangeFn setRange) {
  APInt none(64, 0), all(64, getBound());
  setRange(getExtent(), ConstantIntRanges::fromSigned(none, all));
}
