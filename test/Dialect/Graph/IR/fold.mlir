// RUN: mho-opt %s -canonicalize | FileCheck %s

// Ops on constants are evaluated with ONNX's meaning.

// CHECK-LABEL: func.func @reversed
// CHECK: dense<[3, 2, 1]> : tensor<3xi64>
func.func @reversed() -> tensor<3xi64> {
  %x = arith.constant dense<[1, 2, 3]> : tensor<3xi64>
  %y = graph.slice %x [2] steps [-1] : (tensor<3xi64>) -> tensor<3xi64>
  return %y : tensor<3xi64>
}

// CHECK-LABEL: func.func @broadcast
// CHECK{LITERAL}: dense<[[1.100000e+01, 1.200000e+01], [2.100000e+01, 2.200000e+01]]> : tensor<2x2xf64>
func.func @broadcast() -> tensor<2x2xf64> {
  %a = arith.constant dense<[[10.0], [20.0]]> : tensor<2x1xf64>
  %b = arith.constant dense<[1.0, 2.0]> : tensor<2xf64>
  %y = graph.add %a, %b : (tensor<2x1xf64>, tensor<2xf64>) -> tensor<2x2xf64>
  return %y : tensor<2x2xf64>
}

// Integers divide towards zero; by zero nothing is known.

// CHECK-LABEL: func.func @divided
// CHECK-DAG: dense<[-3, 2]> : tensor<2xi32>
// CHECK: graph.div
func.func @divided() -> (tensor<2xi32>, tensor<2xi32>) {
  %a = arith.constant dense<[-7, 7]> : tensor<2xi32>
  %b = arith.constant dense<[2, 3]> : tensor<2xi32>
  %c = arith.constant dense<[1, 0]> : tensor<2xi32>
  %y = graph.div %a, %b : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi32>
  %z = graph.div %a, %c : (tensor<2xi32>, tensor<2xi32>) -> tensor<2xi32>
  return %y, %z : tensor<2xi32>, tensor<2xi32>
}

// Ties round to even, codes saturate, and weights come back per channel.

// CHECK-LABEL: func.func @quantized
// CHECK-DAG: dense<[127, -128, 2, 12]> : tensor<4xi8>
// CHECK-DAG{LITERAL}: dense<[[5.000000e-01, 1.000000e+00], [6.000000e+00, 8.000000e+00]]> : tensor<2x2xf32>
func.func @quantized() -> (tensor<4xi8>, tensor<2x2xf32>) {
  %x = arith.constant dense<[1000.0, -1000.0, 0.5, 10.0]> : tensor<4xf32>
  %one = arith.constant dense<1.0> : tensor<f32>
  %two = arith.constant dense<2> : tensor<i8>
  %q = graph.quantize_linear %x, %one zero %two {axis = 0 : i64} : (tensor<4xf32>, tensor<f32>, tensor<i8>) -> tensor<4xi8>
  %w = arith.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi8>
  %s = arith.constant dense<[0.5, 2.0]> : tensor<2xf32>
  %d = graph.dequantize_linear %w, %s {axis = 0 : i64} : (tensor<2x2xi8>, tensor<2xf32>) -> tensor<2x2xf32>
  return %q, %d : tensor<4xi8>, tensor<2x2xf32>
}

// CHECK-LABEL: func.func @moved
// CHECK-DAG: dense<[5, 7]> : tensor<2xi64>
// CHECK-DAG: dense<[2, 1, 2, 3, 2]> : tensor<5xi64>
// CHECK-DAG{LITERAL}: dense<[[1, 3], [2, 4]]> : tensor<2x2xi64>
func.func @moved() -> (tensor<2xi64>, tensor<5xi64>, tensor<2x2xi64>) {
  %x = arith.constant dense<[5, 6, 7]> : tensor<3xi64>
  %i = arith.constant dense<[0, -1]> : tensor<2xi64>
  %g = graph.gather %x, %i axis 0 : (tensor<3xi64>, tensor<2xi64>) -> tensor<2xi64>
  %r = arith.constant dense<[1, 2, 3]> : tensor<3xi64>
  %p = graph.pad %r {low = array<i64: 1>, high = array<i64: 1>, mode = "reflect"} : (tensor<3xi64>) -> tensor<5xi64>
  %m = arith.constant dense<[[1, 2], [3, 4]]> : tensor<2x2xi64>
  %t = graph.transpose %m [1, 0] : (tensor<2x2xi64>) -> tensor<2x2xi64>
  return %g, %p, %t : tensor<2xi64>, tensor<5xi64>, tensor<2x2xi64>
}

