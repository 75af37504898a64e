//===- Sequences.cpp - sequences and optionals, known when compiling ------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Sequences.h"

#include "Importer.h"
#include "Movement.h"

using namespace mlir;

namespace mho::import {

Value makeSequence(OpBuilder &b, Location loc, ValueRange elements) {
  Type type = TupleType::get(b.getContext(), elements.getTypes());
  return UnrealizedConversionCastOp::create(b, loc, type, elements)
      .getResult(0);
}

Value makeAbsent(OpBuilder &b, Location loc) {
  return UnrealizedConversionCastOp::create(b, loc, b.getNoneType(),
                                            ValueRange())
      .getResult(0);
}

bool isTensor(Value value) { return isa<TensorType>(value.getType()); }
bool isSequence(Value value) { return isa<TupleType>(value.getType()); }
bool isAbsent(Value value) { return isa<NoneType>(value.getType()); }

SmallVector<Value> elementsOf(Value sequence) {
  return llvm::to_vector(sequence.getDefiningOp()->getOperands());
}

namespace {

SmallVector<Value> sequence(Node &n, size_t i) {
  Value value = n.input(i);
  if (!isSequence(value))
    n.fail("input " + Twine(i) + " is no sequence");
  if (!value.getDefiningOp<UnrealizedConversionCastOp>())
    n.refuse("a sequence that changes from step to step of a loop is not "
             "supported where the steps are not written out");
  return elementsOf(value);
}

Value tensor(Node &n, size_t i) {
  Value value = n.input(i);
  if (!isa<RankedTensorType>(value.getType()))
    n.fail("input " + Twine(i) + " is no tensor");
  return value;
}

/// The element that input `i` names, from the front or (negative) the back; as
/// many as `places` are allowed.
size_t position(Node &n, size_t i, size_t length, size_t places) {
  tensor(n, i);
  Shape given = n.steering(i, "the position");
  if (given.size() != 1)
    n.fail("the position is no scalar");
  int64_t at = given[0] < 0 ? given[0] + int64_t(length) : given[0];
  if (at < 0 || at >= int64_t(places))
    n.fail("position " + Twine(given[0]) + " is outside a sequence of " +
           Twine(length) + " elements");
  return at;
}

void give(Node &n, ValueRange elements) {
  n.result(makeSequence(n.b, n.loc, elements));
}

void construct(Node &n) {
  for (size_t i = 0; i < n.inputs.size(); ++i)
    tensor(n, i);
  give(n, n.inputs);
}

void empty(Node &n) { give(n, {}); }

void at(Node &n) {
  SmallVector<Value> all = sequence(n, 0);
  n.result(all[position(n, 1, all.size(), all.size())]);
}

void insert(Node &n) {
  SmallVector<Value> all = sequence(n, 0);
  size_t where = all.size();
  if (n.optional(2))
    where = position(n, 2, all.size(), all.size() + 1);
  all.insert(all.begin() + where, tensor(n, 1));
  give(n, all);
}

void erase(Node &n) {
  SmallVector<Value> all = sequence(n, 0);
  if (all.empty())
    n.fail("the sequence is empty");
  size_t where = all.size() - 1;
  if (n.optional(1))
    where = position(n, 1, all.size(), all.size());
  all.erase(all.begin() + where);
  give(n, all);
}

void length(Node &n) {
  n.result(n.scalar(n.b.getIntegerType(64), double(sequence(n, 0).size())));
}

void split(Node &n) {
  Value x = tensor(n, 0);
  int64_t rank = n.type(x).getRank();
  int64_t axis = n.axis(n.integer("axis", 0), rank);
  int64_t extent = n.shape(x)[axis];
  bool keep = n.optional(1) || n.integer("keepdims", 1);
  Shape sizes;
  if (!n.optional(1)) {
    n.expectParts(extent, "elements of a sequence");
    sizes.assign(extent, 1);
  } else {
    sizes = n.steering(1, "split");
    if (n.type(n.input(1)).getRank() == 0) {
      int64_t each = sizes[0];
      if (each <= 0)
        n.fail("split is " + Twine(each) + ", expected a positive extent");
      n.expectParts(extent / each, "elements of a sequence");
      sizes.clear();
      for (int64_t left = extent; left > 0; left -= each)
        sizes.push_back(std::min(each, left));
    }
  }
  int64_t sum = 0;
  for (int64_t size : sizes) {
    if (size < 0 || size > extent)
      n.fail("a part has the extent " + Twine(size));
    sum += size;
  }
  if (sum != extent)
    n.fail("the parts add up to " + Twine(sum) + ", expected the axis of " +
           Twine(extent));
  Shape starts(rank, 0), steps(rank, 1), shape(n.shape(x)), squeezed(shape);
  squeezed.erase(squeezed.begin() + axis);
  SmallVector<Value> parts;
  for (int64_t size : sizes) {
    shape[axis] = size;
    Value part = n.make<graph::SliceOp>(n.typeOf(shape, n.element(x)), x,
                                        n.b.getDenseI64ArrayAttr(starts),
                                        n.b.getDenseI64ArrayAttr(steps));
    parts.push_back(keep ? part : n.reshape(part, squeezed));
    starts[axis] += size;
  }
  give(n, parts);
}

void concat(Node &n) {
  SmallVector<Value> parts = sequence(n, 0);
  if (parts.empty())
    n.fail("the sequence is empty");
  bool stack = n.integer("new_axis", 0);
  int64_t rank = n.type(parts[0]).getRank() + stack;
  if (!n.has("axis"))
    n.fail("attribute 'axis' is missing");
  int64_t axis = n.axis(n.integer("axis", 0), rank);
  if (stack)
    for (Value &part : parts) {
      Shape shape(n.shape(part));
      if (int64_t(shape.size()) + 1 != rank)
        n.fail("elements differ in rank");
      shape.insert(shape.begin() + axis, 1);
      part = n.reshape(part, shape);
    }
  n.result(concatenate(n, parts, axis));
}

/// An optional of an element is the element; of a type alone, nothing.
void optional(Node &n) {
  n.result(n.optional(0) ? n.input(0) : makeAbsent(n.b, n.loc));
}

void getElement(Node &n) {
  Value value = n.input(0);
  if (isAbsent(value))
    n.fail("the optional input has no element");
  n.result(value);
}

void hasElement(Node &n) {
  Value value = n.optional(0);
  n.result(n.scalar(n.b.getI1Type(), value && !isAbsent(value)));
}

void identity(Node &n) { n.result(n.input(0)); }

} // namespace

void addSequences(HandlerTable &table) {
  table[".SequenceConstruct"] = construct;
  table[".SequenceEmpty"] = empty;
  table[".SequenceAt"] = at;
  table[".SequenceInsert"] = insert;
  table[".SequenceErase"] = erase;
  table[".SequenceLength"] = length;
  table[".SplitToSequence"] = split;
  table[".ConcatFromSequence"] = concat;
  table[".Optional"] = optional;
  table[".OptionalGetElement"] = getElement;
  table[".OptionalHasElement"] = hasElement;
  table[".Identity"] = identity;
}

/// Its body is imported once for every element.
void Importer::mapSequence(Node &node, const Place &place) {
  const onnx::GraphProto &graph = body(node, "body");
  if (size_t(graph.input_size()) != node.inputs.size())
    node.fail("the body takes " + Twine(graph.input_size()) +
              " inputs, found " + Twine(node.inputs.size()));
  size_t turns = sequence(node, 0).size();
  SmallVector<SmallVector<Value>> results(graph.output_size());
  Scope constants;
  constants.parent = &place.scope;
  addInitializers(graph, constants);
  for (size_t turn = 0; turn < turns; ++turn) {
    SmallVector<Value> inputs;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      Value input = node.input(i);
      if (isSequence(input)) {
        SmallVector<Value> elements = sequence(node, i);
        if (elements.size() != turns)
          node.fail("input " + Twine(i) + " has " + Twine(elements.size()) +
                    " elements, input 0 has " + Twine(turns));
        input = elements[turn];
      }
      inputs.push_back(input);
    }
    for (auto [list, value] :
         llvm::zip(results, importBody(graph, constants, inputs, place)))
      list.push_back(value);
  }
  for (const SmallVector<Value> &list : results)
    node.result(makeSequence(b, node.loc, list));
}

} // namespace mho::import
