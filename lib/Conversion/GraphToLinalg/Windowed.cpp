//===- Windowed.cpp - digital convolution and pooling to linalg -----------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

#include "mho/Dialect/Graph/IR/RunTimeExtents.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace mho::graph {

namespace {

/// Window attributes with the positions of the image's axes.
struct Window {
  ArrayRef<int64_t> kernel, strides, pads, dilations;
  bool ceil, channelsLast;
  int64_t spatial() const { return kernel.size(); }
  int64_t firstAxis() const { return channelsLast ? 1 : 2; }
  int64_t channelAxis() const { return channelsLast ? spatial() + 1 : 1; }
};

template <typename OpTy> Window windowOf(OpTy op) {
  return {op.getKernel(),    op.getStrides(),  op.getPads(),
          op.getDilations(), op.getCeilMode(), op.getChannelsLast()};
}

/// x with the border that the output positions reach into. Of an extent that
/// the run gives it is as wide as it may have to be.
Value bordered(Lowering &l, Value x, const Window &w, TypedAttr fill) {
  auto from = l.typeOf(x);
  auto to = l.resultType();
  SmallVector<int64_t> low(from.getRank(), 0), high(from.getRank(), 0);
  for (int64_t i = 0; i < w.spatial(); ++i) {
    int64_t axis = w.firstAxis() + i;
    low[axis] = w.pads[i];
    if (from.isDynamicDim(axis)) {
      high[axis] = w.pads[w.spatial() + i] + (w.ceil ? w.strides[i] - 1 : 0);
      continue;
    }
    int64_t reach = (to.getDimSize(axis) - 1) * w.strides[i] +
                    (w.kernel[i] - 1) * w.dilations[i] + 1;
    high[axis] =
        std::max<int64_t>(0, reach - w.pads[i] - from.getDimSize(axis));
  }
  return l.padded(x, low, high, fill);
}

/// The extents of what a window over `x` gives.
SmallVector<OpFoldResult> sizesOf(Lowering &l, Value x, const Window &w) {
  auto type = l.resultType();
  SmallVector<OpFoldResult> sizes;
  for (int64_t axis = 0; axis < type.getRank(); ++axis) {
    int64_t i = axis - w.firstAxis();
    OpFoldResult size = l.b.getIndexAttr(type.getDimSize(axis));
    if (type.isDynamicDim(axis))
      size = l.extent(x, axis);
    if (auto extent = dyn_cast<Value>(size);
        extent && i >= 0 && i < w.spatial())
      size = windowPositions(l.b, l.b.getLoc(), extent, w.kernel[i],
                             w.strides[i], w.dilations[i], w.pads[i],
                             w.pads[w.spatial() + i], w.ceil);
    sizes.push_back(size);
  }
  return sizes;
}

/// Loop dims of a pooling: batch, output places, window places, channel (the
/// innermost where it is the innermost of memory, else after the batch).
struct PoolDims {
  PoolDims(Lowering &l, const Window &w) : w(w) {
    int64_t s = w.spatial(), next = 0;
    auto dim = [&] { return l.b.getAffineDimExpr(next++); };
    batch = dim();
    if (!w.channelsLast)
      channel = dim();
    for (int64_t i = 0; i < s; ++i)
      place.push_back(dim());
    for (int64_t i = 0; i < s; ++i)
      window.push_back(dim());
    // Lanes then run along the last axis of the image, not of the window.
    if (!w.channelsLast)
      std::reverse(window.begin(), window.end());
    iterators.assign(next, utils::IteratorType::parallel);
    std::fill(iterators.end() - s, iterators.end(),
              utils::IteratorType::reduction);
    if (w.channelsLast) {
      channel = dim();
      iterators.push_back(utils::IteratorType::parallel);
    }
  }
  /// N, spatial, C or N, C, spatial.
  SmallVector<AffineExpr> image(ArrayRef<AffineExpr> spatial) const {
    SmallVector<AffineExpr> exprs{batch};
    if (!w.channelsLast)
      exprs.push_back(channel);
    exprs.append(spatial.begin(), spatial.end());
    if (w.channelsLast)
      exprs.push_back(channel);
    return exprs;
  }
  SmallVector<AffineExpr> read() const {
    SmallVector<AffineExpr> exprs;
    for (int64_t i = 0; i < w.spatial(); ++i)
      exprs.push_back(place[i] * w.strides[i] + window[i] * w.dilations[i]);
    return image(exprs);
  }
  AffineMap map(Lowering &l, ArrayRef<AffineExpr> exprs) const {
    return AffineMap::get(iterators.size(), 0, exprs, l.b.getContext());
  }

