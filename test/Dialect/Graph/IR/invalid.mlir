// RUN: mho-opt %s -split-input-file -verify-diagnostics

// Shapes that do not fit are told with what was found.

func.func @broadcast(%a: tensor<2x3xf32>, %b: tensor<4xf32>) -> tensor<2x3xf32> {
  // expected-error @below {{operands of types 'tensor<2x3xf32>' and 'tensor<4xf32>' do not broadcast}}
  %y = graph.add %a, %b : (tensor<2x3xf32>, tensor<4xf32>) -> tensor<2x3xf32>
  return %y : tensor<2x3xf32>
}

// -----

func.func @result(%a: tensor<2x3xf32>, %b: tensor<3xf32>) -> tensor<3xf32> {
  // expected-error @below {{expected result shape [2, 3], found [3]}}
  %y = graph.mul %a, %b : (tensor<2x3xf32>, tensor<3xf32>) -> tensor<3xf32>
  return %y : tensor<3xf32>
}

// -----

func.func @inner(%a: tensor<2x3xf32>, %b: tensor<4x5xf32>) -> tensor<2x5xf32> {
  // expected-error @below {{inner extents 3 and 4 differ}}
  %y = graph.gemm %a, %b : (tensor<2x3xf32>, tensor<4x5xf32>) -> tensor<2x5xf32>
  return %y : tensor<2x5xf32>
}

// -----

func.func @groups(%x: tensor<1x4x8x8xf32>, %w: tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32> {
  // expected-error @below {{do not fit 4 input channels in 2 groups}}
  %y = graph.conv %x, %w {groups = 2 : i64, kernel = array<i64: 3, 3>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  return %y : tensor<1x6x6x6xf32>
}

// -----

func.func @window(%x: tensor<1x4x2x2xf32>) -> tensor<1x4x1x1xf32> {
  // expected-error @below {{window of 3 does not fit spatial axis 0 of extent 2 with padding 0 and 0}}
  %y = graph.max_pool %x {kernel = array<i64: 3, 3>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x4x2x2xf32>) -> tensor<1x4x1x1xf32>
  return %y : tensor<1x4x1x1xf32>
}

// -----

func.func @slice(%x: tensor<4xf32>) -> tensor<3xf32> {
  // expected-error @below {{slice reaches from 1 to 5 on axis 0 of extent 4}}
  %y = graph.slice %x [1] steps [2] : (tensor<4xf32>) -> tensor<3xf32>
  return %y : tensor<3xf32>
}

// -----

func.func @perm(%x: tensor<4x2xf32>) -> tensor<4x4xf32> {
  // expected-error @below {{perm must name each axis once}}
  %y = graph.transpose %x [0, 0] : (tensor<4x2xf32>) -> tensor<4x4xf32>
  return %y : tensor<4x4xf32>
}

// -----

func.func @reshape(%x: tensor<4x2xf32>) -> tensor<9xf32> {
  // expected-error @below {{cannot reshape 8 elements into 9}}
  %y = graph.reshape %x : (tensor<4x2xf32>) -> tensor<9xf32>
  return %y : tensor<9xf32>
}

// -----

func.func @gates(%x: tensor<2x3xf32>, %w: tensor<7x3xf32>) -> tensor<2x7xf32> {
  // expected-error @+1 {{gates "iofc" do not divide 7 columns}}
  %y = graph.gemm %x, %w {trans_b, gates = "iofc"} : (tensor<2x3xf32>, tensor<7x3xf32>) -> tensor<2x7xf32>
  return %y : tensor<2x7xf32>
}

// -----

func.func @stored() -> tensor<2x3xf32> {
  // expected-error @+1 {{'tensor<2x3xf32>' and the values' type 'tensor<4xi8>' differ in their number of elements}}
  %w = arith.constant #graph.dequantized<dense<1> : tensor<4xi8>, dense<0.5> : tensor<1xf32>> : tensor<2x3xf32>
  return %w : tensor<2x3xf32>
}

// -----

func.func @pad_amounts(%x: tensor<4xf32>, %n: index) -> tensor<?xf32> {
  // expected-error @below {{expected 2 amounts of the run, found 1}}
  %y = graph.pad %x by %n {low = array<i64: -9223372036854775808>, high = array<i64: -9223372036854775808>} : (tensor<4xf32>, index) -> tensor<?xf32>
  return %y : tensor<?xf32>
}
