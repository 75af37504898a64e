//===- Functions.cpp - operators that are given as a body of others -------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Model-local functions and the bodies in ONNX's schemas are imported in place:
// names live in a scope of their own, so nothing needs renaming.
//
//===----------------------------------------------------------------------===//

#include "Importer.h"

#include "onnx/defs/function.h"
#include "onnx/defs/schema.h"
#include "onnx/shape_inference/attribute_binder.h"

using namespace mlir;

namespace mho::import {

const onnx::FunctionProto *
Importer::localFunction(const onnx::NodeProto &proto) const {
  for (const onnx::FunctionProto &function : model.functions())
    if (function.name() == proto.op_type() &&
        function.domain() == proto.domain() &&
        function.overload() == proto.overload())
      return &function;
  return nullptr;
}

/// `proto` with the schema's defaults of what it leaves out.
static onnx::NodeProto withDefaults(const onnx::NodeProto &proto,
                                    const onnx::OpSchema &schema) {
  onnx::NodeProto full = proto;
  for (const auto &[name, attribute] : schema.attributes()) {
    bool given = llvm::any_of(proto.attribute(), [&](const auto &own) {
      return own.name() == attribute.name;
    });
    if (!given && attribute.default_value.has_name())
      *full.add_attribute() = attribute.default_value;
  }
  return full;
}

std::unique_ptr<onnx::FunctionProto>
Importer::schemaFunction(const Node &node) const {
  const onnx::OpSchema *schema = onnx::OpSchemaRegistry::Schema(
      node.proto.op_type(), node.opset, domainOf(node.proto));
  if (!schema)
    return nullptr;
  auto body = std::make_unique<onnx::FunctionProto>();
  if (schema->HasContextDependentFunction()) {
    std::vector<onnx::TypeProto> types;
    for (Value input : node.inputs) {
      onnx::TypeProto &type = types.emplace_back();
      if (!input)
        continue;
      auto *tensor = type.mutable_tensor_type();
      tensor->set_elem_type(dataTypeOf(node.element(input)));
      tensor->mutable_shape();
      for (int64_t extent : node.shape(input)) {
        auto *dim = tensor->mutable_shape()->add_dim();
        if (!isSymbol(extent))
          dim->set_dim_value(extent);
      }
    }
    onnx::NodeProto full = withDefaults(node.proto, *schema);
    onnx::FunctionBodyBuildContextImpl build(full, types);
    if (schema->BuildContextDependentFunction(build, *body, node.opset)) {
      onnx::internal::AttributeBinder::BindAttributes(full, *body);
      return body;
    }
  }
  if (!schema->HasFunction())
    return nullptr;
  const onnx::FunctionProto *found = schema->GetFunction(node.opset);
  if (!found)
    return nullptr;
  *body = *found;
  onnx::internal::AttributeBinder::BindAttributes(
      withDefaults(node.proto, *schema), *body);
  return body;
}

void Importer::expand(Node &node, const onnx::FunctionProto &function,
                      const Place &place) {
  onnx::FunctionProto body = function;
  onnx::NodeProto call = node.proto;
  for (const auto &attribute : function.attribute_proto())
    if (!node.has(attribute.name()))
      *call.add_attribute() = attribute;
  onnx::internal::AttributeBinder::BindAttributes(call, body);
  Opsets versions;
  for (const auto &import : body.opset_import())
    versions[import.domain() == "ai.onnx" ? "" : import.domain()] =
        import.version();
  for (const auto &[domain, version] : place.opsets)
    versions.emplace(domain, version);

  Scope scope;
  if (node.inputs.size() > size_t(body.input_size()))
    node.fail("the function takes " + Twine(body.input_size()) +
              " inputs, found " + Twine(node.inputs.size()));
  // An omitted input stands for no value, in inner graphs too.
  for (auto [i, name] : llvm::enumerate(body.input()))
    define(scope, name, node.optional(i));
  Place inner{scope, versions, node.loc, place.depth + 1};
  for (const onnx::NodeProto &proto : body.node())
    importNode(proto, inner);
  for (const std::string &output : body.output()) {
    // Optional outputs need no value where nobody asks for them.
    bool wanted = node.wants(node.results.size());
    node.result(wanted ? lookup(scope, output) : Value());
  }
}

} // namespace mho::import
