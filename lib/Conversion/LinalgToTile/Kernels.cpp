//===- Kernels.cpp - generics to kernels and contracts --------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Instructions.h"

#include "mho/Conversion/LinalgToTile/LinalgToTile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace mho;

namespace {

/// How one result of a generic meets memory.
struct Outcome {
  isa::WriteKind kind = isa::WriteKind::Store;
  /// Reductions: the combining op, which the write takes over, and the operand
  /// of it that the body yields instead.
  Operation *combiner = nullptr;
  Value yielded;
  bool onUnsigned = false;
};

std::optional<isa::WriteKind> combinerKind(Operation *op) {
  return llvm::TypeSwitch<Operation *, std::optional<isa::WriteKind>>(op)
      .Case<arith::AddFOp, arith::AddIOp>(
          [](auto) { return isa::WriteKind::Add; })
      .Case<arith::MulFOp, arith::MulIOp>(
          [](auto) { return isa::WriteKind::Mul; })
      .Case<arith::MinimumFOp, arith::MinSIOp, arith::MinUIOp>(
          [](auto) { return isa::WriteKind::Min; })
      .Case<arith::MaximumFOp, arith::MaxSIOp, arith::MaxUIOp>(
          [](auto) { return isa::WriteKind::Max; })
      .Case<arith::AndIOp>([](auto) { return isa::WriteKind::And; })
      .Case<arith::OrIOp>([](auto) { return isa::WriteKind::Or; })
      .Case<arith::XOrIOp>([](auto) { return isa::WriteKind::Xor; })
      .Default([](auto) { return std::nullopt; });
}

/// Reads the body's way with result `i`: combine(out, value) is a reduction,
/// any other use of the old value a carry.
Outcome outcomeOf(linalg::GenericOp op, unsigned i) {
  Outcome outcome;
  OpOperand *init = op.getDpsInitOperand(i);
  BlockArgument old = op.getMatchingBlockArgument(init);
  Value yielded = op.getBody()->getTerminator()->getOperand(i);
  outcome.yielded = yielded;
  if (old.use_empty())
    return outcome;
  outcome.kind = isa::WriteKind::Carry;
  Operation *combiner = yielded.getDefiningOp();
  // A reduction is one over the dims that the result does not have.
  if (!combiner || !old.hasOneUse() || !yielded.hasOneUse() ||
      combiner->getNumOperands() != 2 || *old.user_begin() != combiner ||
      op.getNumReductionLoops() == 0 ||
      op.getNumReductionLoops() +
              op.getMatchingIndexingMap(init).getNumResults() <
          op.getNumLoops())
    return outcome;
  auto kind = combinerKind(combiner);
  AffineMap map = op.getMatchingIndexingMap(init);
  for (auto [dim, iterator] : llvm::enumerate(op.getIteratorTypesArray()))
    if ((iterator == utils::IteratorType::reduction) ==
        map.isFunctionOfDim(dim))
      return outcome;
  if (!kind)
    return outcome;
  outcome.kind = *kind;
  outcome.combiner = combiner;
  outcome.yielded = combiner->getOperand(combiner->getOperand(0) == old);
  outcome.onUnsigned = llvm::isa<arith::MaxUIOp, arith::MinUIOp>(combiner);
  return outcome;
}

/// The value that accumulator `i` starts from; null where it is memory's.
TypedAttr initOf(linalg::GenericOp op, unsigned i) {
  auto inits = op->getAttrOfType<ArrayAttr>(kInitAttr);
  return inits && i < inits.size() ? dyn_cast<TypedAttr>(inits[i])
                                   : TypedAttr();
}

/// How far each loop of a generic runs: as far as an operand along it.
FailureOr<SmallVector<isa::Extent>> loopExtents(linalg::GenericOp op,
                                                const UnitContext &context) {
  SmallVector<isa::Extent> extents;
  bool known = true;
  for (int64_t extent : op.getStaticLoopRanges()) {
    extents.push_back({extent, isa::kNoSlot});
    known &= !ShapedType::isDynamic(extent);
  }
  if (known)
    return extents;
  for (OpOperand &operand : op->getOpOperands()) {
    if (!llvm::isa<MemRefType>(operand.get().getType()))
      continue;
    FailureOr<Place> place = context.scalars.place(operand.get(), op);
    if (failed(place))
      return failure();
    for (auto [expr, extent] : llvm::zip_equal(
             op.getMatchingIndexingMap(&operand).getResults(), place->shape))
      if (auto dim = dyn_cast<AffineDimExpr>(expr))
        if (ShapedType::isDynamic(extents[dim.getPosition()].max))
          extents[dim.getPosition()] = extent;
  }
  for (const isa::Extent &extent : extents)
    if (ShapedType::isDynamic(extent.max))
      return op.emitOpError(
          "has a loop whose extent nothing tells (an internal "
          "error)");
  return extents;
}

/// Whether converting `value` by `op` gives what it gives without the bound
/// that `extreme` sets: the micro-op itself keeps to the type's range.
template <typename ExtremeOp> bool isImplied(Operation *op, ExtremeOp extreme) {
  FloatAttr bound;
  if (!extreme || !matchPattern(extreme.getRhs(), m_Constant(&bound)))
    return false;
  unsigned width = op->getResult(0).getType().getIntOrFloatBitWidth();
  bool isUnsigned = llvm::isa<arith::FPToUIOp>(op);
  if (llvm::isa<arith::MaximumFOp>(extreme.getOperation()))
    return bound.getValueAsDouble() <=
           (isUnsigned ? 0 : -std::ldexp(1.0, int(width) - 1));
  return bound.getValueAsDouble() >=
         std::ldexp(1.0, int(width) - (isUnsigned ? 0 : 1)) - 1;
}

/// In MLIR a float out of the integer's range must be clamped before it is
/// converted; the micro-ops saturate (and have 0 for NaN) as they are.
void dropClamps(Block &body) {
  for (Operation &op : body) {
    if (!llvm::isa<arith::FPToUIOp, arith::FPToSIOp>(op))
      continue;
    for (;;) {
      Operation *from = op.getOperand(0).getDefiningOp();
      if (!from || !(isImplied(&op, dyn_cast<arith::MaximumFOp>(from)) ||
                     isImplied(&op, dyn_cast<arith::MinimumFOp>(from))))
        break;
      op.setOperand(0, from->getOperand(0));
    }
  }
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(body)))
    if (isOpTriviallyDead(&op))
      op.erase();
}

