//===- InputLayout.cpp - arrays of a file as samples of a program ---------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "InputLayout.h"

#include "Kernel/Scalar.h"

#include <cmath>
#include <cstring>
#include <optional>
#include <span>

using namespace mho;
using namespace mho::rt;

static std::vector<int64_t> shapeOf(const fb::Value &value) {
  std::vector<int64_t> shape;
  if (value.shape())
    for (int64_t extent : *value.shape())
      shape.push_back(extent);
  return shape;
}

static isa::Type typeOf(const fb::Value &value) {
  return isa::Type(value.type());
}

/// The numbers of a list that a program may leave out when it is empty.
static std::span<const uint32_t>
numbersOf(const flatbuffers::Vector<uint32_t> *list) {
  return list ? std::span(list->data(), list->size())
              : std::span<const uint32_t>();
}

/// What the program takes, one input a line.
static std::string expectation(const fb::Program &program,
                               const fb::Entry &entry) {
  if (numbersOf(entry.inputs()).empty())
    return "; the program takes no input";
  std::string text = "; the program takes";
  bool first = true;
  for (uint32_t number : numbersOf(entry.inputs())) {
    const fb::Value &value = *program.values()->Get(number);
    text += (first ? " '" : ", '") + value.name()->str() + "' " +
            describe(typeOf(value), shapeOf(value));
    first = false;
  }
  return text + " (or n times the leading axis, or one more leading axis)";
}

/// Types that NumPy lacks may arrive as bit patterns, one in each unsigned
/// number of their size.
static bool isBitPattern(isa::Type from, isa::Type to) {
  if (to == isa::Type::I4 || to == isa::Type::I2)
    return from == isa::Type::U8;
  return isa::isFloat(to) && isa::sizeOf(to) <= 2 && to != isa::Type::F16 &&
         from == (isa::sizeOf(to) == 2 ? isa::Type::U16 : isa::Type::U8);
}

static Expected<Tensor> fromBitPatterns(const Tensor &from, isa::Type to,
                                        const std::string &name) {
  Tensor result(to, from.shape);
  size_t bytes = isa::sizeOf(to);
  unsigned width = bitsOf(to);
  for (size_t i = 0, n = from.elements(); i < n; ++i) {
    const std::byte *memory = from.data.data() + i * bytes;
    int64_t pattern = loadScalar(from.type, memory).i;
    // Above a narrow pattern stands nothing, or the sign of an integer.
    int64_t above = pattern >> width;
    bool negative = !isa::isFloat(to) && (pattern >> (width - 1) & 1) &&
                    above == 0xff >> width;
    if (width < 8 && above != 0 && !negative)
      return failure("array '" + name + "': element " + std::to_string(i) +
                     " is " + std::to_string(pattern) + ", which is no bit " +
                     "pattern of " + isa::nameOf(to));
    storeScalar(to, result.data.data() + i * bytes,
                fromBits(to, uint64_t(pattern)));
  }
  return result;
}

/// Whether `value` of type `from` has the same value in `to`.
static Expected<Tensor> castTo(const Tensor &from, isa::Type to,
                               const std::string &name) {
  if (from.type == to)
    return from;
  if (isBitPattern(from.type, to))
    return fromBitPatterns(from, to, name);
  bool floats = isa::isFloat(from.type);
  if (floats && !isa::isFloat(to))
    return failure("array '" + name + "' holds " + isa::nameOf(from.type) +
                   ", expected " + isa::nameOf(to) +
                   "; floats are not cast to integers");
  Tensor result(to, from.shape);
  size_t fromBytes = isa::sizeOf(from.type), toBytes = isa::sizeOf(to);
  for (size_t i = 0, n = from.elements(); i < n; ++i) {
    Scalar value = loadScalar(from.type, from.data.data() + i * fromBytes);
    std::byte *memory = result.data.data() + i * toBytes;
    if (isa::isFloat(to)) {
      double number = toDouble(from.type, value);
      storeScalar(to, memory, fromDouble(to, number));
      if (!floats && toDouble(to, loadScalar(to, memory)) != number)
        return failure("array '" + name + "': element " + std::to_string(i) +
                       " is " + std::to_string(int64_t(number)) + ", which " +
                       isa::nameOf(to) + " cannot hold");
      continue;
    }
    storeScalar(to, memory, value);
    Scalar back = loadScalar(to, memory);
    bool fits = back.i == value.i;
    if (isa::isUnsigned(to) != isa::isUnsigned(from.type) && value.i < 0)
      fits = false;
    if (!fits)
      return failure("array '" + name + "': element " + std::to_string(i) +
                     " is " + std::to_string(value.i) + ", which " +
                     isa::nameOf(to) + " cannot hold");
  }
  return result;
}

