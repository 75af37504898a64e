//===- ExtentArithmetic.cpp - sums and products of run-time extents -------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An extent is a polynomial in scalars of the run, so that equal extents have
// equal symbols however they were computed. What is no polynomial (the larger
// of two, a division that may leave a rest) is a scalar of its own, computed
// once behind what it follows from.
//
//===----------------------------------------------------------------------===//

#include "Extents.h"

#include "mho/Dialect/Graph/IR/GraphOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/bit.h"

#include <cmath>
#include <limits>
#include <numeric>

using namespace mlir;

namespace mho::import {

/// Wider than any extent: what lies beyond counts as unlimited.
static constexpr int64_t kUnlimited = int64_t(1) << 60;

static int64_t narrowed(__int128 value) {
  return int64_t(std::clamp<__int128>(value, -kUnlimited, kUnlimited));
}

bool Extents::ByDegree::operator()(const Monomial &a, const Monomial &c) const {
  return a.size() != c.size() ? a.size() < c.size() : a < c;
}

/// Numbers of a file wrap, as they do in the run.
static int64_t wrappedSum(int64_t a, int64_t c) {
  return int64_t(uint64_t(a) + uint64_t(c));
}
static int64_t wrappedProduct(int64_t a, int64_t c) {
  return int64_t(uint64_t(a) * uint64_t(c));
}
/// Of a number as it is written.
static std::string magnitude(int64_t number) {
  return std::to_string(number < 0 ? -uint64_t(number) : uint64_t(number));
}

int64_t Extents::add(Value index, int64_t low, int64_t high, std::string name) {
  unsigned number = bases.size();
  bases.push_back({index, {low, high}, std::move(name), number});
  return extentOf({{{number}, 1}});
}

Extents::Polynomial Extents::polynomialOf(int64_t extent) const {
  if (knows(extent))
    return polynomials[symbolNumber(extent)];
  if (extent == 0)
    return {};
  return {{{}, extent}};
}

int64_t Extents::extentOf(const Polynomial &sum) {
  Polynomial lean;
  for (const auto &[monomial, factor] : sum)
    if (factor != 0)
      lean.emplace(monomial, factor);
  if (lean.empty())
    return 0;
  if (lean.size() == 1 && lean.begin()->first.empty())
    return lean.begin()->second;
  auto known = llvm::find(polynomials, lean);
  size_t number = known - polynomials.begin();
  if (known == polynomials.end())
    polynomials.push_back(std::move(lean));
  return symbolOf(number);
}

int64_t Extents::sum(int64_t a, int64_t c) {
  if (!isSymbol(a) && !isSymbol(c))
    return wrappedSum(a, c);
  Polynomial all = polynomialOf(a);
  for (const auto &[monomial, factor] : polynomialOf(c))
    all[monomial] = wrappedSum(all[monomial], factor);
  return extentOf(all);
}

int64_t Extents::difference(int64_t a, int64_t c) {
  return sum(a, product(c, -1));
}

static std::vector<unsigned> joined(const std::vector<unsigned> &a,
                                    const std::vector<unsigned> &c) {
  std::vector<unsigned> both;
  std::merge(a.begin(), a.end(), c.begin(), c.end(), std::back_inserter(both));
  return both;
}

int64_t Extents::product(int64_t a, int64_t c) {
  if (!isSymbol(a) && !isSymbol(c))
    return wrappedProduct(a, c);
  Polynomial all;
  for (const auto &[left, factor] : polynomialOf(a))
    for (const auto &[right, times] : polynomialOf(c)) {
      int64_t &sum = all[joined(left, right)];
      sum = wrappedSum(sum, wrappedProduct(factor, times));
    }
  return extentOf(all);
}

std::optional<int64_t> Extents::quotient(int64_t a, int64_t c) {
  if (a == c)
    return 1;
  if (c == 0)
    return std::nullopt;
  // Long division; the order of monomials agrees with multiplication.
  Polynomial rest = polynomialOf(a), result;
  const Polynomial by = polynomialOf(c);
  const auto &[leading, factor] = *by.rbegin();
  while (!rest.empty()) {
    auto [monomial, times] = *rest.rbegin();
    Monomial part;
    // The one quotient that is no number.
    if (factor == -1 && times == std::numeric_limits<int64_t>::min())
      return std::nullopt;
    if (times % factor || !std::includes(monomial.begin(), monomial.end(),
                                         leading.begin(), leading.end()))
      return std::nullopt;
    std::set_difference(monomial.begin(), monomial.end(), leading.begin(),
                        leading.end(), std::back_inserter(part));
    int64_t count = times / factor;
    result[part] = wrappedSum(result[part], count);
    for (const auto &[own, weight] : by) {
      auto at = rest.try_emplace(joined(own, part), 0).first;
      at->second = wrappedSum(
          at->second, wrappedProduct(wrappedProduct(count, -1), weight));
      if (at->second == 0)
        rest.erase(at);
    }
  }
  return extentOf(result);
}

int64_t Extents::elements(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t extent : shape)
    count = product(count, extent);
  return count;
}

