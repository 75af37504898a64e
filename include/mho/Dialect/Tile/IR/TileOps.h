//===- TileOps.h - the tile dialect ---------------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_TILE_IR_TILEOPS_H
#define MHO_DIALECT_TILE_IR_TILEOPS_H

#include "mho/Dialect/Tile/IR/TileFields.h"

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include <vector>

#include "mho/Dialect/Tile/IR/TileDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "mho/Dialect/Tile/IR/TileAttrs.h.inc"

#define GET_OP_CLASSES
#include "mho/Dialect/Tile/IR/TileOps.h.inc"

#endif // MHO_DIALECT_TILE_IR_TILEOPS_H
