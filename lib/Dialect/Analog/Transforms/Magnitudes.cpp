//===- Magnitudes.cpp - how large the values of a tensor are --------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Magnitudes.h"

#include "mho/Dialect/Graph/IR/Constants.h"
#include "mho/Dialect/Graph/IR/GraphOps.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;

namespace mho::analog {

/// No range is larger than this; products of two such are still finite.
static constexpr float kMost = 1e18f;

float Magnitude::largest() const {
  return std::max(std::fabs(low), std::fabs(high));
}

Magnitude Magnitude::limited() const {
  Magnitude result = *this;
  result.low = std::clamp(low, -kMost, kMost);
  result.high = std::clamp(high, -kMost, kMost);
  result.rms = std::min(rms, result.largest());
  return result;
}

Magnitude hull(const Magnitude &a, const Magnitude &b) {
  return {std::max(a.rms, b.rms), std::min(a.low, b.low),
          std::max(a.high, b.high), a.codes};
}

Magnitude codesOf(Type element) {
  auto integer = dyn_cast<IntegerType>(element);
  if (!integer || integer.getWidth() == 1 || integer.getWidth() > 16)
    return {};
  float largest = std::exp2(integer.getWidth() - !integer.isUnsigned());
  return {largest / kSigmas, integer.isUnsigned() ? 0.0f : -largest, largest,
          true};
}

bool forEachFloat(ElementsAttr elements,
                  function_ref<void(int64_t, float)> visit) {
  return elements && isa<FloatType>(elements.getElementType()) &&
         graph::forEachFloats(elements,
                              [&](int64_t begin, ArrayRef<float> part) {
                                for (auto [i, value] : llvm::enumerate(part))
                                  visit(begin + i, value);
                              });
}

Magnitude magnitudeOf(ElementsAttr elements) {
  double squares = 0;
  float low = std::numeric_limits<float>::infinity(), high = -low;
  int64_t count = 0;
  if (!forEachFloat(elements,
                    [&](int64_t, float value) {
                      squares += double(value) * value;
                      low = std::min(low, value);
                      high = std::max(high, value);
                      ++count;
                    }) ||
      count == 0)
    return {};
  return {float(std::sqrt(squares / count)), low, high};
}

/// Of values with that root mean square, of which nothing else is known but
/// that they lie between `low` and `high` and single parts reach `part`.
static Magnitude spread(float rms, float low, float high, float part = 0) {
  float most = std::max(kSigmas * rms, part);
  return {rms, std::max(low, -most), std::min(high, most)};
}

static Magnitude negated(const Magnitude &x) {
  return {x.rms, -x.high, -x.low};
}

static Magnitude sum(const Magnitude &a, const Magnitude &b) {
  return spread(std::hypot(a.rms, b.rms), a.low + b.low, a.high + b.high,
                std::max(a.largest(), b.largest()));
}

static Magnitude product(const Magnitude &a, const Magnitude &b) {
  auto [low, high] = std::minmax(
      {a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high});
  return {a.rms * b.rms, low, high};
}

static Magnitude square(const Magnitude &x) {
  float high = x.largest() * x.largest();
  float low = x.low > 0 ? x.low * x.low : x.high < 0 ? x.high * x.high : 0;
  return {x.rms * x.rms, low, high};
}

/// The elements of `divisor` are the magnitude's reciprocals where they are
/// known; else it counts as what it is in the mean.
static Magnitude reciprocal(Value divisor, const Magnitude &x) {
  ElementsAttr elements;
  if (matchPattern(divisor, m_Constant(&elements))) {
    double squares = 0;
    float low = std::numeric_limits<float>::infinity(), high = -low;
    int64_t count = 0;
    forEachFloat(elements, [&](int64_t, float value) {
      if (value == 0)
        return;
      squares += 1 / (double(value) * value);
      low = std::min(low, 1 / value);
      high = std::max(high, 1 / value);
      ++count;
    });
    if (count)
      return {float(std::sqrt(squares / count)), low, high};
  }
  if (!(x.rms > 0))
    return {};
  float rms = 1 / x.rms;
  return {rms, x.low >= 0 ? 0 : -kSigmas * rms,
          x.high <= 0 ? 0 : kSigmas * rms};
}

static Magnitude between(const Magnitude &x, float low, float high) {
  Magnitude result{x.rms, std::clamp(x.low, low, high),
                   std::clamp(x.high, low, high)};
  result.rms = std::min(result.rms, result.largest());
  return result;
}

static Magnitude relu(const Magnitude &x) {
  // Half of what is symmetric is left.
  float rms = x.low < 0 ? x.rms * std::sqrt(0.5f) : x.rms;
  return {rms, std::max(x.low, 0.0f), std::max(x.high, 0.0f)};
}

/// To a constant power.
static Magnitude power(const Magnitude &x, float exponent) {
  if (exponent == 2)
    return square(x);
  float rms = std::pow(x.rms, exponent);
  float high = std::pow(x.largest(), std::max(exponent, 0.0f));
  if (exponent < 0)
    high = kSigmas * rms;
  // Roots, and even powers, are not negative.
  float whole = std::trunc(exponent);
  bool odd = whole == exponent && std::fmod(whole, 2) != 0;
  return {rms, odd && x.low < 0 ? -high : 0, high};
}

static Magnitude sumOf(const Magnitude &x, int64_t count) {
  // What has one sign adds up, else deviations do.
  if (x.low >= 0 || x.high <= 0)
    return {x.rms * count, x.low * count, x.high * count};
  return spread(x.rms * std::sqrt(float(count)), x.low * count, x.high * count,
                x.largest());
}

/// Training has normalized what it saw of x: every channel has the deviation
/// |scale| about bias, whatever has been said of x.
static std::optional<Magnitude> normalized(graph::BatchNormalizationOp op) {
  ElementsAttr scale, bias;
  if (!matchPattern(op.getScale(), m_Constant(&scale)) ||
      !matchPattern(op.getBias(), m_Constant(&bias)))
    return std::nullopt;
  SmallVector<float> deviations, means;
  if (!forEachFloat(scale,
                    [&](int64_t, float v) { deviations.push_back(v); }) ||
      !forEachFloat(bias, [&](int64_t, float v) { means.push_back(v); }) ||
      deviations.empty() || deviations.size() != means.size())
    return std::nullopt;
  double squares = 0;
  float low = std::numeric_limits<float>::infinity(), high = -low;
  for (auto [deviation, mean] : llvm::zip_equal(deviations, means)) {
    squares += double(deviation) * deviation + double(mean) * mean;
    low = std::min(low, mean - kSigmas * std::fabs(deviation));
    high = std::max(high, mean + kSigmas * std::fabs(deviation));
  }
  return Magnitude{float(std::sqrt(squares / deviations.size())), low, high};
}

static int64_t elementsOf(Value value) {
  auto type = dyn_cast<ShapedType>(value.getType());
  return type && type.hasStaticShape() ? type.getNumElements() : 0;
}

/// Of ops that move, choose or average.
static Magnitude hullOfFloats(Operation *op, ArrayRef<Magnitude> in) {
  std::optional<Magnitude> result;
  for (auto [operand, magnitude] : llvm::zip(op->getOperands(), in)) {
    auto type = dyn_cast<ShapedType>(operand.getType());
    if (!type || !isa<FloatType>(type.getElementType()) ||
        isa_and_nonnull<tensor::EmptyOp>(operand.getDefiningOp()))
      continue;
    result = result ? hull(*result, magnitude) : magnitude;
    result->codes = false;
  }
  if (result && result->largest() > 0)
    return *result;
  bool integers =
      !in.empty() &&
      isa<IntegerType>(getElementTypeOrSelf(op->getOperand(0).getType()));
  return integers ? in[0] : Magnitude();
}

Magnitude magnitudeAfter(Operation *op, ArrayRef<Magnitude> in) {
  using Result = Magnitude;
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([&](graph::AddOp) { return sum(in[0], in[1]); })
      .Case([&](graph::SubOp) { return sum(in[0], negated(in[1])); })
      .Case([&](graph::NegOp) { return negated(in[0]); })
      .Case([&](graph::AbsOp) {
        bool crosses = in[0].low < 0 && in[0].high > 0;
        float low = std::min(std::fabs(in[0].low), std::fabs(in[0].high));
        return Result{in[0].rms, crosses ? 0 : low, in[0].largest()};
      })
      .Case([&](graph::MulOp mul) {
        return mul.getA() == mul.getB() ? square(in[0]) : product(in[0], in[1]);
      })
      .Case([&](graph::DivOp div) {
        return product(in[0], reciprocal(div.getB(), in[1]));
      })
      .Case(
          [&](graph::ReciprocalOp op) { return reciprocal(op.getX(), in[0]); })
      .Case([&](graph::SqrtOp) {
        return Result{std::sqrt(in[0].rms),
                      std::sqrt(std::max(in[0].low, 0.0f)),
                      std::sqrt(std::max(in[0].high, 0.0f))};
      })
      .Case([&](graph::PowOp pow) {
        ElementsAttr exponent;
        if (matchPattern(pow.getB(), m_Constant(&exponent)) &&
            isa<FloatType>(exponent.getElementType()) && exponent.isSplat())
          return power(in[0], in[1].high);
        return hullOfFloats(op, in);
      })
      .Case([&](graph::ReluOp) { return relu(in[0]); })
      .Case<graph::SigmoidOp, graph::SoftmaxOp>(
          [](Operation *) { return Result{0.5f, 0.0f, 1.0f}; })
      .Case<graph::TanhOp, graph::ErfOp>(
          [](Operation *) { return Result{0.5f, -1.0f, 1.0f}; })
      .Case<graph::SinOp, graph::CosOp>(
          [](Operation *) { return Result{std::sqrt(0.5f), -1.0f, 1.0f}; })
      .Case([&](graph::ClipOp clip) {
        unsigned next = 1;
        float low = clip.getLow() ? in[next++].low : -kMost;
        float high = clip.getHigh() ? in[next].high : kMost;
        return between(in[0], low, std::max(low, high));
      })
      .Case([&](graph::MaxOp) {
        Result both = hull(in[0], in[1]);
        return between(both, std::max(in[0].low, in[1].low), both.high);
      })
      .Case([&](graph::MinOp) {
        Result both = hull(in[0], in[1]);
        return between(both, both.low, std::min(in[0].high, in[1].high));
      })
      .Case<graph::ReduceSumOp, graph::SumPoolOp>([&](Operation *) {
        int64_t from = elementsOf(op->getOperand(0));
        int64_t to = elementsOf(op->getResult(0));
        if (auto pool = dyn_cast<graph::SumPoolOp>(op)) {
          from = to = 1;
          for (int64_t extent : pool.getKernel())
            from *= extent;
        }
        return to > 0 && from > to ? sumOf(in[0], from / to) : in[0];
      })
      .Case([&](graph::BatchNormalizationOp op) {
        return normalized(op).value_or(hullOfFloats(op, in));
      })
      // Quantized tensors are followed by the numbers they stand for.
      .Case([&](graph::QuantizeLinearOp) { return in[0]; })
      .Case([&](graph::DequantizeLinearOp) {
        return in[0].codes ? product(in[0], in[1]) : in[0];
      })
      .Case([&](graph::CastOp cast) {
        Type from = getElementTypeOrSelf(cast.getX().getType());
        if (isa<FloatType>(from))
          return in[0];
        Result result = codesOf(from);
        result.codes = false;
        return result;
      })
      .Default([&](Operation *) { return hullOfFloats(op, in); })
      .limited();
}

} // namespace mho::analog
