// RUN: mho-opt %s -convert-graph-to-linalg -mlir-print-local-scope | FileCheck %s

// Maximum, powers, sum, quotient.
// CHECK-LABEL: func.func @softmax
// CHECK-COUNT-4: linalg.generic
// CHECK-NOT: linalg.generic
func.func @softmax(%x: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %y = graph.softmax %x {axes = array<i64: 1>} : tensor<2x8xf32>
  return %y : tensor<2x8xf32>
}

// The largest element, then the least index of one that equals it, or is NaN.
// CHECK-LABEL: func.func @arg_max
// CHECK: linalg.generic
// CHECK: arith.maximumf
// CHECK: linalg.generic
// CHECK-SAME: -> (d0)
// CHECK: linalg.index 1
// CHECK: arith.cmpf oeq
// CHECK: arith.cmpf uno
// CHECK: arith.select
// CHECK: arith.minsi
// CHECK: arith.extsi
func.func @arg_max(%x: tensor<2x8xf32>) -> tensor<2x1xi64> {
  %y = graph.arg_max %x {axis = 1 : i64, keepdims} : (tensor<2x8xf32>) -> tensor<2x1xi64>
  return %y : tensor<2x1xi64>
}

// Of equal elements the last one.
// CHECK-LABEL: func.func @last_arg_min
// CHECK: arith.minsi
// CHECK: arith.cmpi eq
// CHECK: arith.maxsi
func.func @last_arg_min(%x: tensor<2x8xi16>) -> tensor<2xi64> {
  %y = graph.arg_min %x {axis = 1 : i64, select_last_index} : (tensor<2x8xi16>) -> tensor<2xi64>
  return %y : tensor<2xi64>
}

// CHECK-LABEL: func.func @mean
// CHECK: arith.addf
// CHECK: arith.constant 1.600000e+01 : f32
// CHECK: arith.divf
func.func @mean(%x: tensor<2x8x2xf32>) -> tensor<2xf32> {
  %y = graph.reduce_mean %x {axes = array<i64: 1, 2>} : (tensor<2x8x2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// NumPy's rules: a batch of one on the left serves all on the right.
// CHECK-LABEL: func.func @matmul
// CHECK: linalg.generic {indexing_maps = [affine_map<(d0, d1, d2, d3) -> (0, d1, d3)>, affine_map<(d0, d1, d2, d3) -> (d0, d3, d2)>, affine_map<(d0, d1, d2, d3) -> (d0, d1, d2)>]
func.func @matmul(%a: tensor<1x2x3xf32>, %b: tensor<4x3x5xf32>) -> tensor<4x2x5xf32> {
  %y = graph.matmul %a, %b : (tensor<1x2x3xf32>, tensor<4x3x5xf32>) -> tensor<4x2x5xf32>
  return %y : tensor<4x2x5xf32>
}
