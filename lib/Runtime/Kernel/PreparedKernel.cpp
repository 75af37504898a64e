//===- PreparedKernel.cpp - kernels in blocks of lanes --------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Adjacent dimensions that every operand walks as one are merged; the one that
// most operands walk with stride 1 becomes the lanes of a block. Reductions
// run over lanes that are no reduced dimension (one partial row per lane), or,
// where only the reduced dimension is contiguous, along it. Kernels without a
// block form are run by their meaning.
//
//===----------------------------------------------------------------------===//

#include "Block.h"
#include "Kernel.h"
#include "Scalar.h"

#include <algorithm>
#include <cstring>

using namespace mho;
using namespace mho::rt;
using isa::WriteKind;

namespace {

/// One operand in merged dimensions; strides in elements.
struct Operand {
  isa::Type type = isa::Type::F32;
  std::vector<int64_t> strides;
  std::vector<isa::ValidRange> valid;
  float fill = 0;
};

bool reduces(WriteKind kind) {
  return kind != WriteKind::Store && kind != WriteKind::Carry;
}

/// First and last byte that an access can touch, from its offset.
std::pair<int64_t, int64_t> reachOf(const isa::Access &access,
                                    const std::vector<isa::Extent> &dims) {
  int64_t low = 0, high = 0, width = int64_t(isa::sizeOf(access.type));
  for (size_t d = 0; d < dims.size(); ++d) {
    int64_t span = access.strides[d] * (dims[d].max - 1);
    (span < 0 ? low : high) += span;
  }
  return {access.offset + low * width, access.offset + (high + 1) * width};
}

/// Whether evaluating a block before storing it could see other values than
/// point after point: a write meets another operand at other points.
bool interferes(const isa::Kernel &kernel) {
  auto meets = [&](const isa::Access &a, const isa::Access &b) {
    if (a.space != b.space || (a.offset == b.offset && a.strides == b.strides &&
                               a.type == b.type && a.slots == b.slots))
      return false;
    if (!a.slots.empty() || !b.slots.empty())
      return true;
    auto [aLow, aHigh] = reachOf(a, kernel.dims);
    auto [bLow, bHigh] = reachOf(b, kernel.dims);
    return aLow < bHigh && bLow < aHigh;
  };
  for (size_t w = 0; w < kernel.writes.size(); ++w) {
    for (const isa::Access &read : kernel.reads)
      if (meets(kernel.writes[w].access, read))
        return true;
    for (size_t v = 0; v < w; ++v)
      if (meets(kernel.writes[w].access, kernel.writes[v].access))
        return true;
  }
  return false;
}

float *alignedFloats(std::vector<float> &storage, size_t count) {
  storage.resize(count + 16);
  auto address = reinterpret_cast<uintptr_t>(storage.data());
  return storage.data() + (64 - address % 64) % 64 / sizeof(float);
}

} // namespace

struct PreparedKernel::Plan {
  std::vector<int64_t> extents; ///< merged
  std::vector<Operand> reads, writes;
  std::vector<bool> reduced; ///< per merged dimension
  bool reducing = false;
  int innermost = -1; ///< merged dimension that numbers the partials
  size_t lane = 0;    ///< dimension of a block's lanes
  bool along = false; ///< the lanes run along the reduced dimension
  size_t registers = 0;

  bool build(const isa::Kernel &kernel);
  void merge(const isa::Kernel &kernel);
  bool chooseLanes();
};

