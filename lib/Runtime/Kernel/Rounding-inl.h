//===- Rounding-inl.h - f32 lanes to what a narrow float holds ------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#if defined(MHO_RUNTIME_KERNEL_ROUNDING_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MHO_RUNTIME_KERNEL_ROUNDING_INL_H
#undef MHO_RUNTIME_KERNEL_ROUNDING_INL_H
#else
#define MHO_RUNTIME_KERNEL_ROUNDING_INL_H
#endif

#include "NarrowFloat.h"

#include <hwy/highway.h>

#include <limits>

HWY_BEFORE_NAMESPACE();
namespace mho::rt::blocks {
namespace HWY_NAMESPACE {
namespace {

/// The nearest value of the format, ties to even. NaN has no sign in lanes.
template <typename D, typename V = hwy::HWY_NAMESPACE::Vec<D>>
HWY_INLINE V roundTo(D d, const NarrowFormat &format, V a) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::RebindToUnsigned<D> du;
  auto one = hn::Set(du, 1);
  V magnitude = hn::Abs(a), sign = hn::And(a, hn::Set(d, -0.0f));
  int dropped = int(format.dropped);
  auto bits = hn::BitCast(du, magnitude);
  auto odd = hn::And(hn::ShiftRightSame(bits, dropped), one);
  auto half = hn::Set(du, (1u << (dropped - 1)) - 1);
  auto kept = hn::Set(du, ~((1u << dropped) - 1));
  V normal = hn::BitCast(d, hn::And(hn::Add(hn::Add(bits, half), odd), kept));
  V magic = hn::Set(d, format.magic);
  V small = hn::Sub(hn::Add(magnitude, magic), magic);
  V r = hn::IfThenElse(hn::Lt(magnitude, hn::Set(d, format.leastNormal)), small,
                       normal);
  r = hn::IfThenElse(hn::Gt(r, hn::Set(d, format.largest)),
                     hn::Set(d, format.overflow), r);
  V negative = hn::Or(r, sign);
  if (!format.signedZero)
    negative = hn::IfThenElse(hn::Eq(r, hn::Zero(d)), r, negative);
  auto isNan = hn::Or(hn::IsNaN(a), hn::IsNaN(r));
  V nan = hn::Set(d, std::numeric_limits<float>::quiet_NaN());
  return hn::IfThenElse(isNan, nan, negative);
}

} // namespace
} // namespace HWY_NAMESPACE
} // namespace mho::rt::blocks
HWY_AFTER_NAMESPACE();

#endif
