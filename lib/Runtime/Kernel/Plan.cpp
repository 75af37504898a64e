//===- Plan.cpp - how a kernel is cut into blocks
//---------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Planner.h"

#include "../Bounds.h"
#include "Windows.h"

#include <algorithm>

using namespace mho;
using namespace mho::rt;
using isa::MicroOpcode;
using isa::WriteKind;

PreparedKernel::Plan::Plan() = default;
PreparedKernel::Plan::~Plan() = default;

bool PreparedKernel::Plan::columnHas(int dimension) const {
  return column.index == dimension ||
         std::any_of(columnDims.begin(), columnDims.end(),
                     [=](const PlanDim &d) { return d.index == dimension; });
}

/// All reductions and carries must reduce the same dimensions.
bool Planner::classify() {
  size_t dims = kernel.dims.size();
  reducedDims.assign(dims, false);
  for (size_t w = 0; w < writes; ++w) {
    const isa::Write &write = kernel.writes[w];
    if (!reduces(w))
      continue;
    std::vector<bool> mine(dims);
    int innermost = -1;
    for (size_t d = 0; d < dims; ++d)
      if (write.access.strides[d] == 0 && kernel.dims[d].max > 1) {
        mine[d] = true;
        innermost = int(d);
      }
    if (anyReduction && mine != reducedDims)
      return false;
    reducedDims = mine;
    anyReduction = true;
    carries |= write.kind == WriteKind::Carry;
    if (write.kind != WriteKind::Carry) {
      numbering = innermost;
      ordered |= isOrdered(write.kind, write.access.type);
    }
  }
  return true;
}

void Planner::collectDims() {
  std::vector<bool> indexed(kernel.dims.size());
  for (const isa::MicroOp &op : kernel.body.ops)
    if (MicroOpcode(op.op) == MicroOpcode::TileIndex)
      indexed[op.immediate] = true;
  for (size_t d = 0; d < kernel.dims.size(); ++d) {
    PlanDim dim;
    dim.extent = extents[d];
    dim.reduced = reducedDims[d];
    dim.numbers = int(d) == numbering;
    if (dim.extent == 1 && !dim.numbers && !indexed[d])
      continue;
    dim.index = indexed[d] ? int(d) : -1;
    for (size_t i = 0; i < reads + writes; ++i)
      dim.strides.push_back(access(i).strides[d] *
                            int64_t(isa::sizeOf(access(i).type)));
    for (const isa::Access &read : kernel.reads)
      for (const isa::ValidRange &range : read.valid)
        dim.coefficients.push_back(range.coefficients[d]);
    (dim.reduced ? inner : parallel).push_back(std::move(dim));
  }
}

bool Planner::mayMerge(const PlanDim &outer, const PlanDim &inside) const {
  if (outer.index >= 0 || inside.index >= 0)
    return false;
  // The merged coordinate must give the same partial result.
  if (outer.numbers ||
      (inside.numbers && ordered && inside.extent % kPartials != 0))
    return false;
  for (size_t i = 0; i < outer.strides.size(); ++i)
    if (outer.strides[i] != inside.strides[i] * inside.extent)
      return false;
  for (size_t i = 0; i < outer.coefficients.size(); ++i)
    if (outer.coefficients[i] != inside.coefficients[i] * inside.extent)
      return false;
  return true;
}

std::vector<PlanDim> Planner::merge(const std::vector<PlanDim> &dims) const {
  std::vector<PlanDim> merged;
  for (const PlanDim &dim : dims) {
    if (!merged.empty() && mayMerge(merged.back(), dim)) {
      int64_t outer = merged.back().extent;
      merged.back() = dim;
      merged.back().extent *= outer;
    } else {
      merged.push_back(dim);
    }
  }
  return merged;
}

bool Planner::varies(size_t read, const PlanDim &dim) const {
  if (dim.extent == 1)
    return false;
  if (dim.strides[read] != 0)
    return true;
  size_t first = plan->firstRange[read];
  for (size_t i = 0; i < kernel.reads[read].valid.size(); ++i)
    if (dim.coefficients[first + i] != 0)
      return true;
  return false;
}