/// Drops extents of 1 and merges neighbours that all operands walk as one.
void PreparedKernel::Plan::merge(const isa::Kernel &kernel) {
  bool ordered = false;
  for (const isa::Write &write : kernel.writes)
    ordered |= reduces(write.kind) && isOrdered(write.kind, write.access.type);
  for (size_t d = 0; d < kernel.dims.size(); ++d) {
    int64_t extent = kernel.dims[d].max;
    if (extent == 1)
      continue;
    auto push = [&](const isa::Access &access, Operand &operand) {
      operand.strides.push_back(access.strides[d]);
      for (size_t i = 0; i < access.valid.size(); ++i)
        operand.valid[i].coefficients.push_back(
            access.valid[i].coefficients[d]);
    };
    bool reducedHere = false;
    for (const isa::Write &write : kernel.writes)
      reducedHere |= reduces(write.kind) && write.access.strides[d] == 0;
    for (size_t i = 0; i < reads.size(); ++i)
      push(kernel.reads[i], reads[i]);
    for (size_t i = 0; i < writes.size(); ++i)
      push(kernel.writes[i].access, writes[i]);
    extents.push_back(extent);
    reduced.push_back(reducedHere);
    size_t last = extents.size() - 1;
    if (last == 0 || reduced[last - 1] != reducedHere ||
        (reducedHere && ordered))
      continue;
    auto walksAsOne = [&](const Operand &operand) {
      if (operand.strides[last - 1] != operand.strides[last] * extent)
        return false;
      for (const isa::ValidRange &range : operand.valid)
        if (range.coefficients[last - 1] != 0 || range.coefficients[last] != 0)
          return false;
      return true;
    };
    if (!std::all_of(reads.begin(), reads.end(), walksAsOne) ||
        !std::all_of(writes.begin(), writes.end(), walksAsOne))
      continue;
    auto join = [&](Operand &operand) {
      operand.strides.erase(operand.strides.end() - 2);
      for (isa::ValidRange &range : operand.valid)
        range.coefficients.pop_back();
    };
    std::for_each(reads.begin(), reads.end(), join);
    std::for_each(writes.begin(), writes.end(), join);
    extents[last - 1] *= extent;
    extents.pop_back();
    reduced.pop_back();
  }
  if (extents.empty()) {
    extents.push_back(1);
    reduced.push_back(false);
    for (auto *operands : {&reads, &writes})
      for (Operand &operand : *operands) {
        operand.strides.push_back(0);
        for (isa::ValidRange &range : operand.valid)
          range.coefficients.push_back(0);
      }
  }
  for (size_t d = 0; d < extents.size(); ++d)
    if (reduced[d])
      innermost = int(d);
}

bool PreparedKernel::Plan::chooseLanes() {
  auto score = [&](size_t d) {
    double unit = 0;
    for (const Operand &read : reads)
      unit += read.strides[d] == 1 ? 1 : read.strides[d] == 0 ? 0.5 : 0;
    for (const Operand &write : writes)
      unit += write.strides[d] == 1 ? 1 : 0;
    // A block costs about as much to start as 32 lanes to compute.
    double fill = double(std::min<int64_t>(extents[d], kBlockLanes));
    return (unit + 0.1) * fill / (fill + 32);
  };
  double best = -1;
  for (size_t d = 0; d < extents.size(); ++d) {
    if (reduced[d] && int(d) != innermost)
      continue;
    double value = score(d);
    if (value > best) {
      best = value;
      lane = d;
    }
  }
  along = reduced[lane];
  return best >= 0;
}

bool PreparedKernel::Plan::build(const isa::Kernel &kernel) {
  for (const isa::Access &access : kernel.reads)
    reads.push_back({access.type, {}, access.valid, float(access.fill)});
  for (const isa::Write &write : kernel.writes) {
    writes.push_back({write.access.type, {}, {}, 0});
    reducing |= reduces(write.kind);
  }
  for (Operand &read : reads)
    for (isa::ValidRange &range : read.valid)
      range.coefficients.clear();
  // Reductions beside stores, or over different dimensions, are rare.
  if (reducing)
    for (const isa::Write &write : kernel.writes) {
      if (!reduces(write.kind))
        return false;
      for (size_t d = 0; d < kernel.dims.size(); ++d)
        if (kernel.dims[d].max > 1 &&
            (write.access.strides[d] == 0) !=
                (kernel.writes[0].access.strides[d] == 0))
          return false;
    }
  merge(kernel);
  registers = kernel.reads.size() + kernel.body.ops.size();
  return chooseLanes();
}

namespace {

using Plan = PreparedKernel::Plan;

/// One thread's run over a kernel.
class BlockRun {
public:
  BlockRun(const isa::Kernel &kernel, const Plan &plan,
           const KernelFrame &frame);
  void run();

private:
  int64_t linear(const std::vector<int64_t> &strides) const {
    int64_t sum = 0;
    for (size_t d = 0; d < strides.size(); ++d)
      sum += strides[d] * point[d];
    return sum;
  }
  void evaluate(size_t lanes);
  void load(size_t index, size_t lanes);
  void store(size_t w, const float *values, size_t lanes);
  void storeReduced(size_t w, size_t lanes);
  void reducePoint();
  /// Moves `point` on over the dimensions in `walk`; false after the last.
  bool advance(const std::vector<size_t> &walk);

  const isa::Kernel &kernel;
  const Plan &plan;
  const KernelFrame &frame;
  std::vector<int64_t> point;
  std::vector<size_t> outer, inner; ///< dimensions without lanes; reduced ones
  std::vector<float> storage, partialStorage;
  std::vector<float *> own, registers;
  float *partials = nullptr;
};

} // namespace

