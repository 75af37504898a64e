// RUN: mho-opt %s -unit-pipeline -split-input-file | FileCheck %s

// The index is a slot, offsets made of it are terms of addresses, and the state
// stays where it is: the only copies are the first state's and the one of the
// step's result, which is in two places.

// CHECK-LABEL: tile.program @unit_0_main
// CHECK-SAME: slots [#tile.slot<0 to 5 initially 0>]
// CHECK-NEXT: tile.copy [4] from <f32 io at 128, [1]> to <f32 io at [[H:[0-9]+]], [1]>
// CHECK-NEXT: tile.loop 6 index 0 {
// CHECK-NEXT: tile.kernel [4] reads [#tile.access<f32 io at 80, [1], slots [0 * -4]>, #tile.access<f32 io at [[H]], [1]>] writes [#tile.write<f32 io at [[Y:[0-9]+]], [1], slots [0 * 4]>]
// CHECK: tile.copy [4] from <f32 io at [[Y]], [1], slots [0 * 4]> to <f32 io at [[H]], [1]>
// CHECK-NEXT: }
// CHECK-NEXT: tile.end
func.func @unit_0_main(%x: tensor<6x1x4xf32>, %h0: tensor<1x4xf32>) -> (tensor<6x1x4xf32>, tensor<1x4xf32>) attributes {analog.unit = 0 : i32} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c5 = arith.constant 5 : index
  %c6 = arith.constant 6 : index
  %y0 = tensor.empty() : tensor<6x1x4xf32>
  %y, %h = scf.for %t = %c0 to %c6 step %c1 iter_args(%ya = %y0, %ha = %h0) -> (tensor<6x1x4xf32>, tensor<1x4xf32>) {
    %r = arith.subi %c5, %t : index
    %xt = tensor.extract_slice %x[%r, 0, 0] [1, 1, 4] [1, 1, 1] : tensor<6x1x4xf32> to tensor<1x4xf32>
    %a = graph.add %xt, %ha : (tensor<1x4xf32>, tensor<1x4xf32>) -> tensor<1x4xf32>
    %n = graph.tanh %a : tensor<1x4xf32>
    %y1 = tensor.insert_slice %n into %ya[%t, 0, 0] [1, 1, 4] [1, 1, 1] : tensor<1x4xf32> into tensor<6x1x4xf32>
    scf.yield %y1, %n : tensor<6x1x4xf32>, tensor<1x4xf32>
  }
  return %y, %h : tensor<6x1x4xf32>, tensor<1x4xf32>
}

// -----

// A trip count of run time is bounded where it is computed, and so are the
// places that the loop reaches.

// CHECK-LABEL: tile.program @unit_0_main
// CHECK-SAME: #tile.slot<0 to 6 initially 0>
// CHECK-SAME: #tile.slot<0 to 5 initially 0>
// CHECK: arith.minsi
// CHECK: tile.loop slot {{[0-9]+}} max 6 index [[I:[0-9]+]] {
// CHECK-NEXT: tile.kernel [4] reads [{{.*}}slots {{\[}}[[I]] * 4]
func.func @unit_0_main(%x: tensor<6x4xf32>, %n: tensor<i64>) -> tensor<4xf32> attributes {analog.unit = 0 : i32} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c6 = arith.constant 6 : index
  %zero = arith.constant dense<0.0> : tensor<4xf32>
  %s = tensor.extract %n[] : tensor<i64>
  %i = arith.index_cast %s : i64 to index
  %m = arith.minsi %i, %c6 : index
  %y = scf.for %t = %c0 to %m step %c1 iter_args(%a = %zero) -> tensor<4xf32> {
    %xt = tensor.extract_slice %x[%t, 0] [1, 4] [1, 1] : tensor<6x4xf32> to tensor<4xf32>
    %b = graph.add %xt, %a : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    scf.yield %b : tensor<4xf32>
  }
  return %y : tensor<4xf32>
}

// -----

// An offset of which nothing is known goes into a slot that holds only what
// stays in the tensor: writing another value there is an error of the run.

