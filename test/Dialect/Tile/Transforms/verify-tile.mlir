// RUN: mho-opt %s -tile-verify -split-input-file -verify-diagnostics

// expected-error @below {{must not be left in the tile phase}}
func.func @left() {
  return
}

// -----

tile.program @a unit 0 entry "main" scratch 0 peak 0 slots [] {
  tile.end
}
// expected-error @below {{is the second program of unit 0 in entry point main}}
tile.program @b unit 0 entry "main" scratch 0 peak 0 slots [] {
  tile.end
}