BlockRun::BlockRun(const isa::Kernel &kernel, const Plan &plan,
                   const KernelFrame &frame)
    : kernel(kernel), plan(plan), frame(frame), point(plan.extents.size(), 0) {
  for (size_t d = 0; d < plan.extents.size(); ++d)
    if (d != plan.lane)
      (plan.reduced[d] ? inner : outer).push_back(d);
  float *memory = alignedFloats(storage, plan.registers * kBlockLanes);
  for (size_t r = 0; r < plan.registers; ++r)
    own.push_back(memory + r * kBlockLanes);
  registers = own;
  size_t lanes =
      size_t(std::min<int64_t>(plan.extents[plan.lane], int64_t(kBlockLanes)));
  for (size_t i = 0; i < kernel.body.ops.size(); ++i) {
    const isa::MicroOp &op = kernel.body.ops[i];
    if (isa::MicroOpcode(op.op) == isa::MicroOpcode::ArithConstant)
      std::fill_n(own[kernel.reads.size() + i], lanes,
                  float(toDouble(op.type, fromBits(op.type, op.immediate))));
  }
  if (plan.reducing)
    partials = alignedFloats(
        partialStorage, kernel.writes.size() * size_t(kPartials) * kBlockLanes);
}

bool BlockRun::advance(const std::vector<size_t> &walk) {
  for (size_t i = walk.size(); i-- > 0;) {
    if (++point[walk[i]] < plan.extents[walk[i]])
      return true;
    point[walk[i]] = 0;
  }
  return false;
}

void BlockRun::load(size_t index, size_t lanes) {
  const Operand &read = plan.reads[index];
  int64_t stride = read.strides[plan.lane];
  size_t begin = 0, end = lanes;
  for (const isa::ValidRange &range : read.valid) {
    int64_t position = range.offset + linear(range.coefficients);
    int64_t step = range.coefficients[plan.lane];
    while (begin < end && (position + step * int64_t(begin) < 0 ||
                           position + step * int64_t(begin) >= range.size))
      ++begin;
    while (begin < end && (position + step * int64_t(end - 1) < 0 ||
                           position + step * int64_t(end - 1) >= range.size))
      --end;
  }
  const std::byte *base =
      frame.reads[index] +
      linear(read.strides) * int64_t(isa::sizeOf(read.type));
  float *to = own[index];
  if (read.type == isa::Type::F32) {
    auto *from = reinterpret_cast<const float *>(base);
    if (stride == 1 && begin == 0 && end == lanes) {
      registers[index] = const_cast<float *>(from);
      return;
    }
    if (stride == 1)
      std::memcpy(to + begin, from + begin, (end - begin) * sizeof(float));
    else if (stride == 0 && begin < end)
      std::fill(to + begin, to + end, *from);
    else
      for (size_t i = begin; i < end; ++i)
        to[i] = from[int64_t(i) * stride];
  } else {
    auto *from = reinterpret_cast<const uint8_t *>(base);
    for (size_t i = begin; i < end; ++i)
      to[i] = from[int64_t(i) * stride] ? 1.0f : 0.0f;
  }
  std::fill(to, to + begin, read.fill);
  std::fill(to + end, to + lanes, read.fill);
  registers[index] = to;
}

void BlockRun::evaluate(size_t lanes) {
  for (size_t i = 0; i < plan.reads.size(); ++i)
    load(i, lanes);
  evaluateBlock(kernel.body.ops, registers.data(), plan.reads.size(), lanes);
}

void BlockRun::store(size_t w, const float *values, size_t lanes) {
  const Operand &write = plan.writes[w];
  int64_t stride = write.strides[plan.lane];
  std::byte *base = frame.writes[w] +
                    linear(write.strides) * int64_t(isa::sizeOf(write.type));
  if (write.type != isa::Type::F32) {
    auto *to = reinterpret_cast<uint8_t *>(base);
    for (size_t i = 0; i < lanes; ++i)
      to[int64_t(i) * stride] = values[i] != 0;
    return;
  }
  auto *to = reinterpret_cast<float *>(base);
  if (stride == 1)
    std::memmove(to, values, lanes * sizeof(float));
  else
    for (size_t i = 0; i < lanes; ++i)
      to[int64_t(i) * stride] = values[i];
}

