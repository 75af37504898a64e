// RUN: mho-opt %s -unit-pipeline -split-input-file | FileCheck %s

// The extent of an input is a slot; buffers and strides are those of the bound,
// loops run as far as the slot says.

// CHECK: tile.value input "input0" : tensor<2x512x4xf32> at 0 bytes 16384 {bound = ["", "512", ""], extent_slots = array<i32: -1, 0, -1>}
// CHECK: tile.value output "output0" : tensor<2x512x4xf32> {{.*}} {bound = ["", "512", ""], extent_slots = array<i32: -1, 0, -1>}
// CHECK-LABEL: tile.program @unit_0_main
// CHECK-SAME: slots [#tile.slot<0 to 512 initially 0>]
// CHECK-NEXT: tile.kernel [2, slot 0 max 512, 4] reads [#tile.access<f32 io at 0, [2048, 4, 1]>]
// CHECK: arith.negf
// CHECK: math.exp
func.func @unit_0_main(%arg0: tensor<2x512x4xf32>) -> tensor<2x512x4xf32> attributes {analog.unit = 0 : i32} {
  %n = graph.extent of 0 dim 1 at_most 512
  %x = tensor.extract_slice %arg0[0, 0, 0] [2, %n, 4] [1, 1, 1] : tensor<2x512x4xf32> to tensor<2x?x4xf32>
  %a = graph.neg %x : tensor<2x?x4xf32>
  %b = graph.exp %a : tensor<2x?x4xf32>
  %e = tensor.empty() : tensor<2x512x4xf32>
  %y = tensor.insert_slice %b into %e[0, 0, 0] [2, %n, 4] [1, 1, 1] : tensor<2x?x4xf32> into tensor<2x512x4xf32>
  graph.set_extent %n of 0 dim 1
  return %y : tensor<2x512x4xf32>
}

// -----

// Attention over a bounded sequence: reshapes to heads, transposes, products
// and sums, none with a buffer or a stride that is not fixed.

// CHECK-LABEL: tile.program @unit_0_main
// CHECK: tile.contract batch [2] rows [slot 0 max 64] columns [slot 0 max 64] inner [4]
// CHECK: max init
// CHECK: tile.contract batch [2] rows [slot 0 max 64] columns [4] inner [slot 0 max 64]
func.func @unit_0_main(%arg0: tensor<1x64x8xf32>) -> tensor<1x64x8xf32> attributes {analog.unit = 0 : i32} {
  %n = graph.extent of 0 dim 1 at_most 64
  %x = tensor.extract_slice %arg0[0, 0, 0] [1, %n, 8] [1, 1, 1] : tensor<1x64x8xf32> to tensor<1x?x8xf32>
  %h = graph.reshape %x : (tensor<1x?x8xf32>) -> tensor<1x?x2x4xf32>
  %q = graph.transpose %h [0, 2, 1, 3] : (tensor<1x?x2x4xf32>) -> tensor<1x2x?x4xf32>
  %k = graph.transpose %h [0, 2, 3, 1] : (tensor<1x?x2x4xf32>) -> tensor<1x2x4x?xf32>
  %s = graph.matmul %q, %k : (tensor<1x2x?x4xf32>, tensor<1x2x4x?xf32>) -> tensor<1x2x?x?xf32>
  %p = graph.softmax %s {axes = array<i64: 3>} : tensor<1x2x?x?xf32>
  %v = graph.matmul %p, %q : (tensor<1x2x?x?xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  %t = graph.transpose %v [0, 2, 1, 3] : (tensor<1x2x?x4xf32>) -> tensor<1x?x2x4xf32>
  %o = graph.reshape %t : (tensor<1x?x2x4xf32>) -> tensor<1x?x8xf32>
  %e = tensor.empty() : tensor<1x64x8xf32>
  %y = tensor.insert_slice %o into %e[0, 0, 0] [1, %n, 8] [1, 1, 1] : tensor<1x?x8xf32> into tensor<1x64x8xf32>
  graph.set_extent %n of 0 dim 1
  return %y : tensor<1x64x8xf32>
}

// -----

// Past and present joined: the second part begins where the first ends.

// CHECK-LABEL: tile.program @unit_0_main
// CHECK-SAME: slots [#tile.slot<0 to 16 initially 0>
// CHECK: [slot 0 max 16, 3]
// CHECK: slots [0 * 3]
func.func @unit_0_main(%past: tensor<16x3xf32>, %x: tensor<2x3xf32>) -> tensor<18x3xf32> attributes {analog.unit = 0 : i32} {
  %n = graph.extent of 0 dim 0 at_most 16
  %p = tensor.extract_slice %past[0, 0] [%n, 3] [1, 1] : tensor<16x3xf32> to tensor<?x3xf32>
  %c = graph.concat %p, %x axis 0 : (tensor<?x3xf32>, tensor<2x3xf32>) -> tensor<?x3xf32>
  %r = graph.relu %c : tensor<?x3xf32>
  %two = arith.constant 2 : index
  %m = arith.addi %n, %two : index
  %e = tensor.empty() : tensor<18x3xf32>
  %y = tensor.insert_slice %r into %e[0, 0] [%m, 3] [1, 1] : tensor<?x3xf32> into tensor<18x3xf32>
  graph.set_extent %m of 0 dim 0
  return %y : tensor<18x3xf32>
}
