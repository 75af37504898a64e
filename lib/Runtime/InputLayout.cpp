//===- InputLayout.cpp - arrays of a file as samples of a program ---------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "InputLayout.h"

#include "Kernel/Scalar.h"

#include <algorithm>
#include <charconv>
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

/// The slot of a dimension that is known at run time, or -1.
static int32_t slotOf(const fb::Value &value, size_t axis) {
  const auto *slots = value.extent_slots();
  return slots && axis < slots->size() ? slots->Get(uint32_t(axis)) : -1;
}

namespace {
/// What is known of a dimension whose extent the run gives.
struct Bound {
  std::string name;
  int64_t low = 0;
};
} // namespace

/// From "NAME=LOW..HIGH", "LOW..HIGH" or "HIGH".
static Bound boundOf(const fb::Value &value, size_t axis) {
  Bound bound;
  if (!value.bound() || axis >= value.bound()->size())
    return bound;
  std::string text = value.bound()->Get(uint32_t(axis))->str();
  if (size_t end = text.rfind('='); end != std::string::npos) {
    bound.name = text.substr(0, end);
    text = text.substr(end + 1);
  }
  if (size_t end = text.find(".."); end != std::string::npos)
    std::from_chars(text.data(), text.data() + end, bound.low);
  return bound;
}

static bool isBounded(const fb::Value &value) {
  for (size_t axis = 0; value.shape() && axis < value.shape()->size(); ++axis)
    if (slotOf(value, axis) >= 0)
      return true;
  return false;
}

/// "f32 [1,0..512]".
static std::string describeValue(const fb::Value &value) {
  if (!isBounded(value))
    return describe(typeOf(value), shapeOf(value));
  std::string text = std::string(isa::nameOf(typeOf(value))) + " [";
  for (uint32_t axis = 0; axis < value.shape()->size(); ++axis)
    text += (axis ? "," : "") +
            (slotOf(value, axis) >= 0
                 ? std::to_string(boundOf(value, axis).low) + ".."
                 : std::string()) +
            std::to_string(value.shape()->Get(axis));
  return text + "]";
}

/// Calls `visit` with the byte offsets of every contiguous run of a tensor of
/// `shape`, packed and within one of the value's own shape.
template <typename Visit>
static void forEachRun(const fb::Value &value,
                       const std::vector<int64_t> &shape, const Visit &visit) {
  std::vector<int64_t> whole = shapeOf(value);
  size_t run = isa::sizeOf(typeOf(value)), rank = whole.size();
  // Axes that are whole belong to the run, and the first that is not.
  size_t outer = rank;
  bool isWhole = true;
  while (outer > 0 && isWhole) {
    --outer;
    run *= size_t(shape[outer]);
    isWhole = shape[outer] == whole[outer];
  }
  if (std::find(shape.begin(), shape.end(), 0) != shape.end())
    return;
  std::vector<int64_t> at(outer, 0);
  for (size_t packed = 0;; packed += run) {
    size_t place = 0;
    for (size_t axis = 0; axis < rank; ++axis)
      place = place * size_t(whole[axis]) + size_t(axis < outer ? at[axis] : 0);
    visit(packed, place * isa::sizeOf(typeOf(value)), run);
    size_t axis = outer;
    while (axis > 0 && ++at[axis - 1] == shape[axis - 1])
      at[--axis] = 0;
    if (axis == 0)
      return;
  }
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
            describeValue(value);
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

/// Whether axes of `given` from `first` on are the value's.
bool InputLayout::fits(const fb::Value &value,
                       const std::vector<int64_t> &given, size_t first) const {
  std::vector<int64_t> shape = shapeOf(value);
  if (given.size() != shape.size() + first)
    return false;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    int64_t extent = given[axis + first];
    if (extent > shape[axis] ||
        (extent != shape[axis] &&
         (slotOf(value, axis) < 0 || extent < boundOf(value, axis).low)))
      return false;
  }
  return true;
}

bool InputLayout::fitsBehindFirst(const fb::Value &value,
                                  const std::vector<int64_t> &given) const {
  std::vector<int64_t> one = given;
  one[0] = value.shape()->Get(0);
  return fits(value, one, 0);
}

