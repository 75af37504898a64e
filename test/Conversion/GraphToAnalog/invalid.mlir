// RUN: mho-opt %s -convert-graph-to-analog -verify-diagnostics

func.func @nan(%x: tensor<1x1xf32>) -> tensor<1x1xf32> {
  %w = arith.constant dense<0x7FC00000> : tensor<1x1xf32>
  // expected-error @+1 {{hold NaN; an array can only hold finite numbers}}
  %y = graph.matmul %x, %w : (tensor<1x1xf32>, tensor<1x1xf32>) -> tensor<1x1xf32>
  return %y : tensor<1x1xf32>
}
