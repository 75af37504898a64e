//===- Hoist.cpp - what tiles share, and loads from tables ----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Indices of gathers, resizes and pads mostly depend on one dimension alone:
// they are computed once for all of its coordinates instead of in every tile.
//
//===----------------------------------------------------------------------===//

#include "TileRunner.h"

#include <algorithm>
#include <cstring>

using namespace mho;
using namespace mho::rt;
using isa::MicroOpcode;
using isa::Type;

bool TileRunner::mayHoist() const {
  return plan.hoists && std::find(aliases.reads.begin(), aliases.reads.end(),
                                  true) == aliases.reads.end();
}

/// Elements along the dimension that a hoisted value depends on.
static int64_t extentOf(const PreparedKernel::Plan &plan, int home) {
  if (home == kFixed)
    return 1;
  return home == plan.columnLoop() ? plan.column.extent
                                   : plan.outer[size_t(home)].extent;
}

/// All values of a read that depends on one loop alone.
void TileRunner::hoistRead(size_t r, std::byte *lanes) const {
  Type type = kernel.reads[r].type;
  int home = plan.home[r];
  const std::byte *from = frame.reads[r];
  if (home != plan.columnLoop() || plan.columnDims.empty()) {
    int64_t stride = home == kFixed ? 0
                     : home == plan.columnLoop()
                         ? plan.column.strides[r]
                         : plan.outer[size_t(home)].strides[r];
    return loadRun(type, lanes, from, stride, extentOf(plan, home));
  }
  // Dimension by dimension, from the innermost: what is there is repeated.
  size_t lane = laneBytes(laneOf(type));
  const PlanDim &last = plan.columnDims.back();
  auto load = [&](auto &self, size_t d, const std::byte *memory) -> void {
    const PlanDim &dim = plan.columnDims[d];
    if (&dim == &last) {
      loadRun(type, lanes, memory, dim.strides[r], dim.extent);
      lanes += size_t(dim.extent) * lane;
      return;
    }
    for (int64_t i = 0; i < dim.extent; ++i)
      self(self, d + 1, memory + i * dim.strides[r]);
  };
  load(load, 0, from);
}

/// The coordinates along the loop that has them.
void TileRunner::hoistIndex(const isa::MicroOp &op, std::byte *lanes,
                            int64_t n) const {
  // Each of them `inner` times, and all again to the end.
  int64_t inner = 1, extent = n;
  for (size_t d = plan.columnDims.size(); d-- > 0;) {
    const PlanDim &dim = plan.columnDims[d];
    if (dim.index == int(op.immediate)) {
      extent = dim.extent;
      break;
    }
    inner *= dim.extent;
    if (d == 0)
      inner = 1; // it is none of them
  }
  auto write = [&]<typename T>(T *to) {
    for (int64_t j = 0; j < n;)
      for (int64_t i = 0; i < extent; ++i, j += inner)
        std::fill_n(to + j, inner, T(uint64_t(i)));
  };
  if (op.type == Type::I64)
    return write(reinterpret_cast<uint64_t *>(lanes));
  if (op.type == Type::I32)
    return write(reinterpret_cast<uint32_t *>(lanes));
  size_t lane = laneBytes(laneOf(op.type));
  for (int64_t j = 0; j < n; ++j) {
    Scalar here;
    here.i = j / inner % extent;
    storeLane(op.type, lanes + size_t(j) * lane, normalize(op.type, here));
  }
}