/// Builds one kernel from one generic.
class KernelBuilder {
public:
  KernelBuilder(linalg::GenericOp op, OpBuilder &b, const UnitContext &context,
                ArrayRef<isa::Extent> extents)
      : op(op), b(b), context(context), nest(extents) {}

  LogicalResult run() {
    for (auto [i, iterator] : llvm::enumerate(op.getIteratorTypesArray()))
      nest.groups[i] = iterator == utils::IteratorType::reduction;
    op.getBody()->walk(
        [&](linalg::IndexOp index) { nest.pinned[index.getDim()] = true; });
    if (failed(collectReads()))
      return failure();
    collectSlots();
    if (failed(collectWrites()))
      return failure();
    // A scan must meet its elements in the order that was written.
    if (llvm::any_of(writes, [](const isa::Write &w) {
          return w.kind == isa::WriteKind::Carry;
        }))
      for (auto [i, group] : llvm::enumerate(nest.groups))
        group = i;
    nest.shorten();
    if (nest.extents.size() > isa::kMaxDims)
      return op.emitOpError("has ")
             << nest.extents.size() << " loop dimensions after merging; an "
             << "instruction has at most " << isa::kMaxDims;
    return build();
  }

private:
  FailureOr<isa::Access> accessOf(OpOperand &operand) {
    FailureOr<Place> place = context.scalars.place(operand.get(), op);
    if (failed(place))
      return failure();
    AffineMap map = op.getMatchingIndexingMap(&operand);
    FailureOr<isa::Access> access = through(*place, map);
    if (failed(access))
      return op.emitOpError("an operand is read at a place that is not linear "
                            "in the loops: ")
             << AffineMapAttr::get(map);
    return access;
  }