/// Which registers are vectors, and which blocks they live in: a block is free
/// again behind the last use of its register.
void Planner::assignRegisters() {
  auto &registers = plan->registers;
  for (size_t r = 0; r < reads; ++r) {
    bool scalar = !varies(r, plan->row) && !varies(r, plan->column);
    registers.push_back({kernel.reads[r].type, scalar, plan->buffers++});
  }
  for (const isa::Write &write : kernel.writes)
    if (write.kind == WriteKind::Carry)
      registers.push_back({write.access.type, false, -1});

  size_t firstOp = registers.size();
  std::vector<size_t> lastUse(firstOp + kernel.body.ops.size(), 0);
  for (size_t i = 0; i < kernel.body.ops.size(); ++i)
    for (uint32_t operand : kernel.body.ops[i].operands)
      lastUse[operand] = i;
  for (uint32_t value : kernel.body.yields)
    lastUse[value] = kernel.body.ops.size();

  auto inTile = [&](uint64_t dimension) {
    return plan->row.index == int(dimension) || plan->columnHas(int(dimension));
  };
  std::vector<int> free;
  std::vector<bool> released(lastUse.size());
  for (size_t i = 0; i < kernel.body.ops.size(); ++i) {
    const isa::MicroOp &op = kernel.body.ops[i];
    bool scalar = true;
    for (uint32_t operand : op.operands)
      scalar &= registers[operand].scalar;
    if (MicroOpcode(op.op) == MicroOpcode::TileIndex)
      scalar = !inTile(op.immediate);
    PlanRegister result{op.type, scalar, -1};
    // Constants are written once and stay.
    bool constant = MicroOpcode(op.op) == MicroOpcode::ArithConstant;
    if (!free.empty() && !constant) {
      result.buffer = free.back();
      free.pop_back();
    } else {
      result.buffer = plan->buffers++;
    }
    registers.push_back(result);
    for (uint32_t operand : op.operands)
      if (operand >= firstOp && lastUse[operand] == i && !released[operand] &&
          MicroOpcode(kernel.body.ops[operand - firstOp].op) !=
              MicroOpcode::ArithConstant) {
        released[operand] = true;
        free.push_back(registers[operand].buffer);
      }
  }
}

/// Where each reduction's results gather, and which op may write its result
/// straight to memory.
void Planner::describeAccumulators() {
  int64_t lanes = (plan->rows * plan->columns + 15) / 16 * 16;
  size_t wide = 4;
  for (const PlanRegister &reg : plan->registers)
    wide = std::max(wide, laneBytes(laneOf(reg.type)));
  plan->bufferBytes = size_t(lanes) * wide;
  plan->scratchBytes = plan->bufferBytes * size_t(plan->buffers + 1);
  for (size_t w = 0; w < writes; ++w) {
    const isa::Write &write = kernel.writes[w];
    plan->accumulators.push_back(plan->scratchBytes);
    if (!reduces(w))
      continue;
    int64_t parts = write.kind != WriteKind::Carry &&
                            isOrdered(write.kind, write.access.type)
                        ? plan->partials
                        : 1;
    int64_t cells =
        plan->columnReduced ? plan->rows * kPartials : lanes * parts;
    plan->scratchBytes += size_t(cells) * 8;
  }
  size_t firstOp = plan->registers.size() - kernel.body.ops.size();
  // All instruction sets know the same ops: they come from one source.
  for (const isa::MicroOp &op : kernel.body.ops)
    plan->vectorForm.push_back(
        op.op > unsigned(MicroOpcode::TileLoad) &&
        blocks::table().apply({MicroOpcode(op.op), op.type,
                               plan->registers[op.operands[0]].type,
                               op.immediate}));
  plan->directWrite.assign(kernel.body.ops.size(), -1);
  std::vector<int> uses(plan->registers.size());
  for (const isa::MicroOp &op : kernel.body.ops)
    for (uint32_t operand : op.operands)
      ++uses[operand];
  for (uint32_t value : kernel.body.yields)
    ++uses[value];
  for (size_t w = 0; w < writes; ++w) {
    uint32_t value = kernel.body.yields[w];
    if (value >= firstOp && uses[value] == 1 && !reduces(w) &&
        !plan->registers[value].scalar &&
        isLaneInMemory(kernel.writes[w].access.type))
      plan->directWrite[value - firstOp] = int(w);
  }
}

