// The generator refuses what could not be encoded, at its place, all at once.
// RUN: not mho-tblgen -gen-isa-decls -I %source/include -I %llvm_include %s 2>&1 | FileCheck %s --implicit-check-not=error:

include "mho/Dialect/Tile/IR/TileBase.td"

// CHECK: [[# @LINE + 1]]:5: error: 'silent' has no opcode
def Silent : Tile_Instruction<"silent", ?> {
  let summary = "has no opcode";
}

def First : Tile_Instruction<"first", 1> {
  let summary = "is first";
}

// CHECK: [[# @LINE + 1]]:5: error: opcode 1 of 'second' belongs to 'first' already
def Second : Tile_Instruction<"second", 1> {
  let summary = "takes the opcode of another";
}

// CHECK: [[# @LINE + 1]]:5: error: mnemonic 'first' belongs to 'First' already
def Third : Tile_Instruction<"first", 3> {
  let summary = "takes the name of another";
}

// CHECK: [[# @LINE + 1]]:5: error: field 'where' is of the unknown kind 'StrAttr': expected a def of Tile_Field
def Fourth : Tile_Instruction<"fourth", 4> {
  let summary = "has a field of a kind that nothing encodes";
  let arguments = (ins StrAttr:$where);
}

// CHECK: [[# @LINE + 1]]:5: error: cannot read the access rule 'reads from along rows': expected
def Fifth : Tile_Instruction<"fifth", 5> {
  let summary = "walks dimensions that it does not have";
  let arguments = (ins Tile_Extents:$dims, Tile_Access:$from);
  let accesses = ["reads from along rows"];
}

// CHECK: [[# @LINE + 1]]:5: error: opcode 70000 of 'sixth' must lie in 1 to 65535
def Sixth : Tile_Instruction<"sixth", 70000> {
  let summary = "does not fit";
}

// CHECK: [[# @LINE + 1]]:5: error: 'seventh' needs a summary
def Seventh : Tile_Instruction<"seventh", 7>;

def : MicroOp<"arith.addf", 1, 2>;
// CHECK: [[# @LINE + 1]]:1: error: opcode 1 of 'arith.subf' belongs to 'arith.addf' already
def : MicroOp<"arith.subf", 1, 2>;
// CHECK: [[# @LINE + 1]]:1: error: micro-op 'arith.addf' is declared twice
def : MicroOp<"arith.addf", 2, 2>;