  LogicalResult collectReads() {
    for (OpOperand *operand : op.getDpsInputOperands()) {
      BlockArgument arg = op.getMatchingBlockArgument(operand);
      if (arg.use_empty())
        continue;
      if (!llvm::isa<MemRefType>(operand->get().getType())) {
        captured.push_back({arg, operand->get()});
        continue;
      }
      if (failed(addRead(*operand, arg)))
        return failure();
    }
    return success();
  }

  LogicalResult addRead(OpOperand &operand, BlockArgument arg) {
    FailureOr<isa::Access> access = accessOf(operand);
    if (failed(access))
      return failure();
    nest.accesses.push_back(*access);
    readArgs.push_back(arg);
    return success();
  }

  /// Run-time scalars from outside are read from their slots.
  void collectSlots() {
    auto collect = [&](Value value) {
      auto form = context.scalars.formOf(value);
      if (value.getParentRegion() == op.getBody()->getParent() || !form)
        return;
      for (const isa::SlotTerm &term : form->terms)
        if (!llvm::is_contained(slots, term.slot))
          slots.push_back(term.slot);
    };
    for (auto [arg, value] : captured)
      collect(value);
    op.getBody()->walk([&](Operation *inner) {
      llvm::for_each(inner->getOperands(), collect);
    });
    for (uint32_t slot : slots) {
      isa::Access access = Scalars::slotAccess(slot);
      access.strides.assign(op.getNumLoops(), 0);
      nest.accesses.push_back(access);
      readArgs.push_back({});
    }
  }

  LogicalResult collectWrites() {
    if (auto inits = op->getAttrOfType<ArrayAttr>(kInitAttr))
      if (inits.size() != op.getNumDpsInits())
        return op.emitOpError(kInitAttr)
               << " has " << inits.size() << " entries for "
               << op.getNumDpsInits() << " results";
    for (unsigned i = 0; i < op.getNumDpsInits(); ++i)
      outcomes.push_back(outcomeOf(op, i));
    // Without reductions the old value is one more read.
    for (auto [i, outcome] : llvm::enumerate(outcomes))
      if (outcome.kind == isa::WriteKind::Carry &&
          op.getNumReductionLoops() == 0) {
        OpOperand &init = *op.getDpsInitOperand(i);
        outcome.kind = isa::WriteKind::Store;
        if (failed(addRead(init, op.getMatchingBlockArgument(&init))))
          return failure();
      }
    for (auto [i, outcome] : llvm::enumerate(outcomes)) {
      OpOperand &init = *op.getDpsInitOperand(i);
      FailureOr<isa::Access> access = accessOf(init);
      if (failed(access))
        return failure();
      if (outcome.onUnsigned)
        access->type = unsignedOf(access->type);
      isa::Write write;
      write.kind = outcome.kind;
      if (outcome.kind != isa::WriteKind::Store) {
        TypedAttr start = initOf(op, i);
        write.fromMemory = !start;
        write.init = start ? bitsOf(start) : 0;
      }
      if (outcome.kind == isa::WriteKind::Carry)
        carriedArgs.push_back(op.getMatchingBlockArgument(&init));
      nest.accesses.push_back(*access);
      writes.push_back(write);
    }
    return success();
  }

