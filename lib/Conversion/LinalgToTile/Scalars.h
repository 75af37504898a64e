//===- Scalars.h - a unit's run-time scalars and their slots ----*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Loop indices, trip counts, conditions and computed offsets live in slots.
// What is linear in slots needs no instruction: it goes into addresses. Other
// arithmetic becomes a kernel without dimensions that writes one more slot.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_CONVERSION_LINALGTOTILE_SCALARS_H
#define MHO_LIB_CONVERSION_LINALGTOTILE_SCALARS_H

#include "Nest.h"

#include "mho/Dialect/Graph/IR/GraphOps.h"

#include "mlir/Analysis/DataFlowFramework.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Builders.h"

namespace mho {

/// Every value that a scalar may take.
struct Interval {
  int64_t low, high;
  bool within(int64_t least, int64_t most) const {
    return low >= least && high <= most;
  }
};

/// Whether `op` only computes scalars from scalars.
bool isScalarArithmetic(mlir::Operation *op);
bool isScalar(mlir::Type type);

class Scalars {
public:
  /// Kernels for scalars go where `b` stands.
  Scalars(mlir::func::FuncOp func, mlir::OpBuilder &b, const Places &places);
  ~Scalars();

  /// Tells where all values lie; before anything else.
  mlir::LogicalResult analyse();

  //===--- definitions, in the order of the program ---===//

  /// Arithmetic. A kernel only where a use needs the value in a slot.
  mlir::LogicalResult define(mlir::Operation *arithmetic);
  mlir::LogicalResult define(mlir::memref::LoadOp load);
  /// Puts the scalar into a slot of that range, unless it is known to be in it.
  mlir::LogicalResult define(graph::BoundOp bound);
  /// Proves that a view with computed offsets or extents stays in its source;
  /// one of which that is not known goes into a slot that only holds what fits.
  mlir::LogicalResult define(mlir::memref::SubViewOp view);
  mlir::LogicalResult define(mlir::memref::ExpandShapeOp view);
  void define(mlir::Value value, LinearForm form) { forms[value] = form; }
  /// Forgets what is computed in a region, which is converted again.
  void forget(mlir::Region &region);
  /// The value's own slot, with the range that the analysis gives.
  uint32_t slotOf(mlir::Value value);

  //===--- uses ---===//

  std::optional<LinearForm> formOf(mlir::Value value) const;
  /// `value` as it is in a slot, which gets it if need be.
  mlir::FailureOr<uint32_t> inSlot(mlir::Value value, mlir::Location loc);
  /// Writes values to slots, all at once: what is read is read before.
  mlir::LogicalResult assign(llvm::ArrayRef<uint32_t> slots,
                             mlir::ValueRange values, mlir::Location loc);
  mlir::LogicalResult store(mlir::memref::StoreOp op);
  /// `value` as an extent of at most `most`, in a slot even where it is fixed.
  mlir::FailureOr<isa::Extent> extentInSlot(mlir::Value value, int64_t most,
                                            mlir::Location loc);
  /// The number of trips of [lower, upper) by `step`, at most `bound`.
  mlir::FailureOr<isa::Extent> trips(mlir::Value lower, mlir::Value upper,
                                     mlir::Value step,
                                     std::optional<int64_t> bound,
                                     mlir::Location loc);

  mlir::FailureOr<Place> place(mlir::Value buffer, mlir::Operation *user) const;

  Interval rangeOf(mlir::Value value) const;
  Interval rangeOf(const LinearForm &form) const;
  uint32_t newSlot(Interval range);
  mlir::ArrayAttr slotsAttr() const;

  /// How an instruction without dimensions reaches a slot.
  static isa::Access slotAccess(uint32_t slot);
  /// `form` in a kernel's body, made of what `readSlot` gives, as `type`.
  static mlir::Value
  evaluate(mlir::OpBuilder &body, mlir::Location loc, const LinearForm &form,
           mlir::Type type, llvm::function_ref<mlir::Value(uint32_t)> readSlot);

private:
  class Kernel;

  std::optional<LinearForm> linear(mlir::Operation *op) const;
  bool needsSlot(mlir::Value value) const;
  bool isAvailable(mlir::Value value, unsigned depth) const;
  /// `value` as an extent of at most `most`.
  mlir::FailureOr<isa::Extent> extentOf(mlir::Value value, int64_t most,
                                        mlir::Location loc);
  mlir::FailureOr<LinearForm> formOrSlot(mlir::Value value, mlir::Location loc);
  /// `form`, in a slot of its own unless it is known to lie in `allowed`.
  LinearForm restricted(const LinearForm &form, Interval allowed,
                        mlir::Location loc);
  LinearForm inNewSlot(const LinearForm &form, Interval range,
                       mlir::Location loc);
  /// The place of one element.
  mlir::FailureOr<isa::Access>
  element(mlir::Value buffer, mlir::ValueRange indices, mlir::Operation *user);

  mlir::func::FuncOp func;
  mlir::OpBuilder &b;
  const Places &places;
  std::unique_ptr<mlir::DataFlowSolver> solver;
  llvm::DenseMap<mlir::Value, LinearForm> forms;
  llvm::DenseMap<mlir::Value, uint32_t> ownSlots;
  std::vector<Interval> slots;
  RuntimeViews views;
  /// Extents that are in slots: where, and their bounds.
  struct KnownExtent {
    mlir::Block *block;
    isa::Extent extent;
  };
  llvm::DenseMap<mlir::Value, llvm::SmallVector<KnownExtent, 1>> extents;
};

} // namespace mho

#endif // MHO_LIB_CONVERSION_LINALGTOTILE_SCALARS_H
