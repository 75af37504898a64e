//===- Scalars.cpp - a unit's run-time scalars and their slots ------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Scalars.h"

#include "mho/Program/Loops.h"

#include "mho/Dialect/Graph/IR/RunTimeExtents.h"
#include "mlir/Analysis/DataFlow/IntegerRangeAnalysis.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace mho {

constexpr int64_t kSlotBytes = 8;

bool isScalar(Type type) { return type.isIntOrIndexOrFloat(); }

bool isScalarArithmetic(Operation *op) {
  // A bound is no computation: it says what a slot may hold. A division by zero
  // has a result here.
  return !llvm::isa<graph::BoundOp>(op) && op->getNumRegions() == 0 &&
         op->getNumResults() == 1 && op->getNumOperands() > 0 &&
         isMemoryEffectFree(op) &&
         llvm::all_of(op->getResultTypes(), isScalar) &&
         llvm::all_of(op->getOperandTypes(), isScalar);
}

//===----------------------------------------------------------------------===//
// Words
//===----------------------------------------------------------------------===//

/// A scalar as the 64 bits of a slot: integers extended, floats as bits.
static Value toWord(OpBuilder &b, Location loc, Value value) {
  Type type = value.getType(), word = b.getI64Type();
  if (type.isIndex())
    return arith::IndexCastOp::create(b, loc, word, value);
  if (llvm::isa<FloatType>(type)) {
    Type bits = b.getIntegerType(type.getIntOrFloatBitWidth());
    value = arith::BitcastOp::create(b, loc, bits, value);
    type = bits;
  }
  if (type == word)
    return value;
  if (type.isInteger(1))
    return arith::ExtUIOp::create(b, loc, word, value);
  return arith::ExtSIOp::create(b, loc, word, value);
}

static Value fromWord(OpBuilder &b, Location loc, Value value, Type type) {
  if (type.isIndex())
    return arith::IndexCastOp::create(b, loc, type, value);
  Type bits = type;
  if (llvm::isa<FloatType>(type))
    bits = b.getIntegerType(type.getIntOrFloatBitWidth());
  if (!bits.isInteger(64))
    value = arith::TruncIOp::create(b, loc, bits, value);
  if (bits != type)
    value = arith::BitcastOp::create(b, loc, type, value);
  return value;
}

isa::Access Scalars::slotAccess(uint32_t slot) {
  isa::Access access;
  access.type = isa::Type::I64;
  access.space = isa::Space::Slot;
  access.offset = slot * kSlotBytes;
  return access;
}

Value Scalars::evaluate(OpBuilder &body, Location loc, const LinearForm &form,
                        Type type,
                        llvm::function_ref<Value(uint32_t)> readSlot) {
  auto number = [&](int64_t value) {
    return arith::ConstantOp::create(body, loc, body.getI64IntegerAttr(value));
  };
  Value sum;
  for (const isa::SlotTerm &term : form.terms) {
    Value part = readSlot(term.slot);
    if (term.stride != 1)
      part = arith::MulIOp::create(body, loc, part, number(term.stride));
    sum = sum ? Value(arith::AddIOp::create(body, loc, sum, part)) : part;
  }
  if (!sum)
    sum = number(form.constant);
  else if (form.constant != 0)
    sum = arith::AddIOp::create(body, loc, sum, number(form.constant));
  return fromWord(body, loc, sum, type);
}

//===----------------------------------------------------------------------===//
// Kernels on slots
//===----------------------------------------------------------------------===//

/// A kernel without dimensions that is being built.
class Scalars::Kernel {
public:
  Kernel(Scalars &scalars, Location loc)
      : scalars(scalars), loc(loc), block(new Block), body(loc.getContext()) {
    body.setInsertionPointToEnd(block.get());
  }

  Value read(const isa::Access &access) {
    for (auto [known, argument] : llvm::zip_equal(reads, block->getArguments()))
      if (known == access)
        return argument;
    reads.push_back(access);
    return block->addArgument(
        tile::registerType(body.getContext(), access.type), loc);
  }

  Value readSlot(uint32_t slot) { return read(slotAccess(slot)); }