/// Dimensions of one extent must agree.
Status InputLayout::noteExtents(const Input &input) {
  for (size_t axis = 0; axis < input.shape.size(); ++axis) {
    int32_t slot = slotOf(*input.value, axis);
    if (slot < 0)
      continue;
    std::string here = "array '" + input.value->name()->str() + "' has " +
                       std::to_string(input.shape[axis]) + " in dimension " +
                       std::to_string(axis);
    auto [other, isNew] =
        known.try_emplace(uint32_t(slot), Known{input.shape[axis], here});
    if (isNew || other->second.extent == input.shape[axis])
      continue;
    std::string name = boundOf(*input.value, axis).name;
    return failure(other->second.where + ", " + here + ", but both are " +
                   (name.empty() ? "one extent" : "the extent '" + name + "'") +
                   ": give them arrays that agree");
  }
  return success();
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
    Input input{&value, nullptr, Tensor(), true, -1, shape};
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
      input.own = Tensor(typeOf(value), shape);
      layout.inputs.push_back(std::move(input));
      continue;
    }
    const Tensor *tensor = &found->second;
    if (tensor->type == typeOf(value)) {
      input.given = tensor;
    } else {
      auto cast = castTo(*tensor, typeOf(value), name);
      if (!cast)
        return fail(cast.message());
      input.own = std::move(*cast);
      tensor = &input.own;
    }
    std::vector<int64_t> given = tensor->shape;
    uint64_t n = 1;
    if (layout.fits(value, given, 0)) {
      // As it is, for every run.
      input.shape = given;
    } else if (input.stateOutput >= 0) {
      return fail("array '" + name + "' starts a state and has shape " +
                  describe(tensor->type, given));
    } else if (layout.fits(value, given, 1)) {
      n = uint64_t(given[0]);
      input.repeated = false;
      input.shape.assign(given.begin() + 1, given.end());
      layout.extraAxis = true;
    } else if (given.size() == shape.size() && !shape.empty() && shape[0] > 0 &&
               given[0] % shape[0] == 0 && slotOf(value, 0) < 0 &&
               layout.fitsBehindFirst(value, given)) {
      n = uint64_t(given[0] / shape[0]);
      input.repeated = false;
      input.shape = given;
      input.shape[0] = shape[0];
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
    if (Status status = layout.noteExtents(input); !status.ok())
      return fail(status.message());
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
    Tensor tensor;
    tensor.type = typeOf(*value);
    tensor.shape = shape;
    // A single run brings its bytes along.
    if (count * instances != 1 || isBounded(*value))
      tensor.data.resize(tensor.elements() * isa::sizeOf(tensor.type));
    outputs.emplace_back(value->name()->str(), std::move(tensor));
  }
}

const std::byte *InputLayout::Input::data(uint64_t run) const {
  size_t bytes = isa::sizeOf(typeOf(*value));
  for (int64_t extent : shape)
    bytes *= size_t(extent);
  return tensor().data.data() + (repeated ? 0 : run * bytes);
}

const std::byte *InputLayout::wholeInput(size_t number, uint64_t run) const {
  const Input &input = inputs[number];
  bool whole = input.stateOutput < 0 && input.shape == shapeOf(*input.value);
  return whole ? input.data(run) : nullptr;
}

void InputLayout::fill(uint64_t run, const Outputs &outputs, uint32_t instance,
                       const std::vector<const std::byte *> &elsewhere,
                       std::byte *io) const {
  for (size_t number = 0; number < inputs.size(); ++number) {
    const Input &input = inputs[number];
    if (elsewhere[number])
      continue;
    size_t bytes = input.value->bytes();
    std::byte *to = io + input.value->offset();
    if (input.stateOutput >= 0 && run > 0) {
      if (bytes)
        std::memcpy(to,
                    outputs[input.stateOutput].second.data.data() +
                        (instance * count + run - 1) * bytes,
                    bytes);
      continue;
    }
    const std::byte *from = input.data(run);
    forEachRun(*input.value, input.shape,
               [&](size_t packed, size_t place, size_t run) {
                 std::memcpy(to + place, from + packed, run);
               });
  }
}

