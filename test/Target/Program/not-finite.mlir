// A weight that is no number is named, and no file is left behind.
// RUN: rm -rf %t && mkdir %t
// RUN: not mho-translate --tile-to-mho %s -o %t/none.mho 2>&1 | FileCheck %s
// RUN: ls %t | count 0
// CHECK: weight 2, 1 of bank 'w' is not a finite number

module attributes {analog.chip = "ideal", analog.units = [{index = 0, kind = "unit"}]} {
  analog.bank @w {weights = dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 0x7FC00000]]> : tensor<3x2xf32>,
    view = #analog.view<rows = [0] columns = [1] offsets = [0, 0] sizes = [3, 2]>,
    encoding = #analog.encoding<"differential" x 1>,
    row_splits = array<i64: 0, 3>, col_splits = array<i64: 0, 2>, places = array<i32: 0, 0, 0>}
  tile.program @u unit 0 entry "main" scratch 64 peak 64 slots [] {
    tile.end
  }
}
