//===- WindowSums.cpp - sums over windows, in registers -------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The partial results of a strip of lanes stay in registers while all taps of
// a window pass.
//
//===----------------------------------------------------------------------===//

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "Kernel/WindowSums.cpp"
#include <hwy/foreach_target.h>

#include "Extremes-inl.h"
#include "Lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mho::rt::blocks {
namespace HWY_NAMESPACE {
namespace {

using isa::WriteKind;

/// What a lane has seen of its taps.
struct SumStep {
  static constexpr float identity = -0.0f;
  template <typename D> struct State {
    hn::Vec<D> sum;
    HWY_INLINE void start() { sum = hn::Set(D(), identity); }
    HWY_INLINE void add(hn::Vec<D> v) { sum = hn::Add(sum, v); }
    HWY_INLINE hn::Vec<D> result() const { return sum; }
  };
  template <typename D, typename V = hn::Vec<D>>
  static HWY_INLINE V apply(D, V a, V b) {
    return hn::Add(a, b);
  }
};
template <bool isMax> struct ExtremeStep {
  /// Which of two zeros Highway takes, and what it makes of NaN, is mended at
  /// the end: if the extreme is zero, no tap lies beyond it, and the signs of
  /// all of them tell whether +0 or -0 was there.
  template <typename D> struct State {
    using V = hn::Vec<D>;
    static constexpr float most = std::numeric_limits<float>::infinity();
    V extreme, signs;
    hn::Mask<D> nan;
    HWY_INLINE void start() {
      extreme = hn::Set(D(), isMax ? -most : most);
      signs = hn::Set(D(), isMax ? -0.0f : 0.0f);
      nan = hn::FirstN(D(), 0);
    }
    HWY_INLINE void add(V v) {
      extreme = isMax ? hn::Max(extreme, v) : hn::Min(extreme, v);
      signs = isMax ? hn::And(signs, v) : hn::Or(signs, v);
      nan = hn::Or(nan, hn::IsNaN(v));
    }
    HWY_INLINE V result() const {
      const D d;
      V zero = hn::And(signs, hn::Set(d, -0.0f));
      V r = hn::IfThenElse(hn::Eq(extreme, hn::Zero(d)), zero, extreme);
      return hn::IfThenElse(
          nan, hn::Set(d, std::numeric_limits<float>::quiet_NaN()), r);
    }
  };
  template <typename D, typename V = hn::Vec<D>>
  static HWY_INLINE V apply(D d, V a, V b) {
    return isMax ? larger(d, a, b) : smaller(d, a, b);
  }
};

/// Lanes that lie `step` (1 or 2) elements apart. The last one of a row reads
/// nothing behind its last lane.
template <int step, bool isLast, typename D>
HWY_INLINE hn::Vec<D> loadLanes(D d, const float *from) {
  constexpr size_t lanes = hn::MaxLanes(D());
  auto low = hn::LoadU(d, from);
  if constexpr (step == 1 || lanes == 1)
    return low;
  else if constexpr (isLast)
    return hn::ConcatEven(d, hn::DupOdd(hn::LoadU(d, from + lanes - 1)), low);
  else
    return hn::ConcatEven(d, hn::LoadU(d, from + lanes), low);
}

enum class Weights { None, Scalar, Lanes };

/// `count` vectors of neighbouring lanes of one row, whose `known` partial
/// results, if not 0, stay in registers.
template <typename Step, Weights weights, int known, size_t count, int xStep,
          bool isLast, typename D>
HWY_INLINE void windowStrip(D d, const Window &call, const float *x,
                            const float *w, float *out) {
  constexpr size_t lanes = hn::MaxLanes(D());
  const size_t partials = known ? size_t(known) : call.partials;
  hn::Vec<D> parts[known ? known : 16][count];
  const Tap *tap = call.taps;
  for (size_t p = 0; p < partials; ++p) {
    typename Step::template State<D> states[count];
    for (size_t i = 0; i < count; ++i)
      states[i].start();
    for (const Tap *end = call.taps + call.ends[p]; tap < end; ++tap) {
      [[maybe_unused]] hn::Vec<D> weight;
      if constexpr (weights == Weights::Scalar)
        weight = hn::Set(d, w[tap->w]);
      for (size_t i = 0; i < count; ++i) {
        auto v =
            loadLanes<xStep, isLast>(d, x + tap->x + i * lanes * size_t(xStep));
        if constexpr (weights == Weights::Lanes)
          weight = hn::LoadU(d, w + tap->w + i * lanes);
        if constexpr (weights != Weights::None)
          v = hn::Mul(v, weight);
        states[i].add(v);
      }
    }
    for (size_t i = 0; i < count; ++i)
      parts[p][i] = states[i].result();
  }
  // Unrolled, these would be most of the file.
#pragma clang loop unroll(disable)
  for (size_t step = known ? 2 : 8; step; step /= 2)
    for (size_t p = 0; p < step && p + step < partials; ++p)
      for (size_t i = 0; i < count; ++i)
        parts[p][i] = Step::apply(d, parts[p][i], parts[p + step][i]);
  for (size_t i = 0; i < count; ++i) {
    auto first =
        call.fromMemory ? hn::LoadU(d, out + i * lanes) : hn::Set(d, call.init);
    hn::StoreU(Step::apply(d, first, parts[0][i]), d, out + i * lanes);
  }
}

/// Products of rows that share their weights are made of eight lanes.
using Eight = hn::CappedTag<float, 8>;
constexpr size_t kEight = hn::MaxLanes(Eight());

/// Sums of products with `partials` partial results in `rows` neighbouring rows
/// that share the weights: a vector of weights is loaded once for all of them,
/// and the sums stay in registers. Of the same bits as windowStrip.
template <int partials, int rows>
HWY_INLINE void productRows(const Window &call, const float *x, const float *w,
                            float *out) {
  const Eight d;
  hn::Vec<Eight> parts[partials][rows];
  const Tap *tap = call.taps;
#pragma clang loop unroll(full)
  for (int p = 0; p < partials; ++p) {
    hn::Vec<Eight> sums[rows];
    for (int r = 0; r < rows; ++r)
      sums[r] = hn::Set(d, SumStep::identity);
    for (const Tap *end = call.taps + call.ends[p]; tap < end; ++tap) {
      auto weight = hn::LoadU(d, w + tap->w);
      const float *from = x + tap->x;
      for (int r = 0; r < rows; ++r)
        sums[r] = hn::Add(sums[r],
                          hn::Mul(hn::LoadU(d, from + r * call.xRow), weight));
    }
    for (int r = 0; r < rows; ++r)
      parts[p][r] = sums[r];
  }
#pragma clang loop unroll(full)
  for (int step = 8; step; step /= 2)
    for (int p = 0; p < step && p + step < partials; ++p)
      for (int r = 0; r < rows; ++r)
        parts[p][r] = hn::Add(parts[p][r], parts[p + step][r]);
  for (int r = 0; r < rows; ++r) {
    float *to = out + r * call.outRow;
    auto first = call.fromMemory ? hn::LoadU(d, to) : hn::Set(d, call.init);
    hn::StoreU(hn::Add(first, parts[0][r]), d, to);
  }
}

template <int partials, int rows>
void productRow(const Window &call, int64_t row, size_t lanes) {
  for (size_t i = 0; i < lanes; i += kEight)
    productRows<partials, rows>(call, call.x + row * call.xRow + i, call.w + i,
                                call.out + row * call.outRow + i);
}

/// All rows of a product whose weights are the same for all of them, in
/// `lanes` lanes, which 8 divides. Five rows at most, that none stays alone.
template <int partials> void productBlocks(const Window &call, size_t lanes) {
  int64_t row = 0;
  for (; row + 6 <= call.rows || row + 4 == call.rows; row += 4)
    productRow<partials, 4>(call, row, lanes);
  if (row + 5 == call.rows)
    productRow<partials, 5>(call, row, lanes);
  else if (row + 3 == call.rows)
    productRow<partials, 3>(call, row, lanes);
  else if (row + 2 == call.rows)
    productRow<partials, 2>(call, row, lanes);
  else if (row + 1 == call.rows)
    productRow<partials, 1>(call, row, lanes);
}

/// False: there is no such form of it.
bool productBlocks(const Window &call, size_t lanes) {
  if (call.wRow != 0 || call.scalarWeights)
    return false;
  switch (call.partials) {
  case 1:
    return productBlocks<1>(call, lanes), true;
  case 2:
    return productBlocks<2>(call, lanes), true;
  case 3:
    return productBlocks<3>(call, lanes), true;
  case 5:
    return productBlocks<5>(call, lanes), true;
  case 7:
    return productBlocks<7>(call, lanes), true;
  default:
    return false;
  }
}

/// As many strips from lane `done` on as the row has; where none is to be the
/// last one, a lane stays behind them. Returns the next lane.
template <typename Step, Weights weights, int known, size_t count, int xStep,
          bool isLast, typename D>
size_t windowStrips(D d, const Window &call, int64_t row, size_t done) {
  static_assert(known <= 4);
  const float *x = call.x + row * call.xRow;
  const float *w =
      weights == Weights::None ? nullptr : call.w + row * call.wRow;
  float *out = call.out + row * call.outRow;
  size_t wStep = weights == Weights::Lanes ? 1 : 0;
  const size_t lanes = count * hn::Lanes(d);
  for (; done + lanes + !isLast <= call.lanes; done += lanes)
    windowStrip<Step, weights, known, count, xStep, isLast>(
        d, call, x + done * size_t(xStep), w + done * wStep, out + done);
  return done;
}

/// From lane `first` of each row on.
template <typename Step, Weights weights, int known, int xStep>
void windowRows(const Window &call, size_t first) {
  const hn::ScalableTag<float> d;
  const hn::CappedTag<float, 4> few;
  const hn::CappedTag<float, 1> one;
  constexpr bool any = xStep == 1; // strips that may be the last one
  for (int64_t row = 0; first < call.lanes && row < call.rows; ++row) {
    size_t i = first;
    if constexpr (xStep == 1)
      i = windowStrips<Step, weights, known, 4, xStep, any>(d, call, row, i);
    if constexpr (known > 0)
      i = windowStrips<Step, weights, known, 2, xStep, any>(d, call, row, i);
    i = windowStrips<Step, weights, known, 1, xStep, any>(d, call, row, i);
    if constexpr (!any)
      i = windowStrips<Step, weights, known, 1, xStep, true>(d, call, row, i);
    i = windowStrips<Step, weights, 0, 1, xStep, true>(few, call, row, i);
    windowStrips<Step, weights, 0, 1, xStep, true>(one, call, row, i);
  }
}

template <typename Step, Weights weights, int known>
void windowRows(const Window &call) {
  call.xLane == 1 ? windowRows<Step, weights, known, 1>(call, 0)
                  : windowRows<Step, weights, known, 2>(call, 0);
}

template <Weights weights> void sumsOf(const Window &call) {
  switch (call.partials) {
  case 1:
    return windowRows<SumStep, weights, 1>(call);
  case 2:
    return windowRows<SumStep, weights, 2>(call);
  case 3:
    return windowRows<SumStep, weights, 3>(call);
  default:
    return windowRows<SumStep, weights, 0>(call);
  }
}

/// Their order cannot matter, so they have one partial result.
template <bool isMax> void extremesOf(const Window &call) {
  windowRows<ExtremeStep<isMax>, Weights::None, 1>(call);
}

} // namespace

void window(const Window &call) {
  if (call.kind == WriteKind::Max)
    extremesOf<true>(call);
  else if (call.kind == WriteKind::Min)
    extremesOf<false>(call);
  else if (!call.w)
    sumsOf<Weights::None>(call);
  else if (call.scalarWeights)
    sumsOf<Weights::Scalar>(call);
  else
    windowRows<SumStep, Weights::Lanes, 0, 1>(
        call, productBlocks(call, call.lanes / 8 * 8) ? call.lanes / 8 * 8 : 0);
}

} // namespace HWY_NAMESPACE
} // namespace mho::rt::blocks
HWY_AFTER_NAMESPACE();
