// RUN: mho-opt %s -split-input-file "-convert-graph-to-analog=gates=icfo" -canonicalize | FileCheck %s
// RUN: mho-opt %s -split-input-file -convert-graph-to-analog -canonicalize | FileCheck %s --check-prefix=APART

// Columns are taken hidden unit by hidden unit, the gates i, o, f, c of each in
// the chip's order i, c, f, o (numbers 0, 3, 2, 1), and so are their shifts. A
// gate of the result is read where it lies: no step puts gates together again.

// CHECK-LABEL: func.func @lstm
// CHECK-SAME: %[[X:.*]]: tensor<5x3xf32>
// CHECK-DAG: %[[SHIFT:.*]] = arith.constant dense<[1.000000e+00, 7.000000e+00, 5.000000e+00, 3.000000e+00, 2.000000e+00, 8.000000e+00, 6.000000e+00, 4.000000e+00]> : tensor<8xf32>
// CHECK-DAG: %[[W:.*]] = arith.constant dense<{{.*}}> : tensor<4x2x3xf32>
// CHECK: %[[Y:.*]] = analog.matmul %[[X]], %[[W]] shift %[[SHIFT]] view <rows = [2] columns = [1, 0] offsets = [0, 0, 0] sizes = [4, 2, 3] order = [0, 3, 2, 1]>
// CHECK: %[[ROWS:.*]] = graph.reshape %[[Y]] : (tensor<5x8xf32>) -> tensor<5x2x4xf32>
// CHECK: %[[GATE:.*]] = graph.slice %[[ROWS]] [0, 0, 1]{{.*}} -> tensor<5x2x1xf32>
// CHECK: %[[CELL:.*]] = graph.reshape %[[GATE]] : (tensor<5x2x1xf32>) -> tensor<5x2xf32>
// CHECK-NOT: graph.concat
// CHECK: return %[[CELL]]

// APART-LABEL: func.func @lstm
// APART: analog.matmul {{.*}} view <rows = [1] columns = [0] offsets = [0, 0] sizes = [8, 3]>
func.func @lstm(%x: tensor<5x3xf32>) -> tensor<5x2xf32> {
  %w = arith.constant dense<[[0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.8, 0.9], [1.0, 1.1, 1.2], [1.3, 1.4, 1.5], [1.6, 1.7, 1.8], [1.9, 2.0, 2.1], [2.2, 2.3, 2.4]]> : tensor<8x3xf32>
  %b = arith.constant dense<[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]> : tensor<8xf32>
  %y = graph.gemm %x, %w, %b {trans_b, gates = "iofc"} : (tensor<5x3xf32>, tensor<8x3xf32>, tensor<8xf32>) -> tensor<5x8xf32>
  %cell = graph.slice %y [0, 6] steps [1, 1] : (tensor<5x8xf32>) -> tensor<5x2xf32>
  return %cell : tensor<5x2xf32>
}

// -----

// Two of a GRU's three gates: the chip names none of them, so they stay in the
// model's order.

// CHECK-LABEL: func.func @gru
// CHECK: analog.matmul {{.*}} view <rows = [2] columns = [1, 0] offsets = [0, 0, 0] sizes = [2, 2, 3]>
func.func @gru(%x: tensor<5x3xf32>) -> tensor<5x4xf32> {
  %w = arith.constant dense<0.5> : tensor<6x3xf32>
  %zr = graph.slice %w [0, 0] steps [1, 1] : (tensor<6x3xf32>) -> tensor<4x3xf32>
  %y = graph.gemm %x, %zr {trans_b, gates = "zr"} : (tensor<5x3xf32>, tensor<4x3xf32>) -> tensor<5x4xf32>
  return %y : tensor<5x4xf32>
}
