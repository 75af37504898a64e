//===- VerifyStream.cpp - what the instructions of a unit touch
//-------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bounds.h"
#include "KernelBody.h"
#include "Verifier.h"

#include <algorithm>
#include <variant>

using namespace mho;
using namespace mho::rt;
using namespace mho::isa;

namespace {
/// Nothing real comes near; sums of a few such products fit `Wide`.
constexpr int64_t kLargest = kLargestStride;

/// The functions that checkFields calls, each noting the first fault.
class StreamVerifier {
public:
  StreamVerifier(const LoadedProgram &program, const fb::Entry &entry,
                 uint32_t unit)
      : program(program), entry(entry),
        unit(*program.program().units()->Get(unit)), unitNumber(unit),
        codeNumber(entry.codes()->Get(unit)),
        code(*program.program().codes()->Get(codeNumber)),
        list(program.codes[codeNumber]) {}

  Status run();

  // Called by checkFields.
  void arrayIndex(const char *name, uint32_t value);
  void channelIndex(const char *name, uint32_t value);
  void slotIndex(const char *name, uint32_t value);
  void optionalSlot(const char *name, int32_t value);
  void number(const char *, uint64_t) {}
  void flag(const char *, bool) {}
  void strides(const char *, const std::vector<int64_t> &) {}
  void combineKind(const char *name, WriteKind kind);
  void extent(const char *name, const Extent &extent);
  void extents(const char *name, const std::vector<Extent> &extents);
  void access(const char *name, const Access &access, Direction direction,
              const std::vector<Extent> &dims);
  /// Accesses without extents: `extraInstructionChecks` looks at them.
  void access(const char *, const Access &) {}
  void accesses(const char *name, const std::vector<Access> &accesses,
                Direction direction, const std::vector<Extent> &dims);
  void writes(const char *name, const std::vector<Write> &writes,
              const std::vector<Extent> &dims);
  void kernelBody(const char *, const KernelBody &) {}
  void body(const char *name, const Body &body);
  Extent columns(uint32_t array);

private:
  void fault(std::string message) {
    if (error.ok())
      error = failure(std::move(message));
  }
  size_t slots() const { return code.slots() ? code.slots()->size() : 0; }
  const fb::Array *array(uint32_t index) const;
  bool sane(const char *name, const std::vector<int64_t> &values);
  void reach(const char *name, const Access &access,
             const std::vector<Extent> &dims);
  Bounds elements(const Access &access, const std::vector<Extent> &dims);
  bool spaceOf(const Access &access, Wide &size);

  void extra(const Mvm &op);
  void extra(const Kernel &op);
  void extra(const Contract &op);
  void extra(const Copy &op);
  void extra(const Send &op);
  void extra(const Recv &op);
  void extra(const Loop &op);
  void extra(const Branch &) {}
  void extra(const Sort &op);
  void extra(const Scatter &op);
  void extra(const Compact &op);
  void extra(const End &) {}
  void message(uint32_t channel, const std::vector<Extent> &dims, Type type,
               bool sends);

  const LoadedProgram &program;
  const fb::Entry &entry;
  const fb::Unit &unit;
  uint32_t unitNumber, codeNumber;
  const fb::Code &code;
  const std::vector<Instruction> &list;
  size_t current = 0;
  Status error;
};
} // namespace

static bool isEmpty(const std::vector<Extent> &dims) {
  return std::any_of(dims.begin(), dims.end(),
                     [](const Extent &e) { return e.max == 0; });
}

//===----------------------------------------------------------------------===//
// Fields
//===----------------------------------------------------------------------===//

const fb::Array *StreamVerifier::array(uint32_t index) const {
  if (!unit.arrays() || index >= unit.arrays()->size())
    return nullptr;
  return program.program().arrays()->Get(unit.arrays()->Get(index));
}

void StreamVerifier::arrayIndex(const char *name, uint32_t value) {
  if (!array(value))
    fault(std::string(name) + " " + std::to_string(value) +
          " is not an array of the unit, which has " +
          std::to_string(unit.arrays() ? unit.arrays()->size() : 0));
}