void TileRunner::hoist() {
  size_t reads = kernel.reads.size();
  tables.resize(plan.hoistedBytes);
  hoisted.assign(plan.registers.size(), {});
  loads.clear();
  columnPlaces.clear();
  for (size_t r = 0; r < reads; ++r) {
    int home = plan.home[r];
    if (home == kVaries)
      continue;
    std::byte *lanesAt = tables.data() + plan.hoistedAt[r];
    hoistRead(r, lanesAt);
    hoisted[r] = lanesAt;
  }
  for (size_t i = 0; i < kernel.body.ops.size(); ++i) {
    const isa::MicroOp &op = kernel.body.ops[i];
    size_t number = firstOp + i;
    int home = plan.home[number];
    if (MicroOpcode(op.op) == MicroOpcode::TileLoad)
      loads.push_back(describeLoad(op));
    if (MicroOpcode(op.op) == MicroOpcode::ArithConstant) {
      hoisted[number] = static_cast<const std::byte *>(values[number].data);
      continue;
    }
    if (home == kVaries)
      continue;
    std::byte *lanesAt = tables.data() + plan.hoistedAt[number];
    hoisted[number] = lanesAt;
    int64_t extent = extentOf(plan, home);
    if (MicroOpcode(op.op) == MicroOpcode::TileIndex) {
      hoistIndex(op, lanesAt, extent);
      continue;
    }
    blocks::Call call{MicroOpcode(op.op),
                      op.type,
                      plan.registers[op.operands[0]].type,
                      op.immediate,
                      lanesAt,
                      {},
                      {},
                      size_t(extent)};
    for (size_t k = 0; k < op.operands.size(); ++k) {
      call.operands[k] = hoisted[op.operands[k]];
      call.scalar[k] = plan.home[op.operands[k]] == kFixed && home != kFixed;
    }
    if (!plan.vectorForm[i] || !table.apply(call))
      evaluateLanes(op, call);
  }
  placeHoisted();
}

/// Says for all tiles where hoisted values are, and notes those that move on
/// from tile to tile.
void TileRunner::placeHoisted() {
  steps.clear();
  size_t reads = kernel.reads.size();
  std::vector<uint8_t> needed(plan.registers.size());
  for (size_t i = 0, load = 0; i < kernel.body.ops.size(); ++i) {
    const isa::MicroOp &op = kernel.body.ops[i];
    bool loads = MicroOpcode(op.op) == MicroOpcode::TileLoad;
    bool plain = loads && this->loads[load].plain;
    load += loads;
    if (plan.home[firstOp + i] != kVaries)
      continue;
    for (uint32_t operand : op.operands)
      // A plain load has its places along the column.
      needed[operand] |= !plain || plan.home[operand] != plan.columnLoop();
  }
  for (uint32_t value : kernel.body.yields)
    needed[value] = true;
  for (size_t i = 0; i < plan.registers.size(); ++i) {
    int home = plan.home[i];
    if (home == kVaries || (i >= reads && i < firstOp))
      continue;
    values[i] = {hoisted[i], home != plan.columnLoop()};
    if (home == kFixed || !needed[i] || plan.outer[size_t(home)].extent == 1)
      continue;
    auto lane = int64_t(laneBytes(laneOf(plan.registers[i].type)));
    bool column = home == plan.columnLoop();
    steps.push_back(
        {uint32_t(i), uint32_t(home), column ? lane * plan.columns : lane});
  }
}

/// Values of the current tile.
void TileRunner::stepHoisted() {
  for (const Step &step : steps)
    values[step.number].data =
        hoisted[step.number] + outerCounts[step.loop] * step.bytes;
}

/// The operands of an op that steps leave out.
void TileRunner::placeAll(const isa::MicroOp &op) {
  for (uint32_t operand : op.operands) {
    if (plan.home[operand] != plan.columnLoop())
      continue;
    auto lane = int64_t(laneBytes(laneOf(plan.registers[operand].type)));
    values[operand].data =
        hoisted[operand] + outerCounts.back() * plan.columns * lane;
  }
}

template <typename F>
static void forEachIndex(Type type, const void *data, int64_t n, F f) {
  if (laneOf(type) == Lane::I64) {
    auto *indices = static_cast<const int64_t *>(data);
    for (int64_t j = 0; j < n; ++j)
      f(j, indices[j]);
  } else {
    auto *indices = static_cast<const int32_t *>(data);
    for (int64_t j = 0; j < n; ++j)
      f(j, int64_t(indices[j]));
  }
}

