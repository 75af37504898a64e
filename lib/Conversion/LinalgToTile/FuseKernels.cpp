//===- FuseKernels.cpp - fusion of generics under our rule ----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Upstream's fusion function under two rules of ours: nothing is computed
// twice, and no node's location is lost.
//
//===----------------------------------------------------------------------===//

#include "mho/Conversion/LinalgToTile/LinalgToTile.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/BitVector.h"

namespace mho {
#define GEN_PASS_DEF_FUSEKERNELS
#include "mho/Conversion/Passes.h.inc"
} // namespace mho

using namespace mlir;
using namespace mho;

namespace {

/// Whether the body yields an input as it is: transpose, broadcast, reversal.
bool onlyMoves(linalg::GenericOp op) {
  Block &body = *op.getBody();
  return llvm::hasSingleElement(body) && op.getNumDpsInputs() == 1 &&
         body.getTerminator()->getOperand(0) == body.getArgument(0);
}

/// Whether the loop nest of `op` reads every element of the operand once.
bool readsOnce(linalg::GenericOp op, OpOperand &operand) {
  AffineMap map = op.getMatchingIndexingMap(&operand);
  for (auto [dim, extent] : llvm::enumerate(op.getStaticLoopRanges()))
    if (extent != 1 && !map.isFunctionOfDim(dim))
      return false;
  return map.isProjectedPermutation(/*allowZeroInResults=*/true);
}

/// One dim per axis: no window, no computed place.
bool readsByAxes(linalg::GenericOp op, OpOperand &operand) {
  return op.getMatchingIndexingMap(&operand).isProjectedPermutation(
      /*allowZeroInResults=*/true);
}

bool usedOnce(linalg::GenericOp producer, OpOperand &operand) {
  return producer->getNumResults() == 1 && operand.get().hasOneUse();
}

/// Longer register programs gain nothing: their values no longer stay near.
/// It also keeps fusion linear in long chains.
constexpr size_t kMaxBodyOps = 64;

size_t bodyOps(linalg::GenericOp op) {
  return op.getBody()->getOperations().size();
}

/// The loop dim along which neighbours of the operand are neighbours in memory;
/// -1: it has one element, or its last axis follows no single dim.
int64_t fastestDim(linalg::GenericOp op, OpOperand &operand) {
  auto type = dyn_cast<RankedTensorType>(operand.get().getType());
  AffineMap map = op.getMatchingIndexingMap(&operand);
  for (int64_t axis = type ? type.getRank() : 0; axis-- > 0;)
    if (type.getDimSize(axis) != 1) {
      auto dim = dyn_cast<AffineDimExpr>(map.getResult(axis));
      return dim ? int64_t(dim.getPosition()) : -1;
    }
  return -1;
}

/// Whether `op` reads the operand, or nearly as much, across its neighbours.
bool readsAcross(linalg::GenericOp op, OpOperand &operand) {
  int64_t from = fastestDim(op, operand);
  int64_t to = fastestDim(op, *op.getDpsInitOperand(0));
  return from >= 0 && to >= 0 && from != to;
}

/// A transposition alone moves whole lines of memory, which takes less than the
/// pass that fusing it with arithmetic saves: there each lane would be fetched
/// from a line of its own.
bool staysTransposition(linalg::GenericOp producer, linalg::GenericOp consumer,
                        OpOperand &operand) {
  // Fewer are sooner done by one instruction.
  constexpr int64_t kLeast = 512;
  auto type = cast<RankedTensorType>(operand.get().getType());
  if (!type.hasStaticShape() || type.getNumElements() < kLeast ||
      onlyMoves(producer) == onlyMoves(consumer) ||
      consumer.getNumParallelLoops() != consumer.getNumLoops() ||
      producer.getNumParallelLoops() != producer.getNumLoops())
    return false;
  auto all = cast<RankedTensorType>(consumer.getResultTypes()[0]);
  if (!all.hasStaticShape() || all.getNumElements() != type.getNumElements())
    return false;
  auto isWhole = [&](OpOperand *read) {
    auto own = dyn_cast<RankedTensorType>(read->get().getType());
    return own && own.hasStaticShape() &&
           own.getNumElements() == type.getNumElements();
  };
  auto crosses = [](linalg::GenericOp op) {
    return [=](OpOperand *read) mutable { return readsAcross(op, *read); };
  };
  if (onlyMoves(producer))
    return llvm::any_of(producer.getDpsInputOperands(), isWhole) &&
           llvm::all_of(producer.getDpsInputOperands(), crosses(producer)) &&
           !readsAcross(consumer, operand);
  return readsAcross(consumer, operand) &&
         llvm::none_of(
             llvm::make_filter_range(producer.getDpsInputOperands(), isWhole),
             crosses(producer));
}

bool shouldFuse(OpOperand &operand) {
  auto producer = operand.get().getDefiningOp<linalg::GenericOp>();
  auto consumer = dyn_cast<linalg::GenericOp>(operand.getOwner());
  if (!producer || !consumer || !consumer.isDpsInput(&operand) ||
      !linalg::areElementwiseOpsFusable(&operand) ||
      bodyOps(producer) + bodyOps(consumer) > kMaxBodyOps)
    return false;
  if (staysTransposition(producer, consumer, operand))
    return false;
  if (onlyMoves(producer))
    return readsByAxes(consumer, operand);
  // Inside a loop it would be computed in every trip.
  if (producer->getBlock() != consumer->getBlock())
    return false;
  return usedOnce(producer, operand) && readsOnce(consumer, operand);
}

/// The producer as an op of this reader alone: fusion would make a shared one
/// a second result of the fused op.
linalg::GenericOp ownProducer(IRRewriter &rewriter, OpOperand &operand) {
  auto producer = operand.get().getDefiningOp<linalg::GenericOp>();
  if (operand.get().hasOneUse())
    return producer;
  rewriter.setInsertionPoint(producer);
  auto own = cast<linalg::GenericOp>(rewriter.clone(*producer));
  rewriter.modifyOpInPlace(operand.getOwner(),
                           [&] { operand.set(own.getResult(0)); });
  return own;
}

/// Fuses the producer of `operand`; null where that cannot be.
linalg::GenericOp fuse(IRRewriter &rewriter, OpOperand &operand) {
  auto consumer = cast<linalg::GenericOp>(operand.getOwner());
  Value shared = operand.get();
  linalg::GenericOp producer = ownProducer(rewriter, operand);
  auto giveUp = [&]() -> linalg::GenericOp {
    if (operand.get() != shared) {
      rewriter.modifyOpInPlace(consumer, [&] { operand.set(shared); });
      rewriter.eraseOp(producer);
    }
    return {};
  };
  // A dim that only the producer's result has would keep that result alive.
  if (!linalg::getPreservedProducerResults(producer, consumer, &operand)
           .empty())
    return giveUp();
  rewriter.setInsertionPoint(consumer);
  auto fused = linalg::fuseElementwiseOps(rewriter, &operand);
  if (failed(fused))
    return giveUp();
  auto op = cast<linalg::GenericOp>(fused->fusedOp);
  op->setLoc(FusedLoc::get(rewriter.getContext(),
                           {producer.getLoc(), consumer.getLoc()}));
  if (Attribute init = consumer->getAttr(kInitAttr))
    op->setAttr(kInitAttr, init);
  for (auto [from, to] : fused->replacements)
    if (from.getDefiningOp() == consumer)
      rewriter.replaceAllUsesWith(from, to);
  rewriter.eraseOp(consumer);
  if (producer->use_empty())
    rewriter.eraseOp(producer);
  return op;
}

/// Reads each operand once where it came several times through one map, so that
/// a value whose uses have all met in this op counts as used once.
linalg::GenericOp mergeEqualInputs(IRRewriter &rewriter, linalg::GenericOp op) {
  SmallVector<AffineMap> all = op.getIndexingMapsArray(), maps;
  SmallVector<Value> inputs;
  SmallVector<unsigned> kept;
  llvm::BitVector repeated(op->getNumOperands());
  for (unsigned i = 0; i < op.getNumDpsInputs(); ++i) {
    Value input = op.getDpsInputOperand(i)->get();
    auto same = llvm::find_if(kept, [&](unsigned k) {
      return op.getDpsInputOperand(k)->get() == input && all[k] == all[i];
    });
    if (same != kept.end()) {
      rewriter.replaceAllUsesWith(op.getBody()->getArgument(i),
                                  op.getBody()->getArgument(*same));
      repeated.set(i);
      continue;
    }
    kept.push_back(i);
    inputs.push_back(input);
    maps.push_back(all[i]);
  }
  if (repeated.none())
    return op;
  llvm::append_range(maps, ArrayRef(all).drop_front(op.getNumDpsInputs()));
  rewriter.setInsertionPoint(op);
  auto merged = linalg::GenericOp::create(
      rewriter, op.getLoc(), op->getResultTypes(), inputs, op.getDpsInits(),
      maps, op.getIteratorTypesArray());
  merged->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  rewriter.inlineRegionBefore(op.getRegion(), merged.getRegion(),
                              merged.getRegion().begin());
  merged.getBody()->eraseArguments(repeated);
  rewriter.replaceOp(op, merged.getResults());
  return merged;
}

/// Fuses producers into `consumer` until none is left that should be.
void fuseInto(IRRewriter &rewriter, linalg::GenericOp consumer) {
  consumer = mergeEqualInputs(rewriter, consumer);
  llvm::SmallPtrSet<Operation *, 4> refused;
  bool changed = true;
  while (changed) {
    changed = false;
    for (OpOperand *operand : consumer.getDpsInputOperands()) {
      Operation *producer = operand->get().getDefiningOp();
      if (!shouldFuse(*operand) || refused.contains(producer))
        continue;
      if (linalg::GenericOp fused = fuse(rewriter, *operand)) {
        consumer = mergeEqualInputs(rewriter, fused);
        changed = true;
        break;
      }
      refused.insert(producer);
    }
  }
}

/// Turns the fills that reductions start from into their `tile.init`.
void foldInits(IRRewriter &rewriter, linalg::GenericOp op) {
  if (op.getNumReductionLoops() == 0)
    return;
  SmallVector<Attribute> inits;
  bool any = false;
  for (OpOperand &init : op.getDpsInitsMutable()) {
    inits.push_back(rewriter.getUnitAttr());
    auto fill = init.get().getDefiningOp<linalg::FillOp>();
    TypedAttr value;
    if (!fill || !matchPattern(fill.getInputs()[0], m_Constant(&value)))
      continue;
    inits.back() = value;
    any = true;
    // An own destination each, so that none is shared.
    rewriter.setInsertionPoint(op);
    auto type = cast<RankedTensorType>(init.get().getType());
    Value fresh = tensor::EmptyOp::create(
        rewriter, op.getLoc(),
        tensor::getMixedSizes(rewriter, op.getLoc(), fill.getOutputs()[0]),
        type.getElementType());
    rewriter.modifyOpInPlace(op, [&] { init.set(fresh); });
    if (fill->use_empty())
      rewriter.eraseOp(fill);
  }
  if (any)
    op->setAttr(kInitAttr, rewriter.getArrayAttr(inits));
}

/// Moves the arithmetic that gives an extent in front of `before`.
bool hoistExtent(Value v, Operation *before) {
  Operation *op = v.getDefiningOp();
  if (!op || op->getBlock() != before->getBlock() ||
      op->isBeforeInBlock(before))
    return true;
  if (!isMemoryEffectFree(op) || op->getNumRegions() ||
      !llvm::all_of(op->getOperandTypes(),
                    [](Type type) { return type.isIntOrIndexOrFloat(); }))
    return false;
  for (Value operand : op->getOperands())
    if (!hoistExtent(operand, before))
      return false;
  op->moveBefore(before);
  return true;
}

/// Moves what `v` is made of in front of `before`, if it is only an empty
/// tensor, a fill of one, or an insert into either.
bool hoistDestination(Value v, Operation *before) {
  Operation *op = v.getDefiningOp();
  if (!op || op->getBlock() != before->getBlock() ||
      op->isBeforeInBlock(before))
    return op != nullptr;
  if (isa<tensor::EmptyOp, arith::ConstantOp>(op)) {
    for (Value extent : op->getOperands())
      if (!hoistExtent(extent, before))
        return false;
    op->moveBefore(before);
    return true;
  }
  // A border: parts that are filled.
  if (auto insert = dyn_cast<tensor::InsertSliceOp>(op)) {
    for (Value number : insert->getOperands().drop_front(2))
      if (!hoistExtent(number, before))
        return false;
    if (!insert.getSource().getDefiningOp<linalg::FillOp>() ||
        !hoistDestination(insert.getSource(), before) ||
        !hoistDestination(insert.getDest(), before))
      return false;
    op->moveBefore(before);
    return true;
  }
  auto fill = dyn_cast<linalg::FillOp>(op);
  if (!fill || !hoistDestination(fill.getInputs()[0], before) ||
      !hoistDestination(fill.getOutputs()[0], before))
    return false;
  op->moveBefore(before);
  return true;
}

/// The first op that builds the inserted value: where a destination must exist
/// for the value to be built in place.
Operation *builderOf(Value v) {
  Operation *op = v.getDefiningOp();
  while (
      op &&
      isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp, tensor::CastOp>(op))
    op = op->getOperand(0).getDefiningOp();
  auto inPlace = dyn_cast_if_present<DestinationStyleOpInterface>(op);
  if (!inPlace || !inPlace->hasOneUse())
    return inPlace ? op : nullptr;
  return op;
}

/// Makes the destination of a chain of inserts stand before the first op that
/// computes what is inserted.
void hoistInsertDestination(tensor::InsertSliceOp insert) {
  if (Operation *builder = builderOf(insert.getSource());
      builder && builder->getBlock() == insert->getBlock() &&
      insert.getDest().getDefiningOp<tensor::InsertSliceOp>() &&
      hoistDestination(insert.getDest(), builder))
    return;
  Operation *first = insert;
  Value dest = insert.getDest();
  Operation *link = insert;
  while (auto chain = dyn_cast_if_present<tensor::InsertSliceOp>(link)) {
    Operation *builder = builderOf(chain.getSource());
    if (builder && builder->getBlock() == insert->getBlock() &&
        builder->isBeforeInBlock(first))
      first = builder;
    dest = chain.getDest();
    link = dest.getDefiningOp();
  }
  hoistDestination(dest, first);
}

struct FuseKernels : mho::impl::FuseKernelsBase<FuseKernels> {
  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    SmallVector<linalg::GenericOp> generics;
    auto collect = [&] {
      generics.clear();
      getOperation().walk(
          [&](linalg::GenericOp op) { generics.push_back(op); });
    };
    // Program order: a consumer finds its producers already fused.
    collect();
    for (linalg::GenericOp op : generics)
      foldInits(rewriter, op);
    for (linalg::GenericOp op : generics)
      fuseInto(rewriter, op);
    // What only moved elements is now unused where it went into every reader.
    collect();
    for (linalg::GenericOp op : llvm::reverse(generics))
      if (op->use_empty())
        rewriter.eraseOp(op);
    getOperation().walk([&](tensor::InsertSliceOp insert) {
      if (!llvm::any_of(insert->getUsers(), [&](Operation *user) {
            auto next = dyn_cast<tensor::InsertSliceOp>(user);
            return next && next.getDest() == insert.getResult();
          }))
        hoistInsertDestination(insert);
    });
  }
};

} // namespace
