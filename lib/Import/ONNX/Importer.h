//===- Importer.h - nodes, one after the other, become graph ops ----------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_IMPORT_ONNX_IMPORTER_H
#define MHO_LIB_IMPORT_ONNX_IMPORTER_H

#include "Bind.h"
#include "Iteration.h"
#include "Node.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <map>
#include <memory>
#include <set>
#include <unordered_map>

namespace mho::import {

/// An error that has already been reported.
struct Reported {};

/// Operator set versions by domain ("ai.onnx" is "").
using Opsets = std::map<std::string, int64_t>;

/// Most steps of a Loop or elements of a Range, by the node's name.
using LoopBounds = std::map<std::string, int64_t>;

/// Names of one graph or function body and what they stand for.
struct Scope {
  Scope *parent = nullptr;
  std::unordered_map<std::string, mlir::Value> values;
  struct Initializer {
    const onnx::TensorProto *dense = nullptr;
    const onnx::SparseTensorProto *sparse = nullptr;
  };
  std::unordered_map<std::string, Initializer> initializers;
};

class Importer {
public:
  Importer(mlir::MLIRContext &context, const onnx::ModelProto &model,
           ModelFiles &files, const LoopBounds &loopBounds);

  /// Throws ModelError or Reported.
  mlir::OwningOpRef<mlir::ModuleOp> run(const Bound &bound);

private:
  /// Where a node stands: `call` is the location of the function call whose
  /// body it belongs to.
  struct Place {
    Scope &scope;
    const Opsets &opsets;
    std::optional<mlir::Location> call;
    int depth;
  };

  void addInitializers(const onnx::GraphProto &graph, Scope &scope);
  void define(Scope &scope, const std::string &name, mlir::Value value);
  mlir::Value lookup(Scope &scope, const std::string &name);

  void importNode(const onnx::NodeProto &proto, const Place &place);
  /// What the node's results are; throws Unsupported where it has no meaning.
  void translate(Node &node, const std::string &domain, const Place &place);
  void expandIf(Node &node, const Place &place);
  void expandLoop(Node &node, const Place &place);
  void expandScan(Node &node, const Place &place);
  void mapSequence(Node &node, const Place &place);
  void expand(Node &node, const onnx::FunctionProto &function,
              const Place &place);
  const onnx::FunctionProto *localFunction(const onnx::NodeProto &proto) const;
  /// The body that ONNX's schema gives the node's operator, if any.
  std::unique_ptr<onnx::FunctionProto> schemaFunction(const Node &node) const;

  /// The graph in attribute `name`.
  const onnx::GraphProto &body(const Node &node, llvm::StringRef name) const;
  /// Nodes of a graph in an attribute at the builder's place, its inputs bound
  /// to `inputs`: the outputs. `constants` is a scope between the graph's and
  /// the node's that lasts over several imports of it.
  llvm::SmallVector<mlir::Value> importBody(const onnx::GraphProto &graph,
                                            Scope &constants,
                                            llvm::ArrayRef<mlir::Value> inputs,
                                            const Place &place);
  /// Steps of a known number, as a loop where one step can stand for all:
  /// states, then joined slices. Nothing where the node only follows
  /// unsupported ones in its body; it then has its results.
  std::optional<llvm::SmallVector<mlir::Value>>
  repeat(Node &node, int64_t steps, llvm::ArrayRef<mlir::Value> initial,
         llvm::ArrayRef<Sliced> sliced, llvm::ArrayRef<Joined> joined,
         StepFn step);
  /// Results for a node whose body holds unsupported nodes.
  void follow(Node &node);

  void makeUnsupported(const onnx::NodeProto &proto, mlir::Location loc,
                       llvm::ArrayRef<mlir::Value> inputs,
                       const Unsupported &reason, bool follows,
                       llvm::SmallVectorImpl<mlir::Value> &results);
  /// What ONNX's inference says of a value of the main graph.
  mlir::Type inferredType(const std::string &name);
  /// Whether the extent of an input follows from elements.
  bool followsFromData(const Node &node) const;
  /// Refuses a node that does not take the bounded dimensions of its inputs.
  void checkBounded(const Node &node) const;
  /// The part of argument `number` that the run gives, where it is bounded.
  mlir::Value boundedInput(const std::string &name, unsigned number,
                           const BoundedDims &bounded);
  /// What is returned for `value`: room for the bounds, and the extents said.
  mlir::Value boundedOutput(mlir::Value value, unsigned number);
  void listFolded(mlir::func::FuncOp function, mlir::ModuleOp module);

  mlir::MLIRContext &context;
  const onnx::ModelProto &model;
  ModelFiles &files;
  const LoopBounds &loopBounds;
  mlir::OpBuilder b;
  HandlerTable handlers;
  /// Of operators that take sequences and optionals too.
  HandlerTable sequenceHandlers;
  Extents extents;
  /// Nodes so far, those of functions and bodies as often as they were written
  /// out.
  int64_t imported = 0;
  /// By the name of a bounded extent: its symbol.
  std::map<std::string, int64_t> symbols;
  Opsets opsets;
  mlir::Block *entry = nullptr;
  std::optional<std::unordered_map<std::string, mlir::Type>> inferred;
};

/// The value of a constant of one bool.
std::optional<bool> knownBool(mlir::Value value);
/// Fails where `condition` cannot be one bool.
void checkCondition(const Node &node, mlir::Value condition,
                    const llvm::Twine &what);

/// Refuses values of a body with extents that only its steps know.
void refuseInner(const Node &node, LoopBody &body,
                 llvm::ArrayRef<mlir::Value> values);

/// "" for ONNX's own domain under any of its names.
std::string domainOf(const onnx::NodeProto &node);

} // namespace mho::import

#endif // MHO_LIB_IMPORT_ONNX_IMPORTER_H
