//===- KernelBody.cpp - a kernel's region as a register program -----------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Registers have no index type: an index is an i64. Casts between the two are
// no operations, casts to other widths become truncations and extensions.
//
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Tile/IR/TileInstructions.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mho;
using namespace mho::tile;

//===----------------------------------------------------------------------===//
// Region to registers
//===----------------------------------------------------------------------===//

namespace {
class Lowering {
public:
  Lowering(KernelOp kernel, isa::KernelBody &body)
      : kernel(kernel), body(body) {}

  LogicalResult run() {
    for (BlockArgument argument : kernel.getBody().getArguments())
      registers[argument] = next++;
    for (Operation &op : kernel.getBody().front())
      if (failed(lower(&op)))
        return failure();
    return success();
  }

private:
  LogicalResult lower(Operation *op) {
    if (auto yield = dyn_cast<YieldOp>(op)) {
      for (Value value : yield.getValues())
        body.yields.push_back(registers.lookup(value));
      return success();
    }
    if (llvm::isa<arith::IndexCastOp, arith::IndexCastUIOp>(op))
      return lowerIndexCast(op);
    std::optional<isa::MicroOpcode> opcode =
        isa::microOpcode(op->getName().getStringRef().str());
    if (!opcode || op->getNumResults() != 1)
      return op->emitError("cannot be part of a kernel: no micro-op does this");
    return append(op, *opcode);
  }

  LogicalResult append(Operation *op, isa::MicroOpcode opcode) {
    isa::MicroOp micro;
    micro.op = uint16_t(opcode);
    std::optional<isa::Type> type = elementTypeOf(op->getResult(0).getType());
    if (!type)
      return op->emitError("cannot be part of a kernel: no register holds ")
             << op->getResult(0).getType();
    micro.type = *type;
    for (Value operand : op->getOperands())
      micro.operands.push_back(registers.lookup(operand));
    if (failed(setImmediate(op, micro)))
      return failure();
    body.ops.push_back(std::move(micro));
    registers[op->getResult(0)] = next++;
    return success();
  }

  LogicalResult setImmediate(Operation *op, isa::MicroOp &micro) {
    return llvm::TypeSwitch<Operation *, LogicalResult>(op)
        .Case([&](arith::ConstantOp constant) -> LogicalResult {
          if (auto value = dyn_cast<IntegerAttr>(constant.getValue()))
            micro.immediate = value.getValue().getZExtValue();
          else if (auto value = dyn_cast<FloatAttr>(constant.getValue()))
            micro.immediate = value.getValue().bitcastToAPInt().getZExtValue();
          else
            return op->emitError("cannot be part of a kernel: not a scalar");
          return success();
        })
        .Case([&](arith::CmpFOp compare) {
          micro.immediate = uint64_t(compare.getPredicate());
          return success();
        })
        .Case([&](arith::CmpIOp compare) {
          micro.immediate = uint64_t(compare.getPredicate());
          return success();
        })
        .Case([&](IndexOp index) {
          micro.immediate = index.getDim();
          return success();
        })
        .Case([&](LoadOp load) {
          const isa::Table &table = load.getTable().getValue();
          auto it = llvm::find(body.tables, table);
          micro.immediate = it - body.tables.begin();
          if (it == body.tables.end())
            body.tables.push_back(table);
          return success();
        })
        .Default([](Operation *) { return success(); });
  }

  LogicalResult lowerIndexCast(Operation *op) {
    Value from = op->getOperand(0);
    std::optional<isa::Type> source = elementTypeOf(from.getType()),
                             target = elementTypeOf(op->getResultTypes()[0]);
    if (!source || !target)
      return op->emitError("cannot be part of a kernel: no register holds ")
             << from.getType() << " or " << op->getResultTypes()[0];
    if (*source == *target) {
      registers[op->getResult(0)] = registers.lookup(from);
      return success();
    }
    bool widens = isa::sizeOf(*target) == 8;
    if (!widens)
      return append(op, isa::MicroOpcode::ArithTrunci);
    return append(op, llvm::isa<arith::IndexCastUIOp>(op)
                          ? isa::MicroOpcode::ArithExtui
                          : isa::MicroOpcode::ArithExtsi);
  }

