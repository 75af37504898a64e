//===- Recurrent.cpp - LSTM, GRU and RNN ----------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the inputs of all steps give to the gates is one product before the
// loop; the loop holds the product of the state and the gates. Both keep their
// weights as the model has them, so that an array can hold either, and name
// their gates: a chip that wants the gates of a hidden unit side by side takes
// the columns in that order.
//
//===----------------------------------------------------------------------===//

#include "Iteration.h"
#include "QuantizedProducts.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace mho::import {

namespace {

/// An activation with its parameters.
struct Activation {
  enum Kind {
    Relu,
    Tanh,
    Sigmoid,
    Affine,
    LeakyRelu,
    ThresholdedRelu,
    ScaledTanh,
    HardSigmoid,
    Elu,
    Softsign,
    Softplus,
    Unknown
  };
  Kind kind = Unknown;
  float alpha = 0, beta = 0;

  /// How many of alpha and beta it has, and what they are by default.
  static int parameters(Kind kind, float &alpha, float &beta) {
    switch (kind) {
    case Affine:
    case ScaledTanh:
      alpha = 1, beta = kind == Affine ? 0 : 1;
      return 2;
    case HardSigmoid:
      alpha = 0.2f, beta = 0.5f;
      return 2;
    case LeakyRelu:
      alpha = 0.01f;
      return 1;
    case ThresholdedRelu:
    case Elu:
      alpha = 1;
      return 1;
    default:
      return 0;
    }
  }
};

/// Builds the ops of one recurrent node.
class Recurrence {
public:
  /// `letters` of the blocks of rows in W and R. If `quantized`, these are
  /// transposed and hold bytes, and inputs from 8 on their scales and zeros.
  Recurrence(Node &n, StringRef letters, ArrayRef<StringRef> defaults,
             bool quantized = false)
      : n(n), letters(letters), gates(letters.size()), quantized(quantized) {
    readShapes();
    readActivations(defaults);
  }

  Node &n;
  StringRef letters;
  int64_t gates, directions = 1, steps = 0, batch = 0, inputs = 0, hidden = 0;
  bool quantized = false, batchFirst = false;
  Value x;
  Type element;
  std::vector<Activation> activations;

  Value number(double value) { return n.scalar(element, value); }
  template <typename OpTy> Value unary(Value a) {
    return n.make<OpTy>(a.getType(), a);
  }
  Value add(Value a, Value c) { return n.binary<graph::AddOp>(a, c); }
  Value sub(Value a, Value c) { return n.binary<graph::SubOp>(a, c); }
  Value mul(Value a, Value c) { return n.binary<graph::MulOp>(a, c); }
  /// Null stands for nothing to add.
  Value addAll(std::initializer_list<Value> values) {
    Value sum;
    for (Value value : values)
      sum = !sum ? value : !value ? sum : add(sum, value);
    return sum;
  }

