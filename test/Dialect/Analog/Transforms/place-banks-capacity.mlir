// RUN: mho-opt %s -analog-place-banks=chip=hermes -verify-diagnostics

// expected-error @+1 {{the model needs 128 arrays of 256x256, target 'hermes' has 64; largest layers: 'fc' (4096x2048, 128); choose a larger target}}
func.func @main(%x: tensor<1x4096xf32>) -> tensor<1x2048xf32> {
  %w = arith.constant dense<0.5> : tensor<4096x2048xf32>
  %y = analog.matmul %x, %w view <rows = [0] columns = [1] offsets = [0, 0] sizes = [4096, 2048]>
    <"differential" x 2> {sym = "fc"} : (tensor<1x4096xf32>, tensor<4096x2048xf32>) -> tensor<1x2048xf32>
  return %y : tensor<1x2048xf32>
}
