// RUN: mho-opt %s -split-input-file -verify-diagnostics

func.func @gather_dims(%x: tensor<4x3xf32>, %i: tensor<2x1xi64>) {
  // expected-error @below {{dims needs an entry for each axis of 'tensor<4x3xf32>', -1 for each of the 1 indices}}
  %y = graph.gather_nd %x at (%i) dims [0, 1] : (tensor<4x3xf32>, tensor<2x1xi64>) -> tensor<2x3xf32>
  return
}

// -----

func.func @gather_index(%x: tensor<4x3xf32>, %i: tensor<5x1xi64>) {
  // expected-error @below {{index of type 'tensor<5x1xi64>' does not run along 'tensor<2x3xf32>'}}
  %y = graph.gather_nd %x at (%i) dims [-1, 1] : (tensor<4x3xf32>, tensor<5x1xi64>) -> tensor<2x3xf32>
  return
}

// -----

func.func @scatter_result(%x: tensor<4xf32>, %u: tensor<2xf32>, %i: tensor<2xi64>) {
  // expected-error @below {{expected a result of shape [4], found 'tensor<5xf32>'}}
  %y = graph.scatter_nd "none" %u into %x at (%i) dims [-1] : (tensor<4xf32>, tensor<2xf32>, tensor<2xi64>) -> tensor<5xf32>
  return
}

// -----

func.func @top_k(%x: tensor<4xf32>) {
  // expected-error @below {{the last axis at most as long}}
  %v, %i = graph.top_k %x : (tensor<4xf32>) -> (tensor<5xf32>, tensor<5xi64>)
  return
}

// -----

func.func @resample(%x: tensor<4x3xf32>, %t: tensor<2x2xi64>, %w: tensor<2x3xf32>) {
  // expected-error @below {{expected weights of shape [2, 2], found 'tensor<2x3xf32>'}}
  %y = graph.resample %x, %t, %w axis 0 : (tensor<4x3xf32>, tensor<2x2xi64>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return
}

// -----

func.func @sample(%x: tensor<1x2x4x5xf32>, %p: tensor<1x3x3xf32>) {
  // expected-error @below {{expected 2 coordinates a point, found 'tensor<1x3x3xf32>'}}
  %y = graph.sample %x at %p {interpolation = "linear", border = "zeros"} : (tensor<1x2x4x5xf32>, tensor<1x3x3xf32>) -> tensor<1x2x3xf32>
  return
}

// -----

func.func @border(%x: tensor<1x2x4x5xf32>, %p: tensor<1x3x2xf32>) {
  // expected-error @below {{border must be zeros, edge, reflect or symmetric, found 'wrap'}}
  %y = graph.sample %x at %p {interpolation = "linear", border = "wrap"} : (tensor<1x2x4x5xf32>, tensor<1x3x2xf32>) -> tensor<1x2x3xf32>
  return
}

// -----

func.func @overlap(%x: tensor<3x3x2xf32>) {
  // expected-error @below {{axes 1 and 1 are not two of the 3 axes}}
  %y = graph.overlap_add %x {piece_axis = 1 : i64, axis = 1 : i64, stride = 2 : i64, dilation = 1 : i64, pad = 0 : i64} : (tensor<3x3x2xf32>) -> tensor<7x2xf32>
  return
}

// -----

func.func @pool_index(%x: tensor<1x2x4x5xf32>, %y: tensor<1x2x3x4xf32>) {
  // expected-error @below {{expected a window along 2 spatial axes}}
  %i = graph.max_pool_index %x, %y {kernel = array<i64: 2>, strides = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, dilations = array<i64: 1, 1>} : (tensor<1x2x4x5xf32>, tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xi64>
  return
}

// -----

func.func @room(%x: tensor<4x3xf32>) {
  // expected-error @below {{expected room for 2 coordinates (i64) of each element of 'tensor<4x3xf32>', found 'tensor<11x2xi64>'}}
  %places, %n = graph.non_zero %x : tensor<4x3xf32> -> tensor<11x2xi64>
  return
}
