//===- ReferenceKernels.cpp - what a kernel means
//---------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One point after the other, one scalar after the other. Slow, and the measure
// of everything else.
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"
#include "Scalar.h"

#include <array>

using namespace mho;
using namespace mho::rt;
using isa::MicroOpcode;
using isa::WriteKind;

namespace {
using Point = std::array<int64_t, isa::kMaxDims>;

/// One write that reduces: a row of partial results per element.
struct Reduction {
  std::vector<bool> reduced; ///< per dimension
  int innermost = -1;        ///< the dimension that numbers the partials
  std::vector<Scalar> partials;
};

class Reference {
public:
  Reference(const isa::Kernel &kernel, const KernelFrame &frame)
      : kernel(kernel), frame(frame), dims(kernel.dims.size()) {}
  Status run();

private:
  int64_t linear(const std::vector<int64_t> &strides) const {
    int64_t sum = 0;
    for (size_t d = 0; d < dims; ++d)
      sum += strides[d] * point[d];
    return sum;
  }
  const std::byte *address(const isa::Access &access,
                           const std::byte *base) const {
    return base + linear(access.strides) * int64_t(isa::sizeOf(access.type));
  }
  Scalar read(size_t i) const;
  Status evaluateBody();
  Status loadTable(const isa::MicroOp &op, Scalar &result);
  size_t elementOf(const Reduction &reduction) const;
  void startReductions();
  void store(size_t w, Scalar value);
  void finishReduction(size_t w);
  template <typename F> Status forEachPoint(F &&body);

  const isa::Kernel &kernel;
  const KernelFrame &frame;
  size_t dims;
  Point point{};
  std::vector<Scalar> registers;
  std::vector<isa::Type> types;
  std::vector<Reduction> reductions; ///< per write, unused ones empty
};
} // namespace

Scalar Reference::read(size_t i) const {
  const isa::Access &access = kernel.reads[i];
  for (const isa::ValidRange &range : access.valid) {
    int64_t position = range.offset + linear(range.coefficients);
    if (position < 0 || position >= range.size)
      return fromDouble(access.type, access.fill);
  }
  return loadScalar(access.type, address(access, frame.reads[i]));
}

Status Reference::loadTable(const isa::MicroOp &op, Scalar &result) {
  const isa::Table &table = kernel.body.tables[op.immediate];
  int64_t place = 0;
  for (size_t i = 0; i < table.sizes.size(); ++i) {
    int64_t index = registers[op.operands[i]].i;
    if (index < 0 || index >= table.sizes[i])
      return failure("index " + std::to_string(index) +
                     " is out of range, the dimension has " +
                     std::to_string(table.sizes[i]) + " elements");
    place += index * table.access.strides[i];
  }
  isa::Type type = table.access.type;
  result = loadScalar(type, frame.tables[op.immediate] +
                                place * int64_t(isa::sizeOf(type)));
  return success();
}

Status Reference::evaluateBody() {
  registers.clear();
  for (size_t i = 0; i < kernel.reads.size(); ++i)
    registers.push_back(read(i));
  for (size_t w = 0; w < kernel.writes.size(); ++w) {
    const isa::Write &write = kernel.writes[w];
    if (write.kind != WriteKind::Carry)
      continue;
    bool first = !write.fromMemory;
    for (size_t d = 0; d < dims; ++d)
      first &= write.access.strides[d] != 0 || point[d] == 0;
    registers.push_back(
        first ? fromBits(write.access.type, write.init)
              : loadScalar(write.access.type,
                           address(write.access, frame.writes[w])));
  }
  for (const isa::MicroOp &op : kernel.body.ops) {
    Scalar result;
    result.i = 0;
    switch (MicroOpcode(op.op)) {
    case MicroOpcode::ArithConstant:
      result = fromBits(op.type, op.immediate);
      break;
    case MicroOpcode::TileIndex:
      result.i = point[op.immediate];
      result = normalize(op.type, result);
      break;
    case MicroOpcode::TileLoad:
      if (Status s = loadTable(op, result); !s.ok())
        return s;
      break;
    default: {
      Scalar operands[3] = {};
      isa::Type operandTypes[3] = {};
      for (size_t i = 0; i < op.operands.size() && i < 3; ++i) {
        operands[i] = registers[op.operands[i]];
        operandTypes[i] = types[op.operands[i]];
      }
      result = evaluate(op, operandTypes, operands);
    }
    }
    registers.push_back(result);
  }
  return success();
}

