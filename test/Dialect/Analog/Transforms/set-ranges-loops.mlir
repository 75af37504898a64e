// RUN: mho-opt %s -analog-set-ranges | FileCheck %s

// What a loop carries is as large as its first value or as what the trips make
// of it: 4 goes in, a sigmoid gives at most 1, so the input reaches 4.

// CHECK: analog.bank @first
// CHECK-SAME: input_range = 4.000000e+00 : f32
analog.bank @first {
  weights = dense<0.5> : tensor<3x3xf32>,
  view = #analog.view<rows = [0] columns = [1] offsets = [0, 0] sizes = [3, 3]>,
  encoding = #analog.encoding<"differential" x 2>,
  row_splits = array<i64: 0, 3>, col_splits = array<i64: 0, 3>,
  places = array<i32: 0, 0, 0>
}

// Behind the sigmoid, in the trips, it is 1.

// CHECK: analog.bank @later
// CHECK-SAME: input_range = 1.000000e+00 : f32
analog.bank @later {
  weights = dense<0.5> : tensor<3x3xf32>,
  view = #analog.view<rows = [0] columns = [1] offsets = [0, 0] sizes = [3, 3]>,
  encoding = #analog.encoding<"differential" x 2>,
  row_splits = array<i64: 0, 3>, col_splits = array<i64: 0, 3>,
  places = array<i32: 0, 1, 0>
}

// A branch gives the larger of its sides.

// CHECK: analog.bank @either
// CHECK-SAME: input_range = 8.000000e+00 : f32
analog.bank @either {
  weights = dense<0.5> : tensor<3x3xf32>,
  view = #analog.view<rows = [0] columns = [1] offsets = [0, 0] sizes = [3, 3]>,
  encoding = #analog.encoding<"differential" x 2>,
  row_splits = array<i64: 0, 3>, col_splits = array<i64: 0, 3>,
  places = array<i32: 0, 2, 0>
}

func.func @main(%x: tensor<1x3xf32>, %c: i1) -> (tensor<1x3xf32>, tensor<1x3xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  %two = arith.constant dense<2.0> : tensor<f32>
  %y = scf.for %t = %c0 to %c9 step %c1 iter_args(%s = %x) -> (tensor<1x3xf32>) {
    %e = tensor.empty() : tensor<1x3xf32>
    %a = analog.mvm @first rows [0, 1] columns [0, 1] ins(%s : tensor<1x3xf32>) outs(%e : tensor<1x3xf32>) {shift} -> tensor<1x3xf32>
    %g = graph.sigmoid %a : tensor<1x3xf32>
    %b = analog.mvm @later rows [0, 1] columns [0, 1] ins(%g : tensor<1x3xf32>) outs(%e : tensor<1x3xf32>) {shift} -> tensor<1x3xf32>
    %h = graph.sigmoid %b : tensor<1x3xf32>
    scf.yield %h : tensor<1x3xf32>
  }
  %z = scf.if %c -> (tensor<1x3xf32>) {
    %d = graph.mul %x, %two : (tensor<1x3xf32>, tensor<f32>) -> tensor<1x3xf32>
    scf.yield %d : tensor<1x3xf32>
  } else {
    scf.yield %y : tensor<1x3xf32>
  }
  %e = tensor.empty() : tensor<1x3xf32>
  %w = analog.mvm @either rows [0, 1] columns [0, 1] ins(%z : tensor<1x3xf32>) outs(%e : tensor<1x3xf32>) {shift} -> tensor<1x3xf32>
  return %w, %y : tensor<1x3xf32>, tensor<1x3xf32>
}
