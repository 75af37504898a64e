// RUN: mho-opt %s -convert-graph-to-linalg | FileCheck %s

// CHECK: #[[BLOCK:.*]] = affine_map<(d0, d1, d2) -> (d0, 0, d2)>

// Floats keep the low bits of what a narrow integer cannot hold: through i32.
// CHECK-LABEL: func.func @float_to_i4
// CHECK: %[[WIDE:.*]] = arith.fptosi %{{.*}} : f32 to i32
// CHECK: arith.trunci %[[WIDE]] : i32 to i4
func.func @float_to_i4(%x: tensor<4xf32>) -> tensor<4xi4> {
  %y = graph.cast %x : tensor<4xf32> to tensor<4xi4>
  return %y : tensor<4xi4>
}

// CHECK-LABEL: func.func @float_to_i64
// CHECK: arith.fptosi %{{.*}} : f32 to i64
// CHECK-NOT: trunci
func.func @float_to_i64(%x: tensor<4xf32>) -> tensor<4xi64> {
  %y = graph.cast %x : tensor<4xf32> to tensor<4xi64>
  return %y : tensor<4xi64>
}

// The bits of an unsigned number are a signless one, its sign is the op's.
// CHECK-LABEL: func.func @ui2_to_float(
// CHECK-SAME: tensor<4xi2> {mho.type = tensor<4xui2>}
// CHECK: arith.uitofp %{{.*}} : i2 to f32
func.func @ui2_to_float(%x: tensor<4xui2>) -> tensor<4xf32> {
  %y = graph.cast %x : tensor<4xui2> to tensor<4xf32>
  return %y : tensor<4xf32>
}

// Floats of 8 bits saturate unless told otherwise; wider ones do not.
// CHECK-LABEL: func.func @saturated
// CHECK: %[[LOW:.*]] = arith.constant -4.480000e+02
// CHECK: arith.maximumf %{{.*}}, %[[LOW]]
// CHECK: arith.minimumf
// CHECK: arith.truncf %{{.*}} : f32 to f8E4M3FN
// CHECK-LABEL: func.func @unsaturated
// CHECK-NOT: arith.maximumf
// CHECK: arith.truncf %{{.*}} : f32 to f8E4M3FN
// CHECK-LABEL: func.func @half
// CHECK-NOT: arith.maximumf
// CHECK: arith.truncf %{{.*}} : f64 to f16
func.func @saturated(%x: tensor<4xf32>) -> tensor<4xf8E4M3FN> {
  %y = graph.cast %x : tensor<4xf32> to tensor<4xf8E4M3FN>
  return %y : tensor<4xf8E4M3FN>
}
func.func @unsaturated(%x: tensor<4xf32>) -> tensor<4xf8E4M3FN> {
  %y = graph.cast %x {unsaturated} : tensor<4xf32> to tensor<4xf8E4M3FN>
  return %y : tensor<4xf8E4M3FN>
}
func.func @half(%x: tensor<4xf64>) -> tensor<4xf16> {
  %y = graph.cast %x : tensor<4xf64> to tensor<4xf16>
  return %y : tensor<4xf16>
}

// A power of two is made of the exponent's bits.
// CHECK-LABEL: func.func @power_of_two
// CHECK: arith.bitcast %{{.*}} : f32 to i32
// CHECK: arith.shrui
// CHECK: arith.bitcast %{{.*}} : i8 to f8E8M0FNU
func.func @power_of_two(%x: tensor<4xf32>) -> tensor<4xf8E8M0FNU> {
  %y = graph.cast %x {round_mode = "nearest"} : tensor<4xf32> to tensor<4xf8E8M0FNU>
  return %y : tensor<4xf8E8M0FNU>
}

// CHECK-LABEL: func.func @bits
// CHECK: arith.bitcast %{{.*}} : bf16 to i16
// CHECK-NOT: arith.extf
func.func @bits(%x: tensor<4xbf16>) -> tensor<4xui16> {
  %y = graph.bit_cast %x : tensor<4xbf16> to tensor<4xui16>
  return %y : tensor<4xui16>
}

// A scale of x's rank broadcasts, as blocks that stand apart need it. Short
// integers are subtracted as floats.
// CHECK-LABEL: func.func @blocked
// CHECK: indexing_maps = [#{{.*}}, #[[BLOCK]], #[[BLOCK]], #{{.*}}]
// CHECK: arith.sitofp %{{.*}} : i4 to f32
// CHECK: arith.subf
// CHECK: arith.mulf
func.func @blocked(%x: tensor<2x4x3xi4>, %s: tensor<2x1x3xf32>, %z: tensor<2x1x3xi4>) -> tensor<2x4x3xf32> {
  %y = graph.dequantize_linear %x, %s zero %z {axis = 0 : i64} : (tensor<2x4x3xi4>, tensor<2x1x3xf32>, tensor<2x1x3xi4>) -> tensor<2x4x3xf32>
  return %y : tensor<2x4x3xf32>
}

// The difference of long ones need not be a float.
// CHECK-LABEL: func.func @long
// CHECK: arith.subi %{{.*}} : i32
// CHECK: arith.sitofp %{{.*}} : i32 to f32
// CHECK: arith.mulf
func.func @long(%x: tensor<4xi32>, %s: tensor<f32>, %z: tensor<i32>) -> tensor<4xf32> {
  %y = graph.dequantize_linear %x, %s zero %z {axis = 0 : i64} : (tensor<4xi32>, tensor<f32>, tensor<i32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// The quotient is rounded to the precision asked for.
// CHECK-LABEL: func.func @precise
// CHECK: arith.divf %{{.*}} : f32
// CHECK: arith.truncf %{{.*}} : f32 to f16
// CHECK: arith.extf %{{.*}} : f16 to f32
// CHECK: math.roundeven
func.func @precise(%x: tensor<4xf16>, %s: tensor<f16>) -> tensor<4xi8> {
  %y = graph.quantize_linear %x, %s {axis = 0 : i64, precision = f16} : (tensor<4xf16>, tensor<f16>) -> tensor<4xi8>
  return %y : tensor<4xi8>
}

// A walk is one loop over samples, trees and steps that hands the node on.
// CHECK-LABEL: func.func @walk
// CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "reduction"]
// CHECK: ^bb0(%{{.*}}: i32, %[[NODE:.*]]: i32):
// CHECK: %[[AT:.*]] = arith.index_cast %[[NODE]] : i32 to index
// CHECK: tensor.extract %arg1[%[[AT]]]
// CHECK: %[[CHILD:.*]] = tensor.extract %arg4
// CHECK: linalg.yield %[[CHILD]] : i32
func.func @walk(%x: tensor<8x3xf32>, %f: tensor<5xi32>, %t: tensor<5xf32>, %o: tensor<5xi32>, %c: tensor<10xi32>, %r: tensor<2xi32>) -> tensor<8x2xi32> {
  %y = graph.tree_leaves %x features %f thresholds %t outcomes %o children %c roots %r depth 3
    : (tensor<8x3xf32>, tensor<5xi32>, tensor<5xf32>, tensor<5xi32>, tensor<10xi32>, tensor<2xi32>) -> tensor<8x2xi32>
  return %y : tensor<8x2xi32>
}
