// RUN: mho-opt %s | mho-opt | FileCheck %s
// RUN: mho-opt %s -canonicalize -cse | FileCheck %s --check-prefix=KEPT

// Every op reads back what it prints, on tensors and on buffers.

// CHECK-LABEL: func.func @tensors
func.func @tensors(%x: tensor<3x8xf32>, %i: tensor<2x1xi64>, %u: tensor<2x8xf32>) -> (tensor<3x2xf32>, tensor<3x2xi64>, tensor<3x8xf32>) {
  %v = tensor.empty() : tensor<3x2xf32>
  %n = tensor.empty() : tensor<3x2xi64>
  // CHECK: digital.sort ins(%arg0 : tensor<3x8xf32>) outs(%{{.*}}, %{{.*}} : tensor<3x2xf32>, tensor<3x2xi64>) {largest} -> tensor<3x2xf32>, tensor<3x2xi64>
  %s:2 = digital.sort ins(%x : tensor<3x8xf32>) outs(%v, %n : tensor<3x2xf32>, tensor<3x2xi64>) {largest} -> tensor<3x2xf32>, tensor<3x2xi64>
  // CHECK: digital.scatter "add" ins(%arg2 : tensor<2x8xf32>) at(%arg1 : tensor<2x1xi64>) dims [-1, 1] outs(%arg0 : tensor<3x8xf32>) -> tensor<3x8xf32>
  %y = digital.scatter "add" ins(%u : tensor<2x8xf32>) at(%i : tensor<2x1xi64>) dims [-1, 1] outs(%x : tensor<3x8xf32>) -> tensor<3x8xf32>
  return %s#0, %s#1, %y : tensor<3x2xf32>, tensor<3x2xi64>, tensor<3x8xf32>
}

// A count is a scalar on tensors and on buffers alike.

// CHECK-LABEL: func.func @count
func.func @count(%x: tensor<?x3xi1>, %b: memref<2x3xf32>, %p: memref<6x2xi64>) -> (tensor<12x2xi64>, index, index) {
  %e = tensor.empty() : tensor<12x2xi64>
  // CHECK: %{{.*}}, %[[N:.*]] = digital.compact ins(%arg0 : tensor<?x3xi1>) outs(%{{.*}} : tensor<12x2xi64>) -> tensor<12x2xi64>
  %places, %n = digital.compact ins(%x : tensor<?x3xi1>) outs(%e : tensor<12x2xi64>) -> tensor<12x2xi64>
  // CHECK: %[[M:.*]] = digital.compact ins(%arg1 : memref<2x3xf32>) outs(%arg2 : memref<6x2xi64>)
  // KEPT: digital.compact {{.*}} memref
  %m = digital.compact ins(%b : memref<2x3xf32>) outs(%p : memref<6x2xi64>)
  return %places, %n, %m : tensor<12x2xi64>, index, index
}

// What writes memory is never removed.

// CHECK-LABEL: func.func @buffers
// KEPT-LABEL: func.func @buffers
func.func @buffers(%x: memref<3x8xf32>, %v: memref<3x2xf32>, %n: memref<3x2xi64>) {
  // CHECK: digital.sort ins(%arg0 : memref<3x8xf32>) outs(%arg1, %arg2 : memref<3x2xf32>, memref<3x2xi64>) {is_unsigned}
  // KEPT: digital.sort
  digital.sort ins(%x : memref<3x8xf32>) outs(%v, %n : memref<3x2xf32>, memref<3x2xi64>) {is_unsigned}
  // CHECK: digital.scatter "none" ins(%arg1 : memref<3x2xf32>) at() dims [0, 1] outs(%arg0 : memref<3x8xf32>)
  // KEPT: digital.scatter
  digital.scatter "none" ins(%v : memref<3x2xf32>) at() dims [0, 1] outs(%x : memref<3x8xf32>)
  return
}