Expected<InputLayout> InputLayout::match(
    const fb::Program &program, const fb::Entry &entry, const TensorMap &arrays,
    const std::vector<std::pair<std::string, std::string>> &states,
    std::vector<std::string> &notes) {
  InputLayout layout;
  auto fail = [&](const std::string &message) {
    return failure(message + expectation(program, entry));
  };
  for (uint32_t number : numbersOf(entry.outputs()))
    layout.outputValues.push_back(program.values()->Get(number));
  for (const auto &[input, output] : states) {
    auto has = [&](const std::string &name, std::span<const uint32_t> list) {
      for (uint32_t number : list)
        if (program.values()->Get(number)->name()->str() == name)
          return true;
      return false;
    };
    if (!has(input, numbersOf(entry.inputs())))
      return fail("--state names input '" + input + "', which is not there");
    if (!has(output, numbersOf(entry.outputs())))
      return failure("--state names output '" + output +
                     "', which is not there");
  }

  std::optional<uint64_t> runs;
  std::string counted;
  for (uint32_t number : numbersOf(entry.inputs())) {
    const fb::Value &value = *program.values()->Get(number);
    std::string name = value.name()->str();
    std::vector<int64_t> shape = shapeOf(value);
    Input input{&value, Tensor(), true, -1};
    for (const auto &[to, from] : states)
      if (to == name)
        for (size_t i = 0; i < layout.outputValues.size(); ++i)
          if (layout.outputValues[i]->name()->str() == from)
            input.stateOutput = int(i);
    if (input.stateOutput >= 0 &&
        layout.outputValues[input.stateOutput]->bytes() != value.bytes())
      return failure("--state " + name + ": output '" +
                     layout.outputValues[input.stateOutput]->name()->str() +
                     "' has another size");
    auto found = arrays.find(name);
    if (found == arrays.end()) {
      if (input.stateOutput < 0)
        return fail("array '" + name + "' is missing");
      input.tensor = Tensor(typeOf(value), shape);
      layout.inputs.push_back(std::move(input));
      continue;
    }
    auto tensor = castTo(found->second, typeOf(value), name);
    if (!tensor)
      return fail(tensor.message());
    std::vector<int64_t> given = tensor->shape;
    uint64_t n = 1;
    if (given == shape) {
      // As it is, for every run.
    } else if (input.stateOutput >= 0) {
      return fail("array '" + name + "' starts a state and has shape " +
                  describe(tensor->type, given));
    } else if (given.size() == shape.size() + 1 &&
               std::equal(shape.begin(), shape.end(), given.begin() + 1)) {
      n = uint64_t(given[0]);
      input.repeated = false;
      layout.extraAxis = true;
    } else if (given.size() == shape.size() && !shape.empty() && shape[0] > 0 &&
               given[0] % shape[0] == 0 &&
               std::equal(shape.begin() + 1, shape.end(), given.begin() + 1)) {
      n = uint64_t(given[0] / shape[0]);
      input.repeated = false;
    } else {
      return fail("array '" + name + "' is " + describe(tensor->type, given));
    }
    if (n == 0)
      return fail("array '" + name + "' is " + describe(tensor->type, given) +
                  ", which is no run at all");
    if (!input.repeated) {
      if (runs && *runs != n)
        return fail("array '" + name + "' gives " + std::to_string(n) +
                    " runs, array '" + counted + "' " + std::to_string(*runs));
      runs = n;
      counted = name;
    }
    input.tensor = std::move(*tensor);
    layout.inputs.push_back(std::move(input));
  }
  layout.count = runs.value_or(1);
  for (const auto &[name, tensor] : arrays) {
    bool known = false;
    for (const Input &input : layout.inputs)
      known |= input.value->name()->str() == name;
    if (!known)
      notes.push_back("array '" + name +
                      "' is passed over: the program has no "
                      "such input");
  }
  return layout;
}

void InputLayout::allocateOutputs(uint32_t instances, bool instanceAxis,
                                  Outputs &outputs) const {
  for (const fb::Value *value : outputValues) {
    std::vector<int64_t> shape = shapeOf(*value);
    bool several = count != 1 || extraAxis;
    if (shape.empty() ? several : extraAxis)
      shape.insert(shape.begin(), int64_t(count));
    else if (several)
      shape[0] *= int64_t(count);
    if (instanceAxis)
      shape.insert(shape.begin(), int64_t(instances));
    outputs.emplace_back(value->name()->str(), Tensor(typeOf(*value), shape));
  }
}

void InputLayout::fill(uint64_t run, const Outputs &outputs, uint32_t instance,
                       std::byte *io) const {
  for (const Input &input : inputs) {
    size_t bytes = input.value->bytes();
    const std::byte *from =
        input.tensor.data.data() + (input.repeated ? 0 : run * bytes);
    if (input.stateOutput >= 0 && run > 0)
      from = outputs[input.stateOutput].second.data.data() +
             (instance * count + run - 1) * bytes;
    if (bytes)
      std::memcpy(io + input.value->offset(), from, bytes);
  }
}

void InputLayout::collect(uint64_t run, const std::byte *io, uint32_t instance,
                          Outputs &outputs) const {
  for (size_t i = 0; i < outputValues.size(); ++i) {
    size_t bytes = outputValues[i]->bytes();
    if (bytes)
      std::memcpy(outputs[i].second.data.data() +
                      (instance * count + run) * bytes,
                  io + outputValues[i]->offset(), bytes);
  }
}
