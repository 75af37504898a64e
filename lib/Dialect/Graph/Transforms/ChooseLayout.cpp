//===- ChooseLayout.cpp - images become channels last ---------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Convolutions, pools and normalizations of images are rewritten to channels
// last between two transposes; the transposes behind them then sink through
// what can do without, until they meet the next one and cancel, or the result.
// What is computed plane by plane and has no such neighbour stays as it is.
// A patch of a channels-last image is a few contiguous runs, so arrays read it
// in place.
//
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Graph/Transforms/Passes.h"

#include "mho/Dialect/Graph/IR/GraphOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mho;

namespace mho::graph {
#define GEN_PASS_DEF_CHOOSELAYOUT
#include "mho/Dialect/Graph/Transforms/Passes.h.inc"
} // namespace mho::graph

namespace {

/// Axes of an N, C, spatial… tensor in the order N, spatial…, C.
SmallVector<int64_t> toLast(int64_t rank) {
  SmallVector<int64_t> perm{0};
  for (int64_t axis = 2; axis < rank; ++axis)
    perm.push_back(axis);
  perm.push_back(1);
  return perm;
}

/// Axes of an N, spatial…, C tensor in the order N, C, spatial….
SmallVector<int64_t> toFirst(int64_t rank) {
  SmallVector<int64_t> perm{0, rank - 1};
  for (int64_t axis = 1; axis + 1 < rank; ++axis)
    perm.push_back(axis);
  return perm;
}

template <typename T>
SmallVector<T> permuted(ArrayRef<T> values, ArrayRef<int64_t> perm) {
  SmallVector<T> result;
  for (int64_t axis : perm)
    result.push_back(values[axis]);
  return result;
}

RankedTensorType permutedType(Type type, ArrayRef<int64_t> perm) {
  auto tensor = cast<RankedTensorType>(type);
  return RankedTensorType::get(permuted(tensor.getShape(), perm),
                               tensor.getElementType());
}

Value transpose(OpBuilder &builder, Location loc, Value value,
                ArrayRef<int64_t> perm) {
  return builder.createOrFold<graph::TransposeOp>(
      loc, permutedType(value.getType(), perm), value,
      builder.getDenseI64ArrayAttr(perm));
}

/// The channels-last tensor whose N, C, spatial… form `value` is; null if it
/// is none.
Value channelsLastSource(Value value) {
  auto op = value.getDefiningOp<graph::TransposeOp>();
  if (!op)
    return nullptr;
  int64_t rank = op.getPerm().size();
  return rank >= 3 && op.getPerm() == ArrayRef<int64_t>(toFirst(rank))
             ? op.getX()
             : Value();
}

/// `op` on channels-last tensors, its result transposed back: `operands` take
/// the place of its operands, `adjust` sees the clone to mend attributes.
void rewriteBehindTranspose(Operation *op, ValueRange operands,
                            PatternRewriter &rewriter,
                            function_ref<void(Operation *)> adjust) {
  auto type = cast<RankedTensorType>(op->getResult(0).getType());
  rewriter.setInsertionPoint(op);
  Operation *clone = rewriter.clone(*op);
  clone->setOperands(operands);
  clone->getResult(0).setType(permutedType(type, toLast(type.getRank())));
  adjust(clone);
  Value back = graph::TransposeOp::create(
      rewriter, op->getLoc(), type, clone->getResult(0),
      rewriter.getDenseI64ArrayAttr(toFirst(type.getRank())));
  rewriter.replaceOp(op, back);
}

/// What a transpose sinks through.
bool lets(Operation *op) {
  return op->hasTrait<graph::ElementwiseTrait>() ||
         isa<graph::QuantizeLinearOp, graph::DequantizeLinearOp,
             graph::ConcatOp, graph::SliceOp, graph::PadOp, graph::GatherOp,
             graph::ResampleOp, graph::SoftmaxOp, graph::ReduceMeanOp,
             graph::ReduceSumOp, graph::ReduceMaxOp, graph::ReduceMinOp>(op);
}

/// What is rewritten to channels last.
bool wantsChannelsLast(Operation *op) {
  return isa<graph::ConvOp, graph::MaxPoolOp, graph::AveragePoolOp,
             graph::SumPoolOp, graph::GlobalAveragePoolOp,
             graph::BatchNormalizationOp>(op);
}

/// Whether neighbours in a row of the result make as good lanes as channels do:
/// every lane is computed from a plane of its own channel. What needs a border
/// is copied into it anyway, which transposes at no more cost.
bool staysInPlanes(Operation *op) {
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  // Shorter rows are mostly rests of vectors.
  constexpr int64_t kLeastRow = 16;
  if (!type || type.getRank() < 3 || !type.getElementType().isF32() ||
      !type.hasStaticShape() || type.getDimSize(type.getRank() - 1) < kLeastRow)
    return false;
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case<graph::MaxPoolOp, graph::AveragePoolOp, graph::SumPoolOp>(
          [](auto pool) {
            // Lanes are neighbours, or every second one is.
            return !pool.getCeilMode() && pool.getStrides().back() <= 2 &&
                   llvm::all_of(pool.getPads(),
                                [](int64_t pad) { return pad == 0; });
          })
      .Default(isa<graph::BatchNormalizationOp>(op));
}

/// Whether a transpose before and one behind `op` would serve it alone: nothing
/// that they could sink to or come from wants another layout. Then they cost
/// more than the op itself, whose work is a few operations an element.
bool isAlone(Operation *op) {
  if (!staysInPlanes(op))
    return false;
  constexpr size_t kMost = 256;
  SetVector<Operation *> seen;
  seen.insert(op);
  for (size_t i = 0; i < seen.size(); ++i) {
    if (seen.size() > kMost)
      return false;
    auto meet = [&](Operation *other) {
      if (!other)
        return true;
      if (auto transpose = dyn_cast<graph::TransposeOp>(other))
        return transpose.getPerm().size() < 3;
      if (other != op && wantsChannelsLast(other))
        return false;
      if (lets(other))
        seen.insert(other);
      return true;
    };
    for (Value operand : seen[i]->getOperands())
      if (!meet(operand.getDefiningOp()))
        return false;
    for (Operation *user : seen[i]->getUsers())
      if (!meet(user))
        return false;
  }
  return true;
}

/// Convolutions, pools and normalizations of N, C, spatial… images.
template <typename OpTy> struct MakeChannelsLast : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpTy op,
                                PatternRewriter &rewriter) const override {
    auto type = dyn_cast<RankedTensorType>(op.getX().getType());
    if (op.getChannelsLast() || !type || type.getRank() < 3 || isAlone(op))
      return failure();
    SmallVector<Value> operands(op->getOperands());
    operands[0] =
        transpose(rewriter, op.getLoc(), op.getX(), toLast(type.getRank()));
    rewriteBehindTranspose(op, operands, rewriter, [&](Operation *clone) {
      cast<OpTy>(clone).setChannelsLast(true);
    });
    return success();
  }
};

