//===- GraphDialect.h - the graph dialect ---------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_GRAPH_IR_GRAPHDIALECT_H
#define MHO_DIALECT_GRAPH_IR_GRAPHDIALECT_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/Dialect.h"

#include "mho/Dialect/Graph/IR/GraphDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "mho/Dialect/Graph/IR/GraphAttrs.h.inc"

#endif // MHO_DIALECT_GRAPH_IR_GRAPHDIALECT_H
