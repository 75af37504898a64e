// RUN: mho-opt %s -unit-pipeline -split-input-file | FileCheck %s

// The rows of a batch merge, the sorted axis stays by itself.

// CHECK-LABEL: tile.program @unit_0_main
// CHECK-NEXT: tile.sort [6, 8] first 3 from <f32 io at 0, [8, 1]> values <f32 io at 192, [3, 1]> indices <i64 io at 320, [3, 1]> largest
// CHECK-NEXT: tile.end
func.func @unit_0_main(%x: tensor<2x3x8xf32>) -> (tensor<2x3x3xf32>, tensor<2x3x3xi64>) attributes {analog.unit = 0 : i32} {
  %v, %i = graph.top_k %x {largest} : (tensor<2x3x8xf32>) -> (tensor<2x3x3xf32>, tensor<2x3x3xi64>)
  return %v, %i : tensor<2x3x3xf32>, tensor<2x3x3xi64>
}

// -----

// An axis of one element is still sorted; unsigned elements are told so; the
// values nobody asks for go to scratch.

// CHECK-LABEL: tile.program @unit_0_main
// CHECK-NEXT: tile.sort [4, 1] first 1 from <u8 io at 0, [1, 1]> values <u8 scratch at 0, [1, 1]> indices <i64 io at 64, [1, 1]>
func.func @unit_0_main(%x: tensor<4x1xui8>) -> tensor<4x1xi64> attributes {analog.unit = 0 : i32} {
  %v, %i = graph.top_k %x : (tensor<4x1xui8>) -> (tensor<4x1xui8>, tensor<4x1xi64>)
  return %i : tensor<4x1xi64>
}

// -----

// An input is not written: it is copied first. Rows are stored as a whole.

// CHECK-LABEL: tile.program @unit_0_main
// CHECK-NEXT: tile.copy [12] from <f32 io at 0, [1]> to <f32 io at 192, [1]>
// CHECK-NEXT: tile.scatter store [2, 3] indices [#tile.access<i64 io at 128, [1, 0]>] sizes [4] strides [3] from <f32 io at 64, [3, 1]> to <f32 io at 192, [0, 1]>
// CHECK-NEXT: tile.end
func.func @unit_0_main(%x: tensor<4x3xf32>, %u: tensor<2x3xf32>, %i: tensor<2x1xi64>) -> tensor<4x3xf32> attributes {analog.unit = 0 : i32} {
  %y = graph.scatter_nd "none" %u into %x at (%i) dims [-1, 1] : (tensor<4x3xf32>, tensor<2x3xf32>, tensor<2x1xi64>) -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// -----

// What only the scatter reads is written in place.

// CHECK-LABEL: tile.program @unit_0_main
// CHECK: tile.kernel
// CHECK-NOT: tile.copy
// CHECK: tile.scatter add [2] indices [#tile.access<i64 io at {{[0-9]+}}, [2]>, #tile.access<i64 io at {{[0-9]+}}, [2]>] sizes [4, 3] strides [3, 1] from <f32 io at {{[0-9]+}}, [1]> to <f32 io at [[Y:[0-9]+]], [0]>
func.func @unit_0_main(%x: tensor<4x3xf32>, %u: tensor<2xf32>, %i: tensor<2x2xi64>) -> tensor<4x3xf32> attributes {analog.unit = 0 : i32} {
  %r = graph.relu %x : tensor<4x3xf32>
  %a = graph.slice %i [0, 0] steps [1, 1] : (tensor<2x2xi64>) -> tensor<2x1xi64>
  %b = graph.slice %i [0, 1] steps [1, 1] : (tensor<2x2xi64>) -> tensor<2x1xi64>
  %a1 = graph.reshape %a : (tensor<2x1xi64>) -> tensor<2xi64>
  %b1 = graph.reshape %b : (tensor<2x1xi64>) -> tensor<2xi64>
  %y = graph.scatter_nd "add" %u into %r at (%a1, %b1) dims [-1, -1] : (tensor<4x3xf32>, tensor<2xf32>, tensor<2xi64>, tensor<2xi64>) -> tensor<4x3xf32>
  return %y : tensor<4x3xf32>
}

// -----

// Overlapping pieces: the points of even elements in a border, a sum for these,
// and one piece alone for the odd ones.

// CHECK-LABEL: tile.program @unit_0_main
// CHECK-NEXT: tile.kernel [30] reads [] writes [#tile.write<f32 scratch at [[X:[0-9]+]], [1]>]
// CHECK: tile.copy [3, 6] from <f32 io at 0, [6, 1]> to <f32 scratch at {{[0-9]+}}, [10, 1]>
// CHECK: tile.kernel [4, 2, 2] reads [#tile.access<f32 scratch at {{[0-9]+}}, [2, 18, 1]>] writes [#tile.write<f32 io at 128, [4, 0, 1], add init 0.000000e+00>]
// CHECK: tile.copy [3, 2] from <f32 scratch at {{[0-9]+}}, [2, 1]> to <f32 io at 136, [4, 1]>
// CHECK: tile.end
func.func @unit_0_main(%x: tensor<3x3x2xf32>) -> tensor<7x2xf32> attributes {analog.unit = 0 : i32} {
  %y = graph.overlap_add %x {piece_axis = 0 : i64, axis = 1 : i64, stride = 2 : i64, dilation = 1 : i64, pad = 0 : i64} : (tensor<3x3x2xf32>) -> tensor<7x2xf32>
  return %y : tensor<7x2xf32>
}

// -----

// The count is a slot, which becomes the extent of what follows and of the
// output; a dimension of one element is a coordinate like others.

// CHECK-LABEL: tile.program @unit_0_main
// CHECK-SAME: slots [#tile.slot<0 to 6 initially 0>]
// CHECK: tile.compact [2, 1, 3] from <f32 io at 0, [3, 3, 1]> indices <i64 scratch at [[P:[0-9]+]], [3, 1]> count 0
// CHECK-NEXT: tile.kernel [slot 0 max 6, 3] reads [#tile.access<i64 scratch at [[P]], [3, 1]>] writes [#tile.write<i64 {{io|scratch}} at {{[0-9]+}}, [3, 1]>]
func.func @unit_0_main(%x: tensor<2x1x3xf32>) -> tensor<6x3xi64> attributes {analog.unit = 0 : i32} {
  %places, %n = graph.non_zero %x : tensor<2x1x3xf32> -> tensor<6x3xi64>
  %found = tensor.extract_slice %places[0, 0] [%n, 3] [1, 1] : tensor<6x3xi64> to tensor<?x3xi64>
  %minus = graph.neg %found : tensor<?x3xi64>
  %e = tensor.empty() : tensor<6x3xi64>
  %y = tensor.insert_slice %minus into %e[0, 0] [%n, 3] [1, 1] : tensor<?x3xi64> into tensor<6x3xi64>
  graph.set_extent %n of 0 dim 0
  return %y : tensor<6x3xi64>
}

// -----

// Of nothing there are no places.

// CHECK-LABEL: tile.program @unit_0_main
// CHECK-NOT: tile.compact
// CHECK: tile.end
func.func @unit_0_main(%x: tensor<2x0xf32>) -> tensor<i64> attributes {analog.unit = 0 : i32} {
  %places, %n = graph.non_zero %x : tensor<2x0xf32> -> tensor<0x2xi64>
  %i = arith.index_cast %n : index to i64
  %y = tensor.from_elements %i : tensor<i64>
  return %y : tensor<i64>
}
