//===- TileReductions.cpp - reductions and carries of a tile
//----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileRunner.h"

#include <algorithm>
#include <cstring>

using namespace mho;
using namespace mho::rt;
using isa::MicroOpcode;
using isa::Type;
using isa::WriteKind;

//===----------------------------------------------------------------------===//
// Reductions and carries
//===----------------------------------------------------------------------===//

/// The micro-op that does one step of a reduction.
static MicroOpcode stepOf(WriteKind kind, Type type) {
  bool isUnsigned = isa::isUnsigned(type);
  if (isa::isFloat(type))
    switch (kind) {
    case WriteKind::Mul:
      return MicroOpcode::ArithMulf;
    case WriteKind::Min:
      return MicroOpcode::ArithMinimumf;
    case WriteKind::Max:
      return MicroOpcode::ArithMaximumf;
    default:
      return MicroOpcode::ArithAddf;
    }
  switch (kind) {
  case WriteKind::Mul:
    return MicroOpcode::ArithMuli;
  case WriteKind::Min:
    return isUnsigned ? MicroOpcode::ArithMinui : MicroOpcode::ArithMinsi;
  case WriteKind::Max:
    return isUnsigned ? MicroOpcode::ArithMaxui : MicroOpcode::ArithMaxsi;
  case WriteKind::And:
    return MicroOpcode::ArithAndi;
  case WriteKind::Or:
    return MicroOpcode::ArithOri;
  case WriteKind::Xor:
    return MicroOpcode::ArithXori;
  default:
    return MicroOpcode::ArithAddi;
  }
}

void TileRunner::combineInto(size_t w, void *out, Value a, Value b,
                             int64_t n) const {
  Type type = kernel.writes[w].access.type;
  WriteKind kind = kernel.writes[w].kind;
  bool anyVector = !a.scalar || !b.scalar;
  blocks::Call call{stepOf(kind, type),
                    type,
                    type,
                    0,
                    out,
                    {a.data, b.data, nullptr},
                    {a.scalar && anyVector, b.scalar && anyVector, false},
                    size_t(anyVector ? n : 1)};
  bool repeats = !anyVector && n > 1;
  if (!repeats && table.apply(call))
    return;
  size_t lane = laneBytes(laneOf(type));
  auto *x = static_cast<const std::byte *>(a.data);
  auto *y = static_cast<const std::byte *>(b.data);
  auto *to = static_cast<std::byte *>(out);
  for (int64_t j = 0; j < n; ++j) {
    size_t offset = size_t(j) * lane;
    storeLane(type, to + offset,
              combine(kind, type, loadLane(type, x + (a.scalar ? 0 : offset)),
                      loadLane(type, y + (b.scalar ? 0 : offset))));
  }
}

void TileRunner::startAccumulators() {
  for (size_t w = 0; w < kernel.writes.size(); ++w) {
    const isa::Write &write = kernel.writes[w];
    Type type = write.access.type;
    if (write.kind == WriteKind::Carry) {
      if (!write.fromMemory) {
        fillLanes(type, accumulator(w), fromBits(type, write.init), lanes());
        continue;
      }
      size_t operand = kernel.reads.size() + w;
      size_t lane = laneBytes(laneOf(type));
      for (int64_t i = 0; i < rows; ++i)
        loadRun(type, accumulator(w) + size_t(i * columns) * lane,
                frame.writes[w] + at[operand] + plan.row.strides[operand] * i,
                plan.column.strides[operand], columns);
    } else if (reduces(w)) {
      bool order = isOrdered(write.kind, type);
      int64_t cells = plan.columnReduced
                          ? rows * kPartials
                          : lanes() * (order ? plan.partials : 1);
      fillLanes(type, accumulator(w), identityOf(write.kind, type), cells);
    }
  }
}

void TileRunner::accumulate(size_t w) {
  const isa::Write &write = kernel.writes[w];
  Type type = write.access.type;
  size_t lane = laneBytes(laneOf(type));
  Value value = values[kernel.body.yields[w]];
  auto *data = static_cast<const std::byte *>(value.data);
  std::byte *into = accumulator(w);
  if (write.kind == WriteKind::Carry) {
    if (value.scalar)
      fillLanes(type, into, loadLane(type, data), lanes());
    else if (data != into)
      std::memcpy(into, data, size_t(lanes()) * lane);
    return;
  }
  if (!plan.columnReduced) {
    int64_t part = isOrdered(write.kind, type) ? partial % kPartials : 0;
    into += size_t(part * lanes()) * lane;
    combineInto(w, into, {into, false}, value, lanes());
    return;
  }
  if (!value.scalar &&
      table.fold(write.kind, type, into, data, size_t(columns), size_t(rows)))
    return;
  for (int64_t i = 0; i < rows; ++i) {
    std::byte *partials = into + size_t(i * kPartials) * lane;
    const std::byte *row =
        data + (value.scalar ? 0 : size_t(i * columns) * lane);
    for (int64_t j = 0; j < columns; ++j) {
      std::byte *part = partials + size_t(j % kPartials) * lane;
      Scalar step = loadLane(type, row + (value.scalar ? 0 : size_t(j) * lane));
      storeLane(type, part,
                combine(write.kind, type, loadLane(type, part), step));
    }
  }
}

void TileRunner::finishAccumulators() {
  for (size_t w = 0; w < kernel.writes.size(); ++w) {
    const isa::Write &write = kernel.writes[w];
    Type type = write.access.type;
    size_t lane = laneBytes(laneOf(type));
    std::byte *sums = accumulator(w);
    if (!reduces(w))
      continue;
    if (write.kind == WriteKind::Carry) {
      storeLanes(w, {sums, false}, columns);
      continue;
    }
    int64_t width = plan.columnReduced ? 1 : columns;
    int64_t n = rows * width;
    if (plan.columnReduced) {
      bool done = table.tree(write.kind, type, sums, size_t(rows));
      for (int64_t i = 0; i < rows && !done; ++i) {
        std::byte *partials = sums + size_t(i * kPartials) * lane;
        for (int64_t step = kPartials / 2; step; step /= 2)
          combineInto(w, partials, {partials, false},
                      {partials + size_t(step) * lane, false}, step);
        std::memmove(sums + size_t(i) * lane, partials, lane);
      }
    } else {
      int64_t parts = isOrdered(write.kind, type) ? plan.partials : 1;
      for (int64_t step = kPartials / 2; step; step /= 2)
        for (int64_t p = 0; p < step && p + step < parts; ++p) {
          std::byte *part = sums + size_t(p * n) * lane;
          combineInto(w, part, {part, false},
                      {sums + size_t((p + step) * n) * lane, false}, n);
        }
    }
    std::byte *first = buffer(plan.buffers);
    if (write.fromMemory) {
      size_t operand = kernel.reads.size() + w;
      for (int64_t i = 0; i < rows; ++i)
        loadRun(type, first + size_t(i * width) * lane,
                frame.writes[w] + at[operand] + plan.row.strides[operand] * i,
                plan.column.strides[operand], width);
    } else {
      storeLane(type, first, fromBits(type, write.init));
    }
    combineInto(w, sums, {first, !write.fromMemory}, {sums, false}, n);
    storeLanes(w, {sums, false}, width);
  }
}
