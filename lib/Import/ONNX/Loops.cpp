//===- Loops.cpp - Loop and Scan ------------------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A body is first imported as the step of a loop, with values that only the
// run knows. Where that does not do (a carried value changes its shape, a slice
// follows from the step's number) and the steps are few and known, it is
// imported once for each of them; else once more with extents that grow with
// the step's number.
//
//===----------------------------------------------------------------------===//

#include "Importer.h"
#include "Sequences.h"

#include "mho/Import/ONNX/Import.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace mho::import {

/// More steps than these are not written out one after the other.
static constexpr int64_t kMaximumUnrolled = 128;
/// Loops on constants alone leave no ops behind.
static constexpr int64_t kMaximumEvaluated = 4096;
/// Exporters write a trip count beyond this where there is none.
static constexpr int64_t kEndless = INT32_MAX;

/// The step's number as ONNX's body sees it: int64, of rank 0 or 1.
static Value numberOf(Node &node, OpFoldResult number, int64_t rank) {
  Type element = node.b.getI64Type();
  auto type = node.typeOf(Shape(rank, 1), element);
  if (auto known = getConstantIntValue(number))
    return node.constant(DenseElementsAttr::get(type, *known));
  Value wide = arith::IndexCastOp::create(node.b, node.loc, element,
                                          cast<Value>(number));
  return tensor::FromElementsOp::create(node.b, node.loc, type, wide);
}

/// Rank that a body declares for one of its inputs.
static int64_t declaredRank(const onnx::ValueInfoProto &input) {
  return std::min(1, input.type().tensor_type().shape().dim_size());
}

static std::string describe(Node &node, const LoopBody &body, size_t changed,
                            ArrayRef<Value> initial, StringRef name) {
  return ("carried value '" + name + "' goes in as " +
          text(initial[changed].getType()) + " and comes out as " +
          text(body.result().state[changed].getType()) +
          "; a shape that changes otherwise than by as much in every step "
          "needs a number of steps that is known when compiling and at most " +
          Twine(kMaximumUnrolled))
      .str();
}

/// Imports a step once more, as one of at most `most` whose number may be an
/// extent, where `seen` (null if it was refused) does not do as it is: with
/// states that grow by as much as they do there. Null where that does not
/// either.
static std::unique_ptr<LoopBody>
importGrowing(Node &node, LoopBody *seen, int64_t most, ArrayRef<Value> initial,
              ArrayRef<Sliced> sliced, int64_t steps, StepFn step) {
  std::optional<Growth> growth = Growth();
  if (seen && seen->supported())
    growth = seen->growthSeen();
  if (most < 1)
    return {};
  std::unique_ptr<LoopBody> loop;
  while (growth && (!loop || loop->changedState())) {
    // Without growth it is seen what grows; with it nothing else may.
    if (loop) {
      growth = loop->grows() ? std::nullopt : loop->growthSeen();
      if (!growth)
        return {};
    }
    try {
      loop = std::make_unique<LoopBody>(node.b, node.loc, *node.extents,
                                        initial, sliced, steps, step, most,
                                        std::move(*growth));
    } catch (const Unsupported &) {
      return {};
    }
    if (!loop->supported())
      return {};
  }
  if (!loop)
    return {};
  auto decides = [&](Value value) {
    return llvm::any_of(node.shape(value),
                        [&](int64_t extent) { return loop->decides(extent); });
  };
  if (llvm::any_of(loop->result().slices, decides))
    return {};
  return loop;
}

