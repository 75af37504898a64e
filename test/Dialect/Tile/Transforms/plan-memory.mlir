// RUN: mho-opt %s -tile-plan-memory -mlir-print-local-scope | FileCheck %s

// Arguments and results lie in the io space, at multiples of 64 bytes.
// CHECK-LABEL: func.func @interface
// CHECK-SAME: memref<3xf32> {tile.offset = 0 : i64}
// CHECK-SAME: memref<40xi1> {tile.offset = 64 : i64}
// CHECK-SAME: -> (memref<3xf32> {tile.offset = 128 : i64})
// CHECK-SAME: tile.io_bytes = 192 : i64
// CHECK-SAME: tile.scratch_bytes = 0 : i64
// CHECK: memref.alloc() {tile.offset = 128 : i64, tile.space = "io"}
func.func @interface(%a: memref<3xf32>, %b: memref<40xi1>) -> memref<3xf32> {
  %y = memref.alloc() : memref<3xf32>
  memref.copy %a, %y : memref<3xf32> to memref<3xf32>
  return %y : memref<3xf32>
}

// A kernel that meets each element once writes over an operand that ends with
// it; a third buffer that is alive beside them lies elsewhere.
// CHECK-LABEL: func.func @in_place
// CHECK-SAME: tile.peak_bytes = 128 : i64
// CHECK-SAME: tile.scratch_bytes = 128 : i64
// CHECK: memref.alloc() {tile.offset = [[A:[0-9]+]] : i64, tile.space = "scratch"}
// CHECK: memref.alloc() {tile.offset = [[A]] : i64, tile.space = "scratch"}
func.func @in_place(%x: memref<16xf32>) {
  %a = memref.alloc() : memref<16xf32>
  %b = memref.alloc() : memref<16xf32>
  %c = memref.alloc() : memref<16xf32>
  memref.copy %x, %a : memref<16xf32> to memref<16xf32>
  memref.copy %x, %c : memref<16xf32> to memref<16xf32>
  linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} ins(%a : memref<16xf32>) outs(%b : memref<16xf32>) {
  ^bb0(%in: f32, %out: f32):
    %e = math.exp %in : f32
    linalg.yield %e : f32
  }
  memref.copy %b, %c : memref<16xf32> to memref<16xf32>
  return
}

// A transposed operand is read at other elements than are written: two places.
// CHECK-LABEL: func.func @not_in_place
// CHECK-SAME: tile.scratch_bytes = 128 : i64
func.func @not_in_place(%x: memref<4x4xf32>) {
  %a = memref.alloc() : memref<4x4xf32>
  %b = memref.alloc() : memref<4x4xf32>
  memref.copy %x, %a : memref<4x4xf32> to memref<4x4xf32>
  linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d1, d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} ins(%a : memref<4x4xf32>) outs(%b : memref<4x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  }
  memref.copy %b, %b : memref<4x4xf32> to memref<4x4xf32>
  return
}

// A buffer that lives across a loop keeps its place in all of it.
// CHECK-LABEL: func.func @loop
// CHECK-SAME: tile.scratch_bytes = 128 : i64
func.func @loop(%x: memref<16xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %a = memref.alloc() : memref<16xf32>
  memref.copy %x, %a : memref<16xf32> to memref<16xf32>
  scf.for %i = %c0 to %c4 step %c1 {
    memref.copy %a, %a : memref<16xf32> to memref<16xf32>
    %b = memref.alloc() : memref<16xf32>
    memref.copy %x, %b : memref<16xf32> to memref<16xf32>
  }
  return
}