  Value evaluate(const LinearForm &form, Type type) {
    return Scalars::evaluate(body, loc, form, type,
                             [&](uint32_t slot) { return readSlot(slot); });
  }

  /// `value` in the body: from slots, or computed anew from what is in slots.
  FailureOr<Value> get(Value value) {
    if (Value here = mapping.lookupOrNull(value))
      return here;
    Operation *op = value.getDefiningOp();
    if (op && op->hasTrait<OpTrait::ConstantLike>())
      return keep(value, body.clone(*op)->getResult(0));
    if (auto form = scalars.formOf(value))
      return keep(value, evaluate(*form, value.getType()));
    if (!op || !isScalarArithmetic(op))
      return (op ? op->emitOpError() : emitError(loc))
             << "gives a scalar of type " << value.getType()
             << " that no slot can hold (an internal error)";
    for (Value operand : op->getOperands())
      if (failed(get(operand)))
        return failure();
    return keep(value, body.clone(*op, mapping)->getResult(0));
  }

  void know(Value value, Value here) { mapping.map(value, here); }

  void write(const isa::Access &access, Value value) {
    isa::Write write;
    write.access = access;
    writes.push_back(write);
    yields.push_back(value);
  }

  void writeSlot(uint32_t slot, Value value) {
    write(slotAccess(slot), toWord(body, loc, value));
  }

  void create(OpBuilder &b) {
    if (writes.empty())
      return;
    MLIRContext *context = b.getContext();
    SmallVector<Attribute> readAttrs, writeAttrs;
    for (const isa::Access &access : reads)
      readAttrs.push_back(tile::AccessAttr::get(context, access));
    for (const isa::Write &write : writes)
      writeAttrs.push_back(tile::WriteAttr::get(context, write));
    tile::YieldOp::create(body, loc, yields);
    auto kernel = tile::KernelOp::create(
        b, loc, tile::ExtentsAttr::get(context, ArrayRef<int64_t>()),
        b.getArrayAttr(readAttrs), b.getArrayAttr(writeAttrs));
    kernel.getBody().push_back(block.release());
  }

  OpBuilder &builder() { return body; }

private:
  Value keep(Value value, Value here) {
    mapping.map(value, here);
    return here;
  }

  Scalars &scalars;
  Location loc;
  std::unique_ptr<Block> block;
  OpBuilder body;
  IRMapping mapping;
  SmallVector<isa::Access> reads;
  SmallVector<isa::Write> writes;
  SmallVector<Value> yields;
};

//===----------------------------------------------------------------------===//
// Ranges
//===----------------------------------------------------------------------===//

Scalars::Scalars(func::FuncOp func, OpBuilder &b, const Places &places)
    : func(func), b(b), places(places) {}
Scalars::~Scalars() = default;

LogicalResult Scalars::analyse() {
  bool any =
      func.walk([](Operation *op) {
            bool decides = op->getDialect() &&
                           llvm::isa<scf::SCFDialect>(op->getDialect());
            return decides || llvm::isa<graph::ExtentOp, graph::BoundOp>(op)
                       ? WalkResult::interrupt()
                       : WalkResult::advance();
          })
          .wasInterrupted();
  if (!any)
    return success();
  solver = graph::analyseRanges(func);
  return success(solver != nullptr);
}

Interval Scalars::rangeOf(Value value) const {
  Interval any{std::numeric_limits<int64_t>::min(),
               std::numeric_limits<int64_t>::max()};
  Type type = value.getType();
  if (!type.isIntOrIndex())
    return any;
  if (auto form = formOf(value))
    return rangeOf(*form);
  unsigned width = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  if (width == 1)
    any = {0, 1};
  else if (width < 64)
    any = {-(int64_t(1) << (width - 1)), (int64_t(1) << (width - 1)) - 1};
  if (!solver || width == 1)
    return any;
  const auto *state =
      solver->lookupState<dataflow::IntegerValueRangeLattice>(value);
  if (!state || state->getValue().isUninitialized())
    return any;
  const ConstantIntRanges &range = state->getValue().getValue();
  return {range.smin().getSExtValue(), range.smax().getSExtValue()};
}

