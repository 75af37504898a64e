//===- BufferizeUnits.cpp - tensors of unit functions become buffers ------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Conversion/LinalgToTile/LinalgToTile.h"

#include "mho/Dialect/Graph/IR/RunTimeExtents.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotModuleBufferize.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

namespace mho {
#define GEN_PASS_DEF_BUFFERIZEUNITS
#include "mho/Conversion/Passes.h.inc"
} // namespace mho

using namespace mlir;
using namespace mho;

namespace {

/// One-shot bufferization's name for an argument that must stay as it is.
constexpr llvm::StringLiteral kWritableAttr = "bufferization.writable";

//===----------------------------------------------------------------------===//
// Loops and branches
//===----------------------------------------------------------------------===//

/// Whether nothing reads `value` after `writer`, in this turn or a later one of
/// the loops around: then `writer` may build in its buffer.
bool isLastUse(Value value, Operation *writer) {
  Block *block = value.getParentBlock();
  if (writer->getBlock() != block)
    return false;
  unsigned direct = 0;
  for (Operation *user : value.getUsers()) {
    if (user == writer) {
      ++direct;
      continue;
    }
    Operation *outer = block->findAncestorOpInBlock(*user);
    if (outer == writer || !outer->isBeforeInBlock(writer))
      return false;
  }
  return direct == 1;
}

/// The tensor whose buffer `value` is built in, as far as that is known: the
/// destination of inserts and of what writes into its operand.
Value destinationOf(Value value) {
  while (auto result = dyn_cast<OpResult>(value)) {
    Operation *op = result.getOwner();
    Value destination;
    if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
      destination = insert.getDest();
    else if (auto insert = dyn_cast<tensor::InsertOp>(op))
      destination = insert.getDest();
    else if (auto loop = dyn_cast<scf::ForOp>(op))
      destination = loop.getInitArgs()[result.getResultNumber()];
    else if (auto cast = dyn_cast<tensor::CastOp>(op))
      destination = cast.getSource();
    // What is read later is not overwritten but copied.
    if (!destination || !isLastUse(destination, op))
      break;
    value = destination;
  }
  return value;
}

/// A copy of `value` in a buffer of its own.
Value copied(OpBuilder &b, Location loc, Value value) {
  return bufferization::AllocTensorOp::create(
      b, loc, cast<RankedTensorType>(value.getType()), ValueRange(), value);
}

bool isStaticTensor(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.hasStaticShape();
}

/// A loop overwrites what it starts from, so what is read again must not be
/// that: the analysis of buffers does not give a loop a copy whose body has to
/// write in place.
void copyStarts(Operation *loop, MutableArrayRef<OpOperand> starts) {
  OpBuilder b(loop);
  for (OpOperand &start : starts)
    if (isStaticTensor(start.get()) && !isLastUse(start.get(), loop))
      start.set(copied(b, loop->getLoc(), start.get()));
}

/// `value` as it is in the buffer of `destination`.
Value materialized(OpBuilder &b, Location loc, Value value, Value destination) {
  if (!isa<TensorType>(value.getType()) ||
      value.getType() != destination.getType() ||
      destinationOf(value) == destination)
    return value;
  return bufferization::MaterializeInDestinationOp::create(b, loc, value,
                                                           destination)
      .getResult();
}

void materializeBranch(scf::IfOp branch) {
  OpBuilder b(branch);
  for (OpResult result : branch.getResults()) {
    auto type = dyn_cast<RankedTensorType>(result.getType());
    if (!type || !type.hasStaticShape())
      continue;
    OpOperand &then =
        branch.thenYield()->getOpOperand(result.getResultNumber());
    OpOperand &otherwise =
        branch.elseYield()->getOpOperand(result.getResultNumber());
    // No empty tensor: that could become the buffer of a state that a side
    // still reads.
    Value whole = bufferization::AllocTensorOp::create(b, branch.getLoc(), type,
                                                       ValueRange());
    for (OpOperand *side : {&then, &otherwise}) {
      OpBuilder inner(side->getOwner());
      side->set(materialized(inner, branch.getLoc(), side->get(), whole));
    }
  }
}

/// Canonicalization makes a choice between tensors of branches that compute
/// nothing; the buffer of one or the other would be an address of the run.
void branchOnSelects(func::FuncOp func) {
  func.walk([](arith::SelectOp select) {
    if (!isa<TensorType>(select.getType()) ||
        isa<TensorType>(select.getCondition().getType()))
      return;
    OpBuilder b(select);
    auto yield = [](Value value) {
      return [value](OpBuilder &inner, Location loc) {
        scf::YieldOp::create(inner, loc, value);
      };
    };
    auto branch = scf::IfOp::create(b, select.getLoc(), select.getCondition(),
                                    yield(select.getTrueValue()),
                                    yield(select.getFalseValue()));
    select.getResult().replaceAllUsesWith(branch.getResult(0));
    select.erase();
  });
}

void materialize(Operation *terminator, MutableArrayRef<OpOperand> yielded,
                 ValueRange destinations) {
  OpBuilder b(terminator);
  auto locationOf = [&](Value value) {
    Operation *producer = value.getDefiningOp();
    return producer ? producer->getLoc() : terminator->getLoc();
  };
  // States that change places are read before they are overwritten.
  for (auto [i, operand] : llvm::enumerate(yielded)) {
    Value source = destinationOf(operand.get());
    if (isStaticTensor(operand.get()) &&
        llvm::is_contained(destinations.take_front(i), source))
      operand.set(copied(b, locationOf(operand.get()), operand.get()));
  }
  // What becomes several states is read from the first of them.
  llvm::SmallDenseMap<Value, Value> placed;
  for (auto [operand, destination] : llvm::zip(yielded, destinations)) {
    Value &first =
        placed.try_emplace(operand.get(), operand.get()).first->second;
    first = materialized(b, locationOf(operand.get()), first, destination);
    operand.set(first);
  }
}

/// What a loop hands on must end in the loop's own buffer, what branches yield
/// in one buffer made before them: else addresses would depend on control
/// flow.
bool materializeControlFlow(func::FuncOp func) {
  bool any = false;
  func.walk([&](Operation *op) {
    if (auto loop = dyn_cast<scf::ForOp>(op)) {
      Operation *end = loop.getBody()->getTerminator();
      materialize(end, end->getOpOperands(), loop.getRegionIterArgs());
      copyStarts(op, loop.getInitArgsMutable());
    } else if (auto loop = dyn_cast<scf::WhileOp>(op)) {
      Operation *decision = loop.getConditionOp();
      materialize(decision, decision->getOpOperands().drop_front(),
                  loop.getBeforeArguments());
      Operation *end = loop.getYieldOp();
      materialize(end, end->getOpOperands(), loop.getAfterArguments());
      copyStarts(op, loop.getInitsMutable());
    } else if (auto branch = dyn_cast<scf::IfOp>(op)) {
      materializeBranch(branch);
    } else {
      return;
    }
    any = true;
  });
  return any;
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

/// A copy of `value` by a kernel, which can build it in any buffer.
Value copiedByKernel(OpBuilder &b, Location loc, Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  Value init =
      tensor::EmptyOp::create(b, loc, type.getShape(), type.getElementType());
  AffineMap map = b.getMultiDimIdentityMap(type.getRank());
  SmallVector<utils::IteratorType> iterators(type.getRank(),
                                             utils::IteratorType::parallel);
  return linalg::GenericOp::create(
             b, loc, TypeRange(type), value, init,
             ArrayRef<AffineMap>{map, map}, iterators,
             [](OpBuilder &nested, Location inner, ValueRange args) {
               linalg::YieldOp::create(nested, inner, args[0]);
             })
      .getResult(0);
}

/// A result that is an argument, a constant, part of another tensor, or
/// returned twice needs memory of its own: the io space holds each output once.
void copySharedResults(func::FuncOp func) {
  Operation *end = func.getBody().front().getTerminator();
  llvm::SmallPtrSet<Value, 4> seen;
  OpBuilder b(end);
  for (OpOperand &operand : end->getOpOperands()) {
    auto type = dyn_cast<RankedTensorType>(operand.get().getType());
    if (!type)
      continue;
    Value root = operand.get();
    while (Operation *op = root.getDefiningOp()) {
      if (!isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp, tensor::CastOp>(
              op))
        break;
      root = op->getOperand(0);
    }
    Operation *producer = root.getDefiningOp();
    // Loops and branches write what they give: it is in no other value's
    // buffer.
    bool own = producer &&
               isa<DestinationStyleOpInterface, tensor::InsertSliceOp,
                   tensor::FromElementsOp, scf::ForOp, scf::WhileOp, scf::IfOp>(
                   producer) &&
               llvm::none_of(root.getUsers(), [](Operation *user) {
                 return isa<tensor::InsertSliceOp>(user);
               });
    if (own && seen.insert(root).second)
      continue;
    Location loc = producer ? producer->getLoc() : end->getLoc();
    operand.set(copiedByKernel(b, loc, operand.get()));
  }
}

/// One empty tensor per use. CSE merges equal ones, and one that many ops build
/// on is one large alias set: analysing it takes cubic time.
void splitEmptyTensors(func::FuncOp func) {
  SmallVector<tensor::EmptyOp> shared;
  func.walk([&](tensor::EmptyOp empty) {
    if (!empty->use_empty() && !empty->hasOneUse())
      shared.push_back(empty);
  });
  for (tensor::EmptyOp empty : shared) {
    for (OpOperand &use : llvm::make_early_inc_range(empty->getUses())) {
      OpBuilder b(use.getOwner());
      auto own = cast<tensor::EmptyOp>(b.clone(*empty));
      own->setLoc(use.getOwner()->getLoc());
      use.set(own);
    }
    empty.erase();
  }
}

/// A fill of its own for each tensor that values are inserted into, and for
/// each part that is inserted: CSE merges equal ones, and a shared one is kept
/// whole and copied for each of them.
void splitFills(func::FuncOp func) {
  SmallVector<OpOperand *> inserts;
  func.walk([&](linalg::FillOp fill) {
    SmallVector<OpOperand *> mine;
    for (Value result : fill->getResults())
      for (OpOperand &use : result.getUses())
        if (auto insert = dyn_cast<tensor::InsertSliceOp>(use.getOwner());
            insert &&
            (insert.getDest() == result ||
             (insert.getSource() == result && isStaticTensor(result))))
          mine.push_back(&use);
    // The first one may have what else reads the fill.
    if (!mine.empty())
      inserts.append(mine.begin() + 1, mine.end());
  });
  for (OpOperand *use : inserts) {
    OpBuilder b(use->getOwner());
    Operation *own = b.clone(*use->get().getDefiningOp());
    own->setLoc(use->getOwner()->getLoc());
    use->set(own->getResult(0));
  }
}

//===----------------------------------------------------------------------===//
// Tensors of many parts
//===----------------------------------------------------------------------===//

/// Fewer inserts than this the analysis of buffers may look at itself.
constexpr size_t kManyParts = 8;

/// Whether two inserts keep apart, by the first and last place of each in some
/// dimension.
bool areApart(tensor::InsertSliceOp a, tensor::InsertSliceOp b) {
  auto first = [](tensor::InsertSliceOp op, size_t dim) {
    return op.getStaticOffsets()[dim];
  };
  auto last = [&](tensor::InsertSliceOp op, size_t dim) {
    return first(op, dim) +
           (op.getStaticSizes()[dim] - 1) * op.getStaticStrides()[dim];
  };
  for (size_t dim = 0; dim < a.getStaticOffsets().size(); ++dim)
    if (last(a, dim) < first(b, dim) || last(b, dim) < first(a, dim))
      return true;
  return false;
}

/// The inserts that build up a tensor from nothing, the last one given; empty
/// if something looks at the tensor in between, or one of them overwrites what
/// another one has put there: parts come to their places when they are
/// computed.
SmallVector<tensor::InsertSliceOp> partsOf(tensor::InsertSliceOp last) {
  SmallVector<tensor::InsertSliceOp> parts;
  for (tensor::InsertSliceOp insert = last; insert;) {
    bool known = insert.getDestType().hasStaticShape() &&
                 insert.getSourceType().hasStaticShape() &&
                 insert.getOffsets().empty() && insert.getSizes().empty() &&
                 insert.getStrides().empty();
    if (!known || insert->getBlock() != last->getBlock() ||
        !insert.getDest().hasOneUse())
      return {};
    parts.push_back(insert);
    Operation *before = insert.getDest().getDefiningOp();
    insert = dyn_cast_or_null<tensor::InsertSliceOp>(before);
    if (!insert && !isa_and_nonnull<tensor::EmptyOp>(before))
      return {};
  }
  for (size_t i = 0; i < parts.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (!areApart(parts[i], parts[j]))
        return {};
  return SmallVector<tensor::InsertSliceOp>(llvm::reverse(parts));
}

/// A tensor of many parts (a convolution's groups) gets its buffer now, and
/// each part its place in it: the analysis compares every part with every other
/// one along the chain of inserts, in cubic time. What computes a part can
/// build in its place, as it can with an insert. Whether there are such.
bool placeParts(func::FuncOp func) {
  SmallVector<SmallVector<tensor::InsertSliceOp>> tensors;
  func.walk([&](tensor::InsertSliceOp insert) {
    bool inner = llvm::any_of(insert->getUses(), [](OpOperand &use) {
      auto next = dyn_cast<tensor::InsertSliceOp>(use.getOwner());
      return next && next.getDest() == use.get();
    });
    if (inner)
      return;
    SmallVector<tensor::InsertSliceOp> parts = partsOf(insert);
    if (parts.size() >= kManyParts)
      tensors.push_back(std::move(parts));
  });
  for (auto &parts : tensors) {
    tensor::InsertSliceOp last = parts.back();
    RankedTensorType type = last.getResultType();
    OpBuilder b = OpBuilder::atBlockBegin(last->getBlock());
    Value whole = memref::AllocOp::create(
        b, last.getLoc(),
        MemRefType::get(type.getShape(), type.getElementType()));
    for (tensor::InsertSliceOp insert : parts) {
      Type placeType = memref::SubViewOp::inferRankReducedResultType(
          insert.getSourceType().getShape(), cast<MemRefType>(whole.getType()),
          insert.getMixedOffsets(), insert.getMixedSizes(),
          insert.getMixedStrides());
      Value place = memref::SubViewOp::create(
          b, insert.getLoc(), cast<MemRefType>(placeType), whole,
          insert.getMixedOffsets(), insert.getMixedSizes(),
          insert.getMixedStrides());
      OpBuilder there(insert);
      // What else reads a part must not find its place overwritten later.
      Value part = insert.getSource();
      if (!part.hasOneUse() || !part.getDefiningOp())
        part = copiedByKernel(there, insert.getLoc(), part);
      bufferization::MaterializeInDestinationOp::create(
          there, insert.getLoc(), TypeRange(), part, place,
          /*restrict=*/true, /*writable=*/true);
    }
    b.setInsertionPoint(last);
    last.getResult().replaceAllUsesWith(
        bufferization::ToTensorOp::create(b, last.getLoc(), type, whole,
                                          /*restrict=*/true, /*writable=*/true)
            .getResult());
    for (tensor::InsertSliceOp insert : llvm::reverse(parts))
      insert.erase();
  }
  return !tensors.empty();
}

//===----------------------------------------------------------------------===//
// Copies of run-time extents
//===----------------------------------------------------------------------===//

/// What has to be copied because something still reads it is copied into room
/// for its bounds; bufferization itself would allocate what the run needs.
LogicalResult boundCopies(func::FuncOp func) {
  SmallVector<bufferization::AllocTensorOp> copies;
  func.walk([&](bufferization::AllocTensorOp op) {
    if (op.getCopy() && !op.getType().hasStaticShape())
      copies.push_back(op);
  });
  if (copies.empty())
    return success();
  graph::RunTimeExtents extents(func);
  if (failed(extents.analyse()))
    return failure();
  for (bufferization::AllocTensorOp op : copies) {
    OpBuilder b(op);
    Location loc = op.getCopy().getLoc();
    SmallVector<Value> known = extents.of(op.getCopy());
    SmallVector<int64_t> shape;
    SmallVector<OpFoldResult> zeros, sizes, ones;
    auto next = known.begin();
    for (int64_t extent : op.getType().getShape()) {
      zeros.push_back(b.getIndexAttr(0));
      ones.push_back(b.getIndexAttr(1));
      sizes.push_back(b.getIndexAttr(extent));
      shape.push_back(extent);
      if (!ShapedType::isDynamic(extent))
        continue;
      auto range = extents.rangeOf(*next);
      if (!range)
        return op.emitOpError("copies a tensor of ")
               << op.getType() << " whose extents have no bound";
      sizes.back() = *next++;
      shape.back() = std::max<int64_t>(range->second, 0);
    }
    Value room = bufferization::AllocTensorOp::create(
        b, loc, RankedTensorType::get(shape, op.getType().getElementType()),
        ValueRange());
    Value part = tensor::ExtractSliceOp::create(b, loc, op.getType(), room,
                                                zeros, sizes, ones);
    Value copied = bufferization::MaterializeInDestinationOp::create(
                       b, loc, op.getCopy(), part)
                       .getResult();
    op.replaceAllUsesWith(copied);
    op.erase();
  }
  return success();
}

bool hasRunTimeExtents(ModuleOp module) {
  return module
      .walk([](Operation *op) {
        for (Type type : op->getResultTypes())
          if (auto tensor = dyn_cast<RankedTensorType>(type);
              tensor && !tensor.hasStaticShape())
            return WalkResult::interrupt();
        return WalkResult::advance();
      })
      .wasInterrupted();
}

struct BufferizeUnits : mho::impl::BufferizeUnitsBase<BufferizeUnits> {
  void runOnOperation() override {
    ModuleOp module = getOperation();
    IRRewriter rewriter(&getContext());
    Attribute no = rewriter.getBoolAttr(false);
    for (auto func : module.getOps<func::FuncOp>()) {
      if (func.isDeclaration())
        continue;
      for (unsigned i = 0; i < func.getNumArguments(); ++i)
        func.setArgAttr(i, kWritableAttr, no);
      branchOnSelects(func);
      copySharedResults(func);
      splitFills(func);
      splitEmptyTensors(func);
      bool parts = placeParts(func);
      bool controlled = materializeControlFlow(func);
      if (parts || controlled ||
          func.walk(
                  [](tensor::InsertSliceOp) { return WalkResult::interrupt(); })
              .wasInterrupted())
        if (failed(bufferization::eliminateEmptyTensors(rewriter, func)))
          return signalPassFailure();
    }

    bufferization::OneShotBufferizationOptions options;
    options.bufferizeFunctionBoundaries = true;
    options.setFunctionBoundaryTypeConversion(
        bufferization::LayoutMapOption::IdentityLayoutMap);
    options.bufferAlignment = 0;
    bufferization::BufferizationState state;
    if (hasRunTimeExtents(module)) {
      if (failed(bufferization::insertTensorCopies(module, options, state)))
        return signalPassFailure();
      for (auto func : module.getOps<func::FuncOp>())
        if (failed(boundCopies(func)))
          return signalPassFailure();
    }
    if (failed(
            bufferization::runOneShotModuleBufferize(module, options, state)))
      return signalPassFailure();
    bufferization::removeBufferizationAttributesInModule(module);
  }
};

} // namespace
