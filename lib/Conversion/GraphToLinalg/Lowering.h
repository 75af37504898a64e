//===- Lowering.h - building linalg for one graph op ------------*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What every lowering of a graph op needs: the op's location on whatever is
// built, signless operands together with the signedness the graph gave them,
// and generics with broadcasting by affine maps.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_CONVERSION_GRAPHTOLINALG_LOWERING_H
#define MHO_LIB_CONVERSION_GRAPHTOLINALG_LOWERING_H

#include "mho/Dialect/Graph/IR/GraphOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mho::graph {

using mlir::AffineExpr;
using mlir::AffineMap;
using mlir::ArrayRef;
using mlir::FailureOr;
using mlir::ImplicitLocOpBuilder;
using mlir::Operation;
using mlir::RankedTensorType;
using mlir::SmallVector;
using mlir::Type;
using mlir::TypedAttr;
using mlir::Value;
using mlir::ValueRange;

/// The body of a generic: block arguments to yielded values.
using BodyFn =
    llvm::function_ref<SmallVector<Value>(ImplicitLocOpBuilder &, ValueRange)>;
using ScalarFn = llvm::function_ref<Value(ImplicitLocOpBuilder &, ValueRange)>;

/// One graph op being lowered. Values of unsigned element types have already
/// been made signless; `isUnsigned` tells what they were.
class Lowering {
public:
  /// `unsignedValues`: bit i for operand i, then one per result.
  Lowering(Operation *op, ArrayRef<bool> unsignedValues)
      : b(op->getLoc(), op), op(op), unsignedValues(unsignedValues) {}

  ImplicitLocOpBuilder b;
  Operation *op;

  bool isUnsigned(unsigned operand) const;
  bool isResultUnsigned() const;
  RankedTensorType typeOf(Value v) const {
    return llvm::cast<RankedTensorType>(v.getType());
  }
  RankedTensorType resultType() const { return typeOf(op->getResult(0)); }

  /// The one element of a constant whose elements are all equal, else null.
  TypedAttr splat(Value v) const;

  /// An extent of run time in `shape` is told by the generic that writes the
  /// tensor: it is that of an operand along the same loop.
  Value empty(ArrayRef<int64_t> shape, Type element);
  /// A tensor of a type, with extents of run time from `tell`, which gives null
  /// where it does not know one.
  Value empty(RankedTensorType type,
              llvm::function_ref<mlir::OpFoldResult(int64_t axis)> tell);
  /// A stand-in for a result whose extents of run time nothing tells: the op is
  /// refused.
  Value unknownExtents(RankedTensorType type) {
    return empty(type, [](int64_t) { return mlir::OpFoldResult(); });
  }
  /// A tensor filled with `value`.
  Value filled(ArrayRef<int64_t> shape, TypedAttr value);
  Value filled(ArrayRef<mlir::OpFoldResult> sizes, TypedAttr value);

  /// Element-wise, operands broadcast as NumPy does; splat constants go into
  /// the body. Narrow floats are widened to f32 in the body and back.
  Value elementwise(ValueRange operands, RankedTensorType type, ScalarFn body);
  /// The same with a map per operand from the result's dims.
  Value mapped(ValueRange operands, ArrayRef<AffineMap> maps,
               RankedTensorType type, ScalarFn body, Value init = {});
  /// A generic with results started from `inits`.
  SmallVector<Value> generic(ValueRange operands, ValueRange inits,
                             ArrayRef<AffineMap> maps,
                             ArrayRef<mlir::utils::IteratorType> iterators,
                             BodyFn body);
  /// Extent of an axis, a number where it is fixed.
  mlir::OpFoldResult extent(Value v, int64_t axis);
  mlir::OpFoldResult sum(mlir::OpFoldResult x, mlir::OpFoldResult y);
  /// Whether an extent of run time remained that nothing tells.
  bool isOpen() const;
  /// out[d..] = in[map(d..)]: moves elements, computes nothing.
  Value moved(Value in, AffineMap map, RankedTensorType type);