Extents::Range Extents::range(int64_t extent) const {
  Range all{0, 0};
  for (const auto &[monomial, factor] : polynomialOf(extent)) {
    Range one{1, 1};
    for (unsigned base : monomial) {
      auto [low, high] = bases[base].range;
      auto [least, most] =
          std::minmax({__int128(one.low) * low, __int128(one.low) * high,
                       __int128(one.high) * low, __int128(one.high) * high});
      one = {narrowed(least), narrowed(most)};
    }
    auto [least, most] =
        std::minmax({__int128(factor) * one.low, __int128(factor) * one.high});
    all = {narrowed(__int128(all.low) + least),
           narrowed(__int128(all.high) + most)};
  }
  return all;
}

std::string Extents::text(int64_t extent) const {
  std::string all;
  int64_t constant = 0;
  for (const auto &[monomial, factor] : polynomialOf(extent)) {
    if (monomial.empty()) {
      constant = factor;
      continue;
    }
    if (!all.empty())
      all += factor < 0 ? " - " : " + ";
    else if (factor < 0)
      all += "-";
    if (factor != 1 && factor != -1)
      all += magnitude(factor) + "·";
    for (auto [i, base] : llvm::enumerate(monomial))
      all += (i ? "·" : "") + bases[base].name;
  }
  if (all.empty())
    return std::to_string(constant);
  if (constant)
    all += (constant < 0 ? " - " : " + ") + magnitude(constant);
  return all;
}

OpFoldResult Extents::value(OpBuilder &b, Location loc, int64_t extent) const {
  if (!knows(extent))
    return b.getIndexAttr(extent);
  auto number = [&](int64_t n) {
    return arith::ConstantIndexOp::create(b, loc, n).getResult();
  };
  Value all;
  int64_t constant = 0;
  for (const auto &[monomial, factor] : polynomialOf(extent)) {
    if (monomial.empty()) {
      constant = factor;
      continue;
    }
    Value part;
    for (unsigned base : monomial)
      part = part ? arith::MulIOp::create(b, loc, part, bases[base].index)
                        .getResult()
                  : bases[base].index;
    if (factor != 1)
      part = arith::MulIOp::create(b, loc, part, number(factor));
    all = all ? arith::AddIOp::create(b, loc, all, part).getResult() : part;
  }
  if (constant)
    all = arith::AddIOp::create(b, loc, all, number(constant));
  return all;
}

//===----------------------------------------------------------------------===//
// Scalars that are no polynomials
//===----------------------------------------------------------------------===//

