// RUN: mho-opt %s -analog-set-ranges | FileCheck %s

// Codes of an input reach what their type holds; taken as numbers as they are.

// CHECK: analog.bank @codes
// CHECK-SAME: input_range = 2.560000e+02 : f32
analog.bank @codes {
  weights = dense<0.5> : tensor<4x3xf32>,
  view = #analog.view<rows = [0] columns = [1] offsets = [0, 0] sizes = [4, 3]>,
  encoding = #analog.encoding<"differential" x 2>,
  row_splits = array<i64: 0, 4>, col_splits = array<i64: 0, 3>,
  places = array<i32: 0, 0, 0>
}

// With a scale they are smaller.

// CHECK: analog.bank @scaled
// CHECK-SAME: input_range = 1.280000e+02 : f32
analog.bank @scaled {
  weights = dense<0.5> : tensor<4x3xf32>,
  view = #analog.view<rows = [0] columns = [1] offsets = [0, 0] sizes = [4, 3]>,
  encoding = #analog.encoding<"differential" x 2>,
  row_splits = array<i64: 0, 4>, col_splits = array<i64: 0, 3>,
  places = array<i32: 0, 1, 0>
}

// What was quantized reaches what it reached before, through any movement.

// CHECK: analog.bank @back
// CHECK-SAME: input_range = 4.000000e+00 : f32
analog.bank @back {
  weights = dense<0.5> : tensor<4x3xf32>,
  view = #analog.view<rows = [0] columns = [1] offsets = [0, 0] sizes = [4, 3]>,
  encoding = #analog.encoding<"differential" x 2>,
  row_splits = array<i64: 0, 4>, col_splits = array<i64: 0, 3>,
  places = array<i32: 0, 2, 0>
}

func.func @main(%q: tensor<2x4xui8>, %x: tensor<4x2xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) {
  %e = tensor.empty() : tensor<2x3xf32>
  %s = arith.constant dense<0.5> : tensor<f32>
  %f = graph.cast %q : tensor<2x4xui8> to tensor<2x4xf32>
  %a = analog.mvm @codes rows [0, 1] columns [0, 1] ins(%f : tensor<2x4xf32>) outs(%e : tensor<2x3xf32>) {shift} -> tensor<2x3xf32>
  %d = graph.dequantize_linear %q, %s {axis = 0 : i64} : (tensor<2x4xui8>, tensor<f32>) -> tensor<2x4xf32>
  %b = analog.mvm @scaled rows [0, 1] columns [0, 1] ins(%d : tensor<2x4xf32>) outs(%e : tensor<2x3xf32>) {shift} -> tensor<2x3xf32>
  %p = graph.quantize_linear %x, %s {axis = 0 : i64} : (tensor<4x2xf32>, tensor<f32>) -> tensor<4x2xui8>
  %t = graph.transpose %p [1, 0] : (tensor<4x2xui8>) -> tensor<2x4xui8>
  %r = graph.dequantize_linear %t, %s {axis = 0 : i64} : (tensor<2x4xui8>, tensor<f32>) -> tensor<2x4xf32>
  %c = analog.mvm @back rows [0, 1] columns [0, 1] ins(%r : tensor<2x4xf32>) outs(%e : tensor<2x3xf32>) {shift} -> tensor<2x3xf32>
  return %a, %b, %c : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>
}