// Casts cut towards zero and saturate; unsigned stays unsigned.

// CHECK-LABEL: func.func @cast
// CHECK-DAG: dense<[-1, 2147483647]> : tensor<2xi32>
// CHECK-DAG: dense<2.550000e+02> : tensor<f32>
func.func @cast() -> (tensor<2xi32>, tensor<f32>) {
  %x = arith.constant dense<[-1.9, 1.0e20]> : tensor<2xf32>
  %y = graph.cast %x : tensor<2xf32> to tensor<2xi32>
  %u = arith.constant dense<255> : tensor<ui8>
  %f = graph.cast %u : tensor<ui8> to tensor<f32>
  return %y, %f : tensor<2xi32>, tensor<f32>
}

// Large fills stay one element.

// CHECK-LABEL: func.func @splat
// CHECK: dense<2.000000e+00> : tensor<1000x1000xf32>
func.func @splat() -> tensor<1000x1000xf32> {
  %x = arith.constant dense<1.0> : tensor<1x1xf32>
  %w = graph.expand %x : (tensor<1x1xf32>) -> tensor<1000x1000xf32>
  %y = graph.add %w, %w : (tensor<1000x1000xf32>, tensor<1000x1000xf32>) -> tensor<1000x1000xf32>
  return %y : tensor<1000x1000xf32>
}

// Computed places of constants; an index out of range is left to the run.

// CHECK-LABEL: func.func @places
// CHECK-DAG: dense<[6, 3]> : tensor<2xi64>
// CHECK-DAG: dense<[1, 9, 8]> : tensor<3xi64>
// CHECK: graph.gather_nd
func.func @places() -> (tensor<2xi64>, tensor<3xi64>, tensor<1xi64>) {
  %m = arith.constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi64>
  %r = arith.constant dense<[1, 0]> : tensor<2xi64>
  %c = arith.constant dense<[-1, 2]> : tensor<2xi64>
  %g = graph.gather_nd %m at (%r, %c) dims [-1, -1] : (tensor<2x3xi64>, tensor<2xi64>, tensor<2xi64>) -> tensor<2xi64>
  %v = arith.constant dense<[1, 2, 3]> : tensor<3xi64>
  %u = arith.constant dense<[8, 9]> : tensor<2xi64>
  %p = arith.constant dense<[-1, 1]> : tensor<2xi64>
  %s = graph.scatter_nd "none" %u into %v at (%p) dims [-1] : (tensor<3xi64>, tensor<2xi64>, tensor<2xi64>) -> tensor<3xi64>
  %o = arith.constant dense<[3]> : tensor<1xi64>
  %out = graph.gather_nd %v at (%o) dims [-1] : (tensor<3xi64>, tensor<1xi64>) -> tensor<1xi64>
  return %g, %s, %out : tensor<2xi64>, tensor<3xi64>, tensor<1xi64>
}

// Elements of a stored constant are computed where something folds on them:
// (values - zero)·scale, a scale for each block of two.

// CHECK-LABEL: func.func @stored
func.func @stored() -> tensor<4x2xf32> {
  // CHECK: arith.constant dense<{{\[\[}}0.000000e+00, 8.000000e+00], [5.000000e-01, 1.000000e+01], [5.000000e-01, 2.400000e+01], [7.500000e-01, 2.800000e+01]]>
  %w = arith.constant #graph.dequantized<dense<[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]> : tensor<2x2x2xi8>, dense<[[[0.5], [0.25]], [[2.0], [4.0]]]> : tensor<2x2x1xf32>, zero = dense<1> : tensor<1x1x1xi8>> : tensor<2x4xf32>
  %t = graph.transpose %w [1, 0] : (tensor<2x4xf32>) -> tensor<4x2xf32>
  return %t : tensor<4x2xf32>
}

// A slice within one part of a concatenation is that part's.

// CHECK-LABEL: func.func @slice_of_concat
// CHECK: %[[S:.*]] = graph.slice %arg1 [0, 1] steps [1, 1]
// CHECK: return %[[S]]
func.func @slice_of_concat(%a: tensor<2x3xf32>, %b: tensor<2x4xf32>) -> tensor<2x2xf32> {
  %c = graph.concat %a, %b axis 1 : (tensor<2x3xf32>, tensor<2x4xf32>) -> tensor<2x7xf32>
  %s = graph.slice %c [0, 4] steps [1, 1] : (tensor<2x7xf32>) -> tensor<2x2xf32>
  return %s : tensor<2x2xf32>
}
