// RUN: mho-opt %s -split-input-file -graph-expose-weights | FileCheck %s

// A constant on the left goes to the right.

// CHECK-LABEL: func.func @left
// CHECK-DAG: %[[W:.*]] = arith.constant dense<{{.*}}> : tensor<3x2xf32>
// CHECK-DAG: %[[X:.*]] = graph.transpose %arg0 [1, 0]
// CHECK: %[[Y:.*]] = graph.matmul %[[X]], %[[W]] : (tensor<5x3xf32>, tensor<3x2xf32>) -> tensor<5x2xf32>
// CHECK: graph.transpose %[[Y]] [1, 0] : (tensor<5x2xf32>) -> tensor<2x5xf32>
func.func @left(%x: tensor<3x5xf32>) -> tensor<2x5xf32> {
  %w = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %y = graph.matmul %w, %x : (tensor<2x3xf32>, tensor<3x5xf32>) -> tensor<2x5xf32>
  return %y : tensor<2x5xf32>
}

// -----

// A vector is a row on either side.

// CHECK-LABEL: func.func @left_of_vector
// CHECK: graph.matmul %arg0, %{{.*}} : (tensor<3xf32>, tensor<3x2xf32>) -> tensor<2xf32>
func.func @left_of_vector(%x: tensor<3xf32>) -> tensor<2xf32> {
  %w = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32>
  %y = graph.matmul %w, %x : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// -----

// Gemm's flags trade places; what it adds comes behind.

// CHECK-LABEL: func.func @gemm
// CHECK: %[[Y:.*]] = graph.gemm %arg0, %{{[a-z0-9_]+}} {alpha = 5.000000e-01 : f32, trans_a}
// CHECK: %[[T:.*]] = graph.transpose %[[Y]] [1, 0]
// CHECK: graph.add %[[T]], %arg1
func.func @gemm(%x: tensor<3x5xf32>, %c: tensor<2x5xf32>) -> tensor<2x5xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %y = graph.gemm %w, %x, %c {alpha = 0.5 : f32, trans_a} : (tensor<3x2xf32>, tensor<3x5xf32>, tensor<2x5xf32>) -> tensor<2x5xf32>
  return %y : tensor<2x5xf32>
}

// -----

// A constant vector on the right is one column.

// CHECK-LABEL: func.func @column
// CHECK: %[[Y:.*]] = graph.matmul %arg0, %{{.*}} : (tensor<4x3xf32>, tensor<3x1xf32>) -> tensor<4x1xf32>
// CHECK: graph.reshape %[[Y]] : (tensor<4x1xf32>) -> tensor<4xf32>
func.func @column(%x: tensor<4x3xf32>) -> tensor<4xf32> {
  %w = arith.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %y = graph.matmul %x, %w : (tensor<4x3xf32>, tensor<3xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

// Two changing factors stay.

// CHECK-LABEL: func.func @both_change
// CHECK-NEXT: graph.matmul %arg0, %arg1
func.func @both_change(%x: tensor<4x3xf32>, %y: tensor<3x2xf32>) -> tensor<4x2xf32> {
  %z = graph.matmul %x, %y : (tensor<4x3xf32>, tensor<3x2xf32>) -> tensor<4x2xf32>
  return %z : tensor<4x2xf32>
}

// -----

// A product with a one-hot matrix takes rows; indices that match nothing give
// zeros.

// CHECK-LABEL: func.func @one_hot
// CHECK-NOT: graph.matmul
// CHECK: %[[I:.*]] = graph.cast %{{.*}} : tensor<2x5xi32> to tensor<2x5xi64>
// CHECK: %[[IN:.*]] = graph.clip %[[I]]
// CHECK: %[[ROWS:.*]] = graph.gather %{{.*}}, %[[IN]] axis 0 : (tensor<3x4xf32>, tensor<2x5xi64>) -> tensor<2x5x4xf32>
// CHECK: %[[OK:.*]] = graph.equal %[[I]], %[[IN]]
// CHECK: graph.where %{{.*}}, %[[ROWS]]
func.func @one_hot(%i: tensor<2x5x1xi32>, %w: tensor<1xf32>) -> tensor<2x5x4xf32> {
  %n = arith.constant dense<[[[0, 1, 2]]]> : tensor<1x1x3xi32>
  %w0 = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], [9.0, 10.0, 11.0, 12.0]]> : tensor<3x4xf32>
  %e = graph.equal %i, %n : (tensor<2x5x1xi32>, tensor<1x1x3xi32>) -> tensor<2x5x3xi1>
  %h = graph.cast %e : tensor<2x5x3xi1> to tensor<2x5x3xf32>
  %y = graph.matmul %h, %w0 : (tensor<2x5x3xf32>, tensor<3x4xf32>) -> tensor<2x5x4xf32>
  return %y : tensor<2x5x4xf32>
}

// -----

// Numbers that do not count up are no one-hot matrix.

// CHECK-LABEL: func.func @not_one_hot
// CHECK: graph.matmul
func.func @not_one_hot(%i: tensor<5x1xi32>) -> tensor<5x2xf32> {
  %n = arith.constant dense<[0, 2, 1]> : tensor<3xi32>
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %e = graph.equal %i, %n : (tensor<5x1xi32>, tensor<3xi32>) -> tensor<5x3xi1>
  %h = graph.cast %e : tensor<5x3xi1> to tensor<5x3xf32>
  %y = graph.matmul %h, %w : (tensor<5x3xf32>, tensor<3x2xf32>) -> tensor<5x2xf32>
  return %y : tensor<5x2xf32>
}

// -----

// A stack of matrices is a product each; each takes its part of the input, or
// all of it where the input is no stack.

// CHECK-LABEL: func.func @stack
// CHECK: %[[X0:.*]] = graph.slice %arg0 [0, 0, 0]
// CHECK: %[[Y0:.*]] = graph.matmul %[[X0]], %{{.*}} : (tensor<1x5x4xf32>, tensor<4x3xf32>) -> tensor<1x5x3xf32>
// CHECK: %[[X1:.*]] = graph.slice %arg0 [1, 0, 0]
// CHECK: %[[Y1:.*]] = graph.matmul %[[X1]]
// CHECK: graph.concat %[[Y0]], %[[Y1]] axis 0
func.func @stack(%x: tensor<2x5x4xf32>) -> tensor<2x5x3xf32> {
  %w = arith.constant dense<2.0> : tensor<2x4x3xf32>
  %y = graph.matmul %x, %w : (tensor<2x5x4xf32>, tensor<2x4x3xf32>) -> tensor<2x5x3xf32>
  return %y : tensor<2x5x3xf32>
}

// -----

// CHECK-LABEL: func.func @stack_of_one_input
// CHECK-NOT: graph.slice %arg0
// CHECK: %[[Y0:.*]] = graph.matmul %arg0, %{{.*}} : (tensor<5x4xf32>, tensor<4x3xf32>) -> tensor<5x3xf32>
// CHECK: %[[R0:.*]] = graph.reshape %[[Y0]] : (tensor<5x3xf32>) -> tensor<1x5x3xf32>
// CHECK: graph.concat %[[R0]], %{{.*}} axis 0
func.func @stack_of_one_input(%x: tensor<5x4xf32>) -> tensor<2x5x3xf32> {
  %w = arith.constant dense<2.0> : tensor<2x4x3xf32>
  %y = graph.matmul %x, %w : (tensor<5x4xf32>, tensor<2x4x3xf32>) -> tensor<2x5x3xf32>
  return %y : tensor<2x5x3xf32>
}
