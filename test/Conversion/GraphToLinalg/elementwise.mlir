// RUN: mho-opt %s -convert-graph-to-linalg -mlir-print-debuginfo -mlir-print-local-scope | FileCheck %s

// Operands broadcast through their maps, splat constants move into the body,
// and every op of the body has the node's location.

// CHECK-LABEL: func.func @broadcast
// CHECK: linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>, affine_map<(d0, d1) -> (0, d1)>, affine_map<(d0, d1) -> (d0, d1)>]
// CHECK-SAME: ins(%arg0, %arg1 : tensor<4x8xf32>, tensor<1x8xf32>)
// CHECK: arith.addf %{{.*}} : f32 loc("sum"("@Add"))
// CHECK: linalg.yield %{{.*}} : f32 loc("sum"("@Add"))
// CHECK: linalg.generic
// CHECK-SAME: ins(%{{[0-9]+}} : tensor<4x8xf32>)
// CHECK: %[[TWO:.*]] = arith.constant 2.000000e+00 : f32 loc("double"("@Mul"))
// CHECK: arith.mulf %{{.*}}, %[[TWO]]
func.func @broadcast(%a: tensor<4x8xf32>, %b: tensor<1x8xf32>) -> tensor<4x8xf32> {
  %two = arith.constant dense<2.0> : tensor<f32>
  %s = graph.add %a, %b : (tensor<4x8xf32>, tensor<1x8xf32>) -> tensor<4x8xf32> loc("sum"("@Add"))
  %y = graph.mul %s, %two : (tensor<4x8xf32>, tensor<f32>) -> tensor<4x8xf32> loc("double"("@Mul"))
  return %y : tensor<4x8xf32>
}

// NaN stays NaN.
// CHECK-LABEL: func.func @relu
// CHECK: arith.maximumf
func.func @relu(%a: tensor<4xf32>) -> tensor<4xf32> {
  %y = graph.relu %a : tensor<4xf32>
  return %y : tensor<4xf32>
}

// Unsigned elements become signless; the operations keep the sign.
// CHECK-LABEL: func.func @unsigned(
// CHECK-SAME: %arg0: tensor<4xi8> {mho.type = tensor<4xui8>}
// CHECK-SAME: -> (tensor<4xi32> {mho.type = tensor<4xui32>})
// CHECK: arith.divui
// CHECK: arith.extui %{{.*}} : i8 to i32
func.func @unsigned(%a: tensor<4xui8>) -> tensor<4xui32> {
  %d = arith.constant dense<3> : tensor<ui8>
  %q = graph.div %a, %d : (tensor<4xui8>, tensor<ui8>) -> tensor<4xui8>
  %y = graph.cast %q : tensor<4xui8> to tensor<4xui32>
  return %y : tensor<4xui32>
}

// Half precision is stored narrow and computed in f32.
// CHECK-LABEL: func.func @narrow
// CHECK: arith.extf %{{.*}} : f16 to f32
// CHECK: math.exp %{{.*}} : f32
// CHECK: arith.truncf %{{.*}} : f32 to f16
func.func @narrow(%a: tensor<4xf16>) -> tensor<4xf16> {
  %y = graph.exp %a : tensor<4xf16>
  return %y : tensor<4xf16>
}

// CHECK-LABEL: func.func @quantize
// CHECK: arith.divf
// CHECK: math.roundeven
// CHECK: arith.uitofp %{{.*}} : i8 to f32
// CHECK: arith.maximumf
// CHECK: arith.minimumf
// CHECK: arith.fptoui %{{.*}} : f32 to i8
func.func @quantize(%x: tensor<2x4xf32>, %s: tensor<4xf32>, %z: tensor<4xui8>) -> tensor<2x4xui8> {
  %y = graph.quantize_linear %x, %s zero %z {axis = 1 : i64} : (tensor<2x4xf32>, tensor<4xf32>, tensor<4xui8>) -> tensor<2x4xui8>
  return %y : tensor<2x4xui8>
}

// The slope tells on which side of x the other line is.
// CHECK-LABEL: func.func @leaky
// CHECK: arith.maximumf
// CHECK: arith.minimumf
// CHECK: arith.select
func.func @leaky(%a: tensor<4xf32>) -> tensor<4xf32> {
  %x = graph.leaky_relu %a {alpha = 1.000000e-01 : f32} : tensor<4xf32>
  %y = graph.leaky_relu %x {alpha = 2.000000e+00 : f32} : tensor<4xf32>
  %z = graph.leaky_relu %y {alpha = -1.000000e+00 : f32} : tensor<4xf32>
  return %z : tensor<4xf32>
}
