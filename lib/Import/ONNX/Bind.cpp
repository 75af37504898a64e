//===- Bind.cpp - what the user says of a model's inputs ------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bind.h"

#include "Errors.h"
#include "Tensors.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringExtras.h"

#include <cmath>
#include <map>
#include <set>

using namespace mlir;
using onnx::TensorShapeProto;
using onnx::ValueInfoProto;

namespace mho::import {

namespace {

using Dimension = TensorShapeProto::Dimension;

std::string describe(const ValueInfoProto &input) {
  std::string text = input.name() + " [";
  for (const Dimension &dim : input.type().tensor_type().shape().dim()) {
    if (text.back() != '[')
      text += ", ";
    text += dim.has_dim_value()       ? std::to_string(dim.dim_value())
            : dim.dim_param().empty() ? std::string("?")
                                      : dim.dim_param();
  }
  return text + "]";
}

/// An extent, or with `low` not negative the largest of a bounded one.
struct Extent {
  int64_t extent = 0, low = -1;
  bool operator==(const Extent &) const = default;
};

class Binding {
public:
  Binding(onnx::ModelProto &model, MLIRContext &context)
      : model(model), context(context) {
    std::set<std::string> initialized;
    for (const auto &tensor : model.graph().initializer())
      initialized.insert(tensor.name());
    for (ValueInfoProto &input : *model.mutable_graph()->mutable_input()) {
      if (initialized.count(input.name()))
        continue;
      if (!input.type().has_tensor_type()) {
        others.push_back(&input);
        continue;
      }
      inputs.push_back(&input);
      for (Dimension *dim : dims(input)) {
        if (!namesExtent(dim->dim_param()))
          dim->clear_dim_param();
        if (!dim->dim_param().empty())
          known.insert(dim->dim_param());
      }
    }
  }

  void shape(StringRef option) {
    auto [name, text] = option.rsplit('=');
    std::string given = "--shape=" + option.str();
    if (name.empty() || text.empty())
      throw ModelError(given + " must read INPUT=1x3x32x32 or SYMBOL=4");
    for (ValueInfoProto *other : others)
      if (other->name() == name)
        return form(*other, text, given);
    SmallVector<Extent> extents = extentsOf(text, given);
    ValueInfoProto *input = find(name);
    bool symbol = known.count(name.str());
    if (input && !(symbol && extents.size() == 1 && dims(*input).size() != 1))
      return bind(*input, extents, given);
    if (!symbol)
      throw ModelError(given + ": the model has no input or symbol '" +
                       name.str() + "'; " + listing());
    if (extents.size() != 1)
      throw ModelError(given + ": a symbol takes one extent");
    bind(name.str(), extents[0], given);
  }

  /// Resolves an input that is a sequence, or an optional: `[2x3,4x3]` are a
  /// sequence's elements, `none` is an absent optional, and else the text is
  /// the shape of the tensor that is there.
  void form(ValueInfoProto &input, StringRef text, const std::string &given) {
    std::erase(others, &input);
    onnx::TypeProto type = input.type();
    if (type.has_optional_type()) {
      onnx::TypeProto inner = type.optional_type().elem_type();
      type = inner;
      if (text == "none") {
        bound.absent.push_back(input.name());
        dropped.insert(input.name());
        return;
      }
    }
    if (type.has_tensor_type()) {
      *input.mutable_type() = type;
      inputs.push_back(&input);
      return bind(input, extentsOf(text, given), given);
    }
    if (!type.has_sequence_type() ||
        !type.sequence_type().elem_type().has_tensor_type())
      throw ModelError("input '" + input.name() +
                       "' is neither a tensor nor a sequence of tensors, which "
                       "is not supported");
    if (!text.consume_front("[") || !text.consume_back("]"))
      throw ModelError(given + ": '" + input.name() +
                       "' is a sequence; expected the shapes of its elements, "
                       "as in " +
                       input.name() + "=[2x3,4x3]");
    SmallVector<StringRef> shapes;
    text.split(shapes, ',', -1, /*KeepEmpty=*/false);
    auto &elements = bound.sequences[input.name()];
    dropped.insert(input.name());
    for (StringRef shape : shapes) {
      elements.push_back(elementName(input.name(), elements.size()));
      ValueInfoProto &element = *model.mutable_graph()->add_input();
      element.set_name(elements.back());
      *element.mutable_type() = type.sequence_type().elem_type();
      // Elements may differ in what the model calls by one symbol.
      element.mutable_type()->mutable_tensor_type()->clear_shape();
      inputs.push_back(&element);
      bind(element, extentsOf(shape, given), given);
    }
  }