/// Folds the sixteen partial rows of a write into the first and stores it.
void BlockRun::storeReduced(size_t w, size_t lanes) {
  const isa::Write &write = kernel.writes[w];
  float *rows = partials + w * size_t(kPartials) * kBlockLanes;
  for (size_t step = size_t(kPartials) / 2; step; step /= 2)
    for (size_t i = 0; i < step; ++i)
      combineBlock(write.kind, rows + i * kBlockLanes,
                   rows + (i + step) * kBlockLanes, lanes);
  float first;
  std::memcpy(&first, &write.init, sizeof(first));
  const Operand &operand = plan.writes[w];
  auto *memory =
      reinterpret_cast<float *>(frame.writes[w]) + linear(operand.strides);
  int64_t stride = operand.strides[plan.lane];
  float *result = rows + kBlockLanes;
  for (size_t i = 0; i < lanes; ++i)
    result[i] = write.fromMemory ? memory[int64_t(i) * stride] : first;
  combineBlock(write.kind, result, rows, lanes);
  store(w, result, lanes);
}

/// One element of every write, the lanes running along the reduced dimension.
void BlockRun::reducePoint() {
  for (size_t w = 0; w < kernel.writes.size(); ++w)
    std::fill_n(partials + w * size_t(kPartials), size_t(kPartials),
                float(toDouble(isa::Type::F32, identityOf(kernel.writes[w].kind,
                                                          isa::Type::F32))));
  int64_t extent = plan.extents[plan.lane];
  do {
    for (int64_t first = 0; first < extent; first += int64_t(kBlockLanes)) {
      size_t lanes =
          size_t(std::min<int64_t>(int64_t(kBlockLanes), extent - first));
      point[plan.lane] = first;
      evaluate(lanes);
      for (size_t w = 0; w < kernel.writes.size(); ++w)
        combineInterleaved(
            kernel.writes[w].kind, partials + w * size_t(kPartials),
            registers[kernel.body.yields[w]], lanes, size_t(first));
    }
    point[plan.lane] = 0;
  } while (advance(inner));
  for (size_t w = 0; w < kernel.writes.size(); ++w) {
    const isa::Write &write = kernel.writes[w];
    float *row = partials + w * size_t(kPartials);
    for (size_t step = size_t(kPartials) / 2; step; step /= 2)
      combineBlock(write.kind, row, row + step, step);
    auto *memory = reinterpret_cast<float *>(frame.writes[w]) +
                   linear(plan.writes[w].strides);
    float value;
    if (write.fromMemory)
      value = *memory;
    else
      std::memcpy(&value, &write.init, sizeof(value));
    combineBlock(write.kind, &value, row, 1);
    *memory = value;
  }
}

void BlockRun::run() {
  int64_t extent = plan.extents[plan.lane];
  do {
    if (plan.along) {
      reducePoint();
      continue;
    }
    for (int64_t first = 0; first < extent; first += int64_t(kBlockLanes)) {
      size_t lanes =
          size_t(std::min<int64_t>(int64_t(kBlockLanes), extent - first));
      point[plan.lane] = first;
      if (!plan.reducing) {
        evaluate(lanes);
        for (size_t w = 0; w < kernel.writes.size(); ++w)
          store(w, registers[kernel.body.yields[w]], lanes);
        continue;
      }
      for (size_t w = 0; w < kernel.writes.size(); ++w)
        for (size_t i = 0; i < size_t(kPartials); ++i)
          std::fill_n(
              partials + (w * size_t(kPartials) + i) * kBlockLanes, lanes,
              float(toDouble(isa::Type::F32, identityOf(kernel.writes[w].kind,
                                                        isa::Type::F32))));
      do {
        evaluate(lanes);
        size_t partial =
            plan.innermost < 0
                ? 0
                : size_t(point[size_t(plan.innermost)] % kPartials);
        for (size_t w = 0; w < kernel.writes.size(); ++w)
          combineBlock(kernel.writes[w].kind,
                       partials +
                           (w * size_t(kPartials) + partial) * kBlockLanes,
                       registers[kernel.body.yields[w]], lanes);
      } while (advance(inner));
      for (size_t w = 0; w < kernel.writes.size(); ++w)
        storeReduced(w, lanes);
    }
    point[plan.lane] = 0;
  } while (advance(outer));
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
  for (const isa::Extent &extent : kernel.dims)
    prepared->dynamic |= extent.slot != isa::kNoSlot || extent.max == 0;
  prepared->sequential = interferes(kernel);
  if (prepared->dynamic || prepared->sequential || !hasBlockForm(kernel))
    return prepared;
  auto plan = std::make_unique<Plan>();
  if (plan->build(kernel))
    prepared->plan = std::move(plan);
  return prepared;
}

bool PreparedKernel::isSequential() const { return sequential; }

Status PreparedKernel::run(const KernelFrame &frame, ThreadPool *) const {
  if (!plan)
    return runReference(*kernel, frame);
  BlockRun(*kernel, *plan, frame).run();
  return success();
}
