//===- Reshaping.cpp - a tensor's elements under other shapes -------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reshapes, slices and borders, whose extents may be scalars of the run.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"

using namespace mlir;

namespace mho::graph {

Value Lowering::reshape(Value v, ArrayRef<int64_t> shape) {
  auto from = typeOf(v);
  if (from.getShape() == shape)
    return v;
  auto to = RankedTensorType::get(shape, from.getElementType());
  if (!from.hasStaticShape() || !to.hasStaticShape())
    return reshapeBounded(v, shape);
  if (from.getRank() != to.getRank())
    if (auto groups = getReassociationIndicesForReshape(from, to)) {
      if (from.getRank() > to.getRank())
        return tensor::CollapseShapeOp::create(b, to, v, *groups);
      return tensor::ExpandShapeOp::create(b, to, v, *groups);
    }
  // Through one dimension; a scalar has none to go through.
  auto flat =
      RankedTensorType::get({from.getNumElements()}, from.getElementType());
  auto all = [](int64_t rank) {
    SmallVector<ReassociationIndices> groups(1);
    groups[0].append(llvm::to_vector<2>(llvm::seq<int64_t>(0, rank)));
    return groups;
  };
  if (from.getRank() > 1)
    v = tensor::CollapseShapeOp::create(b, flat, v, all(from.getRank()));
  else if (from.getRank() == 0)
    v = tensor::ExpandShapeOp::create(b, flat, v,
                                      ArrayRef<ReassociationIndices>{});
  if (to.getRank() > 1)
    return tensor::ExpandShapeOp::create(b, to, v, all(to.getRank()));
  if (to.getRank() == 0)
    return tensor::CollapseShapeOp::create(b, to, v,
                                           ArrayRef<ReassociationIndices>{});
  return v;
}

namespace {
/// A shape around its axes of run-time extent.
struct AroundBounded {
  ArrayRef<int64_t> shape;
  SmallVector<int64_t> axes;
  /// Elements of the fixed axes in front of, between and behind those.
  SmallVector<int64_t> between{1};

  explicit AroundBounded(ArrayRef<int64_t> shape) : shape(shape) {
    for (auto [axis, extent] : llvm::enumerate(shape)) {
      if (!ShapedType::isDynamic(extent)) {
        between.back() *= extent;
        continue;
      }
      axes.push_back(axis);
      between.push_back(1);
    }
  }

  /// Fixed axes side by side are one; ones belong to a bounded axis.
  SmallVector<ReassociationIndices> groups() const {
    SmallVector<ReassociationIndices> groups;
    int last = -1;
    size_t next = 0;
    for (auto [axis, extent] : llvm::enumerate(shape)) {
      int part = 2 * next;
      if (ShapedType::isDynamic(extent))
        part = 2 * next++ + 1;
      else if (between[next] == 1)
        part = next ? 2 * next - 1 : 1;
      if (part != last)
        groups.emplace_back();
      last = part;
      groups.back().push_back(axis);
    }
    return groups;
  }

