//===- Importer.cpp - nodes, one after the other, become graph ops --------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Importer.h"

#include "BoundedValues.h"
#include "Families.h"
#include "Sequences.h"

#include "mho/Dialect/Graph/IR/NodeLoc.h"
#include "mho/Dialect/Graph/Transforms/Passes.h"
#include "mho/Import/ONNX/Import.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "onnx/defs/schema.h"
#include "onnx/shape_inference/implementation.h"

using namespace mlir;

namespace mho::import {

/// Functions in functions, or branches in branches.
static constexpr int kMaximumDepth = 64;
/// What they are written out to: each may call the next one twice.
static constexpr int64_t kMostNodes = int64_t(1) << 20;

std::string domainOf(const onnx::NodeProto &node) {
  return node.domain() == "ai.onnx" ? std::string() : node.domain();
}

std::string nameOf(const onnx::NodeProto &node) {
  if (!node.name().empty())
    return node.name();
  for (const std::string &output : node.output())
    if (!output.empty())
      return output;
  return node.op_type();
}

Importer::Importer(MLIRContext &context, const onnx::ModelProto &model,
                   ModelFiles &files, const LoopBounds &loopBounds)
    : context(context), model(model), files(files), loopBounds(loopBounds),
      b(&context) {
  for (const Family &family : families())
    family.add(handlers);
  addSequences(sequenceHandlers);
  for (const auto &import : model.opset_import())
    opsets[import.domain() == "ai.onnx" ? "" : import.domain()] =
        import.version();
}

void Importer::addInitializers(const onnx::GraphProto &graph, Scope &scope) {
  auto add = [&](const std::string &name, Scope::Initializer initializer) {
    if (!scope.initializers.emplace(name, initializer).second)
      throw ModelError("initializer '" + name + "' is given twice");
  };
  for (const onnx::TensorProto &tensor : graph.initializer())
    add(tensor.name(), {&tensor});
  for (const onnx::SparseTensorProto &tensor : graph.sparse_initializer())
    add(tensor.values().name(), {nullptr, &tensor});
}

void Importer::define(Scope &scope, const std::string &name, Value value) {
  if (scope.initializers.count(name) ||
      !scope.values.emplace(name, value).second)
    throw ModelError("the name '" + name + "' is given to two values");
}

Value Importer::lookup(Scope &scope, const std::string &name) {
  for (Scope *at = &scope; at; at = at->parent) {
    auto value = at->values.find(name);
    if (value != at->values.end())
      return value->second;
    auto tensor = at->initializers.find(name);
    if (tensor == at->initializers.end())
      continue;
    Scope::Initializer found = tensor->second;
    ElementsAttr constant = found.dense
                                ? constantOf(&context, *found.dense, files)
                                : densified(&context, *found.sparse, files);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(entry);
    Value made = arith::ConstantOp::create(
        b, NameLoc::get(b.getStringAttr(name)), cast<TypedAttr>(constant));
    // The initializer stays listed, so that the name remains taken.
    at->values.emplace(name, made);
    return made;
  }
  throw ModelError("'" + name +
                   "' is given by no earlier node, input or "
                   "initializer; nodes must stand in order and without cycles");
}

Type Importer::inferredType(const std::string &name) {
  if (!inferred) {
    inferred.emplace();
    onnx::ModelProto copy = model;
    try {
      onnx::ShapeInferenceOptions options;
      onnx::shape_inference::InferShapes(
          copy, onnx::OpSchemaRegistry::Instance(), options);
    } catch (const std::exception &) {
      // Only types of what follows an unsupported node are lost.
    }
    auto add = [&](const onnx::ValueInfoProto &value) {
      const auto &tensor = value.type().tensor_type();
      Type element = elementType(&context, tensor.elem_type());
      if (!element)
        return;
      SmallVector<int64_t> shape;
      bool isStatic = tensor.has_shape();
      for (const auto &dim : tensor.shape().dim()) {
        isStatic &= dim.has_dim_value() && dim.dim_value() >= 0;
        shape.push_back(dim.dim_value());
      }
      inferred->emplace(value.name(),
                        isStatic ? Type(RankedTensorType::get(shape, element))
                                 : UnrankedTensorType::get(element));
    };
    for (const auto &value : copy.graph().value_info())
      add(value);
    for (const auto &value : copy.graph().output())
      add(value);
  }
  auto found = inferred->find(name);
  return found == inferred->end() ? UnrankedTensorType::get(b.getF32Type())
                                  : found->second;
}

void Importer::makeUnsupported(const onnx::NodeProto &proto, Location loc,
                               ArrayRef<Value> inputs,
                               const Unsupported &reason, bool follows,
                               SmallVectorImpl<Value> &results) {
  SmallVector<Type> types;
  for (const std::string &output : proto.output())
    types.push_back(inferredType(output));
  SmallVector<Value> given;
  for (Value input : inputs)
    if (input)
      given.push_back(input);
  std::string domain = domainOf(proto);
  std::string name =
      domain.empty() ? proto.op_type() : domain + "." + proto.op_type();
  auto op =
      graph::UnsupportedOp::create(b, loc, types, given, b.getStringAttr(name),
                                   b.getStringAttr(reason.what()));
  if (!reason.freeze.empty()) {
    SmallVector<StringRef> inputs(reason.freeze.begin(), reason.freeze.end());
    op->setAttr(kFreezeAttr, b.getStrArrayAttr(inputs));
  }
  if (follows)
    op->setAttr(graph::kFollowsAttr, b.getUnitAttr());
  results.assign(op->result_begin(), op->result_end());
}

void Importer::translate(Node &node, const std::string &domain,
                         const Place &place) {
  const std::string &name = node.proto.op_type();
  const onnx::FunctionProto *local = localFunction(node.proto);
  if (local)
    return expand(node, *local, place);
  auto handler = sequenceHandlers.find(domain + "." + name);
  if (handler != sequenceHandlers.end())
    return handler->second(node);
  if (domain.empty() && name == "If")
    return expandIf(node, place);
  if (domain.empty() && name == "Loop")
    return expandLoop(node, place);
  if (domain.empty() && name == "SequenceMap")
    return mapSequence(node, place);
  if (!llvm::all_of(node.inputs,
                    [](Value input) { return !input || isTensor(input); }))
    throw Unsupported("it takes tensors only, found a sequence or an optional "
                      "without element");
  if (domain.empty() && name == "Scan")
    return expandScan(node, place);
  handler = handlers.find(domain + "." + name);
  if (handler != handlers.end())
    return handler->second(node);
  if (auto body = schemaFunction(node))
    return expand(node, *body, place);
  if (onnx::OpSchemaRegistry::Schema(name, node.opset, domain))
    throw Unsupported("this compiler has no meaning for it; export the model "
                      "with simpler operators in its place");
  if (domain.empty())
    throw Unsupported("opset " + std::to_string(node.opset) +
                      " of ONNX has no such operator");
  throw Unsupported("domain '" + domain +
                    "' is not known; export the model with ONNX's own "
                    "operators, or with the operator as a function");
}

void Importer::importNode(const onnx::NodeProto &proto, const Place &place) {
  if (place.depth > kMaximumDepth)
    throw ModelError("functions or branches are nested too deeply");
  if (++imported > kMostNodes)
    throw ModelError("functions and bodies, written out, are more than " +
                     std::to_string(kMostNodes) + " nodes");
  Location loc = place.call
                     ? *place.call
                     : graph::nodeLoc(&context, nameOf(proto), proto.op_type());
  std::string domain = domainOf(proto);
  SmallVector<Value> inputs;
  SmallVector<Value> results;
  try {
    auto opset = place.opsets.find(domain);
    int64_t version = opset == place.opsets.end() ? 0 : opset->second;
    if (!version && !localFunction(proto)) {
      if (domain.empty())
        throw ModelError("the model names no version of ONNX's operators");
      version = 1;
    }
    bool shaped = true;
    for (const std::string &name : proto.input()) {
      inputs.push_back(name.empty() ? Value() : lookup(place.scope, name));
      if (!inputs.back())
        continue;
      auto type = dyn_cast<ShapedType>(inputs.back().getType());
      shaped &= !type || type.hasRank();
    }
    Node node(b, loc, proto, version, inputs, files);
    node.extents = &extents;
    if (auto most = loopBounds.find(nameOf(proto)); most != loopBounds.end())
      node.most = most->second;
    node.takesSymbols = takesBounded(domain + "." + proto.op_type());
    // A node that is unknown by itself is listed even behind another one.
    bool known =
        localFunction(proto) ||
        handlers.count(domain + "." + proto.op_type()) ||
        sequenceHandlers.count(domain + "." + proto.op_type()) ||
        onnx::OpSchemaRegistry::Schema(proto.op_type(), version, domain);
    try {
      if (!shaped && known)
        throw Unsupported("the shape of an input is not known, because it "
                          "follows from an unsupported node");
      if (handlers.count(domain + "." + proto.op_type()) ||
          (domain.empty() &&
           llvm::is_contained({"If", "Loop", "Scan"}, proto.op_type())))
        if (!node.takesSymbols && shaped && !localFunction(proto))
          checkBounded(node);
      translate(node, domain, place);
      for (size_t i = 0; i < node.outputs(); ++i)
        if (node.wants(i) && (i >= node.results.size() || !node.results[i]))
          node.refuse("output " + Twine(i) + " ('" + proto.output(i) +
                      "') is not supported");
      results = node.results;
    } catch (Unsupported &reason) {
      // With constants in place of the data there would be a fixed extent.
      if (reason.freeze.empty() && followsFromData(node))
        reason.freeze = node.freezable(inputs);
      // A function or branch with something unsupported is so as a whole.
      if (place.call)
        throw Unsupported("its body uses " + proto.op_type() + ": " +
                              reason.what(),
                          reason.freeze);
      makeUnsupported(proto, loc, inputs, reason, !shaped && known, results);
    }
    for (auto [i, name] : llvm::enumerate(proto.output()))
      if (!name.empty())
        define(place.scope, name, results[i]);
  } catch (const ModelError &error) {
    emitError(loc, error.what());
    throw Reported();
  }
}

bool Importer::followsFromData(const Node &node) const {
  return llvm::any_of(node.inputs, [&](Value input) {
    auto type = input ? dyn_cast<RankedTensorType>(input.getType())
                      : RankedTensorType();
    return type && extents.followsFromData(symbolicShape(type));
  });
}

void Importer::checkBounded(const Node &node) const {
  for (auto [i, input] : llvm::enumerate(node.inputs)) {
    // Sequences and what follows from unsupported nodes have no shape.
    auto type = input ? dyn_cast<RankedTensorType>(input.getType())
                      : RankedTensorType();
    if (!type)
      continue;
    ArrayRef<int64_t> shape = symbolicShape(type);
    for (auto [axis, extent] : llvm::enumerate(shape))
      if (isSymbol(extent))
        throw Unsupported(
            "axis " + std::to_string(axis) + " of its input '" +
            node.proto.input(i) + "' has the extent " + extents.text(extent) +
            ", at most " + std::to_string(extents.range(extent).high) +
            ", which it takes only as a constant; " + extents.howToFix(extent));
  }
}

Value Importer::boundedInput(const std::string &name, unsigned number,
                             const BoundedDims &bounded) {
  Value whole = entry->getArgument(number);
  auto type = cast<RankedTensorType>(whole.getType());
  SmallVector<int64_t> shape(type.getShape());
  SmallVector<std::string> bounds(shape.size());
  for (auto [axis, extent] : llvm::enumerate(shape)) {
    auto found = bounded.find({name, int64_t(axis)});
    if (found == bounded.end())
      continue;
    const BoundedDim &dim = found->second;
    bounds[axis] = dim.name + "=" + std::to_string(dim.low) + ".." +
                   std::to_string(dim.high);
    // One scalar for all that have the name; that they agree is checked when
    // they arrive.
    auto [symbol, fresh] = symbols.try_emplace(dim.name, 0);
    if (fresh) {
      Value here = graph::ExtentOp::create(b, whole.getLoc(), b.getIndexType(),
                                           number, axis, dim.high);
      if (dim.low > 0)
        here = graph::BoundOp::create(b, whole.getLoc(), b.getIndexType(), here,
                                      dim.low, dim.high);
      symbol->second = extents.add(here, dim.low, dim.high, dim.name);
    }
    extent = symbol->second;
  }
  if (hasSymbol(shape)) {
    SmallVector<StringRef> texts(bounds.begin(), bounds.end());
    cast<func::FuncOp>(entry->getParentOp())
        .setArgAttr(number, kBoundsAttr, b.getStrArrayAttr(texts));
  }
  return outOfRoom(b, whole.getLoc(), extents, whole,
                   boundedType(shape, type.getElementType()));
}

Value Importer::boundedOutput(Value value, unsigned number) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || type.hasStaticShape())
    return value;
  Location loc = value.getLoc();
  for (auto [axis, extent] : llvm::enumerate(symbolicShape(type)))
    if (isSymbol(extent))
      graph::SetExtentOp::create(
          b, loc, cast<Value>(extents.value(b, loc, extent)), number, axis);
  return intoRoom(b, loc, extents, value);
}