Extent StreamVerifier::columns(uint32_t index) {
  const fb::Array *place = array(index);
  if (!place)
    return {0, kNoSlot};
  const fb::Bank &bank = *program.program().banks()->Get(place->bank());
  uint32_t block = place->col_block();
  return {int64_t(bank.col_splits()->Get(block + 1) -
                  bank.col_splits()->Get(block)),
          kNoSlot};
}

void StreamVerifier::channelIndex(const char *name, uint32_t value) {
  if (!unit.channels() || value >= unit.channels()->size())
    fault(std::string(name) + " " + std::to_string(value) +
          " is not a channel of the unit, which has " +
          std::to_string(unit.channels() ? unit.channels()->size() : 0));
}

void StreamVerifier::slotIndex(const char *name, uint32_t value) {
  if (value >= slots())
    fault(std::string(name) + " names slot " + std::to_string(value) +
          ", the program has " + std::to_string(slots()));
}

void StreamVerifier::optionalSlot(const char *name, int32_t value) {
  if (value < kNoSlot)
    fault(std::string(name) + " names a negative slot");
  else if (value != kNoSlot)
    slotIndex(name, uint32_t(value));
}

void StreamVerifier::combineKind(const char *name, WriteKind kind) {
  if (unsigned(kind) >= unsigned(WriteKind::Carry))
    fault(std::string(name) + " is no way to combine");
}

void StreamVerifier::extent(const char *name, const Extent &extent) {
  if (extent.max < 0 || extent.max > kLargest)
    return fault(std::string(name) + " has extent " +
                 std::to_string(extent.max));
  optionalSlot(name, extent.slot);
  if (!error.ok() || extent.slot == kNoSlot)
    return;
  const fb::Slot &slot = *code.slots()->Get(uint32_t(extent.slot));
  if (slot.min() < 0 || slot.max() > extent.max)
    fault(std::string(name) + " is bounded by " + std::to_string(extent.max) +
          ", its slot by [" + std::to_string(slot.min()) + ", " +
          std::to_string(slot.max()) + "]");
}

void StreamVerifier::extents(const char *name,
                             const std::vector<Extent> &extents) {
  if (extents.size() > kMaxDims)
    return fault(std::string(name) + " has " + std::to_string(extents.size()) +
                 " dimensions, at most " + std::to_string(kMaxDims) +
                 " are possible");
  Wide product = 1;
  for (const Extent &each : extents) {
    extent(name, each);
    if (!error.ok())
      return;
    product *= std::max<int64_t>(each.max, 1);
    if (product > kLargest)
      return fault(std::string(name) + " has too many points");
  }
}

bool StreamVerifier::sane(const char *name,
                          const std::vector<int64_t> &values) {
  for (int64_t value : values)
    if (value > kLargest || value < -kLargest) {
      fault(std::string(name) + " has a stride of " + std::to_string(value));
      return false;
    }
  return true;
}

bool StreamVerifier::spaceOf(const Access &access, Wide &size) {
  switch (access.space) {
  case Space::Scratch:
    size = code.scratch_bytes();
    return true;
  case Space::Const:
    size = Wide(program.file->constants().size()) - Wide(unit.const_base());
    return true;
  case Space::Io:
    size = unitNumber == 0 ? entry.io_bytes() : 0;
    return true;
  case Space::Slot:
    size = Wide(slots()) * 8;
    return true;
  }
  return false;
}

/// Bounds of Σ stride·dim + Σ slot terms, in elements.
Bounds StreamVerifier::elements(const Access &access,
                                const std::vector<Extent> &dims) {
  Bounds best = boundElements(access, dims);
  if (best.low > best.high)
    return best;
  for (const SlotTerm &term : access.slots) {
    const fb::Slot &slot = *code.slots()->Get(term.slot);
    best.addScaled(term.stride, slot.min(), slot.max());
  }
  return best;
}

