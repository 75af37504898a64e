//===- AnalogOps.td - what the chip computes --------------*- tablegen -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_ANALOG_IR_ANALOGOPS
#define MHO_DIALECT_ANALOG_IR_ANALOGOPS

include "mho/Dialect/Analog/IR/AnalogBase.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===----------------------------------------------------------------------===//
// Logical stage
//===----------------------------------------------------------------------===//

def Analog_MatmulOp : Analog_Op<"matmul", [Pure, AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>]> {
  let summary = "vectors times a constant matrix on arrays, with a per-column affine";
  let description = [{
    Reads `w` through `view` as a K×N matrix. Without a window x is […, K] and y
    […, N]; with one, x is an image N, spatial…, C (channels last), a vector is
    the patch under the kernel in order (kernel axes…, channel), and y is
    N, output spatial…, columns. y = (x·W)·scale + shift per column; both are
    constants of N elements or absent.
  }];
  let arguments = (ins AnyRankedTensor:$x, AnyRankedTensor:$w,
      Optional<AnyRankedTensor>:$scale, Optional<AnyRankedTensor>:$shift,
      Analog_ViewAttr:$view, OptionalAttr<Analog_WindowAttr>:$window,
      Analog_EncodingAttr:$encoding, StrAttr:$sym,
      OptionalAttr<F32Attr>:$input_range, OptionalAttr<DenseF32ArrayAttr>:$adc_ranges);
  let results = (outs AnyRankedTensor:$y);
  let assemblyFormat = [{
    $x `,` $w (`scale` $scale^)? (`shift` $shift^)? `view` $view
    (`window` $window^)? $encoding attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Placed stage
//===----------------------------------------------------------------------===//

def Analog_BankOp : Analog_Op<"bank", [Symbol]> {
  let summary = "one whole weight matrix and where its blocks lie";
  let description = [{
    The matrix `weights` (a constant of any rank, read through `view` as K×N) is
    cut at `row_splits` and `col_splits` (first 0, last K or N) into blocks of
    row-major number r·columns + c. `places` holds three numbers per block:
    unit (number in module attribute `analog.units`), array of the unit, tier.
    Ranges are absent until set: `input_range` is the DAC's full scale,
    `adc_ranges` one number per block (or per block and column) in units of
    input_range × the column's largest weight.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, OptionalAttr<StrAttr>:$sym_visibility,
      ElementsAttr:$weights, Analog_ViewAttr:$view, Analog_EncodingAttr:$encoding,
      OptionalAttr<ElementsAttr>:$scale, OptionalAttr<ElementsAttr>:$shift,
      DenseI64ArrayAttr:$row_splits, DenseI64ArrayAttr:$col_splits,
      DenseI32ArrayAttr:$places, OptionalAttr<F32Attr>:$input_range,
      OptionalAttr<DenseF32ArrayAttr>:$adc_ranges);
  let assemblyFormat = "$sym_name attr-dict";
  let hasVerifier = 1;
}

def Analog_MvmOp : Analog_Op<"mvm", [DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>,
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>]> {
  let summary = "the part of a bank's product that one unit computes";
  let description = [{
    Row blocks [row_begin, row_end) times column blocks [col_begin, col_end) of
    the bank, all on one unit: `out` gets the columns of these blocks. Sums over
    the op's row blocks accumulate inside; with `accumulate` they also add to
    what `out` holds. `shift` says whether this op adds the bank's shift. Without
    a window x holds only the rows of these row blocks: […, rows]; with one, x
    is the whole image, channels last.

    On tensors two equal reads of one bank may merge under CSE: one read instead
    of two. On memrefs the op reads the array and x and writes out.
  }];
  let arguments = (ins FlatSymbolRefAttr:$bank, AnyShaped:$x, AnyShaped:$out,
      I64Attr:$row_begin, I64Attr:$row_end, I64Attr:$col_begin, I64Attr:$col_end,
      OptionalAttr<Analog_WindowAttr>:$window, UnitAttr:$accumulate, UnitAttr:$shift);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = [{
    $bank `rows` `[` $row_begin `,` $row_end `]` `columns` `[` $col_begin `,` $col_end `]`
    (`window` $window^)? `ins` `(` $x `:` type($x) `)` `outs` `(` $out `:` type($out) `)`
    attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getOutMutable(); }
  }];
  let hasVerifier = 1;
}

def Analog_SendOp : Analog_Op<"send", [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "hands a value to another unit's recv on the same channel";
  let arguments = (ins I64Attr:$channel, AnyShaped:$x);
  let assemblyFormat = "$channel `,` $x attr-dict `:` type($x)";
}

def Analog_RecvOp : Analog_Op<"recv", [DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "the value that another unit sent on this channel";
  let arguments = (ins I64Attr:$channel, AnyShaped:$out);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let assemblyFormat = "$channel `outs` `(` $out `:` type($out) `)` attr-dict (`->` type($results)^)?";
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getOutMutable(); }
  }];
}

#endif // MHO_DIALECT_ANALOG_IR_ANALOGOPS
