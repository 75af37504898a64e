// RUN: mho-opt %s -convert-graph-to-linalg -mlir-print-local-scope | FileCheck %s

// Narrow floats are computed in f32 and rounded once.
// CHECK-LABEL: func.func @half
// CHECK: arith.extf %{{.*}} : f16 to f32
// CHECK: math.asinh %{{.*}} : f32
// CHECK: arith.truncf %{{.*}} : f32 to f16
func.func @half(%x: tensor<3xf16>) -> tensor<3xf16> {
  %y = graph.asinh %x : tensor<3xf16>
  return %y : tensor<3xf16>
}

// Signedness decides what a shift brings in, and what a remainder is.
// CHECK-LABEL: func.func @signs
// CHECK: arith.shrsi
// CHECK: arith.shrui
// CHECK: arith.remui
// CHECK: arith.remsi
// CHECK: arith.xori
func.func @signs(%a: tensor<3xi8>, %b: tensor<3xui8>) -> (tensor<3xi8>, tensor<3xui8>, tensor<3xui8>, tensor<3xi8>) {
  %w = graph.shift_right %a, %a : (tensor<3xi8>, tensor<3xi8>) -> tensor<3xi8>
  %x = graph.shift_right %b, %b : (tensor<3xui8>, tensor<3xui8>) -> tensor<3xui8>
  %y = graph.mod %b, %b : (tensor<3xui8>, tensor<3xui8>) -> tensor<3xui8>
  %z = graph.mod %a, %a : (tensor<3xi8>, tensor<3xi8>) -> tensor<3xi8>
  return %w, %x, %y, %z : tensor<3xi8>, tensor<3xui8>, tensor<3xui8>, tensor<3xi8>
}

// A scan carries a value that lacks the axis, beside a result that has it.
// CHECK-LABEL: func.func @scan
// CHECK: linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "reduction"]}
// CHECK: %[[AFTER:.*]] = arith.addf %[[BEFORE:.*]], %{{.*}} : f32
// CHECK: linalg.yield %[[AFTER]], %[[AFTER]]
func.func @scan(%x: tensor<2x8xf32>) -> tensor<2x8xf32> {
  %y = graph.cum_sum %x {axis = 1 : i64} : tensor<2x8xf32>
  return %y : tensor<2x8xf32>
}

// Backwards both maps count down; exclusive the value before is given.
// CHECK-LABEL: func.func @scan_back
// CHECK: linalg.generic {indexing_maps = [affine_map<(d0) -> (-d0 + 7)>, affine_map<(d0) -> ()>, affine_map<(d0) -> (d0)>]
// CHECK: ^bb0(%{{.*}}: i32, %[[BEFORE:.*]]: i32, %{{.*}}: i32):
// CHECK: arith.muli
// CHECK: linalg.yield %{{.*}}, %[[BEFORE]]
// CHECK: linalg.generic {indexing_maps = [affine_map<(d0) -> (-d0 + 7)>, affine_map<(d0) -> (d0)>]
func.func @scan_back(%x: tensor<8xi32>) -> tensor<8xi32> {
  %y = graph.cum_prod %x {axis = 0 : i64, exclusive, reverse} : tensor<8xi32>
  return %y : tensor<8xi32>
}

// A NaN is the least element, wherever it stands.
// CHECK-LABEL: func.func @arg_min
// CHECK: arith.minimumf
// CHECK: arith.cmpf oeq
// CHECK: arith.cmpf uno
func.func @arg_min(%x: tensor<2x8xf32>) -> tensor<2xi64> {
  %y = graph.arg_min %x {axis = 1 : i64} : (tensor<2x8xf32>) -> tensor<2xi64>
  return %y : tensor<2xi64>
}