/// op(transpose(x), …) becomes transpose(op(x, …)).
struct SinkTranspose : RewritePattern {
  explicit SinkTranspose(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}

  LogicalResult matchAndRewrite(Operation *op,
                                PatternRewriter &rewriter) const override {
    if (op->getNumResults() != 1)
      return failure();
    auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
    if (!type || type.getRank() < 3 ||
        llvm::none_of(op->getOperands(), channelsLastSource))
      return failure();
    if (isa<graph::QuantizeLinearOp, graph::DequantizeLinearOp>(op))
      return sinkQuantization(op, rewriter);
    if (op->hasTrait<graph::ElementwiseTrait>())
      return sinkElementwise(op, type, rewriter);
    SmallVector<int64_t> perm = toLast(type.getRank());
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case([&](graph::ConcatOp concat) {
          SmallVector<Value> sources;
          for (Value x : concat.getXs()) {
            Value source = channelsLastSource(x);
            if (!source)
              return failure();
            sources.push_back(source);
          }
          rewriteBehindTranspose(op, sources, rewriter, [&](Operation *clone) {
            cast<graph::ConcatOp>(clone).setAxis(
                llvm::find(perm, int64_t(concat.getAxis())) - perm.begin());
          });
          return success();
        })
        .Case([&](graph::SliceOp slice) {
          rewriteBehindTranspose(
              op, channelsLastSource(slice.getX()), rewriter,
              [&](Operation *clone) {
                auto copy = cast<graph::SliceOp>(clone);
                copy.setStarts(permuted(slice.getStarts(), perm));
                copy.setSteps(permuted(slice.getSteps(), perm));
              });
          return success();
        })
        .Case([&](graph::PadOp pad) {
          SmallVector<Value> operands(op->getOperands());
          operands[0] = channelsLastSource(pad.getX());
          if (!operands[0])
            return failure();
          rewriteBehindTranspose(op, operands, rewriter, [&](Operation *clone) {
            cast<graph::PadOp>(clone).setMixed(
                permuted(ArrayRef(pad.getMixedLow()), perm),
                permuted(ArrayRef(pad.getMixedHigh()), perm));
          });
          return success();
        })
        .Case<graph::GatherOp, graph::ResampleOp>([&](auto choose) {
          // Along one axis, whose elements a table names.
          SmallVector<Value> operands(op->getOperands());
          operands[0] = channelsLastSource(operands[0]);
          auto table = cast<RankedTensorType>(operands[1].getType());
          bool sameRank = isa<graph::ResampleOp>(op) || table.getRank() == 1;
          if (!operands[0] || !sameRank)
            return failure();
          rewriteBehindTranspose(op, operands, rewriter, [&](Operation *clone) {
            int64_t axis = choose.getAxis();
            cast<decltype(choose)>(clone).setAxis(llvm::find(perm, axis) -
                                                  perm.begin());
          });
          return success();
        })
        .Case([&](graph::SoftmaxOp softmax) {
          SmallVector<int64_t> axes;
          for (int64_t axis : softmax.getAxes())
            axes.push_back(llvm::find(perm, axis) - perm.begin());
          llvm::sort(axes);
          rewriteBehindTranspose(op, channelsLastSource(softmax.getX()),
                                 rewriter, [&](Operation *clone) {
                                   cast<graph::SoftmaxOp>(clone).setAxes(axes);
                                 });
          return success();
        })
        .Case<graph::ReduceMeanOp, graph::ReduceSumOp, graph::ReduceMaxOp,
              graph::ReduceMinOp>([&](auto reduce) {
          if (!reduce.getKeepdims())
            return failure();
          SmallVector<int64_t> axes;
          for (int64_t axis : reduce.getAxes())
            axes.push_back(llvm::find(perm, axis) - perm.begin());
          llvm::sort(axes);
          rewriteBehindTranspose(op, channelsLastSource(reduce.getX()),
                                 rewriter, [&](Operation *clone) {
                                   cast<decltype(reduce)>(clone).setAxes(axes);
                                 });
          return success();
        })
        .Default(failure());
  }

private:
  static LogicalResult sinkQuantization(Operation *op,
                                        PatternRewriter &rewriter) {
    SmallVector<Value> operands(op->getOperands());
    operands[0] = channelsLastSource(operands[0]);
    if (!operands[0])
      return failure();
    int64_t rank = cast<RankedTensorType>(operands[0].getType()).getRank();
    SmallVector<int64_t> perm = toLast(rank);
    rewriteBehindTranspose(op, operands, rewriter, [&](Operation *clone) {
      int64_t axis = clone->getAttrOfType<IntegerAttr>("axis").getInt();
      if (axis >= 0 && axis < rank)
        clone->setAttr("axis", rewriter.getI64IntegerAttr(
                                   llvm::find(perm, axis) - perm.begin()));
    });
    return success();
  }

