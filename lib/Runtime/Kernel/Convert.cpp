//===- Convert.cpp - lanes of one type to another -------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With the results of Scalar.cpp. Integers of less than 32 bits live in lanes
// of 32, extended as their type tells; floats of less than 32 bits as the f32
// of their value.
//
//===----------------------------------------------------------------------===//

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "Kernel/Convert.cpp"
#include <hwy/foreach_target.h>

#include "Lanes-inl.h"
#include "NarrowFloat.h"
#include "Rounding-inl.h"
#include "Scalar.h"

HWY_BEFORE_NAMESPACE();
namespace mho::rt::blocks {
namespace HWY_NAMESPACE {
namespace {

using isa::MicroOpcode;
using isa::Type;

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

/// The low bits of a lane as a number, for types of 32 bits or less.
struct Extension {
  int shift = 0;
  int32_t mask = -1;

  /// With a sign: shifted up and down; without: masked.
  Extension(unsigned bits, bool isSigned)
      : shift(isSigned ? int(32 - bits) : 0),
        mask(isSigned || bits >= 32 ? -1 : int32_t((1u << bits) - 1)) {}
  template <typename D>
  HWY_INLINE hn::Vec<D> operator()(D d, hn::Vec<D> a) const {
    a = hn::ShiftRightSame(hn::ShiftLeftSame(a, shift), shift);
    return hn::And(a, hn::Set(d, mask));
  }
};

/// What keeps a lane of this type in its range.
Extension wrapOf(Type type) {
  unsigned bits = rt::bitsOf(type);
  return Extension(bits < 32 ? bits : 32, !isa::isUnsigned(type));
}

bool isInteger(Type type) { return !isa::isFloat(type); }
bool isWide(Type type) { return isa::sizeOf(type) == 8; }

/// Widening, narrowing and index casts.
bool convertIntegers(const Call &call) {
  bool isSigned = call.op != MicroOpcode::ArithExtui;
  unsigned bits = rt::bitsOf(call.from);
  if (isWide(call.from) && isWide(call.type)) {
    map1<int64_t, int64_t>(call, [](auto, auto a) HWY_ATTR { return a; });
    return true;
  }
  Extension wrap = wrapOf(call.type);
  if (isWide(call.from)) {
    map1<int32_t, uint64_t>(call, [wrap](auto d, auto a) HWY_ATTR {
      const hn::Rebind<uint32_t, decltype(d)> narrow;
      const hn::Rebind<int32_t, decltype(d)> di;
      return wrap(di, hn::BitCast(di, hn::TruncateTo(narrow, a)));
    });
    return true;
  }
  Extension view(bits, isSigned);
  if (!isWide(call.type)) {
    map1<int32_t, int32_t>(call, [view, wrap](auto d, auto a)
                                     HWY_ATTR { return wrap(d, view(d, a)); });
    return true;
  }
  if (bits == 32 && !isSigned)
    map1<uint64_t, uint32_t>(call, [](auto d, auto a) HWY_ATTR {
      return hn::PromoteTo(hn::Rebind<uint64_t, decltype(d)>(), a);
    });
  else
    map1<int64_t, int32_t>(call, [view](auto d, auto a) HWY_ATTR {
      return hn::PromoteTo(hn::Rebind<int64_t, decltype(d)>(), view(d, a));
    });
  return true;
}

template <typename S, typename U> bool divideAs(const Call &call) {
  auto quotient = [](S a, S b) -> S {
    return b == 0 ? 0 : b == -1 ? S(0 - U(a)) : S(a / b);
  };
  auto remainder = [](S a, S b) -> S {
    return b == 0 ? a : b == -1 ? 0 : S(a % b);
  };
  switch (call.op) {
  case MicroOpcode::ArithDivsi:
    each2<S>(call, quotient);
    return true;
  case MicroOpcode::ArithRemsi:
    each2<S>(call, remainder);
    return true;
  case MicroOpcode::ArithDivui:
    each2<U>(call, [](U a, U b) { return b ? U(a / b) : U(0); });
    return true;
  case MicroOpcode::ArithRemui:
    each2<U>(call, [](U a, U b) { return b ? U(a % b) : a; });
    return true;
  case MicroOpcode::ArithFloordivsi:
    each2<S>(call, [=](S a, S b) {
      return S(quotient(a, b) -
               (b != 0 && remainder(a, b) != 0 && (a < 0) != (b < 0)));
    });
    return true;
  case MicroOpcode::ArithCeildivsi:
    each2<S>(call, [=](S a, S b) {
      return S(quotient(a, b) +
               (b != 0 && remainder(a, b) != 0 && (a < 0) == (b < 0)));
    });
    return true;
  case MicroOpcode::MathAbsi:
    map1<S, S>(call, [](auto d, auto a) HWY_ATTR {
      return hn::IfThenElse(hn::Lt(a, hn::Zero(d)), hn::Neg(a), a);
    });
    return true;
  default:
    return false;
  }
}

//===----------------------------------------------------------------------===//
// Floats and integers
//===----------------------------------------------------------------------===//

/// `a` between two bounds that f32 holds; NaN becomes 0.
template <typename D>
HWY_INLINE hn::Vec<D> clamped(D d, hn::Vec<D> a, float low, float high) {
  auto inside = hn::Min(hn::Max(a, hn::Set(d, low)), hn::Set(d, high));
  return hn::IfThenZeroElse(hn::IsNaN(a), inside);
}

/// Towards zero, saturating in the range that the op's signedness tells; NaN
/// gives 0.
bool floatToInteger(const Call &call) {
  bool isSigned = call.op == MicroOpcode::ArithFptosi;
  unsigned bits = rt::bitsOf(call.type);
  if (bits < 32) {
    float low = isSigned ? -float(1u << (bits - 1)) : 0.0f;
    float high = float((1u << (isSigned ? bits - 1 : bits)) - 1);
    Extension wrap = wrapOf(call.type);
    map1<int32_t, float>(call, [=](auto d, auto a) HWY_ATTR {
      const hn::Rebind<int32_t, decltype(d)> di;
      return wrap(di, hn::ConvertTo(di, clamped(d, a, low, high)));
    });
    return true;
  }
  if (!isSigned)
    return false;
  // The bounds are the outermost that both types hold.
  if (bits == 32) {
    map1<int32_t, float>(call, [](auto d, auto a) HWY_ATTR {
      const hn::Rebind<int32_t, decltype(d)> di;
      auto whole =
          hn::ConvertTo(di, clamped(d, a, -2147483648.0f, 2147483520.0f));
      auto above = hn::Ge(a, hn::Set(d, 2147483648.0f));
      return hn::IfThenElse(hn::RebindMask(di, above), hn::Set(di, INT32_MAX),
                            whole);
    });
    return true;
  }
  each1<int64_t, float>(call, [](float a) {
    float c = a < -9.22337204e18f ? -9.22337204e18f : a;
    c = c > 9.2233715e18f ? 9.2233715e18f : c;
    int64_t whole = int64_t(a != a ? 0.0f : c);
    return a >= 9.22337204e18f ? INT64_MAX : whole;
  });
  return true;
}

/// To f32 lanes; those of narrower types are still to be rounded.
bool integerToFloat(const Call &call) {
  bool isSigned = call.op == MicroOpcode::ArithSitofp;
  unsigned bits = rt::bitsOf(call.from);
  if (isWide(call.from)) {
    if (isSigned)
      each1<float, int64_t>(call, [](int64_t a) { return float(a); });
    return isSigned;
  }
  if (bits == 32 && !isSigned) {
    each1<float, uint32_t>(call, [](uint32_t a) { return float(a); });
    return true;
  }
  Extension view(bits, isSigned);
  map1<float, int32_t>(call, [view](auto d, auto a) HWY_ATTR {
    return hn::ConvertTo(hn::Rebind<float, decltype(d)>(), view(d, a));
  });
  return true;
}

} // namespace

/// Division by zero gives 0 (its remainder the dividend), and the one signed
/// division that overflows wraps.
bool divide(const Call &call) {
  return isWide(call.type) ? divideAs<int64_t, uint64_t>(call)
                           : divideAs<int32_t, uint32_t>(call);
}

/// Arithmetic in lanes wider than the type: exact there, then wrapped.
bool narrowInteger(const Call &call) {
  bool isSigned = !isa::isUnsigned(call.type);
  Extension wrap = wrapOf(call.type);
  auto wrapped = [&](auto f) HWY_ATTR {
    map2<int32_t, int32_t>(call, [f, wrap](auto d, auto a, auto b)
                                     HWY_ATTR { return wrap(d, f(a, b)); });
    return true;
  };
  // What keeps to the type's range is done as in 32 bits.
  auto asLanes = [&] {
    Call lanes = call;
    lanes.type = Type::I32;
    return apply(lanes);
  };
  switch (call.op) {
  case MicroOpcode::ArithAddi:
    return wrapped([](auto a, auto b) HWY_ATTR { return hn::Add(a, b); });
  case MicroOpcode::ArithSubi:
    return wrapped([](auto a, auto b) HWY_ATTR { return hn::Sub(a, b); });
  case MicroOpcode::ArithMuli:
    return wrapped([](auto a, auto b) HWY_ATTR { return hn::Mul(a, b); });
  case MicroOpcode::ArithAndi:
  case MicroOpcode::ArithOri:
  case MicroOpcode::ArithXori:
    return asLanes();
  case MicroOpcode::ArithMaxsi:
  case MicroOpcode::ArithMinsi:
    return isSigned && asLanes();
  case MicroOpcode::ArithMaxui:
  case MicroOpcode::ArithMinui:
    return !isSigned && asLanes();
  default:
    return false;
  }
}

bool roundLanes(const Call &call) {
  NarrowFormat format;
  if (!narrowFormatOf(call.type, format))
    return false;
  Call round = call;
  round.operands[0] = call.out;
  map1<float, float>(round, [format](auto d, auto a)
                                HWY_ATTR { return roundTo(d, format, a); });
  return true;
}

bool convert(const Call &call) {
  switch (call.op) {
  case MicroOpcode::ArithSitofp:
  case MicroOpcode::ArithUitofp:
    if (call.type != Type::F32 && !hasNarrowFormat(call.type))
      return false;
    return integerToFloat(call) && (call.type == Type::F32 || roundLanes(call));
  case MicroOpcode::ArithFptosi:
  case MicroOpcode::ArithFptoui:
    return call.from != Type::F64 && floatToInteger(call);
  case MicroOpcode::ArithExtsi:
  case MicroOpcode::ArithExtui:
  case MicroOpcode::ArithTrunci:
  case MicroOpcode::ArithIndexCast:
    return isInteger(call.from) && isInteger(call.type) &&
           convertIntegers(call);
  case MicroOpcode::ArithExtf:
    if (call.type == Type::F64) {
      if (call.from == Type::F64)
        return false;
      map1<double, float>(call, [](auto d, auto a) HWY_ATTR {
        return hn::PromoteTo(hn::Rebind<double, decltype(d)>(), a);
      });
      return true;
    }
    [[fallthrough]];
  case MicroOpcode::ArithTruncf:
    if (call.from == Type::F64) {
      // Rounded once: not by way of f32.
      if (call.type != Type::F32)
        return false;
#if HWY_TARGET == HWY_EMU128
      // Highway's makes the largest number of infinity.
      each1<float, double>(call, [](double a) { return float(a); });
#else
      map1<float, double>(call, [](auto d, auto a) HWY_ATTR {
        return hn::DemoteTo(hn::Rebind<float, decltype(d)>(), a);
      });
#endif
      return true;
    }
    if (call.type != Type::F32 && !hasNarrowFormat(call.type))
      return false;
    // Narrow floats already live in f32 lanes.
    map1<float, float>(call, [](auto, auto a) HWY_ATTR { return a; });
    return call.type == Type::F32 || roundLanes(call);
  case MicroOpcode::ArithBitcast:
    if ((call.type == Type::F32 || call.type == Type::I32) &&
        (call.from == Type::F32 || call.from == Type::I32)) {
      map1<uint32_t, uint32_t>(call, [](auto, auto a) HWY_ATTR { return a; });
      return true;
    }
    return false;
  default:
    return false;
  }
}

} // namespace HWY_NAMESPACE
} // namespace mho::rt::blocks
HWY_AFTER_NAMESPACE();