  Value activate(size_t direction, size_t which, Value x);
  /// Limits what goes into an activation, where the node asks for it.
  Value clip(Value x) {
    float limit = n.real("clip", 0);
    if (!n.has("clip") || limit <= 0)
      return x;
    return n.make<graph::ClipOp>(x.getType(), x, number(-limit), number(limit));
  }
  Value slice(Value value, int64_t axis, int64_t begin, int64_t extent) {
    Shape shape(n.shape(value)), starts(shape.size(), 0), ones(shape.size(), 1);
    if (shape[axis] == extent)
      return value;
    starts[axis] = begin;
    shape[axis] = extent;
    return n.sliced(value, starts, ones, shape);
  }
  /// Gate `which` of rows that hold `count` gates from `first` on.
  Value gate(Value rows, int64_t which) {
    return slice(rows, n.type(rows).getRank() - 1, which * hidden, hidden);
  }
  /// Direction `d` of a tensor whose first axis is the directions.
  Value direction(Value all, int64_t d) {
    Value one = slice(all, 0, d, 1);
    return n.reshape(one, n.shape(one).drop_front());
  }
  /// rows·weightsᵀ + bias, columns of these gates; the weights stay as they
  /// are.
  Value product(Value rows, Value weights, Value bias, StringRef letters) {
    auto type = n.typeOf({n.shape(rows)[0], n.shape(weights)[0]}, element);
    FloatAttr one = n.b.getF32FloatAttr(1);
    return n.make<graph::GemmOp>(
        type, rows, weights, bias, one, one, UnitAttr(), n.b.getUnitAttr(),
        letters.size() > 1 ? n.b.getStringAttr(letters) : StringAttr());
  }
  /// rows·weights of what input `weights` holds, the rows quantized by the
  /// range that they happen to have. The bias may be null.
  Value quantizedProduct(Value rows, size_t weights, int64_t d, Value bias);
  /// state·weightsᵀ + bias; only the bias, or null, where the state is zero.
  Value recurrent(Value state, Value weights, Value bias, StringRef letters) {
    if (matchPattern(state, m_AnyZeroFloat()))
      return bias;
    return product(state, weights, bias, letters);
  }
  /// What the inputs of all steps give to the gates.
  Value inputProduct(int64_t d, Value bias) {
    Value rows = n.reshape(x, {n.extents->product(steps, batch), inputs});
    Value all = quantized
                    ? quantizedProduct(rows, 1, d, bias)
                    : product(rows, direction(n.input(1), d), bias, letters);
    return n.reshape(all, {steps, batch, gates * hidden});
  }
  /// What the state gives to all gates, or null.
  Value stateProduct(int64_t d, Value state) {
    if (quantized)
      return quantizedProduct(state, 2, d, Value());
    return recurrent(state, direction(n.input(2), d), Value(), letters);
  }
  /// Half of the bias, of the inputs (0) or of the state (1), or null.
  Value bias(int64_t d, int64_t half) {
    Value all = n.optional(3);
    if (!all)
      return nullptr;
    return slice(direction(all, d), 0, half * gates * hidden, gates * hidden);
  }
  /// Direction `d` of an initial state, zero where it is omitted.
  Value initial(size_t input, int64_t d);
  /// [steps, batch, 1]: whether the step belongs to the sequence; null where
  /// all sequences are full.
  Value stepsAlive();

