//===- AnalogBase.td - the analog dialect and its attributes --*- tablegen -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_ANALOG_IR_ANALOGBASE
#define MHO_DIALECT_ANALOG_IR_ANALOGBASE

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"

def Analog_Dialect : Dialect {
  let name = "analog";
  let cppNamespace = "::mho::analog";
  let summary = "products that crossbar arrays compute";
  let description = [{
    Not a dialect of devices: conductances, noise and converters are the
    runtime's. It says which matrices are stationary, how they are cut, where
    the parts lie and which unit computes what. In its logical stage
    `analog.matmul` is a pure op on whole matrices; in its placed stage weights
    are `analog.bank` symbols, every product is an `analog.mvm` of one unit, and
    every other op carries the number of its unit in the attribute `unit`.
  }];
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

class Analog_Op<string mnemonic, list<Trait> traits = []>
    : Op<Analog_Dialect, mnemonic, traits>;

class Analog_Attr<string name, string attrMnemonic>
    : AttrDef<Analog_Dialect, name> {
  let mnemonic = attrMnemonic;
}

def Analog_ViewAttr : Analog_Attr<"View", "view"> {
  let summary = "a constant of any rank read as a matrix";
  let description = [{
    Rows run over the axes `rows` of the constant in that order (the last one
    fastest), columns over the axes `columns`. `offsets` and `sizes` have one
    entry per axis: the box of the constant that counts (one group of a grouped
    convolution, say). `order`, if there, tells which positions on the last
    column axis the columns take in turn. Columns that differ on that axis only
    belong together (the gates of a hidden unit): they stay in one block where
    that takes no more blocks.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$rows, ArrayRefParameter<"int64_t">:$columns,
      ArrayRefParameter<"int64_t">:$offsets, ArrayRefParameter<"int64_t">:$sizes,
      OptionalArrayRefParameter<"int64_t">:$order);
  let assemblyFormat = "`<` `rows` `=` `[` $rows `]` `columns` `=` `[` $columns `]` `offsets` `=` `[` $offsets `]` `sizes` `=` `[` $sizes `]` (`order` `=` `[` $order^ `]`)? `>`";
  let extraClassDeclaration = [{
    /// Extents of the matrix.
    int64_t getNumRows() const;
    int64_t getNumColumns() const;
    /// How many columns in a row belong together; 1 where none do.
    int64_t getColumnGroup() const;
  }];
}

def Analog_WindowAttr : Analog_Attr<"Window", "window"> {
  let summary = "how input vectors are gathered from an image, channels last";
  let parameters = (ins ArrayRefParameter<"int64_t">:$kernel, ArrayRefParameter<"int64_t">:$strides,
      ArrayRefParameter<"int64_t">:$dilations, ArrayRefParameter<"int64_t">:$pads);
  let assemblyFormat = "`<` `kernel` `=` `[` $kernel `]` `strides` `=` `[` $strides `]` `dilations` `=` `[` $dilations `]` `pads` `=` `[` $pads `]` `>`";
}

def Analog_EncodingAttr : Analog_Attr<"Encoding", "encoding"> {
  let summary = "how a signed weight becomes conductances";
  let description = [{
    `differential` is a pair of conductances per weight, positive and negative
    part, each held by `devices` devices of equal significance.
  }];
  let parameters = (ins StringRefParameter<>:$kind, "unsigned":$devices);
  let assemblyFormat = "`<` $kind `x` $devices `>`";
}

#endif // MHO_DIALECT_ANALOG_IR_ANALOGBASE
