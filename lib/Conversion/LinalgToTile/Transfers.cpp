//===- Transfers.cpp - copies, channels and array products ----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Instructions.h"

using namespace mlir;
using namespace mho;

/// The nest over one or more buffers of the same extents.
static FailureOr<Nest> nestOver(ValueRange buffers, Operation *op,
                                const UnitContext &context) {
  std::optional<Nest> nest;
  for (Value buffer : buffers) {
    FailureOr<Place> place = context.scalars.place(buffer, op);
    if (failed(place))
      return failure();
    if (!nest)
      nest.emplace(place->shape);
    nest->accesses.push_back(place->access);
  }
  nest->shorten();
  if (nest->extents.size() > isa::kMaxDims)
    return op->emitOpError("moves ")
           << nest->extents.size() << " dimensions that do not merge; an "
           << "instruction has at most " << isa::kMaxDims;
  return *nest;
}

LogicalResult mho::convertCopy(memref::CopyOp op, OpBuilder &b,
                               const UnitContext &context) {
  FailureOr<Nest> nest =
      nestOver({op.getSource(), op.getTarget()}, op, context);
  if (failed(nest))
    return failure();
  if (nest->accesses[0] == nest->accesses[1])
    return success();
  MLIRContext *ctx = op.getContext();
  tile::CopyOp::create(b, op.getLoc(),
                       tile::ExtentsAttr::get(ctx, ArrayRef(nest->extents)),
                       tile::AccessAttr::get(ctx, nest->accesses[0]),
                       tile::AccessAttr::get(ctx, nest->accesses[1]));
  return success();
}

LogicalResult mho::convertSend(analog::SendOp op, OpBuilder &b,
                               const UnitContext &context) {
  FailureOr<Nest> nest = nestOver(op.getX(), op, context);
  if (failed(nest))
    return failure();
  MLIRContext *ctx = op.getContext();
  tile::SendOp::create(b, op.getLoc(), b.getI32IntegerAttr(op.getChannel()),
                       tile::ExtentsAttr::get(ctx, ArrayRef(nest->extents)),
                       tile::AccessAttr::get(ctx, nest->accesses[0]));
  return success();
}

LogicalResult mho::convertRecv(analog::RecvOp op, OpBuilder &b,
                               const UnitContext &context) {
  FailureOr<Nest> nest = nestOver(op.getOut(), op, context);
  if (failed(nest))
    return failure();
  MLIRContext *ctx = op.getContext();
  tile::RecvOp::create(b, op.getLoc(), b.getI32IntegerAttr(op.getChannel()),
                       tile::ExtentsAttr::get(ctx, ArrayRef(nest->extents)),
                       tile::AccessAttr::get(ctx, nest->accesses[0]));
  return success();
}

//===----------------------------------------------------------------------===//
// Array products
//===----------------------------------------------------------------------===//

