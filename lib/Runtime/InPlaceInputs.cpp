//===- InPlaceInputs.cpp - inputs that need not be copied -----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "InPlaceInputs.h"

#include "AccessWalk.h"

#include <algorithm>
#include <variant>

using namespace mho;
using namespace mho::rt;
using namespace mho::isa;

/// Looks at every access to the io space. checkFields says which there are.
class InPlaceInputs::Walk : public AccessWalk {
public:
  Walk(InPlaceInputs &result, const StreamContext &context)
      : AccessWalk(context), result(result) {}

  void visit(const Instruction &instruction) {
    std::visit(
        [&](const auto &op) {
          checkFields(op, *this);
          extra(op);
        },
        instruction);
  }
  /// Nothing may be known of what touches these bytes.
  void exclude(ByteRange bytes) {
    for (Input &input : result.inputs)
      input.inPlace &=
          bytes.end <= input.bytes.begin || input.bytes.end <= bytes.begin;
  }

  // Called by checkFields.
  void access(const char *, const Access &access, Direction direction,
              const Dims &dims) {
    if (access.space != Space::Io)
      return;
    // Nothing touched is a range without bytes.
    ByteRange bytes = reach(access, dims)
                          .value_or(ByteRange{int64_t(access.offset),
                                              int64_t(access.offset)});
    for (size_t i = 0; direction == Direction::Read && i < result.inputs.size();
         ++i) {
      ByteRange own = result.inputs[i].bytes;
      if (own.begin <= bytes.begin && bytes.end <= own.end) {
        result.numbers.emplace(&access, i);
        return;
      }
    }
    exclude(bytes);
  }
  /// Accesses without extents write: `extra` knows how far.
  void access(const char *, const Access &) {}
  void accesses(const char *, const std::vector<Access> &accesses,
                Direction direction, const Dims &dims) {
    for (const Access &one : accesses)
      access("", one, direction, dims);
  }
  void writes(const char *, const std::vector<Write> &writes,
              const Dims &dims) {
    for (const Write &write : writes) {
      access("", write.access, Direction::Write, dims);
      // An element without points still gets its first value.
      Dims kept = dims;
      for (size_t d = 0; d < dims.size(); ++d)
        if (write.access.strides[d] == 0)
          kept[d].max = 1;
      access("", write.access, Direction::Write, kept);
    }
  }

private:
  void extra(const Kernel &op) {
    for (const Table &table : op.body.tables)
      access("", table.access, Direction::Read, dimsOf(table));
  }
  void extra(const Contract &op) {
    access("", op.output, Direction::Write, writtenBy(op));
  }
  void extra(const Scatter &op) {
    access("", wholeOf(op), Direction::Write, join({op.dims, op.sizes}));
  }
  void extra(const Compact &op) {
    int64_t points = 1;
    for (const Extent &extent : op.dims)
      points *= extent.max;
    access("", op.indices, Direction::Write,
           {{points, kNoSlot}, {int64_t(op.dims.size()), kNoSlot}});
  }
  template <typename Op> void extra(const Op &) {}

  InPlaceInputs &result;
};

InPlaceInputs::InPlaceInputs(const std::vector<ByteRange> &places,
                             const std::vector<ByteRange> &outputs,
                             std::span<const Instruction> list,
                             const StreamContext &context) {
  for (ByteRange bytes : places)
    inputs.push_back({bytes, bytes.begin < bytes.end});
  Walk walk(*this, context);
  for (const Instruction &instruction : list)
    walk.visit(instruction);
  for (ByteRange bytes : outputs)
    walk.exclude(bytes);
  // Inputs that share bytes, which no program of ours has.
  std::vector<Input> all = inputs;
  for (size_t i = 0; i < all.size(); ++i)
    for (size_t j = 0; j < all.size(); ++j)
      if (i != j && all[i].bytes.begin < all[j].bytes.end &&
          all[j].bytes.begin < all[i].bytes.end)
        inputs[i].inPlace = false;
  std::erase_if(numbers,
                [&](const auto &one) { return !inputs[one.second].inPlace; });
}
