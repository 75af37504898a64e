//===- TileBase.td - what instructions are made of --------*- tablegen -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The tile dialect, the kinds of fields an instruction may have, and the
// records that mho-tblgen reads: Tile_Instruction and MicroOp.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_TILE_IR_TILEBASE
#define MHO_DIALECT_TILE_IR_TILEBASE

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"

def Tile_Dialect : Dialect {
  let name = "tile";
  let cppNamespace = "::mho::tile";
  let summary = "the instruction set as MLIR ops";
  let description = [{
    Not an abstraction over the chip but its program, written down: one op is
    one instruction, every address is final, and an op has neither operands nor
    results, since values live in memory. `tile.program` is one unit's stream;
    `tile.value` and `tile.constant` say what lies where in the io and constant
    spaces. Printing a program is disassembling it.
  }];
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect"];
}

//===----------------------------------------------------------------------===//
// Fields of instructions
//===----------------------------------------------------------------------===//

// What mho-tblgen must know of an instruction's argument or region: the type
// of the struct's member, the function of the verifier's checker that the
// member is shown to, and how it is encoded. Conversion between the member and
// the MLIR attribute is an overload per member type in InstructionFields.h.
class Tile_Field<string type, string checkedBy, string encodedAs> {
  string isaType = type;
  string checker = checkedBy;
  string encoding = encodedAs;
}

def Tile_ArrayIndex : ConfinedAttr<I32Attr, [IntNonNegative]>,
    Tile_Field<"uint32_t", "arrayIndex", "varint"> {
  let summary = "number of an array in the unit's table";
}
def Tile_ChannelIndex : ConfinedAttr<I32Attr, [IntNonNegative]>,
    Tile_Field<"uint32_t", "channelIndex", "varint"> {
  let summary = "number of a channel in the unit's table";
}
def Tile_SlotIndex : ConfinedAttr<I32Attr, [IntNonNegative]>,
    Tile_Field<"uint32_t", "slotIndex", "varint"> {
  let summary = "number of a scalar slot of the unit";
}
def Tile_OptionalSlot : OptionalAttr<ConfinedAttr<I32Attr, [IntNonNegative]>>,
    Tile_Field<"int32_t", "optionalSlot", "varint of number + 1, 0 for none"> {
  let summary = "number of a scalar slot, or none";
}
def Tile_U64 : ConfinedAttr<I64Attr, [IntNonNegative]>,
    Tile_Field<"uint64_t", "number", "varint"> {
  let summary = "a number";
}
def Tile_Flag : Attr<UnitAttr.predicate, "yes or no">,
    Tile_Field<"bool", "flag", "one byte, 0 or 1"> {
  let storageType = UnitAttr.storageType;
  let constBuilderCall = UnitAttr.constBuilderCall;
  let convertFromStorage = UnitAttr.convertFromStorage;
  let returnType = UnitAttr.returnType;
  let defaultValue = UnitAttr.defaultValue;
  let valueType = NoneType;
  let isOptional = 1;
  let baseAttr = UnitAttr;
}
def Tile_Strides : DenseArrayAttrBase<"DenseI64ArrayAttr", "int64_t", "i64">,
    Tile_Field<"std::vector<int64_t>", "strides", "list of zigzag varints"> {
  let summary = "strides in elements";
}