void StreamVerifier::reach(const char *name, const Access &access,
                           const std::vector<Extent> &dims) {
  if (access.strides.size() != dims.size())
    return fault(std::string(name) + " has " +
                 std::to_string(access.strides.size()) + " strides for " +
                 std::to_string(dims.size()) + " dimensions");
  if (unsigned(access.type) >= kNumTypes)
    return fault(std::string(name) + " has an unknown element type");
  if (!sane(name, access.strides))
    return;
  for (const SlotTerm &term : access.slots) {
    slotIndex(name, term.slot);
    if (!error.ok() || !sane(name, {term.stride}))
      return;
    const fb::Slot &slot = *code.slots()->Get(term.slot);
    if (slot.min() < -kLargest || slot.max() > kLargest)
      return fault(std::string(name) + " is addressed by slot " +
                   std::to_string(term.slot) + ", which has no useful bounds");
  }
  for (const ValidRange &range : access.valid) {
    if (range.coefficients.size() != dims.size())
      return fault(std::string(name) + " has a valid range of another rank");
    if (!sane(name, range.coefficients) || range.size < 0 ||
        range.size > kLargest || range.offset > kLargest ||
        range.offset < -kLargest)
      return fault(std::string(name) + " has a valid range without bounds");
  }
  Wide size;
  if (!spaceOf(access, size))
    return fault(std::string(name) + " is in an unknown space");
  Wide bytes = sizeOf(access.type);
  if (access.offset % int64_t(bytes) != 0)
    return fault(std::string(name) + " is at " + std::to_string(access.offset) +
                 ", not aligned to " + nameOf(access.type));
  if (access.space == Space::Slot && bytes != 8)
    return fault(std::string(name) + " reaches a slot as " +
                 nameOf(access.type) + ", slots hold 8 bytes");
  if (isEmpty(dims))
    return;
  Bounds range = elements(access, dims);
  if (range.low > range.high)
    return;
  Wide low = Wide(access.offset) + range.low * bytes;
  Wide high = Wide(access.offset) + (range.high + 1) * bytes;
  if (low < 0 || high > size)
    fault(std::string(name) + " reaches bytes [" +
          std::to_string(int64_t(low)) + ", " + std::to_string(int64_t(high)) +
          ") of the " + nameOf(access.space) + " space, which has " +
          std::to_string(int64_t(size)));
}

void StreamVerifier::access(const char *name, const Access &access,
                            Direction direction,
                            const std::vector<Extent> &dims) {
  if (!error.ok())
    return;
  if (direction == Direction::Write) {
    if (access.space == Space::Const)
      return fault(std::string(name) + " writes to the constant space");
    if (!access.valid.empty())
      return fault(std::string(name) + " has valid ranges, which only reads "
                                       "may have");
  }
  reach(name, access, dims);
}

void StreamVerifier::accesses(const char *name,
                              const std::vector<Access> &accesses,
                              Direction direction,
                              const std::vector<Extent> &dims) {
  for (const Access &each : accesses)
    access(name, each, direction, dims);
}

void StreamVerifier::writes(const char *name, const std::vector<Write> &writes,
                            const std::vector<Extent> &dims) {
  for (const Write &write : writes) {
    if (unsigned(write.kind) >= kNumWriteKinds)
      return fault(std::string(name) + " has an unknown kind");
    access(name, write.access, Direction::Write, dims);
    // An element without points still gets its first value.
    std::vector<Extent> kept = dims;
    for (size_t d = 0; d < dims.size() && d < write.access.strides.size(); ++d)
      if (write.access.strides[d] == 0)
        kept[d].max = 1;
    access(name, write.access, Direction::Write, kept);
    if (write.access.space == Space::Slot && write.access.type != Type::I64)
      fault(std::string(name) + " stores " + nameOf(write.access.type) +
            " in a slot, which holds i64");
    bool bitwise = write.kind == WriteKind::And ||
                   write.kind == WriteKind::Or || write.kind == WriteKind::Xor;
    if (bitwise && isFloat(write.access.type))
      fault(std::string(name) + " combines floats bit by bit");
  }
}

void StreamVerifier::body(const char *name, const Body &body) {
  if (body.begin > body.end || body.end > list.size() || body.begin <= current)
    fault(std::string(name) + " is [" + std::to_string(body.begin) + ", " +
          std::to_string(body.end) + ") of " + std::to_string(list.size()) +
          " instructions");
}

//===----------------------------------------------------------------------===//
// What a single field does not tell
//===----------------------------------------------------------------------===//