  SmallVector<int64_t> merged() const {
    SmallVector<int64_t> shape;
    for (auto [i, elements] : llvm::enumerate(between)) {
      if (i)
        shape.push_back(ShapedType::kDynamic);
      if (elements != 1)
        shape.push_back(elements);
    }
    return shape;
  }
};
} // namespace

/// Bounded axes keep their places as long as as many elements lie between them;
/// a single one may move, and then each element is copied from its place in
/// row-major order.
Value Lowering::reshapeBounded(Value v, ArrayRef<int64_t> shape) {
  auto from = typeOf(v);
  Type element = from.getElementType();
  AroundBounded old(from.getShape()), wanted(shape);
  if (old.axes.empty() || old.axes.size() != wanted.axes.size() ||
      (old.axes.size() > 1 && old.between != wanted.between)) {
    unknown = true;
    return empty(shape, element);
  }
  SmallVector<OpFoldResult> bounded, sizes;
  for (int64_t axis : old.axes)
    bounded.push_back(extent(v, axis));
  if (old.between != wanted.between) {
    Value elements = arith::MulIOp::create(
        b, cast<Value>(bounded[0]),
        arith::ConstantIndexOp::create(b, old.between[0] * old.between[1]));
    bounded[0] =
        arith::DivSIOp::create(
            b, elements,
            arith::ConstantIndexOp::create(
                b, std::max<int64_t>(wanted.between[0] * wanted.between[1], 1)))
            .getResult();
  }
  size_t next = 0;
  for (int64_t extent : shape)
    sizes.push_back(ShapedType::isDynamic(extent)
                        ? bounded[next++]
                        : OpFoldResult(b.getIndexAttr(extent)));
  if (old.between != wanted.between)
    return reordered(v, sizes);
  SmallVector<int64_t> middle = old.merged();
  if (int64_t(middle.size()) != from.getRank())
    v = tensor::CollapseShapeOp::create(
        b, RankedTensorType::get(middle, element), v, old.groups());
  if (middle.size() == shape.size())
    return v;
  return tensor::ExpandShapeOp::create(b, RankedTensorType::get(shape, element),
                                       v, wanted.groups(), sizes);
}

Value Lowering::reordered(Value v, ArrayRef<OpFoldResult> sizes) {
  int64_t rank = sizes.size(), sourceRank = typeOf(v).getRank();
  auto index = [](ImplicitLocOpBuilder &b, OpFoldResult extent) {
    return getValueOrCreateConstantIndexOp(b, b.getLoc(), extent);
  };
  SmallVector<OpFoldResult> had;
  for (int64_t axis = 0; axis < sourceRank; ++axis)
    had.push_back(extent(v, axis));
  Value init = tensor::EmptyOp::create(b, sizes, typeOf(v).getElementType());
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  return generic(
      {}, init, b.getMultiDimIdentityMap(rank), iterators,
      [&](ImplicitLocOpBuilder &b, ValueRange) {
        Value place = arith::ConstantIndexOp::create(b, 0);
        for (int64_t axis = 0; axis < rank; ++axis)
          place = arith::AddIOp::create(
              b, b.createOrFold<arith::MulIOp>(place, index(b, sizes[axis])),
              linalg::IndexOp::create(b, axis));
        SmallVector<Value> at(sourceRank);
        for (int64_t axis = sourceRank; axis-- > 0;) {
          Value extent = index(b, had[axis]);
          at[axis] =
              axis ? Value(arith::RemSIOp::create(b, place, extent)) : place;
          place = arith::DivSIOp::create(b, place, extent);
        }
        return SmallVector<Value>{tensor::ExtractOp::create(b, v, at)};
      })[0];
}

static SmallVector<OpFoldResult> indices(OpBuilder &b,
                                         ArrayRef<int64_t> values) {
  return getAsIndexOpFoldResult(b.getContext(), values);
}

Value Lowering::slice(Value v, ArrayRef<int64_t> offsets,
                      ArrayRef<int64_t> sizes, ArrayRef<int64_t> strides) {
  if (typeOf(v).getShape() == sizes)
    return v;
  SmallVector<OpFoldResult> counts = indices(b, sizes);
  for (auto [axis, size] : llvm::enumerate(sizes)) {
    if (!ShapedType::isDynamic(size))
      continue;
    // Of a bounded axis only the whole is known here.
    unknown |= offsets[axis] != 0 || strides[axis] != 1 ||
               !typeOf(v).isDynamicDim(axis);
    counts[axis] = extent(v, axis);
  }
  return tensor::ExtractSliceOp::create(b, v, indices(b, offsets), counts,
                                        indices(b, strides));
}

Value Lowering::padded(Value v, ArrayRef<int64_t> low, ArrayRef<int64_t> high,
                       TypedAttr fill) {
  SmallVector<int64_t> shape;
  for (auto [extent, front, back] :
       llvm::zip_equal(typeOf(v).getShape(), low, high))
    shape.push_back(ShapedType::isDynamic(extent) ? extent
                                                  : extent + front + back);
  return padded(v, indices(b, low), indices(b, high), shape, fill);
}

Value Lowering::padded(Value v, ArrayRef<OpFoldResult> low,
                       ArrayRef<OpFoldResult> high, ArrayRef<int64_t> shape,
                       TypedAttr fill) {
  return padded(v, low, high, shape, [&](ArrayRef<OpFoldResult> sizes) {
    return filled(sizes, fill);
  });
}

Value Lowering::padded(Value v, ArrayRef<OpFoldResult> low,
                       ArrayRef<OpFoldResult> high, ArrayRef<int64_t> shape,
                       Value fill) {
  return padded(
      v, low, high, shape, [&](ArrayRef<OpFoldResult> sizes) -> Value {
        int64_t rank = sizes.size();
        auto spread =
            AffineMap::get(rank, 0,
                           SmallVector<AffineExpr>(typeOf(fill).getRank(),
                                                   b.getAffineConstantExpr(0)),
                           b.getContext());
        SmallVector<utils::IteratorType> iterators(
            rank, utils::IteratorType::parallel);
        Value room =
            tensor::EmptyOp::create(b, sizes, typeOf(fill).getElementType());
        return generic(fill, room, {spread, b.getMultiDimIdentityMap(rank)},
                       iterators, [](ImplicitLocOpBuilder &, ValueRange args) {
                         return SmallVector<Value>{args[0]};
                       })[0];
      });
}

/// Room of `shape` in which only what lies around the inside is made by
/// `makeRoom`, side by side; null where filling the whole is as good.
static Value
borderOf(ImplicitLocOpBuilder &b, RankedTensorType inside,
         ArrayRef<int64_t> low, ArrayRef<int64_t> shape,
         llvm::function_ref<Value(ArrayRef<OpFoldResult>)> makeRoom) {
  // A whole of fewer elements is filled sooner than its sides are.
  constexpr int64_t kLeast = int64_t(1) << 14;
  int64_t all = ShapedType::getNumElements(shape);
  if (all < kLeast || inside.getNumElements() < all / 2)
    return nullptr;
  Value room = tensor::EmptyOp::create(b, shape, inside.getElementType());
  SmallVector<int64_t> offsets(shape.size(), 0), sizes(shape);
  SmallVector<OpFoldResult> ones(shape.size(), b.getIndexAttr(1));
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    int64_t own = inside.getDimSize(axis), end = low[axis] + own;
    for (auto [begin, size] :
         {std::pair(int64_t(0), low[axis]), std::pair(end, shape[axis] - end)})
      if (size > 0) {
        offsets[axis] = begin;
        sizes[axis] = size;
        room = tensor::InsertSliceOp::create(b, makeRoom(indices(b, sizes)),
                                             room, indices(b, offsets),
                                             indices(b, sizes), ones);
      }
    // The sides of later axes lie between these.
    offsets[axis] = low[axis];
    sizes[axis] = own;
  }
  return room;
}

