//===- GraphBase.td - the graph dialect and its op class --*- tablegen -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_GRAPH_IR_GRAPHBASE
#define MHO_DIALECT_GRAPH_IR_GRAPHBASE

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
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
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

def Graph_DequantizedAttr : AttrDef<Graph_Dialect, "Dequantized",
    [TypedAttrInterface, ElementsAttrInterface]> {
  let mnemonic = "dequantized";
  let summary = "a constant of floats, held as the model stores it";
  let description = [{
    Element number n in row-major order is (values[n] - zero)·scale, in f32 and
    rounded to the type; `scale` and `zero` (absent: 0) broadcast to the shape of
    `values`. The type may have another shape with as many elements: a block of
    elements with one scale is an axis of `values`. Readers compute elements
    where they need them, so weights of few bits are never held as floats.

    Example: `#graph.dequantized<dense_resource<w> : tensor<64x8x32xui4>,
    dense_resource<s> : tensor<64x8x1xf32>> : tensor<64x256xf32>`
  }];
  let parameters = (ins AttributeSelfTypeParameter<"", "::mlir::RankedTensorType">:$type,
      "::mlir::ElementsAttr":$values, "::mlir::ElementsAttr":$scale,
      OptionalParameter<"::mlir::ElementsAttr">:$zero);
  let assemblyFormat = "`<` $values `,` $scale (`,` `zero` `=` $zero^)? `>`";
  let genVerifyDecl = 1;
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
