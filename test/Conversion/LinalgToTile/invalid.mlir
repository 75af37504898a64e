// RUN: mho-opt %s -tile-plan-memory -convert-linalg-to-tile -split-input-file -verify-diagnostics

func.func @unit_0_main(%x: memref<4xf32>) attributes {analog.unit = 0 : i32} {
  %c0 = arith.constant 0 : index
  // expected-error @below {{has no instruction}}
  memref.prefetch %x[%c0], read, locality<3>, data : memref<4xf32>
  return
}

// -----

// expected-error @below {{argument 0 has no fixed size}}
func.func @unit_0_main(%x: memref<?xf32>) attributes {analog.unit = 0 : i32} {
  return
}

// -----

func.func @unit_0_main(%n: memref<4xf32>) attributes {analog.unit = 0 : i32} {
  %c4 = arith.constant 4 : index
  // expected-error @below {{an allocation of unknown size is left}}
  %b = memref.alloc(%c4) : memref<?xf32>
  memref.dealloc %b : memref<?xf32>
  return
}

// -----

module attributes {analog.units = [{kind = "core", index = 0 : i32}]} {
analog.bank @fc {weights = dense<1.0> : tensor<4x4xf32>, view = #analog.view<rows = [0] columns = [1] offsets = [0, 0] sizes = [4, 4]>, encoding = #analog.encoding<"differential" x 2>, row_splits = array<i64: 0, 4>, col_splits = array<i64: 0, 4>, places = array<i32: 7, 0, 0>}
func.func @unit_0_main(%x: memref<4xf32>) attributes {analog.unit = 0 : i32} {
  %y = memref.alloc() : memref<4xf32>
  // expected-error @below {{block 0 of bank @fc lies on unit 7, not on unit 0}}
  analog.mvm @fc rows [0, 1] columns [0, 1] ins(%x : memref<4xf32>) outs(%y : memref<4xf32>)
  return
}
}