  /// State after one step.
  using Cell = llvm::function_ref<SmallVector<Value>(int64_t d, Value fromInput,
                                                     ArrayRef<Value> state)>;
  /// All directions; the state's first tensor is what the outputs show.
  void run(ArrayRef<size_t> initialInputs,
           llvm::function_ref<Value(int64_t d)> fromInputs, Cell cell);

private:
  void readShapes();
  void readActivations(ArrayRef<StringRef> defaults);
  void check(Value value, ArrayRef<int64_t> shape, StringRef name);
  void checkWeights(Value value, int64_t rows, int64_t columns, StringRef name);
};

void Recurrence::check(Value value, ArrayRef<int64_t> shape, StringRef name) {
  if (!value)
    return;
  if (n.shape(value) == shape && n.element(value) == element)
    return;
  if (hasSymbol(shape) || hasSymbol(n.shape(value)))
    n.refuse("input " + name +
             " has other extents than input X, or whether it has depends on "
             "the run: fix them with --shape");
  n.fail("input " + name + " is " + text(value.getType()) + ", expected " +
         text(RankedTensorType::get(shape, element)));
}

void Recurrence::checkWeights(Value value, int64_t rows, int64_t columns,
                              StringRef name) {
  if (!quantized)
    return check(value, {directions, rows, columns}, name);
  if (n.shape(value) != ArrayRef({directions, columns, rows}) ||
      !n.element(value).isInteger(8))
    n.fail("input " + name + " is " + text(value.getType()) +
           ", expected bytes of shape [" + Twine(directions) + ", " +
           Twine(columns) + ", " + Twine(rows) + "]");
}

Value Recurrence::quantizedProduct(Value rows, size_t weights, int64_t d,
                                   Value bias) {
  auto parameter = [&](size_t input) -> Value {
    // One for each direction, or for each of its columns.
    Value all = n.optional(input);
    if (!all)
      return nullptr;
    if (n.type(all).getRank() == 0 || n.shape(all)[0] != directions ||
        n.type(all).getNumElements() % directions)
      n.fail("input " + Twine(input) + " is " + text(all.getType()) +
             ", expected one or " + Twine(gates * hidden) +
             " for each direction");
    Value one = direction(all, d);
    return n.type(one).getNumElements() == 1 ? n.reshape(one, {}) : one;
  };
  size_t scale = 6 + 2 * weights;
  if (!n.optional(scale))
    n.fail("input " + Twine(scale) + ", a scale, is missing");
  Quantizer by = coveringRange(n, rows);
  Value bytes = import::quantized(n, rows, by, n.element(by.zero));
  Value sum = quantizedMatMul(n, bytes, by.zero, direction(n.input(weights), d),
                              parameter(scale + 1));
  return scaled(n, sum, by.scale, parameter(scale), bias);
}

void Recurrence::readShapes() {
  x = n.input(0);
  element = n.element(x);
  if (n.type(x).getRank() != 3 || !isa<FloatType>(element))
    n.fail("input X must hold floats and have rank 3, found " +
           text(x.getType()));
  int64_t layout = n.integer("layout", 0);
  if (layout != 0 && layout != 1)
    n.fail("layout is 0 or 1, found " + Twine(layout));
  batchFirst = layout == 1;
  if (batchFirst)
    x = n.transpose(x, {1, 0, 2});
  steps = n.shape(x)[0], batch = n.shape(x)[1], inputs = n.shape(x)[2];
  if (isSymbol(inputs))
    n.refuse("input X has vectors of " + n.extents->text(inputs) +
             " elements, known only at run time: fix them with --shape");
  std::string name = n.string("direction", "forward");
  if (name != "forward" && name != "reverse" && name != "bidirectional")
    n.fail("direction is forward, reverse or bidirectional, found '" + name +
           "'");
  directions = name == "bidirectional" ? 2 : 1;
  if (n.type(n.input(2)).getRank() != 3)
    n.fail("input R must have rank 3, found " + text(n.input(2).getType()));
  hidden = n.shape(n.input(2))[quantized ? 1 : 2];
  if (n.integer("hidden_size", hidden) != hidden)
    n.fail("hidden_size is " + Twine(n.integer("hidden_size", 0)) +
           ", but input R is " + text(n.input(2).getType()));
  int64_t rows = gates * hidden;
  checkWeights(n.input(1), rows, inputs, "W");
  checkWeights(n.input(2), rows, hidden, "R");
  check(n.optional(3), {directions, 2 * rows}, "B");
}

void Recurrence::readActivations(ArrayRef<StringRef> defaults) {
  std::vector<std::string> names;
  if (auto *given = n.attribute("activations"))
    names.assign(given->strings().begin(), given->strings().end());
  if (names.empty())
    for (int64_t d = 0; d < directions; ++d)
      names.insert(names.end(), defaults.begin(), defaults.end());
  if (names.size() != defaults.size() * directions)
    n.fail("attribute 'activations' must name " +
           Twine(defaults.size() * directions) + " functions, found " +
           Twine(names.size()));
  auto floats = [&](StringRef attribute) {
    SmallVector<float> values;
    if (auto *given = n.attribute(attribute))
      values.assign(given->floats().begin(), given->floats().end());
    return values;
  };
  // The lists hold values only for functions that have such a parameter.
  SmallVector<float> alphas = floats("activation_alpha");
  SmallVector<float> betas = floats("activation_beta");
  size_t alphasUsed = 0, betasUsed = 0;
  for (const std::string &name : names) {
    Activation one;
    one.kind = llvm::StringSwitch<Activation::Kind>(StringRef(name).lower())
                   .Case("relu", Activation::Relu)
                   .Case("tanh", Activation::Tanh)
                   .Case("sigmoid", Activation::Sigmoid)
                   .Case("affine", Activation::Affine)
                   .Case("leakyrelu", Activation::LeakyRelu)
                   .Case("thresholdedrelu", Activation::ThresholdedRelu)
                   .Case("scaledtanh", Activation::ScaledTanh)
                   .Case("hardsigmoid", Activation::HardSigmoid)
                   .Case("elu", Activation::Elu)
                   .Case("softsign", Activation::Softsign)
                   .Case("softplus", Activation::Softplus)
                   .Default(Activation::Unknown);
    if (one.kind == Activation::Unknown)
      n.fail("attribute 'activations' names no function of ONNX's: '" + name +
             "'");
    int count = Activation::parameters(one.kind, one.alpha, one.beta);
    if (count > 0 && alphasUsed < alphas.size())
      one.alpha = alphas[alphasUsed++];
    if (count > 1 && betasUsed < betas.size())
      one.beta = betas[betasUsed++];
    activations.push_back(one);
  }
}

Value Recurrence::activate(size_t direction, size_t which, Value x) {
  const Activation &f =
      activations[direction * (activations.size() / directions) + which];
  x = clip(x);
  Type type = x.getType();
  Type flags = n.typeOf(n.shape(x), n.b.getI1Type());
  auto max = [&](Value a, Value c) { return n.binary<graph::MaxOp>(a, c); };
  auto min = [&](Value a, Value c) { return n.binary<graph::MinOp>(a, c); };
  switch (f.kind) {
  case Activation::Relu:
    return unary<graph::ReluOp>(x);
  case Activation::Tanh:
    return unary<graph::TanhOp>(x);
  case Activation::Sigmoid:
    return unary<graph::SigmoidOp>(x);
  case Activation::Affine:
    return add(mul(x, number(f.alpha)), number(f.beta));
  case Activation::LeakyRelu:
    return n.make<graph::LeakyReluOp>(type, x, n.b.getF32FloatAttr(f.alpha));
  case Activation::ThresholdedRelu: {
    Value above = n.make<graph::GreaterOp>(flags, x, number(f.alpha));
    return n.make<graph::WhereOp>(type, above, x, number(0));
  }
  case Activation::ScaledTanh:
    return mul(unary<graph::TanhOp>(mul(x, number(f.beta))), number(f.alpha));
  case Activation::HardSigmoid:
    return min(max(add(mul(x, number(f.alpha)), number(f.beta)), number(0)),
               number(1));
  case Activation::Elu: {
    Value below = mul(sub(unary<graph::ExpOp>(min(x, number(0))), number(1)),
                      number(f.alpha));
    Value above = n.make<graph::GreaterOp>(flags, x, number(0));
    return n.make<graph::WhereOp>(type, above, x, below);
  }
  case Activation::Softsign:
    return n.binary<graph::DivOp>(x, add(unary<graph::AbsOp>(x), number(1)));
  case Activation::Softplus: {
    // Nothing overflows in this form.
    Value tail =
        unary<graph::ExpOp>(unary<graph::NegOp>(unary<graph::AbsOp>(x)));
    return add(max(x, number(0)), unary<graph::LogOp>(add(tail, number(1))));
  }
  case Activation::Unknown:
    break;
  }
  llvm_unreachable("unknown activations are refused");
}

Value Recurrence::initial(size_t input, int64_t d) {
  Value given = n.optional(input);
  if (!given) {
    auto zeros = [&](int64_t rows) {
      return n.constant(
          DenseElementsAttr::get(n.typeOf({rows, hidden}, element),
                                 Attribute(n.b.getFloatAttr(element, 0))));
    };
    return isSymbol(batch) ? n.expand(zeros(1), {batch, hidden}) : zeros(batch);
  }
  if (batchFirst) {
    check(given, {batch, directions, hidden}, "initial state");
    given = n.transpose(given, {1, 0, 2});
  }
  check(given, {directions, batch, hidden}, "initial state");
  return direction(given, d);
}

Value Recurrence::stepsAlive() {
  Value lengths = n.optional(4);
  if (!lengths)
    return nullptr;
  if (n.shape(lengths) != ArrayRef(batch))
    n.fail("input sequence_lens must have " + Twine(batch) +
           " entries, found " + text(lengths.getType()));
  if (auto known = n.constantIntegers(lengths)) {
    for (int64_t length : *known)
      if (!isSymbol(length) &&
          (length < 0 || length > n.extents->range(steps).high))
        n.fail("sequence_lens holds " + Twine(length) + ", but the input has " +
               n.extents->text(steps) + " steps");
    if (llvm::all_of(*known, [&](int64_t n) { return n == steps; }))
      return nullptr;
  }
  Type integer = n.element(lengths);
  Value counted = n.reshape(n.counting(steps, integer), {steps, 1, 1});
  return n.binary<graph::LessOp>(counted, n.reshape(lengths, {1, batch, 1}),
                                 n.b.getI1Type());
}

void Recurrence::run(ArrayRef<size_t> initialInputs,
                     llvm::function_ref<Value(int64_t d)> fromInputs,
                     Cell cell) {
  Value alive = stepsAlive();
  bool reverse = n.string("direction", "forward") == "reverse";
  SmallVector<Value> sequences;
  SmallVector<SmallVector<Value>> lasts(initialInputs.size());
  for (int64_t d = 0; d < directions; ++d) {
    // Backwards, a sequence that ended early begins where it ended: the steps
    // behind its end leave the state as it was.
    bool backwards = reverse || d == 1;
    SmallVector<Value> state;
    for (size_t input : initialInputs)
      state.push_back(initial(input, d));
    SmallVector<Sliced> sliced{{fromInputs(d), 0, backwards}};
    if (alive)
      sliced.push_back({alive, 0, backwards});
    SmallVector<Joined> joined;
    if (n.wants(0))
      joined.push_back({0, backwards});
    auto step = [&](const Step &at) {
      StepResult result;
      result.state = cell(d, at.slices[0], at.state);
      Value shown = result.state[0];
      if (alive) {
        auto select = [&](Value value, Value otherwise) {
          return n.make<graph::WhereOp>(value.getType(), at.slices[1], value,
                                        otherwise);
        };
        shown = select(shown, number(0));
        for (auto [after, before] : llvm::zip_equal(result.state, at.state))
          after = select(after, before);
      }
      if (n.wants(0))
        result.slices.push_back(shown);
      return result;
    };
    SmallVector<Value> all =
        iterate(n.b, n.loc, *n.extents, steps, state, sliced, joined, step);
    for (auto [last, value] : llvm::zip(lasts, all))
      last.push_back(n.reshape(value, {1, batch, hidden}));
    if (n.wants(0))
      sequences.push_back(n.reshape(all.back(), {steps, 1, batch, hidden}));
  }
  auto both = [&](ArrayRef<Value> parts, int64_t axis) {
    Shape shape(n.shape(parts[0]));
    shape[axis] = directions;
    return n.make<graph::ConcatOp>(n.typeOf(shape, element), ValueRange(parts),
                                   n.b.getI64IntegerAttr(axis));
  };
  if (n.wants(0)) {
    Value y = both(sequences, 1);
    n.result(batchFirst ? n.transpose(y, {2, 0, 1, 3}) : y);
  } else {
    n.result(Value());
  }
  for (ArrayRef<Value> parts : lasts) {
    Value last = both(parts, 0);
    n.result(batchFirst ? n.transpose(last, {1, 0, 2}) : last);
  }
}

/// Gates in ONNX's order: input, output, forget, cell.
template <bool quantized> void lstm(Node &n) {
  Recurrence r(n, "iofc", {"Sigmoid", "Tanh", "Tanh"}, quantized);
  Value peepholes = n.optional(7);
  if (peepholes && n.shape(peepholes) != ArrayRef({r.directions, 3 * r.hidden}))
    n.fail("input P is " + text(peepholes.getType()) + ", expected shape [" +
           Twine(r.directions) + ", " + Twine(3 * r.hidden) + "]");
  bool coupled = n.integer("input_forget", 0);
  auto fromInputs = [&](int64_t d) {
    return r.inputProduct(d, r.addAll({r.bias(d, 0), r.bias(d, 1)}));
  };
  auto cell = [&](int64_t d, Value fromInput,
                  ArrayRef<Value> state) -> SmallVector<Value> {
    Value h = state[0], c = state[1];
    Value ofState = r.stateProduct(d, h);
    auto sum = [&](int64_t which) {
      return r.addAll({r.gate(fromInput, which),
                       ofState ? r.gate(ofState, which) : Value()});
    };
    auto peep = [&](Value gate, int64_t which, Value at) {
      if (!peepholes)
        return gate;
      return r.add(gate, r.mul(r.gate(r.direction(peepholes, d), which), at));
    };
    Value in = r.activate(d, 0, peep(sum(0), 0, c));
    Value forget =
        coupled ? r.sub(r.number(1), in) : r.activate(d, 0, peep(sum(2), 2, c));
    Value fresh = r.activate(d, 1, sum(3));
    Value next = r.add(r.mul(forget, c), r.mul(in, fresh));
    Value out = r.activate(d, 0, peep(sum(1), 1, next));
    return {r.mul(out, r.activate(d, 2, next)), next};
  };
  r.run({5, 6}, fromInputs, cell);
}

/// Gates in ONNX's order: update, reset, hidden.
void gru(Node &n) {
  Recurrence r(n, "zrh", {"Sigmoid", "Tanh"});
  bool resetAfter = n.integer("linear_before_reset", 0);
  int64_t hidden = r.hidden;
  auto zeros = [&](int64_t extent) {
    return n.constant(
        DenseElementsAttr::get(n.typeOf({extent}, r.element),
                               Attribute(n.b.getFloatAttr(r.element, 0))));
  };
  auto joined = [&](Value a, Value c) {
    return n.make<graph::ConcatOp>(
        n.typeOf({n.shape(a)[0] + n.shape(c)[0]}, r.element), ValueRange{a, c},
        n.b.getI64IntegerAttr(0));
  };
  /// The state's bias of the hidden gate is reset together with the product.
  auto stateBias = [&](int64_t d, bool ofHidden) -> Value {
    Value all = r.bias(d, 1);
    if (!all || !resetAfter)
      return ofHidden ? Value() : all;
    return ofHidden
               ? joined(zeros(2 * hidden), r.slice(all, 0, 2 * hidden, hidden))
               : joined(r.slice(all, 0, 0, 2 * hidden), zeros(hidden));
  };
  auto fromInputs = [&](int64_t d) {
    return r.inputProduct(d, r.addAll({r.bias(d, 0), stateBias(d, false)}));
  };
  auto cell = [&](int64_t d, Value fromInput,
                  ArrayRef<Value> state) -> SmallVector<Value> {
    Value h = state[0], weights = r.direction(n.input(2), d);
    Value ofState =
        resetAfter
            ? r.recurrent(h, weights, stateBias(d, true), "zrh")
            : r.recurrent(h, r.slice(weights, 0, 0, 2 * hidden), nullptr, "zr");
    auto gateOf = [&](Value rows, int64_t which) {
      return rows ? r.gate(rows, which) : Value();
    };
    auto sum = [&](int64_t which) {
      return r.addAll({gateOf(fromInput, which), gateOf(ofState, which)});
    };
    Value update = r.activate(d, 0, sum(0));
    Value reset = r.activate(d, 0, sum(1));
    Value candidate;
    if (!resetAfter)
      candidate =
          r.recurrent(r.mul(reset, h), r.slice(weights, 0, 2 * hidden, hidden),
                      nullptr, "h");
    else if (ofState)
      candidate = r.mul(reset, r.gate(ofState, 2));
    Value fresh = r.activate(d, 1, r.addAll({r.gate(fromInput, 2), candidate}));
    return {r.add(r.mul(r.sub(r.number(1), update), fresh), r.mul(update, h))};
  };
  r.run({5}, fromInputs, cell);
}

void rnn(Node &n) {
  Recurrence r(n, "i", {"Tanh"});
  auto fromInputs = [&](int64_t d) {
    return r.inputProduct(d, r.addAll({r.bias(d, 0), r.bias(d, 1)}));
  };
  auto cell = [&](int64_t d, Value fromInput,
                  ArrayRef<Value> state) -> SmallVector<Value> {
    Value ofState = r.stateProduct(d, state[0]);
    return {r.activate(d, 0, r.addAll({fromInput, ofState}))};
  };
  r.run({5}, fromInputs, cell);
}

} // namespace

void addRecurrences(HandlerTable &table) {
  table[".LSTM"] = lstm<false>;
  table["com.microsoft.DynamicQuantizeLSTM"] = lstm<true>;
  table[".GRU"] = gru;
  table[".RNN"] = rnn;
}

} // namespace mho::import