void Importer::listFolded(func::FuncOp function, ModuleOp module) {
  std::set<std::pair<std::string, std::string>> present;
  SmallVector<std::pair<StringRef, StringRef>> nodes;
  function.walk([&](Operation *op) {
    nodes.clear();
    graph::collectNodes(op->getLoc(), nodes);
    for (auto [name, kind] : nodes)
      present.emplace(name.str(), kind.str());
  });
  SmallVector<Attribute> folded;
  for (const onnx::NodeProto &node : model.graph().node())
    if (!present.count({nameOf(node), node.op_type()}))
      folded.push_back(b.getStringAttr(nameOf(node) + "@" + node.op_type()));
  if (!folded.empty())
    module->setAttr(kFoldedAttr, b.getArrayAttr(folded));
}

OwningOpRef<ModuleOp> Importer::run(const Bound &bound) {
  const onnx::GraphProto &graph = model.graph();
  Location loc = FileLineColLoc::get(&context, files.modelName(), 0, 0);
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
  (*module)->setAttr(kModelAttr, b.getStringAttr(files.modelName()));
  if (opsets.count(""))
    (*module)->setAttr(kOpsetAttr, b.getI64IntegerAttr(opsets[""]));

  Scope scope;
  addInitializers(graph, scope);
  SmallVector<Type> types;
  SmallVector<Location> locations;
  SmallVector<std::string> names;
  for (const auto &input : graph.input()) {
    if (scope.initializers.count(input.name()) ||
        bound.frozen.count(input.name()))
      continue;
    const auto &tensor = input.type().tensor_type();
    Type element = elementType(&context, tensor.elem_type());
    if (!element)
      throw ModelError("input '" + input.name() + "' has elements of type " +
                       dataTypeName(tensor.elem_type()) +
                       ", which is not supported");
    SmallVector<int64_t> shape;
    for (const auto &dim : tensor.shape().dim())
      shape.push_back(dim.dim_value());
    types.push_back(tensorType(shape, element));
    locations.push_back(NameLoc::get(b.getStringAttr(input.name())));
    names.push_back(input.name());
  }
  b.setInsertionPointToEnd(module->getBody());
  auto function =
      func::FuncOp::create(b, loc, "main", b.getFunctionType(types, {}));
  entry = b.createBlock(&function.getBody(), {}, types, locations);
  for (auto [i, name] : llvm::enumerate(names)) {
    function.setArgAttr(i, kNameAttr, b.getStringAttr(name));
    define(scope, name, boundedInput(name, i, bound.bounded));
  }
  for (const auto &input : bound.frozen)
    define(
        scope, input.getKey().str(),
        arith::ConstantOp::create(b, loc, cast<TypedAttr>(input.getValue())));
  for (const auto &input : bound.sequences) {
    SmallVector<Value> elements;
    for (const std::string &element : input.getValue())
      elements.push_back(lookup(scope, element));
    define(scope, input.getKey().str(), makeSequence(b, loc, elements));
  }
  for (const std::string &name : bound.absent)
    define(scope, name, makeAbsent(b, loc));

  Place place{scope, opsets, std::nullopt, 0};
  for (const onnx::NodeProto &node : graph.node())
    importNode(node, place);

  // A sequence is as many outputs as it has elements.
  SmallVector<Value> outputs;
  SmallVector<std::string> outputNames;
  for (const auto &output : graph.output()) {
    Value value = lookup(scope, output.name());
    if (isAbsent(value))
      continue;
    if (!isSequence(value)) {
      outputs.push_back(value);
      outputNames.push_back(output.name());
      continue;
    }
    for (auto [i, element] : llvm::enumerate(elementsOf(value))) {
      outputs.push_back(element);
      outputNames.push_back(elementName(output.name(), i));
    }
  }
  if (graph.output().empty())
    throw ModelError("the graph has no output");
  b.setInsertionPointToEnd(entry);
  for (auto [i, output] : llvm::enumerate(outputs))
    output = boundedOutput(output, i);
  func::ReturnOp::create(b, loc, outputs);
  // Symbols have done their work.
  auto plain = [](Value value) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (type && type.getEncoding())
      value.setType(
          RankedTensorType::get(type.getShape(), type.getElementType()));
  };
  function.walk([&](Operation *op) {
    llvm::for_each(op->getResults(), plain);
    for (Region &region : op->getRegions())
      for (Block &block : region)
        llvm::for_each(block.getArguments(), plain);
  });
  function.setFunctionType(
      b.getFunctionType(types, ValueRange(outputs).getTypes()));
  for (auto [i, name] : llvm::enumerate(outputNames))
    function.setResultAttr(i, kNameAttr, b.getStringAttr(name));

  for (Operation &op :
       llvm::make_early_inc_range(llvm::reverse(entry->getOperations())))
    if (isOpTriviallyDead(&op))
      op.erase();
  listFolded(function, *module);
  if (failed(verify(*module)))
    throw Reported();
  return module;
}

} // namespace mho::import