void Planner::describeWalks() {
  std::vector<isa::Extent> dims;
  for (int64_t extent : extents)
    dims.push_back({extent, isa::kNoSlot});
  for (size_t i = 0; i < reads + writes; ++i) {
    Bounds bounds = boundElements(access(i), dims);
    int64_t size = int64_t(isa::sizeOf(access(i).type));
    plan->reach.push_back(
        {int64_t(bounds.low) * size, int64_t(bounds.high + 1) * size});
  }
  for (size_t w = 0; w < writes; ++w) {
    // Strides that each step over all that the smaller ones reach.
    std::vector<std::pair<int64_t, int64_t>> steps;
    for (size_t d = 0; d < extents.size(); ++d)
      if (extents[d] > 1 && !(reduces(w) && reducedDims[d]))
        steps.push_back(
            {std::abs(kernel.writes[w].access.strides[d]), extents[d]});
    std::sort(steps.begin(), steps.end());
    int64_t covered = 0;
    bool injective = true;
    for (auto [stride, extent] : steps) {
      injective &= stride > covered;
      covered += stride * (extent - 1);
    }
    plan->injective.push_back(injective);
  }
  for (size_t r = 0; r < reads; ++r) {
    std::vector<bool> same;
    for (size_t w = 0; w < writes; ++w) {
      const isa::Access &to = kernel.writes[w].access;
      const isa::Access &from = kernel.reads[r];
      bool alike = kernel.writes[w].kind == WriteKind::Store &&
                   isa::sizeOf(to.type) == isa::sizeOf(from.type) &&
                   from.valid.empty();
      for (size_t d = 0; d < extents.size(); ++d)
        alike &= extents[d] == 1 || to.strides[d] == from.strides[d];
      same.push_back(alike);
    }
    plan->sameWalk.push_back(std::move(same));
  }
  describeAccumulators();
  // Elements as they are, and constants.
  plan->onlyMoves = std::all_of(
      kernel.body.ops.begin(), kernel.body.ops.end(), [](const auto &op) {
        return isa::MicroOpcode(op.op) == isa::MicroOpcode::ArithConstant;
      });
  for (size_t w = 0; w < writes && plan->onlyMoves; ++w) {
    uint32_t value = kernel.body.yields[w];
    plan->onlyMoves =
        kernel.writes[w].kind == WriteKind::Store &&
        (value >= reads ||
         (kernel.reads[value].valid.empty() &&
          kernel.reads[value].type == kernel.writes[w].access.type &&
          kernel.reads[value].type != isa::Type::Bool));
  }
}

/// Which values depend on one loop alone, and where their tables lie.
void Planner::describeHoisting() {
  size_t registers = plan->registers.size();
  size_t firstOp = registers - kernel.body.ops.size();
  plan->home.assign(registers, kVaries);
  plan->hoistedAt.assign(registers, 0);
  if (anyReduction || plan->row.extent > 1)
    return;
  int column = plan->columnLoop();
  bool any = false;
  auto meet = [](int a, int b) {
    return a == kFixed ? b : b == kFixed || a == b ? a : kVaries;
  };
  for (size_t r = 0; r < reads; ++r) {
    if (!kernel.reads[r].valid.empty())
      continue;
    int home = kFixed;
    for (int d = 0; d < column; ++d)
      if (plan->outer[size_t(d)].extent > 1 &&
          plan->outer[size_t(d)].strides[r] != 0)
        home = meet(home, d);
    if (plan->column.extent > 1 && plan->column.strides[r] != 0)
      home = meet(home, column);
    plan->home[r] = home;
  }
  for (size_t i = 0; i < kernel.body.ops.size(); ++i) {
    const isa::MicroOp &op = kernel.body.ops[i];
    int &home = plan->home[firstOp + i];
    any |= MicroOpcode(op.op) == MicroOpcode::TileLoad;
    if (MicroOpcode(op.op) == MicroOpcode::TileLoad)
      continue;
    home = kFixed;
    if (MicroOpcode(op.op) == MicroOpcode::TileIndex) {
      any = true;
      for (int d = 0; d < column; ++d)
        if (plan->outer[size_t(d)].index == int(op.immediate))
          home = d;
      if (plan->columnHas(int(op.immediate)))
        home = column;
      continue;
    }
    for (uint32_t operand : op.operands)
      home = meet(home, plan->home[operand]);
  }
  size_t bytes = 0;
  for (size_t i = 0; i < registers; ++i) {
    if (plan->home[i] == kVaries)
      continue;
    int64_t extent = plan->home[i] == kFixed ? 1
                     : plan->home[i] == column
                         ? plan->column.extent
                         : plan->outer[size_t(plan->home[i])].extent;
    plan->hoistedAt[i] = bytes;
    bytes +=
        (size_t(extent) * laneBytes(laneOf(plan->registers[i].type)) + 63) /
        64 * 64;
  }
  constexpr size_t most = size_t(1) << 20;
  plan->hoistedBytes = bytes;
  plan->hoists = any && bytes <= most;
}

