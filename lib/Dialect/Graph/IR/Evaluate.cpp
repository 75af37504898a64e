//===- Evaluate.cpp - arithmetic of graph ops on constants ----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Floats are computed in double and rounded once to the result's type, which
// for the basic operations is what computing in that type gives.
//
//===----------------------------------------------------------------------===//

#include "Evaluate.h"

#include "Dequantizer.h"

#include "mho/Dialect/Graph/IR/GraphOps.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>
#include <limits>

using namespace mlir;

namespace mho::graph {

using RealTest = bool (*)(double, double);

SmallVector<int64_t> rowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (size_t axis = shape.size(); axis-- > 1;)
    strides[axis - 1] = strides[axis] * shape[axis];
  return strides;
}

SmallVector<int64_t> broadcastStrides(ArrayRef<int64_t> shape, size_t rank) {
  SmallVector<int64_t> own = rowMajorStrides(shape);
  SmallVector<int64_t> strides(rank, 0);
  size_t lead = rank - shape.size();
  for (size_t i = 0; i < shape.size(); ++i)
    strides[lead + i] = shape[i] == 1 ? 0 : own[i];
  return strides;
}

static double nanMax(double a, double b) {
  return std::isnan(a) ? a : std::isnan(b) ? b : a > b ? a : b;
}
static double nanMin(double a, double b) {
  return std::isnan(a) ? a : std::isnan(b) ? b : a < b ? a : b;
}

static RealFn realFunction(Operation *op) {
  return llvm::TypeSwitch<Operation *, RealFn>(op)
      .Case([](NegOp) { return [](const double *x) { return -x[0]; }; })
      .Case(
          [](AbsOp) { return [](const double *x) { return std::fabs(x[0]); }; })
      .Case([](SqrtOp) {
        return [](const double *x) { return std::sqrt(x[0]); };
      })
      .Case(
          [](ReciprocalOp) { return [](const double *x) { return 1 / x[0]; }; })
      .Case(
          [](ExpOp) { return [](const double *x) { return std::exp(x[0]); }; })
      .Case(
          [](LogOp) { return [](const double *x) { return std::log(x[0]); }; })
      .Case(
          [](ErfOp) { return [](const double *x) { return std::erf(x[0]); }; })
      .Case([](ReluOp) {
        return [](const double *x) { return x[0] < 0 ? 0 : x[0]; };
      })
      .Case([](SigmoidOp) {
        return [](const double *x) { return 1 / (1 + std::exp(-x[0])); };
      })
      .Case([](TanhOp) {
        return [](const double *x) { return std::tanh(x[0]); };
      })
      .Case([](FloorOp) {
        return [](const double *x) { return std::floor(x[0]); };
      })
      .Case([](CeilOp) {
        return [](const double *x) { return std::ceil(x[0]); };
      })
      .Case([](RoundOp) {
        return [](const double *x) { return std::nearbyint(x[0]); };
      })
      .Case([](AddOp) { return [](const double *x) { return x[0] + x[1]; }; })
      .Case([](SubOp) { return [](const double *x) { return x[0] - x[1]; }; })
      .Case([](MulOp) { return [](const double *x) { return x[0] * x[1]; }; })
      .Case([](DivOp) { return [](const double *x) { return x[0] / x[1]; }; })
      .Case([](PowOp) {
        return [](const double *x) { return std::pow(x[0], x[1]); };
      })
      .Case([](MaxOp) {
        return [](const double *x) { return nanMax(x[0], x[1]); };
      })
      .Case([](MinOp) {
        return [](const double *x) { return nanMin(x[0], x[1]); };
      })
      .Default([](Operation *other) { return mathFunction(other); });
}

static RealTest realTest(Operation *op) {
  return llvm::TypeSwitch<Operation *, RealTest>(op)
      .Case([](EqualOp) { return [](double a, double b) { return a == b; }; })
      .Case([](LessOp) { return [](double a, double b) { return a < b; }; })
      .Case([](LessOrEqualOp) {
        return [](double a, double b) { return a <= b; };
      })
      .Case([](GreaterOp) { return [](double a, double b) { return a > b; }; })
      .Case([](GreaterOrEqualOp) {
        return [](double a, double b) { return a >= b; };
      })
      .Default(RealTest(nullptr));
}

