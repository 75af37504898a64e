// Every op of the dialect reads back what it prints, in both forms.
// RUN: mho-opt %s | mho-opt | FileCheck %s
// RUN: mho-opt --mlir-print-op-generic %s | mho-opt | FileCheck %s

module {
  // CHECK: tile.value input "x" : tensor<1x8xf32> at 0 bytes 32
  tile.value input "x" : tensor<1x8xf32> at 0 bytes 32
  // CHECK: tile.value output "y" : tensor<2x4xui8> at 64 bytes 8 {declared = ["N", "4"], extent_slots = array<i32: 0, -1>}
  tile.value output "y" : tensor<2x4xui8> at 64 bytes 8 {declared = ["N", "4"], extent_slots = array<i32: 0, -1>}
  // CHECK: tile.constant @c at 64 = dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
  tile.constant @c at 64 = dense<[1.0, 2.0]> : tensor<2xf32>

  // CHECK: tile.program @unit_0 unit 0 entry "main" scratch 4096 peak 1024 slots [#tile.slot<0 to 8 initially 0>, #tile.slot<0 to 1 initially 1>] {
  tile.program @unit_0 unit 0 entry "main" scratch 4096 peak 1024 slots [#tile.slot<0 to 8 initially 0>, #tile.slot<0 to 1 initially 1>] {
    // An image's patches, with padding, from row 64 on.
    // CHECK: tile.mvm array 2 counts [8, 8] inner [3, 3, 16] first_row 64 from <f32 scratch at -1088, [128, 16, 128, 16, 1], valid [-1 + [1, 0, 1, 0, 0] in 8, -1 + [0, 1, 0, 1, 0] in 8]> to <f32 io at 0, [256, 32, 1]> accumulate shift
    tile.mvm array 2 counts [8, 8] inner [3, 3, 16] first_row 64 from <f32 scratch at -1088, [128, 16, 128, 16, 1], valid [-1 + [1, 0, 1, 0, 0] in 8, -1 + [0, 1, 0, 1, 0] in 8]> to <f32 io at 0, [256, 32, 1]> accumulate shift

    // CHECK: tile.kernel [8, slot 0 max 128] reads [#tile.access<f32 scratch at 64, [128, 1]>, #tile.access<u8 const at 0, [0, 1], slots [0 * 128]>] writes [#tile.write<f32 scratch at 64, [128, 1]>, #tile.write<f32 scratch at 0, [1, 0], add init 0.000000e+00>, #tile.write<i64 slot at 0, [0, 0], carry from memory>] {
    tile.kernel [8, slot 0 max 128]
      reads [#tile.access<f32 scratch at 64, [128, 1]>, #tile.access<u8 const at 0, [0, 1], slots [0 * 128]>]
      writes [#tile.write<f32 scratch at 64, [128, 1]>, #tile.write<f32 scratch at 0, [1, 0], add init 0.0>, #tile.write<i64 slot at 0, [0, 0], carry from memory>] {
    ^bb0(%x: f32, %byte: i8, %last: i64):
      %i = tile.index 1 : index
      // CHECK: tile.load <f32 const at 128, [4, 1], sizes [3, 4]>[%{{.*}}, %{{.*}}] : (index, i64) -> f32
      %t = tile.load <f32 const at 128, [4, 1], sizes [3, 4]>[%i, %last] : (index, i64) -> f32
      %y = arith.mulf %x, %t : f32
      // CHECK: tile.yield %{{.*}}, %{{.*}}, %{{.*}} : f32, f32, i64
      tile.yield %y, %y, %last : f32, f32, i64
    }

    // CHECK: tile.contract batch [2] rows [3] columns [4] inner [5] lhs <f32 scratch at 0, [15, 5, 0, 1]> rhs <f32 const at 0, [0, 0, 5, 1]> to <f32 scratch at 256, [12, 4, 1, 0]>
    tile.contract batch [2] rows [3] columns [4] inner [5] lhs <f32 scratch at 0, [15, 5, 0, 1]> rhs <f32 const at 0, [0, 0, 5, 1]> to <f32 scratch at 256, [12, 4, 1, 0]>
    // CHECK: tile.copy [4] from <f16 io at 0, [1]> to <f16 scratch at 2, [2]>
    tile.copy [4] from <f16 io at 0, [1]> to <f16 scratch at 2, [2]>
    // CHECK: tile.send 0 [4] from <bool scratch at 0, [1]>
    tile.send 0 [4] from <bool scratch at 0, [1]>
    // CHECK: tile.recv 1 [] to <i64 slot at 8, []>
    tile.recv 1 [] to <i64 slot at 8, []>
    // CHECK: tile.loop slot 0 max 8 index 0 while 1 {
    // CHECK-NEXT: tile.branch if 1 {
    // CHECK-NEXT: tile.copy
    // CHECK-NEXT: } else {
    // CHECK-NEXT: }
    // CHECK-NEXT: }
    tile.loop slot 0 max 8 index 0 while 1 {
      tile.branch if 1 {
        tile.copy [1] from <i32 scratch at 0, [1]> to <i32 scratch at 4, [1]>
      } else {
      }
    }
    // CHECK: tile.sort [2, 8] first 3 from <f32 scratch at 0, [8, 1]> values <f32 scratch at 64, [3, 1]> indices <i64 scratch at 128, [3, 1]> largest
    tile.sort [2, 8] first 3 from <f32 scratch at 0, [8, 1]> values <f32 scratch at 64, [3, 1]> indices <i64 scratch at 128, [3, 1]> largest
    // CHECK: tile.scatter add [4] indices [#tile.access<i64 scratch at 0, [1]>] sizes [16] strides [1] from <f32 scratch at 64, [1]> to <f32 scratch at 128, [0]>
    tile.scatter add [4] indices [#tile.access<i64 scratch at 0, [1]>] sizes [16] strides [1] from <f32 scratch at 64, [1]> to <f32 scratch at 128, [0]>
    // CHECK: tile.compact [8] from <bool scratch at 0, [1]> indices <i64 scratch at 64, [1]> count 0
    tile.compact [8] from <bool scratch at 0, [1]> indices <i64 scratch at 64, [1]> count 0
    // CHECK: tile.end
    tile.end
  }
}
