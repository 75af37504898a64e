//===- TileInstructions.cpp - tile ops as instructions and back -----------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The conversion per op is generated from TileOps.td; here stand the
// conversions per field type, and bodies.
//
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Tile/IR/TileInstructions.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mho;
using namespace mho::tile;

//===----------------------------------------------------------------------===//
// Fields
//===----------------------------------------------------------------------===//

template <typename T> static void assign(T &member, T value) { member = value; }
static void assign(int32_t &slot, std::optional<uint32_t> value) {
  slot = value ? int32_t(*value) : isa::kNoSlot;
}
static void assign(isa::Extent &extent, ExtentAttr attr) {
  extent = attr.getValue();
}
static void assign(std::vector<isa::Extent> &extents, ExtentsAttr attr) {
  extents = attr.getValue().vec();
}
static void assign(isa::Access &access, AccessAttr attr) {
  access = attr.getValue();
}
static void assign(std::vector<isa::Access> &list, ArrayAttr attr) {
  for (AccessAttr access : attr.getAsRange<AccessAttr>())
    list.push_back(access.getValue());
}
static void assign(std::vector<isa::Write> &list, ArrayAttr attr) {
  for (WriteAttr write : attr.getAsRange<WriteAttr>())
    list.push_back(write.getValue());
}
static void assign(std::vector<int64_t> &list, ArrayRef<int64_t> values) {
  list = values.vec();
}
static void assign(isa::WriteKind &kind, CombineAttr attr) {
  kind = attr.getValue();
}

static Attribute attributeOf(OpBuilder &builder, uint32_t value) {
  return builder.getI32IntegerAttr(int32_t(value));
}
static Attribute attributeOf(OpBuilder &builder, uint64_t value) {
  return builder.getI64IntegerAttr(int64_t(value));
}
static Attribute attributeOf(OpBuilder &builder, int32_t slot) {
  return slot == isa::kNoSlot ? Attribute() : builder.getI32IntegerAttr(slot);
}
static Attribute attributeOf(OpBuilder &builder, bool flag) {
  return flag ? builder.getUnitAttr() : Attribute();
}
static Attribute attributeOf(OpBuilder &builder, const isa::Extent &extent) {
  return ExtentAttr::get(builder.getContext(), extent);
}
static Attribute attributeOf(OpBuilder &builder,
                             const std::vector<isa::Extent> &extents) {
  return ExtentsAttr::get(builder.getContext(), ArrayRef(extents));
}
static Attribute attributeOf(OpBuilder &builder, const isa::Access &access) {
  return AccessAttr::get(builder.getContext(), access);
}
static Attribute attributeOf(OpBuilder &builder,
                             const std::vector<isa::Access> &list) {
  return builder.getArrayAttr(
      llvm::map_to_vector(list, [&](const isa::Access &access) -> Attribute {
        return AccessAttr::get(builder.getContext(), access);
      }));
}
static Attribute attributeOf(OpBuilder &builder,
                             const std::vector<isa::Write> &list) {
  return builder.getArrayAttr(
      llvm::map_to_vector(list, [&](const isa::Write &write) -> Attribute {
        return WriteAttr::get(builder.getContext(), write);
      }));
}
static Attribute attributeOf(OpBuilder &builder,
                             const std::vector<int64_t> &strides) {
  return builder.getDenseI64ArrayAttr(strides);
}
static Attribute attributeOf(OpBuilder &builder, isa::WriteKind kind) {
  return CombineAttr::get(builder.getContext(), kind);
}

static void addAttribute(OperationState &state, StringRef name,
                         Attribute attribute) {
  if (attribute)
    state.addAttribute(name, attribute);
}

#include "mho/Program/TileConversions.cpp.inc"

//===----------------------------------------------------------------------===//
// Lists
//===----------------------------------------------------------------------===//

/// Appends a region's instructions and says which they are.
static LogicalResult appendBody(Region &region,
                                std::vector<LoweredInstruction> &list,
                                isa::Body &range) {
  range.begin = list.size();
  if (!region.empty() && failed(toInstructions(region.front(), list)))
    return failure();
  range.end = list.size();
  return success();
}

LogicalResult tile::toInstructions(Block &block,
                                   std::vector<LoweredInstruction> &list) {
  for (Operation &op : block) {
    std::optional<isa::Instruction> instruction = fieldsOf(&op);
    if (!instruction)
      return op.emitError("is not an instruction of the tile dialect");
    if (auto kernel = dyn_cast<KernelOp>(op))
      if (failed(
              toKernelBody(kernel, std::get<isa::Kernel>(*instruction).body)))
        return mlir::failure();
    size_t place = list.size();
    list.push_back({std::move(*instruction), &op});
    if (auto loop = dyn_cast<LoopOp>(op)) {
      isa::Body range;
      if (failed(appendBody(loop.getBody(), list, range)))
        return mlir::failure();
      std::get<isa::Loop>(list[place].instruction).body = range;
    } else if (auto branch = dyn_cast<BranchOp>(op)) {
      isa::Body then, otherwise;
      if (failed(appendBody(branch.getThen(), list, then)) ||
          failed(appendBody(branch.getOtherwise(), list, otherwise)))
        return mlir::failure();
      auto &lowered = std::get<isa::Branch>(list[place].instruction);
      lowered.then = then;
      lowered.otherwise = otherwise;
    }
  }
  return mlir::success();
}

namespace {
/// Builds ops for ranges of one flat list.
class Raiser {
public:
  Raiser(OpBuilder &builder, ArrayRef<isa::Instruction> list,
         llvm::function_ref<Location(size_t)> locationOf)
      : builder(builder), list(list), locationOf(locationOf) {}

  LogicalResult range(size_t begin, size_t end) {
    for (size_t i = begin; i < end;) {
      Location loc = locationOf(i);
      Operation *op = std::visit(
          [&](const auto &from) { return opOf(builder, loc, from); }, list[i]);
      size_t next = i + 1;
      if (auto kernel = dyn_cast<KernelOp>(op)) {
        OpBuilder::InsertionGuard guard(builder);
        if (failed(fromKernelBody(builder, kernel,
                                  std::get<isa::Kernel>(list[i]).body)))
          return failure();
      } else if (auto *loop = std::get_if<isa::Loop>(&list[i])) {
        if (failed(body(op, 0, loop->body, next, end)))
          return failure();
      } else if (auto *branch = std::get_if<isa::Branch>(&list[i])) {
        if (failed(body(op, 0, branch->then, next, end)) ||
            failed(body(op, 1, branch->otherwise, next, end)))
          return failure();
      }
      i = next;
    }
    return success();
  }

private:
  /// A body that begins at `next` and ends before `limit`.
  LogicalResult body(Operation *op, unsigned region, isa::Body range,
                     size_t &next, size_t limit) {
    if (range.begin != next || range.end < range.begin || range.end > limit)
      return op->emitError("has a body that does not follow it");
    OpBuilder::InsertionGuard guard(builder);
    builder.createBlock(&op->getRegion(region));
    next = range.end;
    return this->range(range.begin, range.end);
  }

  OpBuilder &builder;
  ArrayRef<isa::Instruction> list;
  llvm::function_ref<Location(size_t)> locationOf;
};
} // namespace

LogicalResult
tile::fromInstructions(OpBuilder &builder, ArrayRef<isa::Instruction> list,
                       llvm::function_ref<Location(size_t)> locationOf) {
  return Raiser(builder, list, locationOf).range(0, list.size());
}
