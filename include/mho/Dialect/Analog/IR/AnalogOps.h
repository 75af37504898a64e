//===- AnalogOps.h - the analog dialect -----------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_ANALOG_IR_ANALOGOPS_H
#define MHO_DIALECT_ANALOG_IR_ANALOGOPS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "mho/Dialect/Analog/IR/AnalogDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "mho/Dialect/Analog/IR/AnalogAttrs.h.inc"

#define GET_OP_CLASSES
#include "mho/Dialect/Analog/IR/AnalogOps.h.inc"

namespace mho::analog {

/// Module attributes of the placed stage.
///
/// Array of dictionaries {kind = "core", index = 3}: unit numbers are
/// positions. Unit 0 holds the program's inputs and outputs.
inline constexpr llvm::StringLiteral kUnitsAttr = "analog.units";
/// array<i32: from, to, …>: two unit numbers per channel.
inline constexpr llvm::StringLiteral kChannelsAttr = "analog.channels";
/// Name of the chip the module is placed on.
inline constexpr llvm::StringLiteral kChipAttr = "analog.chip";
/// On a function: the unit it runs on.
inline constexpr llvm::StringLiteral kUnitAttr = "analog.unit";
/// On an op of a placed function: its unit.
inline constexpr llvm::StringLiteral kOpUnitAttr = "unit";

} // namespace mho::analog

#endif // MHO_DIALECT_ANALOG_IR_ANALOGOPS_H
