// A module of the tile phase becomes a .mho file and comes back; the bytes of
// the second file are those of the first.
// RUN: mho-translate --tile-to-mho %s -o %t.mho
// RUN: mho-objdump --disassemble %t.mho | FileCheck %s
// RUN: mho-translate --mho-to-tile --mlir-print-debuginfo %t.mho -o %t.mlir
// RUN: mho-translate --tile-to-mho %t.mlir -o %t2.mho
// RUN: cmp %t.mho %t2.mho
// RUN: mho-objdump --diff %t.mho %t2.mho | count 0
// RUN: mho-objdump %t.mho | FileCheck %s --check-prefix=HEADER
// RUN: mho-objdump --weights %t.mho | FileCheck %s --check-prefix=WEIGHTS

// HEADER: model net, opset 18, target ideal
// HEADER: units 3, programs 2, banks 2, arrays 2, channels 2
// HEADER: entry main, io 128 bytes
// HEADER-NEXT: input x: 1x4xf32 at 0
// HEADER-NEXT: output y: 1x2xf32 at 64
// HEADER-NEXT: program unit_0_main: 4 instructions
// HEADER-NEXT: program unit_1_main: 4 instructions

// The view transposes: rows run over the constant's second axis.
// WEIGHTS: bank fc1: 4x2, blocks 1x1, at 0, input range 2, values 1 to 8
// WEIGHTS: bank fc2: 4x2, blocks 1x1, at 64, values 0.5 to 0.5

module attributes {
  analog.chip = "ideal", mho.model = "net", mho.opset = 18 : i64,
  analog.units = [{index = 0, kind = "unit"}, {index = 1, kind = "unit"}, {index = 2, kind = "unit"}],
  analog.channels = array<i32: 0, 1, 0, 2>
} {
  // Two nodes share the kernel, by the micro-ops that each brought.
  // CHECK: #[[FUSED:.*]] = loc(fused<array<i64: 2, 1>>[
  // CHECK: tile.constant @constants at 0 =
  // CHECK: analog.bank @fc1
  // CHECK-SAME: places = array<i32: 1, 7, 0>
  // CHECK-SAME: loc(#[[FC1:.*]])
  analog.bank @fc1 {weights = dense<[[1.0, 3.0, 5.0, 7.0], [2.0, 4.0, 6.0, 8.0]]> : tensor<2x4xf32>,
    view = #analog.view<rows = [1] columns = [0] offsets = [0, 0] sizes = [2, 4]>,
    encoding = #analog.encoding<"differential" x 1>, input_range = 2.0 : f32, adc_ranges = array<f32: 1.5, 2.5>,
    scale = dense<[1.0, 2.0]> : tensor<2xf32>, shift = dense<0.25> : tensor<2xf32>,
    row_splits = array<i64: 0, 4>, col_splits = array<i64: 0, 2>, places = array<i32: 1, 7, 0>} loc("fc1"("@Gemm"))
  analog.bank @fc2 {weights = dense<0.5> : tensor<4x2xf16>,
    view = #analog.view<rows = [0] columns = [1] offsets = [0, 0] sizes = [4, 2]>,
    encoding = #analog.encoding<"differential" x 1>,
    row_splits = array<i64: 0, 4>, col_splits = array<i64: 0, 2>, places = array<i32: 2, 3, 0>} loc("fc2"("@Gemm"))
  tile.constant @c at 0 = dense<3.0> : tensor<4xf32>
  tile.value input "x" : tensor<1x4xf32> at 0 bytes 16
  tile.value output "y" : tensor<1x2xf32> at 64 bytes 8

  // CHECK: tile.program @unit_0_main unit 0
  tile.program @unit_0_main unit 0 entry "main" scratch 64 peak 16 slots [] {
    // CHECK-NEXT: tile.kernel [4] reads [#tile.access<f32 io at 0, [1]>, #tile.access<f32 const at 0, [1]>] writes [#tile.write<f32 scratch at 0, [1]>] {
    // CHECK: tile.index 0 : i64
    // CHECK-NEXT: arith.sitofp %{{.*}} : i64 to f32
    // CHECK: arith.cmpf olt
    // CHECK-NEXT: arith.select %{{.*}} : f32
    // CHECK: } loc(#[[FUSED]])
    tile.kernel [4] reads [#tile.access<f32 io at 0, [1]>, #tile.access<f32 const at 0, [1]>] writes [#tile.write<f32 scratch at 0, [1]>] {
    ^bb0(%x: f32, %c: f32):
      %i = tile.index 0 : index
      %j = arith.index_cast %i : index to i64
      %f = arith.sitofp %j : i64 to f32 loc("Add_0"("@Add"))
      %y = arith.addf %x, %f : f32 loc("Add_0"("@Add"))
      %k = arith.constant 0.5 : f32
      %b = arith.cmpf olt, %y, %k : f32
      %z = arith.select %b, %k, %c : f32 loc("Clip_1"("@Clip"))
      tile.yield %z : f32
    } loc(fused["Add_0"("@Add"), "Clip_1"("@Clip")])
    // CHECK-NEXT: tile.send 0 [4]
    // CHECK-NEXT: tile.send 1 [4]
    tile.send 0 [4] from <f32 scratch at 0, [1]>
    tile.send 1 [4] from <f32 scratch at 0, [1]>
    // CHECK-NEXT: tile.end
    tile.end
  }
  // The two units do the same on their own arrays and channels: one program.
  // CHECK: tile.program @unit_1_main unit 1
  // CHECK-NEXT: tile.recv 0
  // CHECK-NEXT: tile.mvm array 7
  tile.program @unit_1_main unit 1 entry "main" scratch 64 peak 64 slots [#tile.slot<0 to 1 initially 0>] {
    tile.recv 0 [4] to <f32 scratch at 0, [1]>
    tile.mvm array 7 counts [1] inner [4] first_row 0 from <f32 scratch at 0, [0, 1]> to <f32 scratch at 16, [0, 1]> shift
    tile.branch if 0 { } else { }
    tile.end
  }
  // CHECK: tile.program @unit_2_main unit 2
  // CHECK-NEXT: tile.recv 1
  // CHECK-NEXT: tile.mvm array 3
  tile.program @unit_2_main unit 2 entry "main" scratch 64 peak 64 slots [#tile.slot<0 to 1 initially 0>] {
    tile.recv 1 [4] to <f32 scratch at 0, [1]>
    tile.mvm array 3 counts [1] inner [4] first_row 0 from <f32 scratch at 0, [0, 1]> to <f32 scratch at 16, [0, 1]> shift
    tile.branch if 0 { } else { }
    tile.end
  }
  // CHECK: #[[FC1]] = loc("fc1"(
}
