// RUN: mho-opt %s -convert-graph-to-linalg -split-input-file -verify-diagnostics

func.func @unsupported(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{has no digital form}}
  %y = graph.unsupported "Frobnicate"(%x) because "nobody knows it" : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @blocked_scale(%x: tensor<4x4xf32>, %s: tensor<2x4xf32>) -> tensor<4x4xi8> {
  // expected-error @below {{do not broadcast}}
  %y = graph.quantize_linear %x, %s {axis = 0 : i64} : (tensor<4x4xf32>, tensor<2x4xf32>) -> tensor<4x4xi8>
  return %y : tensor<4x4xi8>
}
