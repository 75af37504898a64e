// Two programs that differ in one constant and one instruction.
// RUN: mho-translate --tile-to-mho %s -o %t.a.mho
// RUN: sed -e 's/dense<1.0>/dense<2.0>/' -e 's/tile.copy \[4\]/tile.copy [3]/' %s | mho-translate --tile-to-mho -o %t.b.mho
// RUN: not mho-objdump --diff=%t.b.mho %t.a.mho | FileCheck %s

// CHECK: @@ instructions
// CHECK-NEXT: -{{.*}}tile.copy [4]
// CHECK-NEXT: +{{.*}}tile.copy [3]
// CHECK-NEXT: @@ constants differ

module attributes {analog.chip = "ideal", analog.units = [{index = 0, kind = "unit"}]} {
  tile.constant @c at 0 = dense<1.0> : tensor<4xf32>
  tile.program @u unit 0 entry "main" scratch 64 peak 64 slots [] {
    tile.copy [4] from <f32 const at 0, [1]> to <f32 scratch at 0, [1]>
    tile.end
  }
}
