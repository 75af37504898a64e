//===- Plan.h - how a kernel is cut into blocks
//-----------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel's dimensions are merged where strides allow it and divided into
// three: the tile (rows × columns of lanes), loops around tiles over parallel
// dimensions, and inside each of those loops over reduced dimensions.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_KERNEL_PLAN_H
#define MHO_RUNTIME_KERNEL_PLAN_H

#include "Blocks.h"
#include "Kernel.h"
#include "Scalar.h"

#include <vector>

namespace mho::rt {

/// A dimension with its strides, in bytes, for all reads and then all writes,
/// and its coefficient in every valid range.
struct PlanDim {
  int64_t extent = 1;
  std::vector<int64_t> strides;
  std::vector<int64_t> coefficients;
  int index = -1;        ///< dimension that tile.index names, if it is used
  int64_t indexStep = 1; ///< what one iteration adds to its coordinate
  bool reduced = false;  ///< by the kernel's reductions and carries
  bool numbers = false;  ///< its coordinate numbers the partial results
};

/// Bytes that an access may touch, relative to its address at point 0.
struct Reach {
  int64_t low = 0, high = 0;
};

/// What becomes of a register.
struct PlanRegister {
  isa::Type type = isa::Type::F32;
  bool scalar = false; ///< one value for the whole tile
  int buffer = -1;     ///< number of its block; -1: a read that needs none
};

struct WindowPlan;

/// What a register's value depends on, if not on one loop.
inline constexpr int kVaries = -2, kFixed = -1;

struct PreparedKernel::Plan {
  Plan();
  ~Plan();

  /// Loops around tiles: parallel dimensions and pieces of the tile's own; and
  /// inside them reduced ones in lexicographic order. Pieces of the column
  /// come last in one of the two.
  std::vector<PlanDim> outer, inner;
  int rowLoop = -1;    ///< the outer loop over pieces of the row dimension
  PlanDim row, column; ///< of the tile
  /// The dimensions that the column runs through, outermost first, where its
  /// strides do not tell of all operands. What depends on it alone is hoisted.
  std::vector<PlanDim> columnDims;
  int64_t rows = 1; ///< of a full tile
  int64_t columns = 1;
  bool columnReduced = false; ///< lanes run along the numbering dimension
  int64_t partials = 1;       ///< per reduction whose order counts

  std::vector<PlanRegister> registers;
  int buffers = 0;
  size_t bufferBytes = 0;
  std::vector<size_t> accumulators; ///< offset in the scratch, per write
  size_t scratchBytes = 0;
  std::vector<int> directWrite;    ///< per op: write that it alone feeds, or -1
  std::vector<uint8_t> vectorForm; ///< per op: blocks::Table::apply knows it
  /// Index of the first valid range of each read.
  std::vector<size_t> firstRange;
  std::vector<Reach> reach;    ///< reads, writes
  std::vector<bool> injective; ///< per write
  /// Per read and write: both walk alike, so that reading and writing one
  /// place is one point's business.
  std::vector<std::vector<bool>> sameWalk;
  bool onlyMoves = false;
  /// Every op has a vector form: what it works on is where it is in all tiles,
  /// but for operands that lie in memory as lanes do, whose addresses move.
  bool inPlace = false;
  /// Of tiles in place, per read: it lies in memory as lanes do; else a block
  /// holds it, which is loaded for every tile unless all tiles share it.
  std::vector<bool> lies, repeats;
  /// Of tiles in place, per write: its op writes where it lies in memory.
  std::vector<bool> writtenInPlace;
  /// Values that depend on one loop are computed before the tiles are.
  bool hoists = false;
  std::vector<int> home; ///< per register: its outer loop, kVaries, kFixed
  std::vector<size_t> hoistedAt; ///< per register: bytes in the tables
  size_t hoistedBytes = 0;
  /// Without reductions: the outer loop over the column's pieces.
  int columnLoop() const { return int(outer.size()) - 1; }
  /// Whether the coordinate of a kernel's dimension changes along the column.
  bool columnHas(int dimension) const;
  std::unique_ptr<WindowPlan> windows; ///< null: runs in blocks
};

/// Null where blocks cannot run it: then the reference does.
std::unique_ptr<PreparedKernel::Plan>
makePlan(const isa::Kernel &kernel, std::span<const int64_t> extents);

/// Runs a plan, or the reference where there is none or accesses overlap.
Status runPlan(const isa::Kernel &kernel, const PreparedKernel::Plan *plan,
               const KernelFrame &frame, ThreadPool *pool,
               const blocks::Table &table);

} // namespace mho::rt

#endif // MHO_RUNTIME_KERNEL_PLAN_H
