// RUN: mho-opt %s -convert-graph-to-linalg -mlir-print-local-scope | FileCheck %s

// Axes of extent 1 move without a copy.
// CHECK-LABEL: func.func @transpose_unit
// CHECK-NOT: linalg.generic
// CHECK: tensor.collapse_shape
// CHECK: tensor.expand_shape
func.func @transpose_unit(%x: tensor<1x8x4xf32>) -> tensor<8x1x4xf32> {
  %y = graph.transpose %x [1, 0, 2] : (tensor<1x8x4xf32>) -> tensor<8x1x4xf32>
  return %y : tensor<8x1x4xf32>
}

// CHECK-LABEL: func.func @backwards
// CHECK: affine_map<(d0) -> (-d0 + 3)>
func.func @backwards(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = graph.slice %x [3] steps [-1] : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// CHECK-LABEL: func.func @slice
// CHECK: tensor.extract_slice %arg0[1] [2] [3]
func.func @slice(%x: tensor<8xf32>) -> tensor<2xf32> {
  %y = graph.slice %x [1] steps [3] : (tensor<8xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// CHECK-LABEL: func.func @concat
// CHECK: %[[E:.*]] = tensor.empty() : tensor<2x5xf32>
// CHECK: %[[A:.*]] = tensor.insert_slice %arg0 into %[[E]][0, 0] [2, 2]
// CHECK: tensor.insert_slice %arg1 into %[[A]][0, 2] [2, 3]
func.func @concat(%a: tensor<2x2xf32>, %b: tensor<2x3xf32>) -> tensor<2x5xf32> {
  %y = graph.concat %a, %b axis 1 : (tensor<2x2xf32>, tensor<2x3xf32>) -> tensor<2x5xf32>
  return %y : tensor<2x5xf32>
}

// A negative index counts from the end; the load itself is checked later.
// CHECK-LABEL: func.func @gather
// CHECK: arith.cmpi ult
// CHECK: arith.select
// CHECK: tensor.extract %arg0
func.func @gather(%x: tensor<4x3xf32>, %i: tensor<2xi64>) -> tensor<2x3xf32> {
  %y = graph.gather %x, %i axis 0 : (tensor<4x3xf32>, tensor<2xi64>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// One known index is a slice.
// CHECK-LABEL: func.func @gather_one
// CHECK: tensor.extract_slice %arg0[2, 0] [1, 3] [1, 1]
func.func @gather_one(%x: tensor<4x3xf32>) -> tensor<3xf32> {
  %i = arith.constant dense<-2> : tensor<i64>
  %y = graph.gather %x, %i axis 0 : (tensor<4x3xf32>, tensor<i64>) -> tensor<3xf32>
  return %y : tensor<3xf32>
}

// CHECK-LABEL: func.func @pad_cut
// CHECK: tensor.extract_slice %arg0[1] [3] [1]
// CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[0] [3] [1]
func.func @pad_cut(%x: tensor<4xf32>) -> tensor<5xf32> {
  %y = graph.pad %x {low = array<i64: -1>, high = array<i64: 2>} : (tensor<4xf32>) -> tensor<5xf32>
  return %y : tensor<5xf32>
}

// Elements that are repeated in turn need no table.
// CHECK-LABEL: func.func @repeat
// CHECK: linalg.generic {indexing_maps = [affine_map<(d0, d1, d2) -> (d0, d2)>, affine_map<(d0, d1, d2) -> (d0, d1, d2)>]
// CHECK-NOT: tensor.extract
// CHECK: tensor.collapse_shape %{{.*}} {{\[\[}}0, 1], [2]] : tensor<2x3x4xf32> into tensor<6x4xf32>
func.func @repeat(%x: tensor<2x4xf32>) -> tensor<6x4xf32> {
  %i = arith.constant dense<[0, 0, 0, 1, 1, 1]> : tensor<6xi64>
  %y = graph.gather %x, %i axis 0 : (tensor<2x4xf32>, tensor<6xi64>) -> tensor<6x4xf32>
  return %y : tensor<6x4xf32>
}
