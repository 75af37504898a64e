// RUN: mho-opt %s -convert-graph-to-linalg -mlir-print-local-scope | FileCheck %s

// Padding never wins a maximum: the border is filled with -infinity. The
// channel is the innermost loop where it is the innermost axis.

// CHECK-LABEL: func.func @max_pool
// CHECK: arith.constant 0xFF800000 : f32
// CHECK: linalg.fill
// CHECK: tensor.insert_slice %arg0 into %{{.*}}[0, 1, 0, 0] [1, 6, 6, 4] [1, 1, 1, 1]
// CHECK: linalg.generic
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1 * 2 + d3, d2 * 2 + d4, d5)>
// CHECK-SAME: "reduction", "reduction", "parallel"]
// CHECK: arith.maximumf
func.func @max_pool(%x: tensor<1x6x6x4xf32>) -> tensor<1x3x3x4xf32> {
  %y = graph.max_pool %x {kernel = array<i64: 3, 2>, strides = array<i64: 2, 2>, pads = array<i64: 1, 0, 0, 0>, dilations = array<i64: 1, 1>, channels_last} : (tensor<1x6x6x4xf32>) -> tensor<1x3x3x4xf32>
  return %y : tensor<1x3x3x4xf32>
}

// Windows at the border average over fewer elements: the counts are constants.
// CHECK-LABEL: func.func @average_pool
// CHECK: arith.constant dense<[2.000000e+00, 3.000000e+00, 2.000000e+00]> : tensor<3xf32>
// CHECK: arith.divf
func.func @average_pool(%x: tensor<1x4x3xf32>) -> tensor<1x4x3xf32> {
  %y = graph.average_pool %x {kernel = array<i64: 3>, strides = array<i64: 1>, pads = array<i64: 1, 1>, dilations = array<i64: 1>} : (tensor<1x4x3xf32>) -> tensor<1x4x3xf32>
  return %y : tensor<1x4x3xf32>
}

// Depthwise: group and output channel are parallel, the window is summed.
// CHECK-LABEL: func.func @depthwise
// CHECK: tensor.expand_shape %arg0 {{\[\[}}0], [1], [2, 3]] output_shape [1, 8, 4, 1]
// CHECK: linalg.generic
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1 + d2 * 2, d4, d3)>
// CHECK-SAME: iterator_types = ["parallel", "parallel", "reduction", "reduction", "parallel", "parallel"]
func.func @depthwise(%x: tensor<1x8x4xf32>, %w: tensor<4x1x3xf32>) -> tensor<1x4x4xf32> {
  %y = graph.conv %x, %w {kernel = array<i64: 3>, strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 2>, groups = 4 : i64, channels_last} : (tensor<1x8x4xf32>, tensor<4x1x3xf32>) -> tensor<1x4x4xf32>
  return %y : tensor<1x4x4xf32>
}

// Constant parameters become one factor and one summand per channel.
// CHECK-LABEL: func.func @batch_norm
// CHECK: arith.constant dense<[1.000000e+00, 2.000000e+00]>
// CHECK: arith.constant dense<[0.000000e+00, -2.000000e+00]>
// CHECK: arith.mulf
// CHECK: arith.addf
func.func @batch_norm(%x: tensor<1x2x3xf32>) -> tensor<1x2x3xf32> {
  %s = arith.constant dense<[2.0, 4.0]> : tensor<2xf32>
  %b = arith.constant dense<[2.0, 0.0]> : tensor<2xf32>
  %m = arith.constant dense<[2.0, 1.0]> : tensor<2xf32>
  %v = arith.constant dense<[4.0, 4.0]> : tensor<2xf32>
  %y = graph.batch_normalization %x, %s, %b, %m, %v {epsilon = 0.0 : f32} : (tensor<1x2x3xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x3xf32>
  return %y : tensor<1x2x3xf32>
}