/// n elements of a lane's width at places counted in elements.
static void gatherLanes(size_t lane, std::byte *out, const std::byte *from,
                        const int64_t *places, int64_t n) {
  auto gather = [&]<typename T>(T *to) {
    auto *elements = reinterpret_cast<const T *>(from);
    for (int64_t j = 0; j < n; ++j)
      to[j] = elements[places[j]];
  };
  if (lane == 4)
    gather(reinterpret_cast<uint32_t *>(out));
  else
    gather(reinterpret_cast<uint64_t *>(out));
}

/// How many neighbours lie side by side, from every multiple of that number
/// on; 0 where a copy of so few is no better than going one by one.
static int64_t runOf(const int64_t *places, int64_t n) {
  constexpr int64_t worthIt = 8;
  auto follows = [&](int64_t j) { return places[j] == places[j - 1] + 1; };
  int64_t run = 1;
  while (run < n && follows(run))
    ++run;
  if (run < n && run < worthIt)
    return 0;
  for (int64_t j = run; j < n; ++j)
    if (j % run != 0 && !follows(j))
      return 0;
  return run;
}

/// Sums up what the load's indices along the column say for all tiles.
TileMemory::Load TileRunner::describeLoad(const isa::MicroOp &op) {
  const isa::Table &source = kernel.body.tables[op.immediate];
  Load load;
  load.first = columnPlaces.size();
  int64_t extent = plan.column.extent;
  bool outside = false;
  for (size_t d = 0; d < source.sizes.size(); ++d) {
    uint32_t operand = op.operands[d];
    if (plan.home[operand] == kVaries && !plan.registers[operand].scalar)
      load.varies = true;
    if (plan.home[operand] != plan.columnLoop() ||
        plan.registers[operand].scalar)
      continue;
    if (!load.column)
      columnPlaces.resize(load.first + size_t(extent));
    load.column = true;
    int64_t *places = columnPlaces.data() + load.first;
    auto size = uint64_t(source.sizes[d]);
    int64_t stride = source.access.strides[d];
    forEachIndex(plan.registers[operand].type, hoisted[operand], extent,
                 [&](int64_t j, int64_t index) {
                   outside |= uint64_t(index) >= size;
                   places[j] = int64_t(uint64_t(places[j]) +
                                       uint64_t(index) * uint64_t(stride));
                 });
  }
  load.plain = !outside && isLaneInMemory(source.access.type);
  if (load.column)
    load.run = runOf(columnPlaces.data() + load.first, extent);
  return load;
}

/// A load of n lanes whose indices are mostly known. Where its elements lie
/// side by side the result is where they are, unless it must be stored in
/// `out`. False: it is not of that kind, or an index is out of range.
bool TileRunner::loadHoisted(const isa::MicroOp &op, const Load &load,
                             std::byte *out, bool mustStore, Value &result) {
  if (!load.plain)
    return false;
  const isa::Table &source = kernel.body.tables[op.immediate];
  int64_t base = 0;
  for (size_t d = 0; d < source.sizes.size(); ++d) {
    const Value &value = values[op.operands[d]];
    if (!value.scalar)
      continue;
    Type type = plan.registers[op.operands[d]].type;
    int64_t index = loadLane(type, value.data).i;
    if (uint64_t(index) >= uint64_t(source.sizes[d]))
      return false;
    base += index * source.access.strides[d];
  }
  size_t lane = laneBytes(laneOf(source.access.type));
  const std::byte *from = frame.tables[op.immediate];
  int64_t n = columns;
  int64_t start = outerCounts.back() * plan.columns;
  const int64_t *places =
      columnPlaces.data() + load.first + (load.column ? start : 0);
  if (!load.varies && load.run) {
    from += base * int64_t(lane);
    // From where a run goes on to the next one's start or the tile's end.
    int64_t j = std::min(n, load.run - start % load.run);
    if (j == n && !mustStore) {
      result = {from + places[0] * int64_t(lane), false};
      return true;
    }
    std::memcpy(out, from + places[0] * int64_t(lane), size_t(j) * lane);
    for (int64_t size; j < n; j += size) {
      size = std::min(load.run, n - j);
      std::memcpy(out + size_t(j) * lane, from + places[j] * int64_t(lane),
                  size_t(size) * lane);
    }
    result = {out, false};
    return true;
  }
  int64_t mixed[blocks::kLanes];
  if (load.varies) {
    if (n > blocks::kLanes)
      return false;
    if (load.column)
      for (int64_t j = 0; j < n; ++j)
        mixed[j] = base + places[j];
    else
      std::fill_n(mixed, n, base);
    base = 0;
    bool outside = false;
    for (size_t d = 0; d < source.sizes.size(); ++d) {
      uint32_t operand = op.operands[d];
      const Value &value = values[operand];
      if (value.scalar || plan.home[operand] != kVaries)
        continue;
      auto size = uint64_t(source.sizes[d]);
      int64_t stride = source.access.strides[d];
      forEachIndex(plan.registers[operand].type, value.data, n,
                   [&](int64_t j, int64_t index) {
                     outside |= uint64_t(index) >= size;
                     mixed[j] = int64_t(uint64_t(mixed[j]) +
                                        uint64_t(index) * uint64_t(stride));
                   });
    }
    if (outside)
      return false;
    places = mixed;
  } else if (!load.column) {
    return false;
  }
  gatherLanes(lane, out, from + base * int64_t(lane), places, n);
  result = {out, false};
  return true;
}

