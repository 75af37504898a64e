// RUN: mho-opt %s | mho-opt | FileCheck %s

// Every op of the dialect survives printing and parsing.

// CHECK: analog.bank @fc
// CHECK-SAME: places = array<i32: 0, 0, 0>
analog.bank @fc {
  weights = dense<1.0> : tensor<4x3xf32>,
  view = #analog.view<rows = [0] columns = [1] offsets = [0, 0] sizes = [4, 3]>,
  encoding = #analog.encoding<"differential" x 2>,
  row_splits = array<i64: 0, 4>, col_splits = array<i64: 0, 3>,
  places = array<i32: 0, 0, 0>
}

// CHECK-LABEL: func.func @logical
func.func @logical(%x: tensor<1x8x8x16xf32>) -> tensor<1x8x8x32xf32> {
  %w = arith.constant dense_resource<w> : tensor<32x16x3x3xf32>
  %b = arith.constant dense<0.5> : tensor<32xf32>
  // CHECK: analog.matmul %{{.*}}, %{{.*}} shift %{{.*}} view <rows = [2, 3, 1] columns = [0]
  // CHECK-SAME: window <kernel = [3, 3]
  %y = analog.matmul %x, %w shift %b
    view <rows = [2, 3, 1] columns = [0] offsets = [0, 0, 0, 0] sizes = [32, 16, 3, 3]>
    window <kernel = [3, 3] strides = [1, 1] dilations = [1, 1] pads = [1, 1, 1, 1]>
    <"differential" x 2> {sym = "conv"}
    : (tensor<1x8x8x16xf32>, tensor<32x16x3x3xf32>, tensor<32xf32>) -> tensor<1x8x8x32xf32>
  return %y : tensor<1x8x8x32xf32>
}

// CHECK-LABEL: func.func @placed
func.func @placed(%x: tensor<2x4xf32>) -> tensor<2x3xf32> {
  %empty = tensor.empty() : tensor<2x3xf32>
  // CHECK: analog.recv 0 outs(%{{.*}} : tensor<2x3xf32>) -> tensor<2x3xf32>
  %r = analog.recv 0 outs(%empty : tensor<2x3xf32>) -> tensor<2x3xf32>
  // CHECK: analog.mvm @fc rows[0, 1] columns[0, 1] ins(%{{.*}} : tensor<2x4xf32>) outs(%{{.*}} : tensor<2x3xf32>) {accumulate, shift} -> tensor<2x3xf32>
  %y = analog.mvm @fc rows [0, 1] columns [0, 1] ins(%x : tensor<2x4xf32>) outs(%r : tensor<2x3xf32>) {accumulate, shift} -> tensor<2x3xf32>
  // CHECK: analog.send 1, %{{.*}} : tensor<2x3xf32>
  analog.send 1, %y : tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}
