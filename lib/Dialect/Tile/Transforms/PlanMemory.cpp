//===- PlanMemory.cpp - flat addresses for a unit's buffers ---------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A buffer lives from the first to the last op that touches it, whatever the
// place of its alloc; a loop around a touch counts as a whole unless the alloc
// lies inside. Buffers that hand over in place form one block. Blocks are
// placed by size, the largest first, each at the lowest offset that is free
// during its life.
//
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Tile/Transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "llvm/Support/MathExtras.h"

namespace mho::tile {
#define GEN_PASS_DEF_PLANMEMORY
#include "mho/Dialect/Tile/Transforms/Passes.h.inc"
} // namespace mho::tile

using namespace mlir;
using namespace mho;
using namespace mho::tile;

namespace {

int64_t aligned(int64_t bytes) {
  return llvm::alignTo(bytes, kBufferAlignment);
}

/// Elements of less than a byte take one.
int64_t bytesOf(ShapedType type) {
  int64_t element =
      llvm::divideCeil(type.getElementType().getIntOrFloatBitWidth(), 8);
  return element * type.getNumElements();
}

/// The buffer that a view looks into.
Value rootOf(Value v) {
  while (auto view = v.getDefiningOp<ViewLikeOpInterface>())
    v = view.getViewSource();
  return v;
}

/// Buffers that use the same bytes one after the other.
struct Block {
  int64_t bytes = 0;
  int64_t first = 0, last = 0;
  int64_t offset = 0;
};

struct Buffer {
  memref::AllocOp alloc;
  int64_t bytes = 0;
  int64_t first = -1, last = -1;
  bool isResult = false;
  int block = -1;
};

class Planner {
public:
  explicit Planner(func::FuncOp func) : func(func), b(func.getContext()) {}

  LogicalResult run() {
    if (failed(placeInterface()))
      return failure();
    if (failed(collect()))
      return failure();
    recordTouches();
    handOverInPlace();
    place();
    annotate();
    return success();
  }

private:
  Operation *terminator() { return func.getBody().front().getTerminator(); }

  /// Arguments, then results, in the io space.
  LogicalResult placeInterface() {
    for (BlockArgument arg : func.getArguments()) {
      auto type = dyn_cast<MemRefType>(arg.getType());
      if (!type || !type.hasStaticShape())
        return func.emitOpError("argument ")
               << arg.getArgNumber() << " has no fixed size: " << arg.getType();
      func.setArgAttr(arg.getArgNumber(), kOffsetAttr,
                      b.getI64IntegerAttr(ioBytes));
      ioBytes += aligned(bytesOf(type));
    }
    for (auto [i, type] : llvm::enumerate(func.getResultTypes())) {
      auto buffer = dyn_cast<MemRefType>(type);
      if (!buffer || !buffer.hasStaticShape())
        return func.emitOpError("result ")
               << i << " has no fixed size: " << type;
      resultOffsets.push_back(ioBytes);
      func.setResultAttr(i, kOffsetAttr, b.getI64IntegerAttr(ioBytes));
      ioBytes += aligned(bytesOf(buffer));
    }
    return success();
  }

  LogicalResult collect() {
    WalkResult walked = func.walk([&](memref::AllocOp alloc) {
      if (!alloc.getType().hasStaticShape()) {
        alloc.emitOpError("an allocation of unknown size is left: give every "
                          "dimension a bound");
        return WalkResult::interrupt();
      }
      index[alloc] = buffers.size();
      buffers.push_back({alloc, bytesOf(alloc.getType())});
      return WalkResult::advance();
    });
    if (walked.wasInterrupted())
      return failure();
    for (auto [i, value] : llvm::enumerate(terminator()->getOperands())) {
      Value root = rootOf(value);
      auto alloc = root.getDefiningOp<memref::AllocOp>();
      if (!alloc || buffers[index[alloc]].isResult)
        return terminator()->emitOpError("result ")
               << i << " has no memory of its own";
      Buffer &buffer = buffers[index[alloc]];
      buffer.isResult = true;
      buffer.block = i; // the result's number
    }
    return success();
  }

  void touch(Value v, Operation *op, int64_t time) {
    auto alloc = rootOf(v).getDefiningOp<memref::AllocOp>();
    if (!alloc)
      return;
    Buffer &buffer = buffers[index[alloc]];
    int64_t first = time, last = time;
    // A loop that the buffer outlives counts as a whole.
    for (Operation *around = op->getParentOp(); around != func;
         around = around->getParentOp())
      if (isa<LoopLikeOpInterface>(around) && !around->isAncestor(alloc)) {
        first = spans[around].first;
        last = spans[around].second;
      }
    buffer.first = buffer.first < 0 ? first : std::min(buffer.first, first);
    buffer.last = std::max(buffer.last, last);
  }

  void recordTouches() {
    int64_t time = 0;
    func.walk<WalkOrder::PreOrder>([&](Operation *op) {
      times[op] = time++;
      if (!isa<LoopLikeOpInterface>(op))
        return;
      int64_t inside = 0;
      op->walk([&](Operation *) { ++inside; });
      spans[op] = {times[op], times[op] + inside - 1};
    });
    func.walk([&](Operation *op) {
      if (isa<ViewLikeOpInterface, func::ReturnOp, memref::AllocOp>(op))
        return;
      auto generic = dyn_cast<linalg::GenericOp>(op);
      for (OpOperand &operand : op->getOpOperands()) {
        if (!isa<MemRefType>(operand.get().getType()))
          continue;
        // A window's shape is an operand that nothing reads.
        if (generic && generic.isDpsInput(&operand) &&
            generic.getMatchingBlockArgument(&operand).use_empty())
          continue;
        touch(operand.get(), op, times[op]);
      }
    });
  }