Interval Scalars::rangeOf(const LinearForm &form) const {
  __int128 low = form.constant, high = form.constant;
  for (const isa::SlotTerm &term : form.terms) {
    __int128 a = __int128(term.stride) * slots[term.slot].low;
    __int128 c = __int128(term.stride) * slots[term.slot].high;
    low += std::min(a, c);
    high += std::max(a, c);
  }
  auto narrow = [](__int128 value) {
    __int128 least = std::numeric_limits<int64_t>::min();
    __int128 most = std::numeric_limits<int64_t>::max();
    return int64_t(std::clamp(value, least, most));
  };
  return {narrow(low), narrow(high)};
}

uint32_t Scalars::newSlot(Interval range) {
  slots.push_back(range);
  return slots.size() - 1;
}

uint32_t Scalars::slotOf(Value value) {
  auto found = ownSlots.find(value);
  if (found != ownSlots.end())
    return found->second;
  uint32_t slot = newSlot(rangeOf(value));
  ownSlots[value] = slot;
  return slot;
}

ArrayAttr Scalars::slotsAttr() const {
  SmallVector<Attribute> list;
  for (const Interval &range : slots)
    list.push_back(
        tile::SlotAttr::get(b.getContext(), range.low, range.high,
                            std::clamp<int64_t>(0, range.low, range.high)));
  return b.getArrayAttr(list);
}

//===----------------------------------------------------------------------===//
// Definitions
//===----------------------------------------------------------------------===//

std::optional<LinearForm> Scalars::formOf(Value value) const {
  auto found = forms.find(value);
  if (found != forms.end())
    return found->second;
  APInt constant;
  if (value.getType().isIntOrIndex() &&
      matchPattern(value, m_ConstantInt(&constant))) {
    LinearForm form;
    form.constant = constant.getBitWidth() == 1 ? constant.getZExtValue()
                                                : constant.getSExtValue();
    return form;
  }
  return std::nullopt;
}

/// What is linear in slots. 64-bit arithmetic wraps, in slots as in the model.
std::optional<LinearForm> Scalars::linear(Operation *op) const {
  Type type = op->getResult(0).getType();
  if (!type.isIndex() && !type.isInteger(64))
    return std::nullopt;
  SmallVector<LinearForm, 2> in;
  for (Value operand : op->getOperands()) {
    auto form = formOf(operand);
    if (!form)
      return std::nullopt;
    in.push_back(*form);
  }
  LinearForm sum;
  if (llvm::isa<arith::AddIOp>(op)) {
    sum.add(in[0]);
    sum.add(in[1]);
  } else if (llvm::isa<arith::SubIOp>(op)) {
    sum.add(in[0]);
    sum.add(in[1], -1);
  } else if (llvm::isa<arith::MulIOp>(op)) {
    if (!in[0].isConstant() && !in[1].isConstant())
      return std::nullopt;
    unsigned factor = in[0].isConstant() ? 0 : 1;
    sum.add(in[1 - factor], in[factor].constant);
  } else if (op->getOperandTypes().front().isInteger(1)
                 ? llvm::isa<arith::ExtUIOp, arith::IndexCastUIOp>(op)
                 : llvm::isa<arith::IndexCastOp, arith::ExtSIOp>(op) ||
                       (llvm::isa<arith::ExtUIOp, arith::IndexCastUIOp>(op) &&
                        rangeOf(in[0]).low >= 0)) {
    sum.add(in[0]);
  } else {
    return std::nullopt;
  }
  auto small = [](int64_t value) {
    return value <= isa::kManyTrips && value >= -isa::kManyTrips;
  };
  if (!small(sum.constant) ||
      !llvm::all_of(sum.terms, [&](const isa::SlotTerm &term) {
        return small(term.stride);
      }))
    return std::nullopt;
  return sum;
}

/// Whether a kernel can compute the value from what slots hold by now.
bool Scalars::isAvailable(Value value, unsigned depth) const {
  Operation *op = value.getDefiningOp();
  if (formOf(value) || (op && op->hasTrait<OpTrait::ConstantLike>()))
    return true;
  return op && depth > 0 && isScalarArithmetic(op) &&
         llvm::all_of(op->getOperands(), [&](Value operand) {
           return isAvailable(operand, depth - 1);
         });
}