  static SmallVector<Extent> extentsOf(StringRef text,
                                       const std::string &given) {
    SmallVector<Extent> extents;
    if (text.trim() == "scalar")
      return extents;
    SmallVector<StringRef> parts;
    text.split(parts, 'x');
    for (StringRef part : parts) {
      auto [least, most] = part.split("..");
      if (part.contains("..")) {
        Extent bounded;
        if (least.trim().getAsInteger(10, bounded.low) ||
            most.trim().getAsInteger(10, bounded.extent) || bounded.low < 0 ||
            bounded.low > bounded.extent || bounded.extent == 0)
          throw ModelError(given + ": '" + part.str() +
                           "' is no range of extents such as 1..512");
        extents.push_back(bounded);
        continue;
      }
      int64_t extent;
      if (part.trim().getAsInteger(10, extent) || extent < 0)
        throw ModelError(given + ": '" + part.str() + "' is no extent");
      extents.push_back({extent, -1});
    }
    return extents;
  }

  void constant(StringRef option, const ImportOptions &options) {
    auto [name, text] = option.split('=');
    std::string given = "--constant=" + option.str();
    if (name.empty() || text.empty())
      throw ModelError(given + " must read INPUT=VALUE or INPUT=FILE.npz:KEY");
    ValueInfoProto *input = find(name);
    if (!input)
      throw ModelError(given + ": the model has no input '" + name.str() +
                       "'; " + listing());
    ImportArray array;
    bool shaped = text.contains(".npz:");
    if (shaped) {
      auto [file, key] = text.rsplit(':');
      std::string error = "no reader for .npz files is at hand";
      if (!options.readArray ||
          !options.readArray(file.str(), key.str(), array, error))
        throw ModelError(given + ": " + error);
    } else {
      SmallVector<StringRef> parts;
      text.split(parts, ',');
      array.integral = true;
      for (StringRef part : parts) {
        double value = 0;
        int64_t integer = 0;
        part = part.trim();
        if (part == "true" || part == "false") {
          value = integer = part == "true";
        } else if (!part.getAsInteger(10, integer)) {
          value = double(integer);
        } else if (!part.getAsDouble(value)) {
          array.integral = false;
        } else {
          throw ModelError(given + ": '" + part.str() + "' is no number");
        }
        array.reals.push_back(value);
        array.integers.push_back(integer);
      }
      (array.integral ? array.reals.clear() : array.integers.clear());
      array.shape = {int64_t(array.elements())};
      if (array.elements() == 1)
        array.shape.clear();
    }
    bound.frozen[name] = frozenValue(*input, array, given);
    std::erase(inputs, input);
  }

  void constant(StringRef name, const ImportArray &array) {
    std::string given = "constant for '" + name.str() + "'";
    ValueInfoProto *input = find(name);
    if (!input)
      throw ModelError(given + ": the model has no such input; " + listing());
    bound.frozen[name] = frozenValue(*input, array, given);
    std::erase(inputs, input);
  }