/// Integers and bools of one type; nothing where the result is not defined.
static std::optional<int64_t> integerResult(Operation *op, const int64_t *x,
                                            IntegerType type) {
  bool isUnsigned = type.isUnsigned();
  auto less = [&](int64_t a, int64_t b) {
    return isUnsigned ? uint64_t(a) < uint64_t(b) : a < b;
  };
  auto wrap = [](uint64_t value) { return int64_t(value); };
  using Result = std::optional<int64_t>;
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([&](NegOp) -> Result { return wrap(-uint64_t(x[0])); })
      .Case([&](AbsOp) -> Result {
        return isUnsigned || x[0] >= 0 ? x[0] : wrap(-uint64_t(x[0]));
      })
      .Case([&](ReluOp) -> Result { return isUnsigned || x[0] > 0 ? x[0] : 0; })
      .Case<FloorOp, CeilOp, RoundOp>([&](auto) -> Result { return x[0]; })
      .Case([&](NotOp) -> Result { return type.isInteger(1) ? !x[0] : ~x[0]; })
      .Case([&](AddOp) -> Result { return wrap(uint64_t(x[0]) + x[1]); })
      .Case([&](SubOp) -> Result { return wrap(uint64_t(x[0]) - x[1]); })
      .Case([&](MulOp) -> Result { return wrap(uint64_t(x[0]) * x[1]); })
      .Case([&](DivOp) -> Result {
        if (x[1] == 0)
          return std::nullopt;
        if (isUnsigned)
          return wrap(uint64_t(x[0]) / uint64_t(x[1]));
        return x[1] == -1 ? wrap(-uint64_t(x[0])) : x[0] / x[1];
      })
      .Case([&](PowOp) -> Result {
        if (!isUnsigned && x[1] < 0)
          return std::nullopt;
        uint64_t result = 1, base = x[0];
        for (uint64_t n = x[1]; n; n >>= 1, base *= base)
          if (n & 1)
            result *= base;
        return wrap(result);
      })
      .Case([&](MaxOp) -> Result { return less(x[0], x[1]) ? x[1] : x[0]; })
      .Case([&](MinOp) -> Result { return less(x[1], x[0]) ? x[1] : x[0]; })
      .Case([&](AndOp) -> Result { return x[0] & x[1]; })
      .Case([&](OrOp) -> Result { return x[0] | x[1]; })
      .Case([&](XorOp) -> Result { return x[0] ^ x[1]; })
      .Case([&](EqualOp) -> Result { return x[0] == x[1]; })
      .Case([&](LessOp) -> Result { return less(x[0], x[1]); })
      .Case([&](LessOrEqualOp) -> Result { return !less(x[1], x[0]); })
      .Case([&](GreaterOp) -> Result { return less(x[1], x[0]); })
      .Case([&](GreaterOrEqualOp) -> Result { return !less(x[0], x[1]); })
      .Default([&](Operation *other) { return integerMath(other, x, type); });
}

static Attribute evaluateElementwise(Operation *op,
                                     ArrayRef<ConstantReader> operands,
                                     RankedTensorType type) {
  bool splat = llvm::all_of(operands, [](const ConstantReader &operand) {
    return operand.isSplat() || operand.size() == 1;
  });
  bool isFloat = operands.back().isFloat();
  RealFn real = isFloat ? realFunction(op) : nullptr;
  RealTest test = isFloat ? realTest(op) : nullptr;
  bool choose = isa<WhereOp>(op);
  if (isFloat && !real && !test && !choose)
    return nullptr;
  auto integers =
      dyn_cast<IntegerType>(operands.back().type().getElementType());
  SmallVector<SmallVector<int64_t>> strides;
  for (const ConstantReader &operand : operands)
    strides.push_back(
        broadcastStrides(operand.type().getShape(), type.getRank()));
  ConstantWriter result(type, splat);
  Odometer at(type.getShape(), strides);
  for (int64_t i = 0; i < result.size(); ++i, at.next()) {
    if (choose) {
      size_t chosen = operands[0].asInteger(at.offset(0)) ? 1 : 2;
      std::memcpy(result.at(i), operands[chosen].at(at.offset(chosen)),
                  result.width());
    } else if (isFloat) {
      double x[2] = {operands[0].asDouble(at.offset(0)), 0};
      if (operands.size() > 1)
        x[1] = operands[1].asDouble(at.offset(1));
      if (test)
        result.setInteger(i, test(x[0], x[1]));
      else
        result.setDouble(i, real(x));
    } else {
      int64_t x[2] = {operands[0].asInteger(at.offset(0)), 0};
      if (operands.size() > 1)
        x[1] = operands[1].asInteger(at.offset(1));
      std::optional<int64_t> value = integerResult(op, x, integers);
      if (!value)
        return nullptr;
      result.setInteger(i, *value);
    }
  }
  return result.finish();
}