Value Lowering::padded(
    Value v, ArrayRef<OpFoldResult> low, ArrayRef<OpFoldResult> high,
    ArrayRef<int64_t> shape,
    llvm::function_ref<Value(ArrayRef<OpFoldResult>)> makeRoom) {
  auto type = typeOf(v);
  if (llvm::all_of(low, isZeroInteger) && llvm::all_of(high, isZeroInteger))
    return v;
  SmallVector<OpFoldResult> all, parts, cuts, offsets;
  bool cut = false;
  for (int64_t i = 0; i < type.getRank(); ++i) {
    OpFoldResult own = extent(v, i), zero = b.getIndexAttr(0);
    int64_t front = getConstantIntValue(low[i]).value_or(0);
    int64_t back = getConstantIntValue(high[i]).value_or(0);
    all.push_back(ShapedType::isDynamic(shape[i])
                      ? sum(own, sum(low[i], high[i]))
                      : OpFoldResult(b.getIndexAttr(shape[i])));
    int64_t less = std::min<int64_t>(0, front) + std::min<int64_t>(0, back);
    parts.push_back(less ? sum(own, b.getIndexAttr(less)) : own);
    cuts.push_back(b.getIndexAttr(std::max<int64_t>(0, -front)));
    offsets.push_back(front < 0 ? zero : low[i]);
    cut |= less < 0;
  }
  SmallVector<OpFoldResult> ones(type.getRank(), b.getIndexAttr(1));
  if (cut)
    v = tensor::ExtractSliceOp::create(b, v, cuts, parts, ones);
  std::optional<SmallVector<int64_t>> fixed = getConstantIntValues(low);
  Value room;
  if (!cut && fixed && type.hasStaticShape() &&
      !ShapedType::isDynamicShape(shape))
    room = borderOf(b, type, *fixed, shape, makeRoom);
  if (!room)
    room = makeRoom(all);
  return tensor::InsertSliceOp::create(b, v, room, offsets, parts, ones);
}

} // namespace mho::graph
