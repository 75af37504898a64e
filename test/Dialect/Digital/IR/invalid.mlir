// RUN: mho-opt %s -split-input-file -verify-diagnostics

func.func @longer(%x: tensor<4xf32>, %v: tensor<5xf32>, %i: tensor<5xi64>) {
  // expected-error @below {{the last axis at most as long}}
  %y:2 = digital.sort ins(%x : tensor<4xf32>) outs(%v, %i : tensor<5xf32>, tensor<5xi64>) -> tensor<5xf32>, tensor<5xi64>
  return
}

// -----

func.func @index_type(%x: tensor<4xf32>, %v: tensor<4xf32>, %i: tensor<4xi32>) {
  // expected-error @below {{expected values of the input's elements and i64 indices}}
  %y:2 = digital.sort ins(%x : tensor<4xf32>) outs(%v, %i : tensor<4xf32>, tensor<4xi32>) -> tensor<4xf32>, tensor<4xi32>
  return
}

// -----

func.func @results(%x: tensor<4xf32>, %v: tensor<4xf32>, %i: tensor<4xi64>) {
  // expected-error @below {{has one result for each destination on tensors and none on buffers}}
  digital.sort ins(%x : tensor<4xf32>) outs(%v, %i : tensor<4xf32>, tensor<4xi64>)
  return
}

// -----

func.func @dims(%x: tensor<4x3xf32>, %u: tensor<2x3xf32>, %i: tensor<2x1xi64>) {
  // expected-error @below {{dims needs an entry for each axis of 'tensor<4x3xf32>', -1 for each of the 1 indices}}
  %y = digital.scatter "none" ins(%u : tensor<2x3xf32>) at(%i : tensor<2x1xi64>) dims [0, 1] outs(%x : tensor<4x3xf32>) -> tensor<4x3xf32>
  return
}

// -----

func.func @fit(%x: tensor<4x3xf32>, %u: tensor<2x5xf32>, %i: tensor<2x1xi64>) {
  // expected-error @below {{dim 1 of 'tensor<2x5xf32>' does not fit an axis of 3}}
  %y = digital.scatter "none" ins(%u : tensor<2x5xf32>) at(%i : tensor<2x1xi64>) dims [-1, 1] outs(%x : tensor<4x3xf32>) -> tensor<4x3xf32>
  return
}

// -----

func.func @kind(%x: tensor<4xf32>, %u: tensor<2xf32>, %i: tensor<2xi64>) {
  // expected-error @below {{kind must be none, add, mul, min or max, found 'sub'}}
  %y = digital.scatter "sub" ins(%u : tensor<2xf32>) at(%i : tensor<2xi64>) dims [-1] outs(%x : tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @index(%x: tensor<4xf32>, %u: tensor<2xf32>, %i: tensor<3xi64>) {
  // expected-error @below {{index of type 'tensor<3xi64>' does not run along 'tensor<2xf32>'}}
  %y = digital.scatter "none" ins(%u : tensor<2xf32>) at(%i : tensor<3xi64>) dims [-1] outs(%x : tensor<4xf32>) -> tensor<4xf32>
  return
}

// -----

func.func @room(%x: tensor<4x3xi1>, %p: tensor<11x2xi64>) {
  // expected-error @below {{expected room for 2 coordinates (i64) of each element of 'tensor<4x3xi1>', found 'tensor<11x2xi64>'}}
  %y, %n = digital.compact ins(%x : tensor<4x3xi1>) outs(%p : tensor<11x2xi64>) -> tensor<11x2xi64>
  return
}

// -----

func.func @coordinates(%x: tensor<4x3xi1>, %p: tensor<12x1xi64>) {
  // expected-error @below {{expected room for 2 coordinates}}
  %y, %n = digital.compact ins(%x : tensor<4x3xi1>) outs(%p : tensor<12x1xi64>) -> tensor<12x1xi64>
  return
}

// -----

func.func @open_room(%x: tensor<?xi1>, %p: tensor<?x1xi64>) {
  // expected-error @below {{expected room for 1 coordinates}}
  %y, %n = digital.compact ins(%x : tensor<?xi1>) outs(%p : tensor<?x1xi64>) -> tensor<?x1xi64>
  return
}
