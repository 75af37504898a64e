// What cannot be emitted is reported at its op, and no file is left behind.
// RUN: rm -rf %t && mkdir %t
// RUN: mho-translate --tile-to-mho --split-input-file --verify-diagnostics %s -o %t/none.mho

// expected-error @+1 {{chip 'ideal' has no units of kind "core"}}
module attributes {analog.chip = "ideal", analog.units = [{index = 0, kind = "core"}]} {
}

// -----

module attributes {analog.chip = "ideal", analog.units = [{index = 0, kind = "unit"}]} {
  tile.program @u unit 0 entry "main" scratch 64 peak 64 slots [] {
    tile.kernel [4] reads [#tile.access<i32 scratch at 0, [1]>] writes [#tile.write<i32 scratch at 0, [1]>] {
    ^bb0(%x: i32):
      // expected-error @+1 {{cannot be part of a kernel: no micro-op does this}}
      %y = math.ctlz %x : i32
      tile.yield %y : i32
    }
    tile.end
  }
}

// -----

module attributes {analog.chip = "ideal", analog.units = [{index = 0, kind = "unit"}]} {
  tile.program @u unit 0 entry "main" scratch 64 peak 64 slots [] {
    // expected-error @+1 {{unit 0 has no channel 3}}
    tile.send 3 [4] from <f32 scratch at 0, [1]>
    tile.end
  }
}

// -----

module attributes {analog.chip = "ideal", analog.units = [{index = 0, kind = "unit"}]} {
  tile.constant @a at 0 = dense<1.0> : tensor<8xf32>
  // expected-error @+1 {{overlaps another constant at offset 16}}
  tile.constant @b at 16 = dense<1.0> : tensor<8xf32>
}

// -----

module attributes {analog.chip = "ideal", analog.units = [{index = 0, kind = "unit"}]} {
  // expected-error @+1 {{its data 'w' is not there}}
  tile.constant @a at 0 = dense_resource<w> : tensor<8xf32>
}

// -----

module attributes {analog.chip = "ideal", analog.units = [{index = 0, kind = "unit"}]} {
  // expected-error @+1 {{must end in tile.end}}
  tile.program @u unit 0 entry "main" scratch 64 peak 64 slots [] {
  }
}

// -----

// Two blocks on one array.
module attributes {analog.chip = "ideal", analog.units = [{index = 0, kind = "unit"}]} {
  // expected-error @+1 {{block 1 lies on array 0 of unit 0, where another block is already}}
  analog.bank @w {weights = dense<0.5> : tensor<4x2xf32>,
    view = #analog.view<rows = [0] columns = [1] offsets = [0, 0] sizes = [4, 2]>,
    encoding = #analog.encoding<"differential" x 1>,
    row_splits = array<i64: 0, 2, 4>, col_splits = array<i64: 0, 2>, places = array<i32: 0, 0, 0, 0, 0, 0>}
}
