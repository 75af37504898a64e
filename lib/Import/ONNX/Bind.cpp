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

class Binding {
public:
  Binding(onnx::ModelProto &model, MLIRContext &context) : context(context) {
    std::set<std::string> initialized;
    for (const auto &tensor : model.graph().initializer())
      initialized.insert(tensor.name());
    for (ValueInfoProto &input : *model.mutable_graph()->mutable_input()) {
      if (initialized.count(input.name()))
        continue;
      if (!input.type().has_tensor_type())
        throw ModelError("input '" + input.name() +
                         "' is no tensor, which is not supported");
      inputs.push_back(&input);
      for (const Dimension &dim : input.type().tensor_type().shape().dim())
        if (!dim.dim_param().empty())
          known.insert(dim.dim_param());
    }
  }

  void shape(StringRef option) {
    auto [name, text] = option.rsplit('=');
    std::string given = "--shape=" + option.str();
    if (name.empty() || text.empty())
      throw ModelError(given + " must read INPUT=1x3x32x32 or SYMBOL=4");
    if (text.contains(".."))
      throw ModelError(given + ": bounded dimensions are not supported; give "
                               "one extent");
    SmallVector<StringRef> parts;
    text.split(parts, 'x');
    SmallVector<int64_t> extents;
    for (StringRef part : parts) {
      int64_t extent;
      if (part.trim().getAsInteger(10, extent) || extent < 0)
        throw ModelError(given + ": '" + part.str() + "' is no extent");
      extents.push_back(extent);
    }
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

  void constant(StringRef option, const ImportOptions &options,
                llvm::StringMap<ElementsAttr> &frozen) {
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
      for (StringRef part : parts) {
        double value;
        part = part.trim();
        if (part == "true" || part == "false")
          value = part == "true";
        else if (part.getAsDouble(value))
          throw ModelError(given + ": '" + part.str() + "' is no number");
        array.values.push_back(value);
      }
      array.shape = {int64_t(array.values.size())};
      if (array.values.size() == 1)
        array.shape.clear();
    }
    frozen[name] = frozenValue(*input, array, given);
    std::erase(inputs, input);
  }

  /// Leading dimensions become 1; everything else must have been bound.
  void finish() {
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
        symbols[symbol] = 1;
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
      for (Dimension *dim : dims(*input)) {
        bool bound = isBound(*dim);
        if (bound && !dim->has_dim_value())
          dim->set_dim_value(symbols.at(dim->dim_param()));
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
  }

private:
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

  void bind(const std::string &symbol, int64_t extent,
            const std::string &given) {
    auto [at, fresh] = symbols.emplace(symbol, extent);
    if (!fresh && at->second != extent)
      throw ModelError(given + ": '" + symbol + "' is " +
                       std::to_string(at->second) + " by another option");
  }

  void bind(ValueInfoProto &input, ArrayRef<int64_t> extents,
            const std::string &given) {
    auto all = dims(input);
    if (!input.type().tensor_type().has_shape()) {
      auto *shape =
          input.mutable_type()->mutable_tensor_type()->mutable_shape();
      for (int64_t extent : extents)
        shape->add_dim()->set_dim_value(extent);
      return;
    }
    if (all.size() != extents.size())
      throw ModelError(given + " has " + std::to_string(extents.size()) +
                       " extents, but the model declares " + describe(input));
    for (auto [dim, extent] : llvm::zip(all, extents)) {
      if (!dim->dim_param().empty())
        bind(dim->dim_param(), extent, given);
      else if (dim->has_dim_value() && dim->dim_value() >= 0 &&
               dim->dim_value() != extent)
        throw ModelError(given + " differs from the model's fixed shape " +
                         describe(input));
      else
        dim->set_dim_value(extent);
    }
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
    int64_t count = 1;
    for (Dimension *dim : declared) {
      isStatic &= dim->has_dim_value() && dim->dim_value() >= 0;
      fixed.push_back(dim->dim_value());
      count *= isStatic ? dim->dim_value() : 1;
    }
    if (isStatic && array.values.size() == size_t(count))
      shape = fixed;
    else if (isStatic || declared.size() != shape.size())
      throw ModelError(given + " has " + std::to_string(array.values.size()) +
                       " values, but the model declares " + describe(input));
    Builder b(&context);
    SmallVector<Attribute> values;
    // Floats that NumPy lacks may be given as bit patterns.
    auto floats = dyn_cast<FloatType>(element);
    unsigned width = element.getIntOrFloatBitWidth();
    bool patterns = floats && !element.isF16() && array.patternBits &&
                    array.patternBits == llvm::alignTo(width, 8);
    for (double value : array.values) {
      if (patterns) {
        APInt bits(64, uint64_t(value));
        values.push_back(b.getFloatAttr(
            element,
            APFloat(floats.getFloatSemantics(), bits.trunc(width))));
        continue;
      }
      if (floats) {
        values.push_back(b.getFloatAttr(element, value));
        continue;
      }
      if (value != double(int64_t(value)))
        throw ModelError(given + ": the input holds integers");
      values.push_back(b.getIntegerAttr(element, int64_t(value)));
    }
    return DenseElementsAttr::get(tensorType(shape, element), values);
  }

  void note(const std::string &text) {
    context.getDiagEngine().emit(UnknownLoc::get(&context),
                                 DiagnosticSeverity::Remark)
        << text;
  }

  MLIRContext &context;
  std::vector<ValueInfoProto *> inputs;
  std::set<std::string> known;
  std::map<std::string, int64_t> symbols;
};

} // namespace

void bindInputs(onnx::ModelProto &model, const ImportOptions &options,
                MLIRContext &context, llvm::StringMap<ElementsAttr> &frozen) {
  Binding binding(model, context);
  for (const std::string &option : options.shapes)
    binding.shape(option);
  for (const std::string &option : options.constants)
    binding.constant(option, options, frozen);
  binding.finish();
}

} // namespace mho::import
