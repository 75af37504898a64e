//===- AnalogOps.cpp - verifiers and effects of analog ops ----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Analog/IR/AnalogOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mho::analog;

#include "mho/Dialect/Analog/IR/AnalogDialect.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "mho/Dialect/Analog/IR/AnalogAttrs.cpp.inc"

#define GET_OP_CLASSES
#include "mho/Dialect/Analog/IR/AnalogOps.cpp.inc"

void AnalogDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "mho/Dialect/Analog/IR/AnalogAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "mho/Dialect/Analog/IR/AnalogOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

static int64_t extentOver(ArrayRef<int64_t> axes, ArrayRef<int64_t> sizes) {
  int64_t extent = 1;
  for (int64_t axis : axes)
    extent *= sizes[axis];
  return extent;
}

int64_t ViewAttr::getNumRows() const {
  return extentOver(getRows(), getSizes());
}

int64_t ViewAttr::getNumColumns() const {
  return extentOver(getColumns(), getSizes());
}

int64_t ViewAttr::getColumnGroup() const {
  return getColumns().size() > 1 ? getSizes()[getColumns().back()] : 1;
}

/// Whether `view` names every axis of `type` once and stays inside it.
static LogicalResult verifyView(Operation *op, ViewAttr view, ShapedType type) {
  int64_t rank = type.getRank();
  if (int64_t(view.getRows().size() + view.getColumns().size()) != rank ||
      int64_t(view.getOffsets().size()) != rank ||
      int64_t(view.getSizes().size()) != rank)
    return op->emitOpError("view must name each of the ")
           << rank << " axes of " << type << " once";
  SmallVector<bool> seen(rank, false);
  for (int64_t axis :
       llvm::concat<const int64_t>(view.getRows(), view.getColumns())) {
    if (axis < 0 || axis >= rank || seen[axis])
      return op->emitOpError("view names axis ")
             << axis << " of " << type << " twice or out of range";
    seen[axis] = true;
  }
  for (int64_t axis = 0; axis < rank; ++axis)
    if (view.getOffsets()[axis] < 0 || view.getSizes()[axis] < 1 ||
        view.getOffsets()[axis] + view.getSizes()[axis] > type.getDimSize(axis))
      return op->emitOpError("view reaches outside axis ")
             << axis << " of " << type;
  if (view.getOrder().empty())
    return success();
  SmallVector<int64_t> positions(view.getOrder());
  llvm::sort(positions);
  if (view.getColumns().empty() ||
      !llvm::equal(
          positions,
          llvm::seq<int64_t>(0, view.getSizes()[view.getColumns().back()])))
    return op->emitOpError("order of view must name each position of the last "
                           "column axis once");
  return success();
}

//===----------------------------------------------------------------------===//
// MatmulOp
//===----------------------------------------------------------------------===//

/// Output extents of a window over an N, spatial…, C image.
static LogicalResult verifyWindow(Operation *op, WindowAttr window,
                                  ShapedType x, ShapedType y) {
  size_t spatial = window.getKernel().size();
  if (window.getStrides().size() != spatial ||
      window.getDilations().size() != spatial ||
      window.getPads().size() != 2 * spatial)
    return op->emitOpError("window needs one stride and dilation and two pads "
                           "per kernel axis");
  if (x.getRank() != int64_t(spatial) + 2 || y.getRank() != x.getRank())
    return op->emitOpError("expected images of rank ")
           << spatial + 2 << ", found " << x << " and " << y;
  for (size_t i = 0; i < spatial; ++i) {
    if (x.isDynamicDim(i + 1) || y.isDynamicDim(i + 1))
      continue;
    int64_t reach = (window.getKernel()[i] - 1) * window.getDilations()[i] + 1;
    int64_t padded = x.getDimSize(i + 1) + window.getPads()[i] +
                     window.getPads()[spatial + i];
    int64_t want = (padded - reach) / window.getStrides()[i] + 1;
    if (y.getDimSize(i + 1) != want)
      return op->emitOpError("window gives extent ")
             << want << " on axis " << i + 1 << ", the result has "
             << y.getDimSize(i + 1);
  }
  return success();
}

LogicalResult MatmulOp::verify() {
  auto x = cast<RankedTensorType>(getX().getType());
  auto w = cast<RankedTensorType>(getW().getType());
  auto y = cast<RankedTensorType>(getY().getType());
  if (failed(verifyView(*this, getView(), w)))
    return failure();
  int64_t rows = getView().getNumRows(), columns = getView().getNumColumns();
  if (y.getRank() < 1 || y.getShape().back() != columns)
    return emitOpError("expected ")
           << columns << " columns in the result, found " << y;
  if (auto window = getWindow()) {
    if (failed(verifyWindow(*this, *window, x, y)))
      return failure();
    int64_t patch = x.getShape().back();
    for (int64_t extent : window->getKernel())
      patch *= extent;
    if (patch != rows)
      return emitOpError("a patch of ")
             << patch << " elements meets a matrix of " << rows << " rows";
  } else if (x.getRank() < 1 || x.getShape().back() != rows ||
             x.getShape().drop_back() != y.getShape().drop_back()) {
    return emitOpError("expected vectors of ")
           << rows << " elements and as many results, found " << x << " and "
           << y;
  }
  for (Value affine : {getScale(), getShift()})
    if (affine &&
        cast<RankedTensorType>(affine.getType()).getNumElements() != columns)
      return emitOpError("scale and shift need one element per column");
  return success();
}