/// The base that is defined last among those of `a` and `c`.
unsigned Extents::last(int64_t a, int64_t c) const {
  std::optional<unsigned> found;
  for (int64_t extent : {a, c})
    for (const auto &[monomial, factor] : polynomialOf(extent))
      for (unsigned base : monomial) {
        if (!found) {
          found = base;
          continue;
        }
        Value mine = bases[base].index, other = bases[*found].index;
        Operation *op = mine.getDefiningOp(), *before = other.getDefiningOp();
        bool later = mine.getParentBlock() != other.getParentBlock()
                         ? bases[base].level > bases[*found].level
                         : op && (!before || before->isBeforeInBlock(op));
        if (later)
          found = base;
      }
  return *found;
}

int64_t Extents::derived(
    StringRef kind, int64_t a, int64_t c, Range range, const std::string &name,
    llvm::function_ref<Value(OpBuilder &, Location, Value, Value)> make) {
  auto key = std::tuple(kind.str(), a, c);
  if (auto known = derivations.find(key); known != derivations.end())
    return known->second;
  unsigned behind = last(a, c);
  OpBuilder b(bases[behind].index.getContext());
  b.setInsertionPointAfterValue(bases[behind].index);
  Location loc = bases[behind].index.getLoc();
  auto operand = [&](int64_t extent) {
    OpFoldResult one = value(b, loc, extent);
    return isSymbol(extent)
               ? cast<Value>(one)
               : arith::ConstantIndexOp::create(b, loc, extent).getResult();
  };
  Value x = operand(a), y = operand(c);
  int64_t made = add(make(b, loc, x, y), range.low, range.high, name);
  bases.back().level = bases[behind].level;
  derivations[key] = made;
  return made;
}

template <typename OpTy>
int64_t Extents::derived(StringRef kind, int64_t a, int64_t c, Range range,
                         const std::string &name) {
  return derived(kind, a, c, range, name,
                 [](OpBuilder &b, Location loc, Value x, Value y) -> Value {
                   return OpTy::create(b, loc, x, y);
                 });
}

int64_t Extents::max(int64_t a, int64_t c) {
  Range more = range(difference(a, c));
  if (more.low >= 0)
    return a;
  if (more.high <= 0)
    return c;
  Range x = range(a), y = range(c);
  return derived<arith::MaxSIOp>(
      "max", std::max(a, c), std::min(a, c),
      {std::max(x.low, y.low), std::max(x.high, y.high)},
      "max(" + text(a) + ", " + text(c) + ")");
}

int64_t Extents::min(int64_t a, int64_t c) {
  Range more = range(difference(a, c));
  if (more.low >= 0)
    return c;
  if (more.high <= 0)
    return a;
  Range x = range(a), y = range(c);
  return derived<arith::MinSIOp>(
      "min", std::max(a, c), std::min(a, c),
      {std::min(x.low, y.low), std::min(x.high, y.high)},
      "min(" + text(a) + ", " + text(c) + ")");
}

int64_t Extents::floorQuotient(int64_t a, int64_t by) {
  if (auto exact = quotient(a, by))
    return *exact;
  auto floored = [&](int64_t n) {
    return n / by - (n % by != 0 && (n < 0) != (by < 0));
  };
  if (!isSymbol(a))
    return floored(a);
  Range x = range(a);
  return derived<arith::FloorDivSIOp>(
      "floor", a, by, {floored(x.low), floored(x.high)},
      "(" + text(a) + ")/" + std::to_string(by));
}

int64_t Extents::remainder(int64_t a, int64_t by) {
  if (quotient(a, by))
    return 0;
  if (!isSymbol(a))
    return ((a % by) + by) % by;
  return derived("mod", a, by, {0, by - 1},
                 "(" + text(a) + ") mod " + std::to_string(by),
                 [&](OpBuilder &b, Location loc, Value x, Value y) -> Value {
                   Value times = arith::FloorDivSIOp::create(b, loc, x, y);
                   times = arith::MulIOp::create(b, loc, times, y);
                   Value rest = arith::SubIOp::create(b, loc, x, times);
                   return graph::BoundOp::create(b, loc, b.getIndexType(), rest,
                                                 0, by - 1);
                 });
}

