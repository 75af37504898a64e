//===- RunPlan.cpp - runs a kernel block by block
//---------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileRunner.h"
#include "Windows.h"

#include <mutex>

using namespace mho;
using namespace mho::rt;
using isa::WriteKind;

namespace {
struct Interval {
  const std::byte *low, *high;
  bool meets(const Interval &other) const {
    return low < other.high && other.low < high;
  }
};
} // namespace

/// Whether points depend on each other through memory: then only their order
/// tells the result. Otherwise notes which reads share memory with writes.
static bool dependsOnOrder(const isa::Kernel &kernel,
                           const PreparedKernel::Plan &plan,
                           const KernelFrame &frame, Aliases &aliases) {
  size_t reads = kernel.reads.size(), writes = kernel.writes.size();
  auto intervalOf = [&](size_t i) {
    const std::byte *base =
        i < reads ? frame.reads[i] : frame.writes[i - reads];
    return Interval{base + plan.reach[i].low, base + plan.reach[i].high};
  };
  aliases.reads.assign(reads, false);
  aliases.writes.assign(writes, false);
  for (size_t w = 0; w < writes; ++w) {
    Interval written = intervalOf(reads + w);
    for (size_t r = 0; r < reads; ++r) {
      if (!written.meets(intervalOf(r)))
        continue;
      if (frame.reads[r] != frame.writes[w] || !plan.sameWalk[r][w])
        return true;
      aliases.reads[r] = aliases.writes[w] = true;
    }
    for (size_t other = 0; other < w; ++other)
      if (written.meets(intervalOf(reads + other)))
        return true;
    for (size_t t = 0; t < kernel.body.tables.size(); ++t) {
      const isa::Table &table = kernel.body.tables[t];
      int64_t low = 0, high = 0, size = int64_t(isa::sizeOf(table.access.type));
      for (size_t d = 0; d < table.sizes.size(); ++d) {
        int64_t last = (table.sizes[d] - 1) * table.access.strides[d] * size;
        low += std::min<int64_t>(last, 0);
        high += std::max<int64_t>(last, 0);
      }
      if (written.meets({frame.tables[t] + low, frame.tables[t] + high + size}))
        return true;
    }
  }
  return false;
}

/// A kernel that only moves elements.
static void runMoves(const isa::Kernel &kernel, const KernelFrame &frame) {
  for (size_t w = 0; w < kernel.writes.size(); ++w) {
    const isa::Access &to = kernel.writes[w].access;
    uint32_t value = kernel.body.yields[w];
    size_t bytes = isa::sizeOf(to.type);
    std::vector<int64_t> from(frame.extents.size()), target;
    std::byte constant[sizeof(uint64_t)];
    const std::byte *source = constant;
    if (value < kernel.reads.size()) {
      source = frame.reads[value];
      for (size_t d = 0; d < frame.extents.size(); ++d)
        from[d] = kernel.reads[value].strides[d] * int64_t(bytes);
    } else {
      // Without reductions only ops follow the reads.
      const isa::MicroOp &op = kernel.body.ops[value - kernel.reads.size()];
      storeScalar(to.type, constant, fromBits(op.type, op.immediate));
    }
    for (size_t d = 0; d < frame.extents.size(); ++d)
      target.push_back(to.strides[d] * int64_t(bytes));
    moveStrided(bytes, frame.extents, source, from, frame.writes[w], target);
  }
}

Status rt::runPlan(const isa::Kernel &kernel, const PreparedKernel::Plan *plan,
                   const KernelFrame &frame, ThreadPool *pool,
                   const blocks::Table &table) {
  // Kept from kernel to kernel; runs of a thread do not nest.
  static thread_local Aliases kept;
  Aliases &aliases = kept; // of this thread, also inside workers
  if (!plan || dependsOnOrder(kernel, *plan, frame, aliases))
    return runReference(kernel, frame);
  if (plan->onlyMoves) {
    runMoves(kernel, frame);
    return success();
  }
  if (plan->windows) {
    runWindows(kernel, *plan->windows, frame, pool, table);
    return success();
  }
  size_t tiles = 1, inside = 1;
  for (const PlanDim &dim : plan->outer)
    tiles *= size_t(dim.extent);
  for (const PlanDim &dim : plan->inner)
    inside *= size_t(dim.extent);
  // Below some ten thousand operations a thread is not worth waking; nor are
  // hoisted values worth computing anew for less than four times their number.
  size_t work = size_t(plan->rows * plan->columns) * inside *
                (1 + kernel.body.ops.size());
  size_t hoisted = plan->hoists ? plan->hoistedBytes / sizeof(int64_t) : 0;
  size_t grain =
      std::max<size_t>(1, std::max<size_t>(65536, hoisted * 4) / work);
  if (!pool || pool->size() == 1 || tiles <= grain)
    return TileRunner(kernel, *plan, frame, table, aliases).run(0, tiles);

  std::mutex lock;
  Status first;
  size_t where = tiles;
  pool->parallelFor(tiles, grain, [&](size_t begin, size_t end) {
    Status status =
        TileRunner(kernel, *plan, frame, table, aliases).run(begin, end);
    if (status.ok())
      return;
    std::lock_guard<std::mutex> guard(lock);
    if (begin < where) {
      where = begin;
      first = std::move(status);
    }
  });
  return first;
}

//===----------------------------------------------------------------------===//
// PreparedKernel
//===----------------------------------------------------------------------===//

PreparedKernel::PreparedKernel() = default;
PreparedKernel::~PreparedKernel() = default;

std::unique_ptr<PreparedKernel>
PreparedKernel::prepare(const isa::Kernel &kernel) {
  std::unique_ptr<PreparedKernel> prepared(new PreparedKernel());
  prepared->kernel = &kernel;
  std::vector<int64_t> extents;
  for (const isa::Extent &extent : kernel.dims) {
    prepared->dynamic |= extent.slot != isa::kNoSlot;
    extents.push_back(extent.max);
  }
  if (!prepared->dynamic) {
    prepared->plan = makePlan(kernel, extents);
    prepared->sequential = !prepared->plan;
  }
  return prepared;
}

bool PreparedKernel::isSequential() const { return sequential; }

Status PreparedKernel::run(const KernelFrame &frame, ThreadPool *pool) const {
  if (!dynamic)
    return runPlan(*kernel, plan.get(), frame, pool, blocks::table());
  std::unique_ptr<Plan> fresh = makePlan(*kernel, frame.extents);
  return runPlan(*kernel, fresh.get(), frame, pool, blocks::table());
}