  KernelOp kernel;
  isa::KernelBody &body;
  DenseMap<Value, uint32_t> registers;
  uint32_t next = 0;
};

//===----------------------------------------------------------------------===//
// Registers to region
//===----------------------------------------------------------------------===//

class Raising {
public:
  Raising(OpBuilder &builder, KernelOp kernel, const isa::KernelBody &body)
      : builder(builder), kernel(kernel), body(body), loc(kernel.getLoc()) {}

  LogicalResult run() {
    Block *block = builder.createBlock(&kernel.getBody());
    auto addArgument = [&](isa::Type type) {
      registers.push_back(
          block->addArgument(registerType(builder.getContext(), type), loc));
    };
    for (AccessAttr read : kernel.getReads().getAsRange<AccessAttr>())
      addArgument(read.getValue().type);
    for (WriteAttr write : kernel.getWrites().getAsRange<WriteAttr>())
      if (write.getValue().kind == isa::WriteKind::Carry)
        addArgument(write.getValue().access.type);
    for (const isa::MicroOp &micro : body.ops)
      if (failed(raise(micro)))
        return failure();
    FailureOr<SmallVector<Value>> yields = valuesOf(body.yields);
    if (failed(yields))
      return failure();
    YieldOp::create(builder, loc, *yields);
    return success();
  }

private:
  FailureOr<SmallVector<Value>> valuesOf(ArrayRef<uint32_t> numbers) {
    SmallVector<Value> values;
    for (uint32_t number : numbers) {
      if (number >= registers.size())
        return kernel.emitError("its body names register ")
               << number << " of " << registers.size();
      values.push_back(registers[number]);
    }
    return values;
  }

  LogicalResult raise(const isa::MicroOp &micro) {
    const isa::MicroOpInfo *info = isa::microOpInfo(micro.op);
    if (!info)
      return kernel.emitError("its body holds the unknown micro-op ")
             << micro.op;
    if (info->operands >= 0 && micro.operands.size() != size_t(info->operands))
      return kernel.emitError("its body gives ")
             << micro.operands.size() << " operands to " << info->name;
    FailureOr<SmallVector<Value>> operands = valuesOf(micro.operands);
    if (failed(operands))
      return failure();
    StringRef name = info->name;
    // No register is an index; see above.
    if (micro.op == uint16_t(isa::MicroOpcode::ArithIndexCast))
      name = isa::sizeOf(micro.type) == 8 ? "arith.extsi" : "arith.trunci";
    Type type = registerType(builder.getContext(), micro.type);
    OperationState state(loc, name, *operands, type);
    if (failed(addImmediate(micro, type, state)))
      return failure();
    registers.push_back(builder.create(state)->getResult(0));
    return success();
  }

  LogicalResult addImmediate(const isa::MicroOp &micro, Type type,
                             OperationState &state) {
    switch (isa::MicroOpcode(micro.op)) {
    case isa::MicroOpcode::ArithConstant: {
      APInt bits =
          APInt(64, micro.immediate).trunc(type.getIntOrFloatBitWidth());
      TypedAttr value;
      if (auto real = dyn_cast<FloatType>(type))
        value =
            builder.getFloatAttr(type, APFloat(real.getFloatSemantics(), bits));
      else
        value = builder.getIntegerAttr(type, bits);
      state.addAttribute("value", value);
      return success();
    }
    case isa::MicroOpcode::ArithCmpf:
    case isa::MicroOpcode::ArithCmpi:
      state.addAttribute("predicate",
                         builder.getI64IntegerAttr(micro.immediate));
      return success();
    case isa::MicroOpcode::TileIndex:
      state.addAttribute("dim", builder.getI64IntegerAttr(micro.immediate));
      return success();
    case isa::MicroOpcode::TileLoad:
      if (micro.immediate >= body.tables.size())
        return kernel.emitError("its body loads from table ")
               << micro.immediate << " of " << body.tables.size();
      state.addAttribute("table", TableAttr::get(builder.getContext(),
                                                 body.tables[micro.immediate]));
      return success();
    default:
      return success();
    }
  }

  OpBuilder &builder;
  KernelOp kernel;
  const isa::KernelBody &body;
  Location loc;
  SmallVector<Value> registers;
};
} // namespace

LogicalResult tile::toKernelBody(KernelOp kernel, isa::KernelBody &body) {
  return Lowering(kernel, body).run();
}

LogicalResult tile::fromKernelBody(OpBuilder &builder, KernelOp kernel,
                                   const isa::KernelBody &body) {
  return Raising(builder, kernel, body).run();
}