std::optional<SmallVector<Value>> Importer::repeat(Node &node, int64_t steps,
                                                   ArrayRef<Value> initial,
                                                   ArrayRef<Sliced> sliced,
                                                   ArrayRef<Joined> joined,
                                                   StepFn step) {
  bool few = steps > 0 && steps <= kMaximumUnrolled;
  if (steps <= 0 || steps > kStraightSteps) {
    std::optional<LoopBody> body;
    std::optional<Unsupported> refused;
    try {
      body.emplace(b, node.loc, extents, initial, sliced, steps, step);
    } catch (const Unsupported &reason) {
      refused = reason;
    }
    if (!few && (!body || !body->supported() || body->changedState()))
      if (auto grown =
              importGrowing(node, body ? &*body : nullptr,
                            isSymbol(steps) ? extents.range(steps).high : steps,
                            initial, sliced, steps, step))
        return grown->finish(steps, joined);
    if (refused && !few)
      throw *refused;
    if (body) {
      auto changed = body->changedState();
      bool supported = body->supported();
      if (supported && (steps == 0 || !changed)) {
        refuseInner(node, *body, body->result().state);
        refuseInner(node, *body, body->result().slices);
        return body->finish(steps, joined);
      }
      if (!few && supported)
        node.refuse(
            describe(node, *body, *changed, initial,
                     node.proto.input(node.inputs.size() - sliced.size() -
                                      initial.size() + *changed)));
      if (!few) {
        body->leaveForListing();
        follow(node);
        return std::nullopt;
      }
    }
  }
  StepSequence sequence(b, node.loc, extents, initial, joined);
  while (sequence.size() < steps) {
    sequence.add(sliced, steps, step);
    if (!sequence.supported()) {
      sequence.leaveForListing();
      follow(node);
      return std::nullopt;
    }
  }
  return sequence.finish();
}

namespace {

/// ONNX's Loop while its form is chosen.
struct LoopForm {
  /// Steps at most, where the trip count is known.
  std::optional<int64_t> limit;
  /// The trip count where it is an extent that only the run knows.
  std::optional<int64_t> extent;
  /// There is no trip count.
  bool endless = false;
  /// Whether the first step is taken, where that is known.
  std::optional<bool> starts;

  bool countKnown() const { return starts && (limit || endless); }
};

} // namespace

/// Names the inputs behind `values` on the unsupported op that stands for the
/// node, as a refusal would.
static void askFor(Node &node, ArrayRef<Value> values) {
  if (node.results.empty())
    return;
  try {
    node.refuse("", values);
  } catch (const Unsupported &reason) {
    SmallVector<StringRef> inputs(reason.freeze.begin(), reason.freeze.end());
    if (!inputs.empty())
      node.results.front().getDefiningOp()->setAttr(
          kFreezeAttr, node.b.getStrArrayAttr(inputs));
  }
}

