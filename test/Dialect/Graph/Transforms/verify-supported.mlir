// RUN: mho-opt %s -split-input-file -graph-verify-supported -verify-diagnostics

// All unsupported nodes are reported at once; those that only follow are not.

// expected-error @below {{2 nodes are not supported}}
module {
  func.func @main(%x: tensor<2xf32>) -> tensor<*xf32> {
    // expected-error @below {{operator Foo is not supported: for a reason}}
    %a = graph.unsupported "Foo" (%x) because "for a reason" : (tensor<2xf32>) -> tensor<*xf32>
    %b = graph.unsupported "Relu" (%a) because "no shape" {follows} : (tensor<*xf32>) -> tensor<*xf32>
    // expected-error @below {{operator my.Bar is not supported: for another}}
    %c = graph.unsupported "my.Bar" (%b) because "for another" : (tensor<*xf32>) -> tensor<*xf32>
    return %c : tensor<*xf32>
  }
}

// -----

// Without any, every rank is known; extents may be the run's.

func.func @open(%x: tensor<*xf32>, %z: tensor<?xf32>) -> tensor<*xf32> {
  %a = graph.relu %z : tensor<?xf32>
  // expected-error @below {{the shape of this node's result is not known}}
  %y = graph.relu %x : tensor<*xf32>
  return %y : tensor<*xf32>
}