  /// Leading dimensions become 1; everything else must have been bound.
  Bound finish() {
    for (ValueInfoProto *other : others)
      throw ModelError(
          "input '" + other->name() +
          (other->type().has_optional_type()
               ? "' is optional; give its shape, or --shape=" + other->name() +
                     "=none"
               : "' is a sequence; give the shapes of its elements, as in "
                 "--shape=" +
                     other->name() + "=[2x3,4x3]"));
    for (ValueInfoProto *input : inputs) {
      if (!input->type().tensor_type().has_shape())
        throw ModelError("input '" + input->name() +
                         "' has no shape in the model; give --shape=" +
                         input->name() + "=AxBxC");
      auto all = dims(*input);
      if (all.empty() || isBound(*all[0]))
        continue;
      std::string symbol = all[0]->dim_param();
      if (symbol.empty())
        all[0]->set_dim_value(1);
      else
        symbols[symbol] = {1, -1};
      std::string option =
          symbol.empty() ? input->name() + "=1x…" : symbol + "=N";
      note("leading dimension" +
           (symbol.empty() ? std::string() : " '" + symbol + "'") +
           " of input '" + input->name() +
           "' is not given and becomes 1; "
           "--shape=" +
           option + " sets it");
    }
    std::string unbound, options;
    std::set<std::string> named;
    for (ValueInfoProto *input : inputs) {
      bool open = false, unnamed = false;
      std::string declared = describe(*input);
      std::string form;
      for (auto [axis, dim] : llvm::enumerate(dims(*input))) {
        bool bound = isBound(*dim);
        if (bound && !dim->has_dim_value()) {
          std::string symbol = dim->dim_param();
          Extent extent = symbols.at(symbol);
          dim->set_dim_value(extent.extent);
          noteBounded(*input, axis, extent, symbol);
        }
        open |= !bound;
        unnamed |= !bound && dim->dim_param().empty();
        if (!bound && !dim->dim_param().empty() &&
            named.insert(dim->dim_param()).second)
          options += " --shape=" + dim->dim_param() + "=N";
        form += (form.empty() ? "" : "x") +
                (bound ? std::to_string(dim->dim_value()) : std::string("N"));
      }
      if (open)
        unbound += (unbound.empty() ? "" : ", ") + declared;
      if (unnamed)
        options += " --shape=" + input->name() + "=" + form;
    }
    if (!unbound.empty())
      throw ModelError("dimensions of " + unbound + " are not bound; give" +
                       options);
    auto &all = *model.mutable_graph()->mutable_input();
    all.erase(std::remove_if(all.begin(), all.end(),
                             [&](const ValueInfoProto &input) {
                               return dropped.count(input.name());
                             }),
              all.end());
    return std::move(bound);
  }

private:
  /// Some exporters write "?" or "-1" for whatever they do not know: the same
  /// text does not make it the same extent.
  static bool namesExtent(StringRef param) {
    return llvm::any_of(param, [](unsigned char letter) {
      return llvm::isAlpha(letter) || letter >= 0x80;
    });
  }

  std::vector<Dimension *> dims(ValueInfoProto &input) {
    std::vector<Dimension *> result;
    if (!input.type().tensor_type().has_shape())
      return result;
    for (Dimension &dim : *input.mutable_type()
                               ->mutable_tensor_type()
                               ->mutable_shape()
                               ->mutable_dim())
      result.push_back(&dim);
    return result;
  }

  bool isBound(const Dimension &dim) const {
    if (dim.has_dim_value())
      return dim.dim_value() >= 0;
    return symbols.count(dim.dim_param());
  }

  ValueInfoProto *find(StringRef name) {
    for (ValueInfoProto *input : inputs)
      if (input->name() == name)
        return input;
    return nullptr;
  }

  std::string listing() const {
    std::string text = "it has the inputs";
    for (size_t i = 0; i < inputs.size(); ++i)
      text += (i ? ", " : " ") + describe(*inputs[i]);
    return text;
  }

  void bind(const std::string &symbol, Extent extent,
            const std::string &given) {
    auto [at, fresh] = symbols.emplace(symbol, extent);
    if (!fresh && !(at->second == extent))
      throw ModelError(given + ": '" + symbol + "' is " +
                       std::to_string(at->second.extent) +
                       " by another option");
  }

