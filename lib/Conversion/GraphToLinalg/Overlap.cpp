//===- Overlap.cpp - sums of overlapping pieces to linalg -----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Elements of the result whose numbers differ by the stride are sums of the
// same pieces, of points that move on with them: a phase. Each phase is a sum
// over windows, whose taps are its pieces; every piece is read once.
//
//===----------------------------------------------------------------------===//

#include "Lowering.h"

#include <numeric>

using namespace mlir;

namespace mho::graph {

namespace {

/// The elements first, first + stride, … of the result's axis. Element t is the
/// sum over m of piece `piece` + m · `pieceStep` at point `point` + t - m ·
/// `pointStep`.
struct Phase {
  int64_t first, count;
  int64_t piece, pieceStep, taps;
  int64_t point, pointStep;
};

class OverlapAdd {
public:
  OverlapAdd(Lowering &l, OverlapAddOp op)
      : l(l), op(op), x(op.getX()), type(l.resultType()),
        element(type.getElementType()), axis(op.getAxis()),
        pieceAxis(op.getPieceAxis()), at(axis - (pieceAxis < axis)) {}

  Value lower() {
    std::vector<Phase> phases = phasesOf();
    auto zero = cast<TypedAttr>(l.b.getZeroAttr(element));
    int64_t low = 0, high = 0, points = l.typeOf(x).getDimSize(axis);
    for (const Phase &phase : phases) {
      if (phase.taps == 0)
        continue;
      low = std::max(low, (phase.taps - 1) * phase.pointStep - phase.point);
      high = std::max(high, phase.point + phase.count - points);
    }
    SmallVector<int64_t> before(rank() + 1, 0), behind(before);
    before[axis] = low;
    behind[axis] = high;
    x = l.padded(x, before, behind, zero);

    Value y = tensor::EmptyOp::create(l.b, type.getShape(), element);
    for (Phase phase : phases) {
      phase.point += low;
      SmallVector<int64_t> shape(type.getShape()), offsets(rank(), 0),
          steps(rank(), 1);
      shape[at] = phase.count;
      offsets[at] = phase.first;
      steps[at] = op.getStride();
      Value part = phase.taps == 0   ? l.filled(shape, zero)
                   : phase.taps == 1 ? piece(phase, shape)
                                     : sum(phase, shape);
      y = tensor::InsertSliceOp::create(l.b, part, y, list(offsets),
                                        list(shape), list(steps));
    }
    return y;
  }

private:
  int64_t rank() const { return type.getRank(); }
  SmallVector<OpFoldResult> list(ArrayRef<int64_t> values) {
    return getAsIndexOpFoldResult(l.b.getContext(), values);
  }

  std::vector<Phase> phasesOf() {
    int64_t stride = op.getStride(), dilation = op.getDilation();
    int64_t pieces = l.typeOf(x).getDimSize(pieceAxis);
    int64_t extent = type.getDimSize(at), common = std::gcd(stride, dilation);
    std::vector<Phase> phases;
    for (int64_t first = 0; first < std::min(stride, extent); ++first) {
      Phase phase{first,
                  (extent - first + stride - 1) / stride,
                  0,
                  stride / common,
                  0,
                  0,
                  dilation / common};
      int64_t place = first + int64_t(op.getPad());
      while (phase.piece < phase.pieceStep &&
             (place - phase.piece * dilation) % stride != 0)
        ++phase.piece;
      if (phase.piece < std::min(phase.pieceStep, pieces)) {
        phase.taps =
            (pieces - phase.piece + phase.pieceStep - 1) / phase.pieceStep;
        phase.point = (place - phase.piece * dilation) / stride;
      }
      phases.push_back(phase);
    }
    return phases;
  }

  /// A phase of one piece, which is only moved.
  Value piece(const Phase &phase, ArrayRef<int64_t> shape) {
    SmallVector<int64_t> offsets(rank() + 1, 0), sizes(shape);
    sizes.insert(sizes.begin() + pieceAxis, 1);
    offsets[pieceAxis] = phase.piece;
    offsets[axis] = phase.point;
    SmallVector<int64_t> ones(rank() + 1, 1);
    return tensor::ExtractSliceOp::create(
        l.b, RankedTensorType::get(shape, element), x, list(offsets),
        list(sizes), list(ones));
  }

  Value sum(const Phase &phase, ArrayRef<int64_t> shape) {
    // The taps run outside of the last axis, whose elements are neighbours.
    int64_t tapDim = at == rank() - 1 ? rank() : rank() - 1;
    SmallVector<utils::IteratorType> iterators(rank() + 1,
                                               utils::IteratorType::parallel);
    iterators[tapDim] = utils::IteratorType::reduction;
    AffineExpr tap = l.b.getAffineDimExpr(tapDim);
    SmallVector<AffineExpr> to;
    for (int64_t dim = 0; dim <= rank(); ++dim)
      if (dim != tapDim)
        to.push_back(l.b.getAffineDimExpr(dim));
    SmallVector<AffineExpr> from(to);
    from[at] = to[at] + phase.point - tap * phase.pointStep;
    from.insert(from.begin() + pieceAxis, tap * phase.pieceStep + phase.piece);
    auto map = [&](ArrayRef<AffineExpr> exprs) {
      return AffineMap::get(rank() + 1, 0, exprs, l.b.getContext());
    };

    Type wide = isNarrowFloat(element) ? Type(l.b.getF32Type()) : element;
    Value start = l.filled(shape, cast<TypedAttr>(l.b.getZeroAttr(wide)));
    // Only its shape counts: it says how far the taps run.
    Value taps = l.empty({phase.taps}, wide);
    Value sums = l.generic(
        {x, taps}, start, {map(from), map(tap), map(to)}, iterators,
        [&](ImplicitLocOpBuilder &b, ValueRange args) -> SmallVector<Value> {
          if (!isa<FloatType>(wide))
            return {arith::AddIOp::create(b, args[2], args[0])};
          return {arith::AddFOp::create(b, args[2],
                                        convertFloat(b, args[0], wide))};
        })[0];
    if (wide == element)
      return sums;
    return l.elementwise(
        sums, RankedTensorType::get(shape, element),
        [](ImplicitLocOpBuilder &, ValueRange args) { return args[0]; });
  }

  Lowering &l;
  OverlapAddOp op;
  Value x;
  RankedTensorType type;
  Type element;
  int64_t axis, pieceAxis, at; ///< `at` is `axis` in the result
};

} // namespace

Lowered lowerOverlap(Lowering &l) {
  if (auto op = dyn_cast<OverlapAddOp>(l.op))
    return lowered(OverlapAdd(l, op).lower());
  return notOfFamily();
}

} // namespace mho::graph
