// RUN: mho-opt %s -split-input-file -convert-graph-to-analog=devices=2 -canonicalize | FileCheck %s

// A product with constant weights moves onto arrays; its bias becomes the shift.

// CHECK-LABEL: func.func @gemm
// CHECK: %[[BIAS:.*]] = arith.constant dense<{{.*}}1.000000e+00, 2.000000e+00{{.*}}> : tensor<2xf32>
// CHECK: analog.matmul %arg0, %{{.*}} shift %{{.*}} view <rows = [1] columns = [0] offsets = [0, 0] sizes = [2, 3]> <"differential" x 2>
// CHECK-NOT: graph.gemm
func.func @gemm(%x: tensor<4x3xf32>) -> tensor<4x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %c = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %y = graph.gemm %x, %w, %c {trans_b} : (tensor<4x3xf32>, tensor<2x3xf32>, tensor<2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

// BatchNormalization goes into the affine; the weights stay as they are.

// CHECK-LABEL: func.func @batch_norm
// CHECK-DAG: %[[W:.*]] = arith.constant dense<2.000000e+00> : tensor<2x1x1x1xf32>
// CHECK-DAG: %[[SCALE:.*]] = arith.constant dense<5.000000e-01> : tensor<2xf32>
// CHECK-DAG: %[[SHIFT:.*]] = arith.constant dense<2.500000e+00> : tensor<2xf32>
// CHECK: analog.matmul %arg0, %[[W]] scale %[[SCALE]] shift %[[SHIFT]]
// CHECK-NOT: graph.batch_normalization
func.func @batch_norm(%x: tensor<1x4x4x1xf32>) -> tensor<1x4x4x2xf32> {
  %w = arith.constant dense<2.0> : tensor<2x1x1x1xf32>
  %one = arith.constant dense<1.0> : tensor<2xf32>
  %three = arith.constant dense<3.0> : tensor<2xf32>
  %four = arith.constant dense<4.0> : tensor<2xf32>
  %y = graph.conv %x, %w {kernel = array<i64: 1, 1>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>, channels_last} : (tensor<1x4x4x1xf32>, tensor<2x1x1x1xf32>) -> tensor<1x4x4x2xf32>
  %z = graph.batch_normalization %y, %one, %three, %one, %four {epsilon = 0.0 : f32, channels_last} : (tensor<1x4x4x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x4x4x2xf32>
  return %z : tensor<1x4x4x2xf32>
}

// -----

// A product of two run-time tensors stays digital.

// CHECK-LABEL: func.func @dynamic
// CHECK: graph.matmul
func.func @dynamic(%a: tensor<2x3xf32>, %b: tensor<3x4xf32>) -> tensor<2x4xf32> {
  %y = graph.matmul %a, %b : (tensor<2x3xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

// In front of a product, BatchNormalization goes into the weights (times 0.5)
// and the shift (2 rows · weight 2 · 2.5 = 10).

// CHECK-LABEL: func.func @batch_norm_before
// CHECK-DAG: %[[W:.*]] = arith.constant dense_resource<normalized> : tensor<2x3xf32>
// CHECK-DAG: %[[SHIFT:.*]] = arith.constant dense<1.000000e+01> : tensor<3xf32>
// CHECK: analog.matmul %arg0, %[[W]] shift %[[SHIFT]]
// CHECK-NOT: graph.batch_normalization
func.func @batch_norm_before(%x: tensor<4x2xf32>) -> tensor<4x3xf32> {
  %w = arith.constant dense<2.0> : tensor<2x3xf32>
  %one = arith.constant dense<1.0> : tensor<2xf32>
  %three = arith.constant dense<3.0> : tensor<2xf32>
  %four = arith.constant dense<4.0> : tensor<2xf32>
  %n = graph.batch_normalization %x, %one, %three, %one, %four {epsilon = 0.0 : f32} : (tensor<4x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<4x2xf32>
  %y = graph.matmul %n, %w : (tensor<4x2xf32>, tensor<2x3xf32>) -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// -----

// Narrow floats go through f32; the weights stay narrow.

// CHECK-LABEL: func.func @half
// CHECK: %[[X:.*]] = graph.cast %arg0 : tensor<5x4xf16> to tensor<5x4xf32>
// CHECK: %[[Y:.*]] = analog.matmul %[[X]], %{{.*}} : (tensor<5x4xf32>, tensor<4x3xf16>) -> tensor<5x3xf32>
// CHECK: graph.cast %[[Y]] : tensor<5x3xf32> to tensor<5x3xf16>
func.func @half(%x: tensor<5x4xf16>) -> tensor<5x3xf16> {
  %w = arith.constant dense<2.0> : tensor<4x3xf16>
  %y = graph.matmul %x, %w : (tensor<5x4xf16>, tensor<4x3xf16>) -> tensor<5x3xf16>
  return %y : tensor<5x3xf16>
}

// -----

// One matrix under two biases is programmed once: the biases come behind.

// CHECK-LABEL: func.func @shared
// CHECK: %[[Y:.*]] = analog.matmul %arg0, %[[W:[a-z0-9_]+]] view
// CHECK: graph.add %[[Y]]
// CHECK: %[[Z:.*]] = analog.matmul %{{.*}}, %[[W]] view
// CHECK: graph.add %[[Z]]
func.func @shared(%x: tensor<5x4xf32>) -> tensor<5x4xf32> {
  %w = arith.constant dense<2.0> : tensor<4x4xf32>
  %b = arith.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32>
  %c = arith.constant dense<[5.0, 6.0, 7.0, 8.0]> : tensor<4xf32>
  %y = graph.gemm %x, %w, %b : (tensor<5x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<5x4xf32>
  %r = graph.relu %y : tensor<5x4xf32>
  %z = graph.gemm %r, %w, %c : (tensor<5x4xf32>, tensor<4x4xf32>, tensor<4xf32>) -> tensor<5x4xf32>
  return %z : tensor<5x4xf32>
}
