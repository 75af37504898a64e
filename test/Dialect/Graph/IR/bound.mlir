// RUN: mho-opt %s -split-input-file -verify-diagnostics -canonicalize | FileCheck %s

// A number that is in the range is itself; a range inside of another says it
// all.

// CHECK-LABEL: func.func @folds
// CHECK: %[[SIX:.*]] = arith.constant 6 : index
// CHECK: %[[INNER:.*]] = graph.bound %arg0 from 1 to 4
// CHECK: return %[[SIX]], %[[INNER]]
func.func @folds(%n: index) -> (index, index) {
  %six = arith.constant 6 : index
  %a = graph.bound %six from 0 to 9
  %inner = graph.bound %n from 1 to 4
  %outer = graph.bound %inner from 0 to 9
  return %a, %outer : index, index
}

// -----

// A number outside stays: the run ends there with an error.

// CHECK-LABEL: func.func @stays
// CHECK: graph.bound %{{.*}} from 0 to 9
func.func @stays() -> index {
  %ten = arith.constant 10 : index
  %a = graph.bound %ten from 0 to 9
  return %a : index
}

// -----

func.func @empty_range(%n: index) -> index {
  // expected-error @+1 {{expected a range, found from 5 to 2}}
  %a = graph.bound %n from 5 to 2
  return %a : index
}
