// RUN: mho-opt %s -analog-verify-placed -analog-project-units -split-input-file | FileCheck %s

// A loop is made on every unit that has something inside. What it carries stays
// where it is computed; a value from outside arrives in front of the loop, one
// from inside in every trip.

// CHECK: analog.channels = array<i32: 0, 2, 0, 1, 1, 0>
module attributes {analog.units = [{kind = "host", index = 0 : i32}, {kind = "core", index = 0 : i32}, {kind = "core", index = 1 : i32}]} {

// CHECK-LABEL: func.func @unit_0_main
// CHECK-SAME: (%[[X:.*]]: tensor<6x4xf32>, %[[B:.*]]: tensor<4xf32>)
// CHECK: analog.send 0, %[[B]]
// CHECK: %[[H:.*]] = scf.for %[[T:.*]] = {{.*}} iter_args(%{{.*}}) -> (tensor<4xf32>)
// CHECK: %[[XT:.*]] = tensor.extract_slice %[[X]][%[[T]], 0]
// CHECK-NEXT: analog.send 1, %[[XT]]
// CHECK: %[[BACK:.*]] = analog.recv 2
// CHECK: %[[NEW:.*]] = graph.tanh %[[BACK]]
// CHECK: scf.yield %[[NEW]]

// CHECK-LABEL: func.func @unit_1_main()
// CHECK: scf.for
// CHECK-NOT: iter_args
// CHECK: %[[IN:.*]] = analog.recv 1
// CHECK: %[[U:.*]] = graph.neg %[[IN]]
// CHECK-NEXT: analog.send 2, %[[U]]

// CHECK-LABEL: func.func @unit_2_main()
// CHECK: %[[ONCE:.*]] = analog.recv 0
// CHECK: scf.for {{.*}} iter_args(%[[S:.*]] = %[[ONCE]])
// CHECK-NEXT: %[[S1:.*]] = graph.relu %[[S]]
// CHECK-NEXT: scf.yield %[[S1]]
func.func @main(%x: tensor<6x4xf32>, %b: tensor<4xf32>) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c6 = arith.constant 6 : index
  %h:2 = scf.for %t = %c0 to %c6 step %c1 iter_args(%ha = %b, %s = %b) -> (tensor<4xf32>, tensor<4xf32>) {
    %xt = tensor.extract_slice %x[%t, 0] [1, 4] [1, 1] {unit = 0 : i32} : tensor<6x4xf32> to tensor<4xf32>
    %u = graph.neg %xt {unit = 1 : i32} : tensor<4xf32>
    %g = graph.tanh %u {unit = 0 : i32} : tensor<4xf32>
    %s1 = graph.relu %s {unit = 2 : i32} : tensor<4xf32>
    scf.yield %g, %s1 : tensor<4xf32>, tensor<4xf32>
  }
  return %h#0 : tensor<4xf32>
}
}

// -----

// A branch's condition is sent as a scalar to every unit that has a part of
// it; a result stays where it is computed.

module attributes {analog.units = [{kind = "host", index = 0 : i32}, {kind = "core", index = 0 : i32}]} {

// CHECK-LABEL: func.func @unit_0_main
// CHECK: %[[C:.*]] = tensor.extract
// CHECK: %[[PACKED:.*]] = tensor.from_elements %[[C]] : tensor<i1>
// CHECK: analog.send {{[0-9]+}}, %[[PACKED]]
// CHECK: %[[Y:.*]] = analog.recv
// CHECK: return %[[Y]]

// CHECK-LABEL: func.func @unit_1_main
// CHECK: %[[MSG:.*]] = analog.recv {{.*}} -> tensor<i1>
// CHECK: %[[C:.*]] = tensor.extract %[[MSG]][]
// CHECK: %[[Y:.*]] = scf.if %[[C]]
// CHECK: analog.send {{[0-9]+}}, %[[Y]]
func.func @main(%x: tensor<4xf32>, %c: tensor<i1>) -> tensor<4xf32> {
  %s = tensor.extract %c[] {unit = 0 : i32} : tensor<i1>
  %y = scf.if %s -> (tensor<4xf32>) {
    %a = graph.neg %x {unit = 1 : i32} : tensor<4xf32>
    scf.yield %a : tensor<4xf32>
  } else {
    %b = graph.exp %x {unit = 0 : i32} : tensor<4xf32>
    scf.yield %b : tensor<4xf32>
  }
  return %y : tensor<4xf32>
}
}

// -----

// A counter that needs no tensor is counted on each unit; the condition goes
// from the unit that computes it to the others, once a trip.

module attributes {analog.units = [{kind = "host", index = 0 : i32}, {kind = "core", index = 0 : i32}]} {

// CHECK-LABEL: func.func @unit_0_main
// CHECK: scf.while (%{{.*}} = %{{.*}}) : (i64) -> i64
// CHECK: %[[S:.*]] = tensor.extract
// CHECK-NEXT: tensor.from_elements %[[S]]
// CHECK-NEXT: analog.send
// CHECK: scf.condition

// CHECK-LABEL: func.func @unit_1_main
// CHECK: scf.while (%{{.*}} = %{{.*}}, %{{.*}} = %{{.*}}) : (tensor<4xf32>, i64) -> (tensor<4xf32>, i64)
// CHECK: tensor.extract
// CHECK: scf.condition(%{{.*}}) %{{.*}}, %{{.*}} : tensor<4xf32>, i64
// CHECK: graph.add
// CHECK: arith.addi
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c9 = arith.constant 9 : i64
  %limit = arith.constant 100.0 : f32
  %y:2 = scf.while (%a = %x, %i = %c0) : (tensor<4xf32>, i64) -> (tensor<4xf32>, i64) {
    %m = graph.reduce_max %a {axes = array<i64: 0>, unit = 0 : i32} : (tensor<4xf32>) -> tensor<f32>
    %s = tensor.extract %m[] {unit = 0 : i32} : tensor<f32>
    %small = arith.cmpf olt, %s, %limit : f32
    %few = arith.cmpi slt, %i, %c9 : i64
    %go = arith.andi %small, %few : i1
    scf.condition(%go) %a, %i : tensor<4xf32>, i64
  } do {
  ^bb0(%a: tensor<4xf32>, %i: i64):
    %b = graph.add %a, %a {unit = 1 : i32} : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    %j = arith.addi %i, %c1 : i64
    scf.yield %b, %j : tensor<4xf32>, i64
  }
  return %y#0 : tensor<4xf32>
}
}
