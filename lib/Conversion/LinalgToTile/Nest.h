//===- Nest.h - addresses and loop nests of instructions --------*- C++ -*-===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// From planned buffers and affine maps to flat accesses, and the shortening of
// loop nests that every instruction gets.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_CONVERSION_LINALGTOTILE_NEST_H
#define MHO_LIB_CONVERSION_LINALGTOTILE_NEST_H

#include "mho/Dialect/Tile/IR/TileOps.h"
#include "mho/Program/Isa.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/BuiltinOps.h"

namespace mho {

/// The unsigned type of an integer's width; other types as they are.
isa::Type unsignedOf(isa::Type type);

/// The bits of a number, in the low bytes.
uint64_t bitsOf(mlir::TypedAttr value);

/// A run-time number: a constant and multiples of slots.
struct LinearForm {
  int64_t constant = 0;
  llvm::SmallVector<isa::SlotTerm, 2> terms;

  bool isConstant() const { return terms.empty(); }
  void add(const LinearForm &other, int64_t factor = 1);
};

/// What of a view is computed at run time.
struct RuntimeView {
  /// Per dimension of the source; empty where all are fixed.
  llvm::SmallVector<LinearForm> offsets;
  /// Per dimension of the view; empty where all are fixed.
  llvm::SmallVector<isa::Extent> extents;
};
using RuntimeViews = llvm::DenseMap<mlir::Operation *, RuntimeView>;

/// Where a buffer lies: its access along its own axes.
struct Place {
  isa::Access access;
  llvm::SmallVector<isa::Extent> shape;
};

/// Resolves buffers after tile-plan-memory.
class Places {
public:
  explicit Places(mlir::ModuleOp module) {
    for (auto global : module.getOps<mlir::memref::GlobalOp>())
      globals[global.getSymNameAttr()] = global;
  }
  /// Failure comes after an error at `user`.
  mlir::FailureOr<Place> of(mlir::Value buffer, mlir::Operation *user,
                            const RuntimeViews &views) const;

private:
  llvm::DenseMap<mlir::StringAttr, mlir::memref::GlobalOp> globals;
};

/// A loop nest with accesses along its dims.
struct Nest {
  llvm::SmallVector<isa::Extent> extents;
  std::vector<isa::Access> accesses;
  /// Per dim: the group it belongs to; only dims of one group are merged.
  llvm::SmallVector<int> groups;
  /// Per dim: whether the body asks for its index, so that it must stay.
  llvm::SmallVector<bool> pinned;
  /// Per original dim: the dim it became, or -1 where it only is 0.
  llvm::SmallVector<int> dims;

  explicit Nest(llvm::ArrayRef<isa::Extent> extents);
  /// Drops dims of extent 1 and merges neighbours that every access walks as
  /// one.
  void shorten();
};

/// `place` read through `map`: strides along the map's dims. Failure, without
/// a message, where the map is not linear.
mlir::FailureOr<isa::Access> through(const Place &place, mlir::AffineMap map);

} // namespace mho

#endif // MHO_LIB_CONVERSION_LINALGTOTILE_NEST_H
