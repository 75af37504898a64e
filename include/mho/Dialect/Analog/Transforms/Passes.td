//===- Passes.td - passes of the analog dialect ------------*- tablegen -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_ANALOG_TRANSFORMS_PASSES
#define MHO_DIALECT_ANALOG_TRANSFORMS_PASSES

include "mlir/Pass/PassBase.td"

def PlaceBanks : Pass<"analog-place-banks", "::mlir::ModuleOp"> {
  let summary = "cuts matrices into blocks and gives every op a unit";
  let description = [{
    A matrix is cut into the fewest equal parts that fit an array; each block
    takes the next free array. Equal weights with equal affine are one bank.
    Where arrays sit one to a unit, the row blocks of a column form a chain:
    each unit adds its product to the sum it received, the last one holds the
    result and runs the following element-wise ops that its digital logic has.
    Everything else runs on the io unit or on a unit kind that has the operator.

    A model that needs more arrays than the chip has is an error that tells how
    many, which layers are largest, and what to do.
  }];
  let options = [
    Option<"chip", "chip", "std::string", "\"hermes\"",
           "name of a built-in chip, or a chip file">
  ];
  let dependentDialects = ["::mho::analog::AnalogDialect",
      "::mlir::tensor::TensorDialect", "::mho::graph::GraphDialect"];
}

def SetRanges : Pass<"analog-set-ranges", "::mlir::ModuleOp"> {
  let summary = "writes input and ADC ranges of every bank";
  let description = [{
    Calibrated ranges where they are given. Otherwise a rule: graph inputs are
    taken as standard normal (largest 4), the root mean square and the largest
    magnitude are propagated through the ops, and an ADC covers four standard
    deviations of its columns' sums.
  }];
  let dependentDialects = ["::mho::analog::AnalogDialect"];
}

def ProjectUnits : Pass<"analog-project-units", "::mlir::ModuleOp"> {
  let summary = "splits a placed function into one function per unit";
  let description = [{
    Walks the placed `@main` once and appends each op to the function of its
    unit. A value used on another unit is sent after its definition and
    received before its first use there; constants and other pure ops without a
    unit are repeated. All functions keep the source's one order, so sends and
    receives cannot deadlock. Unit 0 keeps the arguments and results.

    Not idempotent: it consumes `@main`.
  }];
  let dependentDialects = ["::mho::analog::AnalogDialect",
      "::mlir::tensor::TensorDialect", "::mlir::func::FuncDialect"];
}

def VerifyLogical : Pass<"analog-verify-logical", "::mlir::ModuleOp"> {
  let summary = "checks what the analog phase may hold";
  let description = [{
    graph ops, `analog.matmul`, constants and tensor ops on static shapes; no
    bank, no mvm, no unit.
  }];
}

def VerifyPlaced : Pass<"analog-verify-placed", "::mlir::ModuleOp"> {
  let summary = "checks what the placed phase may hold";
  let description = [{
    Every op but constants and views has a `unit` within `analog.units`; every
    product is an `analog.mvm` whose blocks lie on its unit; no
    `analog.matmul` is left.
  }];
}

#endif // MHO_DIALECT_ANALOG_TRANSFORMS_PASSES
