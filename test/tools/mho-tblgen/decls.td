// An instruction becomes a struct, its visitors and its field checks.
// RUN: mho-tblgen -gen-isa-decls -I %source/include -I %llvm_include %s | FileCheck %s
// RUN: mho-tblgen -gen-isa-doc -I %source/include -I %llvm_include %s | FileCheck %s --check-prefix=DOC

include "mho/Dialect/Tile/IR/TileBase.td"

// CHECK: enum class Opcode : uint16_t {
// CHECK-NEXT: Halt = 1,
// CHECK-NEXT: MoveAll = 9,
// CHECK: enum class MicroOpcode : uint16_t {
// CHECK-NEXT: MathExp = 4,
// CHECK: struct MoveAll {
// CHECK-NEXT: static constexpr Opcode opcode = Opcode::MoveAll;
// CHECK-NEXT: std::vector<Extent> dims;
// CHECK-NEXT: Extent lastOne;
// CHECK-NEXT: Access from;
// CHECK-NEXT: bool fast = false;
// CHECK: using Instruction = std::variant<Halt, MoveAll>;
// CHECK: void forEachField(const MoveAll &op, Visitor &&visit) {
// CHECK-NEXT: visit("dims", op.dims);
// CHECK-NEXT: visit("last_one", op.lastOne);
// CHECK: void checkFields(const MoveAll &op, Checker &checker) {
// CHECK: checker.access("from", op.from, Direction::Read, replaceLast(join({op.dims}), op.lastOne));
// CHECK-NEXT: checker.flag("fast", op.fast);

// DOC: ### 9 `move_all`
// DOC: Moves everything.
// DOC: | `from` | Access | read along dims with last last_one |
// DOC: | 4 | `math.exp` | 1 | 8 |
def MoveAll : Tile_Instruction<"move_all", 9> {
  let summary = "moves everything";
  let arguments = (ins Tile_Extents:$dims, Tile_Extent:$last_one,
      Tile_Access:$from, Tile_Flag:$fast);
  let accesses = ["reads from along dims with last last_one"];
}

def Halt : Tile_Instruction<"halt", 1> {
  let summary = "stops";
}

def : MicroOp<"math.exp", 4, 1, 8>;
