//===- BlockMemory.cpp - lanes to and from memory, and along them ---------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reductions along the lanes of a block, and memory of every type.
//
//===----------------------------------------------------------------------===//

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "Kernel/BlockMemory.cpp"
#include <hwy/foreach_target.h>

#include "Extremes-inl.h"
#include "Lanes-inl.h"
#include "NarrowFloat.h"
#include "Rounding-inl.h"

HWY_BEFORE_NAMESPACE();
namespace mho::rt::blocks {
namespace HWY_NAMESPACE {
namespace {

using isa::Type;
using isa::WriteKind;

//===----------------------------------------------------------------------===//
// Reductions along the lanes
//===----------------------------------------------------------------------===//

constexpr size_t kPartials = 16;

/// One row: 16 partial results in registers, `T` to T by f(d, a, b).
template <typename T, typename F>
void foldLanes(T *partials, const T *values, size_t n, F f) {
  const hn::CappedTag<T, kPartials> d;
  constexpr size_t step = hn::MaxLanes(decltype(d)());
  constexpr size_t count = kPartials / step;
  hn::Vec<decltype(d)> sums[count];
  for (size_t i = 0; i < count; ++i)
    sums[i] = hn::LoadU(d, partials + i * step);
  size_t j = 0;
  for (; j + kPartials <= n; j += kPartials)
    for (size_t i = 0; i < count; ++i)
      sums[i] = f(d, sums[i], hn::LoadU(d, values + j + i * step));
  for (size_t i = 0; i < count; ++i)
    hn::StoreU(sums[i], d, partials + i * step);
  // Fewer than 16 more: one at a time.
  const hn::CappedTag<T, 1> one;
  for (size_t i = 0; j + i < n; ++i)
    hn::StoreU(
        f(one, hn::LoadU(one, partials + i), hn::LoadU(one, values + j + i)),
        one, partials + i);
}

/// A float's bits as an integer of the same order, -0 below +0, and back.
template <typename D> HWY_INLINE hn::Vec<D> orderOf(D d, hn::Vec<D> bits) {
  return hn::Xor(bits,
                 hn::And(hn::ShiftRight<31>(bits), hn::Set(d, 0x7fffffff)));
}

/// foldLanes with `larger` or `smaller` as steps, each of which would take ten
/// operations one after the other: as integers, with NaN aside.
template <bool isMax>
void foldExtremes(float *partials, const float *values, size_t n) {
  const hn::CappedTag<float, kPartials> d;
  const hn::RebindToSigned<decltype(d)> di;
  constexpr size_t step = hn::MaxLanes(decltype(d)());
  constexpr size_t count = kPartials / step;
  hn::Vec<decltype(di)> best[count], nan[count];
  auto add = [&](size_t i, auto value) HWY_ATTR {
    auto order = orderOf(di, hn::BitCast(di, value));
    best[i] = isMax ? hn::Max(best[i], order) : hn::Min(best[i], order);
    nan[i] = hn::Or(nan[i],
                    hn::VecFromMask(di, hn::RebindMask(di, hn::IsNaN(value))));
  };
  for (size_t i = 0; i < count; ++i) {
    auto value = hn::LoadU(d, partials + i * step);
    best[i] = orderOf(di, hn::BitCast(di, value));
    nan[i] = hn::VecFromMask(di, hn::RebindMask(di, hn::IsNaN(value)));
  }
  size_t j = 0;
  for (; j + kPartials <= n; j += kPartials)
    for (size_t i = 0; i < count; ++i)
      add(i, hn::LoadU(d, values + j + i * step));
  if (j < n) {
    // The partial results that get nothing more get their own again.
    HWY_ALIGN float rest[kPartials];
    for (size_t i = 0; i < count; ++i)
      hn::Store(hn::BitCast(d, orderOf(di, best[i])), d, rest + i * step);
    std::memcpy(rest, values + j, (n - j) * sizeof(float));
    for (size_t i = 0; i < count; ++i)
      add(i, hn::Load(d, rest + i * step));
  }
  auto quiet = hn::Set(d, std::numeric_limits<float>::quiet_NaN());
  for (size_t i = 0; i < count; ++i) {
    auto value = hn::BitCast(d, orderOf(di, best[i]));
    hn::StoreU(hn::IfThenElse(hn::RebindMask(d, hn::MaskFromVec(nan[i])), quiet,
                              value),
               d, partials + i * step);
  }
}

template <size_t half, typename T, typename F>
HWY_INLINE void combineHalves(T *part, F f) {
  const hn::CappedTag<T, half> d;
  for (size_t i = 0; i < half; i += hn::Lanes(d))
    hn::StoreU(f(d, hn::LoadU(d, part + i), hn::LoadU(d, part + i + half)), d,
               part + i);
}

/// Combines the 16 partial results of each row pairwise; row r's value ends at
/// number r.
template <typename T, typename F> void treeRows(T *p, size_t rows, F f) {
  for (size_t r = 0; r < rows; ++r) {
    T part[kPartials];
    std::memcpy(part, p + r * kPartials, sizeof part);
    combineHalves<8>(part, f);
    combineHalves<4>(part, f);
    combineHalves<2>(part, f);
    combineHalves<1>(part, f);
    p[r] = part[0];
  }
}

/// Calls run(f) with the step of a reduction.
template <typename Max, typename Min, typename Run>
bool withStep(WriteKind kind, Max max, Min min, Run run) {
  switch (kind) {
  case WriteKind::Add:
    run([](auto, auto a, auto b) HWY_ATTR { return hn::Add(a, b); });
    return true;
  case WriteKind::Mul:
    run([](auto, auto a, auto b) HWY_ATTR { return hn::Mul(a, b); });
    return true;
  case WriteKind::Max:
    run(max);
    return true;
  case WriteKind::Min:
    run(min);
    return true;
  default:
    return false;
  }
}

template <typename Run> bool withIntegers(WriteKind kind, Run run) {
  return withStep(
      kind, [](auto, auto a, auto b) HWY_ATTR { return hn::Max(a, b); },
      [](auto, auto a, auto b) HWY_ATTR { return hn::Min(a, b); }, run);
}
template <typename Run> bool withFloats(WriteKind kind, Run run) {
  return withStep(
      kind, [](auto d, auto a, auto b) HWY_ATTR { return larger(d, a, b); },
      [](auto d, auto a, auto b) HWY_ATTR { return smaller(d, a, b); }, run);
}

/// Every step is rounded to the type.
template <typename Run>
bool withNarrowFloats(Type type, WriteKind kind, Run run) {
  NarrowFormat format;
  if (!narrowFormatOf(type, format))
    return false;
  return withFloats(kind, [&](auto f) {
    run([f, format](auto d, auto a, auto b)
            HWY_ATTR { return roundTo(d, format, f(d, a, b)); });
  });
}

/// Calls run(T(), f) with the lanes' C++ type and the step of a reduction of
/// this type; false where there is none.
template <typename Run> bool withLanes(WriteKind kind, Type type, Run run) {
  auto of = [&](auto zero) { return [=](auto f) { run(zero, f); }; };
  switch (type) {
  case Type::F32:
    return withFloats(kind, of(float()));
  case Type::F16:
  case Type::BF16:
    return withNarrowFloats(type, kind, of(float()));
  case Type::F64:
    return withFloats(kind, of(double()));
  case Type::I32:
    return withIntegers(kind, of(int32_t()));
  case Type::I64:
    return withIntegers(kind, of(int64_t()));
  default:
    return false;
  }
}

/// Extremes of floats that live in lanes of f32.
bool foldExtremes(WriteKind kind, float *partials, const float *values,
                  size_t n, size_t rows) {
  for (size_t r = 0; r < rows; ++r) {
    float *p = partials + r * kPartials;
    const float *v = values + r * n;
    kind == WriteKind::Max ? foldExtremes<true>(p, v, n)
                           : foldExtremes<false>(p, v, n);
  }
  return true;
}

} // namespace

bool fold(WriteKind kind, Type type, void *partials, const void *values,
          size_t n, size_t rows) {
  bool inF32 = type == Type::F32 || type == Type::F16 || type == Type::BF16;
  if (inF32 && (kind == WriteKind::Max || kind == WriteKind::Min))
    return foldExtremes(kind, static_cast<float *>(partials),
                        static_cast<const float *>(values), n, rows);
  return withLanes(kind, type, [=]<typename T>(T, auto f) {
    for (size_t r = 0; r < rows; ++r)
      foldLanes<T>(static_cast<T *>(partials) + r * kPartials,
                   static_cast<const T *>(values) + r * n, n, f);
  });
}

bool tree(WriteKind kind, Type type, void *partials, size_t rows) {
  return withLanes(kind, type, [=]<typename T>(T, auto f) {
    treeRows<T>(static_cast<T *>(partials), rows, f);
  });
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

namespace {

/// Elements that lie apart are brought together in pieces of this many.
constexpr size_t kPiece = 64;

/// Lanes of L from memory of M by to(d, vector of M), where d is the tag of the
/// lanes.
template <typename L, typename M, typename F>
void gather(void *lanes, const std::byte *memory, int64_t stride, size_t n,
            F to) {
  using D = hn::ScalableTag<L>;
  using Memory = hn::Rebind<M, D>;
  auto *out = static_cast<L *>(lanes);
  auto *in = reinterpret_cast<const M *>(memory);
  auto convert = [&](const M *from, size_t first, size_t count) HWY_ATTR {
    forLanes(
        D(), Memory(), out + first, count,
        [to](auto, auto v) HWY_ATTR { return to(D(), v); },
        EachLane<Memory>{from});
  };
  if (stride == int64_t(sizeof(M)))
    return convert(in, 0, n);
  int64_t step = stride / int64_t(sizeof(M));
  for (size_t i = 0; i < n; i += kPiece) {
    M piece[kPiece];
    size_t count = std::min(n - i, kPiece);
    for (size_t j = 0; j < count; ++j)
      piece[j] = in[int64_t(i + j) * step];
    convert(piece, i, count);
  }
}
template <typename T>
void gatherSame(void *lanes, const std::byte *memory, int64_t stride,
                size_t n) {
  if (stride == int64_t(sizeof(T))) {
    std::memcpy(lanes, memory, n * sizeof(T));
    return;
  }
  auto *out = static_cast<T *>(lanes);
  auto *in = reinterpret_cast<const T *>(memory);
  int64_t step = stride / int64_t(sizeof(T));
  for (size_t i = 0; i < n; ++i)
    out[i] = in[int64_t(i) * step];
}

/// The way back: from(d, lanes) gives a vector of M, d is the lanes' tag.
template <typename L, typename M, typename F>
void scatter(std::byte *memory, int64_t stride, const void *lanes, size_t n,
             F from) {
  using D = hn::ScalableTag<L>;
  using Memory = hn::Rebind<M, D>;
  auto *in = static_cast<const L *>(lanes);
  auto *out = reinterpret_cast<M *>(memory);
  if (stride == int64_t(sizeof(M))) {
    forLanes(Memory(), D(), out, n, from, EachLane<D>{in});
    return;
  }
  int64_t step = stride / int64_t(sizeof(M));
  for (size_t i = 0; i < n; i += kPiece) {
    M piece[kPiece];
    size_t count = std::min(n - i, kPiece);
    forLanes(Memory(), D(), piece, count, from, EachLane<D>{in + i});
    for (size_t j = 0; j < count; ++j)
      out[int64_t(i + j) * step] = piece[j];
  }
}
template <typename T>
void scatterSame(std::byte *memory, int64_t stride, const void *lanes,
                 size_t n) {
  if (stride == int64_t(sizeof(T))) {
    std::memcpy(memory, lanes, n * sizeof(T));
    return;
  }
  auto *in = static_cast<const T *>(lanes);
  auto *out = reinterpret_cast<T *>(memory);
  int64_t step = stride / int64_t(sizeof(T));
  for (size_t i = 0; i < n; ++i)
    out[int64_t(i) * step] = in[i];
}

struct Promote {
  template <typename D, typename V>
  HWY_INLINE hn::Vec<D> operator()(D d, V v) const {
    return hn::PromoteTo(d, v);
  }
};
template <typename M> struct Truncate {
  template <typename D, typename V> HWY_INLINE auto operator()(D, V v) const {
    return hn::TruncateTo(hn::Rebind<M, D>(), v);
  }
};

/// NaN as the reference has it: of no sign.
struct FromHalf {
  template <typename D, typename V>
  HWY_INLINE hn::Vec<D> operator()(D d, V bits) const {
#if HWY_TARGET == HWY_EMU128
    // Highway's knows no infinity.
    HWY_ALIGN uint16_t half[hn::MaxLanes(D())];
    HWY_ALIGN float value[hn::MaxLanes(D())];
    hn::Store(bits, hn::Rebind<uint16_t, D>(), half);
    for (size_t i = 0; i < hn::Lanes(d); ++i)
      value[i] = decodeFloat(Type::F16, half[i]);
    return hn::Load(d, value);
#else
    const hn::Rebind<hwy::float16_t, D> half;
    auto v = hn::PromoteTo(d, hn::BitCast(half, bits));
    return hn::IfThenElse(
        hn::IsNaN(v), hn::Set(d, std::numeric_limits<float>::quiet_NaN()), v);
#endif
  }
};
/// Of NaN only the sign is left.
template <typename D> HWY_INLINE hn::Vec<D> plainNan(D d, hn::Vec<D> v) {
  auto nan = hn::Set(d, std::numeric_limits<float>::quiet_NaN());
  return hn::IfThenElse(hn::IsNaN(v), hn::CopySign(nan, v), v);
}
struct ToHalf {
  template <typename D> HWY_INLINE auto operator()(D d, hn::Vec<D> v) const {
#if HWY_TARGET == HWY_EMU128
    HWY_ALIGN uint16_t half[hn::MaxLanes(D())];
    HWY_ALIGN float value[hn::MaxLanes(D())];
    hn::Store(v, d, value);
    for (size_t i = 0; i < hn::Lanes(d); ++i)
      half[i] = uint16_t(encodeFloat(Type::F16, value[i]));
    return hn::Load(hn::Rebind<uint16_t, D>(), half);
#else
    return hn::BitCast(
        hn::Rebind<uint16_t, D>(),
        hn::DemoteTo(hn::Rebind<hwy::float16_t, D>(), plainNan(d, v)));
#endif
  }
};
struct FromBfloat {
  template <typename D, typename V>
  HWY_INLINE hn::Vec<D> operator()(D d, V bits) const {
    return hn::ShiftLeft<16>(hn::PromoteTo(d, bits));
  }
};
struct ToBfloat {
  template <typename D> HWY_INLINE auto operator()(D d, hn::Vec<D> v) const {
    const hn::RebindToUnsigned<D> du;
    auto bits = hn::ShiftRight<16>(hn::BitCast(du, plainNan(d, v)));
    return hn::TruncateTo(hn::Rebind<uint16_t, D>(), bits);
  }
};

} // namespace

bool load(Type type, void *lanes, const std::byte *memory, int64_t stride,
          size_t n) {
  switch (type) {
  case Type::F32:
  case Type::I32:
  case Type::U32:
    gatherSame<uint32_t>(lanes, memory, stride, n);
    return true;
  case Type::F64:
  case Type::I64:
  case Type::U64:
    gatherSame<uint64_t>(lanes, memory, stride, n);
    return true;
  case Type::I8:
    gather<int32_t, int8_t>(lanes, memory, stride, n, Promote());
    return true;
  case Type::U8:
    gather<int32_t, uint8_t>(lanes, memory, stride, n, Promote());
    return true;
  case Type::I16:
    gather<int32_t, int16_t>(lanes, memory, stride, n, Promote());
    return true;
  case Type::U16:
    gather<int32_t, uint16_t>(lanes, memory, stride, n, Promote());
    return true;
  case Type::Bool:
    gather<int32_t, uint8_t>(lanes, memory, stride, n,
                             [](auto d, auto v) HWY_ATTR {
                               auto wide = hn::PromoteTo(d, v);
                               return hn::Min(wide, hn::Set(d, 1));
                             });
    return true;
  case Type::F16:
    gather<float, uint16_t>(lanes, memory, stride, n, FromHalf());
    return true;
  case Type::BF16:
    gather<uint32_t, uint16_t>(lanes, memory, stride, n, FromBfloat());
    return true;
  default:
    return false;
  }
}

bool store(Type type, std::byte *memory, int64_t stride, const void *lanes,
           size_t n) {
  switch (type) {
  case Type::F32:
  case Type::I32:
  case Type::U32:
    scatterSame<uint32_t>(memory, stride, lanes, n);
    return true;
  case Type::F64:
  case Type::I64:
  case Type::U64:
    scatterSame<uint64_t>(memory, stride, lanes, n);
    return true;
  case Type::I8:
  case Type::U8:
  case Type::Bool:
    scatter<uint32_t, uint8_t>(memory, stride, lanes, n, Truncate<uint8_t>());
    return true;
  case Type::F16:
    scatter<float, uint16_t>(memory, stride, lanes, n, ToHalf());
    return true;
  case Type::BF16:
    scatter<float, uint16_t>(memory, stride, lanes, n, ToBfloat());
    return true;
  case Type::I16:
  case Type::U16:
    scatter<uint32_t, uint16_t>(memory, stride, lanes, n, Truncate<uint16_t>());
    return true;
  default:
    return false;
  }
}

} // namespace HWY_NAMESPACE
} // namespace mho::rt::blocks
HWY_AFTER_NAMESPACE();
