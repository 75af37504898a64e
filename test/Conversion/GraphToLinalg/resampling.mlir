// RUN: mho-opt %s -convert-graph-to-linalg -mlir-print-local-scope | FileCheck %s

// A few taps are read side by side in one nest without reductions.
// CHECK-LABEL: func.func @few_taps
// CHECK: linalg.generic
// CHECK-SAME: iterator_types = ["parallel", "parallel"]
// CHECK-COUNT-2: tensor.extract %arg0
// CHECK: linalg.yield
func.func @few_taps(%x: tensor<4x3xf32>) -> tensor<2x3xf32> {
  %t = arith.constant dense<[[0, 1], [2, 3]]> : tensor<2x2xi64>
  %w = arith.constant dense<[[0.5, 0.5], [0.25, 0.75]]> : tensor<2x2xf32>
  %y = graph.resample %x, %t, %w axis 0 : (tensor<4x3xf32>, tensor<2x2xi64>, tensor<2x2xf32>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// Many are a loop, summed in f32.
// CHECK-LABEL: func.func @many_taps
// CHECK: iterator_types = ["parallel", "parallel", "reduction"]
// CHECK: tensor.extract %arg0
// CHECK: arith.extf {{.*}} : f16 to f32
// CHECK: arith.truncf
func.func @many_taps(%x: tensor<4x30xf16>, %t: tensor<2x9xi64>, %w: tensor<2x9xf32>) -> tensor<4x2xf16> {
  %y = graph.resample %x, %t, %w axis 1 : (tensor<4x30xf16>, tensor<2x9xi64>, tensor<2x9xf32>) -> tensor<4x2xf16>
  return %y : tensor<4x2xf16>
}

// The four elements about a point; those outside count as zero.
// CHECK-LABEL: func.func @bilinear
// CHECK: linalg.generic
// CHECK: math.floor
// CHECK-COUNT-4: tensor.extract %arg0
func.func @bilinear(%x: tensor<1x2x4x5xf32>, %p: tensor<1x3x2xf32>) -> tensor<1x2x3xf32> {
  %y = graph.sample %x at %p {interpolation = "linear", border = "zeros"} : (tensor<1x2x4x5xf32>, tensor<1x3x2xf32>) -> tensor<1x2x3xf32>
  return %y : tensor<1x2x3xf32>
}

// Points may look into other images than their own number says.
// CHECK-LABEL: func.func @of_images
// CHECK: ^bb0(%{{.*}}: f32, %{{.*}}: f32, %[[NUMBER:.*]]: i64, %{{.*}}: f32):
// CHECK: math.roundeven
// CHECK: %[[IMAGE:.*]] = arith.index_cast %[[NUMBER]] : i64 to index
// CHECK: tensor.extract %arg0[%[[IMAGE]],
func.func @of_images(%x: tensor<3x2x4x5xf32>, %p: tensor<7x6x2xf32>, %i: tensor<7xi64>) -> tensor<7x2x6xf32> {
  %y = graph.sample %x at %p of %i {interpolation = "nearest", border = "edge"} : (tensor<3x2x4x5xf32>, tensor<7x6x2xf32>, tensor<7xi64>) -> tensor<7x2x6xf32>
  return %y : tensor<7x2x6xf32>
}
