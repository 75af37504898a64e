// RUN: mho-opt %s -unit-pipeline -split-input-file | FileCheck %s

// add and relu are one kernel; neighbouring dims are walked as one; the result
// goes to the io space without a copy.

// CHECK: tile.value input "x" : tensor<4x8xf32> at 0 bytes 128
// CHECK: tile.value output "y" : tensor<4x8xf32> at 128 bytes 128
// CHECK: tile.program @unit_0_main unit 0 entry "main" scratch 0 peak 0
// CHECK-NEXT: tile.kernel [32] reads [#tile.access<f32 io at 0, [1]>] writes [#tile.write<f32 io at 128, [1]>]
// CHECK: arith.addf
// CHECK: arith.maximumf
// CHECK: tile.end
func.func @unit_0_main(%x: tensor<4x8xf32> {mho.name = "x"}) -> (tensor<4x8xf32> {mho.name = "y"}) attributes {analog.unit = 0 : i32} {
  %a = graph.add %x, %x : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
  %y = graph.relu %a : tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// -----

// Micro-ops that convert floats to integers saturate: clamps at the bounds of
// the type are not needed, others are.

// CHECK: tile.kernel [8]
// CHECK: %[[ROUNDED:.*]] = math.roundeven
// CHECK-NEXT: arith.fptoui %[[ROUNDED]] : f32 to i8
// CHECK: tile.kernel [8]
// CHECK: %[[CLIPPED:.*]] = arith.minimumf
// CHECK-NEXT: arith.fptosi %[[CLIPPED]] : f32 to i32
func.func @unit_0_main(%x: tensor<8xf32>, %s: tensor<f32>) -> (tensor<8xui8>, tensor<8xi32>) attributes {analog.unit = 0 : i32} {
  %y = graph.quantize_linear %x, %s {axis = 0 : i64} : (tensor<8xf32>, tensor<f32>) -> tensor<8xui8>
  %six = arith.constant dense<6.0> : tensor<f32>
  %least = graph.min %x, %six : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %z = graph.cast %least : tensor<8xf32> to tensor<8xi32>
  return %y, %z : tensor<8xui8>, tensor<8xi32>
}

// -----

// Softmax: the accumulators start from immediates, the powers are replaced in
// place.

// CHECK: tile.kernel [2, 8] reads [{{.*}}] writes [#tile.write<f32 scratch at [[TOP:[0-9]+]], [1, 0], max init 0xFF800000>]
// CHECK: tile.kernel [2, 8]
// CHECK: math.exp
// CHECK: tile.kernel [2, 8] reads [{{.*}}] writes [#tile.write<f32 scratch at {{[0-9]+}}, [1, 0], add init 0.000000e+00>]
// CHECK: tile.kernel [2, 8]
// CHECK: arith.divf
func.func @unit_0_main(%x: tensor<2x8xf32>) -> tensor<2x8xf32> attributes {analog.unit = 0 : i32} {
  %y = graph.softmax %x {axes = array<i64: 1>} : tensor<2x8xf32>
  return %y : tensor<2x8xf32>
}

// -----

// What is no reduction of one operation is carried from element to element.

// CHECK: tile.kernel [3, 8] reads [#tile.access<f32 io at 0, [8, 1]>]
// CHECK-SAME: carry init 0xFF800000
// CHECK-SAME: carry init 0
// CHECK: tile.index 1
func.func @unit_0_main(%x: tensor<3x8xf32>) -> tensor<3xi64> attributes {analog.unit = 0 : i32} {
  %lowest = arith.constant 0xFF800000 : f32
  %zero = arith.constant 0 : i64
  %a = tensor.empty() : tensor<3xf32>
  %b = tensor.empty() : tensor<3xi64>
  %best = linalg.fill ins(%lowest : f32) outs(%a : tensor<3xf32>) -> tensor<3xf32>
  %place = linalg.fill ins(%zero : i64) outs(%b : tensor<3xi64>) -> tensor<3xi64>
  %y:2 = linalg.generic {
    indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i)>],
    iterator_types = ["parallel", "reduction"]
  } ins(%x : tensor<3x8xf32>) outs(%best, %place : tensor<3xf32>, tensor<3xi64>) {
  ^bb0(%element: f32, %top: f32, %index: i64):
    %wins = arith.cmpf ogt, %element, %top : f32
    %j = linalg.index 1 : index
    %here = arith.index_cast %j : index to i64
    %value = arith.select %wins, %element, %top : f32
    %next = arith.select %wins, %here, %index : i64
    linalg.yield %value, %next : f32, i64
  } -> (tensor<3xf32>, tensor<3xi64>)
  return %y#1 : tensor<3xi64>
}

// -----

