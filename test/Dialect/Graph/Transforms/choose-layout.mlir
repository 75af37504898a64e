// RUN: mho-opt %s -split-input-file -graph-choose-layout | FileCheck %s

// Two convolutions and what lies between become channels last; one transpose
// is left at each border of the program.

// CHECK-LABEL: func.func @between
// CHECK: graph.transpose %arg0 [0, 2, 3, 1]
// CHECK: graph.conv {{.*}}channels_last
// CHECK-NEXT: graph.relu %{{.*}} : tensor<1x8x8x4xf32>
// CHECK-NEXT: graph.conv {{.*}}channels_last
// CHECK-NEXT: graph.transpose %{{.*}} [0, 3, 1, 2]
// CHECK-NOT: graph.transpose
func.func @between(%x: tensor<1x3x8x8xf32>, %w: tensor<4x3x1x1xf32>, %v: tensor<4x4x1x1xf32>) -> tensor<1x4x8x8xf32> {
  %a = graph.conv %x, %w {kernel = array<i64: 1, 1>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x3x8x8xf32>, tensor<4x3x1x1xf32>) -> tensor<1x4x8x8xf32>
  %b = graph.relu %a : tensor<1x4x8x8xf32>
  %c = graph.conv %b, %v {kernel = array<i64: 1, 1>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>, tensor<4x4x1x1xf32>) -> tensor<1x4x8x8xf32>
  return %c : tensor<1x4x8x8xf32>
}

// -----

// Padding amounts and slice bounds move with their axes.

// CHECK-LABEL: func.func @shortcut
// CHECK: graph.max_pool
// CHECK: graph.slice %{{.*}} [0, 0, 0, 0] steps [1, 2, 2, 1]
// CHECK: graph.pad %{{.*}}high = array<i64: 0, 0, 0, 2>{{.*}}low = array<i64: 0, 0, 0, 1>
func.func @shortcut(%x: tensor<1x3x8x8xf32>) -> tensor<1x6x4x4xf32> {
  %p = graph.max_pool %x {kernel = array<i64: 1, 1>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32>
  %s = graph.slice %p [0, 0, 0, 0] steps [1, 1, 2, 2] : (tensor<1x3x8x8xf32>) -> tensor<1x3x4x4xf32>
  %y = graph.pad %s {low = array<i64: 0, 1, 0, 0>, high = array<i64: 0, 2, 0, 0>} : (tensor<1x3x4x4xf32>) -> tensor<1x6x4x4xf32>
  return %y : tensor<1x6x4x4xf32>
}

// -----

// So do amounts that only the run knows.

// CHECK-LABEL: func.func @run_time_border
// CHECK-SAME: %[[LEFT:[a-z0-9]+]]: index, %[[BELOW:[a-z0-9]+]]: index
// CHECK: graph.pad %{{.*}} by %[[LEFT]], %[[BELOW]] {high = array<i64: 0, -9223372036854775808, 0, 0>, low = array<i64: 0, 0, -9223372036854775808, 0>
func.func @run_time_border(%x: tensor<1x3x8x8xf32>, %left: index, %below: index) -> tensor<1x3x?x?xf32> {
  %p = graph.max_pool %x {kernel = array<i64: 1, 1>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x3x8x8xf32>) -> tensor<1x3x8x8xf32>
  %y = graph.pad %p by %left, %below {low = array<i64: 0, 0, 0, -9223372036854775808>, high = array<i64: 0, 0, -9223372036854775808, 0>} : (tensor<1x3x8x8xf32>, index, index) -> tensor<1x3x?x?xf32>
  return %y : tensor<1x3x?x?xf32>
}

// -----

// Resizing between images happens where the channels are last.

// CHECK-LABEL: func.func @resize
// CHECK: graph.max_pool
// CHECK-NEXT: graph.gather %{{.*}} axis 1 : (tensor<1x2x3x4xf32>, tensor<4xi64>) -> tensor<1x4x3x4xf32>
// CHECK-NEXT: graph.resample %{{.*}} axis 2 : (tensor<1x4x3x4xf32>, tensor<5x2xi64>, tensor<5x2xf32>) -> tensor<1x4x5x4xf32>
// CHECK-NEXT: graph.sum_pool {{.*}}channels_last
func.func @resize(%x: tensor<1x4x4x6xf32>, %t: tensor<5x2xi64>, %w: tensor<5x2xf32>) -> tensor<1x4x2x3xf32> {
  %p = graph.max_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x4x6xf32>) -> tensor<1x4x2x3xf32>
  %i = arith.constant dense<[0, 0, 1, 1]> : tensor<4xi64>
  %g = graph.gather %p, %i axis 2 : (tensor<1x4x2x3xf32>, tensor<4xi64>) -> tensor<1x4x4x3xf32>
  %r = graph.resample %g, %t, %w axis 3 : (tensor<1x4x4x3xf32>, tensor<5x2xi64>, tensor<5x2xf32>) -> tensor<1x4x4x5xf32>
  %s = graph.sum_pool %r {kernel = array<i64: 3, 3>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x4x5xf32>) -> tensor<1x4x2x3xf32>
  return %s : tensor<1x4x2x3xf32>
}

// -----

// Pools without a border between borders of the program stay in planes, also
// where elements are changed before or behind them; next to a convolution they
// do not, nor do pools that are copied into a border.

// CHECK-LABEL: func.func @alone
// CHECK-NOT: graph.transpose
// CHECK: graph.average_pool
// CHECK-NOT: channels_last
// CHECK: return
func.func @alone(%x: tensor<1x4x64x64xf32>) -> tensor<1x4x32x32xf32> {
  %a = graph.relu %x : tensor<1x4x64x64xf32>
  %p = graph.average_pool %a {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x64x64xf32>) -> tensor<1x4x32x32xf32>
  %y = graph.sigmoid %p : tensor<1x4x32x32xf32>
  return %y : tensor<1x4x32x32xf32>
}

// CHECK-LABEL: func.func @beside
// CHECK: graph.transpose %{{.*}} [0, 2, 3, 1]
// CHECK-NEXT: graph.average_pool {{.*}}channels_last
// CHECK-NEXT: graph.relu
// CHECK-NEXT: graph.conv {{.*}}channels_last
func.func @beside(%x: tensor<1x4x64x64xf32>, %w: tensor<4x4x1x1xf32>) -> tensor<1x4x32x32xf32> {
  %p = graph.average_pool %x {kernel = array<i64: 2, 2>, strides = array<i64: 2, 2>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x64x64xf32>) -> tensor<1x4x32x32xf32>
  %a = graph.relu %p : tensor<1x4x32x32xf32>
  %y = graph.conv %a, %w {kernel = array<i64: 1, 1>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x32x32xf32>, tensor<4x4x1x1xf32>) -> tensor<1x4x32x32xf32>
  return %y : tensor<1x4x32x32xf32>
}

// CHECK-LABEL: func.func @in_a_border
// CHECK: graph.transpose %{{.*}} [0, 2, 3, 1]
// CHECK-NEXT: graph.max_pool {{.*}}channels_last
func.func @in_a_border(%x: tensor<1x4x64x64xf32>) -> tensor<1x4x32x32xf32> {
  %y = graph.max_pool %x {kernel = array<i64: 3, 3>, strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x64x64xf32>) -> tensor<1x4x32x32xf32>
  return %y : tensor<1x4x32x32xf32>
}
