//===- Cast.cpp - operators that change the element type -----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Node.h"

using namespace mlir;

namespace mho::import {

namespace {

/// The element type that attribute `to` names: a number, before opset 6 a name.
Type targetType(Node &n) {
  auto *attribute = n.attribute("to");
  if (!attribute)
    n.fail("attribute 'to' is missing");
  int64_t to = 0;
  if (attribute->type() == onnx::AttributeProto::STRING) {
    onnx::TensorProto::DataType named;
    if (!onnx::TensorProto::DataType_Parse(attribute->s(), &named))
      n.fail("attribute 'to' names no type: '" + attribute->s() + "'");
    to = named;
  } else {
    to = n.integer("to", 0);
  }
  Type element = elementType(n.b.getContext(), to);
  if (!element)
    n.refuse("elements of type " + dataTypeName(to) + " are not supported");
  return element;
}

void castTo(Node &n, Type element) {
  Value x = n.input(0);
  if (n.element(x) == element)
    return n.result(x);
  std::string mode = n.string("round_mode", "up");
  if (mode != "up" && mode != "down" && mode != "nearest")
    n.fail("round_mode is up, down or nearest, found '" + mode + "'");
  bool saturate = n.integer("saturate", 1);
  n.result(n.make<graph::CastOp>(
      n.typeOf(n.shape(x), element), x,
      saturate ? UnitAttr() : n.b.getUnitAttr(), n.b.getStringAttr(mode)));
}

void cast(Node &n) { castTo(n, targetType(n)); }

void castLike(Node &n) { castTo(n, n.element(n.input(1))); }

void bitCast(Node &n) {
  Value x = n.input(0);
  Type element = targetType(n);
  auto width = [](Type type) {
    return type.isInteger(1) ? 8 : type.getIntOrFloatBitWidth();
  };
  if (width(n.element(x)) != width(element))
    n.fail("elements of " + Twine(width(n.element(x))) + " bits are no " +
           Twine(width(element)) + " bits");
  if (n.element(x) == element)
    return n.result(x);
  n.result(n.make<graph::BitCastOp>(n.typeOf(n.shape(x), element), x));
}

} // namespace

void addCasts(HandlerTable &table) {
  table[".Cast"] = cast;
  table[".CastLike"] = castLike;
  table[".BitCast"] = bitCast;
}

} // namespace mho::import