void MatmulOp::getAsmResultNames(OpAsmSetValueNameFn setName) {
  setName(getY(), getSym());
}

//===----------------------------------------------------------------------===//
// BankOp
//===----------------------------------------------------------------------===//

static LogicalResult verifySplits(Operation *op, ArrayRef<int64_t> splits,
                                  int64_t extent, StringRef what) {
  if (splits.size() < 2 || splits.front() != 0 || splits.back() != extent ||
      !llvm::is_sorted(splits) ||
      std::adjacent_find(splits.begin(), splits.end()) != splits.end())
    return op->emitOpError() << what << " must rise from 0 to " << extent;
  return success();
}

LogicalResult BankOp::verify() {
  auto weights = cast<ShapedType>(getWeights().getType());
  if (failed(verifyView(*this, getView(), weights)) ||
      failed(verifySplits(*this, getRowSplits(), getView().getNumRows(),
                          "row_splits")) ||
      failed(verifySplits(*this, getColSplits(), getView().getNumColumns(),
                          "col_splits")))
    return failure();
  size_t blocks = (getRowSplits().size() - 1) * (getColSplits().size() - 1);
  if (getPlaces().size() != 3 * blocks)
    return emitOpError("expected three place numbers for each of the ")
           << blocks << " blocks, found " << getPlaces().size();
  if (auto ranges = getAdcRanges())
    if (ranges->size() != blocks &&
        ranges->size() !=
            (getRowSplits().size() - 1) * size_t(getView().getNumColumns()))
      return emitOpError("expected one ADC range per block, or per row block "
                         "and column, found ")
             << ranges->size();
  return success();
}

//===----------------------------------------------------------------------===//
// MvmOp
//===----------------------------------------------------------------------===//

LogicalResult MvmOp::verify() {
  if (getRowBegin() >= getRowEnd() || getColBegin() >= getColEnd())
    return emitOpError("block ranges must not be empty");
  if (isa<TensorType>(getOut().getType()) != (getResults().size() == 1))
    return emitOpError("has one result on tensors and none on buffers");
  return success();
}

LogicalResult MvmOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto bank = symbols.lookupNearestSymbolFrom<BankOp>(*this, getBankAttr());
  if (!bank)
    return emitOpError("bank ") << getBankAttr() << " is not declared";
  auto rowSplits = bank.getRowSplits();
  auto colSplits = bank.getColSplits();
  if (getRowEnd() >= rowSplits.size() || getColEnd() >= colSplits.size())
    return emitOpError("reaches outside the blocks of ") << getBankAttr();
  auto x = cast<ShapedType>(getX().getType());
  auto out = cast<ShapedType>(getOut().getType());
  int64_t columns = colSplits[getColEnd()] - colSplits[getColBegin()];
  if (out.getShape().back() != columns)
    return emitOpError("expected ")
           << columns << " columns in the result, found " << out;
  if (auto window = getWindow())
    return isa<TensorType>(x) ? verifyWindow(*this, *window, x, out)
                              : success();
  int64_t rows = rowSplits[getRowEnd()] - rowSplits[getRowBegin()];
  if (x.getShape().back() != rows)
    return emitOpError("expected vectors of ")
           << rows << " elements, found " << x;
  return success();
}

void MvmOp::getAsmResultNames(OpAsmSetValueNameFn setName) {
  for (Value result : getResults())
    setName(result, (getBank() + "_mvm").str());
}

void MvmOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  if (isa<TensorType>(getOut().getType()))
    return;
  effects.emplace_back(MemoryEffects::Read::get(), getBankAttr());
  effects.emplace_back(MemoryEffects::Read::get(), &getXMutable());
  if (getAccumulate())
    effects.emplace_back(MemoryEffects::Read::get(), &getOutMutable());
  effects.emplace_back(MemoryEffects::Write::get(), &getOutMutable());
}

//===----------------------------------------------------------------------===//
// SendOp and RecvOp
//===----------------------------------------------------------------------===//

// Channels are state outside the IR: a write keeps both ops alive, in order,
// and unmerged.
void SendOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  effects.emplace_back(MemoryEffects::Write::get());
  if (!isa<TensorType>(getX().getType()))
    effects.emplace_back(MemoryEffects::Read::get(), &getXMutable());
}

void RecvOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  effects.emplace_back(MemoryEffects::Write::get());
  if (!isa<TensorType>(getOut().getType()))
    effects.emplace_back(MemoryEffects::Write::get(), &getOutMutable());
}
