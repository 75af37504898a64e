//===- ChooseTile.cpp - which lanes a tile has ----------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Planner.h"
#include "Windows.h"

#include <algorithm>

using namespace mho;
using namespace mho::rt;
using isa::MicroOpcode;

/// Whether a kernel with places hoists the read if lanes run along `dim`.
bool Planner::isTabled(size_t read, const PlanDim &dim) const {
  return !anyReduction && hasPlaces() && kernel.reads[read].valid.empty() &&
         std::all_of(parallel.begin(), parallel.end(), [&](const auto &other) {
           return &other == &dim || other.extent == 1 ||
                  other.strides[read] == 0;
         });
}

/// How well lanes along `dim` do: contiguous operands are used in place.
double Planner::score(const PlanDim &dim, bool numbers) const {
  double points = 0.5;
  for (size_t i = 0; i < reads + writes; ++i) {
    int64_t stride = dim.strides[i];
    bool unit = stride == int64_t(isa::sizeOf(access(i).type));
    if (i < reads)
      points += unit ? 4 : stride == 0 || isTabled(i, dim) ? 2 : 0;
    else if (!reduces(i - reads))
      points += unit ? 4 : 0;
    else
      points += numbers ? 2 : unit ? 1 : 0;
  }
  double length = double(dim.extent);
  return points * length / (length + 8);
}

/// Rows that continue or repeat the columns make a tile one block.
double Planner::rowScore(const PlanDim &dim) const {
  double points = 0.5;
  for (size_t i = 0; i < reads + writes; ++i) {
    int64_t next = plan->column.strides[i] * plan->column.extent;
    if (dim.strides[i] == next)
      points += 2;
    else if (dim.strides[i] == 0 && i < reads)
      points += 1;
  }
  double length = double(dim.extent);
  return points * length / (length + 4);
}

/// The loop over pieces of `size` of a dimension.
static PlanDim chunksOf(const PlanDim &dim, int64_t size) {
  PlanDim chunks = dim;
  chunks.extent = (dim.extent + size - 1) / size;
  chunks.indexStep = size;
  for (int64_t &stride : chunks.strides)
    stride *= size;
  for (int64_t &coefficient : chunks.coefficients)
    coefficient *= size;
  return chunks;
}

/// How many rows of a column no longer than half a block a tile takes.
int64_t Planner::rowsOfTile() const {
  int64_t rows = blocks::kLanes / plan->columns;
  size_t operands = reads + writes;
  if (plan->columnReduced) {
    // What is reduced as it lies in memory needs no block.
    constexpr int64_t most = 8192;
    bool lies = kernel.body.ops.empty() && plan->columns == plan->column.extent;
    for (size_t r = 0; r < reads && lies; ++r) {
      int64_t size = int64_t(isa::sizeOf(access(r).type));
      lies = isLaneInMemory(access(r).type) && kernel.reads[r].valid.empty() &&
             plan->column.strides[r] == size &&
             plan->row.strides[r] == plan->columns * size;
    }
    return lies ? most / plan->columns : rows;
  }
  // One row at a time, most indices are one value or the same in all tiles.
  constexpr int64_t indexRow = 16;
  if (!plan->columnDims.empty() ||
      (plan->columns >= indexRow && !anyReduction && hasPlaces()))
    return 1;
  // One value per row is one per tile of a row, with no need to repeat it.
  constexpr int64_t longRow = 48;
  for (size_t i = 0; i < operands && !anyReduction; ++i)
    if (plan->columns >= longRow && plan->column.strides[i] == 0 &&
        plan->row.strides[i] != 0)
      return 1;
  return rows;
}

bool Planner::hasPlaces() const {
  return std::any_of(kernel.body.ops.begin(), kernel.body.ops.end(),
                     [](const isa::MicroOp &op) {
                       return MicroOpcode(op.op) == MicroOpcode::TileLoad ||
                              MicroOpcode(op.op) == MicroOpcode::TileIndex;
                     });
}

/// Whether lanes may go on along `dim` at the end of the column: operands do,
/// or depend on these two alone, so that a table can hold them.
bool Planner::continuesColumn(const PlanDim &dim) const {
  const PlanDim &column = plan->column;
  for (size_t i = 0; i < reads + writes; ++i) {
    size_t ranges = i < reads ? kernel.reads[i].valid.size() : 0;
    bool goesOn = dim.strides[i] == column.strides[i] * column.extent;
    for (size_t k = 0; k < ranges; ++k) {
      size_t range = plan->firstRange[i] + k;
      goesOn &=
          dim.coefficients[range] == column.coefficients[range] * column.extent;
    }
    if (goesOn)
      continue;
    if (i >= reads || ranges > 0)
      return false;
    for (const PlanDim &other : parallel)
      if (&other != &dim && other.extent > 1 && other.strides[i] != 0)
        return false;
  }
  return true;
}

