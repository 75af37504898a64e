// RUN: mho-opt %s -split-input-file -verify-diagnostics -analog-verify-placed

// expected-error @+1 {{placed module lists no units in 'analog.units'}}
module {}

// -----

module attributes {analog.units = [{kind = "host", index = 0 : i32}]} {
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{has no unit}}
  %y = graph.relu %x : tensor<4xf32>
  return %y : tensor<4xf32>
}
}

// -----

module attributes {analog.units = [{kind = "host", index = 0 : i32}]} {
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{has unit 3, there are 1}}
  %y = graph.relu %x {unit = 3 : i32} : tensor<4xf32>
  return %y : tensor<4xf32>
}
}

// -----

module attributes {analog.units = [{kind = "host", index = 0 : i32}, {kind = "core", index = 0 : i32}]} {
analog.bank @fc {
  weights = dense<0.5> : tensor<4x3xf32>,
  view = #analog.view<rows = [0] columns = [1] offsets = [0, 0] sizes = [4, 3]>,
  encoding = #analog.encoding<"differential" x 2>,
  row_splits = array<i64: 0, 4>, col_splits = array<i64: 0, 3>,
  places = array<i32: 1, 0, 0>
}
func.func @main(%x: tensor<2x4xf32>) -> tensor<2x3xf32> {
  %e = tensor.empty() : tensor<2x3xf32>
  // expected-error @+1 {{runs on unit 0, block 0 of its bank lies on unit 1}}
  %a = analog.mvm @fc rows [0, 1] columns [0, 1] ins(%x : tensor<2x4xf32>) outs(%e : tensor<2x3xf32>) {unit = 0 : i32} -> tensor<2x3xf32>
  return %a : tensor<2x3xf32>
}
}