/// Whether something other than arithmetic beside it uses the value.
bool Scalars::needsSlot(Value value) const {
  return llvm::any_of(value.getUsers(), [&](Operation *user) {
    return user->getBlock() != value.getParentBlock() ||
           !isScalarArithmetic(user);
  });
}

LogicalResult Scalars::define(Operation *op) {
  Value value = op->getResult(0);
  // Already part of the kernel of what it is computed from?
  if (ownSlots.contains(value) && forms.contains(value))
    return success();
  if (auto form = linear(op)) {
    forms[value] = *form;
    return success();
  }
  forms.erase(value);
  return needsSlot(value) ? LogicalResult(inSlot(value, op->getLoc()))
                          : success();
}

LogicalResult Scalars::define(memref::LoadOp load) {
  FailureOr<isa::Access> access =
      element(load.getMemRef(), load.getIndices(), load);
  if (failed(access))
    return failure();
  // The arithmetic that alone uses it belongs to the same kernel.
  Value value = load.getResult();
  forms.erase(value);
  while (value.hasOneUse() && isScalarArithmetic(*value.user_begin()) &&
         (*value.user_begin())->getBlock() == load->getBlock()) {
    Operation *user = *value.user_begin();
    constexpr unsigned kDepth = 8;
    if (!llvm::all_of(user->getOperands(), [&](Value operand) {
          return operand == value || isAvailable(operand, kDepth);
        }))
      break;
    value = user->getResult(0);
    forms.erase(value);
  }
  // And where it only is bounded, the slot has the bound.
  uint32_t slot;
  auto bound = value.hasOneUse()
                   ? llvm::dyn_cast<graph::BoundOp>(*value.user_begin())
                   : graph::BoundOp();
  if (bound && !ownSlots.contains(value))
    slot = ownSlots[value] =
        newSlot({int64_t(bound.getLow()), int64_t(bound.getHigh())});
  else
    slot = slotOf(value);
  Kernel kernel(*this, load.getLoc());
  kernel.know(load.getResult(), kernel.read(*access));
  FailureOr<Value> result = kernel.get(value);
  if (failed(result))
    return failure();
  kernel.writeSlot(slot, *result);
  kernel.create(b);
  forms[value] = LinearForm{0, {{slot, 1}}};
  return success();
}

LogicalResult Scalars::define(graph::BoundOp op) {
  FailureOr<LinearForm> form = formOrSlot(op.getValue(), op.getLoc());
  if (failed(form))
    return failure();
  // No higher than the scalar can be.
  int64_t low = op.getLow(), high = op.getHigh();
  high = std::max(low, std::min(high, rangeOf(*form).high));
  forms[op.getBounded()] = restricted(*form, {low, high}, op.getLoc());
  return success();
}

LinearForm Scalars::restricted(const LinearForm &form, Interval allowed,
                               Location loc) {
  return rangeOf(form).within(allowed.low, allowed.high)
             ? form
             : inNewSlot(form, allowed, loc);
}

LinearForm Scalars::inNewSlot(const LinearForm &form, Interval range,
                              Location loc) {
  uint32_t slot = newSlot(range);
  Kernel kernel(*this, loc);
  kernel.writeSlot(slot, kernel.evaluate(form, b.getI64Type()));
  kernel.create(b);
  return LinearForm{0, {{slot, 1}}};
}

void Scalars::forget(Region &region) {
  region.walk([&](Operation *op) {
    for (Value result : op->getResults()) {
      forms.erase(result);
      extents.erase(result);
    }
  });
}

//===----------------------------------------------------------------------===//
// Uses
//===----------------------------------------------------------------------===//

FailureOr<uint32_t> Scalars::inSlot(Value value, Location loc) {
  if (auto form = formOf(value))
    if (form->constant == 0 && form->terms.size() == 1 &&
        form->terms.front().stride == 1)
      return form->terms.front().slot;
  uint32_t slot = slotOf(value);
  Kernel kernel(*this, loc);
  FailureOr<Value> result = kernel.get(value);
  if (failed(result))
    return failure();
  kernel.writeSlot(slot, *result);
  kernel.create(b);
  forms[value] = LinearForm{0, {{slot, 1}}};
  return slot;
}