  /// Every operand of full rank must be transposed itself or a constant;
  /// operands of fewer axes are given the missing ones.
  static LogicalResult sinkElementwise(Operation *op, RankedTensorType type,
                                       PatternRewriter &rewriter) {
    int64_t rank = type.getRank();
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      auto operandType = dyn_cast<RankedTensorType>(operand.getType());
      if (!operandType)
        return failure();
      bool constant = matchPattern(operand, m_Constant());
      if (!channelsLastSource(operand) && !constant &&
          operandType.getNumElements() != 1)
        return failure();
    }
    for (Value operand : op->getOperands()) {
      auto operandType = cast<RankedTensorType>(operand.getType());
      Value source = channelsLastSource(operand);
      if (!source && operandType.getNumElements() == 1) {
        operands.push_back(operand);
        continue;
      }
      if (source && operandType.getRank() == rank) {
        operands.push_back(source);
        continue;
      }
      SmallVector<int64_t> shape(rank - operandType.getRank(), 1);
      llvm::append_range(shape, operandType.getShape());
      rewriter.setInsertionPoint(op);
      Value full = operand;
      if (operandType.getRank() != rank)
        full = rewriter.createOrFold<graph::ReshapeOp>(
            op->getLoc(), operandType.clone(ArrayRef<int64_t>(shape)), operand);
      operands.push_back(transpose(rewriter, op->getLoc(), full, toLast(rank)));
    }
    rewriteBehindTranspose(op, operands, rewriter, [](Operation *) {});
    return success();
  }
};

/// A transpose that moves only axes of extent 1 is a reshape.
struct TransposeToReshape : OpRewritePattern<graph::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(graph::TransposeOp op,
                                PatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getX().getType());
    int64_t last = -1;
    for (int64_t axis : op.getPerm()) {
      if (type.getDimSize(axis) == 1)
        continue;
      if (axis < last)
        return failure();
      last = axis;
    }
    rewriter.replaceOpWithNewOp<graph::ReshapeOp>(op, op.getY().getType(),
                                                  op.getX());
    return success();
  }
};

struct ChooseLayout : mho::graph::impl::ChooseLayoutBase<ChooseLayout> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    patterns.add<MakeChannelsLast<graph::ConvOp>,
                 MakeChannelsLast<graph::MaxPoolOp>,
                 MakeChannelsLast<graph::AveragePoolOp>,
                 MakeChannelsLast<graph::SumPoolOp>,
                 MakeChannelsLast<graph::GlobalAveragePoolOp>,
                 MakeChannelsLast<graph::BatchNormalizationOp>, SinkTranspose>(
        context);
    graph::TransposeOp::getCanonicalizationPatterns(patterns, context);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      return signalPassFailure();
    // Only now: a reshape in the way would stop a transpose from sinking.
    RewritePatternSet cleanup(context);
    cleanup.add<TransposeToReshape>(context);
    graph::TransposeOp::getCanonicalizationPatterns(cleanup, context);
    graph::ReshapeOp::getCanonicalizationPatterns(cleanup, context);
    if (failed(applyPatternsGreedily(getOperation(), std::move(cleanup))))
      signalPassFailure();
  }
};

} // namespace
