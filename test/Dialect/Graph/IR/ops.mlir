// RUN: mho-opt %s | mho-opt | FileCheck %s

// Every form of operand list survives a round trip.

// CHECK-LABEL: func.func @forms
func.func @forms(%x: tensor<1x4x8x8xf32>, %s: tensor<f32>, %z: tensor<i8>, %w: tensor<6x2x3x3xf32>, %m: tensor<2x3xf32>) -> tensor<1x6x4x4xf32> {
  // CHECK: graph.clip %arg0 high %arg1 : (tensor<1x4x8x8xf32>, tensor<f32>) -> tensor<1x4x8x8xf32>
  %0 = graph.clip %x high %s : (tensor<1x4x8x8xf32>, tensor<f32>) -> tensor<1x4x8x8xf32>
  // CHECK: graph.clip %{{.*}} low %arg1 high %arg1
  %1 = graph.clip %0 low %s high %s : (tensor<1x4x8x8xf32>, tensor<f32>, tensor<f32>) -> tensor<1x4x8x8xf32>
  // CHECK: graph.quantize_linear %{{.*}}, %arg1 zero %arg2 {axis = 0 : i64}
  %2 = graph.quantize_linear %1, %s zero %z {axis = 0 : i64} : (tensor<1x4x8x8xf32>, tensor<f32>, tensor<i8>) -> tensor<1x4x8x8xi8>
  // CHECK: graph.dequantize_linear %{{.*}}, %arg1 {axis = 0 : i64}
  %3 = graph.dequantize_linear %2, %s {axis = 0 : i64} : (tensor<1x4x8x8xi8>, tensor<f32>) -> tensor<1x4x8x8xf32>
  // CHECK: graph.gemm %arg4, %arg4 {alpha = 2.000000e+00 : f32, trans_b}
  %4 = graph.gemm %m, %m {alpha = 2.0 : f32, trans_b} : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x2xf32>
  // CHECK: graph.concat %{{.*}}, %{{.*}} axis 1
  %5 = graph.concat %4, %4 axis 1 : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x4xf32>
  // CHECK: graph.conv %{{.*}}, %arg3 {{{.*}}groups = 2 : i64
  %6 = graph.conv %3, %w {groups = 2 : i64, kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>, dilations = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>, tensor<6x2x3x3xf32>) -> tensor<1x6x4x4xf32>
  // CHECK: graph.unsupported "Foo"(%{{.*}}) because "no reason"
  %7 = graph.unsupported "Foo" (%5) because "no reason" : (tensor<2x4xf32>) -> tensor<*xf32>
  return %6 : tensor<1x6x4x4xf32>
}

// A constant may be held as the model stores it, under a shape of its own.

// CHECK-LABEL: func.func @stored
func.func @stored() -> tensor<2x4xf32> {
  // CHECK: arith.constant #graph.dequantized<dense<{{.*}}> : tensor<2x2x2xi8>, dense<{{.*}}> : tensor<2x2x1xf32>, zero = dense<1> : tensor<1x1x1xi8>> : tensor<2x4xf32>
  %w = arith.constant #graph.dequantized<dense<[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]> : tensor<2x2x2xi8>, dense<[[[0.5], [0.25]], [[2.0], [4.0]]]> : tensor<2x2x1xf32>, zero = dense<1> : tensor<1x1x1xi8>> : tensor<2x4xf32>
  return %w : tensor<2x4xf32>
}

// CHECK-LABEL: func.func @gates
func.func @gates(%x: tensor<2x3xf32>, %w: tensor<8x3xf32>) -> tensor<2x8xf32> {
  // CHECK: graph.gemm %arg0, %arg1 {gates = "iofc", trans_b}
  %y = graph.gemm %x, %w {trans_b, gates = "iofc"} : (tensor<2x3xf32>, tensor<8x3xf32>) -> tensor<2x8xf32>
  return %y : tensor<2x8xf32>
}
