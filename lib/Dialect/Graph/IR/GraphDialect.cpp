//===- GraphDialect.cpp - the graph dialect -------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Dialect/Graph/IR/GraphDialect.h"

#include "Evaluate.h"

#include "mho/Dialect/Graph/IR/GraphOps.h"
#include "mho/Dialect/Graph/IR/NodeLoc.h"

#include "mlir/IR/DialectImplementation.h"
#include "mlir/Interfaces/FoldInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mho::graph;

#include "mho/Dialect/Graph/IR/GraphDialect.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "mho/Dialect/Graph/IR/GraphAttrs.cpp.inc"

namespace {

/// Evaluates any op on constants, where the op's own fold had nothing to say.
struct ConstantFold : DialectFoldInterface {
  using DialectFoldInterface::DialectFoldInterface;
  LogicalResult fold(Operation *op, ArrayRef<Attribute> operands,
                     SmallVectorImpl<OpFoldResult> &results) const override {
    Attribute value = evaluate(op, operands);
    if (!value)
      return failure();
    results.push_back(value);
    return success();
  }
};

} // namespace

void GraphDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "mho/Dialect/Graph/IR/GraphAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "mho/Dialect/Graph/IR/GraphOps.cpp.inc"
      >();
  addInterfaces<ConstantFold>();
}

Operation *GraphDialect::materializeConstant(OpBuilder &builder,
                                             Attribute value, Type type,
                                             Location loc) {
  auto typed = dyn_cast<TypedAttr>(value);
  if (!typed || typed.getType() != type)
    return nullptr;
  return arith::ConstantOp::create(builder, loc, typed);
}

void mho::graph::nameResults(Operation *op, OpAsmSetValueNameFn setName) {
  SmallVector<std::pair<StringRef, StringRef>> nodes;
  collectNodes(op->getLoc(), nodes);
  if (nodes.empty() || op->getNumResults() == 0)
    return;
  // Paths such as "/layer1/conv/Conv" read better with underscores than with
  // the printer's escapes.
  std::string name = nodes.front().first.str();
  for (char &c : name)
    if (!llvm::isAlnum(c) && c != '.' && c != '$' && c != '-')
      c = '_';
  setName(op->getResult(0), StringRef(name).ltrim('_'));
}