// An attribute around the value of an instruction's field.
class Tile_FieldAttr<string name, string attrMnemonic, string memberType>
    : AttrDef<Tile_Dialect, name> {
  let mnemonic = attrMnemonic;
  let parameters = (ins AttrParameter<memberType, "the field's value",
                                      "const " # memberType # " &">:$value);
  let hasCustomAssemblyFormat = 1;
}

def Tile_Extent : Tile_FieldAttr<"Extent", "extent", "::mho::isa::Extent">,
    Tile_Field<"Extent", "extent",
      "varint of slot + 1 (0 for none), then zigzag varint of max"> {
  let summary = "how far a loop runs: `8`, or `slot 3 max 8`";
  let builders = [AttrBuilder<(ins "int64_t":$max), [{
    return $_get($_ctxt, ::mho::isa::Extent{max, ::mho::isa::kNoSlot});
  }]>];
}

def Tile_Extents : AttrDef<Tile_Dialect, "Extents">,
    Tile_Field<"std::vector<Extent>", "extents", "list of extents"> {
  let mnemonic = "extents";
  let parameters = (ins ArrayRefParameter<"::mho::isa::Extent">:$value);
  let hasCustomAssemblyFormat = 1;
  let summary = "the extents of a loop nest: `[8, 128, slot 3 max 384]`";
  let builders = [AttrBuilder<(ins "::llvm::ArrayRef<int64_t>":$extents), [{
    ::std::vector<::mho::isa::Extent> values;
    for (int64_t extent : extents)
      values.push_back({extent, ::mho::isa::kNoSlot});
    return $_get($_ctxt, values);
  }]>];
}

def Tile_Access : Tile_FieldAttr<"Access", "access", "::mho::isa::Access">,
    Tile_Field<"Access", "access",
      "type byte; space byte with flags 0x10 slots, 0x20 valid ranges, 0x40 "
      "fill; zigzag varint of offset; list of strides; what the flags name"> {
  let summary = "an affine address: `<f32 scratch at 64, [128, 1]>`";
  let description = [{
    Type and space of the element, byte offset in the space, a stride in
    elements per loop dimension. Then, where there are any: run-time terms
    `slots [3 * 128]` (slot times stride), ranges outside which a read gives
    the fill value `valid [-1 + [2, 0, 1] in 32]` (offset, a coefficient per
    dimension, size), and `fill 0.5`.
  }];
  let builders = [AttrBuilder<(ins "::mho::isa::Type":$type,
      "::mho::isa::Space":$space, "int64_t":$offset,
      "::llvm::ArrayRef<int64_t>":$strides), [{
    ::mho::isa::Access access;
    access.type = type;
    access.space = space;
    access.offset = offset;
    access.strides.assign(strides.begin(), strides.end());
    return $_get($_ctxt, access);
  }]>];
}

def Tile_Accesses : TypedArrayAttrBase<Tile_Access, "accesses, in order">,
    Tile_Field<"std::vector<Access>", "accesses", "list of accesses">;

def Tile_Write : Tile_FieldAttr<"Write", "write", "::mho::isa::Write"> {
  let summary = "where a kernel's result goes: `<f32 scratch at 0, [1, 0], add init 0>`";
  let description = [{
    An access followed, unless the result is just stored, by how it meets
    memory: `add`, `mul`, `min`, `max`, `and`, `or`, `xor` or `carry`, each with
    `init` and the first value, or `from memory`.
  }];
}

def Tile_Writes : TypedArrayAttrBase<Tile_Write, "accesses with how each result meets memory">,
    Tile_Field<"std::vector<Write>", "writes",
      "list of: access, kind byte, flag byte (from memory), varint of init">;

def Tile_CombineKind
    : Tile_FieldAttr<"Combine", "combine", "::mho::isa::WriteKind">,
    Tile_Field<"WriteKind", "combineKind", "one byte"> {
  let summary = "how updates meet memory: `store`, `add`, …";
}

def Tile_Table : Tile_FieldAttr<"Table", "table", "::mho::isa::Table"> {
  let summary = "memory read by computed indices: `<i8 const at 0, [4, 1], sizes [3, 4]>`";
}

def Tile_Slot : AttrDef<Tile_Dialect, "Slot"> {
  let mnemonic = "slot";
  let summary = "a scalar slot's declared range and first value";
  let parameters = (ins "int64_t":$min, "int64_t":$max, "int64_t":$initial);
  let assemblyFormat = "`<` $min `to` $max `initially` $initial `>`";
}

def Tile_KernelBody : SizedRegion<1>,
    Tile_Field<"KernelBody", "kernelBody",
      "list of micro-ops (varint number, type byte, varint immediate, list of "
      "registers); list of yielded registers; list of tables (access, sizes)"> {
  let summary = "a register program";
}
def Tile_Body : Region<CPred<"true">, "instructions">,
    Tile_Field<"Body", "body",
      "varint: how many of the instructions that follow belong to it"> {
  let summary = "a list of instructions";
}

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

class Tile_Op<string mnemonic, list<Trait> traits = []>
    : Op<Tile_Dialect, mnemonic, traits>;

class Tile_Instruction<string mnemonic, int number, list<Trait> traits = []>
    : Tile_Op<mnemonic, traits> {
  // Written into the stream; never reused.
  int opcode = number;
  // For the verifier, one line per access: "reads input along counts, inner".
  // Dimensions are names of extents fields in order; `dims with last count`
  // replaces the last extent, `columns(array)` is the columns of an array.
  // Accesses that no line names are checked by hand.
  list<string> accesses = [];
}

// A scalar operation that a kernel's body may hold. Operand count -1 is any.
class MicroOp<string mlirName, int number, int operandCount, int laneCost = 1> {
  string name = mlirName;
  int opcode = number;
  int operands = operandCount;
  int cost = laneCost;
}

#endif // MHO_DIALECT_TILE_IR_TILEBASE