void Importer::expandLoop(Node &node, const Place &place) {
  const onnx::GraphProto &graph = body(node, "body");
  SmallVector<Value> initial;
  for (size_t i = 2; i < node.inputs.size(); ++i)
    initial.push_back(node.input(i));
  size_t carried = initial.size();
  if (size_t(graph.input_size()) != carried + 2 ||
      size_t(graph.output_size()) < carried + 1)
    node.fail("with " + Twine(carried) + " carried values the body must have " +
              Twine(carried + 2) + " inputs and at least " +
              Twine(carried + 1) + " outputs, found " +
              Twine(graph.input_size()) + " and " + Twine(graph.output_size()));
  SmallVector<Joined> joined(graph.output_size() - carried - 1);
  Scope constants;
  constants.parent = &place.scope;
  addInitializers(graph, constants);

  // The body runs only where the condition holds.
  Value condition;
  auto step = [&](const Step &at) {
    SmallVector<Value> inputs{
        numberOf(node, at.number, declaredRank(graph.input(0)))};
    auto flag =
        node.typeOf(Shape(declaredRank(graph.input(1)), 1), b.getI1Type());
    inputs.push_back(node.constant(DenseElementsAttr::get(flag, true)));
    inputs.append(at.state);
    SmallVector<Value> outputs = importBody(graph, constants, inputs, place);
    condition = outputs.front();
    checkCondition(node, condition, "the body's condition");
    StepResult result;
    ArrayRef<Value> rest = ArrayRef(outputs).drop_front();
    llvm::append_range(result.state, rest.take_front(carried));
    llvm::append_range(result.slices, rest.drop_front(carried));
    return result;
  };

  LoopForm form;
  Value trips = node.optional(0), first = node.optional(1);
  if (first)
    checkCondition(node, first, "the condition");
  form.starts = first ? knownBool(first) : true;
  form.endless = !trips;
  if (trips) {
    if (!isTensor(trips) || node.type(trips).getNumElements() != 1 ||
        !node.element(trips).isSignlessInteger(64))
      node.fail("the trip count must be one int64");
    if (auto known = node.constantIntegers(trips)) {
      form.endless = known->front() > kEndless;
      if (isSymbol(known->front()))
        form.extent = extents.max(known->front(), 0);
      else if (!form.endless)
        form.limit = std::max<int64_t>(known->front(), 0);
    }
  }
  auto accept = [&](std::optional<SmallVector<Value>> results) {
    if (results)
      node.results = std::move(*results);
  };
  bool onTensors = llvm::all_of(initial, isTensor);
  if (!onTensors) {
    if (trips && !form.limit && !form.endless)
      node.refuseUnknown(0, "the trip count of a loop that carries sequences");
    if (!form.starts)
      node.refuseUnknown(1, "the condition of a loop that carries sequences");
    if ((!*form.starts || form.limit == 0) && joined.empty())
      return accept(initial);
  }
  if ((form.starts && !*form.starts) || form.limit == 0)
    return accept(repeat(node, 0, initial, {}, joined, step));

  // Step after step, as long as it is known whether there is a next one.
  auto unroll = [&](int64_t most, bool onlyConstants) {
    auto sequence =
        std::make_unique<StepSequence>(b, node.loc, extents, initial, joined);
    auto isConstant = [](Value value) {
      return matchPattern(value, m_Constant());
    };
    while (sequence->size() != form.limit) {
      if (sequence->size() == most)
        return decltype(sequence)();
      sequence->add({}, 0, step);
      auto goesOn = knownBool(condition);
      const StepResult &last = sequence->last();
      if (!sequence->supported() ||
          (!goesOn && sequence->size() != form.limit) ||
          (onlyConstants && !(llvm::all_of(last.state, isConstant) &&
                              llvm::all_of(last.slices, isConstant))))
        return decltype(sequence)();
      if (goesOn && !*goesOn)
        break;
    }
    return sequence;
  };
  bool onConstants = llvm::all_of(
      initial, [](Value value) { return matchPattern(value, m_Constant()); });
  if (form.countKnown() && onConstants)
    if (auto sequence = unroll(kMaximumEvaluated, /*onlyConstants=*/true))
      return accept(sequence->finish());
  if (form.countKnown() && form.limit && *form.limit <= kStraightSteps)
    if (auto sequence = unroll(kStraightSteps, /*onlyConstants=*/false))
      return accept(sequence->finish());
  if (!onTensors) {
    if (auto sequence = unroll(kMaximumUnrolled, /*onlyConstants=*/false))
      return accept(sequence->finish());
    node.refuse("it carries sequences, and cannot be written out in " +
                Twine(kMaximumUnrolled) +
                " steps whose number is known when compiling");
  }

  std::optional<LoopBody> loop;
  std::optional<Unsupported> refused;
  try {
    loop.emplace(b, node.loc, extents, initial, ArrayRef<Sliced>(), 0, step);
  } catch (const Unsupported &reason) {
    refused = reason;
  }
  Value goesOn = condition;
  auto always = loop ? knownBool(goesOn) : std::nullopt;
  auto changed = loop ? loop->changedState() : std::nullopt;
  bool supported = loop && loop->supported();
  bool asLoop = supported && !changed;
  if (asLoop) {
    refuseInner(node, *loop, loop->result().state);
    refuseInner(node, *loop, loop->result().slices);
  }
  if (form.countKnown()) {
    if (always == true && form.endless)
      node.refuse("it never ends: there is no trip count and the condition "
                  "always holds");
    if (always == true && asLoop)
      return accept(loop->finish(*form.limit, joined));
    std::unique_ptr<StepSequence> sequence;
    if (always != true || *form.limit <= kMaximumUnrolled)
      sequence = unroll(kMaximumUnrolled, /*onlyConstants=*/false);
    if (sequence) {
      if (asLoop && sequence->size() > kStraightSteps)
        return accept(loop->finish(sequence->size(), joined));
      return accept(sequence->finish());
    }
  }

  // Only the run knows when it ends, or there are too many steps.
  std::optional<int64_t> bound = form.limit;
  if (form.extent)
    bound = extents.range(*form.extent).high;
  if (node.most)
    bound = std::min(bound.value_or(*node.most), *node.most);
  std::unique_ptr<LoopBody> grown;
  if (bound && (!supported || changed)) {
    grown = importGrowing(node, loop ? &*loop : nullptr, *bound, initial, {}, 0,
                          step);
    if (grown) {
      goesOn = condition;
      always = knownBool(goesOn);
      changed.reset();
      supported = asLoop = true;
    }
  }
  LoopBody *body = grown ? grown.get() : loop ? &*loop : nullptr;
  if (refused && !grown)
    throw *refused;
  if (form.countKnown() && always == true && form.limit && grown)
    return accept(body->finish(*form.limit, joined));
  if (form.extent && form.starts == true && always == true && asLoop)
    return accept(body->finish(*form.extent, joined));
  SmallVector<Value> steering{trips, first};
  if (always != true)
    steering.append(initial);
  if (!supported) {
    loop->leaveForListing();
    follow(node);
    // Written out, its steps have numbers that nodes of the body may need.
    askFor(node, steering);
    return;
  }
  if (changed)
    node.refuse(describe(node, *loop, *changed, initial,
                         node.proto.input(2 + *changed)) +
                    (bound ? ""
                           : ", or a bound on it: --loop-bound=" +
                                 nameOf(node.proto) + "=N stops it after N"),
                steering);
  if (!bound && !joined.empty())
    node.refuse("how many slices its output '" +
                    graph.output(carried + 1).name() +
                    "' joins is known only at run time and has no bound; "
                    "--loop-bound=" +
                    nameOf(node.proto) +
                    "=N stops it after N, or freeze what the number of steps "
                    "follows from with --constant",
                steering);
  if (!bound)
    emitRemark(node.loc)
        << "nothing but the run bounds the number of its steps; --loop-bound="
        << nameOf(node.proto) << "=N stops it after N";
  auto index = [&](int64_t value) {
    return arith::ConstantIndexOp::create(b, node.loc, value).getResult();
  };
  Value count;
  if (trips && !form.limit && !form.endless) {
    Value wide = scalarOf(b, node.loc, trips);
    count = arith::IndexCastOp::create(b, node.loc, b.getIndexType(), wide);
    count = arith::MaxSIOp::create(b, node.loc, count, index(0));
    if (bound)
      count = arith::MinSIOp::create(b, node.loc, count, index(*bound));
  } else if (bound) {
    count = index(*bound);
  }
  std::string steps = "steps of " + nameOf(node.proto);
  if (always == true && form.starts == true &&
      (!joined.empty() || body->grows()))
    return accept(body->finish(extents.add(count, 0, *bound, steps), joined));
  if (always == true && form.starts == true)
    return accept(body->finish(count, bound));
  Value begins =
      first ? scalarOf(b, node.loc, first)
            : arith::ConstantOp::create(b, node.loc, b.getBoolAttr(true))
                  .getResult();
  accept(body->finishWhile(begins, goesOn, count, bound, joined, steps));
}

