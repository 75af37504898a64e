// RUN: mho-opt %s -canonicalize -split-input-file -verify-diagnostics | FileCheck %s

// Casts of constants follow the same rules as those at run time.

// CHECK-LABEL: func.func @wrapped
// CHECK: dense<[7, -1, 0, 3]> : tensor<4xi4>
func.func @wrapped() -> tensor<4xi4> {
  %x = arith.constant dense<[-9.0, 15.9, 0x7FC00000, 3.5]> : tensor<4xf32>
  %y = graph.cast %x : tensor<4xf32> to tensor<4xi4>
  return %y : tensor<4xi4>
}

// CHECK-LABEL: func.func @saturated
// CHECK-DAG: dense<[4.480000e+02, -4.480000e+02, 1.500000e+00]> : tensor<3xf8E4M3FN>
// CHECK-DAG: dense<[5.734400e+04, -5.734400e+04, 1.500000e+00]> : tensor<3xf8E5M2>
// CHECK-DAG: dense<[0x7C, 0xFC, 1.500000e+00]> : tensor<3xf8E5M2>
func.func @saturated() -> (tensor<3xf8E4M3FN>, tensor<3xf8E5M2>, tensor<3xf8E5M2>) {
  %x = arith.constant dense<[1.0e9, 0xFF800000, 1.5]> : tensor<3xf32>
  %a = graph.cast %x : tensor<3xf32> to tensor<3xf8E4M3FN>
  %b = graph.cast %x : tensor<3xf32> to tensor<3xf8E5M2>
  %c = graph.cast %x {unsaturated} : tensor<3xf32> to tensor<3xf8E5M2>
  return %a, %b, %c : tensor<3xf8E4M3FN>, tensor<3xf8E5M2>, tensor<3xf8E5M2>
}

// CHECK-LABEL: func.func @back
// CHECK: dense<[-2.000000e+00, 1.500000e+00, 6.000000e+00]> : tensor<3xf32>
func.func @back() -> tensor<3xf32> {
  %x = arith.constant dense<[-2.0, 1.5, 6.0]> : tensor<3xf4E2M1FN>
  %y = graph.cast %x : tensor<3xf4E2M1FN> to tensor<3xf32>
  return %y : tensor<3xf32>
}

// CHECK-LABEL: func.func @bits
// CHECK: dense<[1065353216, -2147483648]> : tensor<2xi32>
func.func @bits() -> tensor<2xi32> {
  %x = arith.constant dense<[1.0, -0.0]> : tensor<2xf32>
  %y = graph.bit_cast %x : tensor<2xf32> to tensor<2xi32>
  return %y : tensor<2xi32>
}

// Weights of four bits in two blocks.
// CHECK-LABEL: func.func @blocks
// CHECK{LITERAL}: dense<[[-1.000000e+00, 1.000000e+00], [3.000000e+00, -4.000000e+00]]> : tensor<2x2xf32>
func.func @blocks() -> tensor<2x2xf32> {
  %x = arith.constant dense<[[-2, 2], [6, -8]]> : tensor<2x2xi4>
  %s = arith.constant dense<[[0.5], [0.5]]> : tensor<2x1xf32>
  %y = graph.dequantize_linear %x, %s {axis = 0 : i64} : (tensor<2x2xi4>, tensor<2x1xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -----

func.func @widths(%x: tensor<2xf32>) -> tensor<2xi16> {
  // expected-error @below {{differ in width}}
  %y = graph.bit_cast %x : tensor<2xf32> to tensor<2xi16>
  return %y : tensor<2xi16>
}

// -----

func.func @tables(%x: tensor<8x3xf32>, %t: tensor<5xi32>, %f: tensor<4xf32>, %c: tensor<10xi32>) -> tensor<8x5xi32> {
  // expected-error @below {{tables of 5 nodes do not have 'tensor<4xf32>'}}
  %y = graph.tree_leaves %x features %t thresholds %f outcomes %t children %c roots %t depth 1
    : (tensor<8x3xf32>, tensor<5xi32>, tensor<4xf32>, tensor<5xi32>, tensor<10xi32>, tensor<5xi32>) -> tensor<8x5xi32>
  return %y : tensor<8x5xi32>
}