  LogicalResult build() {
    MLIRContext *ctx = op.getContext();
    SmallVector<Attribute> readAttrs, writeAttrs;
    for (size_t i = 0; i < readArgs.size(); ++i)
      readAttrs.push_back(tile::AccessAttr::get(ctx, nest.accesses[i]));
    for (size_t i = 0; i < writes.size(); ++i) {
      writes[i].access = nest.accesses[readArgs.size() + i];
      writeAttrs.push_back(tile::WriteAttr::get(ctx, writes[i]));
    }
    auto kernel = tile::KernelOp::create(
        b, op.getLoc(), tile::ExtentsAttr::get(ctx, ArrayRef(nest.extents)),
        b.getArrayAttr(readAttrs), b.getArrayAttr(writeAttrs));
    OpBuilder::InsertionGuard guard(b);
    Block *body = b.createBlock(&kernel.getBody());
    IRMapping mapping;
    SmallVector<Value> inSlots;
    for (const auto *args : {&readArgs, &carriedArgs})
      for (BlockArgument arg : *args)
        if (arg)
          mapping.map(arg, body->addArgument(arg.getType(), arg.getLoc()));
        else
          inSlots.push_back(body->addArgument(b.getI64Type(), op.getLoc()));
    readSlot = [&](uint32_t slot) {
      return inSlots[llvm::find(slots, slot) - slots.begin()];
    };
    for (auto [arg, value] : captured)
      mapping.map(arg, cloneOuter(value, mapping));
    for (Operation &inner : op.getBody()->without_terminator())
      if (failed(cloneInner(inner, mapping)))
        return failure();
    SmallVector<Value> yields;
    for (const Outcome &outcome : outcomes) {
      if (!mapping.contains(outcome.yielded))
        mapping.map(outcome.yielded, cloneOuter(outcome.yielded, mapping));
      yields.push_back(mapping.lookup(outcome.yielded));
    }
    tile::YieldOp::create(b, op.getBody()->getTerminator()->getLoc(), yields);
    dropClamps(*body);
    return success();
  }

  /// The body's own copy of a constant or scalar from outside; other values as
  /// they are (the isolation of the kernel reports them).
  Value cloneOuter(Value value, IRMapping &mapping) {
    Operation *source = value.getDefiningOp();
    Value copy;
    if (source && source->hasTrait<OpTrait::ConstantLike>()) {
      copy = b.clone(*source)->getResult(0);
      copy.setLoc(op.getLoc());
    } else if (auto form = context.scalars.formOf(value)) {
      copy =
          Scalars::evaluate(b, op.getLoc(), *form, value.getType(), readSlot);
    } else {
      return value;
    }
    mapping.map(value, copy);
    return copy;
  }

  LogicalResult cloneInner(Operation &inner, IRMapping &mapping) {
    for (const Outcome &outcome : outcomes)
      if (outcome.combiner == &inner)
        return success();
    if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
      int dim = nest.dims[index.getDim()];
      Value value =
          dim < 0
              ? Value(arith::ConstantIndexOp::create(b, inner.getLoc(), 0))
              : Value(tile::IndexOp::create(b, inner.getLoc(), b.getIndexType(),
                                            b.getI64IntegerAttr(dim)));
      mapping.map(index.getResult(), value);
      return success();
    }
    for (Value operand : inner.getOperands())
      if (operand.getParentBlock() != op.getBody() &&
          !mapping.contains(operand) &&
          !llvm::isa<MemRefType>(operand.getType()))
        cloneOuter(operand, mapping);
    if (auto load = dyn_cast<memref::LoadOp>(inner))
      return cloneLoad(load, mapping);
    b.clone(inner, mapping);
    return success();
  }

  LogicalResult cloneLoad(memref::LoadOp load, IRMapping &mapping) {
    FailureOr<Place> place = context.scalars.place(load.getMemRef(), load);
    if (failed(place))
      return failure();
    isa::Table table;
    table.access = place->access;
    for (const isa::Extent &extent : place->shape)
      table.sizes.push_back(extent.max);
    SmallVector<Value> indices;
    for (Value index : load.getIndices())
      indices.push_back(mapping.lookup(index));
    Value loaded = tile::LoadOp::create(
        b, load.getLoc(), load.getType(),
        tile::TableAttr::get(op.getContext(), table), indices);
    mapping.map(load.getResult(), loaded);
    return success();
  }

  linalg::GenericOp op;
  OpBuilder &b;
  const UnitContext &context;
  Nest nest;
  SmallVector<BlockArgument> readArgs, carriedArgs;
  SmallVector<std::pair<BlockArgument, Value>> captured;
  SmallVector<Outcome> outcomes;
  std::vector<isa::Write> writes;
  /// Slots that the body reads, and its arguments for them.
  SmallVector<uint32_t> slots;
  std::function<Value(uint32_t)> readSlot;
};