static Wide points(const std::vector<Extent> &dims) {
  Wide product = 1;
  for (const Extent &extent : dims)
    product *= extent.max;
  return product;
}

static bool hasSlot(const std::vector<Extent> &dims) {
  return std::any_of(dims.begin(), dims.end(),
                     [](const Extent &e) { return e.slot != kNoSlot; });
}

void StreamVerifier::extra(const Mvm &op) {
  const fb::Array &place = *array(op.array);
  const fb::Bank &bank = *program.program().banks()->Get(place.bank());
  uint64_t rows = bank.row_splits()->Get(place.row_block() + 1) -
                  bank.row_splits()->Get(place.row_block());
  if (hasSlot(op.inner))
    return fault("inner extents must be immediates");
  if (Wide(op.firstRow) + rows > points(op.inner))
    return fault(
        "inner extents have " + std::to_string(int64_t(points(op.inner))) +
        " points, the array reads rows " + std::to_string(op.firstRow) +
        " to " + std::to_string(op.firstRow + rows));
  if (op.counts.size() + op.inner.size() > kMaxDims)
    return fault("counts and inner have more than " + std::to_string(kMaxDims) +
                 " dimensions together");
  if (op.input.type != Type::F32 || op.output.type != Type::F32)
    fault("input and output must be f32");
}

void StreamVerifier::extra(const Kernel &op) {
  for (size_t i = 0; i < op.body.tables.size(); ++i) {
    const Table &table = op.body.tables[i];
    std::vector<Extent> sizes;
    for (int64_t size : table.sizes)
      sizes.push_back({size, kNoSlot});
    extents("table", sizes);
    if (!table.access.valid.empty())
      fault("table has valid ranges");
    access("table", table.access, Direction::Read, sizes);
  }
  if (!error.ok())
    return;
  Status status = verifyKernelBody(op);
  if (!status.ok())
    fault(status.message());
}

void StreamVerifier::extra(const Contract &op) {
  if (op.batch.size() + op.rows.size() + op.columns.size() + op.inner.size() >
      kMaxDims)
    return fault("more than " + std::to_string(kMaxDims) + " dimensions");
  Type lhs = op.lhs.type, rhs = op.rhs.type, out = op.output.type;
  auto byteWide = [](Type t) { return t == Type::I8 || t == Type::U8; };
  bool floats = lhs == Type::F32 && rhs == Type::F32 && out == Type::F32;
  bool ints = byteWide(lhs) && byteWide(rhs) && out == Type::I32;
  if (!floats && !ints)
    return fault(std::string("types are ") + nameOf(lhs) + ", " + nameOf(rhs) +
                 " and " + nameOf(out) +
                 ", possible are f32 or 8-bit integers into i32");
  size_t before = op.batch.size() + op.rows.size() + op.columns.size();
  for (size_t d = before; d < op.output.strides.size(); ++d)
    if (op.output.strides[d] != 0)
      fault("the output has a stride in an inner dimension");
  if (!op.lhs.valid.empty() || !op.rhs.valid.empty())
    fault("operands of contract have no valid ranges");
  // A sum over nothing is 0 and is stored.
  std::vector<Extent> dims = join({op.batch, op.rows, op.columns, op.inner});
  for (size_t d = before; d < dims.size(); ++d)
    dims[d].max = 1;
  access("output", op.output, Direction::Write, dims);
}

void StreamVerifier::extra(const Copy &op) {
  if (op.from.type != op.to.type)
    fault("copies " + std::string(nameOf(op.from.type)) + " to " +
          nameOf(op.to.type));
  if (op.to.space == Space::Slot && op.to.type != Type::I64)
    fault("slots hold i64");
}

void StreamVerifier::message(uint32_t index, const std::vector<Extent> &dims,
                             Type type, bool sends) {
  const fb::Channel &channel =
      *program.program().channels()->Get(unit.channels()->Get(index));
  if ((sends ? channel.from() : channel.to()) != unitNumber)
    return fault("channel " + std::to_string(index) + " belongs to unit " +
                 std::to_string(sends ? channel.from() : channel.to()));
  if (points(dims) * sizeOf(type) != Wide(channel.bytes()))
    fault("the message has " +
          std::to_string(int64_t(points(dims) * sizeOf(type))) +
          " bytes, the channel's have " + std::to_string(channel.bytes()));
}

