//===- Passes.td - conversions between dialects ------------*- tablegen -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_CONVERSION_PASSES
#define MHO_CONVERSION_PASSES

include "mlir/Pass/PassBase.td"

def ConvertGraphToAnalog : Pass<"convert-graph-to-analog", "::mlir::ModuleOp"> {
  let summary = "moves products with constant weights onto arrays";
  let description = [{
    Every op with stationary weights becomes `analog.matmul`, one per group of
    a grouped convolution. Bias, BatchNormalization and other constant
    per-column arithmetic behind it moves into its digital affine; the weights
    are not rewritten. Weights with NaN or infinity are an error. With `gates`
    the columns of a recurrent product are taken hidden unit by hidden unit, its
    gates in that order, and the result is brought back behind the product.

    Example: `graph.conv` with a constant kernel of 64x32x3x3 becomes an
    `analog.matmul` with a 288×64 view and a 3×3 window.
  }];
  let options = [
    Option<"encoding", "encoding", "std::string", "\"differential\"",
           "how a signed weight becomes conductances">,
    Option<"devices", "devices", "unsigned", "1", "devices per polarity">,
    Option<"gates", "gates", "std::string", "\"\"",
           "order in which gates of one hidden unit lie side by side">
  ];
  let dependentDialects = ["::mho::analog::AnalogDialect",
      "::mho::graph::GraphDialect", "::mlir::arith::ArithDialect"];
}

def ConvertGraphToLinalg : Pass<"convert-graph-to-linalg", "::mlir::func::FuncOp"> {
  let summary = "lowers digital graph ops to linalg on tensors";
  let description = [{
    Every op of the graph dialect that is left becomes `linalg.generic`, fill,
    and tensor ops (sorting and scattering: `digital` ops), with the node's
    location on each. Operands broadcast through
    their maps; splat constants go into bodies; floats narrower than f32 are
    computed in f32. Unsigned integers become signless: what was unsigned
    decides the arith ops, and `mho.type` keeps an argument's or result's type.
  }];
  let dependentDialects = ["::mho::digital::DigitalDialect",
      "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
      "::mlir::math::MathDialect", "::mlir::tensor::TensorDialect"];
}

def FuseKernels : Pass<"fuse-kernels", "::mlir::func::FuncOp"> {
  let summary = "fuses linalg generics where nothing is computed twice";
  let description = [{
    A producer that computes goes into its consumer where it is the producer's
    only use and each element is read once; one that only moves elements also
    into several consumers and into contractions, never into windows. The fused
    op has the locations of both.

    The fill in front of a reduction becomes the attribute `tile.init`, one
    initial value per result, so that equal fills cannot merge into one buffer.
    Unused shapes and destinations of inserts are prepared for bufferization.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect", "::mlir::tensor::TensorDialect"];
}

def BoundAllocations : Pass<"bound-allocations", "::mlir::func::FuncOp"> {
  let summary = "gives tensors of run-time extents room for their bounds";
  let description = [{
    A `tensor.empty` with extents that are known only at run time becomes a
    slice of one whose extents are the largest that the analysis of integer
    ranges gives. All allocations and strides are then fixed. An extent without
    a bound is an error that says how to give one.
  }];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

def BufferizeUnits : Pass<"bufferize-units", "::mlir::ModuleOp"> {
  let summary = "gives the tensors of all units' functions buffers";
  let description = [{
    Builds inserted values in place where that can be, then runs one-shot
    bufferization with inputs that must not be written. Results stay results:
    `tile-plan-memory` puts returned buffers into the io space.
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect",
      "::mlir::memref::MemRefDialect", "::mlir::linalg::LinalgDialect"];
}

def ConvertLinalgToTile : Pass<"convert-linalg-to-tile", "::mlir::ModuleOp"> {
  let summary = "turns planned buffers and linalg into tile programs";
  let description = [{
    Takes the functions of all units after `tile-plan-memory`: every generic
    becomes a kernel or a contract, every copy a copy, every `analog.mvm` one
    instruction per array, every function a `tile.program`. An op that has no
    instruction is an error at its location.
  }];
  let dependentDialects = ["::mho::tile::TileDialect", "::mlir::arith::ArithDialect",
      "::mlir::math::MathDialect"];
}

#endif // MHO_CONVERSION_PASSES
