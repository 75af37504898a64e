//===- FieldText.h - text of fields, shared by attributes and ops ---------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_DIALECT_TILE_IR_FIELDTEXT_H
#define MHO_LIB_DIALECT_TILE_IR_FIELDTEXT_H

#include "mho/Dialect/Tile/IR/TileOps.h"

namespace mho::tile {

/// `8` or `slot 3 max 8`.
mlir::ParseResult parseExtentText(mlir::AsmParser &parser, isa::Extent &extent);
void printExtentText(mlir::AsmPrinter &printer, const isa::Extent &extent);

/// `[8, 128, slot 3 max 384]`.
mlir::ParseResult parseExtentsText(mlir::AsmParser &parser,
                                   std::vector<isa::Extent> &extents);
void printExtentsText(mlir::AsmPrinter &printer,
                      llvm::ArrayRef<isa::Extent> extents);

/// `store`, `add`, ….
mlir::ParseResult parseCombineText(mlir::AsmParser &parser,
                                   isa::WriteKind &kind);

} // namespace mho::tile

#endif // MHO_LIB_DIALECT_TILE_IR_FIELDTEXT_H
