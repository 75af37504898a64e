//===- TileRunner.cpp - one thread's share of a kernel
//----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileRunner.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <numeric>

using namespace mho;
using namespace mho::rt;
using isa::MicroOpcode;
using isa::Type;
using isa::WriteKind;

static thread_local TileMemory kept;

TileRunner::TileRunner(const isa::Kernel &kernel,
                       const PreparedKernel::Plan &plan,
                       const KernelFrame &frame, const blocks::Table &table,
                       const Aliases &aliases)
    : TileMemory(std::move(kept)), kernel(kernel), plan(plan), frame(frame),
      table(table), aliases(aliases),
      firstOp(plan.registers.size() - kernel.body.ops.size()) {
  values.assign(plan.registers.size(), {});
  held.assign(kernel.reads.size(), {});
  stored.assign(kernel.writes.size(), 0);
  at.assign(kernel.reads.size() + kernel.writes.size(), 0);
  outerCounts.assign(plan.outer.size(), 0);
  innerCounts.assign(plan.inner.size(), 0);
  positions.clear();
  if (!scratch || scratchBytes < plan.scratchBytes) {
    scratchBytes = (plan.scratchBytes + 64 + 4095) / 4096 * 4096;
    scratch.reset(
        static_cast<std::byte *>(std::aligned_alloc(64, scratchBytes)));
    if (!scratch)
      throw std::bad_alloc();
  }
  for (const isa::Access &read : kernel.reads)
    for (const isa::ValidRange &range : read.valid)
      positions.push_back(range.offset);
  size_t carried = kernel.reads.size();
  for (size_t w = 0; w < kernel.writes.size(); ++w) {
    anyReduction |= reduces(w);
    yieldsReads |= kernel.body.yields[w] < kernel.reads.size();
    if (kernel.writes[w].kind == WriteKind::Carry)
      values[carried++] = {accumulator(w), false};
  }
  for (size_t i = 0; i < kernel.body.ops.size(); ++i) {
    const isa::MicroOp &op = kernel.body.ops[i];
    if (MicroOpcode(op.op) == MicroOpcode::ArithConstant) {
      std::byte *lane = buffer(plan.registers[firstOp + i].buffer);
      storeLane(op.type, lane, fromBits(op.type, op.immediate));
      values[firstOp + i] = {lane, true};
    }
  }
}

TileRunner::~TileRunner() { kept = std::move(*this); }

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

void TileRunner::step(const PlanDim &dim, int64_t times) {
  for (size_t i = 0; i < at.size(); ++i)
    at[i] += dim.strides[i] * times;
  for (size_t i = 0; i < positions.size(); ++i)
    positions[i] += dim.coefficients[i] * times;
  if (dim.index >= 0)
    coordinates[size_t(dim.index)] += dim.indexStep * times;
}

void TileRunner::moveTo(size_t tile) {
  for (size_t d = plan.outer.size(); d-- > 0;) {
    const PlanDim &dim = plan.outer[d];
    outerCounts[d] = int64_t(tile % size_t(dim.extent));
    tile /= size_t(dim.extent);
    step(dim, outerCounts[d]);
  }
}

/// The next point; false when the loops are through and stand at 0 again.
bool TileRunner::advance(const std::vector<PlanDim> &dims,
                         std::vector<int64_t> &counts) {
  for (size_t d = dims.size(); d-- > 0;) {
    if (++counts[d] < dims[d].extent) {
      step(dims[d], 1);
      return true;
    }
    step(dims[d], 1 - dims[d].extent);
    counts[d] = 0;
  }
  return false;
}

/// What an op writes in memory must not be what a later op still reads there.
bool TileRunner::mayRunInPlace() const {
  if (!plan.inPlace)
    return false;
  for (size_t i = 0; i + 1 < kernel.body.ops.size(); ++i)
    if (int w = plan.directWrite[i];
        w >= 0 && plan.writtenInPlace[size_t(w)] && aliases.writes[size_t(w)])
      return false;
  return true;
}

