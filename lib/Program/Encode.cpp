//===- Encode.cpp - instructions to bytes ---------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One `field` per type of field; docs/ISA.md describes the encoding. Every
// value has exactly one encoding, so equal programs have equal bytes.
//
//===----------------------------------------------------------------------===//

#include "Encoding.h"

#include <cstring>

using namespace mho;
using namespace mho::isa;

namespace {

class Writer {
public:
  explicit Writer(std::vector<uint8_t> &bytes) : bytes(bytes) {}

  void byte(uint8_t value) { bytes.push_back(value); }
  void varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7)
      byte(uint8_t(value) | 0x80);
    byte(uint8_t(value));
  }
  void zigzag(int64_t value) {
    varint((uint64_t(value) << 1) ^ uint64_t(value >> 63));
  }
  /// Slot number + 1, so that none is 0.
  void slot(int32_t value) { varint(uint32_t(value) + uint32_t(1)); }

  void field(uint32_t value) { varint(value); }
  void field(uint64_t value) { varint(value); }
  void field(int32_t value) { slot(value); }
  void field(int64_t value) { zigzag(value); }
  void field(bool value) { byte(value); }
  void field(WriteKind kind) { byte(uint8_t(kind)); }

  template <typename T> void field(const std::vector<T> &list) {
    varint(list.size());
    for (const T &element : list)
      field(element);
  }

  void field(const Extent &extent) {
    slot(extent.slot);
    zigzag(extent.max);
  }
  void field(const SlotTerm &term) {
    varint(term.slot);
    zigzag(term.stride);
  }
  void field(const ValidRange &range) {
    zigzag(range.offset);
    zigzag(range.size);
    field(range.coefficients);
  }
  void field(const Access &access) {
    uint64_t fill;
    std::memcpy(&fill, &access.fill, sizeof fill);
    uint8_t flags = (access.slots.empty() ? 0 : kHasSlots) |
                    (access.valid.empty() ? 0 : kHasValid) |
                    (fill == 0 ? 0 : kHasFill);
    byte(uint8_t(access.type));
    byte(uint8_t(access.space) | flags);
    zigzag(access.offset);
    field(access.strides);
    if (flags & kHasSlots)
      field(access.slots);
    if (flags & kHasValid)
      field(access.valid);
    if (flags & kHasFill)
      for (unsigned i = 0; i < 8; ++i)
        byte(uint8_t(fill >> (8 * i)));
  }
  void field(const Write &write) {
    field(write.access);
    field(write.kind);
    field(write.fromMemory);
    varint(write.init);
  }
  void field(const MicroOp &op) {
    varint(op.op);
    byte(uint8_t(op.type));
    varint(op.immediate);
    field(op.operands);
  }
  void field(const Table &table) {
    field(table.access);
    field(table.sizes);
  }
  void field(const KernelBody &body) {
    field(body.ops);
    field(body.yields);
    field(body.tables);
  }
  /// The instructions themselves follow in the flat list.
  void field(const Body &body) { varint(body.end - body.begin); }

private:
  std::vector<uint8_t> &bytes;
};

} // namespace

void isa::encode(std::span<const Instruction> list,
                 std::vector<uint8_t> &bytes) {
  Writer writer(bytes);
  for (const Instruction &instruction : list)
    std::visit(
        [&](const auto &op) {
          writer.varint(uint64_t(op.opcode));
          forEachField(op, [&](const char *, const auto &member) {
            writer.field(member);
          });
        },
        instruction);
}
