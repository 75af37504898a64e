// RUN: mho-opt %s -convert-graph-to-linalg -mlir-print-local-scope | FileCheck %s

// Indices are read through their broadcast; negative ones count from the end.
// The other axes follow the loops.

// CHECK-LABEL: func.func @gather_nd
// CHECK: linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, 0)>, affine_map<(d0, d1) -> (d0, d1)>]
// CHECK: ^bb0(%[[I:.*]]: i64
// CHECK: arith.cmpi slt, %[[I]]
// CHECK: %[[UP:.*]] = arith.addi %[[I]]
// CHECK: %[[PLACE:.*]] = arith.index_cast
// CHECK: %[[COLUMN:.*]] = linalg.index 1
// CHECK: tensor.extract %arg0[%[[PLACE]], %[[COLUMN]]]
func.func @gather_nd(%x: tensor<4x3xf16>, %i: tensor<2x1xi64>) -> tensor<2x3xf16> {
  %y = graph.gather_nd %x at (%i) dims [-1, 1] : (tensor<4x3xf16>, tensor<2x1xi64>) -> tensor<2x3xf16>
  return %y : tensor<2x3xf16>
}

// Indices get the updates' rank; unsigned elements stay so.
// CHECK-LABEL: func.func @scatter_nd
// CHECK: %[[I:.*]] = tensor.expand_shape %arg2 {{\[\[}}0, 1]] output_shape [1, 3]
// CHECK: digital.scatter "max" ins(%arg1 : tensor<2x3xi8>) at(%[[I]] : tensor<1x3xi64>) dims [0, -1] outs(%arg0 : tensor<4x5xi8>) {is_unsigned}
func.func @scatter_nd(%x: tensor<4x5xui8>, %u: tensor<2x3xui8>, %i: tensor<3xi64>) -> tensor<4x5xui8> {
  %y = graph.scatter_nd "max" %u into %x at (%i) dims [0, -1] : (tensor<4x5xui8>, tensor<2x3xui8>, tensor<3xi64>) -> tensor<4x5xui8>
  return %y : tensor<4x5xui8>
}

// No updates, nothing to do.
// CHECK-LABEL: func.func @no_updates
// CHECK-NEXT: return %arg0
func.func @no_updates(%x: tensor<4xf32>, %u: tensor<0xf32>, %i: tensor<0xi64>) -> tensor<4xf32> {
  %y = graph.scatter_nd "none" %u into %x at (%i) dims [-1] : (tensor<4xf32>, tensor<0xf32>, tensor<0xi64>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// CHECK-LABEL: func.func @top_k
// CHECK: digital.sort ins(%arg0 : tensor<2x9xf32>) outs(%{{.*}}, %{{.*}} : tensor<2x4xf32>, tensor<2x4xi64>) {largest}
func.func @top_k(%x: tensor<2x9xf32>) -> (tensor<2x4xf32>, tensor<2x4xi64>) {
  %v, %i = graph.top_k %x {largest} : (tensor<2x9xf32>) -> (tensor<2x4xf32>, tensor<2x4xi64>)
  return %v, %i : tensor<2x4xf32>, tensor<2x4xi64>
}