// CHECK: tile.contract batch [] rows [4] columns [6] inner [5]
// CHECK-SAME: lhs <f32 io at 0, [5, 0, 1]> rhs <f32 io at 128, [0, 1, 6]>
// CHECK-NOT: accumulate
func.func @unit_0_main(%a: tensor<4x5xf32>, %b: tensor<5x6xf32>) -> tensor<4x6xf32> attributes {analog.unit = 0 : i32} {
  %y = graph.matmul %a, %b : (tensor<4x5xf32>, tensor<5x6xf32>) -> tensor<4x6xf32>
  return %y : tensor<4x6xf32>
}

// -----

// A computed index is a checked load from a table.

// CHECK: tile.load <f32 io at 0, [3, 1], sizes [4, 3]>
func.func @unit_0_main(%x: tensor<4x3xf32>, %i: tensor<2xi64>) -> tensor<2x3xf32> attributes {analog.unit = 0 : i32} {
  %y = graph.gather %x, %i axis 0 : (tensor<4x3xf32>, tensor<2xi64>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// -----

// Parts of a concatenation are computed where they belong; the one that is an
// input is copied. Digital constants lie in the constant space.

// CHECK: tile.constant @[[C:.*]] at 0 = dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
// CHECK: tile.kernel [4, 2] reads [{{.*}}#tile.access<f32 const at 0, [0, 1]>{{.*}}] writes [#tile.write<f32 io at [[Y:[0-9]+]], [4, 1]>]
// CHECK: tile.copy [4, 2] from <f32 io at 0, [2, 1]> to <f32 io at {{[0-9]+}}, [4, 1]>
func.func @unit_0_main(%x: tensor<4x2xf32>) -> tensor<4x4xf32> attributes {analog.unit = 0 : i32} {
  %c = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %a = graph.add %x, %c : (tensor<4x2xf32>, tensor<2xf32>) -> tensor<4x2xf32>
  %y = graph.concat %a, %x axis 1 : (tensor<4x2xf32>, tensor<4x2xf32>) -> tensor<4x4xf32>
  return %y : tensor<4x4xf32>
}

// -----

// An unsigned minimum stays unsigned in memory.

// CHECK: tile.write<u8 io at {{[0-9]+}}, [1, 0], min init
func.func @unit_0_main(%x: tensor<2x8xui8>) -> tensor<2xui8> attributes {analog.unit = 0 : i32} {
  %y = graph.reduce_min %x {axes = array<i64: 1>} : (tensor<2x8xui8>) -> tensor<2xui8>
  return %y : tensor<2xui8>
}

// -----

// Only the border is filled, not what the image covers, and a transposition
// does not take arithmetic with it: it moves whole lines.

// CHECK: tile.kernel [544] reads [] writes [#tile.write<f32 scratch at 0, [1]>]
// CHECK: tile.kernel [32, 16] reads [] writes [#tile.write<f32 scratch at 2176, [544, 1]>]
// CHECK: tile.kernel [32, 33, 16] reads [#tile.access<f32 io at 0, [33, 1, 1056]>] writes [#tile.write<f32 scratch at 2240, [544, 16, 1]>]
// CHECK-NEXT: ^bb0
// CHECK-NEXT: tile.yield
// CHECK: tile.kernel [32, 33, 2, 2, 16]
// CHECK: tile.kernel [16896] reads [#tile.access<f32 scratch at [[Y:[0-9]+]], [1]>] writes [#tile.write<f32 scratch at [[Y]], [1]>]
// CHECK: math.exp
// CHECK: tile.kernel [16, 1056] reads [#tile.access<f32 scratch at [[Y]], [1, 16]>] writes [#tile.write<f32 io at {{[0-9]+}}, [1056, 1]>]
// CHECK-NEXT: ^bb0
// CHECK-NEXT: tile.yield
func.func @unit_0_main(%x: tensor<1x16x32x33xf32>) -> tensor<1x16x32x33xf32> attributes {analog.unit = 0 : i32} {
  %l = graph.transpose %x [0, 2, 3, 1] : (tensor<1x16x32x33xf32>) -> tensor<1x32x33x16xf32>
  %p = graph.max_pool %l {kernel = array<i64: 2, 2>, strides = array<i64: 1, 1>, pads = array<i64: 1, 1, 0, 0>, dilations = array<i64: 1, 1>, channels_last} : (tensor<1x32x33x16xf32>) -> tensor<1x32x33x16xf32>
  %e = graph.exp %p : tensor<1x32x33x16xf32>
  %y = graph.transpose %e [0, 3, 1, 2] : (tensor<1x32x33x16xf32>) -> tensor<1x16x32x33xf32>
  return %y : tensor<1x16x32x33xf32>
}