  /// Whether `input` and `output` of a kernel meet each element at the same
  /// point and at the same place of buffers of one size.
  bool sameElements(linalg::GenericOp op, OpOperand &input, OpOperand &output) {
    auto from = cast<MemRefType>(input.get().getType());
    auto to = cast<MemRefType>(output.get().getType());
    if (from != to || !from.getLayout().isIdentity() ||
        op.getMatchingIndexingMap(&input) !=
            op.getMatchingIndexingMap(&output) ||
        !op.getMatchingIndexingMap(&output).isPermutation())
      return false;
    for (OpOperand &other : op->getOpOperands())
      if (&other != &input && isa<MemRefType>(other.get().getType()) &&
          rootOf(other.get()) == rootOf(input.get()))
        return false;
    // Computed reads see any element.
    return !op.getBody()
                ->walk([](memref::LoadOp) { return WalkResult::interrupt(); })
                .wasInterrupted();
  }

  int blockOf(Buffer &buffer) {
    if (buffer.block < 0) {
      buffer.block = blocks.size();
      blocks.push_back({aligned(buffer.bytes), buffer.first, buffer.last});
    }
    return buffer.block;
  }

  Buffer *bufferOf(Value v) {
    auto alloc = rootOf(v).getDefiningOp<memref::AllocOp>();
    if (!alloc || buffers[index[alloc]].isResult)
      return nullptr;
    return &buffers[index[alloc]];
  }

  void handOverInPlace() {
    func.walk([&](linalg::GenericOp op) {
      if (op.getNumReductionLoops() != 0)
        return;
      int64_t time = times[op];
      for (OpOperand &output : op.getDpsInitsMutable()) {
        Buffer *to = bufferOf(output.get());
        if (!to || to->first != time || to->block >= 0)
          continue;
        for (OpOperand *input : op.getDpsInputOperands()) {
          Buffer *from = isa<MemRefType>(input->get().getType())
                             ? bufferOf(input->get())
                             : nullptr;
          if (!from || from == to || from->last != time ||
              from->bytes != to->bytes || !sameElements(op, *input, output))
            continue;
          Block &block = blocks[blockOf(*from)];
          if (block.last != time)
            continue; // another result has taken its place
          to->block = from->block;
          block.last = to->last;
          break;
        }
      }
    });
  }

  void place() {
    for (Buffer &buffer : buffers)
      if (!buffer.isResult && buffer.first >= 0)
        blockOf(buffer);
    SmallVector<Block *> order;
    for (Block &block : blocks)
      order.push_back(&block);
    // Equal sizes in order of creation: addresses tell them apart.
    llvm::sort(order, [](const Block *x, const Block *y) {
      return x->bytes != y->bytes ? x->bytes > y->bytes : x < y;
    });
    SmallVector<Block *> placed; // by offset
    for (Block *block : order) {
      int64_t offset = 0;
      for (Block *other : placed) {
        if (other->first > block->last || block->first > other->last)
          continue;
        if (offset + block->bytes <= other->offset)
          break;
        offset = std::max(offset, other->offset + other->bytes);
      }
      block->offset = offset;
      scratchBytes = std::max(scratchBytes, offset + block->bytes);
      placed.insert(llvm::upper_bound(placed, block,
                                      [](const Block *x, const Block *y) {
                                        return x->offset < y->offset;
                                      }),
                    block);
    }
  }

  /// Most bytes alive at once: what no plan can go below.
  int64_t peakBytes() const {
    SmallVector<std::pair<int64_t, int64_t>> events;
    for (const Block &block : blocks) {
      events.push_back({block.first, block.bytes});
      events.push_back({block.last + 1, -block.bytes});
    }
    llvm::sort(events); // what ends at a time goes before what begins
    int64_t alive = 0, peak = 0;
    for (auto [time, bytes] : events) {
      alive += bytes;
      peak = std::max(peak, alive);
    }
    return peak;
  }

  void annotate() {
    for (Buffer &buffer : buffers) {
      bool used = buffer.first >= 0;
      int64_t offset = buffer.isResult ? resultOffsets[buffer.block]
                       : used          ? blocks[buffer.block].offset
                                       : 0;
      buffer.alloc->setAttr(
          kSpaceAttr, b.getStringAttr(buffer.isResult ? "io" : "scratch"));
      buffer.alloc->setAttr(kOffsetAttr, b.getI64IntegerAttr(offset));
    }
    func->setAttr(kScratchBytesAttr, b.getI64IntegerAttr(scratchBytes));
    func->setAttr(kPeakBytesAttr, b.getI64IntegerAttr(peakBytes()));
    func->setAttr(kIoBytesAttr, b.getI64IntegerAttr(ioBytes));
  }

  func::FuncOp func;
  Builder b;
  std::vector<Buffer> buffers;
  std::vector<Block> blocks;
  llvm::DenseMap<Operation *, unsigned> index;
  llvm::DenseMap<Operation *, int64_t> times;
  /// Times of a loop and of the last op inside.
  llvm::DenseMap<Operation *, std::pair<int64_t, int64_t>> spans;
  SmallVector<int64_t> resultOffsets;
  int64_t ioBytes = 0, scratchBytes = 0;
};

struct PlanMemory : mho::tile::impl::PlanMemoryBase<PlanMemory> {
  void runOnOperation() override {
    Builder b(&getContext());
    int64_t constants = 0;
    for (auto global : getOperation().getOps<memref::GlobalOp>()) {
      global->setAttr(kOffsetAttr, b.getI64IntegerAttr(constants));
      constants += aligned(bytesOf(global.getType()));
    }
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (!func.isDeclaration() && failed(Planner(func).run()))
        signalPassFailure();
  }
};

} // namespace
