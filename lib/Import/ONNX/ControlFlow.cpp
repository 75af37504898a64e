//===- ControlFlow.cpp - graphs in attributes, and If ---------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BoundedValues.h"
#include "Importer.h"
#include "Sequences.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/ScopeExit.h"

using namespace mlir;

namespace mho::import {

const onnx::GraphProto &Importer::body(const Node &node, StringRef name) const {
  const onnx::AttributeProto *attribute = node.attribute(name);
  if (!attribute || !attribute->has_g())
    node.fail("attribute '" + name + "' must hold a graph");
  return attribute->g();
}

SmallVector<Value> Importer::importBody(const onnx::GraphProto &graph,
                                        Scope &constants,
                                        ArrayRef<Value> inputs,
                                        const Place &place) {
  Scope scope;
  scope.parent = &constants;
  for (auto [input, value] : llvm::zip_equal(graph.input(), inputs))
    define(scope, input.name(), value);
  for (const onnx::NodeProto &node : graph.node()) {
    // The body's nodes keep their own names.
    Place inner{scope, place.opsets, place.call, place.depth + 1};
    if (node.op_type() != "Constant" || !domainOf(node).empty()) {
      importNode(node, inner);
      continue;
    }
    // Made once, outside: a weight of every step is one weight.
    if (node.output_size() && constants.values.count(node.output(0)))
      continue;
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(entry);
    importNode(node, {constants, place.opsets, place.call, place.depth + 1});
  }
  SmallVector<Value> outputs;
  for (const auto &output : graph.output()) {
    outputs.push_back(lookup(scope, output.name()));
    if (!outputs.back())
      throw ModelError("output '" + output.name() +
                       "' of a body is an input of the function around it "
                       "that the call omits");
  }
  return outputs;
}

void Importer::follow(Node &node) {
  makeUnsupported(node.proto, node.loc, node.inputs,
                  Unsupported("its body holds a node that is not supported"),
                  /*follows=*/true, node.results);
}

std::optional<bool> knownBool(Value value) {
  ElementsAttr elements;
  if (!matchPattern(value, m_Constant(&elements)) ||
      !elements.getElementType().isInteger(1) || elements.getNumElements() != 1)
    return std::nullopt;
  return *elements.getValues<bool>().begin();
}

void checkCondition(const Node &node, Value condition, const Twine &what) {
  if (!isTensor(condition))
    node.fail(what + " must be one bool, found a sequence or an optional");
  auto type = dyn_cast<RankedTensorType>(condition.getType());
  if (type && (!type.getElementType().isInteger(1) ||
               (type.hasStaticShape() && type.getNumElements() != 1)))
    node.fail(what + " must be one bool");
}

void refuseInner(const Node &node, LoopBody &body, ArrayRef<Value> values) {
  for (Value value : values)
    for (int64_t extent : node.shape(value))
      if (body.decides(extent))
        node.refuse("a value with the extent " + node.extents->text(extent) +
                    ", which each step decides anew, cannot leave its body; "
                    "give it one extent for all steps");
}

/// The type of what one of two branches gives; nothing where ranks or elements
/// differ. An extent that differs is a scalar that the branch gives too.
static std::optional<Shape> joinedShape(Node &node, Value a, Value c) {
  if (node.element(a) != node.element(c) ||
      node.shape(a).size() != node.shape(c).size())
    return std::nullopt;
  Shape shape(node.shape(a));
  for (auto [extent, other] : llvm::zip_equal(shape, node.shape(c)))
    if (extent != other)
      extent = ShapedType::kDynamic;
  return shape;
}

void Importer::expandIf(Node &node, const Place &place) {
  Value condition = node.input(0);
  checkCondition(node, condition, "the condition");
  auto import = [&](StringRef name) {
    const onnx::GraphProto &graph = body(node, name);
    if (graph.input_size() || size_t(graph.output_size()) < node.outputs())
      node.fail("attribute '" + name + "' must have no inputs and " +
                Twine(node.outputs()) + " outputs, found " +
                Twine(graph.input_size()) + " and " +
                Twine(graph.output_size()));
    Scope constants;
    constants.parent = &place.scope;
    addInitializers(graph, constants);
    SmallVector<Value> outputs = importBody(graph, constants, {}, place);
    outputs.resize(node.outputs());
    return outputs;
  };
  auto known = knownBool(condition);
  // What follows from extents may be the same for all of them.
  if (auto decided = extents.integers(condition);
      !known && decided && decided->size() == 1 && !isSymbol(decided->front()))
    known = decided->front() != 0;
  if (known) {
    node.results = import(*known ? "then_branch" : "else_branch");
    return;
  }

  Region branches[2];
  llvm::scope_exit forget([&] {
    for (Region &branch : branches)
      extents.forget(branch);
  });
  SmallVector<Value> outputs[2];
  bool supported = true;
  for (int i : {0, 1}) {
    OpBuilder::InsertionGuard guard(b);
    b.createBlock(&branches[i]);
    StringRef name = i == 0 ? "then_branch" : "else_branch";
    try {
      outputs[i] = import(name);
    } catch (const Reported &) {
      // The branch may be for inputs of other shapes.
      std::string options;
      for (const std::string &input : node.freezable({condition}))
        options += " --constant=" + input + "=VALUE";
      if (!options.empty())
        emitRemark(node.loc)
            << "that is in its " << name
            << ", and which branch is taken is known only at run time;"
            << options << " leaves out the other";
      throw;
    }
    if (!llvm::all_of(outputs[i], isTensor))
      node.refuseUnknown(0, "the condition of an If that gives sequences");
    supported &= isSupported(branches[i], outputs[i]);
  }
  if (!supported) {
    for (Region &branch : branches)
      splice(b, branch);
    return follow(node);
  }
  for (auto [i, a, c] : llvm::enumerate(outputs[0], outputs[1]))
    if (!joinedShape(node, a, c))
      node.refuse(
          "output " + Twine(i) + " is " + text(a.getType()) +
              " by then_branch and " + text(c.getType()) +
              " by else_branch, and which one is known only at run time; "
              "make ranks and types equal, or freeze what the condition "
              "follows from with --constant",
          condition);
  // A result that no branch computes is only selected, element by element: as
  // values of buffers the two could not be one.
  auto fromOutside = [&](Value value) -> Value {
    Operation *op = value.getDefiningOp();
    // The branches, and bodies around them, are not yet part of an op.
    bool inside = false;
    for (Region *around = value.getParentRegion(); around && !inside;) {
      inside = llvm::any_of(branches,
                            [&](Region &branch) { return &branch == around; });
      Operation *parent = around->getParentOp();
      around = parent ? parent->getParentRegion() : nullptr;
    }
    if (inside && matchPattern(value, m_Constant()))
      return b.clone(*op)->getResult(0);
    return inside ? Value() : value;
  };
  Value flag = node.reshape(condition, {});
  SmallVector<Value> computed[2];
  node.results.assign(node.outputs(), Value());
  for (auto [i, a, c] : llvm::enumerate(outputs[0], outputs[1])) {
    Value first = fromOutside(a), second = fromOutside(c);
    if (!first || !second || a.getType() != c.getType()) {
      computed[0].push_back(a);
      computed[1].push_back(c);
    } else {
      node.results[i] =
          first == second
              ? first
              : node.make<graph::WhereOp>(a.getType(), flag, first, second);
    }
  }
  if (computed[0].empty())
    return;
  // Results have the room of the larger side, and extents in which sides differ
  // come with them.
  struct Joint {
    Shape shape;
    RankedTensorType room;
  };
  SmallVector<Joint> joints;
  SmallVector<Type> types;
  for (auto [a, c] : llvm::zip_equal(computed[0], computed[1])) {
    Joint joint{*joinedShape(node, a, c), roomType(extents, node.type(a))};
    Shape room(joint.room.getShape());
    for (auto [extent, other] :
         llvm::zip_equal(room, roomType(extents, node.type(c)).getShape()))
      extent = std::max(extent, other);
    joint.room = node.typeOf(room, node.element(a));
    types.push_back(joint.room);
    joints.push_back(std::move(joint));
  }
  for (const Joint &joint : joints)
    types.append(llvm::count(joint.shape, ShapedType::kDynamic),
                 b.getIndexType());
  Value taken = scalarOf(b, node.loc, condition);
  auto op = scf::IfOp::create(b, node.loc, types, taken,
                              /*addThenBlock=*/false, /*addElseBlock=*/false);
  for (auto [branch, region, values] :
       llvm::zip(branches, op->getRegions(), computed)) {
    region.takeBody(branch);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(&region.front());
    SmallVector<Value> given;
    for (auto [joint, value] : llvm::zip_equal(joints, values)) {
      Value room;
      if (value.getType() != joint.room)
        room = tensor::EmptyOp::create(b, node.loc, joint.room.getShape(),
                                       joint.room.getElementType());
      given.push_back(intoRoom(b, node.loc, extents, value, room));
    }
    for (auto [joint, value] : llvm::zip_equal(joints, values))
      for (auto [extent, own] : llvm::zip_equal(joint.shape, node.shape(value)))
        if (ShapedType::isDynamic(extent))
          given.push_back(getValueOrCreateConstantIndexOp(
              b, node.loc, extents.value(b, node.loc, own)));
    scf::YieldOp::create(b, node.loc, given);
  }
  unsigned nextExtent = joints.size();
  SmallVector<Value> results;
  for (auto [i, joint] : llvm::enumerate(joints)) {
    for (auto [extent, a, c] :
         llvm::zip_equal(joint.shape, node.shape(computed[0][i]),
                         node.shape(computed[1][i]))) {
      if (!ShapedType::isDynamic(extent))
        continue;
      Extents::Range one = extents.range(a), other = extents.range(c);
      extent =
          extents.add(op.getResult(nextExtent++), std::min(one.low, other.low),
                      std::max(one.high, other.high),
                      extents.text(a) + " or " + extents.text(c));
    }
    results.push_back(
        outOfRoom(b, node.loc, extents, op.getResult(i),
                  node.typeOf(joint.shape, joint.room.getElementType())));
  }
  auto next = results.begin();
  for (Value &result : node.results)
    if (!result)
      result = *next++;
}

} // namespace mho::import
