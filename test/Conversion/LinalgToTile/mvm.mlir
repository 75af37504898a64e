// RUN: mho-opt %s -unit-pipeline | FileCheck %s

module attributes {analog.units = [{kind = "host", index = 0 : i32}, {kind = "core", index = 0 : i32}], analog.channels = array<i32: 0, 1, 1, 0>} {

// 27×20 in two row and two column blocks.
analog.bank @conv {weights = dense<1.0> : tensor<20x3x3x3xf32>, view = #analog.view<rows = [2, 3, 1] columns = [0] offsets = [0, 0, 0, 0] sizes = [20, 3, 3, 3]>, encoding = #analog.encoding<"differential" x 2>, row_splits = array<i64: 0, 14, 27>, col_splits = array<i64: 0, 12, 20>, places = array<i32: 1, 5, 0, 1, 6, 0, 1, 7, 0, 1, 8, 0>}
analog.bank @fc {weights = dense<1.0> : tensor<8x4xf32>, view = #analog.view<rows = [0] columns = [1] offsets = [0, 0] sizes = [8, 4]>, encoding = #analog.encoding<"differential" x 2>, row_splits = array<i64: 0, 4, 8>, col_splits = array<i64: 0, 4>, places = array<i32: 1, 0, 0, 1, 1, 0>}

func.func @unit_0_main(%x: tensor<1x8x8x3xf32>) -> tensor<1x4x4x20xf32> attributes {analog.unit = 0 : i32} {
  analog.send 0, %x : tensor<1x8x8x3xf32>
  %e = tensor.empty() : tensor<1x4x4x20xf32>
  %y = analog.recv 1 outs(%e : tensor<1x4x4x20xf32>) -> tensor<1x4x4x20xf32>
  return %y : tensor<1x4x4x20xf32>
}

// What is received or sent lies where it is used: no copies. The window turns
// into strides; outside the image the read is 0. The first row block of a
// column stores, the other adds; one of them shifts.

// CHECK-LABEL: tile.program @unit_0_main
// CHECK-NEXT: tile.send 0 [192] from <f32 io at 0, [1]>
// CHECK-NEXT: tile.recv 1 [320] to <f32 io at 768, [1]>
// CHECK-NEXT: tile.end
// CHECK-LABEL: tile.program @unit_1_main
// CHECK-NEXT: tile.recv 0 [192] to <f32 scratch at [[X:[0-9]+]], [1]>
// CHECK-NEXT: tile.mvm array 5 counts [4, 4] inner [3, 3, 3] first_row 0
// CHECK-SAME: [48, 6, 24, 3, 1], valid [-1 + [2, 0, 1, 0, 0] in 8, -1 + [0, 2, 0, 1, 0] in 8]> to <f32 scratch at [[Y:[0-9]+]], [80, 20, 1]> shift
// CHECK-NEXT: tile.mvm array 7 counts [4, 4] inner [3, 3, 3] first_row 14
// CHECK-SAME: to <f32 scratch at [[Y]], [80, 20, 1]> accumulate
// CHECK-NEXT: tile.mvm array 6 counts [4, 4] inner [3, 3, 3] first_row 0
// CHECK-SAME: shift
// CHECK-NEXT: tile.mvm array 8
// CHECK-SAME: accumulate
// CHECK-NEXT: tile.send 1 [320] from <f32 scratch at [[Y]], [1]>
// CHECK-NEXT: tile.end
func.func @unit_1_main() attributes {analog.unit = 1 : i32} {
  %e = tensor.empty() : tensor<1x8x8x3xf32>
  %x = analog.recv 0 outs(%e : tensor<1x8x8x3xf32>) -> tensor<1x8x8x3xf32>
  %o = tensor.empty() : tensor<1x4x4x20xf32>
  %y = analog.mvm @conv rows [0, 2] columns [0, 2] window #analog.window<kernel = [3, 3] strides = [2, 2] dilations = [1, 1] pads = [1, 1, 0, 0]> ins(%x : tensor<1x8x8x3xf32>) outs(%o : tensor<1x4x4x20xf32>) {shift} -> tensor<1x4x4x20xf32>
  analog.send 1, %y : tensor<1x4x4x20xf32>
  return
}

// The second row block alone: its input holds only its own rows.
// CHECK-LABEL: tile.program @unit_1_second
// CHECK: tile.mvm array 1 counts [2] inner [4] first_row 0 from <f32 io at 0, [4, 1]> to <f32 io at 64, [4, 1]>
// CHECK-NOT: shift
func.func @unit_1_second(%x: tensor<2x4xf32>) -> tensor<2x4xf32> attributes {analog.unit = 1 : i32} {
  %o = tensor.empty() : tensor<2x4xf32>
  %y = analog.mvm @fc rows [1, 2] columns [0, 1] ins(%x : tensor<2x4xf32>) outs(%o : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}
}
