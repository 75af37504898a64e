//===- Steps.cpp - an instruction as a stream of steps --------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Steps.h"

#include <algorithm>
#include <cmath>

using namespace mho;
using namespace mho::rt;

double mho::rt::pointsOf(std::span<const int64_t> extents) {
  double points = 1;
  for (int64_t extent : extents)
    points *= double(extent);
  return points;
}

double mho::rt::operationsOf(const isa::KernelBody &body) {
  double cost = 0;
  for (const isa::MicroOp &op : body.ops)
    if (const isa::MicroOpInfo *info = isa::microOpInfo(op.op))
      cost += info->cost;
  return cost;
}

double mho::rt::bytesMoved(const Stream &stream) {
  double bytes = 0;
  for (const Operand &operand : stream.operands) {
    if (operand.access->space == isa::Space::Slot)
      continue;
    double elements = 1;
    for (size_t d = 0; d < operand.extents.size(); ++d)
      if (d < operand.access->strides.size() && operand.access->strides[d])
        elements *= double(operand.extents[d]);
    bytes += elements * double(isa::sizeOf(operand.access->type)) *
             (operand.isUpdate ? 2 : 1);
  }
  return bytes;
}

Stream mho::rt::detail::finish(Stream stream) {
  stream.points = pointsOf(stream.extents);
  stream.bytes = bytesMoved(stream);
  return stream;
}

Cut mho::rt::cutSteps(std::span<const int64_t> extents, unsigned maxSteps) {
  Cut cut;
  for (size_t d = 0; d < extents.size(); ++d)
    if (extents[d] != 1) {
      cut.dim = unsigned(d);
      cut.extent = extents[d];
      cut.steps = std::clamp<int64_t>(extents[d], 1, maxSteps);
      break;
    }
  return cut;
}

std::optional<ByteRange> mho::rt::touched(const Operand &operand, unsigned dim,
                                          int64_t begin, int64_t end,
                                          std::span<const SlotRange> slots) {
  const isa::Access &access = *operand.access;
  size_t rank = std::min(operand.extents.size(), access.strides.size());
  auto first = [&](size_t d) {
    return operand.stepped && d == dim ? begin : 0;
  };
  auto last = [&](size_t d) {
    return (operand.stepped && d == dim && end >= 0 ? end
                                                    : operand.extents[d]) -
           1;
  };
  for (size_t d = 0; d < operand.extents.size(); ++d)
    if (last(d) < first(d))
      return std::nullopt;
  int64_t low = 0, high = 0;
  auto add = [&](int64_t stride, int64_t from, int64_t to) {
    low += std::min(stride * from, stride * to);
    high += std::max(stride * from, stride * to);
  };
  // A padded dimension's address moves with the index that its valid range
  // checks: what lies outside is not touched.
  uint32_t done = 0;
  for (const isa::ValidRange &valid : access.valid) {
    int64_t from = valid.offset, to = valid.offset;
    uint32_t dims = 0;
    int64_t ratio = 0;
    bool regular = true;
    for (size_t d = 0; d < std::min(rank, valid.coefficients.size()); ++d) {
      int64_t coefficient = valid.coefficients[d];
      if (!coefficient)
        continue;
      from += std::min(coefficient * first(d), coefficient * last(d));
      to += std::max(coefficient * first(d), coefficient * last(d));
      int64_t stride = access.strides[d];
      int64_t here = stride / coefficient;
      regular &= here * coefficient == stride && (!dims || here == ratio) &&
                 !(done & (1u << d));
      ratio = here;
      dims |= 1u << d;
    }
    from = std::max<int64_t>(from, 0);
    to = std::min<int64_t>(to, valid.size - 1);
    if (from > to)
      return std::nullopt;
    if (dims && regular) {
      add(ratio, from - valid.offset, to - valid.offset);
      done |= dims;
    }
  }
  for (size_t d = 0; d < rank; ++d)
    if (!(done & (1u << d)))
      add(access.strides[d], first(d), last(d));
  for (const isa::SlotTerm &term : access.slots)
    if (term.slot < slots.size())
      add(term.stride, slots[term.slot].low, slots[term.slot].high);
  int64_t size = int64_t(isa::sizeOf(access.type));
  return ByteRange{access.offset + low * size,
                   access.offset + (high + 1) * size};
}

Stream mho::rt::detail::describeKernel(const isa::Kernel &kernel,
                                       std::vector<int64_t> dims) {
  Stream stream;
  stream.extents = dims;
  for (const isa::Access &access : kernel.reads)
    stream.operands.push_back({&access, dims});
  for (const isa::Write &write : kernel.writes) {
    stream.operands.push_back(
        {&write.access, dims, true, true, write.fromMemory});
  }
  stream = finish(std::move(stream));
  for (const isa::Table &table : kernel.body.tables) {
    Operand operand{&table.access, table.sizes, false};
    stream.operands.push_back(std::move(operand));
    stream.bytes += stream.points * double(isa::sizeOf(table.access.type));
  }
  stream.operations = operationsOf(kernel.body);
  // A reduction's own operation.
  for (const isa::Write &write : kernel.writes)
    if (write.kind != isa::WriteKind::Store &&
        write.kind != isa::WriteKind::Carry)
      stream.operations += 1;
  return stream;
}

Stream mho::rt::detail::describeContract(const isa::Contract &contract,
                                         std::vector<int64_t> dims,
                                         size_t inner) {
  Stream stream;
  stream.operands = {{&contract.lhs, dims},
                     {&contract.rhs, dims},
                     {&contract.output, dims, true, true, contract.accumulate}};
  stream.extents = dims;
  stream = finish(std::move(stream));
  stream.extents.resize(dims.size() - inner);
  stream.operations = 2;
  return stream;
}

Stream mho::rt::detail::describeSort(const isa::Sort &sort,
                                     std::vector<int64_t> dims, int64_t count) {
  Stream stream;
  std::vector<int64_t> results = dims;
  int64_t length = dims.empty() ? 1 : dims.back();
  if (!results.empty())
    results.back() = count;
  stream.operands = {{&sort.input, dims},
                     {&sort.values, results, true, true},
                     {&sort.indices, results, true, true}};
  stream.extents = dims;
  stream = finish(std::move(stream));
  if (!dims.empty())
    stream.extents.pop_back();
  stream.operations = std::max(1.0, std::ceil(std::log2(double(length))));
  return stream;
}

Stream mho::rt::detail::describeScatter(const isa::Scatter &scatter,
                                        std::vector<int64_t> dims,
                                        std::vector<int64_t> sizes) {
  Stream stream;
  for (const isa::Access &access : scatter.indices)
    stream.operands.push_back({&access, dims});
  stream.operands.push_back({&scatter.updates, dims});
  stream.extents = dims;
  stream = finish(std::move(stream));
  stream.bytes += stream.points * double(isa::sizeOf(scatter.to.type));
  // Any place may be hit, so there is one step and it touches from the
  // access's own dimensions all that the places span.
  Operand to{&scatter.to, dims, true, true, true};
  stream.operands.push_back(std::move(to));
  stream.extents.clear();
  stream.operations = 1 + double(sizes.size());
  return stream;
}

Stream mho::rt::detail::describeCompact(const isa::Compact &compact,
                                        std::vector<int64_t> dims) {
  Stream stream;
  stream.operands = {{&compact.input, dims},
                     {&compact.indices, dims, true, true}};
  stream.extents = dims;
  stream = finish(std::move(stream));
  stream.extents.clear();
  stream.operations = 1;
  return stream;
}
