//===- Costs.cpp - what an instruction takes on a chip
//---------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Costs.h"

#include <algorithm>
#include <cmath>

using namespace mho;
using namespace mho::rt;

static uint64_t blockExtent(const flatbuffers::Vector<uint64_t> *splits,
                            uint32_t block) {
  if (!splits || block + 1 >= splits->size())
    return 0;
  return splits->Get(block + 1) - splits->Get(block);
}

uint64_t rt::blockRows(const fb::Program &program, const fb::Array &array) {
  return blockExtent(program.banks()->Get(array.bank())->row_splits(),
                     array.row_block());
}

uint64_t rt::blockColumns(const fb::Program &program, const fb::Array &array) {
  return blockExtent(program.banks()->Get(array.bank())->col_splits(),
                     array.col_block());
}

CostModel::CostModel(const fb::Program &program)
    : program(program), chip(*program.chip()) {}

void CostModel::noteOnce(const std::string &note) {
  if (std::find(notes.begin(), notes.end(), note) == notes.end())
    notes.push_back(note);
}

uint32_t CostModel::resourceNamed(uint32_t unit, const std::string &name) {
  auto [it, isNew] =
      numbers.try_emplace({unit, name}, uint32_t(resources.size()));
  if (isNew) {
    Resource resource;
    const fb::Unit &owner = *program.units()->Get(unit);
    resource.name = (owner.name() ? owner.name()->str() : "") + " " + name;
    resource.unit = unit;
    resources.push_back(std::move(resource));
  }
  return it->second;
}

std::vector<isa::Extent>
CostModel::dimsOf(const isa::Instruction &instruction) {
  return std::visit(
      [](const auto &op) -> std::vector<isa::Extent> {
        using Op = std::decay_t<decltype(op)>;
        if constexpr (std::is_same_v<Op, isa::Mvm>)
          return op.counts;
        else if constexpr (std::is_same_v<Op, isa::Contract>)
          return isa::join({op.batch, op.rows, op.columns, op.inner});
        else if constexpr (std::is_same_v<Op, isa::Loop> ||
                           std::is_same_v<Op, isa::Branch> ||
                           std::is_same_v<Op, isa::End>)
          return {};
        else
          return op.dims;
      },
      instruction);
}

/// Bytes of the elements that an access names, each counted once.
static double bytesOf(const isa::Access &access, const Chunking &cut) {
  double elements = 1;
  for (size_t d = 0; d < cut.extents.size() && d < access.strides.size(); ++d)
    if (access.strides[d] != 0)
      elements *= double(cut.extents[d]);
  return elements * double(isa::sizeOf(access.type));
}

Cost CostModel::price(uint32_t unit, const isa::Mvm &op, const Chunking &cut) {
  Cost cost;
  const fb::Unit &owner = *program.units()->Get(unit);
  cost.array = owner.arrays()->Get(op.array);
  const fb::Array &array = *program.arrays()->Get(cost.array);
  const fb::UnitKind &kind = *chip.kinds()->Get(owner.kind());
  double columns = double(blockColumns(program, array));
  cost.resource = resourceNamed(unit, "array " + std::to_string(array.index()));
  cost.vectors = uint64_t(cut.points());
  double vectors = double(cost.vectors);
  cost.macs = vectors * columns * double(blockRows(program, array));
  double outputs = vectors * columns;
  if (const fb::Arrays *arrays = kind.arrays()) {
    cost.postTime = columns * arrays->post_ns_per_output() * 1e-9;
    cost.energy.digital = outputs * arrays->post_energy_pj_per_output() * 1e-12;
  }
  cost.energy.digital += vectors * kind.energy_nj_per_vector() * 1e-9;
  if (chip.read_modes() && chip.read_mode() < chip.read_modes()->size()) {
    const fb::ReadMode &mode = *chip.read_modes()->Get(chip.read_mode());
    cost.vectorTime = mode.latency_ns() * 1e-9;
    cost.energy.mvm = vectors * mode.energy_nj() * 1e-9;
    cost.energy.converters = vectors * mode.converter_energy_nj() * 1e-9;
  }
  cost.busy = vectors * std::max(cost.vectorTime, cost.postTime);
  return cost;
}