/// Places of n elements in a table, in elements; false where an index is
/// outside its dimension.
bool TileRunner::findPlaces(const isa::MicroOp &op, int64_t *places,
                            int64_t n) const {
  const isa::Table &source = kernel.body.tables[op.immediate];
  std::fill_n(places, n, 0);
  bool outside = false;
  for (size_t d = 0; d < source.sizes.size(); ++d) {
    const Value &value = values[op.operands[d]];
    auto size = uint64_t(source.sizes[d]);
    int64_t stride = source.access.strides[d];
    Type type = plan.registers[op.operands[d]].type;
    auto add = [&](int64_t j, int64_t index) {
      outside |= uint64_t(index) >= size;
      places[j] =
          int64_t(uint64_t(places[j]) + uint64_t(index) * uint64_t(stride));
    };
    if (!value.scalar) {
      forEachIndex(type, value.data, n, add);
      continue;
    }
    int64_t index = loadLane(type, value.data).i;
    for (int64_t j = 0; j < n; ++j)
      add(j, index);
  }
  return !outside;
}

Status TileRunner::loadTable(const isa::MicroOp &op, std::byte *out,
                             int64_t n) const {
  const isa::Table &source = kernel.body.tables[op.immediate];
  const std::byte *base = frame.tables[op.immediate];
  Type type = source.access.type;
  int64_t size = int64_t(isa::sizeOf(type));
  size_t lane = laneBytes(laneOf(type));
  size_t rank = source.sizes.size();
  int64_t places[blocks::kLanes];
  if (n <= blocks::kLanes && isLaneInMemory(type) &&
      findPlaces(op, places, n)) {
    gatherLanes(lane, out, base, places, n);
    return success();
  }
  for (int64_t j = 0; j < n; ++j) {
    int64_t place = 0;
    for (size_t d = 0; d < rank; ++d) {
      const Value &value = values[op.operands[d]];
      Type indexType = plan.registers[op.operands[d]].type;
      size_t width = laneBytes(laneOf(indexType));
      auto *data = static_cast<const std::byte *>(value.data);
      int64_t index =
          loadLane(indexType, data + (value.scalar ? 0 : size_t(j) * width)).i;
      if (index < 0 || index >= source.sizes[d])
        return failure("index " + std::to_string(index) +
                       " is out of range, the dimension has " +
                       std::to_string(source.sizes[d]) + " elements");
      place += index * source.access.strides[d];
    }
    const std::byte *element = base + place * size;
    if (size == int64_t(lane))
      std::memcpy(out, element, lane);
    else
      storeLane(type, out, loadScalar(type, element));
    out += lane;
  }
  return success();
}
