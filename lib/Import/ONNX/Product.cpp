//===- Product.cpp - matrix products --------------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Node.h"

#include "mho/Dialect/Graph/IR/Shapes.h"

using namespace mlir;

namespace mho::import {

namespace {

std::string text(Value value) {
  std::string result;
  llvm::raw_string_ostream(result) << value.getType();
  return result;
}

void matmul(Node &n) {
  Value a = n.input(0), c = n.input(1);
  n.checkSameElement(a, c);
  auto shape = graph::matmulShape(n.shape(a), n.shape(c));
  if (!shape)
    n.fail("cannot multiply " + text(a) + " by " + text(c));
  n.result(n.make<graph::MatmulOp>(n.typeOf(*shape, n.element(a)), a, c));
}

} // namespace

void gemm(Node &n) {
  Value a = n.input(0), w = n.input(1), c = n.optional(2);
  n.checkSameElement(a, w);
  if (n.type(a).getRank() != 2 || n.type(w).getRank() != 2)
    n.fail("expected matrices, found " + text(a) + " and " + text(w));
  bool transA = n.integer("transA", 0), transB = n.integer("transB", 0);
  int64_t rows = n.shape(a)[transA], inner = n.shape(a)[!transA];
  int64_t columns = n.shape(w)[!transB];
  if (n.shape(w)[transB] != inner)
    n.fail("cannot multiply " + text(a) + " by " + text(w) +
           ": inner extents are " + Twine(inner) + " and " +
           Twine(n.shape(w)[transB]));
  float alpha = n.real("alpha", 1), beta = n.real("beta", 1);
  auto type = n.typeOf({rows, columns}, n.element(a));
  if (c) {
    n.checkSameElement(a, c);
    auto joined = graph::broadcastShapes(type.getShape(), n.shape(c));
    if (!joined || *joined != Shape(type.getShape()))
      n.fail("third input " + text(c) + " does not broadcast to the product");
  }
  if (beta == 0)
    c = nullptr;
  n.result(n.make<graph::GemmOp>(type, a, w, c, n.b.getF32FloatAttr(alpha),
                                 n.b.getF32FloatAttr(beta),
                                 transA ? n.b.getUnitAttr() : UnitAttr(),
                                 transB ? n.b.getUnitAttr() : UnitAttr()));
}

void addProducts(HandlerTable &table) {
  table[".MatMul"] = matmul;
  table[".Gemm"] = gemm;
}

} // namespace mho::import
