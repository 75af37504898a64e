//===- Lanes-inl.h - Highway vectors over a block -------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// How a function of vectors is applied to the lanes of a call. Compiled once
// per target of Highway, as all *-inl.h here. An output may be one of the
// operands: a vector is stored before the next one is loaded.
//
//===----------------------------------------------------------------------===//

#if defined(MHO_RUNTIME_KERNEL_LANES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MHO_RUNTIME_KERNEL_LANES_INL_H
#undef MHO_RUNTIME_KERNEL_LANES_INL_H
#else
#define MHO_RUNTIME_KERNEL_LANES_INL_H
#endif

#include "Blocks.h"

#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>

HWY_BEFORE_NAMESPACE();
namespace mho::rt::blocks {
namespace HWY_NAMESPACE {

// The parts of a table, see Blocks.h, and what they share.
bool apply(const Call &call);
bool convert(const Call &call);
bool divide(const Call &call);
bool elementary(const Call &call);
bool narrowInteger(const Call &call);
bool roundLanes(const Call &call);
bool fold(isa::WriteKind kind, isa::Type type, void *partials,
          const void *values, size_t n, size_t rows);
bool tree(isa::WriteKind kind, isa::Type type, void *partials, size_t rows);
bool load(isa::Type type, void *lanes, const std::byte *memory, int64_t stride,
          size_t n);
bool store(isa::Type type, std::byte *memory, int64_t stride, const void *lanes,
           size_t n);
void window(const Window &call);

namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <typename A, typename B>
using Wider = std::conditional_t<(sizeof(A) < sizeof(B)), B, A>;

/// As many lanes of T as a vector has of Wide.
template <typename T, typename Wide>
using LanesOf = hn::Rebind<T, hn::ScalableTag<Wide>>;

/// Fewer lanes than a vector has; the others are 0.
template <typename D, typename T>
HWY_INLINE hn::Vec<D> loadPart(D d, const T *from, size_t n) {
  HWY_ALIGN T lanes[hn::MaxLanes(D())] = {};
  std::memcpy(lanes, from, n * sizeof(T));
  return hn::Load(d, lanes);
}
template <typename D, typename T>
HWY_INLINE void storePart(hn::Vec<D> v, D d, T *to, size_t n) {
  HWY_ALIGN T lanes[hn::MaxLanes(D())];
  hn::Store(v, d, lanes);
  std::memcpy(to, lanes, n * sizeof(T));
}

/// An operand with a value for each lane.
template <typename D> struct EachLane {
  const hn::TFromD<D> *from;
  HWY_INLINE hn::Vec<D> operator()(D d, size_t i) const {
    return hn::LoadU(d, from + i);
  }
  HWY_INLINE hn::Vec<D> part(D d, size_t i, size_t n) const {
    return loadPart(d, from + i, n);
  }
};

/// An operand with one value for all lanes.
template <typename D> struct AllLanes {
  hn::Vec<D> value;
  HWY_INLINE hn::Vec<D> operator()(D, size_t) const { return value; }
  HWY_INLINE hn::Vec<D> part(D, size_t, size_t) const { return value; }
};

/// out = f(d, operands...) for all n lanes, two vectors at a time if
/// `unrolled`; what emulates vectors gains nothing by that.
template <bool unrolled = HWY_TARGET != HWY_EMU128, typename DOut, typename D,
          typename F, typename... Operands>
HWY_INLINE void forLanes(DOut dOut, D d, hn::TFromD<DOut> *out, size_t n, F f,
                         Operands... operands) {
  const size_t step = hn::Lanes(d);
  size_t i = 0;
  for (; unrolled && i + 2 * step <= n; i += 2 * step) {
    auto first = f(d, operands(d, i)...);
    auto second = f(d, operands(d, i + step)...);
    hn::StoreU(first, dOut, out + i);
    hn::StoreU(second, dOut, out + i + step);
  }
  for (; i + step <= n; i += step)
    hn::StoreU(f(d, operands(d, i)...), dOut, out + i);
  if (i < n)
    storePart(f(d, operands.part(d, i, n - i)...), dOut, out + i, n - i);
}

/// Calls run(operand) with operand k of the call as `EachLane` or `AllLanes`.
template <typename D, typename Run>
HWY_INLINE void withOperand(D d, const Call &call, int k, Run run) {
  auto *from = static_cast<const hn::TFromD<D> *>(call.operands[k]);
  if (call.scalar[k])
    run(AllLanes<D>{hn::Set(d, *from)});
  else
    run(EachLane<D>{from});
}

/// `Wide` is the widest type that f has in between.
template <typename O, typename A, typename Wide = Wider<O, A>, typename F>
void map1(const Call &call, F f) {
  const LanesOf<O, Wide> dOut;
  const LanesOf<A, Wide> d;
  forLanes(
      dOut, d, static_cast<O *>(call.out), call.n, f,
      EachLane<LanesOf<A, Wide>>{static_cast<const A *>(call.operands[0])});
}

template <typename O, typename A, typename Wide = Wider<O, A>, typename F>
void map2(const Call &call, F f) {
  const LanesOf<O, Wide> dOut;
  const LanesOf<A, Wide> d;
  auto *out = static_cast<O *>(call.out);
  auto *a = static_cast<const A *>(call.operands[0]);
  auto *b = static_cast<const A *>(call.operands[1]);
  size_t n = call.n;
  if (!n)
    return;
  using D = LanesOf<A, Wide>;
  EachLane<D> eachA{a}, eachB{b};
  if (!call.scalar[0] && !call.scalar[1])
    forLanes(dOut, d, out, n, f, eachA, eachB);
  else if (!call.scalar[0])
    forLanes(dOut, d, out, n, f, eachA, AllLanes<D>{hn::Set(d, *b)});
  else if (!call.scalar[1])
    forLanes(dOut, d, out, n, f, AllLanes<D>{hn::Set(d, *a)}, eachB);
  else
    std::fill_n(out, n, hn::GetLane(f(d, hn::Set(d, *a), hn::Set(d, *b))));
}

template <typename T, typename F> void map3(const Call &call, F f) {
  const hn::ScalableTag<T> d;
  auto *out = static_cast<T *>(call.out);
  if (!call.n)
    return;
  withOperand(d, call, 0, [&](auto a) HWY_ATTR {
    withOperand(d, call, 1, [&](auto b) HWY_ATTR {
      withOperand(d, call, 2, [&](auto c) HWY_ATTR {
        forLanes(d, d, out, call.n, f, a, b, c);
      });
    });
  });
}

/// For the few things that Highway has no vectors for: lane by lane.
template <typename O, typename A, typename F>
void each1(const Call &call, F f) {
  auto *out = static_cast<O *>(call.out);
  auto *a = static_cast<const A *>(call.operands[0]);
  for (size_t i = 0; i < call.n; ++i)
    out[i] = f(a[i]);
}
template <typename T, typename F> void each2(const Call &call, F f) {
  auto *out = static_cast<T *>(call.out);
  auto *a = static_cast<const T *>(call.operands[0]);
  auto *b = static_cast<const T *>(call.operands[1]);
  size_t stepA = call.scalar[0] ? 0 : 1, stepB = call.scalar[1] ? 0 : 1;
  for (size_t i = 0; i < call.n; ++i)
    out[i] = f(a[i * stepA], b[i * stepB]);
}

template <typename D> HWY_INLINE hn::Vec<D> nanOf(D d) {
  return hn::Set(d, std::numeric_limits<hn::TFromD<D>>::quiet_NaN());
}
template <typename D> HWY_INLINE hn::Vec<D> constant(D d, double value) {
  return hn::Set(d, hn::TFromD<D>(value));
}

/// a·b + c in one rounding, also where the target has no such instruction.
template <typename D, typename V = hn::Vec<D>>
HWY_INLINE V fused(D d, V a, V b, V c) {
#if HWY_NATIVE_FMA
  (void)d;
  return hn::MulAdd(a, b, c);
#else
  using T = hn::TFromD<D>;
  HWY_ALIGN T x[hn::MaxLanes(D())], y[hn::MaxLanes(D())], z[hn::MaxLanes(D())];
  hn::Store(a, d, x);
  hn::Store(b, d, y);
  hn::Store(c, d, z);
  for (size_t i = 0; i < hn::Lanes(d); ++i)
    z[i] = std::fma(x[i], y[i], z[i]);
  return hn::Load(d, z);
#endif
}

/// Lanes where the mask holds as 1, others as 0.
template <typename D, typename M>
HWY_INLINE hn::Vec<hn::Rebind<int32_t, D>> flagsOf(D, M mask) {
  const hn::RebindToUnsigned<D> du;
  const hn::Rebind<int32_t, D> di;
  auto ones = hn::IfThenElseZero(hn::RebindMask(du, mask),
                                 hn::Set(du, hn::TFromD<decltype(du)>(1)));
  if constexpr (sizeof(hn::TFromD<D>) == 8)
    return hn::BitCast(di, hn::TruncateTo(hn::Rebind<uint32_t, D>(), ones));
  else
    return hn::BitCast(di, ones);
}

} // namespace
} // namespace HWY_NAMESPACE
} // namespace mho::rt::blocks
HWY_AFTER_NAMESPACE();

#endif