/// Whether tiles may run in place, and what is loaded and stored around ops.
void Planner::describeInPlace() {
  plan->lies.assign(reads, false);
  plan->repeats.assign(reads, false);
  plan->writtenInPlace.assign(writes, false);
  if (anyReduction)
    return;
  auto lies = [&](size_t i) {
    int64_t size = int64_t(isa::sizeOf(access(i).type));
    return isLaneInMemory(access(i).type) &&
           (plan->columns == 1 || plan->column.strides[i] == size) &&
           (plan->rows == 1 || plan->row.strides[i] == plan->columns * size);
  };
  for (size_t r = 0; r < reads; ++r) {
    if (!kernel.reads[r].valid.empty())
      continue;
    plan->lies[r] = plan->registers[r].scalar
                        ? isLaneInMemory(kernel.reads[r].type)
                        : lies(r);
    plan->repeats[r] =
        !plan->lies[r] &&
        std::all_of(plan->outer.begin(), plan->outer.end(), [&](auto &dim) {
          return dim.extent == 1 || dim.strides[r] == 0;
        });
  }
  for (size_t i = 0; i < kernel.body.ops.size(); ++i) {
    bool constant =
        MicroOpcode(kernel.body.ops[i].op) == MicroOpcode::ArithConstant;
    if (!constant && !plan->vectorForm[i])
      return;
    if (int w = plan->directWrite[i]; w >= 0)
      plan->writtenInPlace[size_t(w)] = lies(reads + size_t(w));
  }
  // A read that is yielded as it is may share its place with a write.
  plan->inPlace =
      std::all_of(kernel.body.yields.begin(), kernel.body.yields.end(),
                  [&](uint32_t value) { return value >= reads; });
}

std::unique_ptr<PreparedKernel::Plan> Planner::make() {
  if (!classify())
    return nullptr;
  size_t ranges = 0;
  for (const isa::Access &read : kernel.reads) {
    plan->firstRange.push_back(ranges);
    ranges += read.valid.size();
  }
  collectDims();
  if (!anyReduction && writes > 0) {
    // Free of any order: outermost what the first result steps over widest.
    for (size_t i = 1; i < parallel.size(); ++i)
      for (size_t j = i; j > 0 && std::abs(parallel[j - 1].strides[reads]) <
                                      std::abs(parallel[j].strides[reads]);
           --j)
        std::swap(parallel[j - 1], parallel[j]);
  }
  parallel = merge(parallel);
  inner = merge(inner);
  chooseTile();
  assignRegisters();
  describeWalks();
  describeInPlace();
  describeHoisting();
  for (bool injective : plan->injective)
    if (!injective)
      return nullptr;
  // Carries that hand on each other's values would need them all at once.
  for (size_t w = 0, carried = reads; w < writes; ++w) {
    if (kernel.writes[w].kind != WriteKind::Carry)
      continue;
    size_t firstOp = plan->registers.size() - kernel.body.ops.size();
    uint32_t value = kernel.body.yields[w];
    if (value >= reads && value < firstOp && value != carried)
      return nullptr;
    ++carried;
  }
  return std::move(plan);
}

std::unique_ptr<PreparedKernel::Plan>
rt::makePlan(const isa::Kernel &kernel, std::span<const int64_t> extents) {
  if (std::find(extents.begin(), extents.end(), 0) != extents.end())
    return nullptr;
  return Planner(kernel, extents).make();
}