/// Attribute `name` of Scan, one number for each of `count` values.
static Shape perValue(Node &node, StringRef name, size_t count) {
  Shape values = node.integers(name).value_or(Shape(count, 0));
  if (values.size() != count)
    node.fail("attribute '" + name + "' must have " + Twine(count) +
              " entries, found " + Twine(values.size()));
  return values;
}

void Importer::expandScan(Node &node, const Place &place) {
  const onnx::GraphProto &graph = body(node, "body");
  bool batched = node.opset < 9;
  if (node.inputs.empty())
    node.fail("it has no inputs");
  ArrayRef<Value> inputs = ArrayRef(node.inputs).drop_front(batched ? 1 : 0);
  int64_t scanned = node.integer("num_scan_inputs", 0);
  if (scanned < 1 || scanned > int64_t(inputs.size()) ||
      graph.input_size() != int(inputs.size()) ||
      graph.output_size() < int(inputs.size() - scanned))
    node.fail("num_scan_inputs is " + Twine(scanned) + " of " +
              Twine(inputs.size()) + " inputs, and the body has " +
              Twine(graph.input_size()) + " inputs and " +
              Twine(graph.output_size()) + " outputs");
  for (Value input : inputs)
    if (!input)
      node.fail("an input is missing");
  size_t states = inputs.size() - scanned;
  size_t outputs = graph.output_size() - states;
  Scope constants;
  constants.parent = &place.scope;
  addInitializers(graph, constants);

  Shape directions =
      perValue(node, batched ? "directions" : "scan_input_directions", scanned);
  Shape axes = perValue(node, "scan_input_axes", scanned);
  Shape outDirections = perValue(node, "scan_output_directions", outputs);
  Shape outAxes = perValue(node, "scan_output_axes", outputs);
  SmallVector<Joined> joined;
  for (size_t i = 0; i < outputs; ++i)
    joined.push_back({outAxes[i], outDirections[i] != 0});

  auto step = [&](const Step &at) {
    SmallVector<Value> values(at.state);
    values.append(at.slices);
    SmallVector<Value> all = importBody(graph, constants, values, place);
    StepResult result;
    llvm::append_range(result.state, ArrayRef(all).take_front(states));
    llvm::append_range(result.slices, ArrayRef(all).drop_front(states));
    for (auto [slice, how] : llvm::zip_equal(result.slices, joined))
      if (auto type = dyn_cast<RankedTensorType>(slice.getType()))
        node.axis(how.axis, type.getRank() + 1);
    return result;
  };
  std::optional<int64_t> common;
  SmallVector<Sliced> sliced;
  for (int64_t i = 0; i < scanned; ++i) {
    Value input = inputs[states + i];
    int64_t rank = node.type(input).getRank();
    int64_t axis = batched ? 1 : node.axis(axes[i], rank);
    if (rank <= axis)
      node.fail("scan input " + Twine(i) + " has rank " + Twine(rank) +
                ", expected " + Twine(axis + 1) + " or more");
    int64_t extent = node.shape(input)[axis];
    if (common && extent != *common && (isSymbol(extent) || isSymbol(*common)))
      node.refuse("whether scan inputs with " + extents.text(*common) +
                  " and " + extents.text(extent) +
                  " positions agree depends on the run; fix them with --shape");
    if (common && extent != *common)
      node.fail("scan inputs have " + Twine(*common) + " and " + Twine(extent) +
                " positions along their axes");
    common = extent;
    sliced.push_back({input, batched ? 0 : axis, directions[i] != 0});
  }
  int64_t steps = *common;
  if (!batched) {
    if (auto results = repeat(node, steps, inputs.take_front(states), sliced,
                              joined, step))
      node.results = std::move(*results);
    return;
  }

  // Opset 8: every input has a batch axis in front, which the body lacks, and
  // a sequence may end before its axis does.
  Value lengths = node.optional(0);
  int64_t batch = node.shape(inputs[0]).empty() ? 0 : node.shape(inputs[0])[0];
  SmallVector<Sliced> perSequence;
  for (Value input : inputs) {
    if (node.type(input).getRank() < 1 || node.shape(input)[0] != batch)
      node.fail("inputs must share their first axis, the batch");
    perSequence.push_back({input});
  }
  if (lengths) {
    if (node.shape(lengths) != ArrayRef(batch))
      node.fail("sequence_lens must have one entry per sequence");
    auto known = node.constantIntegers(lengths);
    if (known && llvm::all_of(*known, [&](int64_t n) { return n >= steps; }))
      lengths = nullptr;
    else if (llvm::is_contained(directions, 1))
      node.refuse("sequences that end early cannot be scanned backwards");
    else
      perSequence.push_back({lengths});
  }
  SmallVector<Joined> byBatch(graph.output_size());
  auto sequence = [&](const Step &of) {
    ArrayRef<Value> own(of.slices);
    SmallVector<Sliced> parts(sliced);
    for (auto [i, part] : llvm::enumerate(parts))
      part.tensor = own[states + i];
    auto masked = [&](const Step &at) {
      StepResult result = step(at);
      if (!lengths)
        return result;
      Value alive = node.binary<graph::LessOp>(numberOf(node, at.number, 0),
                                               own.back(), b.getI1Type());
      auto select = [&](Value value, Value otherwise) {
        return node.make<graph::WhereOp>(value.getType(), alive, value,
                                         otherwise);
      };
      for (auto [after, before] : llvm::zip_equal(result.state, at.state))
        after = select(after, before);
      for (Value &slice : result.slices)
        slice = select(slice, node.scalar(node.element(slice), 0));
      return result;
    };
    StepResult result;
    result.slices = iterate(b, node.loc, extents, steps, own.take_front(states),
                            parts, joined, masked);
    return result;
  };
  if (auto results = repeat(node, batch, {}, perSequence, byBatch, sequence))
    node.results = std::move(*results);
}

} // namespace mho::import
