//===- TileOps.td - the instruction set -------------------*- tablegen -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One op is one instruction. mho-tblgen derives from this file the decoded
// structs, encoder, decoder, field checks of the verifier, and docs/ISA.md.
// Opcodes are explicit and never reused. Next free opcode: 13.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_TILE_IR_TILEOPS
#define MHO_DIALECT_TILE_IR_TILEOPS

include "mho/Dialect/Tile/IR/TileBase.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

def Tile_MvmOp : Tile_Instruction<"mvm", 1> {
  let summary = "multiplies a stream of vectors by one array";
  let description = [{
    For every point of `counts`, reads one input vector (the flattened points
    of `inner`, rows `first_row` to `first_row` + the array's rows of it),
    converts, multiplies by the array, converts, applies the bank's per-column
    affine, and writes (or adds to) one output vector of the array's columns.

    `input` has a stride per dimension of `counts`, then of `inner`; `output`
    a stride per dimension of `counts`, then one for the column. Both are f32.
    Element k of a vector is point k of `inner` in lexicographic order.
    With `shift` the bank's per-column shift is added, else only its scale
    applies: of the row blocks of a matrix exactly one adds the shift.
  }];
  let arguments = (ins Tile_ArrayIndex:$array, Tile_Extents:$counts,
      Tile_Extents:$inner, Tile_U64:$first_row, Tile_Access:$input,
      Tile_Access:$output, Tile_Flag:$accumulate, Tile_Flag:$shift);
  let accesses = ["reads input along counts, inner",
                  "writes output along counts, columns(array)"];
  let assemblyFormat = [{
    `array` $array `counts` custom<Extents>($counts) `inner` custom<Extents>($inner) `first_row` $first_row
    `from` $input `to` $output (`accumulate` $accumulate^)? (`shift` $shift^)?
    attr-dict
  }];
}

def Tile_KernelOp : Tile_Instruction<"kernel", 2,
    [IsolatedFromAbove, SingleBlock]> {
  let summary = "a loop nest around a register program: the digital unit";
  let description = [{
    Runs the body for every point of `dims` in lexicographic order. Reads give
    the first block arguments, carried writes the ones after them; `tile.yield`
    gives one value per write. Reductions sum in 16 interleaved partial sums
    over the innermost reduced dimension, combined pairwise, whatever the
    machine's vectors.
  }];
  let arguments = (ins Tile_Extents:$dims, Tile_Accesses:$reads,
      Tile_Writes:$writes);
  let regions = (region Tile_KernelBody:$body);
  let accesses = ["reads reads along dims", "writes writes along dims"];
  let assemblyFormat = "custom<Extents>($dims) `reads` $reads `writes` $writes $body attr-dict";
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Tile_ContractOp : Tile_Instruction<"contract", 3> {
  let summary = "a digital product of two tensors";
  let description = [{
    out[batch, rows, columns] (+)= Σ_inner lhs[batch, rows, inner] ·
    rhs[batch, columns, inner], f32 (or integers summed in i32). Strides of all
    three accesses are given per dimension of batch, rows, columns, inner, in
    that order; a dimension that an operand lacks has stride 0.
  }];
  let arguments = (ins Tile_Extents:$batch, Tile_Extents:$rows,
      Tile_Extents:$columns, Tile_Extents:$inner, Tile_Access:$lhs,
      Tile_Access:$rhs, Tile_Access:$output, Tile_Flag:$accumulate);
  let accesses = ["reads lhs along batch, rows, columns, inner",
                  "reads rhs along batch, rows, columns, inner",
                  "writes output along batch, rows, columns, inner"];
  let assemblyFormat = [{
    `batch` custom<Extents>($batch) `rows` custom<Extents>($rows) `columns` custom<Extents>($columns) `inner` custom<Extents>($inner) `lhs` $lhs
    `rhs` $rhs `to` $output (`accumulate` $accumulate^)? attr-dict
  }];
}

def Tile_CopyOp : Tile_Instruction<"copy", 4> {
  let summary = "strided copy of elements of one type";
  let arguments = (ins Tile_Extents:$dims, Tile_Access:$from, Tile_Access:$to);
  let accesses = ["reads from along dims", "writes to along dims"];
  let assemblyFormat = "custom<Extents>($dims) `from` $from `to` $to attr-dict";
}

def Tile_SendOp : Tile_Instruction<"send", 5> {
  let summary = "sends the elements of an access over a channel, packed in order of dims";
  let arguments = (ins Tile_ChannelIndex:$channel, Tile_Extents:$dims, Tile_Access:$from);
  let accesses = ["reads from along dims"];
  let assemblyFormat = "$channel custom<Extents>($dims) `from` $from attr-dict";
}

def Tile_RecvOp : Tile_Instruction<"recv", 6> {
  let summary = "waits for the next message of a channel and stores its elements";
  let arguments = (ins Tile_ChannelIndex:$channel, Tile_Extents:$dims, Tile_Access:$to);
  let accesses = ["writes to along dims"];
  let assemblyFormat = "$channel custom<Extents>($dims) `to` $to attr-dict";
}

def Tile_LoopOp : Tile_Instruction<"loop", 7, [SingleBlock, NoTerminator]> {
  let summary = "runs its body `trips` times, the index in a slot";
  let description = [{
    The slot holds 0, 1, … during the trips. With `condition`, the slot it
    names is read before every trip and 0 ends the loop.
  }];
  let arguments = (ins Tile_Extent:$trips, Tile_SlotIndex:$index,
      Tile_OptionalSlot:$condition);
  let regions = (region Tile_Body:$body);
  let assemblyFormat = [{
    custom<Extent>($trips) `index` $index (`while` $condition^)? $body attr-dict
  }];
}

def Tile_BranchOp : Tile_Instruction<"branch", 8, [SingleBlock, NoTerminator]> {
  let summary = "runs one of two bodies, by a slot's value being non-zero";
  let arguments = (ins Tile_SlotIndex:$condition);
  let regions = (region Tile_Body:$then, Tile_Body:$otherwise);
  let assemblyFormat = "`if` $condition $then `else` $otherwise attr-dict";
}

def Tile_SortOp : Tile_Instruction<"sort", 9> {
  let summary = "sorts along the last dimension, stable, values and indices";
  let description = [{
    `input` is read along dims; `values` and `indices` (i64) are written along
    the same dims, but the last extent is `count` (the first `count` of the
    order: top-k). NaN sorts as largest; equal elements keep their order.
  }];
  let arguments = (ins Tile_Extents:$dims, Tile_Extent:$count,
      Tile_Access:$input, Tile_Access:$values, Tile_Access:$indices,
      Tile_Flag:$largest);
  let accesses = ["reads input along dims",
                  "writes values along dims with last count",
                  "writes indices along dims with last count"];
  let assemblyFormat = [{
    custom<Extents>($dims) `first` custom<Extent>($count) `from` $input `values` $values `indices` $indices
    (`largest` $largest^)? attr-dict
  }];
}

def Tile_ScatterOp : Tile_Instruction<"scatter", 10> {
  let summary = "stores updates at computed places, combined in order";
  let description = [{
    For every point of `dims`: place = Σ index[p]·place_strides[p] over the
    `indices` (i64, one access each), each checked against `sizes` (negative
    counts from the end); to[place + output's own strides] op= update.
  }];
  let arguments = (ins Tile_Extents:$dims, Tile_Accesses:$indices,
      Tile_Extents:$sizes, Tile_Strides:$place_strides, Tile_Access:$updates,
      Tile_Access:$to, Tile_CombineKind:$kind);
  let accesses = ["reads indices along dims", "reads updates along dims"];
  let assemblyFormat = [{
    custom<Combine>($kind) custom<Extents>($dims) `indices` $indices `sizes` custom<Extents>($sizes) `strides` $place_strides
    `from` $updates `to` $to attr-dict
  }];
}

def Tile_CompactOp : Tile_Instruction<"compact", 11> {
  let summary = "writes the indices of non-zero elements and counts them in a slot";
  let arguments = (ins Tile_Extents:$dims, Tile_Access:$input,
      Tile_Access:$indices, Tile_SlotIndex:$count);
  let accesses = ["reads input along dims"];
  let assemblyFormat = "custom<Extents>($dims) `from` $input `indices` $indices `count` $count attr-dict";
}

def Tile_EndOp : Tile_Instruction<"end", 12> {
  let summary = "ends the stream";
  let assemblyFormat = "attr-dict";
}

//===----------------------------------------------------------------------===//
// What a module of the tile phase holds besides instructions
//===----------------------------------------------------------------------===//

def Tile_ProgramOp : Tile_Op<"program", [Symbol, IsolatedFromAbove, SingleBlock,
    NoTerminator, HasParent<"::mlir::ModuleOp">]> {
  let summary = "what one unit does in one entry point: a stream of instructions";
  let description = [{
    `unit` is the number in the module's `analog.units`. `scratch` is the size
    of the unit's memory, `peak` the most bytes that are alive at once.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, OptionalAttr<StrAttr>:$sym_visibility,
      ConfinedAttr<I32Attr, [IntNonNegative]>:$unit, StrAttr:$entry,
      ConfinedAttr<I64Attr, [IntNonNegative]>:$scratch_bytes,
      ConfinedAttr<I64Attr, [IntNonNegative]>:$peak_bytes,
      TypedArrayAttrBase<Tile_Slot, "slots">:$slots);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name `unit` $unit `entry` $entry `scratch` $scratch_bytes `peak`
    $peak_bytes `slots` $slots $body attr-dict
  }];
  let hasRegionVerifier = 1;
}

def Tile_ValueOp : Tile_Op<"value", [HasParent<"::mlir::ModuleOp">]> {
  let summary = "an input, output or state of an entry point and its place in the io space";
  let description = [{
    The order of these ops is the order of the entry point's inputs, outputs and
    states. A bounded dimension names the slot of unit 0 that holds its extent
    in `extent_slots` (else -1), its bound in `bound`; `declared` are the
    dimensions as the model wrote them.
  }];
  let arguments = (ins StrAttr:$direction, StrAttr:$name, TypeAttr:$type,
      ConfinedAttr<I64Attr, [IntNonNegative]>:$offset,
      ConfinedAttr<I64Attr, [IntNonNegative]>:$bytes,
      DefaultValuedStrAttr<StrAttr, "main">:$entry,
      OptionalAttr<DenseI32ArrayAttr>:$extent_slots,
      OptionalAttr<StrArrayAttr>:$bound, OptionalAttr<StrArrayAttr>:$declared);
  let assemblyFormat = [{
    custom<Keyword>($direction) $name `:` $type `at` $offset `bytes` $bytes
    attr-dict
  }];
  let hasVerifier = 1;
}

def Tile_ConstantOp : Tile_Op<"constant", [Symbol, HasParent<"::mlir::ModuleOp">]> {
  let summary = "data at a byte offset of the constant space";
  let arguments = (ins SymbolNameAttr:$sym_name, OptionalAttr<StrAttr>:$sym_visibility,
      ConfinedAttr<I64Attr, [IntNonNegative]>:$offset, ElementsAttr:$value);
  let assemblyFormat = "$sym_name `at` $offset `=` $value attr-dict";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// What a kernel's body holds besides arith and math
//===----------------------------------------------------------------------===//

def Tile_IndexOp : Tile_Op<"index", [Pure]> {
  let summary = "the current point's coordinate in a dimension of the kernel";
  let arguments = (ins ConfinedAttr<I64Attr, [IntNonNegative]>:$dim);
  let results = (outs AnyTypeOf<[Index, I64]>:$result);
  let assemblyFormat = "$dim attr-dict `:` type($result)";
}

def Tile_LoadOp : Tile_Op<"load", [MemoryEffects<[MemRead]>]> {
  let summary = "an element of memory at computed indices, each checked against its size";
  let arguments = (ins Tile_Table:$table,
      Variadic<AnyTypeOf<[Index, AnySignlessInteger]>>:$indices);
  let results = (outs AnyType:$result);
  let assemblyFormat = [{
    $table `[` $indices `]` attr-dict `:` functional-type($indices, $result)
  }];
  let hasVerifier = 1;
}

def Tile_YieldOp : Tile_Op<"yield", [Pure, Terminator, HasParent<"KernelOp">]> {
  let summary = "the values that go to the kernel's writes";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

//===----------------------------------------------------------------------===//
// Micro-ops of a kernel body: MLIR name, number, operand count, cost in
// operations of a lane. Numbers are never reused. Next free: 80.
//===----------------------------------------------------------------------===//

def : MicroOp<"arith.constant", 1, 0, 0>;
def : MicroOp<"tile.index", 2, 0, 0>;
def : MicroOp<"tile.load", 3, -1, 1>;
def : MicroOp<"arith.addf", 4, 2>;
def : MicroOp<"arith.subf", 5, 2>;
def : MicroOp<"arith.mulf", 6, 2>;
def : MicroOp<"arith.divf", 7, 2, 4>;
def : MicroOp<"arith.remf", 8, 2, 8>;
def : MicroOp<"arith.negf", 9, 1>;
def : MicroOp<"arith.maximumf", 10, 2>;
def : MicroOp<"arith.minimumf", 11, 2>;
def : MicroOp<"arith.maxnumf", 12, 2>;
def : MicroOp<"arith.minnumf", 13, 2>;
def : MicroOp<"arith.addi", 14, 2>;
def : MicroOp<"arith.subi", 15, 2>;
def : MicroOp<"arith.muli", 16, 2>;
def : MicroOp<"arith.divsi", 17, 2, 8>;
def : MicroOp<"arith.divui", 18, 2, 8>;
def : MicroOp<"arith.remsi", 19, 2, 8>;
def : MicroOp<"arith.remui", 20, 2, 8>;
def : MicroOp<"arith.floordivsi", 21, 2, 8>;
def : MicroOp<"arith.ceildivsi", 22, 2, 8>;
def : MicroOp<"arith.maxsi", 23, 2>;
def : MicroOp<"arith.maxui", 24, 2>;
def : MicroOp<"arith.minsi", 25, 2>;
def : MicroOp<"arith.minui", 26, 2>;
def : MicroOp<"arith.andi", 27, 2>;
def : MicroOp<"arith.ori", 28, 2>;
def : MicroOp<"arith.xori", 29, 2>;
def : MicroOp<"arith.shli", 30, 2>;
def : MicroOp<"arith.shrsi", 31, 2>;
def : MicroOp<"arith.shrui", 32, 2>;
def : MicroOp<"arith.cmpf", 33, 2>;
def : MicroOp<"arith.cmpi", 34, 2>;
def : MicroOp<"arith.select", 35, 3>;
def : MicroOp<"arith.extf", 36, 1>;
def : MicroOp<"arith.truncf", 37, 1>;
def : MicroOp<"arith.extsi", 38, 1>;
def : MicroOp<"arith.extui", 39, 1>;
def : MicroOp<"arith.trunci", 40, 1>;
def : MicroOp<"arith.sitofp", 41, 1>;
def : MicroOp<"arith.uitofp", 42, 1>;
def : MicroOp<"arith.fptosi", 43, 1>;
def : MicroOp<"arith.fptoui", 44, 1>;
def : MicroOp<"arith.bitcast", 45, 1>;
def : MicroOp<"arith.index_cast", 46, 1>;
def : MicroOp<"math.sqrt", 47, 1, 8>;
def : MicroOp<"math.rsqrt", 48, 1, 8>;
def : MicroOp<"math.exp", 49, 1, 8>;
def : MicroOp<"math.exp2", 50, 1, 8>;
def : MicroOp<"math.expm1", 51, 1, 8>;
def : MicroOp<"math.log", 52, 1, 8>;
def : MicroOp<"math.log2", 53, 1, 8>;
def : MicroOp<"math.log1p", 54, 1, 8>;
def : MicroOp<"math.powf", 55, 2, 16>;
def : MicroOp<"math.sin", 56, 1, 8>;
def : MicroOp<"math.cos", 57, 1, 8>;
def : MicroOp<"math.tan", 58, 1, 12>;
def : MicroOp<"math.asin", 59, 1, 12>;
def : MicroOp<"math.acos", 60, 1, 12>;
def : MicroOp<"math.atan", 61, 1, 12>;
def : MicroOp<"math.sinh", 62, 1, 12>;
def : MicroOp<"math.cosh", 63, 1, 12>;
def : MicroOp<"math.tanh", 64, 1, 8>;
def : MicroOp<"math.asinh", 65, 1, 12>;
def : MicroOp<"math.acosh", 66, 1, 12>;
def : MicroOp<"math.atanh", 67, 1, 12>;
def : MicroOp<"math.erf", 68, 1, 12>;
def : MicroOp<"math.floor", 69, 1>;
def : MicroOp<"math.ceil", 70, 1>;
def : MicroOp<"math.round", 71, 1>;
def : MicroOp<"math.roundeven", 72, 1>;
def : MicroOp<"math.trunc", 73, 1>;
def : MicroOp<"math.absf", 74, 1>;
def : MicroOp<"math.absi", 75, 1>;
def : MicroOp<"math.copysign", 76, 2>;
def : MicroOp<"math.fma", 77, 3>;
def : MicroOp<"math.isnan", 78, 1>;
def : MicroOp<"math.isinf", 79, 1>;

#endif // MHO_DIALECT_TILE_IR_TILEOPS