  const Window &w;
  AffineExpr batch, channel;
  SmallVector<AffineExpr> place, window;
  SmallVector<utils::IteratorType> iterators;
};

/// The windows over x, within a border of `fill`, each combined from `init` on.
Value pool(
    Lowering &l, Value x, const Window &w, TypedAttr fill, TypedAttr init,
    llvm::function_ref<Value(ImplicitLocOpBuilder &, Value, Value)> combine) {
  Value start = l.filled(sizesOf(l, x, w), init);
  x = bordered(l, x, w, fill);
  PoolDims dims(l, w);
  // Only its shape counts: it says how far the window dims run.
  Value shape = l.empty(w.kernel, init.getType());
  return l.generic({x, shape}, start,
                   {dims.map(l, dims.read()), dims.map(l, dims.window),
                    dims.map(l, dims.image(dims.place))},
                   dims.iterators,
                   [&](ImplicitLocOpBuilder &b, ValueRange args) {
                     Value v = castScalar(b, args[0], l.isUnsigned(0),
                                          init.getType(), l.isUnsigned(0));
                     return SmallVector<Value>{combine(b, args[2], v)};
                   })[0];
}

/// Narrow floats as f32: once for all windows that an element is in.
Value widened(Lowering &l, Value x) {
  auto type = l.typeOf(x);
  if (!isNarrowFloat(type.getElementType()))
    return x;
  return l.elementwise(
      x, type.clone(l.b.getF32Type()),
      [](ImplicitLocOpBuilder &, ValueRange args) { return args[0]; });
}

/// What was computed of widened values, in the result's type.
Value narrowed(Lowering &l, Value y) {
  auto type = l.resultType();
  if (l.typeOf(y).getElementType() == type.getElementType())
    return y;
  return l.elementwise(
      y, type, [](ImplicitLocOpBuilder &, ValueRange args) { return args[0]; });
}

Value lowerMaxPool(Lowering &l, MaxPoolOp op) {
  Window w = windowOf(op);
  bool isUnsigned = l.isUnsigned(0);
  Value x = widened(l, op.getX());
  TypedAttr least = lowest(l.typeOf(x).getElementType(), isUnsigned);
  return narrowed(l, pool(l, x, w, least, least,
                          [&](ImplicitLocOpBuilder &b, Value a, Value v) {
                            return maximum(b, a, v, isUnsigned);
                          }));
}

/// The sums of all windows, of narrow floats in f32.
Value sumsOfWindows(Lowering &l, Value x, const Window &w) {
  x = widened(l, x);
  auto zero = cast<TypedAttr>(l.b.getZeroAttr(l.typeOf(x).getElementType()));
  return pool(l, x, w, zero, zero,
              [](ImplicitLocOpBuilder &b, Value a, Value v) {
                return arith::AddFOp::create(b, a, v);
              });
}

Value lowerSumPool(Lowering &l, SumPoolOp op) {
  return narrowed(l, sumsOfWindows(l, op.getX(), windowOf(op)));
}

/// The least index whose element equals the window's largest. Elements of the
/// border are no candidates: their index is beyond all others.
Value lowerMaxPoolIndex(Lowering &l, MaxPoolIndexOp op) {
  // Whether y has windows past the end, its shape tells.
  Window w{op.getKernel(),    op.getStrides(), op.getPads(),
           op.getDilations(), /*ceil=*/true,   /*channelsLast=*/false};
  auto from = l.typeOf(op.getX());
  bool isFloat = isa<FloatType>(from.getElementType());
  TypedAttr least = lowest(from.getElementType(), l.isUnsigned(0));
  Value x = bordered(l, op.getX(), w, least);
  PoolDims dims(l, w);
  Value shape = l.empty(w.kernel, l.b.getI64Type());
  TypedAttr beyond = highest(l.b.getI64Type(), /*isUnsigned=*/false);
  SmallVector<OpFoldResult> had, sizes;
  for (int64_t axis = 0; axis < from.getRank(); ++axis) {
    had.push_back(l.extent(op.getX(), axis));
    sizes.push_back(l.extent(op.getY(), axis));
  }
  Value start = l.filled(sizes, beyond);
  AffineMap places = dims.map(l, dims.image(dims.place));
  return l.generic(
      {x, op.getY(), shape}, start,
      {dims.map(l, dims.read()), places, dims.map(l, dims.window), places},
      dims.iterators, [&](ImplicitLocOpBuilder &b, ValueRange args) {
        auto constant = [&](int64_t n) {
          return constantOf(b, b.getI64Type(), n);
        };
        auto index = [&](AffineExpr dim) {
          return arith::IndexCastOp::create(
              b, b.getI64Type(),
              linalg::IndexOp::create(b,
                                      cast<AffineDimExpr>(dim).getPosition()));
        };
        auto extentOf = [&](int64_t axis) -> Value {
          if (auto extent = dyn_cast<Value>(had[axis]))
            return arith::IndexCastOp::create(b, b.getI64Type(), extent);
          return constant(from.getDimSize(axis));
        };
        Value found;
        if (isFloat) {
          auto is = [&](arith::CmpFPredicate predicate, Value v, Value u) {
            return arith::CmpFOp::create(b, predicate, v, u);
          };
          // NaN is the largest of its window.
          Type wide = isNarrowFloat(args[0].getType()) ? Type(b.getF32Type())
                                                       : args[0].getType();
          Value element = convertFloat(b, args[0], wide);
          Value nan = is(arith::CmpFPredicate::UNO, element, element);
          found = is(arith::CmpFPredicate::OEQ, element,
                     convertFloat(b, args[1], wide));
          found = arith::OrIOp::create(b, found, nan);
        } else {
          found = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, args[0],
                                        args[1]);
        }
        Value place = arith::AddIOp::create(
            b, arith::MulIOp::create(b, index(dims.batch), extentOf(1)),
            index(dims.channel));
        for (int64_t i = 0; i < w.spatial(); ++i) {
          Value extent = extentOf(i + 2);
          Value at = arith::AddIOp::create(
              b,
              arith::MulIOp::create(b, index(dims.place[i]),
                                    constant(w.strides[i])),
              arith::MulIOp::create(b, index(dims.window[i]),
                                    constant(w.dilations[i])));
          at = arith::SubIOp::create(b, at, constant(w.pads[i]));
          Value inside =
              arith::CmpIOp::create(b, arith::CmpIPredicate::ult, at, extent);
          found = arith::AndIOp::create(b, found, inside);
          place = arith::AddIOp::create(
              b, arith::MulIOp::create(b, place, extent), at);
        }
        place = arith::SelectOp::create(b, found, place,
                                        arith::ConstantOp::create(b, beyond));
        return SmallVector<Value>{arith::MinSIOp::create(b, args[3], place)};
      })[0];
}