//===----------------------------------------------------------------------===//
// Contractions
//===----------------------------------------------------------------------===//

/// A factor of a product: the operand it is, and whether its integers are
/// unsigned.
struct Factor {
  OpOperand *operand;
  bool isUnsigned;
};

std::optional<Factor> factorOf(linalg::GenericOp op, Value v) {
  bool isUnsigned = false;
  if (Operation *def = v.getDefiningOp()) {
    if (!llvm::isa<arith::ExtSIOp, arith::ExtUIOp>(def))
      return std::nullopt;
    isUnsigned = llvm::isa<arith::ExtUIOp>(def);
    v = def->getOperand(0);
  }
  auto arg = dyn_cast<BlockArgument>(v);
  if (!arg || arg.getArgNumber() >= op.getNumDpsInputs())
    return std::nullopt;
  return Factor{op.getDpsInputOperand(arg.getArgNumber()), isUnsigned};
}

/// Tries out (+)= Σ a·b in f32 or i32. False where `op` is something else.
FailureOr<bool> convertContraction(linalg::GenericOp op, OpBuilder &b,
                                   const UnitContext &context,
                                   ArrayRef<isa::Extent> ranges) {
  if (op.getNumDpsInits() != 1 || op.getNumReductionLoops() == 0)
    return false;
  Outcome outcome = outcomeOf(op, 0);
  Type element = getElementTypeOrSelf(op.getDpsInits()[0].getType());
  if (outcome.kind != isa::WriteKind::Add ||
      (!element.isF32() && !element.isInteger(32)))
    return false;
  Operation *product = outcome.yielded.getDefiningOp();
  if (!product || !llvm::isa<arith::MulFOp, arith::MulIOp>(product))
    return false;
  auto lhs = factorOf(op, product->getOperand(0));
  auto rhs = factorOf(op, product->getOperand(1));
  if (!lhs || !rhs || lhs->operand == rhs->operand)
    return false;
  // Integers must be bytes.
  for (const Factor *factor : {&*lhs, &*rhs}) {
    Type from = getElementTypeOrSelf(factor->operand->get().getType());
    if (element.isInteger() ? !from.isInteger(8) : from != element)
      return false;
  }
  TypedAttr init = initOf(op, 0);
  if (init && bitsOf(init) != 0)
    return false;

  // Which dims each side has decides what they are.
  enum Role { Batch, Rows, Columns, Inner, NumRoles };
  AffineMap lhsMap = op.getMatchingIndexingMap(lhs->operand);
  AffineMap rhsMap = op.getMatchingIndexingMap(rhs->operand);
  Nest nest(ranges);
  int64_t sizes[NumRoles] = {1, 1, 1, 1};
  for (auto [dim, iterator] : llvm::enumerate(op.getIteratorTypesArray())) {
    bool inLhs = lhsMap.isFunctionOfDim(dim);
    bool inRhs = rhsMap.isFunctionOfDim(dim);
    Role role = iterator == utils::IteratorType::reduction ? Inner
                : inLhs == inRhs                           ? Batch
                : inLhs                                    ? Rows
                                                           : Columns;
    nest.groups[dim] = role;
    sizes[role] *= ranges[dim].max;
  }
  // Without columns nothing of lhs is used twice: that is a kernel.
  if (sizes[Columns] == 1 && sizes[Rows] == 1)
    return false;
  if (sizes[Inner] == 1 || (sizes[Columns] == 1 && sizes[Batch] > 1))
    return false;

  for (const Factor *factor : {&*lhs, &*rhs}) {
    FailureOr<Place> place = context.scalars.place(factor->operand->get(), op);
    if (failed(place))
      return failure();
    auto access = through(*place, op.getMatchingIndexingMap(factor->operand));
    if (failed(access))
      return false;
    if (factor->isUnsigned)
      access->type = unsignedOf(access->type);
    nest.accesses.push_back(*access);
  }
  FailureOr<Place> place = context.scalars.place(op.getDpsInits()[0], op);
  if (failed(place))
    return failure();
  auto output =
      through(*place, op.getMatchingIndexingMap(op.getDpsInitOperand(0)));
  if (failed(output))
    return false;
  nest.accesses.push_back(*output);

  // Bring the dims into the instruction's order, then shorten.
  SmallVector<unsigned> order;
  for (int role = 0; role < NumRoles; ++role)
    for (unsigned dim = 0; dim < ranges.size(); ++dim)
      if (nest.groups[dim] == role)
        order.push_back(dim);
  Nest sorted(
      llvm::map_to_vector(order, [&](unsigned d) { return ranges[d]; }));
  for (auto [i, dim] : llvm::enumerate(order))
    sorted.groups[i] = nest.groups[dim];
  for (const isa::Access &access : nest.accesses) {
    sorted.accesses.push_back(access);
    for (auto [i, dim] : llvm::enumerate(order))
      sorted.accesses.back().strides[i] = access.strides[dim];
  }
  sorted.shorten();
  if (sorted.extents.size() > isa::kMaxDims)
    return false;

  MLIRContext *ctx = op.getContext();
  SmallVector<isa::Extent> extents[NumRoles];
  for (auto [extent, group] : llvm::zip_equal(sorted.extents, sorted.groups))
    extents[group].push_back(extent);
  auto accessAttr = [&](unsigned i) {
    return tile::AccessAttr::get(ctx, sorted.accesses[i]);
  };
  auto extentsAttr = [&](Role role) {
    return tile::ExtentsAttr::get(ctx, ArrayRef(extents[role]));
  };
  tile::ContractOp::create(b, op.getLoc(), extentsAttr(Batch),
                           extentsAttr(Rows), extentsAttr(Columns),
                           extentsAttr(Inner), accessAttr(0), accessAttr(1),
                           accessAttr(2), init ? UnitAttr() : b.getUnitAttr());
  return true;
}

} // namespace

