//===- Import.cpp - an ONNX file becomes phase graph ----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Import/ONNX/Import.h"

#include "Bind.h"
#include "Importer.h"
#include "WireFormat.h"

#include "google/protobuf/stubs/logging.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "onnx/checker.h"
#include "onnx/defs/schema.h"

#include <functional>

using namespace mlir;

namespace mho {

namespace import {

static onnx::ModelProto parse(const ModelFiles &files) {
  StringRef bytes = files.model()->getBuffer();
  if (bytes.empty())
    throw ModelError("the file is empty");
  std::string stripped;
  // Protobuf would print what it thinks of a damaged file.
  google::protobuf::LogSilencer silence;
  onnx::ModelProto model;
  if (!stripModel(bytes, stripped) || stripped.size() > INT32_MAX ||
      !model.ParseFromString(stripped))
    throw ModelError("this is no complete ONNX model: it is damaged, cut off "
                     "or of another format");
  if (!model.has_graph() || model.opset_import().empty())
    throw ModelError("this is no ONNX model: it has no graph or names no "
                     "operator set");
  return model;
}

/// Visits the nodes of a graph and of the graphs in its attributes.
static void
forEachNode(const onnx::GraphProto &graph,
            llvm::function_ref<void(const onnx::NodeProto &)> visit) {
  for (const onnx::NodeProto &node : graph.node()) {
    visit(node);
    for (const auto &attribute : node.attribute()) {
      if (attribute.has_g())
        forEachNode(attribute.g(), visit);
      for (const auto &inner : attribute.graphs())
        forEachNode(inner, visit);
    }
  }
}

/// ONNX's checker opens external data by itself and stops at the first
/// operator it does not know; here tensors without data go in, and models with
/// unknown operators not at all (those are listed together later).
static void dropData(onnx::TensorProto &tensor) {
  if (tensor.data_location() != onnx::TensorProto::EXTERNAL)
    return;
  tensor.clear_external_data();
  tensor.clear_data_location();
  tensor.clear_dims();
  tensor.add_dims(0);
}

static void dropData(onnx::GraphProto &graph) {
  for (auto &tensor : *graph.mutable_initializer())
    dropData(tensor);
  for (auto &node : *graph.mutable_node())
    for (auto &attribute : *node.mutable_attribute()) {
      if (attribute.has_t())
        dropData(*attribute.mutable_t());
      for (auto &tensor : *attribute.mutable_tensors())
        dropData(tensor);
      if (attribute.has_g())
        dropData(*attribute.mutable_g());
      for (auto &inner : *attribute.mutable_graphs())
        dropData(inner);
    }
}

static void check(const onnx::ModelProto &model) {
  bool known = model.functions().empty();
  forEachNode(model.graph(), [&](const onnx::NodeProto &node) {
    std::string domain = domainOf(node);
    for (const auto &import : model.opset_import())
      if (import.domain() == domain ||
          (domain.empty() && import.domain() == "ai.onnx"))
        known &= onnx::OpSchemaRegistry::Schema(
                     node.op_type(), import.version(), domain) != nullptr;
  });
  if (!known)
    return;
  onnx::ModelProto copy = model;
  dropData(*copy.mutable_graph());
  // Nobody needs it, but the checker wants one.
  if (copy.graph().name().empty())
    copy.mutable_graph()->set_name("graph");
  // The importer finds outputs' shapes itself, and --shape may give inputs'.
  for (auto *values : {copy.mutable_graph()->mutable_input(),
                       copy.mutable_graph()->mutable_output()})
    for (onnx::ValueInfoProto &value : *values)
      if (value.type().has_tensor_type())
        value.mutable_type()->mutable_tensor_type()->mutable_shape();
  try {
    onnx::checker::check_model(copy);
  } catch (const std::exception &error) {
    std::string text = StringRef(error.what()).split("\n\n==>").first.str();
    llvm::replace(text, '\n', ' ');
    throw ModelError("ONNX's checker refuses the model: " +
                     StringRef(text).rtrim(" .").str());
  }
}

/// `NODE=N` of every --loop-bound; throws where one names no Loop or
/// Range.
static LoopBounds parseLoopBounds(const std::vector<std::string> &options,
                                  const onnx::ModelProto &model) {
  LoopBounds bounds;
  for (StringRef option : options) {
    auto [name, text] = option.rsplit('=');
    std::string given = "--loop-bound=" + option.str();
    int64_t bound;
    if (name.empty() || text.getAsInteger(10, bound) || bound < 0)
      throw ModelError(given + " must read NODE=N");
    bool found = false;
    forEachNode(model.graph(), [&](const onnx::NodeProto &node) {
      found |= (node.op_type() == "Loop" || node.op_type() == "Range") &&
               nameOf(node) == name;
    });
    if (!found)
      throw ModelError(given +
                       ": the model has no Loop or Range node of this name");
    bounds[name.str()] = bound;
  }
  return bounds;
}

} // namespace import

OwningOpRef<ModuleOp> importOnnx(StringRef path, const ImportOptions &options,
                                 MLIRContext &context) {
  using namespace import;
  context
      .loadDialect<arith::ArithDialect, func::FuncDialect, graph::GraphDialect,
                   scf::SCFDialect, tensor::TensorDialect>();
  auto fail = [&](const llvm::Twine &what) {
    emitError(UnknownLoc::get(&context), path + ": " + what);
    return OwningOpRef<ModuleOp>();
  };
  try {
    ModelFiles files = options.model
                           ? ModelFiles(path, options.model, options.folder)
                           : ModelFiles(path);
    onnx::ModelProto model = parse(files);
    check(model);
    Bound bound = bindInputs(model, options, context);
    LoopBounds loopBounds = parseLoopBounds(options.loopBounds, model);
    return Importer(context, model, files, loopBounds).run(bound);
  } catch (const Reported &) {
    return nullptr;
  } catch (const std::exception &error) {
    return fail(error.what());
  }
}

} // namespace mho