void StreamVerifier::extra(const Send &op) {
  message(op.channel, op.dims, op.from.type, true);
}

void StreamVerifier::extra(const Recv &op) {
  message(op.channel, op.dims, op.to.type, false);
  if (op.to.space == Space::Slot && op.to.type != Type::I64)
    fault("slots hold i64");
}

void StreamVerifier::extra(const Loop &op) {
  const fb::Slot &slot = *code.slots()->Get(op.index);
  if (op.trips.max > 0 && (slot.min() > 0 || slot.max() < op.trips.max - 1))
    fault("the index slot is declared [" + std::to_string(slot.min()) + ", " +
          std::to_string(slot.max()) + "] but takes values up to " +
          std::to_string(op.trips.max - 1));
}

void StreamVerifier::extra(const Sort &op) {
  if (op.dims.empty())
    return fault("sorting needs a dimension");
  if (op.count.max > op.dims.back().max)
    fault("keeps " + std::to_string(op.count.max) + " of " +
          std::to_string(op.dims.back().max) + " elements");
  if (op.values.type != op.input.type || op.indices.type != Type::I64)
    fault("values must have the input's type and indices be i64");
  if (op.values.space == Space::Slot || op.indices.space == Space::Slot)
    fault("results must not be slots");
}

void StreamVerifier::extra(const Scatter &op) {
  if (op.indices.size() != op.sizes.size() ||
      op.indices.size() != op.placeStrides.size())
    return fault("has " + std::to_string(op.indices.size()) + " indices, " +
                 std::to_string(op.sizes.size()) + " sizes and " +
                 std::to_string(op.placeStrides.size()) + " strides");
  if (op.dims.size() + op.sizes.size() > kMaxDims)
    return fault("has more than " + std::to_string(kMaxDims) + " dimensions");
  for (const Access &index : op.indices)
    if (index.type != Type::I64)
      fault("indices must be i64");
  if (op.updates.type != op.to.type)
    fault("updates and destination have different types");
  if (op.to.space == Space::Slot)
    fault("the destination must not be a slot");
  bool bitwise = op.kind == WriteKind::And || op.kind == WriteKind::Or ||
                 op.kind == WriteKind::Xor;
  if (bitwise && isFloat(op.to.type))
    fault("combines floats bit by bit");
  Access whole = op.to;
  whole.strides.insert(whole.strides.end(), op.placeStrides.begin(),
                       op.placeStrides.end());
  access("to", whole, Direction::Write, join({op.dims, op.sizes}));
}

void StreamVerifier::extra(const Compact &op) {
  if (op.indices.type != Type::I64)
    fault("indices must be i64");
  if (op.indices.space == Space::Slot)
    fault("indices must not be slots");
  // Indices are written as [element, dimension].
  access("indices", op.indices, Direction::Write,
         {{int64_t(points(op.dims)), kNoSlot},
          {int64_t(op.dims.size()), kNoSlot}});
  const fb::Slot &slot = *code.slots()->Get(op.count);
  if (slot.min() > 0 || Wide(slot.max()) < points(op.dims))
    fault("the count's slot is declared [" + std::to_string(slot.min()) + ", " +
          std::to_string(slot.max()) + "] but there are up to " +
          std::to_string(int64_t(points(op.dims))));
}

Status StreamVerifier::run() {
  if (unit.const_base() > program.file->constants().size())
    return failure("unit " + std::to_string(unitNumber) +
                   " has its constants at " +
                   std::to_string(unit.const_base()) + ", outside the section");
  for (current = 0; current < list.size(); ++current) {
    std::visit(
        [&](const auto &op) {
          checkFields(op, *this);
          if (error.ok())
            extra(op);
        },
        list[current]);
    if (!error.ok())
      return std::move(error).within(
          describeInstruction(program, unitNumber, codeNumber, current));
  }
  return success();
}

Status rt::verifyStream(const LoadedProgram &program, const fb::Entry &entry,
                        uint32_t unit) {
  return StreamVerifier(program, entry, unit).run();
}