Cost CostModel::priceOfSend(uint32_t unit, const isa::Send &op,
                            const Chunking &cut) {
  Cost cost;
  const fb::Unit &sender = *program.units()->Get(unit);
  const fb::Channel &channel =
      *program.channels()->Get(sender.channels()->Get(op.channel));
  const fb::Unit &receiver = *program.units()->Get(channel.to());
  auto serves = [&](const flatbuffers::String *name, const fb::Unit &end) {
    return name && (name->string_view() == "*" ||
                    name->string_view() ==
                        chip.kinds()->Get(end.kind())->name()->string_view());
  };
  cost.bytesSent = cut.points() * double(isa::sizeOf(op.from.type));
  for (uint32_t i = 0; chip.links() && i < chip.links()->size(); ++i) {
    const fb::Link &link = *chip.links()->Get(i);
    if (!serves(link.from(), sender) || !serves(link.to(), receiver))
      continue;
    cost.resource = resourceNamed(unit, "link " + link.from()->str() + " to " +
                                            link.to()->str());
    cost.tail = link.latency_ns() * 1e-9;
    if (link.bytes_per_ns() > 0)
      cost.busy = cost.bytesSent / link.bytes_per_ns() * 1e-9;
    cost.energy.communication =
        cost.bytesSent * link.energy_pj_per_byte() * 1e-12;
    return cost;
  }
  noteOnce("the chip file has no link from '" +
           chip.kinds()->Get(sender.kind())->name()->str() + "' to '" +
           chip.kinds()->Get(receiver.kind())->name()->str() +
           "': such transfers take no time");
  return cost;
}

/// Work of a digital unit: scalar operations, elements moved, bytes touched.
Cost CostModel::priceOfWork(uint32_t unit, double operations, double elements,
                            double bytes) {
  Cost cost;
  const fb::UnitKind &kind =
      *chip.kinds()->Get(program.units()->Get(unit)->kind());
  cost.microOps = operations;
  const fb::Digital *digital = kind.digital();
  if (!digital) {
    noteOnce("units of kind '" + kind.name()->str() +
             "' have no digital part in the chip file: their kernels and "
             "copies take no time");
    return cost;
  }
  cost.energy.digital = operations * digital->energy_pj_per_op() * 1e-12;
  cost.energy.memory = bytes * digital->energy_pj_per_byte() * 1e-12;
  double rate = digital->lanes() * digital->clock_ghz() * 1e9;
  // Without a bandwidth of its own, memory gives the lanes what they ask
  // for, and moving an element takes a lane for one cycle.
  double slots =
      digital->bytes_per_ns() > 0 ? operations : std::max(operations, elements);
  double compute = rate > 0 ? slots / rate : 0;
  double move =
      digital->bytes_per_ns() > 0 ? bytes / digital->bytes_per_ns() * 1e-9 : 0;
  bool moves = operations == 0 && digital->bytes_per_ns() > 0;
  if (move > 0) {
    cost.second = resourceNamed(unit, "memory port");
    cost.secondBusy = move;
  }
  cost.resource = resourceNamed(unit, moves ? "memory port" : "digital");
  cost.busy = std::max(compute, move);
  cost.startup = digital->start_ns() * 1e-9;
  if (moves)
    cost.second = kNoResource;
  return cost;
}

Cost CostModel::priceOf(uint32_t unit, const isa::Instruction &instruction,
                        const Chunking &cut) {
  double points = cut.points();
  if (auto *op = std::get_if<isa::Mvm>(&instruction))
    return price(unit, *op, cut);
  if (auto *op = std::get_if<isa::Send>(&instruction))
    return priceOfSend(unit, *op, cut);
  if (auto *op = std::get_if<isa::Copy>(&instruction))
    return priceOfWork(unit, 0, points,
                       bytesOf(op->from, cut) + bytesOf(op->to, cut));
  if (auto *op = std::get_if<isa::Kernel>(&instruction)) {
    double each = 0, bytes = 0;
    for (const isa::MicroOp &micro : op->body.ops)
      if (const isa::MicroOpInfo *info = isa::microOpInfo(micro.op))
        each += info->cost;
    for (const isa::Access &read : op->reads)
      bytes += bytesOf(read, cut);
    for (const isa::Write &write : op->writes) {
      bytes += bytesOf(write.access, cut);
      // A reduction combines once per point.
      if (write.kind != isa::WriteKind::Store &&
          write.kind != isa::WriteKind::Carry)
        each += 1;
    }
    for (const isa::Table &table : op->body.tables)
      bytes += points * double(isa::sizeOf(table.access.type));
    return priceOfWork(unit, each * points, points, bytes);
  }
  if (auto *op = std::get_if<isa::Contract>(&instruction))
    return priceOfWork(unit, 2 * points, points,
                       bytesOf(op->lhs, cut) + bytesOf(op->rhs, cut) +
                           bytesOf(op->output, cut));
  if (auto *op = std::get_if<isa::Sort>(&instruction)) {
    double length = op->dims.empty() ? 1 : double(op->dims.back().max);
    return priceOfWork(unit, points * std::max(1.0, std::log2(length)), points,
                       2 * bytesOf(op->input, cut));
  }
  if (auto *op = std::get_if<isa::Scatter>(&instruction)) {
    double bytes = 2 * bytesOf(op->updates, cut);
    for (const isa::Access &index : op->indices)
      bytes += bytesOf(index, cut);
    return priceOfWork(unit, points * double(1 + op->indices.size()), points,
                       bytes);
  }
  if (auto *op = std::get_if<isa::Compact>(&instruction))
    return priceOfWork(unit, points, points, 2 * bytesOf(op->input, cut));
  return {}; // recv waits; loops, branches and the end are the stream's own
}
