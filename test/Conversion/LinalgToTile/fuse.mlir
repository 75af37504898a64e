// RUN: mho-opt %s -convert-graph-to-linalg -fuse-kernels -canonicalize -cse -mlir-print-debuginfo -mlir-print-local-scope | FileCheck %s

// One kernel, which names every node it came from; its micro-ops keep theirs.

// CHECK-LABEL: func.func @chain
// CHECK: linalg.generic
// CHECK: arith.addf %{{.*}} loc("a"("@Add"))
// CHECK: arith.maximumf %{{.*}} loc("r"("@Relu"))
// CHECK: } -> tensor<4x8xf32> loc(fused["t"("@Transpose"), "a"("@Add"), "r"("@Relu")])
// CHECK-NOT: linalg.generic
func.func @chain(%x: tensor<8x4xf32>, %b: tensor<8xf32>) -> tensor<4x8xf32> {
  %t = graph.transpose %x [1, 0] : (tensor<8x4xf32>) -> tensor<4x8xf32> loc("t"("@Transpose"))
  %a = graph.add %t, %b : (tensor<4x8xf32>, tensor<8xf32>) -> tensor<4x8xf32> loc("a"("@Add"))
  %y = graph.relu %a : tensor<4x8xf32> loc("r"("@Relu"))
  return %y : tensor<4x8xf32>
}

// What has two readers that do not meet is computed once.
// CHECK-LABEL: func.func @shared
// CHECK: math.exp
// CHECK: linalg.generic
// CHECK-NOT: math.exp
// CHECK: linalg.generic
// CHECK-NOT: math.exp
// CHECK: return
func.func @shared(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %e = graph.exp %x : tensor<8xf32>
  %a = graph.neg %e : tensor<8xf32>
  %b = graph.relu %e : tensor<8xf32>
  return %a, %b : tensor<8xf32>, tensor<8xf32>
}

// exp would run once per column of the product: it stays outside. The
// transposed weight costs nothing inside.
// CHECK-LABEL: func.func @product
// CHECK: math.exp
// CHECK: } -> tensor<4x8xf32>
// CHECK: linalg.generic
// CHECK-SAME: affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-SAME: tile.init = [0.000000e+00 : f32]
// CHECK: arith.mulf
func.func @product(%x: tensor<4x8xf32>, %w: tensor<3x8xf32>) -> tensor<4x3xf32> {
  %e = graph.exp %x : tensor<4x8xf32>
  %t = graph.transpose %w [1, 0] : (tensor<3x8xf32>) -> tensor<8x3xf32>
  %y = graph.matmul %e, %t : (tensor<4x8xf32>, tensor<8x3xf32>) -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// A window reads elements several times: nothing is computed inside.
// CHECK-LABEL: func.func @window
// CHECK: math.exp
// CHECK: } -> tensor<1x4x6xf32>
// CHECK: "reduction"
// CHECK-NOT: math.exp
func.func @window(%x: tensor<1x4x6xf32>) -> tensor<1x4x4xf32> {
  %e = graph.exp %x : tensor<1x4x6xf32>
  %y = graph.max_pool %e {kernel = array<i64: 3>, strides = array<i64: 1>, pads = array<i64: 0, 0>, dilations = array<i64: 1>} : (tensor<1x4x6xf32>) -> tensor<1x4x4xf32>
  return %y : tensor<1x4x4xf32>
}

// A transposed tensor with two readers goes into both; nothing is left of it.
// CHECK-LABEL: func.func @moved_twice
// CHECK-COUNT-2: linalg.generic
// CHECK-NOT: linalg.generic
func.func @moved_twice(%x: tensor<4x8xf32>) -> (tensor<8xf32>, tensor<8x4xf32>) {
  %t = graph.transpose %x [1, 0] : (tensor<4x8xf32>) -> tensor<8x4xf32>
  %s = graph.reduce_sum %t {axes = array<i64: 1>} : (tensor<8x4xf32>) -> tensor<8xf32>
  %e = graph.exp %t : tensor<8x4xf32>
  return %s, %e : tensor<8xf32>, tensor<8x4xf32>
}

// Only the broadcast says how far the sum runs: it stays.
// CHECK-LABEL: func.func @sum_of_broadcast
// CHECK-COUNT-2: linalg.generic
func.func @sum_of_broadcast(%x: tensor<8x1xf32>) -> tensor<8xf32> {
  %t = graph.expand %x : (tensor<8x1xf32>) -> tensor<8x4xf32>
  %s = graph.reduce_sum %t {axes = array<i64: 1>} : (tensor<8x4xf32>) -> tensor<8xf32>
  return %s : tensor<8xf32>
}

// What is computed in front of a loop is not computed in its trips; what only
// moves is read where it is.
// CHECK-LABEL: func.func @before_loop
// CHECK: %[[E:.*]] = linalg.generic
// CHECK: math.exp
// CHECK: scf.for
// CHECK-NOT: math.exp
// CHECK: linalg.generic {{.*}} ins(%[[E]], %{{.*}}, %arg0
// CHECK-NOT: linalg.generic
func.func @before_loop(%x: tensor<8x4xf32>, %h: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  %e = graph.exp %h : tensor<4x8xf32>
  %t = graph.transpose %x [1, 0] : (tensor<8x4xf32>) -> tensor<4x8xf32>
  %y = scf.for %i = %c0 to %c9 step %c1 iter_args(%s = %h) -> (tensor<4x8xf32>) {
    %a = graph.add %e, %s : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
    %b = graph.mul %a, %t : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>
    scf.yield %b : tensor<4x8xf32>
  }
  return %y : tensor<4x8xf32>
}

// A value that is read twice, by what ends up in one op, is computed in it.
// CHECK-LABEL: func.func @diamond
// CHECK: linalg.generic
// CHECK-SAME: ins(%arg0 : tensor<8xf32>)
// CHECK: math.exp
// CHECK: math.absf
// CHECK: arith.mulf
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @diamond(%x: tensor<8xf32>) -> tensor<8xf32> {
  %p = graph.exp %x : tensor<8xf32>
  %q = graph.abs %p : tensor<8xf32>
  %y = graph.mul %p, %q : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  return %y : tensor<8xf32>
}
