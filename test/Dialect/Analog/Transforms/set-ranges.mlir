// RUN: mho-opt %s -analog-set-ranges | FileCheck %s

// Standard-normal inputs reach 4; an ADC covers four standard deviations of
// its columns' sums, in units of the input range and the largest weight:
// 4 · 1/4 · √(4·0.5²) / 0.5 = 2.

// CHECK: analog.bank @fc {adc_ranges = array<f32: 2.000000e+00>
// CHECK-SAME: input_range = 4.000000e+00 : f32
analog.bank @fc {
  weights = dense<0.5> : tensor<4x3xf32>,
  view = #analog.view<rows = [0] columns = [1] offsets = [0, 0] sizes = [4, 3]>,
  encoding = #analog.encoding<"differential" x 2>,
  row_splits = array<i64: 0, 4>, col_splits = array<i64: 0, 3>,
  places = array<i32: 0, 0, 0>
}

// What a sigmoid gives is at most 1, however large its input.

// CHECK: analog.bank @bounded
// CHECK-SAME: input_range = 1.000000e+00 : f32
analog.bank @bounded {
  weights = dense<0.5> : tensor<3x3xf32>,
  view = #analog.view<rows = [0] columns = [1] offsets = [0, 0] sizes = [3, 3]>,
  encoding = #analog.encoding<"differential" x 2>,
  row_splits = array<i64: 0, 3>, col_splits = array<i64: 0, 3>,
  places = array<i32: 0, 1, 0>
}

// Ranges that are there already stay.

// CHECK: analog.bank @given
// CHECK-SAME: input_range = 7.500000e+00 : f32
analog.bank @given {
  weights = dense<0.5> : tensor<3x3xf32>,
  view = #analog.view<rows = [0] columns = [1] offsets = [0, 0] sizes = [3, 3]>,
  encoding = #analog.encoding<"differential" x 2>,
  row_splits = array<i64: 0, 3>, col_splits = array<i64: 0, 3>,
  places = array<i32: 0, 2, 0>, input_range = 7.5 : f32, adc_ranges = array<f32: 1.0>
}

func.func @main(%x: tensor<2x4xf32>) -> tensor<2x3xf32> {
  %e = tensor.empty() : tensor<2x3xf32>
  %a = analog.mvm @fc rows [0, 1] columns [0, 1] ins(%x : tensor<2x4xf32>) outs(%e : tensor<2x3xf32>) {shift} -> tensor<2x3xf32>
  %b = graph.sigmoid %a : tensor<2x3xf32>
  %c = analog.mvm @bounded rows [0, 1] columns [0, 1] ins(%b : tensor<2x3xf32>) outs(%e : tensor<2x3xf32>) {shift} -> tensor<2x3xf32>
  %d = analog.mvm @given rows [0, 1] columns [0, 1] ins(%c : tensor<2x3xf32>) outs(%e : tensor<2x3xf32>) {shift} -> tensor<2x3xf32>
  return %d : tensor<2x3xf32>
}
