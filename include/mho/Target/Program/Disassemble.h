//===- Disassemble.h - a .mho file to the tile phase ----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_TARGET_PROGRAM_DISASSEMBLE_H
#define MHO_TARGET_PROGRAM_DISASSEMBLE_H

#include "mho/Program/Container.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace mho {

/// Loads the dialects a tile phase module is made of.
void loadTilePhaseDialects(mlir::MLIRContext &context);

/// The module a program was emitted from: tile.* ops with the locations of
/// their nodes, banks, values and constants. Data is not copied: constants
/// and weights are resources over the mapped file, which they keep alive.
/// Emitting the result with the same chip gives the same bytes. Null after a
/// diagnostic for a program that cannot be decoded.
mlir::OwningOpRef<mlir::ModuleOp>
disassemble(std::shared_ptr<const Container> file, mlir::MLIRContext &context);

/// The same as text, which `mho-translate` reads again; a failure's message is
/// its diagnostics.
Expected<std::string> disassembleToText(std::shared_ptr<const Container> file);

} // namespace mho

#endif // MHO_TARGET_PROGRAM_DISASSEMBLE_H
