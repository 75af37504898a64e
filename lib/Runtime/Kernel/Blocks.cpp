//===- Blocks.cpp - micro-ops on blocks of lanes --------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The arithmetic, and the table of each target. Highway includes this file
// once for each of them (foreach_target.h) and chooses when the program runs.
//
//===----------------------------------------------------------------------===//

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "Kernel/Blocks.cpp"
#include <hwy/foreach_target.h>

#include "Extremes-inl.h"
#include "Lanes-inl.h"
#include "NarrowFloat.h"
#include "Scalar.h"

HWY_BEFORE_NAMESPACE();
namespace mho::rt::blocks {
namespace HWY_NAMESPACE {
namespace {

using isa::MicroOpcode;
using isa::Type;

//===----------------------------------------------------------------------===//
// Choices and comparisons
//===----------------------------------------------------------------------===//

template <typename T> void select(const Call &call) {
  const hn::ScalableTag<T> d;
  const hn::Rebind<int32_t, decltype(d)> dMask;
  auto *out = static_cast<T *>(call.out);
  if (!call.n)
    return;
  withOperand(dMask, call, 0, [&](auto mask) HWY_ATTR {
    withOperand(d, call, 1, [&](auto a) HWY_ATTR {
      withOperand(d, call, 2, [&](auto b) HWY_ATTR {
        auto choose = [=](auto flags, auto x, auto y) HWY_ATTR {
          if constexpr (sizeof(T) == 8) {
            const hn::RebindToSigned<decltype(d)> wide;
            auto none = hn::Eq(hn::PromoteTo(wide, flags), hn::Zero(wide));
            return hn::IfThenElse(hn::RebindMask(d, none), y, x);
          } else {
            auto none = hn::Eq(flags, hn::Zero(dMask));
            return hn::IfThenElse(hn::RebindMask(d, none), y, x);
          }
        };
        const size_t step = hn::Lanes(d), n = call.n;
        size_t i = 0;
        for (; i + step <= n; i += step)
          hn::StoreU(choose(mask(dMask, i), a(d, i), b(d, i)), d, out + i);
        if (i < n)
          storePart(choose(mask.part(dMask, i, n - i), a.part(d, i, n - i),
                           b.part(d, i, n - i)),
                    d, out + i, n - i);
      });
    });
  });
}

/// Where holds(a, b), or where it does not; of the operands the other way round
/// if `swapped`.
template <typename T, typename F>
void compare(Call call, bool swapped, bool negated, F holds) {
  if (swapped) {
    std::swap(call.operands[0], call.operands[1]);
    std::swap(call.scalar[0], call.scalar[1]);
  }
  map2<int32_t, T>(call, [holds, negated](auto d, auto a, auto b) HWY_ATTR {
    const hn::Rebind<int32_t, decltype(d)> flags;
    return hn::Xor(flagsOf(d, holds(a, b)), hn::Set(flags, negated));
  });
}

/// arith::CmpFPredicate.
template <typename T> void compareFloats(const Call &call) {
  // The unordered ones are the contraries of ordered ones.
  static constexpr uint8_t contrary[] = {6, 5, 4, 3, 2, 1, 7, 0};
  bool negated = call.immediate >= 8;
  unsigned ordered =
      negated ? contrary[call.immediate & 7] : unsigned(call.immediate);
  switch (ordered) {
  case 0:
    std::fill_n(static_cast<int32_t *>(call.out), call.n, negated);
    return;
  case 1:
    return compare<T>(call, false, negated,
                      [](auto a, auto b) HWY_ATTR { return hn::Eq(a, b); });
  case 2:
  case 4:
    return compare<T>(call, ordered == 2, negated,
                      [](auto a, auto b) HWY_ATTR { return hn::Lt(a, b); });
  case 3:
  case 5:
    return compare<T>(call, ordered == 3, negated,
                      [](auto a, auto b) HWY_ATTR { return hn::Le(a, b); });
  case 6:
    return compare<T>(call, false, negated, [](auto a, auto b) HWY_ATTR {
      return hn::Or(hn::Lt(a, b), hn::Lt(b, a));
    });
  default:
    return compare<T>(call, false, negated, [](auto a, auto b) HWY_ATTR {
      return hn::And(hn::Eq(a, a), hn::Eq(b, b));
    });
  }
}

/// arith::CmpIPredicate: eq, ne, slt, sle, sgt, sge, ult, ule, ugt, uge.
template <typename S, typename U> void compareIntegers(const Call &call) {
  auto less = [](auto a, auto b) HWY_ATTR { return hn::Lt(a, b); };
  if (call.immediate < 2)
    return compare<S>(call, false, call.immediate == 1,
                      [](auto a, auto b) HWY_ATTR { return hn::Eq(a, b); });
  // At most: not more. At least: not less.
  unsigned which = unsigned(call.immediate - 2) % 4;
  bool swapped = which == 1 || which == 2, negated = which & 1;
  if (call.immediate < 6)
    compare<S>(call, swapped, negated, less);
  else
    compare<U>(call, swapped, negated, less);
}

//===----------------------------------------------------------------------===//
// Floats
//===----------------------------------------------------------------------===//

/// Extremes of values and one value y that is no NaN, as `larger` and
/// `smaller` tell: only of zeros does the sign matter.
template <bool isMax, typename T> bool extremeOfScalar(const Call &call) {
  int scalar = call.scalar[0] ? 0 : 1;
  if (!call.scalar[scalar] || call.scalar[1 - scalar])
    return false;
  T y = *static_cast<const T *>(call.operands[scalar]);
  if (y != y || (y == 0 && std::signbit(y) == isMax))
    return false;
  Call of = call;
  of.operands[0] = call.operands[1 - scalar];
  map1<T, T>(of, [y](auto d, auto a) HWY_ATTR {
    auto r = isMax ? hn::Max(a, hn::Set(d, y)) : hn::Min(a, hn::Set(d, y));
    return hn::IfThenElse(hn::IsNaN(a), nanOf(d), r);
  });
  return true;
}

template <typename T> bool floatOp(const Call &call) {
  switch (call.op) {
  case MicroOpcode::ArithAddf:
    map2<T, T>(call,
               [](auto, auto a, auto b) HWY_ATTR { return hn::Add(a, b); });
    return true;
  case MicroOpcode::ArithSubf:
    map2<T, T>(call,
               [](auto, auto a, auto b) HWY_ATTR { return hn::Sub(a, b); });
    return true;
  case MicroOpcode::ArithMulf:
    map2<T, T>(call,
               [](auto, auto a, auto b) HWY_ATTR { return hn::Mul(a, b); });
    return true;
  case MicroOpcode::ArithDivf:
    map2<T, T>(call,
               [](auto, auto a, auto b) HWY_ATTR { return hn::Div(a, b); });
    return true;
  case MicroOpcode::ArithMaximumf:
    if (extremeOfScalar<true, T>(call))
      return true;
    map2<T, T>(call,
               [](auto d, auto a, auto b) HWY_ATTR { return larger(d, a, b); });
    return true;
  case MicroOpcode::ArithMinimumf:
    if (extremeOfScalar<false, T>(call))
      return true;
    map2<T, T>(call, [](auto d, auto a, auto b)
                         HWY_ATTR { return smaller(d, a, b); });
    return true;
  case MicroOpcode::ArithMaxnumf:
    map2<T, T>(call, [](auto d, auto a, auto b) HWY_ATTR {
      auto r = hn::IfThenElse(hn::IsNaN(a), b, larger(d, a, b));
      return hn::IfThenElse(hn::IsNaN(b), a, r);
    });
    return true;
  case MicroOpcode::ArithMinnumf:
    map2<T, T>(call, [](auto d, auto a, auto b) HWY_ATTR {
      auto r = hn::IfThenElse(hn::IsNaN(a), b, smaller(d, a, b));
      return hn::IfThenElse(hn::IsNaN(b), a, r);
    });
    return true;
  case MicroOpcode::ArithNegf:
    map1<T, T>(call, [](auto, auto a) HWY_ATTR { return hn::Neg(a); });
    return true;
  case MicroOpcode::MathAbsf:
    map1<T, T>(call, [](auto, auto a) HWY_ATTR { return hn::Abs(a); });
    return true;
  case MicroOpcode::MathCopysign:
    map2<T, T>(call, [](auto, auto a, auto b)
                         HWY_ATTR { return hn::CopySign(a, b); });
    return true;
  case MicroOpcode::MathSqrt:
    map1<T, T>(call, [](auto, auto a) HWY_ATTR { return hn::Sqrt(a); });
    return true;
  case MicroOpcode::MathRsqrt:
    map1<T, T>(call, [](auto d, auto a) HWY_ATTR {
      return hn::Div(constant(d, 1), hn::Sqrt(a));
    });
    return true;
  case MicroOpcode::MathFloor:
    map1<T, T>(call, [](auto, auto a) HWY_ATTR { return hn::Floor(a); });
    return true;
  case MicroOpcode::MathCeil:
    map1<T, T>(call, [](auto, auto a) HWY_ATTR { return hn::Ceil(a); });
    return true;
  case MicroOpcode::MathTrunc:
    map1<T, T>(call, [](auto, auto a) HWY_ATTR { return hn::Trunc(a); });
    return true;
  case MicroOpcode::MathRoundeven:
    map1<T, T>(call, [](auto, auto a) HWY_ATTR { return hn::Round(a); });
    return true;
  case MicroOpcode::MathFma:
    map3<T>(call, [](auto d, auto a, auto b, auto c)
                      HWY_ATTR { return fused(d, a, b, c); });
    return true;
  default:
    return false;
  }
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

/// Integers of the lane's own width: nothing has to be wrapped.
template <typename S, typename U> bool integerOp(const Call &call) {
  constexpr U bits = sizeof(S) * 8;
  switch (call.op) {
  case MicroOpcode::ArithAddi:
    map2<U, U>(call,
               [](auto, auto a, auto b) HWY_ATTR { return hn::Add(a, b); });
    return true;
  case MicroOpcode::ArithSubi:
    map2<U, U>(call,
               [](auto, auto a, auto b) HWY_ATTR { return hn::Sub(a, b); });
    return true;
  case MicroOpcode::ArithMuli:
    map2<U, U>(call,
               [](auto, auto a, auto b) HWY_ATTR { return hn::Mul(a, b); });
    return true;
  case MicroOpcode::ArithMaxsi:
    map2<S, S>(call,
               [](auto, auto a, auto b) HWY_ATTR { return hn::Max(a, b); });
    return true;
  case MicroOpcode::ArithMinsi:
    map2<S, S>(call,
               [](auto, auto a, auto b) HWY_ATTR { return hn::Min(a, b); });
    return true;
  case MicroOpcode::ArithMaxui:
    map2<U, U>(call,
               [](auto, auto a, auto b) HWY_ATTR { return hn::Max(a, b); });
    return true;
  case MicroOpcode::ArithMinui:
    map2<U, U>(call,
               [](auto, auto a, auto b) HWY_ATTR { return hn::Min(a, b); });
    return true;
  case MicroOpcode::ArithAndi:
    map2<U, U>(call,
               [](auto, auto a, auto b) HWY_ATTR { return hn::And(a, b); });
    return true;
  case MicroOpcode::ArithOri:
    map2<U, U>(call,
               [](auto, auto a, auto b) HWY_ATTR { return hn::Or(a, b); });
    return true;
  case MicroOpcode::ArithXori:
    map2<U, U>(call,
               [](auto, auto a, auto b) HWY_ATTR { return hn::Xor(a, b); });
    return true;
  case MicroOpcode::ArithShli:
    map2<U, U>(call, [](auto d, auto a, auto b) HWY_ATTR {
      auto width = hn::Set(d, bits);
      auto shifted = hn::Shl(a, hn::And(b, hn::Set(d, bits - 1)));
      return hn::IfThenElseZero(hn::Lt(b, width), shifted);
    });
    return true;
  case MicroOpcode::ArithShrui:
    map2<U, U>(call, [](auto d, auto a, auto b) HWY_ATTR {
      auto width = hn::Set(d, bits);
      auto shifted = hn::Shr(a, hn::And(b, hn::Set(d, bits - 1)));
      return hn::IfThenElseZero(hn::Lt(b, width), shifted);
    });
    return true;
  case MicroOpcode::ArithShrsi:
    map2<S, S>(call, [](auto d, auto a, auto b) HWY_ATTR {
      const hn::RebindToUnsigned<decltype(d)> du;
      auto most = hn::Min(hn::BitCast(du, b), hn::Set(du, bits - 1));
      return hn::Shr(a, hn::BitCast(d, most));
    });
    return true;
  default:
    return divide(call);
  }
}

bool bitwise(MicroOpcode op) {
  return op == MicroOpcode::ArithAndi || op == MicroOpcode::ArithOri ||
         op == MicroOpcode::ArithXori;
}

template <typename T> bool isNan(const Call &call) {
  map1<int32_t, T>(call, [](auto d, auto a)
                             HWY_ATTR { return flagsOf(d, hn::IsNaN(a)); });
  return true;
}

const Table *ownTable() {
  static const Table own = {hwy::TargetName(HWY_TARGET),
                            HWY_NATIVE_FMA != 0,
                            apply,
                            fold,
                            tree,
                            load,
                            store,
                            window};
  return &own;
}

} // namespace

bool apply(const Call &call) {
  switch (call.op) {
  case MicroOpcode::ArithCmpf:
    if (call.from == Type::F64)
      compareFloats<double>(call);
    else
      compareFloats<float>(call);
    return true;
  case MicroOpcode::ArithCmpi:
    if (call.from == Type::I64 || call.from == Type::U64) {
      compareIntegers<int64_t, uint64_t>(call);
      return true;
    }
    // Extended lanes compare as what they hold; without regard to it only for
    // equality, or where the predicate sees what the type says.
    if (call.from == Type::I32 || call.from == Type::U32 ||
        call.immediate < 2 ||
        (call.immediate >= 6) == isa::isUnsigned(call.from)) {
      compareIntegers<int32_t, uint32_t>(call);
      return true;
    }
    return false;
  case MicroOpcode::ArithSelect:
    if (isa::sizeOf(call.type) == 8)
      select<uint64_t>(call);
    else
      select<uint32_t>(call);
    return true;
  case MicroOpcode::MathIsnan:
    return call.from == Type::F64 ? isNan<double>(call) : isNan<float>(call);
  case MicroOpcode::MathIsinf:
    if (call.from == Type::F64)
      return false;
    map1<int32_t, float>(
        call, [](auto d, auto a) HWY_ATTR { return flagsOf(d, hn::IsInf(a)); });
    return true;
  case MicroOpcode::ArithSitofp:
  case MicroOpcode::ArithUitofp:
  case MicroOpcode::ArithFptosi:
  case MicroOpcode::ArithFptoui:
  case MicroOpcode::ArithExtsi:
  case MicroOpcode::ArithExtui:
  case MicroOpcode::ArithTrunci:
  case MicroOpcode::ArithIndexCast:
  case MicroOpcode::ArithExtf:
  case MicroOpcode::ArithTruncf:
  case MicroOpcode::ArithBitcast:
    return convert(call);
  default:
    break;
  }
  switch (call.type) {
  case Type::F32:
    return floatOp<float>(call) || elementary(call);
  case Type::F64:
    return floatOp<double>(call) || elementary(call);
  case Type::I32:
  case Type::U32:
    return integerOp<int32_t, uint32_t>(call);
  case Type::I64:
  case Type::U64:
    return integerOp<int64_t, uint64_t>(call);
  case Type::Bool:
    return bitwise(call.op) && integerOp<int32_t, uint32_t>(call);
  default:
    break;
  }
  if (!isa::isFloat(call.type))
    return narrowInteger(call);
  // As f32, rounded at once.
  return hasNarrowFormat(call.type) &&
         (floatOp<float>(call) || elementary(call)) && roundLanes(call);
}

} // namespace HWY_NAMESPACE
} // namespace mho::rt::blocks
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace mho::rt::blocks {

HWY_EXPORT(ownTable);

const Table &table() {
  static const Table *best = HWY_DYNAMIC_DISPATCH(ownTable)();
  return *best;
}

std::vector<const Table *> tables() {
  std::vector<const Table *> list;
  for (int64_t target : hwy::SupportedAndGeneratedTargets()) {
    hwy::SetSupportedTargetsForTest(target);
    hwy::GetChosenTarget().Update(hwy::SupportedTargets());
    list.push_back(HWY_DYNAMIC_DISPATCH(ownTable)());
  }
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  return list;
}

} // namespace mho::rt::blocks
#endif