LogicalResult mho::convertGeneric(linalg::GenericOp op, OpBuilder &b,
                                  const UnitContext &context) {
  auto extents = loopExtents(op, context);
  if (failed(extents))
    return failure();
  FailureOr<bool> done = convertContraction(op, b, context, *extents);
  if (failed(done))
    return failure();
  return *done ? success() : KernelBuilder(op, b, context, *extents).run();
}

LogicalResult mho::convertFill(linalg::FillOp op, OpBuilder &b,
                               const UnitContext &context) {
  FailureOr<Place> place = context.scalars.place(op.getOutputs()[0], op);
  if (failed(place))
    return failure();
  Value value = op.getInputs()[0];
  auto form = context.scalars.formOf(value);
  TypedAttr constant;
  matchPattern(value, m_Constant(&constant));
  if (!constant && !form)
    return op.emitOpError("fills with a value that is in no slot");
  Nest nest(place->shape);
  nest.accesses.push_back(place->access);
  nest.shorten();
  isa::Write write;
  write.access = nest.accesses[0];
  MLIRContext *ctx = op.getContext();
  SmallVector<Attribute> reads;
  if (!constant)
    for (const isa::SlotTerm &term : form->terms) {
      isa::Access access = Scalars::slotAccess(term.slot);
      access.strides.assign(nest.extents.size(), 0);
      reads.push_back(tile::AccessAttr::get(ctx, access));
    }
  auto kernel = tile::KernelOp::create(
      b, op.getLoc(), tile::ExtentsAttr::get(ctx, ArrayRef(nest.extents)),
      b.getArrayAttr(reads), b.getArrayAttr(tile::WriteAttr::get(ctx, write)));
  OpBuilder::InsertionGuard guard(b);
  Block *body = b.createBlock(&kernel.getBody());
  Value scalar;
  if (constant)
    scalar = arith::ConstantOp::create(b, op.getLoc(), constant);
  else
    scalar = Scalars::evaluate(
        b, op.getLoc(), *form, value.getType(), [&](uint32_t) {
          return body->addArgument(b.getI64Type(), op.getLoc());
        });
  tile::YieldOp::create(b, op.getLoc(), scalar);
  return success();
}