  /// The same elements in row-major order under another shape.
  Value reshape(Value v, ArrayRef<int64_t> shape);
  /// The same with extents that may be scalars of the run: each element is
  /// copied from its place.
  Value reordered(Value v, ArrayRef<mlir::OpFoldResult> sizes);
  /// `v` within a border of `fill`; no-op where all amounts are zero.
  Value padded(Value v, ArrayRef<int64_t> low, ArrayRef<int64_t> high,
               TypedAttr fill);
  /// The same with amounts that may be scalars of the run, which are not
  /// negative, in a tensor of `shape`.
  Value padded(Value v, ArrayRef<mlir::OpFoldResult> low,
               ArrayRef<mlir::OpFoldResult> high, ArrayRef<int64_t> shape,
               TypedAttr fill);
  /// The same with an element that the run gives.
  Value padded(Value v, ArrayRef<mlir::OpFoldResult> low,
               ArrayRef<mlir::OpFoldResult> high, ArrayRef<int64_t> shape,
               Value fill);
  Value slice(Value v, ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes,
              ArrayRef<int64_t> strides);

  /// The map of an operand of `shape` broadcast to `rank` dims with the
  /// extents `to`.
  AffineMap broadcastMap(ArrayRef<int64_t> shape, ArrayRef<int64_t> to);

private:
  Value
  padded(Value v, ArrayRef<mlir::OpFoldResult> low,
         ArrayRef<mlir::OpFoldResult> high, ArrayRef<int64_t> shape,
         llvm::function_ref<Value(ArrayRef<mlir::OpFoldResult>)> makeRoom);
  /// Gives the tensor behind `init` the extents that operands tell.
  void complete(Value init, AffineMap map, ValueRange operands,
                ArrayRef<AffineMap> maps);
  Value reshapeBounded(Value v, ArrayRef<int64_t> shape);

  ArrayRef<bool> unsignedValues;
  /// Tensors with extents that are not told yet.
  SmallVector<mlir::tensor::EmptyOp> open;
  bool unknown = false;
};

/// Whether an extent is zero, whatever those of run time are.
inline bool hasNoElements(RankedTensorType type) {
  return llvm::is_contained(type.getShape(), 0);
}
/// Floats narrower than f32 are computed in f32.
bool isNarrowFloat(Type type);
/// `value` in float type `to`.
Value convertFloat(ImplicitLocOpBuilder &b, Value value, Type to);
/// ONNX's Cast of one element.
Value castScalar(ImplicitLocOpBuilder &b, Value value, bool fromUnsigned,
                 Type to, bool toUnsigned);

/// A place on an axis of `extent`: a negative index counts from the end.
Value wrappedIndex(ImplicitLocOpBuilder &b, Value index, int64_t extent);
/// The same where the extent is a value of the index's type.
Value wrappedIndex(ImplicitLocOpBuilder &b, Value index, Value extent);

/// The value that wins no maximum (or minimum) of the type.
TypedAttr lowest(Type type, bool isUnsigned);
TypedAttr highest(Type type, bool isUnsigned);
/// The larger (smaller) of two elements; NaN wins.
Value maximum(ImplicitLocOpBuilder &b, Value x, Value y, bool isUnsigned);
Value minimum(ImplicitLocOpBuilder &b, Value x, Value y, bool isUnsigned);
Value constantOf(ImplicitLocOpBuilder &b, Type type, double value);

/// An op's results. Empty where the op is not of a family; failure comes after
/// an error at the op.
using Lowered = FailureOr<SmallVector<Value>>;
inline Lowered lowered(Value v) { return SmallVector<Value>{v}; }
inline Lowered lowered(FailureOr<Value> v) {
  if (failed(v))
    return mlir::failure();
  return lowered(*v);
}
inline Lowered notOfFamily() { return SmallVector<Value>(); }

Lowered lowerTypes(Lowering &l);
Lowered lowerElementwise(Lowering &l);
Lowered lowerMath(Lowering &l);
Lowered lowerTrees(Lowering &l);
Lowered lowerProduct(Lowering &l);
Lowered lowerWindowed(Lowering &l);
Lowered lowerOverlap(Lowering &l);
Lowered lowerReduction(Lowering &l);
Lowered lowerMovement(Lowering &l);
Lowered lowerPlaces(Lowering &l);
Lowered lowerResampling(Lowering &l);

} // namespace mho::graph

#endif // MHO_LIB_CONVERSION_GRAPHTOLINALG_LOWERING_H
