//===- Node.h - one ONNX node as its handler sees it ----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A binder: inputs, attributes and constants are asked for by name or number,
// and what is missing or of the wrong kind ends the handler with a message.
// Handlers therefore read like the operator's definition. Extents of run time
// are symbols among the numbers of a shape, which `extents` computes with.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_IMPORT_ONNX_NODE_H
#define MHO_LIB_IMPORT_ONNX_NODE_H

#include "Errors.h"
#include "Extents.h"
#include "Tensors.h"

#include "mho/Dialect/Graph/IR/GraphOps.h"

#include "mlir/IR/Builders.h"
#include "onnx/onnx_pb.h"
#include "llvm/ADT/StringMap.h"

#include <optional>

namespace mho::import {

using Shape = llvm::SmallVector<int64_t>;

/// Numbers that a constant made here, or read one by one, may hold.
inline constexpr int64_t kMostInTable = int64_t(1) << 24;

/// The extents of a tensor. That it has fewer axes than a handler asks for is
/// the file's fault.
class Dims : public llvm::ArrayRef<int64_t> {
public:
  Dims(llvm::ArrayRef<int64_t> extents) : ArrayRef(extents) {}

  const int64_t &operator[](size_t axis) const {
    if (axis >= size())
      missing(axis);
    return ArrayRef::operator[](axis);
  }
  const int64_t &back() const {
    if (empty())
      missing(0);
    return ArrayRef::back();
  }
  llvm::ArrayRef<int64_t> drop_front(size_t count = 1) const {
    if (count > size())
      missing(count - 1);
    return ArrayRef::drop_front(count);
  }
  llvm::ArrayRef<int64_t> drop_back(size_t count = 1) const {
    if (count > size())
      missing(count - 1);
    return ArrayRef::drop_back(count);
  }

private:
  [[noreturn]] void missing(size_t axis) const;
};

class Node {
public:
  Node(mlir::OpBuilder &b, mlir::Location loc, const onnx::NodeProto &proto,
       int64_t opset, llvm::ArrayRef<mlir::Value> inputs, ModelFiles &files)
      : b(b), loc(loc), proto(proto), opset(opset),
        inputs(inputs.begin(), inputs.end()), files(files) {}

  mlir::OpBuilder &b;
  mlir::Location loc;
  const onnx::NodeProto &proto;
  /// Version of the operator set of the node's domain.
  int64_t opset;
  /// Null where an optional input is omitted.
  llvm::SmallVector<mlir::Value> inputs;
  ModelFiles &files;
  /// Bounded dimensions; the importer's.
  Extents *extents = nullptr;
  /// What the user says that the node gives at most, where only the run knows:
  /// --loop-bound.
  std::optional<int64_t> most;
  /// Whether the handler takes shapes with symbols.
  bool takesSymbols = false;
  /// What the handler made, in the order of the outputs.
  llvm::SmallVector<mlir::Value> results;

  /// The file is at fault: ends the import.
  [[noreturn]] void fail(const llvm::Twine &what) const {
    throw ModelError(what.str());
  }
  /// The form has no meaning here: the node becomes graph.unsupported.
  [[noreturn]] void refuse(const llvm::Twine &why) const {
    throw Unsupported(why.str());
  }

  /// The same of a form that has a meaning once `live` values are known.
  [[noreturn]] void refuse(const llvm::Twine &why,
                           llvm::ArrayRef<mlir::Value> live) const;
  /// The model's inputs that `values` follow from and that may be frozen.
  std::vector<std::string> freezable(llvm::ArrayRef<mlir::Value> values) const;
  /// Input `i` (called `what`) steers a shape, but is not known when compiling:
  /// refuses, and says which inputs of the model to freeze, or what to do
  /// otherwise.
  [[noreturn]] void refuseUnknown(size_t i, llvm::StringRef what,
                                  const llvm::Twine &otherwise = "") const;

  size_t outputs() const { return proto.output_size(); }
  bool wants(size_t output) const {
    return output < outputs() && !proto.output(output).empty();
  }
  /// Input `i`, or null where it is omitted.
  mlir::Value optional(size_t i) const {
    return i < inputs.size() ? inputs[i] : mlir::Value();
  }
  mlir::Value input(size_t i) const;
  mlir::RankedTensorType type(mlir::Value value) const {
    return llvm::cast<mlir::RankedTensorType>(value.getType());
  }
  /// Symbols among the extents stand for bounded dimensions.
  Dims shape(mlir::Value value) const { return symbolicShape(type(value)); }
  mlir::Type element(mlir::Value value) const {
    return type(value).getElementType();
  }

  bool has(llvm::StringRef name) const { return attribute(name); }
  const onnx::AttributeProto *attribute(llvm::StringRef name) const;
  int64_t integer(llvm::StringRef name, int64_t otherwise) const;
  float real(llvm::StringRef name, float otherwise) const;
  std::string string(llvm::StringRef name, llvm::StringRef otherwise) const;
  std::optional<Shape> integers(llvm::StringRef name) const;

  /// The elements of a constant, or of a tensor of extents where the handler
  /// takes symbols; nothing where `value` is none.
  std::optional<Shape> constantIntegers(mlir::Value value) const;
  /// The same of input `i`, which must be given and constant.
  Shape steering(size_t i, llvm::StringRef what) const;
  /// The one number of input `i`, which must be given and constant.
  double number(size_t i, llvm::StringRef what) const;
  /// The same for numbers of any type.
  llvm::SmallVector<double> steeringNumbers(size_t i,
                                            llvm::StringRef what) const;
  /// Attribute `name`, or else input `i`; nothing if neither is given.
  std::optional<Shape> integersOrInput(llvm::StringRef name, size_t i) const;

