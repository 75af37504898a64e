// RUN: mho-opt %s -bufferize-units -canonicalize -cse -canonicalize | FileCheck %s

// A tensor of many parts: each is computed in its place, nothing is copied.

// CHECK-LABEL: func.func @parts
// CHECK-COUNT-1: memref.alloc
// CHECK-NOT: memref.alloc
// CHECK-NOT: memref.copy
// CHECK-COUNT-8: linalg.exp
// CHECK: linalg.abs
// CHECK-NOT: memref.copy
// CHECK: return
func.func @parts(%x: tensor<4xf32>) -> tensor<8x4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %t0 = tensor.empty() : tensor<8x4xf32>
  %p0 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %p1 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %p2 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %p3 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %p4 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %p5 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %p6 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %p7 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %t1 = tensor.insert_slice %p0 into %t0[0, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x4xf32>
  %t2 = tensor.insert_slice %p1 into %t1[1, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x4xf32>
  %t3 = tensor.insert_slice %p2 into %t2[2, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x4xf32>
  %t4 = tensor.insert_slice %p3 into %t3[3, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x4xf32>
  %t5 = tensor.insert_slice %p4 into %t4[4, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x4xf32>
  %t6 = tensor.insert_slice %p5 into %t5[5, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x4xf32>
  %t7 = tensor.insert_slice %p6 into %t6[6, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x4xf32>
  %t8 = tensor.insert_slice %p7 into %t7[7, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x4xf32>
  %y = linalg.abs ins(%t8 : tensor<8x4xf32>) outs(%t8 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}

// A part that is read again has its own buffer beside the whole, which is
// overwritten.
// CHECK-LABEL: func.func @read_again
// CHECK: %[[WHOLE:.*]] = memref.alloc() : memref<8x4xf32>
// CHECK: %[[PLACE:.*]] = memref.subview %[[WHOLE]][3, 0]
// CHECK: %[[PART:.*]] = memref.alloc() : memref<4xf32>
// CHECK-NEXT: linalg.exp {{.*}} outs(%[[PART]] : memref<4xf32>)
// CHECK: linalg.generic {{.*}} ins(%[[PART]] : {{.*}} outs(%[[PLACE]] :
// CHECK: linalg.abs {{.*}} outs(%[[WHOLE]] :
// CHECK: linalg.generic {{.*}} ins(%[[PART]] :
// CHECK: return %[[WHOLE]],
func.func @read_again(%x: tensor<4xf32>) -> (tensor<8x4xf32>, tensor<4xf32>) {
  %e = tensor.empty() : tensor<4xf32>
  %t0 = tensor.empty() : tensor<8x4xf32>
  %p0 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %p1 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %p2 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %p3 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %p4 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %p5 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %p6 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %p7 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %t1 = tensor.insert_slice %p0 into %t0[0, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x4xf32>
  %t2 = tensor.insert_slice %p1 into %t1[1, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x4xf32>
  %t3 = tensor.insert_slice %p2 into %t2[2, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x4xf32>
  %t4 = tensor.insert_slice %p3 into %t3[3, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x4xf32>
  %t5 = tensor.insert_slice %p4 into %t4[4, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x4xf32>
  %t6 = tensor.insert_slice %p5 into %t5[5, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x4xf32>
  %t7 = tensor.insert_slice %p6 into %t6[6, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x4xf32>
  %t8 = tensor.insert_slice %p7 into %t7[7, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x4xf32>
  %y = linalg.abs ins(%t8 : tensor<8x4xf32>) outs(%t8 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %y, %p3 : tensor<8x4xf32>, tensor<4xf32>
}

// Where one part lies on another, the last one inserted is there at the end.
// CHECK-LABEL: func.func @overlap
// CHECK-COUNT-7: linalg.exp
// CHECK: linalg.log
// CHECK-NOT: linalg.exp
// CHECK: linalg.abs
func.func @overlap(%x: tensor<4xf32>) -> tensor<8x4xf32> {
  %e = tensor.empty() : tensor<4xf32>
  %t0 = tensor.empty() : tensor<8x4xf32>
  %p0 = linalg.log ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %p1 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %p2 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %p3 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %p4 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %p5 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %p6 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %p7 = linalg.exp ins(%x : tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %t1 = tensor.insert_slice %p7 into %t0[0, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x4xf32>
  %t2 = tensor.insert_slice %p1 into %t1[1, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x4xf32>
  %t3 = tensor.insert_slice %p2 into %t2[2, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x4xf32>
  %t4 = tensor.insert_slice %p3 into %t3[3, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x4xf32>
  %t5 = tensor.insert_slice %p4 into %t4[4, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x4xf32>
  %t6 = tensor.insert_slice %p5 into %t5[5, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x4xf32>
  %t7 = tensor.insert_slice %p6 into %t6[6, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x4xf32>
  %t8 = tensor.insert_slice %p0 into %t7[0, 0] [1, 4] [1, 1] : tensor<4xf32> into tensor<8x4xf32>
  %y = linalg.abs ins(%t8 : tensor<8x4xf32>) outs(%t8 : tensor<8x4xf32>) -> tensor<8x4xf32>
  return %y : tensor<8x4xf32>
}
