// RUN: mho-opt %s -analog-verify-placed -convert-graph-to-linalg -analog-project-units | FileCheck %s

// What an extent is computed from is sent once, with its bounds; the receiving
// unit computes the extents of all that arrives from it.

// CHECK: analog.channels = array<i32: 0, 1, 0, 1, 1, 0>
module attributes {analog.units = [{kind = "host", index = 0 : i32}, {kind = "core", index = 0 : i32}]} {

// CHECK-LABEL: func.func @unit_0_main
// CHECK: %[[N:.*]] = graph.extent of 0 dim 0 at_most 9
// CHECK: %[[WORD:.*]] = arith.index_cast %[[N]] : index to i64
// CHECK: %[[SCALAR:.*]] = tensor.from_elements %[[WORD]] : tensor<i64>
// CHECK: analog.send 0, %[[SCALAR]]
// CHECK: %[[X:.*]] = tensor.extract_slice
// CHECK: analog.send 1, %[[X]] : tensor<?x4xf32>
// CHECK: analog.recv 2

// CHECK-LABEL: func.func @unit_1_main()
// CHECK: %[[GOT:.*]] = analog.recv 0
// CHECK: %[[M:.*]] = graph.bound %{{.*}} from 0 to 9
// CHECK: %[[ROOM:.*]] = tensor.empty(%[[M]]) : tensor<?x4xf32>
// CHECK: analog.recv 1 outs(%[[ROOM]]
// CHECK: linalg.generic
// CHECK: %[[BOTH:.*]] = arith.addi %[[M]], %[[M]] : index
// CHECK: tensor.empty(%[[BOTH]]) : tensor<?x4xf32>
// CHECK: analog.send 2
func.func @main(%arg0: tensor<9x4xf32>) -> tensor<18x4xf32> {
  %n = graph.extent of 0 dim 0 at_most 9 {unit = 0 : i32}
  %x = tensor.extract_slice %arg0[0, 0] [%n, 4] [1, 1] {unit = 0 : i32} : tensor<9x4xf32> to tensor<?x4xf32>
  %y = graph.neg %x {unit = 1 : i32} : tensor<?x4xf32>
  %z = graph.concat %x, %y axis 0 {unit = 1 : i32} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %e = tensor.empty() : tensor<18x4xf32>
  %m = arith.addi %n, %n : index
  %r = tensor.insert_slice %z into %e[0, 0] [%m, 4] [1, 1] {unit = 0 : i32} : tensor<?x4xf32> into tensor<18x4xf32>
  graph.set_extent %m of 0 dim 0 {unit = 0 : i32}
  return %r : tensor<18x4xf32>
}
}
