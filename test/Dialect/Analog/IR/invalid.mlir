// RUN: mho-opt %s -split-input-file -verify-diagnostics

func.func @view_names_axis_twice(%x: tensor<2x4xf32>, %w: tensor<4x3xf32>) -> tensor<2x3xf32> {
  // expected-error @+1 {{view names axis 0 of 'tensor<4x3xf32>' twice or out of range}}
  %y = analog.matmul %x, %w view <rows = [0] columns = [0] offsets = [0, 0] sizes = [4, 3]>
    <"differential" x 1> {sym = "fc"} : (tensor<2x4xf32>, tensor<4x3xf32>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// -----

func.func @vector_too_short(%x: tensor<2x5xf32>, %w: tensor<4x3xf32>) -> tensor<2x3xf32> {
  // expected-error @+1 {{expected vectors of 4 elements and as many results}}
  %y = analog.matmul %x, %w view <rows = [0] columns = [1] offsets = [0, 0] sizes = [4, 3]>
    <"differential" x 1> {sym = "fc"} : (tensor<2x5xf32>, tensor<4x3xf32>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// -----

func.func @window_extent(%x: tensor<1x8x8x2xf32>, %w: tensor<4x2x3x3xf32>) -> tensor<1x8x8x4xf32> {
  // expected-error @+1 {{window gives extent 6 on axis 1, the result has 8}}
  %y = analog.matmul %x, %w
    view <rows = [2, 3, 1] columns = [0] offsets = [0, 0, 0, 0] sizes = [4, 2, 3, 3]>
    window <kernel = [3, 3] strides = [1, 1] dilations = [1, 1] pads = [0, 0, 0, 0]>
    <"differential" x 1> {sym = "conv"} : (tensor<1x8x8x2xf32>, tensor<4x2x3x3xf32>) -> tensor<1x8x8x4xf32>
  return %y : tensor<1x8x8x4xf32>
}

// -----

// expected-error @+1 {{row_splits must rise from 0 to 4}}
analog.bank @fc {
  weights = dense<1.0> : tensor<4x3xf32>,
  view = #analog.view<rows = [0] columns = [1] offsets = [0, 0] sizes = [4, 3]>,
  encoding = #analog.encoding<"differential" x 1>,
  row_splits = array<i64: 0, 2>, col_splits = array<i64: 0, 3>,
  places = array<i32: 0, 0, 0>
}

// -----

// expected-error @+1 {{expected three place numbers for each of the 2 blocks, found 3}}
analog.bank @fc {
  weights = dense<1.0> : tensor<4x3xf32>,
  view = #analog.view<rows = [0] columns = [1] offsets = [0, 0] sizes = [4, 3]>,
  encoding = #analog.encoding<"differential" x 1>,
  row_splits = array<i64: 0, 2, 4>, col_splits = array<i64: 0, 3>,
  places = array<i32: 0, 0, 0>
}

// -----

func.func @unknown_bank(%x: tensor<2x4xf32>) -> tensor<2x3xf32> {
  %empty = tensor.empty() : tensor<2x3xf32>
  // expected-error @+1 {{bank @fc is not declared}}
  %y = analog.mvm @fc rows [0, 1] columns [0, 1] ins(%x : tensor<2x4xf32>) outs(%empty : tensor<2x3xf32>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// -----

func.func @order(%x: tensor<1x3xf32>) -> tensor<1x8xf32> {
  %w = arith.constant dense<0.5> : tensor<4x2x3xf32>
  // expected-error @+1 {{order of view must name each position of the last column axis once}}
  %y = analog.matmul %x, %w
    view <rows = [2] columns = [1, 0] offsets = [0, 0, 0] sizes = [4, 2, 3] order = [0, 1, 2, 2]>
    <"differential" x 1> {sym = "order"} : (tensor<1x3xf32>, tensor<4x2x3xf32>) -> tensor<1x8xf32>
  return %y : tensor<1x8xf32>
}
