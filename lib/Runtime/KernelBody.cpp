//===- KernelBody.cpp - checks a kernel's register program
//------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelBody.h"

#include "Kernel/Scalar.h"

using namespace mho;
using namespace mho::rt;
using namespace mho::isa;

/// Signedness is the instruction's business, so types of one width agree.
static bool sameRegister(Type a, Type b) {
  if (a == b)
    return true;
  return !isFloat(a) && !isFloat(b) && rt::bitsOf(a) == rt::bitsOf(b);
}

static Status wrongType(const MicroOp &op, Type type) {
  return failure(std::string(microOpInfo(op.op)->name) +
                 " does not take a value of type " + nameOf(type));
}

/// Operand and result types of one micro-op.
static Status checkTypes(const MicroOp &op, const std::vector<Type> &types,
                         const Kernel &kernel) {
  auto operand = [&](size_t i) { return types[op.operands[i]]; };
  MicroOpcode code = MicroOpcode(op.op);
  switch (code) {
  case MicroOpcode::ArithConstant:
    return success();
  case MicroOpcode::TileIndex:
    if (op.immediate >= kernel.dims.size())
      return failure("tile.index names dimension " +
                     std::to_string(op.immediate) + " of " +
                     std::to_string(kernel.dims.size()));
    return isFloat(op.type) ? wrongType(op, op.type) : success();
  case MicroOpcode::TileLoad: {
    if (op.immediate >= kernel.body.tables.size())
      return failure("tile.load names table " + std::to_string(op.immediate) +
                     " of " + std::to_string(kernel.body.tables.size()));
    const Table &table = kernel.body.tables[op.immediate];
    if (op.operands.size() != table.sizes.size() ||
        table.sizes.size() != table.access.strides.size())
      return failure("tile.load has " + std::to_string(op.operands.size()) +
                     " indices for a table of " +
                     std::to_string(table.sizes.size()));
    for (size_t i = 0; i < op.operands.size(); ++i)
      if (isFloat(operand(i)))
        return wrongType(op, operand(i));
    return sameRegister(op.type, table.access.type) ? success()
                                                    : wrongType(op, op.type);
  }
  case MicroOpcode::ArithSelect:
    if (operand(0) != Type::Bool)
      return wrongType(op, operand(0));
    if (!sameRegister(operand(1), op.type))
      return wrongType(op, operand(1));
    return sameRegister(operand(2), op.type) ? success()
                                             : wrongType(op, operand(2));
  case MicroOpcode::ArithCmpf:
  case MicroOpcode::ArithCmpi:
    if (isFloat(operand(0)) != (code == MicroOpcode::ArithCmpf))
      return wrongType(op, operand(0));
    if (!sameRegister(operand(0), operand(1)))
      return wrongType(op, operand(1));
    if (op.immediate > (code == MicroOpcode::ArithCmpf ? 15u : 9u))
      return failure("a comparison has predicate " +
                     std::to_string(op.immediate));
    return op.type == Type::Bool ? success() : wrongType(op, op.type);
  case MicroOpcode::MathIsnan:
  case MicroOpcode::MathIsinf:
    if (!isFloat(operand(0)))
      return wrongType(op, operand(0));
    return op.type == Type::Bool ? success() : wrongType(op, op.type);
  case MicroOpcode::ArithExtf:
  case MicroOpcode::ArithTruncf:
    return isFloat(operand(0)) && isFloat(op.type) ? success()
                                                   : wrongType(op, operand(0));
  case MicroOpcode::ArithExtsi:
  case MicroOpcode::ArithExtui:
  case MicroOpcode::ArithTrunci:
  case MicroOpcode::ArithIndexCast:
    return !isFloat(operand(0)) && !isFloat(op.type)
               ? success()
               : wrongType(op, operand(0));
  case MicroOpcode::ArithSitofp:
  case MicroOpcode::ArithUitofp:
    return !isFloat(operand(0)) && isFloat(op.type) ? success()
                                                    : wrongType(op, operand(0));
  case MicroOpcode::ArithFptosi:
  case MicroOpcode::ArithFptoui:
    return isFloat(operand(0)) && !isFloat(op.type) ? success()
                                                    : wrongType(op, operand(0));
  case MicroOpcode::ArithBitcast:
    return bitsOf(operand(0)) == bitsOf(op.type) ? success()
                                                 : wrongType(op, operand(0));
  default:
    break;
  }
  bool integer = (op.op >= unsigned(MicroOpcode::ArithAddi) &&
                  op.op <= unsigned(MicroOpcode::ArithShrui)) ||
                 code == MicroOpcode::MathAbsi;
  if (isFloat(op.type) == integer)
    return wrongType(op, op.type);
  for (size_t i = 0; i < op.operands.size(); ++i)
    if (!sameRegister(operand(i), op.type))
      return wrongType(op, operand(i));
  return success();
}

Status rt::verifyKernelBody(const Kernel &kernel) {
  std::vector<Type> types;
  for (const Access &read : kernel.reads)
    types.push_back(read.type);
  for (const Write &write : kernel.writes)
    if (write.kind == WriteKind::Carry)
      types.push_back(write.access.type);

  for (const MicroOp &op : kernel.body.ops) {
    const MicroOpInfo *info = microOpInfo(op.op);
    if (!info)
      return failure("there is no micro-op " + std::to_string(op.op));
    if (unsigned(op.type) >= kNumTypes)
      return failure(std::string(info->name) + " has an unknown type");
    if (info->operands >= 0 && op.operands.size() != size_t(info->operands))
      return failure(std::string(info->name) + " has " +
                     std::to_string(op.operands.size()) +
                     " operands, it takes " + std::to_string(info->operands));
    for (uint32_t operand : op.operands)
      if (operand >= types.size())
        return failure(std::string(info->name) + " uses register " +
                       std::to_string(operand) + ", which is not yet defined");
    if (Status status = checkTypes(op, types, kernel); !status.ok())
      return status;
    types.push_back(op.type);
  }

  if (kernel.body.yields.size() != kernel.writes.size())
    return failure("yields " + std::to_string(kernel.body.yields.size()) +
                   " values for " + std::to_string(kernel.writes.size()) +
                   " writes");
  for (size_t w = 0; w < kernel.writes.size(); ++w) {
    uint32_t value = kernel.body.yields[w];
    if (value >= types.size())
      return failure("yields register " + std::to_string(value) +
                     ", which is not defined");
    if (!sameRegister(types[value], kernel.writes[w].access.type))
      return failure(std::string("yields ") + nameOf(types[value]) + " to " +
                     nameOf(kernel.writes[w].access.type));
  }
  return success();
}