  /// A negative axis counts from the end; out of range is an error.
  int64_t axis(int64_t value, int64_t rank) const;
  /// Ascending axes, all distinct.
  Shape axes(llvm::ArrayRef<int64_t> values, int64_t rank) const;

  mlir::RankedTensorType typeOf(llvm::ArrayRef<int64_t> shape,
                                mlir::Type element) const {
    return extents && extents->hasKnownSymbol(shape)
               ? boundedType(shape, element)
               : tensorType(shape, element);
  }

  /// Refuses a constant of so many numbers that no small file should make it.
  void expectTable(llvm::ArrayRef<int64_t> extents) const;
  /// Refuses to write the operator as more pieces than a program should have.
  void expectParts(int64_t count, const llvm::Twine &what) const;
  /// The product of the file's numbers called `what`.
  int64_t product(llvm::ArrayRef<int64_t> factors,
                  const llvm::Twine &what) const;
  /// Refuses numbers of the file that would pass for symbols.
  void expectNumbers(llvm::ArrayRef<int64_t> values,
                     const llvm::Twine &what) const;

  /// Builds an op, or the constant it folds to.
  template <typename OpTy, typename... Args>
  mlir::Value make(mlir::Type type, Args &&...args) {
    return b.createOrFold<OpTy>(loc, type, std::forward<Args>(args)...);
  }
  mlir::Value constant(mlir::ElementsAttr value);
  /// A scalar constant of an element type, from a number.
  mlir::Value scalar(mlir::Type element, double value);
  mlir::Value constantIntegers(llvm::ArrayRef<int64_t> values);

  /// Refuses extents of run time along `axes` of an input.
  void expectFixed(mlir::Value x, llvm::ArrayRef<int64_t> axes) const;
  /// int64 numbers and extents; those of the run come from their scalars.
  mlir::Value extentsAsTensor(llvm::ArrayRef<int64_t> values, bool isScalar);
  /// `count` places of an axis from `start` on, each checked in the run.
  mlir::Value taken(mlir::Value x, int64_t axis, int64_t start, int64_t step,
                    int64_t count);
  /// The part of `x` of this shape from `starts` on, `steps` apart; it has to
  /// lie within.
  mlir::Value sliced(mlir::Value x, llvm::ArrayRef<int64_t> starts,
                     llvm::ArrayRef<int64_t> steps,
                     llvm::ArrayRef<int64_t> shape);
  /// The numbers 0, 1, 2 … of a type.
  mlir::Value counting(int64_t extent, mlir::Type number);
  mlir::Value reshape(mlir::Value x, llvm::ArrayRef<int64_t> shape);
  mlir::Value transpose(mlir::Value x, llvm::ArrayRef<int64_t> perm);
  mlir::Value cast(mlir::Value x, mlir::Type element);
  mlir::Value expand(mlir::Value x, llvm::ArrayRef<int64_t> shape);
  /// Element-wise op of two operands that broadcast; the result has `element`
  /// elements, or the operands' if null.
  template <typename OpTy>
  mlir::Value binary(mlir::Value a, mlir::Value c, mlir::Type element = {}) {
    checkSameElement(a, c);
    return make<OpTy>(
        typeOf(broadcast(a, c), element ? element : this->element(a)), a, c);
  }
  Shape broadcast(mlir::Value a, mlir::Value c) const;
  void checkSameElement(mlir::Value a, mlir::Value c) const;

  void result(mlir::Value value) { results.push_back(value); }

private:
  void checkInside(mlir::Value x, llvm::ArrayRef<int64_t> starts,
                   llvm::ArrayRef<int64_t> steps,
                   llvm::ArrayRef<int64_t> to) const;
  /// The name of an input.
  std::string inputName(mlir::Value value) const;
};

/// A node without a name is called by its first output.
std::string nameOf(const onnx::NodeProto &node);

/// A type as MLIR writes it.
std::string text(mlir::Type type);

using Handler = void (*)(Node &);
/// By "domain" + "." + operator; ONNX's own domain is empty: ".Conv".
using HandlerTable = llvm::StringMap<Handler>;

void addElementwise(HandlerTable &table);
void addMath(HandlerTable &table);
void addActivations(HandlerTable &table);
void addNormalizations(HandlerTable &table);
void addEinsum(HandlerTable &table);
void addTransforms(HandlerTable &table);
void addAttention(HandlerTable &table);
void addLosses(HandlerTable &table);
void addRandom(HandlerTable &table);
void addOptimizers(HandlerTable &table);
void addProducts(HandlerTable &table);
void addConvolutions(HandlerTable &table);
void addMovement(HandlerTable &table);
void addShaping(HandlerTable &table);
void addReductions(HandlerTable &table);
void addRecurrences(HandlerTable &table);
void addQuantization(HandlerTable &table);
void addCasts(HandlerTable &table);
void addQuantizedProducts(HandlerTable &table);
void addQuantizedContrib(HandlerTable &table);
void addTrees(HandlerTable &table);
void addLinearModels(HandlerTable &table);
void addSupportVectors(HandlerTable &table);
void addFeatures(HandlerTable &table);
void addIndexing(HandlerTable &table);
void addSelection(HandlerTable &table);
void addPooling(HandlerTable &table);
void addTransposedConvolutions(HandlerTable &table);
void addResizing(HandlerTable &table);
void addSampling(HandlerTable &table);
void addRegionPooling(HandlerTable &table);

/// Handlers that fused forms of their operators call.
void convolution(Node &n);
void averagePool(Node &n);
void globalAveragePool(Node &n);
void gemm(Node &n);
void softmax(Node &n);

} // namespace mho::import

#endif // MHO_LIB_IMPORT_ONNX_NODE_H