// CHECK-LABEL: tile.program @unit_0_main
// CHECK-SAME: slots [#tile.slot<-9223372036854775808 to 9223372036854775807 initially 0>, #tile.slot<0 to 3 initially 0>]
// CHECK: tile.kernel [] reads [#tile.access<i64 slot at 0, []>] writes [#tile.write<i64 slot at 8, []>]
// CHECK: tile.kernel [12] reads [#tile.access<f32 io at 0, [1], slots [1 * 4]>]
func.func @unit_0_main(%x: tensor<6x4xf32>, %n: tensor<i64>) -> tensor<3x4xf32> attributes {analog.unit = 0 : i32} {
  %s = tensor.extract %n[] : tensor<i64>
  %i = arith.index_cast %s : i64 to index
  %y = tensor.extract_slice %x[%i, 0] [3, 4] [1, 1] : tensor<6x4xf32> to tensor<3x4xf32>
  return %y : tensor<3x4xf32>
}

// -----

// Both sides of a branch write the one buffer that the branch gives.

// CHECK-LABEL: tile.program @unit_0_main
// CHECK: tile.branch if 0 {
// CHECK-NEXT: tile.kernel [4] {{.*}} writes [#tile.write<f32 io at [[Y:[0-9]+]], [1]>]
// CHECK: } else {
// CHECK-NEXT: tile.copy [4] from <f32 io at 0, [1]> to <f32 io at [[Y]], [1]>
// CHECK-NEXT: }
// CHECK-NEXT: tile.end
func.func @unit_0_main(%x: tensor<4xf32>, %c: tensor<i1>) -> tensor<4xf32> attributes {analog.unit = 0 : i32} {
  %s = tensor.extract %c[] : tensor<i1>
  %y = scf.if %s -> (tensor<4xf32>) {
    %b = graph.add %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    scf.yield %b : tensor<4xf32>
  } else {
    scf.yield %x : tensor<4xf32>
  }
  return %y : tensor<4xf32>
}

// -----

// A condition is computed in front of the loop and at the end of each trip; its
// counter bounds the trips.

// CHECK-LABEL: tile.program @unit_0_main
// CHECK: arith.cmpf olt
// CHECK: tile.loop 20 index {{[0-9]+}} while [[GO:[0-9]+]] {
// CHECK-NEXT: tile.kernel [4] reads [#tile.access<f32 io at [[A:[0-9]+]], [1]>] writes [#tile.write<f32 io at [[A]], [1]>]
// CHECK: arith.addi
// CHECK: max init
// CHECK: arith.cmpf olt
// CHECK: arith.andi
func.func @unit_0_main(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<1xi64>) attributes {analog.unit = 0 : i32} {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  %c20 = arith.constant 20 : i64
  %limit = arith.constant 100.0 : f32
  %y, %n = scf.while (%a = %x, %i = %c0) : (tensor<4xf32>, i64) -> (tensor<4xf32>, i64) {
    %m = graph.reduce_max %a {axes = array<i64: 0>} : (tensor<4xf32>) -> tensor<f32>
    %s = tensor.extract %m[] : tensor<f32>
    %small = arith.cmpf olt, %s, %limit : f32
    %few = arith.cmpi slt, %i, %c20 : i64
    %go = arith.andi %small, %few : i1
    scf.condition(%go) %a, %i : tensor<4xf32>, i64
  } do {
  ^bb0(%a: tensor<4xf32>, %i: i64):
    %b = graph.add %a, %a : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
    %j = arith.addi %i, %c1 : i64
    scf.yield %b, %j : tensor<4xf32>, i64
  }
  %t = tensor.from_elements %n : tensor<1xi64>
  return %y, %t : tensor<4xf32>, tensor<1xi64>
}

// -----

// A run-time scalar in a body is read from its slot.

