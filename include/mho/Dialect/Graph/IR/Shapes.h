//===- Shapes.h - extents of results --------------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Shared by the verifiers and the importer, so that both know one rule.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_GRAPH_IR_SHAPES_H
#define MHO_DIALECT_GRAPH_IR_SHAPES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdint>
#include <optional>

namespace mho::graph {

/// NumPy's broadcast of two shapes; nothing where they do not fit.
std::optional<llvm::SmallVector<int64_t>>
broadcastShapes(llvm::ArrayRef<int64_t> a, llvm::ArrayRef<int64_t> b);

/// Shape of NumPy's matrix product; nothing where the shapes do not fit.
std::optional<llvm::SmallVector<int64_t>>
matmulShape(llvm::ArrayRef<int64_t> a, llvm::ArrayRef<int64_t> b);

/// Positions of a window along one axis; 0 or less where it does not fit.
/// With `ceil` a last window may reach past the end, but must start inside
/// the input or its leading padding.
int64_t windowPositions(int64_t extent, int64_t kernel, int64_t stride,
                        int64_t dilation, int64_t padBegin, int64_t padEnd,
                        bool ceil = false);

/// `shape` without `axes` (ascending), or with extent 1 there.
llvm::SmallVector<int64_t> reducedShape(llvm::ArrayRef<int64_t> shape,
                                        llvm::ArrayRef<int64_t> axes,
                                        bool keepdims);

} // namespace mho::graph

#endif // MHO_DIALECT_GRAPH_IR_SHAPES_H
