//===- Windows.cpp - kernels that reduce over windows -----------------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Windows.h"

#include <algorithm>

using namespace mho;
using namespace mho::rt;
using isa::MicroOpcode;
using isa::Type;
using isa::WriteKind;

/// Fewer lanes are done sooner in blocks of several rows.
static constexpr int64_t kLeastLanes = 8;
static constexpr size_t kMostTaps = 4096;

/// The one or two reads that the write reduces; false: another body.
static bool operandsOf(const isa::Kernel &kernel, WindowPlan &plan) {
  if (kernel.writes.size() != 1 || !kernel.body.tables.empty())
    return false;
  size_t reads = kernel.reads.size();
  uint32_t value = kernel.body.yields[0];
  if (kernel.body.ops.empty() && value < reads) {
    plan.x = int(value);
  } else {
    if (kernel.body.ops.size() != 1 || value != reads ||
        MicroOpcode(kernel.body.ops[0].op) != MicroOpcode::ArithMulf)
      return false;
    const auto &operands = kernel.body.ops[0].operands;
    if (operands[0] >= reads || operands[1] >= reads)
      return false;
    plan.x = int(operands[0]);
    plan.w = int(operands[1]);
  }
  for (int read : {plan.x, plan.w})
    if (read >= 0 && (kernel.reads[read].type != Type::F32 ||
                      !kernel.reads[read].valid.empty()))
      return false;
  return kernel.writes[0].access.type == Type::F32;
}

std::unique_ptr<WindowPlan> rt::planWindows(const isa::Kernel &kernel,
                                            std::vector<PlanDim> parallel,
                                            const PlanDim &lanes,
                                            const std::vector<PlanDim> &inner,
                                            int64_t partials) {
  auto plan = std::make_unique<WindowPlan>();
  if (inner.empty() || lanes.extent < kLeastLanes || !operandsOf(kernel, *plan))
    return nullptr;
  WriteKind kind = kernel.writes[0].kind;
  if (kind != WriteKind::Add && kind != WriteKind::Max &&
      kind != WriteKind::Min)
    return nullptr;
  size_t out = kernel.reads.size();
  constexpr int64_t size = sizeof(float);
  auto unit = [&](size_t operand) { return lanes.strides[operand] == size; };
  auto mayBeX = [&](int operand) {
    return unit(size_t(operand)) || lanes.strides[size_t(operand)] == 2 * size;
  };
  // A product's factors may change places: their product is the same.
  if (plan->w >= 0 && !unit(size_t(plan->x)) &&
      (unit(size_t(plan->w)) || !mayBeX(plan->x)))
    std::swap(plan->x, plan->w);
  if (!mayBeX(plan->x) || !unit(out))
    return nullptr;
  if (parallel.empty()) {
    PlanDim one;
    one.strides.assign(out + 1, 0);
    parallel.push_back(std::move(one));
  }
  plan->xLane = lanes.strides[size_t(plan->x)] / size;
  if (plan->w >= 0 && kind != WriteKind::Add)
    return nullptr;
  // The longest run of rows with one step is called for at a time.
  plan->loops = std::move(parallel);
  plan->lanes = lanes.extent;
  size_t x = size_t(plan->x), w = size_t(std::max(plan->w, 0));
  bool packs = false;
  if (plan->w >= 0 && !unit(w)) {
    plan->scalarWeights = lanes.strides[w] == 0;
    packs = !plan->scalarWeights;
    for (const PlanDim &dim : plan->loops)
      if (packs && dim.extent > 1 && dim.strides[w] != 0)
        return nullptr;
    plan->packedStride = packs ? lanes.strides[w] : 0;
  }

  if (plan->w >= 0 && !plan->scalarWeights && plan->xLane != 1)
    return nullptr;

  size_t taps = 1;
  for (const PlanDim &dim : inner) {
    if (size_t(dim.extent) > kMostTaps / taps)
      return nullptr;
    taps *= size_t(dim.extent);
  }
  struct Place {
    int64_t partial, x, w;
  };
  std::vector<Place> places;
  std::vector<int64_t> counts(inner.size());
  for (size_t tap = 0; tap < taps; ++tap) {
    Place place{0, 0, 0};
    for (size_t d = 0; d < inner.size(); ++d) {
      place.x += counts[d] * inner[d].strides[x];
      place.w += counts[d] * inner[d].strides[w];
      if (inner[d].numbers && partials > 1)
        place.partial = counts[d] % kPartials;
    }
    places.push_back(place);
    for (size_t d = inner.size(); d-- > 0;) {
      if (++counts[d] < inner[d].extent)
        break;
      counts[d] = 0;
    }
  }
  // Each partial result meets its taps in their own order.
  std::stable_sort(
      places.begin(), places.end(),
      [](const Place &a, const Place &b) { return a.partial < b.partial; });
  plan->ends.assign(size_t(partials), 0);
  for (const Place &place : places) {
    int64_t weight = place.w / size;
    if (packs) {
      weight = int64_t(plan->taps.size()) * plan->lanes;
      plan->packedFrom.push_back(place.w);
    }
    plan->taps.push_back({place.x / size, weight});
    plan->ends[size_t(place.partial)] = uint32_t(plan->taps.size());
  }
  // A partial result without taps ends where the one before does.
  for (size_t p = 1; p < plan->ends.size(); ++p)
    plan->ends[p] = std::max(plan->ends[p], plan->ends[p - 1]);
  return plan;
}