LogicalResult Scalars::assign(ArrayRef<uint32_t> targets, ValueRange values,
                              Location loc) {
  Kernel kernel(*this, loc);
  for (auto [slot, value] : llvm::zip_equal(targets, values)) {
    auto form = formOf(value);
    if (form && form->constant == 0 && form->terms.size() == 1 &&
        form->terms.front() == isa::SlotTerm{slot, 1})
      continue;
    FailureOr<Value> result = kernel.get(value);
    if (failed(result))
      return failure();
    kernel.writeSlot(slot, *result);
  }
  kernel.create(b);
  return success();
}

FailureOr<Place> Scalars::place(Value buffer, Operation *user) const {
  return places.of(buffer, user, views);
}

FailureOr<isa::Access> Scalars::element(Value buffer, ValueRange indices,
                                        Operation *user) {
  FailureOr<Place> where = place(buffer, user);
  if (failed(where))
    return failure();
  LinearForm offset;
  for (auto [extent, stride, index] :
       llvm::zip_equal(where->shape, where->access.strides, indices)) {
    FailureOr<LinearForm> form = formOrSlot(index, user->getLoc());
    if (failed(form))
      return failure();
    offset.add(restricted(*form, {0, std::max<int64_t>(extent.max - 1, 0)},
                          user->getLoc()),
               stride);
  }
  for (const isa::SlotTerm &term : where->access.slots)
    offset.add(LinearForm{0, {term}});
  isa::Access access = where->access;
  access.strides.clear();
  access.slots.assign(offset.terms.begin(), offset.terms.end());
  access.offset += offset.constant * int64_t(isa::sizeOf(access.type));
  return access;
}

LogicalResult Scalars::store(memref::StoreOp op) {
  FailureOr<isa::Access> access = element(op.getMemRef(), op.getIndices(), op);
  if (failed(access))
    return failure();
  Kernel kernel(*this, op.getLoc());
  FailureOr<Value> value = kernel.get(op.getValue());
  if (failed(value))
    return failure();
  kernel.write(*access, *value);
  kernel.create(b);
  return success();
}

FailureOr<isa::Extent> Scalars::trips(Value lower, Value upper, Value step,
                                      std::optional<int64_t> bound,
                                      Location loc) {
  auto low = formOf(lower), high = formOf(upper), by = formOf(step);
  auto divided = [](__int128 distance, int64_t by) {
    __int128 trips = distance <= 0 ? 0 : (distance + by - 1) / by;
    return int64_t(std::min<__int128>(trips, isa::kManyTrips));
  };
  if (low && high && by && by->isConstant()) {
    LinearForm distance = *high;
    distance.add(*low, -1);
    if (distance.isConstant())
      return isa::Extent{divided(distance.constant, by->constant),
                         isa::kNoSlot};
  }
  Interval from = rangeOf(lower), to = rangeOf(upper), steps = rangeOf(step);
  int64_t most =
      divided(__int128(to.high) - from.low, std::max<int64_t>(steps.low, 1));
  if (bound)
    most = std::min(most, std::max<int64_t>(*bound, 0));
  if (by && by->isConstant() && by->constant == 1 && low && low->isConstant() &&
      low->constant == 0 && high && high->constant == 0 &&
      high->terms.size() == 1 && high->terms.front().stride == 1 &&
      slots[high->terms.front().slot].within(0, most))
    return isa::Extent{most, int32_t(high->terms.front().slot)};
  uint32_t slot = newSlot({0, most});
  Kernel kernel(*this, loc);
  FailureOr<Value> begin = kernel.get(lower), end = kernel.get(upper),
                   stride = kernel.get(step);
  if (failed(begin) || failed(end) || failed(stride))
    return failure();
  OpBuilder &body = kernel.builder();
  Value count = body.createOrFold<arith::SubIOp>(loc, *end, *begin);
  count = body.createOrFold<arith::CeilDivSIOp>(loc, count, *stride);
  Value none = arith::ConstantOp::create(
      body, loc, body.getIntegerAttr(count.getType(), 0));
  kernel.writeSlot(slot, arith::MaxSIOp::create(body, loc, count, none));
  kernel.create(b);
  return isa::Extent{most, int32_t(slot)};
}

} // namespace mho