static Attribute evaluateClip(ClipOp op, ArrayRef<Attribute> attributes,
                              const ConstantReader &x, RankedTensorType type) {
  auto bounds = ClipOp::FoldAdaptor(attributes, op);
  auto low = ConstantReader::get(bounds.getLow());
  auto high = ConstantReader::get(bounds.getHigh());
  if ((op.getLow() && !low) || (op.getHigh() && !high))
    return nullptr;
  ConstantWriter result(type, x.isSplat());
  for (int64_t i = 0; i < result.size(); ++i) {
    if (x.isFloat()) {
      double value = x.asDouble(i);
      value = low ? nanMax(value, low->asDouble(0)) : value;
      result.setDouble(i, high ? nanMin(value, high->asDouble(0)) : value);
    } else {
      int64_t value = x.asInteger(i);
      value = low ? std::max(value, low->asInteger(0)) : value;
      result.setInteger(i, high ? std::min(value, high->asInteger(0)) : value);
    }
  }
  return result.finish();
}

static Attribute evaluateReduction(Operation *op, ArrayRef<int64_t> axes,
                                   const ConstantReader &x,
                                   RankedTensorType type) {
  ArrayRef<int64_t> shape = x.type().getShape();
  if (x.size() == 0)
    return nullptr;
  SmallVector<int64_t> kept(shape);
  for (int64_t axis : axes)
    kept[axis] = 1;
  SmallVector<int64_t> strides = broadcastStrides(kept, shape.size());
  int64_t results = type.getNumElements();
  int64_t each = x.size() / std::max<int64_t>(results, 1);
  SmallVector<double> reals(results, 0);
  SmallVector<int64_t> integers(results, 0);
  SmallVector<bool> begun(results, false);
  bool isMax = isa<ReduceMaxOp>(op), isMin = isa<ReduceMinOp>(op);
  bool isProduct = isa<ReduceProdOp>(op);
  bool isUnsigned = x.type().getElementType().isUnsignedInteger();
  auto less = [&](int64_t a, int64_t b) {
    return isUnsigned ? uint64_t(a) < uint64_t(b) : a < b;
  };
  Odometer at(shape, {strides});
  for (int64_t i = 0; i < x.size(); ++i, at.next()) {
    int64_t to = at.offset(0);
    double real = x.asDouble(i);
    int64_t integer = x.asInteger(i);
    if (!begun[to]) {
      reals[to] = real;
      integers[to] = integer;
      begun[to] = true;
    } else if (isMax || isMin) {
      reals[to] = isMax ? nanMax(reals[to], real) : nanMin(reals[to], real);
      if (isMax ? less(integers[to], integer) : less(integer, integers[to]))
        integers[to] = integer;
    } else if (isProduct) {
      reals[to] *= real;
      integers[to] = int64_t(uint64_t(integers[to]) * uint64_t(integer));
    } else {
      reals[to] += real;
      integers[to] = int64_t(uint64_t(integers[to]) + uint64_t(integer));
    }
  }
  ConstantWriter result(type, false);
  bool mean = isa<ReduceMeanOp>(op);
  for (int64_t i = 0; i < results; ++i) {
    if (x.isFloat())
      result.setDouble(i, mean ? reals[i] / each : reals[i]);
    else
      result.setInteger(i, mean ? integers[i] / each : integers[i]);
  }
  return result.finish();
}

/// Ops that only convert or reorder: an array may read through them.
static bool isView(Operation *op) {
  return isa<CastOp, DequantizeLinearOp, TransposeOp, SliceOp>(op);
}

