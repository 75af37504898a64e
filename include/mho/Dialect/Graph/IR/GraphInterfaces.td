//===- GraphInterfaces.td - families of graph ops ---------*- tablegen -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_GRAPH_IR_GRAPHINTERFACES
#define MHO_DIALECT_GRAPH_IR_GRAPHINTERFACES

include "mlir/IR/OpBase.td"

/// One result element follows from one element of each operand, which
/// broadcast as NumPy does (a scale along an axis apart).
def Elementwise_ : NativeOpTrait<"ElementwiseTrait"> {
  let cppNamespace = "::mho::graph";
}

/// A window slides over the spatial axes of the first operand.
def Windowed_ : NativeOpTrait<"WindowedTrait"> {
  let cppNamespace = "::mho::graph";
}

def WeightStationaryOpInterface : OpInterface<"WeightStationaryOpInterface"> {
  let cppNamespace = "::mho::graph";
  let description = [{
    An op that multiplies by a matrix which never changes, so that an array can
    hold it.
  }];
  let methods = [
    InterfaceMethod<[{
      The products of this op, one per group; their results joined along the
      column axis are the op's. Empty where the weights are no constant or the
      form does not pay on an array (one input channel a group).
    }],
    "::llvm::SmallVector<::mho::graph::StationaryProduct>",
    "getStationaryProducts", (ins)>
  ];
}

def WeightStationary_ : DeclareOpInterfaceMethods<WeightStationaryOpInterface>;

#endif // MHO_DIALECT_GRAPH_IR_GRAPHINTERFACES
