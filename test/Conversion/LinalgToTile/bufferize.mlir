// RUN: mho-opt %s -bufferize-units -canonicalize -cse -canonicalize | FileCheck %s

// No product, send or receive is lost when buffers are cleaned up, whether or
// not anything reads the result; and no input is written.

module attributes {analog.units = [{kind = "core", index = 0 : i32}]} {
analog.bank @fc {weights = dense<1.0> : tensor<4x4xf32>, view = #analog.view<rows = [0] columns = [1] offsets = [0, 0] sizes = [4, 4]>, encoding = #analog.encoding<"differential" x 2>, row_splits = array<i64: 0, 4>, col_splits = array<i64: 0, 4>, places = array<i32: 0, 0, 0>}

// CHECK-LABEL: func.func @keep
// CHECK-SAME: %[[X:.*]]: memref<4xf32>
// CHECK: %[[Y:.*]] = memref.alloc
// CHECK: analog.mvm @fc {{.*}} ins(%[[X]] : memref<4xf32>) outs(%[[Y]] : memref<4xf32>)
// CHECK: analog.send 0, %[[Y]]
// CHECK: analog.recv 1 outs(%[[Y]] : memref<4xf32>)
// CHECK: return %[[Y]]
func.func @keep(%x: tensor<4xf32>) -> tensor<4xf32> attributes {analog.unit = 0 : i32} {
  %o = tensor.empty() : tensor<4xf32>
  %y = analog.mvm @fc rows [0, 1] columns [0, 1] ins(%x : tensor<4xf32>) outs(%o : tensor<4xf32>) -> tensor<4xf32>
  analog.send 0, %y : tensor<4xf32>
  %z = analog.recv 1 outs(%y : tensor<4xf32>) -> tensor<4xf32>
  return %z : tensor<4xf32>
}

// Adding to an input makes a copy first.
// CHECK-LABEL: func.func @inputs_stay
// CHECK-SAME: %[[X:.*]]: memref<4xf32>, %[[B:.*]]: memref<4xf32>
// CHECK: %[[Y:.*]] = memref.alloc
// CHECK: memref.copy %[[B]], %[[Y]]
// CHECK: analog.mvm @fc {{.*}} outs(%[[Y]] : memref<4xf32>) {accumulate}
func.func @inputs_stay(%x: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xf32> attributes {analog.unit = 0 : i32} {
  %y = analog.mvm @fc rows [0, 1] columns [0, 1] ins(%x : tensor<4xf32>) outs(%b : tensor<4xf32>) {accumulate} -> tensor<4xf32>
  return %y : tensor<4xf32>
}
}
