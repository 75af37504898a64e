//===- GraphBase.td - the graph dialect and its op class --*- tablegen -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_GRAPH_IR_GRAPHBASE
#define MHO_DIALECT_GRAPH_IR_GRAPHBASE

include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/OpBase.td"

def Graph_Dialect : Dialect {
  let name = "graph";
  let cppNamespace = "::mho::graph";
  let summary = "what the model says";
  let description = [{
    ONNX's vocabulary on static tensors, with everything resolved that ONNX
    leaves to inputs, defaults and versions. It says nothing of hardware and
    holds no second way to write one meaning: Flatten, Squeeze and Unsqueeze are
    reshapes, Split is a slice per result. Constants are `arith.constant`; an
    operator without meaning here is `graph.unsupported`, never an import error.
  }];
  let hasConstantMaterializer = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

/// Results print under the name of their ONNX node.
class Graph_Op<string mnemonic, list<Trait> traits = []>
    : Op<Graph_Dialect, mnemonic, !listconcat(traits, [OpAsmOpInterface])> {
  let extraClassDeclaration = [{
    void getAsmResultNames(::mlir::OpAsmSetValueNameFn setName) {
      ::mho::graph::nameResults(getOperation(), setName);
    }
  }];
}

/// Unranked only behind graph.unsupported.
defvar Graph_Tensor = AnyTensor;

#endif // MHO_DIALECT_GRAPH_IR_GRAPHBASE