size_t Reference::elementOf(const Reduction &reduction) const {
  size_t element = 0;
  for (size_t d = 0; d < dims; ++d)
    if (!reduction.reduced[d])
      element = element * size_t(frame.extents[d]) + size_t(point[d]);
  return element;
}

void Reference::startReductions() {
  reductions.resize(kernel.writes.size());
  for (size_t w = 0; w < kernel.writes.size(); ++w) {
    const isa::Write &write = kernel.writes[w];
    if (write.kind == WriteKind::Store || write.kind == WriteKind::Carry)
      continue;
    Reduction &reduction = reductions[w];
    size_t elements = 1;
    for (size_t d = 0; d < dims; ++d) {
      bool reduced = write.access.strides[d] == 0;
      reduction.reduced.push_back(reduced);
      if (!reduced)
        elements *= size_t(frame.extents[d]);
      else if (kernel.dims[d].max > 1)
        reduction.innermost = int(d);
    }
    reduction.partials.assign(elements * kPartials,
                              identityOf(write.kind, write.access.type));
  }
}

void Reference::store(size_t w, Scalar value) {
  const isa::Write &write = kernel.writes[w];
  if (write.kind == WriteKind::Store || write.kind == WriteKind::Carry) {
    auto *memory =
        const_cast<std::byte *>(address(write.access, frame.writes[w]));
    storeScalar(write.access.type, memory, value);
    return;
  }
  Reduction &reduction = reductions[w];
  size_t partial = reduction.innermost < 0
                       ? 0
                       : size_t(point[reduction.innermost] % kPartials);
  Scalar &into = reduction.partials[elementOf(reduction) * kPartials + partial];
  into = combine(write.kind, write.access.type, into, value);
}

void Reference::finishReduction(size_t w) {
  const isa::Write &write = kernel.writes[w];
  isa::Type type = write.access.type;
  Scalar *partials =
      &reductions[w].partials[elementOf(reductions[w]) * kPartials];
  for (int64_t step = kPartials / 2; step; step /= 2)
    for (int64_t i = 0; i < step; ++i)
      partials[i] = combine(write.kind, type, partials[i], partials[i + step]);
  auto *memory =
      const_cast<std::byte *>(address(write.access, frame.writes[w]));
  Scalar first =
      write.fromMemory ? loadScalar(type, memory) : fromBits(type, write.init);
  storeScalar(type, memory, combine(write.kind, type, first, partials[0]));
}

template <typename F> Status Reference::forEachPoint(F &&body) {
  for (size_t d = 0; d < dims; ++d)
    if (frame.extents[d] == 0)
      return success();
  point = {};
  for (;;) {
    if (Status s = body(); !s.ok())
      return s;
    size_t d = dims;
    while (d > 0 && ++point[d - 1] == frame.extents[d - 1])
      point[--d] = 0;
    if (d == 0)
      return success();
  }
}

Status Reference::run() {
  for (const isa::Access &access : kernel.reads)
    types.push_back(access.type);
  for (const isa::Write &write : kernel.writes)
    if (write.kind == WriteKind::Carry)
      types.push_back(write.access.type);
  for (const isa::MicroOp &op : kernel.body.ops)
    types.push_back(op.type);

  startReductions();
  Status status = forEachPoint([&] {
    if (Status s = evaluateBody(); !s.ok())
      return s;
    for (size_t w = 0; w < kernel.writes.size(); ++w)
      store(w, registers[kernel.body.yields[w]]);
    return success();
  });
  if (!status.ok())
    return status;

  for (size_t w = 0; w < kernel.writes.size(); ++w) {
    if (reductions[w].reduced.empty() && reductions[w].partials.empty())
      continue;
    // Once per element: reduced dimensions stand still.
    std::vector<int64_t> extents(frame.extents.begin(), frame.extents.end());
    for (size_t d = 0; d < dims; ++d)
      if (reductions[w].reduced[d])
        extents[d] = 1;
    KernelFrame elements = frame;
    elements.extents = extents;
    Reference finisher(kernel, elements);
    finisher.reductions = std::move(reductions);
    (void)finisher.forEachPoint([&] {
      finisher.finishReduction(w);
      return success();
    });
    reductions = std::move(finisher.reductions);
  }
  return success();
}

Status rt::runReference(const isa::Kernel &kernel, const KernelFrame &frame) {
  return Reference(kernel, frame).run();
}
