// RUN: mho-opt %s -analog-set-ranges | FileCheck %s

// What lies between two bounds is followed by both: ReLU6 of x + 3 reaches 6,
// hard-swish x · relu6(x + 3) / 6 what x does, however it is written.

// CHECK: analog.bank @hard_swish
// CHECK-SAME: input_range = 4.000000e+00 : f32
analog.bank @hard_swish {
  weights = dense<0.5> : tensor<3x3xf32>,
  view = #analog.view<rows = [0] columns = [1] offsets = [0, 0] sizes = [3, 3]>,
  encoding = #analog.encoding<"differential" x 2>,
  row_splits = array<i64: 0, 3>, col_splits = array<i64: 0, 3>,
  places = array<i32: 0, 0, 0>
}

// A hard sigmoid's minimum and maximum leave 0 to 1, so a gate adds nothing.

// CHECK: analog.bank @gate
// CHECK-SAME: input_range = 4.000000e+00 : f32
analog.bank @gate {
  weights = dense<0.5> : tensor<3x3xf32>,
  view = #analog.view<rows = [0] columns = [1] offsets = [0, 0] sizes = [3, 3]>,
  encoding = #analog.encoding<"differential" x 2>,
  row_splits = array<i64: 0, 3>, col_splits = array<i64: 0, 3>,
  places = array<i32: 0, 1, 0>
}

// What is divided by its own deviation has the deviation 1 again, and each
// factor reaches four times that: 100·x over the root of its squares' mean.

// CHECK: analog.bank @normalized
// CHECK-SAME: input_range = 1.600000e+01 : f32
analog.bank @normalized {
  weights = dense<0.5> : tensor<3x3xf32>,
  view = #analog.view<rows = [0] columns = [1] offsets = [0, 0] sizes = [3, 3]>,
  encoding = #analog.encoding<"differential" x 2>,
  row_splits = array<i64: 0, 3>, col_splits = array<i64: 0, 3>,
  places = array<i32: 0, 2, 0>
}

// A normalization knows its data: bias and four times the scale, 1 + 4·2.

// CHECK: analog.bank @batch
// CHECK-SAME: input_range = 9.000000e+00 : f32
analog.bank @batch {
  weights = dense<0.5> : tensor<3x3xf32>,
  view = #analog.view<rows = [0] columns = [1] offsets = [0, 0] sizes = [3, 3]>,
  encoding = #analog.encoding<"differential" x 2>,
  row_splits = array<i64: 0, 3>, col_splits = array<i64: 0, 3>,
  places = array<i32: 0, 3, 0>
}

// A chain of squares ends in a range, not in infinity.

// CHECK: analog.bank @chain
// CHECK-SAME: adc_ranges = array<f32: 3.000000e+00>
// CHECK-SAME: input_range = 9.99999984E+17 : f32
analog.bank @chain {
  weights = dense<0.5> : tensor<3x3xf32>,
  view = #analog.view<rows = [0] columns = [1] offsets = [0, 0] sizes = [3, 3]>,
  encoding = #analog.encoding<"differential" x 2>,
  row_splits = array<i64: 0, 3>, col_splits = array<i64: 0, 3>,
  places = array<i32: 0, 4, 0>
}

func.func @main(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) {
  %e = tensor.empty() : tensor<2x3xf32>
  %zero = arith.constant dense<0.0> : tensor<f32>
  %half = arith.constant dense<0.5> : tensor<f32>
  %one = arith.constant dense<1.0> : tensor<f32>
  %three = arith.constant dense<3.0> : tensor<f32>
  %six = arith.constant dense<6.0> : tensor<f32>
  %hundred = arith.constant dense<100.0> : tensor<f32>

  %shifted = graph.add %x, %three : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %six_at_most = graph.clip %shifted low %zero high %six : (tensor<2x3xf32>, tensor<f32>, tensor<f32>) -> tensor<2x3xf32>
  %swish = graph.mul %x, %six_at_most : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %sixth = graph.div %swish, %six : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %a = analog.mvm @hard_swish rows [0, 1] columns [0, 1] ins(%sixth : tensor<2x3xf32>) outs(%e : tensor<2x3xf32>) {shift} -> tensor<2x3xf32>

  %line = graph.add %x, %half : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %below = graph.min %line, %one : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %sigmoid = graph.max %below, %zero : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %gated = graph.mul %x, %sigmoid : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %b = analog.mvm @gate rows [0, 1] columns [0, 1] ins(%gated : tensor<2x3xf32>) outs(%e : tensor<2x3xf32>) {shift} -> tensor<2x3xf32>

  %large = graph.mul %x, %hundred : (tensor<2x3xf32>, tensor<f32>) -> tensor<2x3xf32>
  %squares = graph.mul %large, %large : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %mean = graph.reduce_mean %squares {axes = array<i64: 1>, keepdims} : (tensor<2x3xf32>) -> tensor<2x1xf32>
  %deviation = graph.sqrt %mean : tensor<2x1xf32>
  %normal = graph.div %large, %deviation : (tensor<2x3xf32>, tensor<2x1xf32>) -> tensor<2x3xf32>
  %c = analog.mvm @normalized rows [0, 1] columns [0, 1] ins(%normal : tensor<2x3xf32>) outs(%e : tensor<2x3xf32>) {shift} -> tensor<2x3xf32>

  %scale = arith.constant dense<[0.5, 2.0, -1.0]> : tensor<3xf32>
  %bias = arith.constant dense<[3.0, 1.0, 0.0]> : tensor<3xf32>
  %variance = arith.constant dense<[4.0, 1.0, 9.0]> : tensor<3xf32>
  %batch = graph.batch_normalization %large, %scale, %bias, %bias, %variance {epsilon = 0.0 : f32} : (tensor<2x3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>, tensor<3xf32>) -> tensor<2x3xf32>
  %d = analog.mvm @batch rows [0, 1] columns [0, 1] ins(%batch : tensor<2x3xf32>) outs(%e : tensor<2x3xf32>) {shift} -> tensor<2x3xf32>

  %s1 = graph.mul %squares, %squares : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %s2 = graph.mul %s1, %s1 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %s3 = graph.mul %s2, %s2 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %s4 = graph.mul %s3, %s3 : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  %f = analog.mvm @chain rows [0, 1] columns [0, 1] ins(%s4 : tensor<2x3xf32>) outs(%e : tensor<2x3xf32>) {shift} -> tensor<2x3xf32>
  return %a, %b, %c, %d, %f : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>
}
