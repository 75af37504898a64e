// RUN: mho-opt %s -split-input-file -canonicalize | FileCheck %s

// Two transposes are one, and an identity is none.

// CHECK-LABEL: func.func @transposes
// CHECK-NEXT: return %arg0
func.func @transposes(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %a = graph.transpose %x [1, 2, 0] : (tensor<2x3x4xf32>) -> tensor<3x4x2xf32>
  %b = graph.transpose %a [2, 0, 1] : (tensor<3x4x2xf32>) -> tensor<2x3x4xf32>
  return %b : tensor<2x3x4xf32>
}

// -----

// Of a chain of reshapes the last one stays.

// CHECK-LABEL: func.func @reshapes
// CHECK-NEXT: %[[Y:.*]] = graph.reshape %arg0 : (tensor<2x6xf32>) -> tensor<4x3xf32>
// CHECK-NEXT: return %[[Y]]
func.func @reshapes(%x: tensor<2x6xf32>) -> tensor<4x3xf32> {
  %a = graph.reshape %x : (tensor<2x6xf32>) -> tensor<12xf32>
  %b = graph.reshape %a : (tensor<12xf32>) -> tensor<4x3xf32>
  return %b : tensor<4x3xf32>
}

// -----

// A transposed left operand is transposed before the product.

// CHECK-LABEL: func.func @left
// CHECK: %[[A:.*]] = graph.transpose %arg0 [1, 0]
// CHECK: graph.gemm %[[A]], %arg1 : (tensor<2x3xf32>, tensor<3x4xf32>)
func.func @left(%a: tensor<3x2xf32>, %b: tensor<3x4xf32>) -> tensor<2x4xf32> {
  %y = graph.gemm %a, %b {trans_a} : (tensor<3x2xf32>, tensor<3x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

// What is added to a product of constant weights, but is no constant itself,
// leaves the product to an array.

// CHECK-LABEL: func.func @added
// CHECK: %[[P:.*]] = graph.gemm %arg0, %{{.*}} : (tensor<1x2xf32>, tensor<2x2xf32>)
// CHECK: graph.add %[[P]], %arg1
func.func @added(%a: tensor<1x2xf32>, %c: tensor<2xf32>) -> tensor<1x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %y = graph.gemm %a, %w, %c : (tensor<1x2xf32>, tensor<2x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  return %y : tensor<1x2xf32>
}