namespace {

/// The loop dims of an mvm: how its vectors are counted and gathered.
struct Gathering {
  /// Dims of counts, then dims of inner; accesses: input, output (whose
  /// strides along inner dims are 0).
  Nest nest;
  int64_t columnStride;
};

enum Group { Counts, Inner };

FailureOr<Gathering> gather(analog::MvmOp op, const UnitContext &context) {
  FailureOr<Place> x = context.scalars.place(op.getX(), op);
  FailureOr<Place> y = context.scalars.place(op.getOut(), op);
  if (failed(x) || failed(y))
    return failure();
  if (x->access.type != isa::Type::F32 || y->access.type != isa::Type::F32)
    return op.emitOpError("arrays take and give f32, not ")
           << op.getX().getType() << " and " << op.getOut().getType();

  SmallVector<isa::Extent> extents(y->shape.begin(), y->shape.end() - 1);
  size_t counts = extents.size();
  isa::Access input = x->access, output = y->access;
  int64_t columnStride = output.strides.back();
  output.strides.pop_back();
  const auto &xStrides = x->access.strides;
  if (auto window = op.getWindow()) {
    size_t spatial = window->getKernel().size();
    for (int64_t extent : window->getKernel())
      extents.push_back({extent, isa::kNoSlot});
    extents.push_back(x->shape.back());
    input.strides.assign(extents.size(), 0);
    input.strides[0] = xStrides[0];
    input.strides.back() = xStrides.back();
    for (size_t i = 0; i < spatial; ++i) {
      int64_t stride = window->getStrides()[i];
      int64_t dilation = window->getDilations()[i];
      int64_t low = window->getPads()[i];
      int64_t along = xStrides[i + 1], size = x->shape[i + 1].max;
      // Where an extent of run time ends, no address tells: its border is a
      // part of the image then.
      if (x->shape[i + 1].slot != isa::kNoSlot &&
          (low > 0 || window->getPads()[spatial + i] > 0))
        return op.emitOpError("pads an axis whose extent is known only at run "
                              "time; a graph.pad in front of it does");
      input.strides[i + 1] = along * stride;
      input.strides[counts + i] = along * dilation;
      input.offset -= low * along * int64_t(sizeof(float));
      int64_t last = (extents[i + 1].max - 1) * stride +
                     (extents[counts + i].max - 1) * dilation - low;
      if (low <= 0 && last < size)
        continue;
      isa::ValidRange range;
      range.offset = -low;
      range.size = size;
      range.coefficients.assign(extents.size(), 0);
      range.coefficients[i + 1] = stride;
      range.coefficients[counts + i] = dilation;
      input.valid.push_back(range);
    }
  } else {
    extents.push_back(x->shape.back());
  }
  output.strides.resize(extents.size(), 0);
  Gathering gathering{Nest(extents), columnStride};
  for (size_t i = counts; i < extents.size(); ++i)
    gathering.nest.groups[i] = Inner;
  gathering.nest.accesses = {input, output};
  gathering.nest.shorten();
  return gathering;
}

} // namespace

LogicalResult mho::convertMvm(analog::MvmOp op, OpBuilder &b,
                              const UnitContext &context) {
  analog::BankOp bank = context.banks.lookup(op.getBankAttr().getAttr());
  if (!bank)
    return op.emitOpError("bank ") << op.getBankAttr() << " is not declared";
  FailureOr<Gathering> gathering = gather(op, context);
  if (failed(gathering))
    return failure();
  const Nest &nest = gathering->nest;
  if (nest.extents.size() > isa::kMaxDims)
    return op.emitOpError("gathers its vectors along ")
           << nest.extents.size() << " dimensions; an instruction has at most "
           << isa::kMaxDims;
  SmallVector<isa::Extent> counts, inner;
  for (auto [extent, group] : llvm::zip_equal(nest.extents, nest.groups))
    (group == Counts ? counts : inner).push_back(extent);

  MLIRContext *ctx = op.getContext();
  ArrayRef<int64_t> rows = bank.getRowSplits(), cols = bank.getColSplits();
  int64_t columnBlocks = cols.size() - 1;
  int64_t rowBegin = op.getRowBegin(), colBegin = op.getColBegin();
  for (int64_t c = colBegin; c < int64_t(op.getColEnd()); ++c)
    for (int64_t r = rowBegin; r < int64_t(op.getRowEnd()); ++r) {
      int64_t block = r * columnBlocks + c;
      if (bank.getPlaces()[3 * block] != context.unit)
        return op.emitOpError("block ")
               << block << " of bank " << op.getBankAttr() << " lies on unit "
               << bank.getPlaces()[3 * block] << ", not on unit "
               << context.unit;
      isa::Access output = nest.accesses[1];
      output.strides.resize(counts.size());
      output.strides.push_back(gathering->columnStride);
      output.offset += (cols[c] - cols[colBegin]) * gathering->columnStride *
                       int64_t(sizeof(float));
      // Without a window x begins at the op's own first row.
      int64_t firstRow = op.getWindow() ? rows[r] : rows[r] - rows[rowBegin];
      bool accumulates = op.getAccumulate() || r > rowBegin;
      bool shifts = op.getShift() && r == rowBegin;
      tile::MvmOp::create(b, op.getLoc(),
                          b.getI32IntegerAttr(bank.getPlaces()[3 * block + 1]),
                          tile::ExtentsAttr::get(ctx, ArrayRef(counts)),
                          tile::ExtentsAttr::get(ctx, ArrayRef(inner)),
                          b.getI64IntegerAttr(firstRow),
                          tile::AccessAttr::get(ctx, nest.accesses[0]),
                          tile::AccessAttr::get(ctx, output),
                          accumulates ? b.getUnitAttr() : UnitAttr(),
                          shifts ? b.getUnitAttr() : UnitAttr());
    }
  return success();
}