/// Short rows of gathers, resizes and pads cost more around the tile than in
/// it: the column takes in further dimensions, even where indices then do not
/// step evenly along it. The tables that hold them must be small and of use
/// many times.
void Planner::extendColumn() {
  constexpr int64_t longRow = blocks::kLanes / 2, leastUses = 8;
  constexpr size_t mostBytes = size_t(1) << 19;
  if (anyReduction || !hasPlaces())
    return;
  std::vector<PlanDim> through{plan->column};
  while (plan->column.extent < longRow) {
    auto isNext = [&](const PlanDim &dim) {
      int64_t uses = 1, lanes = dim.extent * plan->column.extent;
      for (const PlanDim &other : parallel)
        if (&other != &dim) {
          uses *= other.extent;
          lanes += other.extent;
        }
      return dim.extent > 1 && uses >= leastUses &&
             (size_t(lanes) + 8) * 8 * (reads + kernel.body.ops.size()) <=
                 mostBytes &&
             continuesColumn(dim);
    };
    auto next = std::find_if(parallel.begin(), parallel.end(), isNext);
    if (next == parallel.end())
      break;
    PlanDim &column = plan->column;
    for (size_t r = 0; r < reads; ++r)
      if (column.strides[r] == 0) // what a table holds has none; it varies
        column.strides[r] = next->strides[r];
    column.extent *= next->extent;
    column.index = -1;
    through.insert(through.begin(), *next);
    parallel.erase(next);
  }
  if (through.size() > 1)
    plan->columnDims = std::move(through);
}

void Planner::chooseTile() {
  PlanDim none;
  none.strides.assign(reads + writes, 0);
  size_t ranges = 0;
  for (const isa::Access &read : kernel.reads)
    ranges += read.valid.size();
  none.coefficients.assign(ranges, 0);
  plan->row = plan->column = none;

  int best = -1;
  double most = 0;
  for (size_t i = 0; i < parallel.size(); ++i)
    if (double s = score(parallel[i], false); s > most) {
      most = s;
      best = int(i);
    }
  // The numbering dimension is the innermost reduced one: lanes along it keep
  // the order of sums.
  bool along = anyReduction && !carries && !inner.empty() &&
               inner.back().numbers && score(inner.back(), true) > most;
  if (along) {
    plan->column = inner.back();
    plan->columnReduced = true;
    inner.pop_back();
  } else if (best >= 0) {
    plan->column = parallel[size_t(best)];
    parallel.erase(parallel.begin() + best);
    extendColumn();
  }
  plan->columns = std::min(plan->column.extent, blocks::kLanes);

  if (plan->columns <= blocks::kLanes / 2 && !parallel.empty()) {
    best = 0;
    for (size_t i = 1; i < parallel.size(); ++i)
      if (rowScore(parallel[i]) > rowScore(parallel[size_t(best)]))
        best = int(i);
    plan->row = parallel[size_t(best)];
    plan->rows = std::min(plan->row.extent, rowsOfTile());
    if (plan->rows > 1 || anyReduction)
      parallel.erase(parallel.begin() + best);
    else
      plan->row = none;
  }

  // Partial results live side by side only where lanes run across them.
  for (const PlanDim &dim : inner)
    if (dim.numbers && ordered)
      plan->partials = std::min(dim.extent, kPartials);
  if (anyReduction && !carries && !plan->columnReduced) {
    std::vector<PlanDim> loops = parallel;
    if (plan->row.extent > 1)
      loops.push_back(plan->row);
    plan->windows = planWindows(kernel, std::move(loops), plan->column, inner,
                                plan->partials);
  }
  plan->outer = parallel;
  plan->inner = inner;
  if (plan->row.extent > 1)
    plan->outer.push_back(chunksOf(plan->row, plan->rows));
  plan->rowLoop = plan->row.extent > 1 ? int(plan->outer.size()) - 1 : -1;
  std::vector<PlanDim> &around =
      plan->columnReduced ? plan->inner : plan->outer;
  around.push_back(chunksOf(plan->column, plan->columns));
}