void rt::runWindows(const isa::Kernel &kernel, const WindowPlan &plan,
                    const KernelFrame &frame, ThreadPool *pool,
                    const blocks::Table &table) {
  constexpr int64_t size = sizeof(float);
  size_t x = size_t(plan.x), w = size_t(std::max(plan.w, 0));
  size_t out = kernel.reads.size();
  const std::byte *weights = plan.w < 0 ? nullptr : frame.reads[w];
  std::vector<float> packed;
  if (!plan.packedFrom.empty()) {
    packed.resize(plan.taps.size() * size_t(plan.lanes));
    for (size_t tap = 0; tap < plan.taps.size(); ++tap)
      table.load(Type::F32, packed.data() + tap * size_t(plan.lanes),
                 weights + plan.packedFrom[tap], plan.packedStride,
                 size_t(plan.lanes));
    weights = reinterpret_cast<const std::byte *>(packed.data());
  }
  const PlanDim &row = plan.loops.back();
  blocks::Window call{};
  call.kind = kernel.writes[0].kind;
  call.lanes = size_t(plan.lanes);
  call.xLane = plan.xLane;
  call.xRow = row.strides[x] / size;
  call.wRow = packed.empty() ? row.strides[w] / size : 0;
  call.outRow = row.strides[out] / size;
  call.scalarWeights = plan.scalarWeights;
  call.taps = plan.taps.data();
  call.ends = plan.ends.data();
  call.partials = plan.ends.size();
  call.init = fromBits(Type::F32, kernel.writes[0].init).f;
  call.fromMemory = kernel.writes[0].fromMemory;

  // Points [begin, end) of the loops, the rows innermost.
  auto run = [&](size_t begin, size_t end) {
    blocks::Window part = call;
    while (begin < end) {
      size_t rest = begin / size_t(row.extent);
      int64_t first = int64_t(begin % size_t(row.extent));
      int64_t rows = std::min(row.extent - first, int64_t(end - begin));
      int64_t xAt = first * row.strides[x], outAt = first * row.strides[out];
      int64_t wAt = first * call.wRow * size;
      for (size_t d = plan.loops.size() - 1; d-- > 0;) {
        const PlanDim &dim = plan.loops[d];
        int64_t at = int64_t(rest % size_t(dim.extent));
        rest /= size_t(dim.extent);
        xAt += at * dim.strides[x];
        outAt += at * dim.strides[out];
        if (packed.empty())
          wAt += at * dim.strides[w];
      }
      part.x = reinterpret_cast<const float *>(frame.reads[x] + xAt);
      part.w =
          weights ? reinterpret_cast<const float *>(weights + wAt) : nullptr;
      part.out = reinterpret_cast<float *>(frame.writes[0] + outAt);
      part.rows = rows;
      table.window(part);
      begin += size_t(rows);
    }
  };
  size_t points = 1;
  for (const PlanDim &dim : plan.loops)
    points *= size_t(dim.extent);
  size_t work = size_t(plan.lanes) * plan.taps.size();
  size_t grain = std::max<size_t>(1, (size_t(1) << 16) / work);
  if (pool && pool->size() > 1 && points > grain)
    pool->parallelFor(points, grain, run);
  else
    run(0, points);
}
