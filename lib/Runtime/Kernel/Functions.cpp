//===- Functions.cpp - elementary functions of blocks ---------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Highway's functions (hwy/contrib/math) with the arguments that they leave
// out: NaN, infinities, what lies outside of a domain. Highway 1.0 has no erf
// and no power; ours have polynomials that are minimax fits in relative error
// on the interval that stands beside them.
//
//===----------------------------------------------------------------------===//

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "Kernel/Functions.cpp"
#include <hwy/foreach_target.h>

#include "Lanes-inl.h"

#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace mho::rt::blocks {
namespace HWY_NAMESPACE {
namespace {

using isa::MicroOpcode;
using isa::Type;

template <typename D> HWY_INLINE hn::Vec<D> infinityOf(D d) {
  return hn::Set(d, std::numeric_limits<hn::TFromD<D>>::infinity());
}

/// The polynomial with these coefficients, the highest first.
template <typename D, typename V = hn::Vec<D>, size_t n>
HWY_INLINE V polynomial(D d, V x, const double (&coefficients)[n]) {
  V p = constant(d, coefficients[0]);
  for (size_t i = 1; i < n; ++i)
    p = hn::MulAdd(p, x, constant(d, coefficients[i]));
  return p;
}

/// Highway's exponentials hold up to 104: far beyond what f32 can hold.
template <typename D, typename V = hn::Vec<D>> HWY_INLINE V expOf(D d, V x) {
  V y = hn::Exp(d, hn::Min(x, constant(d, 104)));
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}
template <typename D, typename V = hn::Vec<D>> HWY_INLINE V expm1Of(D d, V x) {
  V y = hn::Expm1(d, hn::Min(x, constant(d, 104)));
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

template <typename D, typename V = hn::Vec<D>> HWY_INLINE V tanhOf(D d, V x) {
  return hn::IfThenElse(hn::IsNaN(x), x, hn::Tanh(d, x));
}

/// Of a logarithm whose argument is `shift` larger than x.
template <typename D, typename V = hn::Vec<D>>
HWY_INLINE V atEndsOfLog(D d, V x, double shift, V y) {
  V zero = constant(d, -shift);
  y = hn::IfThenElse(hn::Eq(x, zero), hn::Neg(infinityOf(d)), y);
  y = hn::IfThenElse(hn::Eq(x, infinityOf(d)), x, y);
  // Neither below nor above: NaN.
  return hn::IfThenElse(hn::Ge(x, zero), y, nanOf(d));
}
template <typename D, typename V = hn::Vec<D>> HWY_INLINE V logOf(D d, V x) {
  return atEndsOfLog(d, x, 0, hn::Log(d, x));
}
template <typename D, typename V = hn::Vec<D>> HWY_INLINE V log2Of(D d, V x) {
  return atEndsOfLog(d, x, 0, hn::Log2(d, x));
}
template <typename D, typename V = hn::Vec<D>> HWY_INLINE V log1pOf(D d, V x) {
  return atEndsOfLog(d, x, 1, hn::Log1p(d, x));
}

/// y where |x| is at most the bound, otherwise NaN.
template <typename D, typename V = hn::Vec<D>>
HWY_INLINE V within(D d, V x, double bound, V y) {
  return hn::IfThenElse(hn::Le(hn::Abs(x), constant(d, bound)), y, nanOf(d));
}
template <typename D, typename V = hn::Vec<D>> HWY_INLINE V asinOf(D d, V x) {
  return within(d, x, 1, hn::Asin(d, x));
}
template <typename D, typename V = hn::Vec<D>> HWY_INLINE V acosOf(D d, V x) {
  return within(d, x, 1, hn::Acos(d, x));
}
template <typename D, typename V = hn::Vec<D>> HWY_INLINE V atanOf(D d, V x) {
  return hn::IfThenElse(hn::IsNaN(x), x, hn::Atan(d, x));
}

/// Round half away from zero.
template <typename D, typename V = hn::Vec<D>> HWY_INLINE V roundOf(D d, V x) {
  V whole = hn::Trunc(x);
  V up = hn::Add(whole, hn::CopySign(constant(d, 1), x));
  return hn::IfThenElse(hn::Ge(hn::Abs(hn::Sub(x, whole)), constant(d, 0.5)),
                        up, hn::CopySign(whole, x));
}

/// f32, within 2 ulp.
template <typename D, typename V = hn::Vec<D>> HWY_INLINE V erfOf(D d, V x) {
  V t = hn::Abs(x), s = hn::Mul(x, x);
  // erf(x)/x - 1 on x^2 in [0, 0.9]: 2/sqrt(pi) = 1 + 0.128...
  V p = polynomial(d, s,
                   {8.2154234e-5, -0.00081059651, 0.005197797, -0.026858104,
                    0.11283671, -0.37612632, 0.12837917});
  V small = hn::MulAdd(x, p, x);
  // -log(erfc(t))/t on [0.9, 4.1].
  V c = hn::Min(t, constant(d, 4.1));
  V q = polynomial(d, c,
                   {5.2970095e-6, -4.9940558e-5, -2.7434808e-5, 0.0028691201,
                    -0.022575615, 0.1051695, 0.63567317, 1.1285415});
  V large = hn::CopySign(
      hn::Sub(constant(d, 1), hn::Exp(d, hn::Neg(hn::Mul(c, q)))), x);
  V y = hn::IfThenElse(hn::Gt(t, constant(d, 0.92)), large, small);
  return hn::IfThenElse(hn::IsNaN(x), x, y);
}

/// x^y of f32 for positive, finite x and finite y, in f64: |y·log(x)| up to
/// 100 leaves the result exact to half an ulp of f32.
template <typename D, typename V = hn::Vec<D>>
HWY_INLINE V powOf(D d, V x, V y) {
  const hn::Rebind<double, D> dd;
  const hn::Rebind<uint64_t, D> du;
  auto number = [dd](double value) HWY_ATTR { return hn::Set(dd, value); };
  auto bits = [du](uint64_t value) HWY_ATTR { return hn::Set(du, value); };
  // Mantissa in [sqrt(1/2), sqrt(2)).
  constexpr uint64_t root = 0x3fe6a09e667f3bcd;
  auto shifted = hn::Sub(hn::BitCast(du, hn::PromoteTo(dd, x)), bits(root));
  // The exponent, 1024 larger, in the low bits of 2^52.
  auto biased = hn::ShiftRight<52>(hn::Add(shifted, bits(1024ull << 52)));
  auto exponent =
      hn::Sub(hn::BitCast(dd, hn::Or(biased, bits(0x4330000000000000))),
              number(0x1p52 + 1024));
  auto m = hn::BitCast(
      dd, hn::Add(hn::And(shifted, bits(0xfffffffffffff)), bits(root)));
  auto s = hn::Div(hn::Sub(m, number(1)), hn::Add(m, number(1)));
  // The series of 2 artanh(s), |s| <= 0.1716.
  auto p = polynomial(
      dd, hn::Mul(s, s),
      {1.0 / 15, 1.0 / 13, 1.0 / 11, 1.0 / 9, 1.0 / 7, 1.0 / 5, 1.0 / 3, 1.0});
  auto log2 = hn::MulAdd(hn::Mul(hn::Add(s, s), p), number(1.4426950408889634),
                         exponent);
  auto t = hn::Mul(hn::PromoteTo(dd, y), log2);
  t = hn::Max(hn::Min(t, number(200)), number(-200));
  // Rounds to an integer in the low bits of the sum.
  constexpr double magic = 6755399441055744.0;
  auto sum = hn::Add(t, number(magic));
  auto n =
      hn::Sub(hn::BitCast(du, sum), bits(__builtin_bit_cast(uint64_t, magic)));
  auto r = hn::Mul(hn::Sub(t, hn::Sub(sum, number(magic))),
                   number(0.6931471805599453));
  auto q = polynomial(dd, r,
                      {1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
                       1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5, 1.0, 1.0});
  auto power = hn::BitCast(dd, hn::ShiftLeft<52>(hn::Add(n, bits(1023))));
  return hn::DemoteTo(d, hn::Mul(q, power));
}

/// f of every lane. Functions are long enough to fill the pipes by one vector.
template <typename T, typename F> void each(const Call &call, F f) {
  const hn::ScalableTag<T> d;
  forLanes<false>(
      d, d, static_cast<T *>(call.out), call.n, f,
      EachLane<hn::ScalableTag<T>>{static_cast<const T *>(call.operands[0])});
}

/// Whether a function that only handles ordinary values may be used.
template <typename T>
bool allWithin(const Call &call, int operand, double low, double high) {
  const hn::ScalableTag<T> d;
  auto *x = static_cast<const T *>(call.operands[operand]);
  size_t n = call.n && call.scalar[operand] ? 1 : call.n, i = 0;
  auto lowest = constant(d, low), highest = constant(d, high);
  auto inside = hn::Eq(lowest, lowest);
  for (; i + hn::Lanes(d) <= n; i += hn::Lanes(d)) {
    auto v = hn::LoadU(d, x + i);
    inside = hn::And(inside, hn::And(hn::Ge(v, lowest), hn::Le(v, highest)));
  }
  bool rest = true;
  for (; i < n; ++i)
    rest &= x[i] >= T(low) && x[i] <= T(high);
  return rest && hn::AllTrue(d, inside);
}

/// Functions of f32 and f64. Outside of the range of Highway's form there is
/// none.
template <typename T> bool functionOp(const Call &call) {
  constexpr bool narrow = sizeof(T) == 4;
  switch (call.op) {
  case MicroOpcode::MathExp:
    if (!narrow && !allWithin<T>(call, 0, -1e300, 706))
      return false;
    each<T>(call, [](auto d, auto a) HWY_ATTR {
      if constexpr (narrow)
        return expOf(d, a);
      else
        return hn::Exp(d, a);
    });
    return true;
  case MicroOpcode::MathExpm1:
    if (!narrow && !allWithin<T>(call, 0, -1e300, 706))
      return false;
    each<T>(call, [](auto d, auto a) HWY_ATTR {
      if constexpr (narrow)
        return expm1Of(d, a);
      else
        return hn::Expm1(d, a);
    });
    return true;
  case MicroOpcode::MathTanh:
    each<T>(call, [](auto d, auto a) HWY_ATTR { return tanhOf(d, a); });
    return true;
  case MicroOpcode::MathLog:
    each<T>(call, [](auto d, auto a) HWY_ATTR { return logOf(d, a); });
    return true;
  case MicroOpcode::MathLog2:
    each<T>(call, [](auto d, auto a) HWY_ATTR { return log2Of(d, a); });
    return true;
  case MicroOpcode::MathLog1p:
    each<T>(call, [](auto d, auto a) HWY_ATTR { return log1pOf(d, a); });
    return true;
  case MicroOpcode::MathSin:
    if (!allWithin<T>(call, 0, -39000, 39000))
      return false;
    each<T>(call, [](auto d, auto a) HWY_ATTR { return hn::Sin(d, a); });
    return true;
  case MicroOpcode::MathCos:
    if (!allWithin<T>(call, 0, -39000, 39000))
      return false;
    each<T>(call, [](auto d, auto a) HWY_ATTR { return hn::Cos(d, a); });
    return true;
  case MicroOpcode::MathAsin:
    each<T>(call, [](auto d, auto a) HWY_ATTR { return asinOf(d, a); });
    return true;
  case MicroOpcode::MathAcos:
    each<T>(call, [](auto d, auto a) HWY_ATTR { return acosOf(d, a); });
    return true;
  case MicroOpcode::MathAtan:
    each<T>(call, [](auto d, auto a) HWY_ATTR { return atanOf(d, a); });
    return true;
  case MicroOpcode::MathSinh:
    if (!allWithin<T>(call, 0, -88, 88))
      return false;
    each<T>(call, [](auto d, auto a) HWY_ATTR { return hn::Sinh(d, a); });
    return true;
  case MicroOpcode::MathAsinh:
    if (!allWithin<T>(call, 0, -1e18, 1e18))
      return false;
    each<T>(call, [](auto d, auto a) HWY_ATTR { return hn::Asinh(d, a); });
    return true;
  case MicroOpcode::MathAcosh:
    if (!allWithin<T>(call, 0, 1, 1e18))
      return false;
    each<T>(call, [](auto d, auto a) HWY_ATTR { return hn::Acosh(d, a); });
    return true;
  case MicroOpcode::MathAtanh:
    if (!allWithin<T>(call, 0, -0.999, 0.999))
      return false;
    each<T>(call, [](auto d, auto a) HWY_ATTR { return hn::Atanh(d, a); });
    return true;
  case MicroOpcode::MathRound:
    each<T>(call, [](auto d, auto a) HWY_ATTR { return roundOf(d, a); });
    return true;
  case MicroOpcode::MathErf:
    if constexpr (narrow)
      each<T>(call, [](auto d, auto a) HWY_ATTR { return erfOf(d, a); });
    return narrow;
  case MicroOpcode::MathPowf:
    if (!narrow || !allWithin<T>(call, 0, 1e-37, 3e38) ||
        !allWithin<T>(call, 1, -1e3, 1e3))
      return false;
    if constexpr (narrow)
      map2<T, T, double>(call, [](auto d, auto a, auto b)
                                   HWY_ATTR { return powOf(d, a, b); });
    return true;
  default:
    return false;
  }
}

} // namespace

bool elementary(const Call &call) {
  return call.type == Type::F64 ? functionOp<double>(call)
                                : functionOp<float>(call);
}

} // namespace HWY_NAMESPACE
} // namespace mho::rt::blocks
HWY_AFTER_NAMESPACE();
