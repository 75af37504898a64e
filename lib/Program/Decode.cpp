//===- Decode.cpp - bytes to instructions ---------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The bytes may be anything. A list is never longer than the bytes that are
// left, bodies are a count over the flat list (no recursion), and every
// accepted stream encodes to the same bytes again. What fields mean is the
// verifier's matter.
//
//===----------------------------------------------------------------------===//

#include "Encoding.h"

#include <algorithm>
#include <cstring>

using namespace mho;
using namespace mho::isa;

namespace {

/// Reads fields; after the first fault everything reads as zero.
class Reader {
public:
  explicit Reader(std::span<const uint8_t> bytes) : bytes(bytes) {}

  bool atEnd() const { return bytes.empty(); }
  const char *fault() const { return why; }
  void fail(const char *what) {
    if (!why)
      why = what;
    bytes = {};
  }

  uint8_t byte() {
    if (bytes.empty()) {
      fail("ends within a field");
      return 0;
    }
    uint8_t value = bytes.front();
    bytes = bytes.subspan(1);
    return value;
  }

  uint64_t varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      uint8_t next = byte();
      if (why)
        return 0;
      if (shift == 63 && next > 1)
        break;
      value |= uint64_t(next & 0x7f) << shift;
      if (next < 0x80) {
        if (next == 0 && shift != 0)
          break;
        return value;
      }
    }
    fail("holds a number in a form that the encoder does not write");
    return 0;
  }

  int64_t zigzag() {
    uint64_t value = varint();
    return int64_t(value >> 1) ^ -int64_t(value & 1);
  }

  /// A varint of at most `max`.
  uint64_t upTo(uint64_t max) {
    uint64_t value = varint();
    if (value > max) {
      fail("holds a number that is too large for its field");
      return 0;
    }
    return value;
  }

  void field(const char *, uint32_t &value) { value = upTo(UINT32_MAX); }
  void field(const char *, uint64_t &value) { value = varint(); }
  void field(const char *, int32_t &slot) {
    slot = int32_t(int64_t(upTo(uint64_t(INT32_MAX) + 1)) - 1);
  }
  void field(const char *, int64_t &value) { value = zigzag(); }
  void field(const char *, bool &value) { value = enumeration(2) != 0; }
  void field(const char *, Type &type) { type = Type(enumeration(kNumTypes)); }
  void field(const char *, WriteKind &kind) {
    kind = WriteKind(enumeration(kNumWriteKinds));
  }

  template <typename T> void field(const char *name, std::vector<T> &list) {
    uint64_t size = varint();
    // Every element takes at least one byte, and memory grows only with
    // elements that were really there.
    if (size > bytes.size())
      return fail("ends within a list");
    for (uint64_t i = 0; i < size && !why; ++i)
      field(name, list.emplace_back());
  }

  void field(const char *name, Extent &extent) {
    field(name, extent.slot);
    field(name, extent.max);
  }
  void field(const char *name, SlotTerm &term) {
    field(name, term.slot);
    field(name, term.stride);
  }
  void field(const char *name, ValidRange &range) {
    field(name, range.offset);
    field(name, range.size);
    field(name, range.coefficients);
  }
  void field(const char *name, Access &access) {
    field(name, access.type);
    uint8_t packed = byte();
    uint8_t space = packed & kSpaceBits;
    if (space > uint8_t(Space::Slot) || (packed & 0x80))
      return fail("names an unknown memory space");
    access.space = Space(space);
    field(name, access.offset);
    field(name, access.strides);
    if (packed & kHasSlots)
      field(name, access.slots);
    if (packed & kHasValid)
      field(name, access.valid);
    uint64_t fill = 0;
    if (packed & kHasFill)
      for (unsigned i = 0; i < 8; ++i)
        fill |= uint64_t(byte()) << (8 * i);
    std::memcpy(&access.fill, &fill, sizeof fill);
    if (((packed & kHasSlots) && access.slots.empty()) ||
        ((packed & kHasValid) && access.valid.empty()) ||
        ((packed & kHasFill) && fill == 0))
      fail("flags a part of an access that is not there");
  }
  void field(const char *name, Write &write) {
    field(name, write.access);
    field(name, write.kind);
    field(name, write.fromMemory);
    field(name, write.init);
  }
  void field(const char *name, MicroOp &op) {
    op.op = uint16_t(upTo(UINT16_MAX));
    field(name, op.type);
    field(name, op.immediate);
    field(name, op.operands);
  }
  void field(const char *name, Table &table) {
    field(name, table.access);
    field(name, table.sizes);
  }
  void field(const char *name, KernelBody &body) {
    field(name, body.ops);
    field(name, body.yields);
    field(name, body.tables);
  }
  /// Only the count; decode() turns it into a range.
  void field(const char *, Body &body) {
    body.begin = 0;
    body.end = uint32_t(upTo(UINT32_MAX));
  }

private:
  uint8_t enumeration(unsigned count) {
    uint8_t value = byte();
    if (value >= count) {
      fail("holds an unknown type or kind");
      return 0;
    }
    return value;
  }

  std::span<const uint8_t> bytes;
  const char *why = nullptr;
};

/// Bodies that are open while the flat list grows.
class Nesting {
public:
  /// Closes the bodies that end before instruction `index`.
  void enter(uint32_t index) {
    while (!ends.empty() && ends.back() <= index)
      ends.pop_back();
  }

  /// Turns the counts in `op` into ranges behind `index`. Says what is wrong.
  template <typename Op> const char *place(Op &op, uint32_t index) {
    uint64_t next = uint64_t(index) + 1;
    uint64_t limit = ends.empty() ? UINT32_MAX : ends.back();
    size_t open = ends.size();
    forEachField(op, [&](const char *, auto &member) {
      if constexpr (std::is_same_v<std::decay_t<decltype(member)>, Body>) {
        uint64_t end = std::min(next + member.end, limit + 1);
        member.begin = uint32_t(next);
        member.end = uint32_t(end);
        if (end > next)
          ends.insert(ends.begin() + open, end);
        next = end;
      }
    });
    if (next > limit)
      return "has a body that reaches beyond its parent";
    return ends.size() > kMaxDepth ? "lies too deep in bodies" : nullptr;
  }

  /// Where the outermost open body ends; 0 when none is open.
  uint64_t lastEnd() const { return ends.empty() ? 0 : ends.front(); }

private:
  std::vector<uint64_t> ends; ///< innermost last, so never growing
};

} // namespace

Expected<std::vector<Instruction>> isa::decode(std::span<const uint8_t> bytes) {
  std::vector<Instruction> list;
  Reader reader(bytes);
  Nesting nesting;
  auto failAt = [&](const std::string &what) {
    return failure("instruction " + std::to_string(list.size()) + " " + what);
  };
  while (!reader.atEnd()) {
    uint32_t index = uint32_t(list.size());
    nesting.enter(index);
    uint64_t opcode = reader.varint();
    std::optional<Instruction> instruction;
    if (!reader.fault()) {
      instruction = emptyInstruction(opcode);
      if (!instruction)
        return failAt("has the unknown opcode " + std::to_string(opcode));
      const char *fault = std::visit(
          [&](auto &op) -> const char * {
            forEachField(op, [&](const char *name, auto &member) {
              reader.field(name, member);
            });
            return reader.fault() ? nullptr : nesting.place(op, index);
          },
          *instruction);
      if (fault)
        return failAt(fault);
    }
    if (reader.fault())
      return failAt(reader.fault());
    list.push_back(std::move(*instruction));
  }
  if (nesting.lastEnd() > list.size())
    return failure("the stream ends within a body");
  return list;
}
