// RUN: mho-opt %s -split-input-file -analog-place-banks=chip=hermes -analog-set-ranges -analog-verify-placed | FileCheck %s
// RUN: mho-opt %s -split-input-file -analog-place-banks=chip=ideal -analog-set-ranges -analog-verify-placed | FileCheck %s --check-prefix=IDEAL

// 576 rows are three equal parts of 192 on three cores, summed from core to
// core; the ReLU behind runs on the last one.

// CHECK: analog.bank @conv
// CHECK-SAME: row_splits = array<i64: 0, 192, 384, 576>
// IDEAL: analog.bank @conv
// IDEAL-SAME: row_splits = array<i64: 0, 288, 576>
// CHECK-LABEL: func.func @main
// CHECK: %[[P0:.*]] = analog.mvm @conv rows[0, 1] columns[0, 1] {{.*}} {unit = 1 : i32}
// CHECK: %[[P1:.*]] = analog.mvm @conv rows[1, 2] columns[0, 1] {{.*}} {unit = 2 : i32}
// CHECK: %[[S1:.*]] = graph.add %[[P0]], %[[P1]] {unit = 2 : i32}
// CHECK: %[[P2:.*]] = analog.mvm @conv rows[2, 3] columns[0, 1] {{.*}} {shift, unit = 3 : i32}
// CHECK: %[[S2:.*]] = graph.add %[[S1]], %[[P2]] {unit = 3 : i32}
// CHECK: graph.relu %[[S2]] {unit = 3 : i32}
// IDEAL-LABEL: func.func @main
// IDEAL: analog.mvm @conv rows[0, 2] columns[0, 1] {{.*}} {shift, unit = 0 : i32}
// IDEAL: graph.relu {{.*}} {unit = 0 : i32}
func.func @main(%x: tensor<1x8x8x64xf32>) -> tensor<1x8x8x64xf32> {
  %w = arith.constant dense<0.5> : tensor<64x64x3x3xf32>
  %y = analog.matmul %x, %w
    view <rows = [2, 3, 1] columns = [0] offsets = [0, 0, 0, 0] sizes = [64, 64, 3, 3]>
    window <kernel = [3, 3] strides = [1, 1] dilations = [1, 1] pads = [1, 1, 1, 1]>
    <"differential" x 2> {sym = "conv"} : (tensor<1x8x8x64xf32>, tensor<64x64x3x3xf32>) -> tensor<1x8x8x64xf32>
  %z = graph.relu %y : tensor<1x8x8x64xf32>
  return %z : tensor<1x8x8x64xf32>
}

// -----

// Tied weights are one bank.

// CHECK: analog.bank @first
// CHECK-NOT: analog.bank
// CHECK: analog.mvm @first
// CHECK: analog.mvm @first
func.func @main(%x: tensor<1x4xf32>) -> tensor<1x4xf32> {
  %w = arith.constant dense<0.5> : tensor<4x4xf32>
  %y = analog.matmul %x, %w view <rows = [0] columns = [1] offsets = [0, 0] sizes = [4, 4]>
    <"differential" x 2> {sym = "first"} : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
  %z = analog.matmul %y, %w view <rows = [0] columns = [1] offsets = [0, 0] sizes = [4, 4]>
    <"differential" x 2> {sym = "second"} : (tensor<1x4xf32>, tensor<4x4xf32>) -> tensor<1x4xf32>
  return %z : tensor<1x4xf32>
}

// -----

// A product in a loop: its parts and their sums stay in the loop, the state is
// sliced there, and the ReLU behind the loop is not drawn into it.

// CHECK: analog.bank @state
// CHECK: scf.for {{.*}} iter_args(%[[H:.*]] = %{{.*}})
// CHECK: %[[LOW:.*]] = tensor.extract_slice %[[H]][0, 0] [1, 256] [1, 1] {unit = 0 : i32}
// CHECK: analog.mvm @state rows[0, 1] columns[0, 1] ins(%[[LOW]]
// CHECK: graph.add {{.*}} {unit = 2 : i32}
// CHECK-NOT: graph.relu
// CHECK: scf.yield
// CHECK: graph.relu {{.*}} {unit = 0 : i32}
func.func @main(%h: tensor<1x512xf32>) -> tensor<1x512xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c9 = arith.constant 9 : index
  %w = arith.constant dense<0.5> : tensor<512x512xf32>
  %y = scf.for %t = %c0 to %c9 step %c1 iter_args(%s = %h) -> (tensor<1x512xf32>) {
    %n = analog.matmul %s, %w view <rows = [0] columns = [1] offsets = [0, 0] sizes = [512, 512]>
      <"differential" x 2> {sym = "state"} : (tensor<1x512xf32>, tensor<512x512xf32>) -> tensor<1x512xf32>
    scf.yield %n : tensor<1x512xf32>
  }
  %z = graph.relu %y : tensor<1x512xf32>
  return %z : tensor<1x512xf32>
}

// -----

// 300 columns are 75 hidden units of four gates: no unit is cut in two, where
// 2 x 150 would. With 256 units of three gates that would take a fourth part,
// so they are cut where 256 columns end.

// CHECK: analog.bank @lstm
// CHECK-SAME: col_splits = array<i64: 0, 152, 300>
// CHECK: analog.bank @gru
// CHECK-SAME: col_splits = array<i64: 0, 256, 512, 768>
// IDEAL: analog.bank @lstm
// IDEAL-SAME: col_splits = array<i64: 0, 300>
// IDEAL: analog.bank @gru
// IDEAL-SAME: col_splits = array<i64: 0, 384, 768>
func.func @main(%x: tensor<1x8xf32>) -> (tensor<1x300xf32>, tensor<1x768xf32>) {
  %w = arith.constant dense<0.5> : tensor<4x75x8xf32>
  %r = arith.constant dense<0.25> : tensor<3x256x8xf32>
  %y = analog.matmul %x, %w
    view <rows = [2] columns = [1, 0] offsets = [0, 0, 0] sizes = [4, 75, 8] order = [0, 3, 2, 1]>
    <"differential" x 2> {sym = "lstm"} : (tensor<1x8xf32>, tensor<4x75x8xf32>) -> tensor<1x300xf32>
  %z = analog.matmul %x, %r
    view <rows = [2] columns = [1, 0] offsets = [0, 0, 0] sizes = [3, 256, 8]>
    <"differential" x 2> {sym = "gru"} : (tensor<1x8xf32>, tensor<3x256x8xf32>) -> tensor<1x768xf32>
  return %y, %z : tensor<1x300xf32>, tensor<1x768xf32>
}