int64_t Extents::scaled(int64_t extent, float factor) {
  auto times = [&](int64_t n) {
    return int64_t(std::floor(factor * float(n)));
  };
  if (!isSymbol(extent))
    return times(extent);
  // A fraction whose products single precision has exactly is none that rounds.
  int exponent = 0;
  auto mantissa = int64_t(std::ldexp(std::frexp(factor, &exponent), 24));
  int shift = 24 - exponent - llvm::countr_zero(uint64_t(mantissa));
  int64_t numerator = mantissa >> llvm::countr_zero(uint64_t(mantissa));
  Range x = range(extent);
  constexpr int64_t kExact = int64_t(1) << 24;
  if (shift <= 0 && shift > -24)
    return product(extent, numerator << -shift);
  if (shift > 0 && shift < 24 && x.high * numerator <= kExact)
    return floorQuotient(product(extent, numerator), int64_t(1) << shift);
  Range to{times(x.low), times(x.high)};
  return derived(
      "scaled by " + std::to_string(llvm::bit_cast<uint32_t>(factor)), extent,
      0, to, std::to_string(factor) + "·(" + text(extent) + ")",
      [&](OpBuilder &b, Location loc, Value n, Value) -> Value {
        Type real = b.getF32Type(), integer = b.getI64Type();
        n = arith::IndexCastOp::create(b, loc, integer, n);
        n = arith::SIToFPOp::create(b, loc, real, n);
        Value by = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(factor));
        // Not negative: cut off is rounded down.
        n = arith::FPToSIOp::create(b, loc, integer,
                                    arith::MulFOp::create(b, loc, n, by));
        n = arith::IndexCastOp::create(b, loc, b.getIndexType(), n);
        return graph::BoundOp::create(b, loc, b.getIndexType(), n, to.low,
                                      to.high);
      });
}

/// Whether arithmetic on extents of inputs gives the scalar.
static bool followsFromExtents(Operation *made) {
  return made->getNumRegions() == 0 && isPure(made) &&
         llvm::all_of(made->getOperands(), [](Value operand) {
           Operation *op = operand.getDefiningOp();
           return op && operand.getType().isIntOrIndexOrFloat() &&
                  (isa<graph::ExtentOp>(op) ||
                   op->hasTrait<OpTrait::ConstantLike>() ||
                   followsFromExtents(op));
         });
}

bool Extents::followsFromData(int64_t extent) const {
  for (const auto &[monomial, factor] : polynomialOf(extent))
    for (unsigned base : monomial) {
      Value index = bases[base].index;
      while (auto bound = index ? index.getDefiningOp<graph::BoundOp>()
                                : graph::BoundOp())
        index = bound.getValue();
      // What is derived from others by arithmetic is as these are.
      Operation *made = index ? index.getDefiningOp() : nullptr;
      if (!made || isa<graph::NonZeroOp>(made) ||
          (!isa<graph::ExtentOp>(made) && !followsFromExtents(made)))
        return true;
    }
  return false;
}

/// Whether a scalar is defined in `region`. Bodies that are being imported
/// belong to no op yet, so that not all of them are nested.
static bool isDefinedIn(Value index, Region &region) {
  Region *around = index ? index.getParentRegion() : nullptr;
  while (around && around != &region) {
    Operation *op = around->getParentOp();
    around = op ? op->getParentRegion() : nullptr;
  }
  return around != nullptr;
}

bool Extents::belongsTo(int64_t extent, Region &region) const {
  for (const auto &[monomial, factor] : polynomialOf(extent))
    for (unsigned base : monomial)
      if (isDefinedIn(bases[base].index, region))
        return true;
  return false;
}

void Extents::forget(Region &region) {
  for (auto [number, base] : llvm::enumerate(bases))
    if (isDefinedIn(base.index, region))
      base.index = {};
  // What is derived from such a scalar is one itself, so its key is not met
  // again; the symbols stay taken.
}

} // namespace mho::import