/// Fills in the calls of all tiles but for the addresses that move.
void TileRunner::makeCalls() {
  size_t reads = kernel.reads.size();
  calls.clear();
  moving.clear();
  for (size_t i = 0; i < kernel.body.ops.size(); ++i) {
    const isa::MicroOp &op = kernel.body.ops[i];
    if (MicroOpcode(op.op) == MicroOpcode::ArithConstant)
      continue;
    const PlanRegister &result = plan.registers[firstOp + i];
    auto number = uint32_t(calls.size());
    InPlaceCall made{{MicroOpcode(op.op),
                      op.type,
                      plan.registers[op.operands[0]].type,
                      op.immediate,
                      buffer(result.buffer),
                      {},
                      {},
                      0},
                     &op,
                     result.scalar};
    for (size_t k = 0; k < op.operands.size(); ++k) {
      const Value &value = values[op.operands[k]];
      made.call.operands[k] = value.data;
      made.call.scalar[k] = value.scalar && !result.scalar;
      if (op.operands[k] < reads && !plan.repeats[op.operands[k]])
        moving.push_back({number, int(k), op.operands[k]});
    }
    if (int w = plan.directWrite[i]; w >= 0 && plan.writtenInPlace[size_t(w)])
      moving.push_back({number, -1, uint32_t(reads + size_t(w))});
    values[firstOp + i] = {made.call.out, result.scalar};
    calls.push_back(made);
  }
}

/// Tiles whose ops need nothing but new addresses, between loads of what does
/// not lie in memory as lanes do and stores of the same. Of the same bits as
/// runTile.
void TileRunner::runInPlace(size_t begin, size_t end) {
  size_t reads = kernel.reads.size();
  rows = plan.rows;
  columns = plan.columns;
  for (size_t r = 0; r < reads; ++r) {
    values[r] = {frame.reads[r], plan.registers[r].scalar};
    if (plan.repeats[r])
      loadRead(r);
  }
  makeCalls();
  for (size_t tile = begin; tile < end; ++tile) {
    if (plan.rowLoop >= 0)
      rows = std::min(plan.rows,
                      plan.row.extent -
                          outerCounts[size_t(plan.rowLoop)] * plan.rows);
    columns = std::min(plan.columns,
                       plan.column.extent - outerCounts.back() * plan.columns);
    for (size_t r = 0; r < reads; ++r)
      if (plan.lies[r])
        values[r].data = frame.reads[r] + at[r];
      else if (!plan.repeats[r])
        loadRead(r);
    for (const Moving &move : moving) {
      blocks::Call &call = calls[move.call].call;
      if (move.operand < 0)
        call.out = frame.writes[move.access - reads] + at[move.access];
      else
        call.operands[move.operand] = values[move.access].data;
    }
    for (InPlaceCall &op : calls) {
      op.call.n = op.scalar ? 1 : size_t(lanes());
      if (!table.apply(op.call))
        evaluateLanes(*op.op, op.call);
    }
    for (size_t w = 0; w < kernel.writes.size(); ++w)
      if (!plan.writtenInPlace[w])
        storeLanes(w, values[kernel.body.yields[w]], columns);
    advance(plan.outer, outerCounts);
  }
}