  void bind(ValueInfoProto &input, ArrayRef<Extent> extents,
            const std::string &given) {
    auto all = dims(input);
    if (!input.type().tensor_type().has_shape()) {
      auto *shape =
          input.mutable_type()->mutable_tensor_type()->mutable_shape();
      for (auto [axis, extent] : llvm::enumerate(extents)) {
        shape->add_dim()->set_dim_value(extent.extent);
        noteBounded(input, axis, extent,
                    input.name() + " axis " + std::to_string(axis));
      }
      return;
    }
    if (all.size() != extents.size())
      throw ModelError(given + " has " + std::to_string(extents.size()) +
                       " extents, but the model declares " + describe(input));
    for (auto [axis, dim, extent] : llvm::enumerate(all, extents)) {
      if (!dim->dim_param().empty())
        bind(dim->dim_param(), extent, given);
      else if (dim->has_dim_value() && dim->dim_value() >= 0 &&
               (dim->dim_value() != extent.extent || extent.low >= 0))
        throw ModelError(given + " differs from the model's fixed shape " +
                         describe(input));
      else {
        dim->set_dim_value(extent.extent);
        noteBounded(input, axis, extent,
                    input.name() + " axis " + std::to_string(axis));
      }
    }
  }

  void noteBounded(const ValueInfoProto &input, int64_t axis, Extent extent,
                   const std::string &name) {
    if (extent.low >= 0)
      bound.bounded[{input.name(), axis}] = {name, extent.low, extent.extent};
  }

  ElementsAttr frozenValue(ValueInfoProto &input, const ImportArray &array,
                           const std::string &given) {
    Type element =
        elementType(&context, input.type().tensor_type().elem_type());
    if (!element)
      throw ModelError(given + ": the input's type is not supported");
    SmallVector<int64_t> shape(array.shape.begin(), array.shape.end());
    auto declared = dims(input);
    bool isStatic = input.type().tensor_type().has_shape();
    SmallVector<int64_t> fixed;
    for (Dimension *dim : declared) {
      isStatic &= dim->has_dim_value() && dim->dim_value() >= 0;
      fixed.push_back(dim->dim_value());
    }
    if (isStatic && int64_t(array.elements()) ==
                        tensorType(fixed, element).getNumElements())
      shape = fixed;
    else if (isStatic || declared.size() != shape.size())
      throw ModelError(given + " has " + std::to_string(array.elements()) +
                       " values, but the model declares " + describe(input));
    Builder b(&context);
    SmallVector<Attribute> values;
    // Floats that NumPy lacks may be given as bit patterns.
    auto floats = dyn_cast<FloatType>(element);
    unsigned width = element.getIntOrFloatBitWidth();
    bool patterns = floats && !element.isF16() && array.patternBits &&
                    array.patternBits == llvm::alignTo(width, 8);
    for (size_t i = 0; i < array.elements(); ++i) {
      if (patterns) {
        APInt bits(64, uint64_t(array.integers[i]));
        values.push_back(b.getFloatAttr(
            element, APFloat(floats.getFloatSemantics(), bits.trunc(width))));
        continue;
      }
      if (floats) {
        values.push_back(b.getFloatAttr(element, array.integral
                                                     ? double(array.integers[i])
                                                     : array.reals[i]));
        continue;
      }
      if (!array.integral && !isInteger(array.reals[i]))
        throw ModelError(given + ": the input holds integers");
      values.push_back(
          b.getIntegerAttr(element, array.integral ? array.integers[i]
                                                   : int64_t(array.reals[i])));
    }
    return DenseElementsAttr::get(tensorType(shape, element), values);
  }

  static bool isInteger(double value) {
    return std::abs(value) < 0x1p63 && value == std::trunc(value);
  }

  void note(const std::string &text) {
    context.getDiagEngine().emit(UnknownLoc::get(&context),
                                 DiagnosticSeverity::Remark)
        << text;
  }

  onnx::ModelProto &model;
  MLIRContext &context;
  Bound bound;
  std::vector<ValueInfoProto *> inputs;
  /// Sequences and optionals of which no option has told what they are.
  std::vector<ValueInfoProto *> others;
  /// Inputs that are none of the program's.
  std::set<std::string> dropped;
  std::set<std::string> known;
  std::map<std::string, Extent> symbols;
};

} // namespace

Bound bindInputs(onnx::ModelProto &model, const ImportOptions &options,
                 MLIRContext &context) {
  Binding binding(model, context);
  for (const std::string &option : options.shapes)
    binding.shape(option);
  for (const std::string &option : options.constants)
    binding.constant(option, options);
  for (const auto &[name, array] : options.frozen)
    binding.constant(name, array);
  return binding.finish();
}

} // namespace mho::import
