// RUN: mho-opt %s -split-input-file -convert-graph-to-linalg -canonicalize -mlir-print-local-scope | FileCheck %s

// As many windows as fit the run's extent, at least one; the border is a part
// of the tensor that is read.

// CHECK-LABEL: func.func @conv
// CHECK-SAME: %[[W:[a-z0-9]+]]: index
// CHECK: %[[WIDE:.*]] = arith.addi %[[W]], %c2 : index
// CHECK: tensor.empty(%[[WIDE]]) : tensor<1x3x?xf32>
// CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[0, 0, 1] [1, 3, %[[W]]] [1, 1, 1] : tensor<1x3x?xf32> into tensor<1x3x?xf32>
// CHECK: %[[SPAN:.*]] = arith.addi %[[W]], %c-1 : index
// CHECK: %[[STEPS:.*]] = arith.floordivsi %[[SPAN]], %c2 : index
// CHECK: %[[COUNT:.*]] = arith.addi %[[STEPS]], %c1 : index
// CHECK: %[[P:.*]] = graph.bound %[[COUNT]] from 1 to 9223372036854775807
// CHECK: tensor.empty(%[[P]]) : tensor<1x1x4x?xf32>
// CHECK: linalg.generic
// CHECK-SAME: d3 * 2 + d5
func.func @conv(%whole: tensor<1x3x9xf32>, %w: tensor<4x3x3xf32>, %n: index) -> tensor<1x4x?xf32> {
  %x = tensor.extract_slice %whole[0, 0, 0] [1, 3, %n] [1, 1, 1] : tensor<1x3x9xf32> to tensor<1x3x?xf32>
  %y = graph.conv %x, %w {kernel = array<i64: 3>, strides = array<i64: 2>, pads = array<i64: 1, 1>, dilations = array<i64: 1>} : (tensor<1x3x?xf32>, tensor<4x3x3xf32>) -> tensor<1x4x?xf32>
  return %y : tensor<1x4x?xf32>
}

// -----

// A last window may reach past the end, but begins inside.

// CHECK-LABEL: func.func @ceil
// CHECK: %[[MOST:.*]] = arith.floordivsi
// CHECK: arith.floordivsi
// CHECK: %[[COUNT:.*]] = arith.minsi
// CHECK: graph.bound %[[COUNT]] from 1
// CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[0, 0, 0]
func.func @ceil(%whole: tensor<1x2x9xf32>, %n: index) -> tensor<1x2x?xf32> {
  %x = tensor.extract_slice %whole[0, 0, 0] [1, 2, %n] [1, 1, 1] : tensor<1x2x9xf32> to tensor<1x2x?xf32>
  %y = graph.max_pool %x {kernel = array<i64: 2>, strides = array<i64: 3>, pads = array<i64: 0, 0>, dilations = array<i64: 1>, ceil_mode} : (tensor<1x2x?xf32>) -> tensor<1x2x?xf32>
  return %y : tensor<1x2x?xf32>
}

// -----

// Amounts that the run gives say where the tensor lies.

// CHECK-LABEL: func.func @pad
// CHECK-SAME: %[[LOW:[a-z0-9]+]]: index, %[[HIGH:[a-z0-9]+]]: index
// CHECK: %[[BOTH:.*]] = arith.addi %[[LOW]], %[[HIGH]]
// CHECK: %[[ALL:.*]] = arith.addi %[[BOTH]], %c4
// CHECK: tensor.empty(%[[ALL]]) : tensor<2x?xf32>
// CHECK: tensor.insert_slice %{{.*}} into %{{.*}}[0, %[[LOW]]] [2, 4] [1, 1]
func.func @pad(%x: tensor<2x4xf32>, %low: index, %high: index) -> tensor<2x?xf32> {
  %y = graph.pad %x by %low, %high {low = array<i64: 0, -9223372036854775808>, high = array<i64: 0, -9223372036854775808>} : (tensor<2x4xf32>, index, index) -> tensor<2x?xf32>
  return %y : tensor<2x?xf32>
}
