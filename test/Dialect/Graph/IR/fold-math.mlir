// RUN: mho-opt %s -canonicalize | FileCheck %s

// Quotients of a remainder round down, or towards zero.

// CHECK-LABEL: func.func @remainders
// CHECK-DAG: dense<[2, 1, -2]> : tensor<3xi32>
// CHECK-DAG: dense<[-1, 1, -2]> : tensor<3xi32>
// CHECK-DAG: dense<[5.000000e-01, -0.000000e+00]> : tensor<2xf32>
func.func @remainders() -> (tensor<3xi32>, tensor<3xi32>, tensor<2xf32>) {
  %a = arith.constant dense<[-7, 7, -8]> : tensor<3xi32>
  %b = arith.constant dense<[3, 3, -3]> : tensor<3xi32>
  %c = arith.constant dense<[-5.5, 6.0]> : tensor<2xf32>
  %d = arith.constant dense<[2.0, -3.0]> : tensor<2xf32>
  %x = graph.mod %a, %b : (tensor<3xi32>, tensor<3xi32>) -> tensor<3xi32>
  %y = graph.mod %a, %b {truncated} : (tensor<3xi32>, tensor<3xi32>) -> tensor<3xi32>
  %z = graph.mod %c, %d : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  return %x, %y, %z : tensor<3xi32>, tensor<3xi32>, tensor<2xf32>
}

// By zero nothing is known when compiling.

// CHECK-LABEL: func.func @by_zero
// CHECK: graph.mod
func.func @by_zero() -> tensor<1xi32> {
  %a = arith.constant dense<[-7]> : tensor<1xi32>
  %b = arith.constant dense<[0]> : tensor<1xi32>
  %y = graph.mod %a, %b : (tensor<1xi32>, tensor<1xi32>) -> tensor<1xi32>
  return %y : tensor<1xi32>
}

// Amounts that are no bit leave nothing, or the sign.

// CHECK-LABEL: func.func @shifts
// CHECK-DAG: dense<[-2, -1, -1]> : tensor<3xi8>
// CHECK-DAG: dense<[-12, 0, 0]> : tensor<3xi8>
// CHECK-DAG: dense<[62, 0]> : tensor<2xui8>
// CHECK-DAG: dense<[2, -1]> : tensor<2xi8>
func.func @shifts() -> (tensor<3xi8>, tensor<3xi8>, tensor<2xui8>, tensor<2xi8>) {
  %a = arith.constant dense<[-3, -3, -3]> : tensor<3xi8>
  %by = arith.constant dense<[1, 8, -1]> : tensor<3xi8>
  %b = arith.constant dense<[-3, 3, 3]> : tensor<3xi8>
  %two = arith.constant dense<[2, 9, -1]> : tensor<3xi8>
  %c = arith.constant dense<[250, 250]> : tensor<2xui8>
  %cby = arith.constant dense<[2, 8]> : tensor<2xui8>
  %n = arith.constant dense<[-3, 0]> : tensor<2xi8>
  %x = graph.shift_right %a, %by : (tensor<3xi8>, tensor<3xi8>) -> tensor<3xi8>
  %y = graph.shift_left %b, %two : (tensor<3xi8>, tensor<3xi8>) -> tensor<3xi8>
  %z = graph.shift_right %c, %cby : (tensor<2xui8>, tensor<2xui8>) -> tensor<2xui8>
  %w = graph.not %n : tensor<2xi8>
  return %x, %y, %z, %w : tensor<3xi8>, tensor<3xi8>, tensor<2xui8>, tensor<2xi8>
}

// CHECK-LABEL: func.func @along_axes
// CHECK-DAG{LITERAL}: dense<[[1, 3, 6], [4, 9, 15]]> : tensor<2x3xi64>
// CHECK-DAG{LITERAL}: dense<[[6, 3, 1], [30, 6, 1]]> : tensor<2x3xi64>
// CHECK-DAG: dense<[6, 120]> : tensor<2xi64>
// CHECK-DAG: dense<0> : tensor<2xi64>
// CHECK-DAG: dense<2> : tensor<2xi64>
func.func @along_axes() -> (tensor<2x3xi64>, tensor<2x3xi64>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>) {
  %x = arith.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi64>
  %a = graph.cum_sum %x {axis = 1 : i64} : tensor<2x3xi64>
  %b = graph.cum_prod %x {axis = 1 : i64, exclusive, reverse} : tensor<2x3xi64>
  %c = graph.reduce_prod %x {axes = array<i64: 1>} : (tensor<2x3xi64>) -> tensor<2xi64>
  %d = graph.arg_min %x {axis = 1 : i64} : (tensor<2x3xi64>) -> tensor<2xi64>
  %e = graph.arg_max %x {axis = 1 : i64} : (tensor<2x3xi64>) -> tensor<2xi64>
  return %a, %b, %c, %d, %e : tensor<2x3xi64>, tensor<2x3xi64>, tensor<2xi64>, tensor<2xi64>, tensor<2xi64>
}

// Of equals the first, or the last where asked; NaN wins.

// CHECK-LABEL: func.func @ties
// CHECK-DAG: dense<1> : tensor<i64>
// CHECK-DAG: dense<3> : tensor<i64>
// CHECK-DAG: dense<2> : tensor<i64>
func.func @ties() -> (tensor<i64>, tensor<i64>, tensor<i64>) {
  %x = arith.constant dense<[0.0, 5.0, 1.0, 5.0]> : tensor<4xf32>
  %n = arith.constant dense<[0.0, 5.0, 0x7FC00000, 9.0]> : tensor<4xf32>
  %a = graph.arg_max %x {axis = 0 : i64} : (tensor<4xf32>) -> tensor<i64>
  %b = graph.arg_max %x {axis = 0 : i64, select_last_index} : (tensor<4xf32>) -> tensor<i64>
  %c = graph.arg_min %n {axis = 0 : i64} : (tensor<4xf32>) -> tensor<i64>
  return %a, %b, %c : tensor<i64>, tensor<i64>, tensor<i64>
}

// CHECK-LABEL: func.func @functions
// CHECK-DAG: dense<0.000000e+00> : tensor<f32>
// CHECK-DAG: dense<1.000000e+00> : tensor<f32>
// CHECK-DAG: dense<1.5707963267948966> : tensor<f64>
func.func @functions() -> (tensor<f32>, tensor<f32>, tensor<f64>) {
  %zero = arith.constant dense<0.0> : tensor<f32>
  %one = arith.constant dense<1.0> : tensor<f64>
  %a = graph.sin %zero : tensor<f32>
  %b = graph.cosh %zero : tensor<f32>
  %c = graph.asin %one : tensor<f64>
  return %a, %b, %c : tensor<f32>, tensor<f32>, tensor<f64>
}
