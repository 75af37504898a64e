//===- DigitalOps.td - what no loop nest says -------------*- tablegen -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_DIGITAL_IR_DIGITALOPS
#define MHO_DIALECT_DIGITAL_IR_DIGITALOPS

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferIntRangeInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Digital_Dialect : Dialect {
  let name = "digital";
  let cppNamespace = "::mho::digital";
  let summary = "steps of digital units that no loop nest says";
  let description = [{
    Everything else digital is `linalg`. These ops stand beside it between the
    graph and the instructions of the same names: on tensors they pass their
    destinations, so that bufferization works in place where it can; on buffers
    they read and write memory. Elements are signless; an op that orders them
    says so where they are unsigned.
  }];
}

class Digital_Op<string mnemonic, list<Trait> traits = []>
    : Op<Digital_Dialect, mnemonic, !listconcat([DestinationStyleOpInterface,
        DeclareOpInterfaceMethods<MemoryEffectsOpInterface>], traits)>;

def Digital_SortOp : Digital_Op<"sort"> {
  let summary = "sorts along the last axis, stable, values and indices";
  let description = [{
    `values` and `indices` (i64) get the first elements of the order, as many as
    their last axis has. NaN sorts as largest; equal elements keep their order.
  }];
  let arguments = (ins AnyShaped:$x, AnyShaped:$values, AnyShaped:$indices,
      UnitAttr:$largest, UnitAttr:$is_unsigned);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    `ins` `(` $x `:` type($x) `)` `outs` `(` $values `,` $indices `:` type($values) `,` type($indices) `)`
    attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mlir::MutableOperandRange(getOperation(), 1, 2);
    }
  }];
  let hasVerifier = 1;
}

def Digital_ScatterOp : Digital_Op<"scatter"> {
  let summary = "stores updates at computed places of `to`, combined in order";
  let description = [{
    For every place p of `updates` in row-major order: along axis a of `to` the
    element lies at p[dims[a]], or where dims[a] is -1 at the next of `indices`
    (i64, negative from the end, out of range is an error when running). Index
    tensors have the updates' rank, with extent 1 where they do not vary.
    `kind` is none, add, mul, min or max.
  }];
  let arguments = (ins AnyShaped:$updates, Variadic<AnyShaped>:$indices, AnyShaped:$to,
      DenseI64ArrayAttr:$dims, StrAttr:$kind, UnitAttr:$is_unsigned);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $kind `ins` `(` $updates `:` type($updates) `)` `at` `(` ($indices^ `:` type($indices))? `)` `dims` $dims
    `outs` `(` $to `:` type($to) `)` attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getToMutable(); }
  }];
  let hasVerifier = 1;
}

def Digital_CompactOp : Digital_Op<"compact",
    [DeclareOpInterfaceMethods<InferIntRangeInterface, ["inferResultRanges"]>]> {
  let summary = "the places of the elements that are not zero, and their number";
  let description = [{
    Row i of `places` (i64) gets the coordinates of the i-th element of `x` in
    row-major order that is not zero; NaN is none. `places` has room for every
    element, whatever the run's extents; rows from `count` on stay as they were.
    The count is a scalar of the run, on tensors as on buffers.
  }];
  let arguments = (ins AnyShaped:$x, AnyShaped:$places);
  let results = (outs Variadic<AnyRankedTensor>:$results, Index:$count);
  let assemblyFormat = [{
    `ins` `(` $x `:` type($x) `)` `outs` `(` $places `:` type($places) `)`
    attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getPlacesMutable(); }
  }];
  let hasVerifier = 1;
}

#endif // MHO_DIALECT_DIGITAL_IR_DIGITALOPS
