// RUN: mho-opt %s -bufferize-units | FileCheck %s

// One empty tensor under several results, as CSE leaves it: each result gets
// its own buffer and none is copied.

// CHECK-LABEL: func.func @shared_empty
// CHECK-COUNT-2: memref.alloc
// CHECK-NOT: memref.copy
func.func @shared_empty(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) {
  %e = tensor.empty() : tensor<4xf32>
  %a = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %b = linalg.abs ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %a, %b : tensor<4xf32>, tensor<4xf32>
}
