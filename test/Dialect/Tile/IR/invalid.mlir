// RUN: mho-opt --split-input-file --verify-diagnostics %s

tile.program @u unit 0 entry "main" scratch 64 peak 64 slots [] {
  // expected-error @+1 {{has 2 dimensions, but read 0 has 1 strides}}
  tile.kernel [4, 4] reads [#tile.access<f32 scratch at 0, [1]>] writes [] {
  ^bb0(%x: f32):
    tile.yield
  }
}

// -----

tile.program @u unit 0 entry "main" scratch 64 peak 64 slots [] {
  // expected-error @+1 {{block argument 0 must be 'f16', since memory holds f16}}
  tile.kernel [4] reads [#tile.access<f16 scratch at 0, [1]>] writes [] {
  ^bb0(%x: f32):
    tile.yield
  }
}

// -----

tile.program @u unit 0 entry "main" scratch 64 peak 64 slots [] {
  tile.kernel [4] reads [] writes [#tile.write<f32 scratch at 0, [1]>] {
    // expected-error @+1 {{needs one value per write, 1 in all, found 0}}
    tile.yield
  }
}

// -----

tile.program @u unit 0 entry "main" scratch 64 peak 64 slots [] {
  tile.kernel [4] reads [] writes [] {
    %i = tile.index 0 : index
    // expected-error @+1 {{needs one index, one size and one stride per dimension, found 1, 2 and 1}}
    %x = tile.load <f32 const at 0, [1], sizes [3, 4]>[%i] : (index) -> f32
    tile.yield
  }
}

// -----

// expected-error @+1 {{uses 128 bytes of a scratch of 64}}
tile.program @u unit 0 entry "main" scratch 64 peak 128 slots [] {
}

// -----

// expected-error @+1 {{needs 32 bytes, has 16}}
tile.value input "x" : tensor<8xf32> at 0 bytes 16

// -----

// expected-error @+1 {{unknown space 'stack', expected scratch, const, io or slot}}
"tile.copy"() {dims = #tile.extents<[1]>, from = #tile.access<f32 stack at 0, [1]>} : () -> ()