// CHECK-LABEL: tile.program @unit_0_main
// CHECK: tile.loop 3 index [[I:[0-9]+]] {
// CHECK-NEXT: tile.kernel [4] reads [#tile.access<i64 io at 0, [1]>, #tile.access<i64 io at {{[0-9]+}}, [1]>, #tile.access<i64 slot at 0, [0]>]
func.func @unit_0_main(%x: tensor<4xi64>) -> tensor<4xi64> attributes {analog.unit = 0 : i32} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %y = scf.for %t = %c0 to %c3 step %c1 iter_args(%a = %x) -> tensor<4xi64> {
    %i = arith.index_cast %t : index to i64
    %e = tensor.empty() : tensor<4xi64>
    %b = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} ins(%x, %a : tensor<4xi64>, tensor<4xi64>) outs(%e : tensor<4xi64>) {
    ^bb0(%p: i64, %q: i64, %o: i64):
      %m = arith.muli %p, %i : i64
      %r = arith.addi %m, %q : i64
      linalg.yield %r : i64
    } -> tensor<4xi64>
    scf.yield %b : tensor<4xi64>
  }
  return %y : tensor<4xi64>
}

// -----

// States that change places: one of them is kept while the other moves.

// CHECK-LABEL: tile.program @unit_0_main
// CHECK: tile.loop 3 index {{[0-9]+}} {
// CHECK-NEXT: tile.copy [4] from <f32 io at [[A:[0-9]+]], [1]> to <f32 scratch at [[S:[0-9]+]], [1]>
// CHECK-NEXT: tile.copy [4] from <f32 io at [[B:[0-9]+]], [1]> to <f32 io at [[A]], [1]>
// CHECK-NEXT: tile.copy [4] from <f32 scratch at [[S]], [1]> to <f32 io at [[B]], [1]>
// CHECK-NEXT: }
func.func @unit_0_main(%x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>) attributes {analog.unit = 0 : i32} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %a, %b = scf.for %t = %c0 to %c3 step %c1 iter_args(%p = %x, %q = %y) -> (tensor<4xf32>, tensor<4xf32>) {
    scf.yield %q, %p : tensor<4xf32>, tensor<4xf32>
  }
  return %a, %b : tensor<4xf32>, tensor<4xf32>
}

// -----

// What a loop inside starts from and reads too is copied before it.

// CHECK-LABEL: tile.program @unit_0_main
// CHECK: tile.loop 3 index {{[0-9]+}} {
// CHECK: tile.copy [4] from <f32 io at [[V:[0-9]+]], [1]> to <f32 scratch at [[A:[0-9]+]], [1]>
// CHECK: tile.loop 2 index {{[0-9]+}} {
// CHECK-NEXT: tile.kernel [4] reads [#tile.access<f32 scratch at [[A]], [1]>, #tile.access<f32 io at [[V]], [1]>] writes [#tile.write<f32 scratch at [[A]], [1]>]
// CHECK: }
// CHECK: tile.copy [4] from <f32 scratch at [[A]], [1]> to <f32 io at [[V]], [1]>
func.func @unit_0_main(%x: tensor<4xf32>) -> tensor<4xf32> attributes {analog.unit = 0 : i32} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  %y = scf.for %t = %c0 to %c3 step %c1 iter_args(%v = %x) -> tensor<4xf32> {
    %w = scf.for %s = %c0 to %c2 step %c1 iter_args(%a = %v) -> tensor<4xf32> {
      %b = graph.mul %a, %v : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
      scf.yield %b : tensor<4xf32>
    }
    scf.yield %w : tensor<4xf32>
  }
  return %y : tensor<4xf32>
}

// -----

// Branches that compute nothing are a choice between tensors; it is one of the
// values, not of their addresses.

// CHECK-LABEL: tile.program @unit_0_main
// CHECK: tile.branch if 0 {
// CHECK-NEXT: tile.copy [4] from <f32 io at 0, [1]> to <f32 {{.*}} at [[Y:[0-9]+]], [1]>
// CHECK-NEXT: } else {
// CHECK-NEXT: tile.copy [4] from <f32 io at 64, [1]> to <f32 {{.*}} at [[Y]], [1]>
// CHECK-NEXT: }
func.func @unit_0_main(%x: tensor<4xf32>, %y: tensor<4xf32>, %c: tensor<i1>) -> tensor<4xf32> attributes {analog.unit = 0 : i32} {
  %s = tensor.extract %c[] : tensor<i1>
  %z = scf.if %s -> (tensor<4xf32>) {
    scf.yield %x : tensor<4xf32>
  } else {
    scf.yield %y : tensor<4xf32>
  }
  return %z : tensor<4xf32>
}