/// How many elements the result may have.
static int64_t foldLimit(Operation *op, ArrayRef<Attribute> attributes,
                         RankedTensorType type, FoldEffort effort) {
  int64_t operands = 0;
  bool splat = true;
  for (Attribute attribute : attributes) {
    auto elements = dyn_cast_or_null<ElementsAttr>(attribute);
    if (!elements)
      continue;
    operands += elements.getNumElements();
    auto dense = dyn_cast<DenseElementsAttr>(elements);
    splat &= dense && dense.isSplat();
  }
  // One element stands for all.
  if (splat &&
      (isView(op) || op->hasTrait<ElementwiseTrait>() || isa<ExpandOp>(op)))
    return std::numeric_limits<int64_t>::max();
  if (effort == FoldEffort::Everything)
    return std::min(kWeightFoldLimit, std::max(kFoldLimit, 2 * operands));
  if (!isView(op))
    return kFoldLimit;
  // Small matrices too are one bank, whichever way each product reads them.
  int64_t bytes = isa<TransposeOp>(op) ? kPutOffTransposeBytes : kPutOffBytes;
  return bytes / std::max<int64_t>(1, elementBytes(type.getElementType()));
}

/// Whether a result of few elements may read any number of an operand's.
static bool readsAll(Operation *op) {
  return isa<ArgMaxOp, ArgMinOp, ReduceMeanOp, ReduceSumOp, ReduceProdOp,
             ReduceMaxOp, ReduceMinOp>(op);
}

Attribute evaluate(Operation *op, ArrayRef<Attribute> attributes,
                   FoldEffort effort) {
  if (op->getNumResults() != 1)
    return nullptr;
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || !type.hasStaticShape() || !elementBytes(type.getElementType()))
    return nullptr;
  int64_t limit = foldLimit(op, attributes, type, effort);
  // What is computed where it is read needs no limit.
  if (auto dequantize = dyn_cast<DequantizeLinearOp>(op);
      dequantize && limit < std::numeric_limits<int64_t>::max() &&
      type.getNumElements() * elementBytes(type.getElementType()) >
          kPutOffBytes)
    if (Attribute stored = asStored(dequantize, attributes, type))
      return stored;
  if (type.getNumElements() > limit)
    return nullptr;
  if (isa<CastOp, BitCastOp, QuantizeLinearOp, DequantizeLinearOp>(op))
    return evaluateTypes(op, attributes, type);

  SmallVector<ConstantReader> operands;
  for (Attribute attribute : attributes) {
    auto operand = ConstantReader::get(attribute);
    if (!operand)
      return nullptr;
    // Views take only the elements that they give; what runs along an axis
    // takes all, those that are one element too.
    if (!isView(op) && (!operand->isSplat() || readsAll(op)) &&
        operand->size() > std::max(limit, kFoldLimit))
      return nullptr;
    if (!operand->isPlain()) {
      if (operand->size() > kWeightFoldLimit)
        return nullptr;
      operand->makePlain();
    }
    operands.push_back(*operand);
  }
  if (operands.empty())
    return nullptr;
  return llvm::TypeSwitch<Operation *, Attribute>(op)
      .Case([&](ClipOp clip) {
        return evaluateClip(clip, attributes, operands[0], type);
      })
      .Case<LeakyReluOp, NotOp>([&](Operation *unary) -> Attribute {
        auto leaky = dyn_cast<LeakyReluOp>(unary);
        if (!leaky)
          return evaluateElementwise(op, operands, type);
        ConstantWriter result(type, operands[0].isSplat());
        for (int64_t i = 0; i < result.size(); ++i) {
          double x = operands[0].asDouble(i);
          result.setDouble(i,
                           x < 0 ? x * leaky.getAlpha().convertToFloat() : x);
        }
        return result.finish();
      })
      .Case<CumSumOp, CumProdOp, ArgMaxOp, ArgMinOp>([&](Operation *along) {
        return evaluateAlongAxis(along, operands[0], type);
      })
      .Case<ReduceMeanOp, ReduceSumOp, ReduceProdOp, ReduceMaxOp, ReduceMinOp>(
          [&](auto reduce) {
            return evaluateReduction(op, reduce.getAxes(), operands[0], type);
          })
      .Default([&](Operation *) -> Attribute {
        if (op->hasTrait<ElementwiseTrait>())
          return evaluateElementwise(op, operands, type);
        return evaluateMovement(op, operands, type);
      });
}

} // namespace mho::graph
