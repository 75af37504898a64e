//===- DigitalOps.h - the digital dialect ---------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_DIGITAL_IR_DIGITALOPS_H
#define MHO_DIALECT_DIGITAL_IR_DIGITALOPS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/InferIntRangeInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "mho/Dialect/Digital/IR/DigitalDialect.h.inc"

#define GET_OP_CLASSES
#include "mho/Dialect/Digital/IR/DigitalOps.h.inc"

#endif // MHO_DIALECT_DIGITAL_IR_DIGITALOPS_H
