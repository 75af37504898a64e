//===- Extremes-inl.h - larger and smaller of two vectors -----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Maximum and minimum as IEEE 754-2019 has them, where Highway leaves open what
// becomes of NaN and of zeros of two signs.
//
//===----------------------------------------------------------------------===//

#if defined(MHO_RUNTIME_KERNEL_EXTREMES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef MHO_RUNTIME_KERNEL_EXTREMES_INL_H
#undef MHO_RUNTIME_KERNEL_EXTREMES_INL_H
#else
#define MHO_RUNTIME_KERNEL_EXTREMES_INL_H
#endif

#include <hwy/highway.h>

#include <limits>

HWY_BEFORE_NAMESPACE();
namespace mho::rt::blocks {
namespace HWY_NAMESPACE {
namespace {

/// Of +0 and -0 the larger is +0, whichever of them Highway's maximum takes;
/// NaN if either is.
template <typename D, typename V = hwy::HWY_NAMESPACE::Vec<D>>
HWY_INLINE V larger(D d, V a, V b) {
  namespace hn = hwy::HWY_NAMESPACE;
  V r = hn::And(hn::Max(a, b), hn::Max(b, a));
  V nan = hn::Set(d, std::numeric_limits<hn::TFromD<D>>::quiet_NaN());
  return hn::IfThenElse(hn::Or(hn::IsNaN(a), hn::IsNaN(b)), nan, r);
}
template <typename D, typename V = hwy::HWY_NAMESPACE::Vec<D>>
HWY_INLINE V smaller(D d, V a, V b) {
  namespace hn = hwy::HWY_NAMESPACE;
  V r = hn::Or(hn::Min(a, b), hn::Min(b, a));
  V nan = hn::Set(d, std::numeric_limits<hn::TFromD<D>>::quiet_NaN());
  return hn::IfThenElse(hn::Or(hn::IsNaN(a), hn::IsNaN(b)), nan, r);
}

} // namespace
} // namespace HWY_NAMESPACE
} // namespace mho::rt::blocks
HWY_AFTER_NAMESPACE();

#endif
