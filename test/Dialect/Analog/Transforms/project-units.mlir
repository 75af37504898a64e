// RUN: mho-opt %s -analog-project-units | FileCheck %s

// A value used on another unit is sent behind its definition and received in
// front of its first use; unit 0 keeps arguments and results.

// CHECK: analog.channels = array<i32: 0, 1, 1, 0>
module attributes {analog.units = [{kind = "host", index = 0 : i32}, {kind = "core", index = 0 : i32}]} {

// CHECK-LABEL: func.func @unit_0_main
// CHECK-SAME: (%[[X:.*]]: tensor<4xf32> {mho.name = "x"}) -> (tensor<4xf32> {mho.name = "y"})
// CHECK-SAME: analog.unit = 0 : i32
// CHECK: %[[NEG:.*]] = graph.neg %[[X]]
// CHECK-NEXT: analog.send 0, %[[NEG]]
// CHECK: %[[BACK:.*]] = analog.recv 1
// CHECK: graph.exp %[[BACK]]
// CHECK-NOT: graph.relu

// CHECK-LABEL: func.func @unit_1_main()
// CHECK: %[[IN:.*]] = analog.recv 0
// CHECK: %[[OUT:.*]] = graph.relu %[[IN]]
// CHECK-NEXT: analog.send 1, %[[OUT]]
// CHECK-NEXT: return
func.func @main(%x: tensor<4xf32> {mho.name = "x"}) -> (tensor<4xf32> {mho.name = "y"}) {
  %a = graph.neg %x {unit = 0 : i32} : tensor<4xf32>
  %b = graph.relu %a {unit = 1 : i32} : tensor<4xf32>
  %c = graph.exp %b {unit = 0 : i32} : tensor<4xf32>
  return %c : tensor<4xf32>
}
}