/// How many elements each output place of one axis averages over.
SmallVector<int64_t> countsOf(const Window &w, int64_t axis, int64_t extent,
                              int64_t outputs, bool withPads) {
  int64_t low = withPads ? -w.pads[axis] : 0;
  int64_t high = extent + (withPads ? w.pads[w.spatial() + axis] : 0);
  SmallVector<int64_t> counts;
  for (int64_t o = 0; o < outputs; ++o) {
    int64_t count = 0;
    for (int64_t k = 0; k < w.kernel[axis]; ++k) {
      int64_t place =
          o * w.strides[axis] + k * w.dilations[axis] - w.pads[axis];
      count += place >= low && place < high;
    }
    counts.push_back(std::max<int64_t>(count, 1));
  }
  return counts;
}

Value lowerAveragePool(Lowering &l, AveragePoolOp op) {
  Window w = windowOf(op);
  auto from = l.typeOf(op.getX());
  auto type = l.resultType();
  for (int64_t i = 0; i < w.spatial(); ++i)
    if (type.isDynamicDim(w.firstAxis() + i))
      return l.unknownExtents(type);
  Value sums = sumsOfWindows(l, op.getX(), w);
  Type wide = l.typeOf(sums).getElementType();

  // The counts of the output places: a product over the axes.
  SmallVector<int64_t> shape;
  SmallVector<double> counts{1};
  for (int64_t i = 0; i < w.spatial(); ++i) {
    int64_t axis = w.firstAxis() + i;
    shape.push_back(type.getDimSize(axis));
    SmallVector<double> next;
    auto own = countsOf(w, i, from.getDimSize(axis), shape.back(),
                        op.getCountIncludePad());
    for (double outer : counts)
      for (int64_t n : own)
        next.push_back(outer * double(n));
    counts = std::move(next);
  }
  auto countType = RankedTensorType::get(shape, wide);
  DenseElementsAttr attr;
  if (wide.isF64()) {
    attr = DenseElementsAttr::get(countType, ArrayRef<double>(counts));
  } else {
    SmallVector<float> singles(counts.begin(), counts.end());
    attr = DenseElementsAttr::get(countType, ArrayRef<float>(singles));
  }
  Value divisor = arith::ConstantOp::create(l.b, countType, attr);
  SmallVector<AffineExpr> exprs;
  for (int64_t i = 0; i < w.spatial(); ++i)
    exprs.push_back(l.b.getAffineDimExpr(w.firstAxis() + i));
  return l.mapped({sums, divisor},
                  {l.b.getMultiDimIdentityMap(type.getRank()),
                   AffineMap::get(type.getRank(), 0, exprs, l.b.getContext())},
                  type, [](ImplicitLocOpBuilder &b, ValueRange args) {
                    return arith::DivFOp::create(b, args[0], args[1]);
                  });
}