Status TileRunner::run(size_t begin, size_t end) {
  moveTo(begin);
  if (mayRunInPlace()) {
    runInPlace(begin, end);
    return success();
  }
  // What the column's strides do not tell only tables can.
  hoisting = !plan.columnDims.empty() || (end - begin > 1 && mayHoist());
  if (hoisting)
    hoist();
  for (size_t tile = begin; tile < end; ++tile) {
    if (plan.rowLoop >= 0)
      rows = std::min(plan.rows,
                      plan.row.extent -
                          outerCounts[size_t(plan.rowLoop)] * plan.rows);
    auto restOfColumn = [&](int64_t piece) {
      return std::min(plan.columns, plan.column.extent - piece * plan.columns);
    };
    columns = restOfColumn(plan.columnReduced ? 0 : outerCounts.back());
    if (anyReduction)
      startAccumulators();
    do {
      if (plan.columnReduced)
        columns = restOfColumn(innerCounts.back());
      partial = 0;
      for (size_t d = 0; d < plan.inner.size(); ++d)
        if (plan.inner[d].numbers)
          partial = innerCounts[d];
      if (Status status = runTile(); !status.ok())
        return status;
    } while (advance(plan.inner, innerCounts));
    if (anyReduction)
      finishAccumulators();
    advance(plan.outer, outerCounts);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Memory and lanes
//===----------------------------------------------------------------------===//

void TileRunner::loadRun(Type type, std::byte *lanes, const std::byte *memory,
                         int64_t stride, int64_t n) const {
  if (n <= 0 || table.load(type, lanes, memory, stride, size_t(n)))
    return;
  size_t lane = laneBytes(laneOf(type));
  for (int64_t j = 0; j < n; ++j)
    storeLane(type, lanes + size_t(j) * lane,
              loadScalar(type, memory + j * stride));
}

void TileRunner::storeRun(Type type, std::byte *memory, int64_t stride,
                          const std::byte *lanes, int64_t n) const {
  if (table.store(type, memory, stride, lanes, size_t(n)))
    return;
  size_t lane = laneBytes(laneOf(type));
  for (int64_t j = 0; j < n; ++j)
    storeScalar(type, memory + j * stride,
                loadLane(type, lanes + size_t(j) * lane));
}

bool TileRunner::isWholeValid(size_t r) const {
  size_t range = plan.firstRange[r];
  for (const isa::ValidRange &valid : kernel.reads[r].valid) {
    int64_t row = plan.row.coefficients[range] * (rows - 1);
    int64_t column = plan.column.coefficients[range] * (columns - 1);
    int64_t low = positions[range] + std::min<int64_t>(row, 0) +
                  std::min<int64_t>(column, 0);
    int64_t high = positions[range] + std::max<int64_t>(row, 0) +
                   std::max<int64_t>(column, 0);
    if (low < 0 || high >= valid.size)
      return false;
    ++range;
  }
  return true;
}

static int64_t floorDiv(int64_t a, int64_t b) {
  int64_t q = a / b;
  return q - (a % b != 0 && (a < 0) != (b < 0));
}

/// Row i of a tile, with the fill value outside the valid ranges.
void TileRunner::loadRow(size_t r, int64_t i, std::byte *lanes) {
  const isa::Access &access = kernel.reads[r];
  int64_t begin = 0, end = columns;
  size_t range = plan.firstRange[r];
  for (const isa::ValidRange &valid : access.valid) {
    int64_t first = positions[range] + plan.row.coefficients[range] * i;
    int64_t step = plan.column.coefficients[range++];
    if (step == 0) {
      if (first < 0 || first >= valid.size)
        end = 0;
      continue;
    }
    // 0 <= first + step·j < size, with the ends swapped for negative steps.
    int64_t low = step > 0 ? 0 : valid.size - 1;
    int64_t high = step > 0 ? valid.size - 1 : 0;
    begin = std::max(begin, -floorDiv(first - low, step));
    end = std::min(end, floorDiv(high - first, step) + 1);
  }
  begin = std::min(begin, columns);
  end = std::max(end, begin);
  size_t lane = laneBytes(laneOf(access.type));
  auto fill = [&](int64_t from, int64_t to) {
    if (from >= to)
      return;
    storeLane(access.type, lanes + size_t(from) * lane,
              fromDouble(access.type, access.fill));
    for (int64_t j = from + 1; j < to; ++j)
      std::memcpy(lanes + size_t(j) * lane, lanes + size_t(from) * lane, lane);
  };
  fill(0, begin);
  int64_t stride = plan.column.strides[r];
  loadRun(access.type, lanes + size_t(begin) * lane,
          frame.reads[r] + at[r] + plan.row.strides[r] * i + stride * begin,
          stride, end - begin);
  fill(end, columns);
}

void TileRunner::loadRead(size_t r) {
  const isa::Access &access = kernel.reads[r];
  const PlanRegister &reg = plan.registers[r];
  const std::byte *address = frame.reads[r] + at[r];
  int64_t rowStride = plan.row.strides[r];
  int64_t columnStride = plan.column.strides[r];
  int64_t size = int64_t(isa::sizeOf(access.type));
  bool valid = access.valid.empty() || isWholeValid(r);
  bool inMemory = isLaneInMemory(access.type) && valid;

  if (reg.scalar) {
    if (inMemory) {
      values[r] = {address, true};
      return;
    }
    std::byte *lane = buffer(reg.buffer);
    storeLane(access.type, lane,
              valid ? loadScalar(access.type, address)
                    : fromDouble(access.type, access.fill));
    values[r] = {lane, true};
    return;
  }
  bool contiguous = (columnStride == size || columns == 1) &&
                    (rows == 1 || rowStride == columns * size);
  if (inMemory && contiguous && !(aliases.reads[r] && yieldsReads)) {
    values[r] = {address, false};
    return;
  }
  std::byte *block = buffer(reg.buffer);
  values[r] = {block, false};
  Held &known = held[r];
  bool repeats = access.valid.empty() && !aliases.reads[r];
  if (repeats && known.address == address && known.rows == rows &&
      known.columns == columns)
    return;
  size_t lane = laneBytes(laneOf(access.type));
  size_t rowBytes = size_t(columns) * lane;
  if (valid && columns == 1) {
    loadRun(access.type, block, address, rowStride, rows);
  } else if (valid && contiguous) {
    loadRun(access.type, block, address, size, lanes());
  } else {
    bool sameRows = access.valid.empty() && rowStride == 0;
    for (int64_t i = 0; i < rows; ++i) {
      std::byte *row = block + size_t(i) * rowBytes;
      if (i > 0 && sameRows)
        std::memcpy(row, block, rowBytes);
      else
        loadRow(r, i, row);
    }
  }
  if (repeats)
    known = {address, rows, columns};
}

/// Lanes to memory along the tile; `width` is 1 where a lane stands for a row.
void TileRunner::storeLanes(size_t w, Value value, int64_t width) {
  const isa::Access &access = kernel.writes[w].access;
  size_t operand = kernel.reads.size() + w;
  std::byte *address = frame.writes[w] + at[operand];
  int64_t rowStride = plan.row.strides[operand];
  int64_t columnStride = plan.column.strides[operand];
  int64_t size = int64_t(isa::sizeOf(access.type));
  auto *data = static_cast<const std::byte *>(value.data);
  size_t lane = laneBytes(laneOf(access.type));
  if (value.scalar) {
    std::byte *repeated = buffer(plan.buffers);
    fillLanes(access.type, repeated, loadLane(access.type, data), rows * width);
    data = repeated;
  }
  if (width == 1) {
    storeRun(access.type, address, rowStride, data, rows);
    return;
  }
  if (rows == 1 || (columnStride == size && rowStride == width * size)) {
    storeRun(access.type, address, columnStride, data, rows * width);
    return;
  }
  for (int64_t i = 0; i < rows; ++i)
    storeRun(access.type, address + rowStride * i, columnStride,
             data + size_t(i * width) * lane, width);
}

//===----------------------------------------------------------------------===//
// Micro-ops
//===----------------------------------------------------------------------===//

void TileRunner::writeIndex(const isa::MicroOp &op, std::byte *out,
                            bool scalar) const {
  int dim = int(op.immediate);
  Scalar value;
  value.i = coordinates[size_t(dim)];
  size_t lane = laneBytes(laneOf(op.type));
  if (scalar) {
    storeLane(op.type, out, normalize(op.type, value));
    return;
  }
  int64_t alongRow = plan.row.index == dim;
  int64_t alongColumn = plan.column.index == dim;
  auto write = [&]<typename T>(T *lanes) {
    for (int64_t i = 0; i < rows; ++i, lanes += columns) {
      T first = T(uint64_t(value.i + i * alongRow));
      if (alongColumn)
        std::iota(lanes, lanes + columns, first);
      else
        std::fill(lanes, lanes + columns, first);
    }
  };
  if (op.type == Type::I64)
    return write(reinterpret_cast<uint64_t *>(out));
  if (op.type == Type::I32)
    return write(reinterpret_cast<uint32_t *>(out));
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j) {
      Scalar here;
      here.i = value.i + i * alongRow + j * alongColumn;
      storeLane(op.type, out, normalize(op.type, here));
      out += lane;
    }
}

void TileRunner::applyOp(const isa::MicroOp &op, std::byte *out,
                         int64_t n) const {
  blocks::Call call{MicroOpcode(op.op),
                    op.type,
                    plan.registers[op.operands[0]].type,
                    op.immediate,
                    out,
                    {},
                    {},
                    size_t(n)};
  size_t count = std::min<size_t>(op.operands.size(), 3);
  bool anyVector = false;
  for (size_t i = 0; i < count; ++i)
    anyVector |= !values[op.operands[i]].scalar;
  for (size_t i = 0; i < count; ++i) {
    call.operands[i] = values[op.operands[i]].data;
    call.scalar[i] = values[op.operands[i]].scalar && anyVector;
  }
  bool vectors = plan.vectorForm[size_t(&op - kernel.body.ops.data())];
  if (!vectors || !table.apply(call))
    evaluateLanes(op, call);
}

/// Lane by lane, for ops and values without a vector form.
void TileRunner::evaluateLanes(const isa::MicroOp &op,
                               const blocks::Call &call) const {
  size_t count = std::min<size_t>(op.operands.size(), 3);
  Type types[3] = {};
  for (size_t i = 0; i < count; ++i)
    types[i] = plan.registers[op.operands[i]].type;
  size_t lane = laneBytes(laneOf(op.type));
  auto *out = static_cast<std::byte *>(call.out);
  for (size_t j = 0; j < call.n; ++j) {
    Scalar operands[3] = {};
    for (size_t i = 0; i < count; ++i) {
      size_t offset = call.scalar[i] ? 0 : j * laneBytes(laneOf(types[i]));
      operands[i] = loadLane(
          types[i], static_cast<const std::byte *>(call.operands[i]) + offset);
    }
    storeLane(op.type, out + j * lane, evaluate(op, types, operands));
  }
}

std::byte *TileRunner::directTarget(size_t op) const {
  int w = plan.directWrite[op];
  if (w < 0)
    return nullptr;
  bool last = op + 1 == kernel.body.ops.size();
  if (aliases.writes[size_t(w)] && (!last || yieldsReads))
    return nullptr;
  size_t operand = kernel.reads.size() + size_t(w);
  int64_t size = int64_t(isa::sizeOf(kernel.writes[size_t(w)].access.type));
  bool contiguous = (plan.column.strides[operand] == size || columns == 1) &&
                    (rows == 1 || plan.row.strides[operand] == columns * size);
  return contiguous ? frame.writes[size_t(w)] + at[operand] : nullptr;
}

Status TileRunner::runTile() {
  auto isHoisted = [&](size_t number) {
    return hoisting && plan.home[number] != kVaries;
  };
  if (hoisting)
    stepHoisted();
  for (size_t r = 0; r < kernel.reads.size(); ++r)
    if (!isHoisted(r))
      loadRead(r);
  std::fill(stored.begin(), stored.end(), false);
  size_t load = 0;
  for (size_t i = 0; i < kernel.body.ops.size(); ++i) {
    const isa::MicroOp &op = kernel.body.ops[i];
    const PlanRegister &result = plan.registers[firstOp + i];
    if (MicroOpcode(op.op) == MicroOpcode::ArithConstant)
      continue;
    if (isHoisted(firstOp + i))
      continue;
    std::byte *out = buffer(result.buffer), *direct = directTarget(i);
    if (direct) {
      out = direct;
      stored[size_t(plan.directWrite[i])] = true;
    }
    int64_t n = result.scalar ? 1 : lanes();
    values[firstOp + i] = {out, result.scalar};
    if (MicroOpcode(op.op) == MicroOpcode::TileIndex)
      writeIndex(op, out, result.scalar);
    else if (MicroOpcode(op.op) == MicroOpcode::TileLoad) {
      bool known =
          hoisting && !result.scalar &&
          loadHoisted(op, loads[load], out, direct, values[firstOp + i]);
      ++load;
      if (known)
        continue;
      if (hoisting)
        placeAll(op);
      if (Status status = loadTable(op, out, n); !status.ok())
        return status;
    } else
      applyOp(op, out, n);
  }
  // Carried values change last: others may still want the old ones.
  for (size_t w = 0; w < kernel.writes.size(); ++w)
    if (!reduces(w) && !stored[w])
      storeLanes(w, values[kernel.body.yields[w]], columns);
  for (bool carries : {false, true})
    for (size_t w = 0; w < kernel.writes.size(); ++w)
      if (reduces(w) && (kernel.writes[w].kind == WriteKind::Carry) == carries)
        accumulate(w);
  return success();
}
