// Bytecode with aligned weights reads back from a file and from a pipe.
// RUN: mho-opt %s --emit-bytecode -o %t.mlirbc
// RUN: mho-opt %t.mlirbc | FileCheck %s
// RUN: cat %t.mlirbc | mho-opt | FileCheck %s

// A wrong option is wrong usage (2), a missing file a fault (1).
// RUN: sh -c 'mho-opt --nonsense; test $? = 2'
// RUN: sh -c 'mho-opt %t.none; test $? = 1' 2>&1 | FileCheck %s --check-prefix=MISSING

// CHECK: arith.constant dense_resource<weights> : tensor<4xf32>
// MISSING: cannot open input file
func.func @main() -> tensor<4xf32> {
  %w = arith.constant dense_resource<weights> : tensor<4xf32>
  return %w : tensor<4xf32>
}

{-#
  dialect_resources: {
    builtin: {
      weights: "0x400000000000803F000000400000404000008040"
    }
  }
#-}
