//===- Movement.cpp - graph ops that move data to linalg ------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace mho::graph {

namespace {

Value lowerTranspose(Lowering &l, TransposeOp op) {
  auto from = l.typeOf(op.getX());
  ArrayRef<int64_t> perm = op.getPerm();
  // Axes of extent 1 move for free.
  SmallVector<int64_t> order;
  for (int64_t axis : perm)
    if (from.getDimSize(axis) != 1)
      order.push_back(axis);
  if (llvm::is_sorted(order))
    return l.reshape(op.getX(), l.resultType().getShape());
  SmallVector<AffineExpr> exprs(from.getRank());
  for (auto [i, axis] : llvm::enumerate(perm))
    exprs[axis] = l.b.getAffineDimExpr(i);
  return l.moved(op.getX(),
                 AffineMap::get(from.getRank(), 0, exprs, l.b.getContext()),
                 l.resultType());
}

Value lowerConcat(Lowering &l, ConcatOp op) {
  auto type = l.resultType();
  if (op.getXs().size() == 1)
    return op.getXs()[0];
  int64_t axis =
      op.getAxis() < 0 ? op.getAxis() + type.getRank() : op.getAxis();
  SmallVector<OpFoldResult> offsets(type.getRank(), l.b.getIndexAttr(0));
  SmallVector<OpFoldResult> ones(type.getRank(), l.b.getIndexAttr(1));
  SmallVector<OpFoldResult> starts, all;
  for (int64_t i = 0; i < type.getRank(); ++i)
    all.push_back(l.extent(op.getXs()[0], i));
  OpFoldResult end = l.b.getIndexAttr(0);
  for (Value x : op.getXs()) {
    starts.push_back(end);
    end = l.sum(end, l.extent(x, axis));
  }
  all[axis] = end;
  Value y = tensor::EmptyOp::create(l.b, all, type.getElementType());
  for (auto [x, start] : llvm::zip_equal(op.getXs(), starts)) {
    SmallVector<OpFoldResult> sizes;
    for (int64_t i = 0; i < type.getRank(); ++i)
      sizes.push_back(l.extent(x, i));
    if (isConstantIntValue(sizes[axis], 0))
      continue;
    offsets[axis] = start;
    y = tensor::InsertSliceOp::create(l.b, x, y, offsets, sizes, ones);
  }
  return y;
}

Value lowerSlice(Lowering &l, SliceOp op) {
  auto type = l.resultType();
  ArrayRef<int64_t> starts = op.getStarts(), steps = op.getSteps();
  if (llvm::all_of(steps, [](int64_t s) { return s > 0; }))
    return l.slice(op.getX(), starts, type.getShape(), steps);
  // Backwards: the map counts down.
  SmallVector<AffineExpr> exprs;
  for (int64_t i = 0; i < type.getRank(); ++i)
    exprs.push_back(l.b.getAffineDimExpr(i) * steps[i] + starts[i]);
  return l.moved(op.getX(),
                 AffineMap::get(type.getRank(), 0, exprs, l.b.getContext()),
                 type);
}

/// A reshape of which the run knows several extents.
Value lowerReshape(Lowering &l, tensor::ReshapeOp op) {
  SmallVector<OpFoldResult> sizes;
  auto made = op.getShape().getDefiningOp<tensor::FromElementsOp>();
  for (auto [axis, extent] : llvm::enumerate(l.resultType().getShape())) {
    if (!ShapedType::isDynamic(extent))
      sizes.push_back(l.b.getIndexAttr(extent));
    else if (made)
      sizes.push_back(OpFoldResult(made.getElements()[axis]));
    else
      sizes.push_back(tensor::ExtractOp::create(
                          l.b, op.getShape(),
                          ValueRange(arith::ConstantIndexOp::create(l.b, axis)))
                          .getResult());
  }
  return l.reordered(op.getSource(), sizes);
}

/// Element i of a border of mode edge, reflect or wrap: the index into an axis
/// of `extent` (i64) that place `i - low` shows.
Value borderIndex(ImplicitLocOpBuilder &b, Value i, Value low, Value extent,
                  StringRef mode) {
  auto constant = [&](int64_t n) {
    return arith::ConstantOp::create(b, b.getI64IntegerAttr(n));
  };
  Value place = arith::SubIOp::create(b, i, low);
  Value zero = constant(0), one = constant(1);
  Value last = b.createOrFold<arith::SubIOp>(extent, one);
  if (mode == "edge" || isZeroInteger(last))
    return arith::MinSIOp::create(b, arith::MaxSIOp::create(b, place, zero),
                                  last);
  Value period = extent;
  if (mode != "wrap")
    period = b.createOrFold<arith::MulIOp>(last, constant(2));
  // Of one place everything shows that one.
  period = b.createOrFold<arith::MaxSIOp>(period, one);
  Value turn = arith::RemSIOp::create(b, place, period);
  Value negative =
      arith::CmpIOp::create(b, arith::CmpIPredicate::slt, turn, zero);
  Value up = arith::AddIOp::create(b, turn, period);
  turn = arith::SelectOp::create(b, negative, up, turn);
  if (mode == "wrap")
    return turn;
  Value back = arith::SubIOp::create(b, period, turn);
  return arith::MinSIOp::create(b, turn, back);
}

/// An axis with its borders beside it, in three pieces that are copied in
/// rows; nothing where a border shows some place twice, which takes an index
/// for every element.
Value bordered(Lowering &l, Value x, int64_t axis, int64_t low, int64_t high,
               StringRef mode) {
  auto type = l.typeOf(x);
  int64_t rank = type.getRank(), extent = type.getDimSize(axis);
  int64_t most = mode == "reflect" ? extent - 1 : extent;
  if (low < 0 || high < 0 || extent == 0 ||
      (mode != "edge" && std::max(low, high) > most))
    return nullptr;
  SmallVector<int64_t> shape(type.getShape());
  shape[axis] = low + extent + high;
  Value y = tensor::EmptyOp::create(l.b, shape, type.getElementType());
  SmallVector<OpFoldResult> offsets(rank, l.b.getIndexAttr(0)),
      ones(rank, l.b.getIndexAttr(1));
  auto put = [&](Value piece, int64_t place) {
    offsets[axis] = l.b.getIndexAttr(place);
    y = tensor::InsertSliceOp::create(
        l.b, piece, y, offsets,
        getAsIndexOpFoldResult(l.b.getContext(), l.typeOf(piece).getShape()),
        ones);
  };
  // `count` places from `first` on, in steps of -1, 0 or 1.
  auto piece = [&](int64_t first, int64_t step, int64_t count) {
    SmallVector<AffineExpr> exprs;
    for (int64_t i = 0; i < rank; ++i)
      exprs.push_back(l.b.getAffineDimExpr(i));
    exprs[axis] = exprs[axis] * step + first;
    SmallVector<int64_t> part(type.getShape());
    part[axis] = count;
    if (step == 1) {
      SmallVector<int64_t> starts(rank, 0);
      starts[axis] = first;
      return l.slice(x, starts, part, SmallVector<int64_t>(rank, 1));
    }
    return l.moved(x, AffineMap::get(rank, 0, exprs, l.b.getContext()),
                   type.clone(part));
  };
  if (low > 0)
    put(mode == "edge"   ? piece(0, 0, low)
        : mode == "wrap" ? piece(extent - low, 1, low)
                         : piece(low, -1, low),
        0);
  put(x, low);
  if (high > 0)
    put(mode == "edge"   ? piece(extent - 1, 0, high)
        : mode == "wrap" ? piece(0, 1, high)
                         : piece(extent - 2, -1, high),
        low + extent);
  return y;
}

Value lowerPad(Lowering &l, PadOp op) {
  auto type = l.resultType();
  SmallVector<OpFoldResult> low = op.getMixedLow(), high = op.getMixedHigh();
  StringRef mode = op.getMode();
  if (mode == "constant") {
    auto fill = cast<TypedAttr>(l.b.getZeroAttr(type.getElementType()));
    if (!op.getValue() || l.splat(op.getValue()))
      return l.padded(op.getX(), low, high, type.getShape(),
                      op.getValue() ? l.splat(op.getValue()) : fill);
    return l.padded(op.getX(), low, high, type.getShape(), op.getValue());
  }
  int64_t rank = type.getRank();
  Value whole = op.getX();
  for (int64_t i = 0; i < rank && whole; ++i) {
    auto before = getConstantIntValue(low[i]),
         after = getConstantIntValue(high[i]);
    if (!before || !after || !l.typeOf(whole).hasStaticShape())
      whole = nullptr;
    else if (*before || *after)
      whole = bordered(l, whole, i, *before, *after, mode);
  }
  if (whole)
    return whole;
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  SmallVector<OpFoldResult> had, sizes;
  for (int64_t i = 0; i < rank; ++i) {
    had.push_back(l.extent(op.getX(), i));
    sizes.push_back(type.isDynamicDim(i)
                        ? l.sum(had[i], l.sum(low[i], high[i]))
                        : OpFoldResult(l.b.getIndexAttr(type.getDimSize(i))));
  }
  auto wide = [](ImplicitLocOpBuilder &b, OpFoldResult scalar) -> Value {
    if (auto number = getConstantIntValue(scalar))
      return arith::ConstantOp::create(b, b.getI64IntegerAttr(*number));
    return arith::IndexCastOp::create(b, b.getI64Type(), cast<Value>(scalar));
  };
  return l.generic(
      {}, Value(tensor::EmptyOp::create(l.b, sizes, type.getElementType())),
      l.b.getMultiDimIdentityMap(rank), iterators,
      [&](ImplicitLocOpBuilder &b, ValueRange) {
        SmallVector<Value> places;
        for (int64_t i = 0; i < rank; ++i) {
          Value index = linalg::IndexOp::create(b, i);
          if (!isZeroInteger(low[i]) || !isZeroInteger(high[i])) {
            index = arith::IndexCastOp::create(b, b.getI64Type(), index);
            index =
                borderIndex(b, index, wide(b, low[i]), wide(b, had[i]), mode);
            index = arith::IndexCastOp::create(b, b.getIndexType(), index);
          }
          places.push_back(index);
        }
        return SmallVector<Value>{
            tensor::ExtractOp::create(b, op.getX(), places)};
      })[0];
}

Value lowerExpand(Lowering &l, ExpandOp op) {
  auto type = l.resultType();
  auto from = l.typeOf(op.getX());
  if (from.hasStaticShape() && type.hasStaticShape() &&
      from.getNumElements() == type.getNumElements())
    return l.reshape(op.getX(), type.getShape());
  return l.moved(op.getX(), l.broadcastMap(from.getShape(), type.getShape()),
                 type);
}

/// How often each element of an axis of `extent` appears where constant
/// indices only repeat all of them in turn; else 0.
int64_t evenRepeats(Value indices, int64_t extent) {
  DenseIntElementsAttr known;
  auto type = cast<RankedTensorType>(indices.getType());
  int64_t count = type.getNumElements();
  if (type.getRank() != 1 || extent < 1 || count % extent != 0 || count == 0 ||
      !matchPattern(indices, m_Constant(&known)))
    return 0;
  int64_t times = count / extent, i = 0;
  for (const APInt &index : known.getValues<APInt>())
    if (index.getSExtValue() != i++ / times)
      return 0;
  return times;
}

/// x with each element of an axis `times` times.
Value repeated(Lowering &l, Value x, int64_t axis, int64_t times) {
  auto from = l.typeOf(x);
  int64_t rank = from.getRank() + 1;
  SmallVector<int64_t> apart(from.getShape());
  apart.insert(apart.begin() + axis + 1, times);
  SmallVector<AffineExpr> exprs;
  for (int64_t dim = 0; dim < rank; ++dim)
    if (dim != axis + 1)
      exprs.push_back(l.b.getAffineDimExpr(dim));
  Value y = l.moved(x, AffineMap::get(rank, 0, exprs, l.b.getContext()),
                    RankedTensorType::get(apart, from.getElementType()));
  return l.reshape(y, l.resultType().getShape());
}

/// y[before, j…, after] = x[before, indices[j…], after]. Indices are checked
/// when they are used; negative ones count from the end.
Value lowerGather(Lowering &l, GatherOp op) {
  auto from = l.typeOf(op.getX());
  auto chosen = l.typeOf(op.getIndices());
  auto type = l.resultType();
  int64_t axis =
      op.getAxis() < 0 ? op.getAxis() + from.getRank() : op.getAxis();
  int64_t extent = from.getDimSize(axis);
  if (int64_t times =
          from.isDynamicDim(axis) ? 0 : evenRepeats(op.getIndices(), extent))
    return times == 1 ? Value(op.getX()) : repeated(l, op.getX(), axis, times);
  if (auto known = dyn_cast_if_present<IntegerAttr>(l.splat(op.getIndices()));
      known && chosen.hasStaticShape() && chosen.getNumElements() == 1 &&
      !from.isDynamicDim(axis)) {
    int64_t place =
        known.getInt() < 0 ? known.getInt() + extent : known.getInt();
    if (place >= 0 && place < extent) {
      SmallVector<int64_t> offsets(from.getRank(), 0), ones(from.getRank(), 1);
      SmallVector<int64_t> sizes(from.getShape());
      offsets[axis] = place;
      sizes[axis] = 1;
      return l.reshape(l.slice(op.getX(), offsets, sizes, ones),
                       type.getShape());
    }
  }
  int64_t rank = type.getRank(), count = chosen.getRank();
  SmallVector<AffineExpr> exprs;
  for (int64_t i = 0; i < count; ++i)
    exprs.push_back(l.b.getAffineDimExpr(axis + i));
  AffineMap map = AffineMap::get(rank, 0, exprs, l.b.getContext());
  OpFoldResult end = l.extent(op.getX(), axis);
  Value init = l.empty(type, [&](int64_t dim) {
    if (dim >= axis && dim < axis + count)
      return l.extent(op.getIndices(), dim - axis);
    return l.extent(op.getX(), dim < axis ? dim : dim - count + 1);
  });
  return l.mapped(
      op.getIndices(), map, type,
      [&](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
        Value index =
            castScalar(b, args[0], l.isUnsigned(1), b.getI64Type(), false);
        Value bound = from.isDynamicDim(axis)
                          ? Value(arith::IndexCastOp::create(b, b.getI64Type(),
                                                             cast<Value>(end)))
                          : constantOf(b, b.getI64Type(), extent);
        SmallVector<Value> places;
        for (int64_t i = 0; i < from.getRank(); ++i) {
          if (i == axis)
            places.push_back(wrappedIndex(b, index, bound));
          else
            places.push_back(
                linalg::IndexOp::create(b, i < axis ? i : i + count - 1));
        }
        Value element = tensor::ExtractOp::create(b, op.getX(), places);
        return isNarrowFloat(element.getType())
                   ? convertFloat(b, element, b.getF32Type())
                   : element;
      },
      init);
}

} // namespace

Lowered lowerMovement(Lowering &l) {
  if (auto op = dyn_cast<tensor::ReshapeOp>(l.op))
    return lowered(lowerReshape(l, op));
  if (auto op = dyn_cast<ReshapeOp>(l.op))
    return lowered(l.reshape(op.getX(), l.resultType().getShape()));
  if (auto op = dyn_cast<TransposeOp>(l.op))
    return lowered(lowerTranspose(l, op));
  if (auto op = dyn_cast<ConcatOp>(l.op))
    return lowered(lowerConcat(l, op));
  if (auto op = dyn_cast<SliceOp>(l.op))
    return lowered(lowerSlice(l, op));
  if (auto op = dyn_cast<PadOp>(l.op))
    return lowered(lowerPad(l, op));
  if (auto op = dyn_cast<ExpandOp>(l.op))
    return lowered(lowerExpand(l, op));
  if (auto op = dyn_cast<GatherOp>(l.op))
    return lowered(lowerGather(l, op));
  return notOfFamily();
}

} // namespace mho::graph