/// Inside the program the upper bits of a narrow element do not count.
static void clearUpperBits(const fb::Value &value, std::byte *elements,
                           size_t bytes) {
  isa::Type type = typeOf(value);
  if (bitsOf(type) >= 8 || type == isa::Type::Bool)
    return;
  for (size_t at = 0; at < bytes; ++at)
    storeScalar(type, elements + at, loadScalar(type, elements + at));
}

void InputLayout::collect(uint64_t run, const std::byte *io,
                          const std::vector<int64_t> &slots, uint32_t instance,
                          Outputs &outputs) const {
  for (size_t i = 0; i < outputValues.size(); ++i) {
    const fb::Value &value = *outputValues[i];
    size_t bytes = value.bytes();
    if (bytes == 0)
      continue;
    const std::byte *from = io + value.offset();
    std::vector<std::byte> &data = outputs[i].second.data;
    if (data.empty()) {
      data.assign(from, from + bytes);
      clearUpperBits(value, data.data(), bytes);
      continue;
    }
    std::byte *to = data.data() + (instance * count + run) * bytes;
    if (!isBounded(value)) {
      std::memcpy(to, from, bytes);
      clearUpperBits(value, to, bytes);
      continue;
    }
    // Outside of the extents stays zero.
    forEachRun(value, outputShape(i, slots),
               [&](size_t, size_t place, size_t run) {
                 std::memcpy(to + place, from + place, run);
                 clearUpperBits(value, to + place, run);
               });
  }
}

bool InputLayout::anyBounded() const {
  auto bounded = [](const fb::Value *value) { return isBounded(*value); };
  return std::any_of(outputValues.begin(), outputValues.end(), bounded) ||
         std::any_of(inputs.begin(), inputs.end(),
                     [&](const Input &input) { return bounded(input.value); });
}

std::vector<int64_t>
InputLayout::outputShape(size_t number,
                         const std::vector<int64_t> &slots) const {
  const fb::Value &value = *outputValues[number];
  std::vector<int64_t> shape = shapeOf(value);
  for (size_t axis = 0; axis < shape.size(); ++axis)
    if (int32_t slot = slotOf(value, axis); slot >= 0)
      shape[axis] = slots[size_t(slot)];
  return shape;
}

void InputLayout::noteShapes(const std::vector<int64_t> &slots) {
  for (size_t i = 0; i < outputValues.size(); ++i)
    if (isBounded(*outputValues[i]))
      shapes[i].insert(outputShape(i, slots));
}

void InputLayout::trim(Outputs &outputs,
                       std::vector<std::string> &notes) const {
  for (const auto &[number, given] : shapes) {
    const fb::Value &value = *outputValues[number];
    Tensor &tensor = outputs[number].second;
    std::vector<int64_t> whole = shapeOf(value), shape = *given.begin();
    for (const std::vector<int64_t> &one : given)
      for (size_t axis = 0; axis < shape.size(); ++axis)
        shape[axis] = std::max(shape[axis], one[axis]);
    if (given.size() > 1)
      notes.push_back("output '" + value.name()->str() +
                      "' has other extents in other runs: shorter ones are "
                      "followed by zeros");
    if (shape == whole)
      continue;
    size_t packed = isa::sizeOf(tensor.type), bytes = value.bytes();
    for (int64_t extent : shape)
      packed *= size_t(extent);
    size_t runs = bytes ? tensor.data.size() / bytes : 0;
    std::vector<int64_t> wanted = tensor.shape;
    size_t lead = wanted.size() - whole.size();
    for (size_t axis = 0; axis < whole.size(); ++axis)
      if (slotOf(value, axis) >= 0)
        wanted[lead + axis] = wanted[lead + axis] /
                              std::max<int64_t>(whole[axis], 1) * shape[axis];
    Tensor cut(tensor.type, wanted);
    for (size_t run = 0; run < runs; ++run)
      forEachRun(value, shape, [&](size_t at, size_t place, size_t length) {
        std::memcpy(cut.data.data() + run * packed + at,
                    tensor.data.data() + run * bytes + place, length);
      });
    tensor = std::move(cut);
  }
}