/// Splits the channel axis of an image into groups × channels of a group.
Value grouped(Lowering &l, Value v, int64_t axis, int64_t groups) {
  SmallVector<int64_t> shape(l.typeOf(v).getShape());
  int64_t inGroup = shape[axis] / groups;
  shape[axis] = groups;
  shape.insert(shape.begin() + axis + 1, inGroup);
  return l.reshape(v, shape);
}

/// Batch, groups, output places, output channels of a group are parallel; the
/// window and the input channels of a group are summed. Channels run innermost
/// where they are innermost in memory.
Value lowerConv(Lowering &l, ConvOp op) {
  Window w{op.getKernel(),    op.getStrides(), op.getPads(),
           op.getDilations(), /*ceil=*/false,  op.getChannelsLast()};
  auto type = l.resultType();
  int64_t groups = op.getGroups(), s = w.spatial();
  int64_t channelAxis = w.channelAxis();
  Value wideX = widened(l, op.getX());
  Type wide = l.typeOf(wideX).getElementType();
  auto zero = cast<TypedAttr>(l.b.getZeroAttr(wide));
  Value x = grouped(l, bordered(l, wideX, w, zero), channelAxis, groups);
  Value weights = grouped(l, widened(l, op.getW()), 0, groups);

  // Dims: n, places, window, input channel, group, output channel; or
  // n, group, output channel, places, input channel, window.
  int64_t next = 0;
  SmallVector<utils::IteratorType> iterators;
  auto dim = [&](utils::IteratorType kind) {
    iterators.push_back(kind);
    return l.b.getAffineDimExpr(next++);
  };
  auto dims = [&](utils::IteratorType kind) {
    SmallVector<AffineExpr> exprs;
    for (int64_t i = 0; i < s; ++i)
      exprs.push_back(dim(kind));
    return exprs;
  };
  constexpr auto parallel = utils::IteratorType::parallel;
  constexpr auto reduction = utils::IteratorType::reduction;
  AffineExpr batch = dim(parallel), group, output, input;
  SmallVector<AffineExpr> places, window;
  if (w.channelsLast) {
    places = dims(parallel);
    window = dims(reduction);
    input = dim(reduction);
    group = dim(parallel);
    output = dim(parallel);
  } else {
    group = dim(parallel);
    output = dim(parallel);
    places = dims(parallel);
    input = dim(reduction);
    window = dims(reduction);
    // Lanes then run along the last axis of the image, not of the window.
    std::reverse(window.begin(), window.end());
  }
  auto image = [&](ArrayRef<AffineExpr> spatial, AffineExpr channel) {
    SmallVector<AffineExpr> exprs{batch};
    if (!w.channelsLast)
      exprs.append({group, channel});
    exprs.append(spatial.begin(), spatial.end());
    if (w.channelsLast)
      exprs.append({group, channel});
    return AffineMap::get(next, 0, exprs, l.b.getContext());
  };
  SmallVector<AffineExpr> read;
  for (int64_t i = 0; i < s; ++i)
    read.push_back(places[i] * w.strides[i] + window[i] * w.dilations[i]);
  SmallVector<AffineExpr> weightExprs{group, output, input};
  weightExprs.append(window);

  SmallVector<OpFoldResult> sizes = sizesOf(l, op.getX(), w);
  sizes[channelAxis] = l.b.getIndexAttr(groups);
  sizes.insert(sizes.begin() + channelAxis + 1,
               l.b.getIndexAttr(type.getDimSize(channelAxis) / groups));
  Value start = l.filled(sizes, cast<TypedAttr>(l.b.getZeroAttr(wide)));
  Value y = l.generic(
      {x, weights}, start,
      {image(read, input),
       AffineMap::get(next, 0, weightExprs, l.b.getContext()),
       image(places, output)},
      iterators, [&](ImplicitLocOpBuilder &b, ValueRange args) {
        if (!isa<FloatType>(wide))
          return SmallVector<Value>{arith::AddIOp::create(
              b, args[2], arith::MulIOp::create(b, args[0], args[1]))};
        return SmallVector<Value>{arith::AddFOp::create(
            b, args[2], arith::MulFOp::create(b, args[0], args[1]))};
      })[0];
  y = l.reshape(y, type.getShape());
  if (!op.getBias() && wide == type.getElementType())
    return y;
  SmallVector<Value> operands{y};
  SmallVector<AffineMap> maps{l.b.getMultiDimIdentityMap(type.getRank())};
  if (op.getBias()) {
    operands.push_back(op.getBias());
    maps.push_back(
        AffineMap::get(type.getRank(), 0, l.b.getAffineDimExpr(channelAxis)));
  }
  return l.mapped(operands, maps, type,
                  [](ImplicitLocOpBuilder &b, ValueRange args) -> Value {
                    if (args.size() == 1)
                      return args[0];
                    if (!isa<FloatType>(args[0].getType()))
                      return arith::AddIOp::create(b, args[0], args[1]);
                    return arith::AddFOp::create(b, args[0], args[1]);
                  });
}

