// RUN: mho-opt %s -split-input-file -verify-diagnostics

func.func @arg_min(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'graph.arg_min' op axis 2 is not one of the 2 axes}}
  %y = graph.arg_min %x {axis = 2 : i64} : (tensor<2x3xf32>) -> tensor<2xi64>
  return
}

// -----

func.func @arg_min_shape(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{expected result shape [2], found [3]}}
  %y = graph.arg_min %x {axis = 1 : i64} : (tensor<2x3xf32>) -> tensor<3xi64>
  return
}

// -----

func.func @cum_sum(%x: tensor<2x3xf32>) {
  // expected-error @+1 {{'graph.cum_sum' op axis -1 is not one of the 2 axes}}
  %y = graph.cum_sum %x {axis = -1 : i64} : tensor<2x3xf32>
  return
}