/// Per channel a = scale/sqrt(variance + epsilon), c = bias - mean·a; then
/// y = x·a + c. Constant parameters are folded here.
Value lowerBatchNorm(Lowering &l, BatchNormalizationOp op) {
  auto type = l.resultType();
  int64_t channelAxis = op.getChannelsLast() ? type.getRank() - 1 : 1;
  double epsilon = op.getEpsilon().convertToDouble();
  auto channelType = l.typeOf(op.getScale());
  Value a, c;
  DenseFPElementsAttr scale, bias, mean, variance;
  if (channelType.getElementType().isF32() &&
      matchPattern(op.getScale(), m_Constant(&scale)) &&
      matchPattern(op.getBias(), m_Constant(&bias)) &&
      matchPattern(op.getMean(), m_Constant(&mean)) &&
      matchPattern(op.getVariance(), m_Constant(&variance))) {
    SmallVector<float> as, cs;
    for (auto [s, o, m, v] :
         llvm::zip(scale.getValues<float>(), bias.getValues<float>(),
                   mean.getValues<float>(), variance.getValues<float>())) {
      as.push_back(s / std::sqrt(v + float(epsilon)));
      cs.push_back(o - m * as.back());
    }
    a = arith::ConstantOp::create(
        l.b, channelType,
        DenseElementsAttr::get(channelType, ArrayRef<float>(as)));
    c = arith::ConstantOp::create(
        l.b, channelType,
        DenseElementsAttr::get(channelType, ArrayRef<float>(cs)));
  } else {
    a = l.elementwise({op.getScale(), op.getVariance()}, channelType,
                      [&](ImplicitLocOpBuilder &b, ValueRange args) {
                        Value eps = constantOf(b, args[1].getType(), epsilon);
                        Value root = math::SqrtOp::create(
                            b, arith::AddFOp::create(b, args[1], eps));
                        return arith::DivFOp::create(b, args[0], root);
                      });
    c = l.elementwise({op.getBias(), op.getMean(), a}, channelType,
                      [](ImplicitLocOpBuilder &b, ValueRange args) {
                        return arith::SubFOp::create(
                            b, args[0],
                            arith::MulFOp::create(b, args[1], args[2]));
                      });
  }
  AffineMap perChannel =
      AffineMap::get(type.getRank(), 0, l.b.getAffineDimExpr(channelAxis));
  return l.mapped(
      {op.getX(), a, c},
      {l.b.getMultiDimIdentityMap(type.getRank()), perChannel, perChannel},
      type, [](ImplicitLocOpBuilder &b, ValueRange args) {
        return arith::AddFOp::create(
            b, arith::MulFOp::create(b, args[0], args[1]), args[2]);
      });
}

} // namespace

Lowered lowerWindowed(Lowering &l) {
  if (auto op = dyn_cast<MaxPoolOp>(l.op))
    return lowered(lowerMaxPool(l, op));
  if (auto op = dyn_cast<AveragePoolOp>(l.op))
    return lowered(lowerAveragePool(l, op));
  if (auto op = dyn_cast<SumPoolOp>(l.op))
    return lowered(lowerSumPool(l, op));
  if (auto op = dyn_cast<MaxPoolIndexOp>(l.op))
    return lowered(lowerMaxPoolIndex(l, op));
  if (auto op = dyn_cast<ConvOp>(l.op))
    return lowered(lowerConv(l, op));
  if (auto op = dyn_cast<BatchNormalizationOp>(l.op))
    return lowered(lowerBatchNorm(l, op));
  return notOfFamily();
}

} // namespace mho::graph
