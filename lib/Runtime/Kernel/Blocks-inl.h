//===- Blocks-inl.h - micro-ops on blocks of lanes
//--------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Included once per instruction set with MHO_BLOCKS naming it. Loops are plain;
// the compiler makes vectors of them. An output may be one of the operands,
// never overlap one otherwise, which is what `assume_safety` says.
//
//===----------------------------------------------------------------------===//

#include "Blocks.h"
#include "Scalar.h"

#include <cstdint>
#include <cstring>

namespace mho::rt::blocks::MHO_BLOCKS {
namespace {

using isa::MicroOpcode;
using isa::Type;
using isa::WriteKind;

#include "Math-inl.h"

#define MHO_LANES _Pragma("clang loop vectorize(assume_safety)")

template <typename O, typename A, typename F> void map1(const Call &call, F f) {
  auto *out = static_cast<O *>(call.out);
  auto *a = static_cast<const A *>(call.operands[0]);
  size_t n = call.n;
  MHO_LANES
  for (size_t i = 0; i < n; ++i)
    out[i] = f(a[i]);
}

template <typename O, typename A, typename F> void map2(const Call &call, F f) {
  auto *out = static_cast<O *>(call.out);
  auto *a = static_cast<const A *>(call.operands[0]);
  auto *b = static_cast<const A *>(call.operands[1]);
  size_t n = call.n;
  if (call.scalar[0]) {
    A x = *a;
    MHO_LANES
    for (size_t i = 0; i < n; ++i)
      out[i] = f(x, b[i]);
  } else if (call.scalar[1]) {
    A y = *b;
    MHO_LANES
    for (size_t i = 0; i < n; ++i)
      out[i] = f(a[i], y);
  } else {
    MHO_LANES
    for (size_t i = 0; i < n; ++i)
      out[i] = f(a[i], b[i]);
  }
}

/// Any operand may be one value for all lanes.
template <typename T, typename F> void map3(const Call &call, F f) {
  auto *out = static_cast<T *>(call.out);
  const T *x[3];
  size_t step[3];
  for (int k = 0; k < 3; ++k) {
    x[k] = static_cast<const T *>(call.operands[k]);
    step[k] = call.scalar[k] ? 0 : 1;
  }
  size_t n = call.n;
  if (step[0] && step[1] && step[2]) {
    MHO_LANES
    for (size_t i = 0; i < n; ++i)
      out[i] = f(x[0][i], x[1][i], x[2][i]);
    return;
  }
  for (size_t i = 0; i < n; ++i)
    out[i] = f(x[0][i * step[0]], x[1][i * step[1]], x[2][i * step[2]]);
}

template <typename T> void select(const Call &call) {
  auto *out = static_cast<T *>(call.out);
  auto *mask = static_cast<const int32_t *>(call.operands[0]);
  auto *a = static_cast<const T *>(call.operands[1]);
  auto *b = static_cast<const T *>(call.operands[2]);
  size_t n = call.n;
  if (call.scalar[0]) {
    const T *chosen = *mask ? a : b;
    size_t step = call.scalar[*mask ? 1 : 2] ? 0 : 1;
    for (size_t i = 0; i < n; ++i)
      out[i] = chosen[i * step];
  } else if (call.scalar[1] && call.scalar[2]) {
    T x = *a, y = *b;
    MHO_LANES
    for (size_t i = 0; i < n; ++i)
      out[i] = mask[i] ? x : y;
  } else if (call.scalar[1]) {
    T x = *a;
    MHO_LANES
    for (size_t i = 0; i < n; ++i)
      out[i] = mask[i] ? x : b[i];
  } else if (call.scalar[2]) {
    T y = *b;
    MHO_LANES
    for (size_t i = 0; i < n; ++i)
      out[i] = mask[i] ? a[i] : y;
  } else {
    MHO_LANES
    for (size_t i = 0; i < n; ++i)
      out[i] = mask[i] ? a[i] : b[i];
  }
}

template <typename T> T quietNan();
template <> inline float quietNan<float>() { return __builtin_nanf(""); }
template <> inline double quietNan<double>() { return __builtin_nan(""); }
inline float fromBits(uint32_t bits) { return floatOf(bits); }
inline double fromBits(uint64_t bits) { return doubleOf(bits); }

/// Of +0 and -0 the larger is +0; NaN if either is.
template <typename T> T larger(T a, T b) {
  T r = a > b ? a : b;
  r = a == b ? fromBits(bitsOf(a) & bitsOf(b)) : r;
  return ((a != a) | (b != b)) ? quietNan<T>() : r;
}
template <typename T> T smaller(T a, T b) {
  T r = a < b ? a : b;
  r = a == b ? fromBits(bitsOf(a) | bitsOf(b)) : r;
  return ((a != a) | (b != b)) ? quietNan<T>() : r;
}

/// Extremes of values and one value y that is no NaN, as `larger` and
/// `smaller` tell: only of zeros does the sign matter.
template <bool isMax, typename T> bool extremeOfScalar(const Call &call) {
  int scalar = call.scalar[0] ? 0 : 1;
  if (!call.scalar[scalar] || call.scalar[1 - scalar])
    return false;
  T y = *static_cast<const T *>(call.operands[scalar]);
  bool negative = bitsOf(y) >> (sizeof(T) * 8 - 1);
  if (y != y || (y == 0 && negative == isMax))
    return false;
  Call of = call;
  of.operands[0] = call.operands[1 - scalar];
  map1<T, T>(of, [y](T a) {
    T r = isMax ? (a > y ? a : y) : (a < y ? a : y);
    return a != a ? quietNan<T>() : r;
  });
  return true;
}

/// CmpFPredicate: the low three bits say for which of <, >, = it holds, the
/// fourth for unordered operands.
template <typename T> void compareFloats(const Call &call) {
  auto run = [&](auto f) {
    map2<int32_t, T>(call, [f](T a, T b) { return int32_t(f(a, b)); });
  };
  switch (call.immediate) {
  case 0:
    return run([](T, T) { return false; });
  case 1:
    return run([](T a, T b) { return a == b; });
  case 2:
    return run([](T a, T b) { return a > b; });
  case 3:
    return run([](T a, T b) { return a >= b; });
  case 4:
    return run([](T a, T b) { return a < b; });
  case 5:
    return run([](T a, T b) { return a <= b; });
  case 6:
    return run([](T a, T b) { return (a < b) | (a > b); });
  case 7:
    return run([](T a, T b) { return (a == a) & (b == b); });
  case 8:
    return run([](T a, T b) { return !((a < b) | (a > b)); });
  case 9:
    return run([](T a, T b) { return !(a <= b); });
  case 10:
    return run([](T a, T b) { return !(a < b); });
  case 11:
    return run([](T a, T b) { return !(a >= b); });
  case 12:
    return run([](T a, T b) { return !(a > b); });
  case 13:
    return run([](T a, T b) { return a != b; });
  case 14:
    return run([](T a, T b) { return (a != a) | (b != b); });
  default:
    return run([](T, T) { return true; });
  }
}

template <typename S, typename U> void compareIntegers(const Call &call) {
  auto run = [&](auto f) {
    map2<int32_t, S>(call, [f](S a, S b) { return int32_t(f(a, b)); });
  };
  switch (call.immediate) {
  case 0:
    return run([](S a, S b) { return a == b; });
  case 1:
    return run([](S a, S b) { return a != b; });
  case 2:
    return run([](S a, S b) { return a < b; });
  case 3:
    return run([](S a, S b) { return a <= b; });
  case 4:
    return run([](S a, S b) { return a > b; });
  case 5:
    return run([](S a, S b) { return a >= b; });
  case 6:
    return run([](S a, S b) { return U(a) < U(b); });
  case 7:
    return run([](S a, S b) { return U(a) <= U(b); });
  case 8:
    return run([](S a, S b) { return U(a) > U(b); });
  default:
    return run([](S a, S b) { return U(a) >= U(b); });
  }
}

template <typename T> bool floatOp(const Call &call) {
  switch (call.op) {
  case MicroOpcode::ArithAddf:
    map2<T, T>(call, [](T a, T b) { return a + b; });
    return true;
  case MicroOpcode::ArithSubf:
    map2<T, T>(call, [](T a, T b) { return a - b; });
    return true;
  case MicroOpcode::ArithMulf:
    map2<T, T>(call, [](T a, T b) { return a * b; });
    return true;
  case MicroOpcode::ArithDivf:
    map2<T, T>(call, [](T a, T b) { return a / b; });
    return true;
  case MicroOpcode::ArithMaximumf:
    if (extremeOfScalar<true, T>(call))
      return true;
    map2<T, T>(call, [](T a, T b) { return larger(a, b); });
    return true;
  case MicroOpcode::ArithMinimumf:
    if (extremeOfScalar<false, T>(call))
      return true;
    map2<T, T>(call, [](T a, T b) { return smaller(a, b); });
    return true;
  case MicroOpcode::ArithMaxnumf:
    map2<T, T>(call, [](T a, T b) {
      T r = larger(a, b);
      r = a != a ? b : r;
      return b != b ? a : r;
    });
    return true;
  case MicroOpcode::ArithMinnumf:
    map2<T, T>(call, [](T a, T b) {
      T r = smaller(a, b);
      r = a != a ? b : r;
      return b != b ? a : r;
    });
    return true;
  case MicroOpcode::ArithNegf:
    map1<T, T>(call, [](T a) { return -a; });
    return true;
  case MicroOpcode::MathAbsf:
    map1<T, T>(call, [](T a) {
      return a < 0 || bitsOf(a) >> (sizeof(T) * 8 - 1) ? -a : a;
    });
    return true;
  case MicroOpcode::MathSqrt:
    map1<T, T>(call, [](T a) { return T(__builtin_elementwise_sqrt(a)); });
    return true;
  case MicroOpcode::MathRsqrt:
    map1<T, T>(call, [](T a) { return T(1) / __builtin_elementwise_sqrt(a); });
    return true;
  case MicroOpcode::MathFloor:
    map1<T, T>(call, [](T a) { return __builtin_elementwise_floor(a); });
    return true;
  case MicroOpcode::MathCeil:
    map1<T, T>(call, [](T a) { return __builtin_elementwise_ceil(a); });
    return true;
  case MicroOpcode::MathTrunc:
    map1<T, T>(call, [](T a) { return __builtin_elementwise_trunc(a); });
    return true;
  case MicroOpcode::MathRoundeven:
    map1<T, T>(call, [](T a) { return __builtin_elementwise_roundeven(a); });
    return true;
  case MicroOpcode::MathFma:
    map3<T>(call, [](T a, T b, T c) { return fused(a, b, c); });
    return true;
  default:
    return false;
  }
}

/// Whether a function that only handles ordinary values may be used.
inline bool allWithin(const Call &call, int operand, float low, float high) {
  auto *x = static_cast<const float *>(call.operands[operand]);
  size_t n = call.n && call.scalar[operand] ? 1 : call.n;
  int outside = 0;
  for (size_t i = 0; i < n; ++i)
    outside |= !(x[i] >= low && x[i] <= high);
  return !outside;
}

inline bool functionF32(const Call &call) {
  switch (call.op) {
  case MicroOpcode::MathExp:
    map1<float, float>(call, [](float a) { return expf32(a); });
    return true;
  case MicroOpcode::MathTanh:
    map1<float, float>(call, [](float a) { return tanhf32(a); });
    return true;
  case MicroOpcode::MathErf:
    map1<float, float>(call, [](float a) { return erff32(a); });
    return true;
  case MicroOpcode::MathLog:
    map1<float, float>(call, [](float a) { return logf32(a); });
    return true;
  case MicroOpcode::MathRound:
    map1<float, float>(call, [](float a) { return roundf32(a); });
    return true;
  case MicroOpcode::MathPowf:
    if (!allWithin(call, 0, 1e-37f, 3e38f) || !allWithin(call, 1, -1e3f, 1e3f))
      return false;
    map2<float, float>(call, [](float a, float b) { return powf32(a, b); });
    return true;
  case MicroOpcode::MathSin:
    if (!allWithin(call, 0, -1e6f, 1e6f))
      return false;
    map1<float, float>(call, [](float a) { return sinf32(a, 0); });
    return true;
  case MicroOpcode::MathCos:
    if (!allWithin(call, 0, -1e6f, 1e6f))
      return false;
    map1<float, float>(call, [](float a) { return sinf32(a, 1); });
    return true;
  default:
    return false;
  }
}

/// Integers of the lane's own width: nothing has to be wrapped.
template <typename S, typename U> bool integerOp(const Call &call) {
  constexpr U bits = sizeof(S) * 8;
  switch (call.op) {
  case MicroOpcode::ArithAddi:
    map2<U, U>(call, [](U a, U b) { return a + b; });
    return true;
  case MicroOpcode::ArithSubi:
    map2<U, U>(call, [](U a, U b) { return a - b; });
    return true;
  case MicroOpcode::ArithMuli:
    map2<U, U>(call, [](U a, U b) { return a * b; });
    return true;
  case MicroOpcode::ArithMaxsi:
    map2<S, S>(call, [](S a, S b) { return a > b ? a : b; });
    return true;
  case MicroOpcode::ArithMinsi:
    map2<S, S>(call, [](S a, S b) { return a < b ? a : b; });
    return true;
  case MicroOpcode::ArithMaxui:
    map2<U, U>(call, [](U a, U b) { return a > b ? a : b; });
    return true;
  case MicroOpcode::ArithMinui:
    map2<U, U>(call, [](U a, U b) { return a < b ? a : b; });
    return true;
  case MicroOpcode::ArithAndi:
    map2<U, U>(call, [](U a, U b) { return a & b; });
    return true;
  case MicroOpcode::ArithOri:
    map2<U, U>(call, [](U a, U b) { return a | b; });
    return true;
  case MicroOpcode::ArithXori:
    map2<U, U>(call, [](U a, U b) { return a ^ b; });
    return true;
  case MicroOpcode::ArithShli:
    map2<U, U>(call, [](U a, U b) {
      return b >= bits ? U(0) : a << (b & (bits - 1));
    });
    return true;
  case MicroOpcode::ArithShrui:
    map2<U, U>(call, [](U a, U b) {
      return b >= bits ? U(0) : a >> (b & (bits - 1));
    });
    return true;
  case MicroOpcode::ArithShrsi:
    map2<S, S>(call,
               [](S a, S b) { return a >> (U(b) >= bits ? bits - 1 : U(b)); });
    return true;
  default:
    return false;
  }
}

inline bool bitwise(MicroOpcode op) {
  return op == MicroOpcode::ArithAndi || op == MicroOpcode::ArithOri ||
         op == MicroOpcode::ArithXori;
}

#include "Convert-inl.h"

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
    if (call.from == Type::F64)
      map1<int32_t, double>(call, [](double a) { return int32_t(a != a); });
    else
      map1<int32_t, float>(call, [](float a) { return int32_t(a != a); });
    return true;
  case MicroOpcode::MathIsinf:
    if (call.from == Type::F64)
      return false;
    map1<int32_t, float>(call, [](float a) {
      return int32_t((bitsOf(a) & 0x7fffffffu) == 0x7f800000u);
    });
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
    return floatOp<float>(call) || functionF32(call);
  case Type::F64:
    return floatOp<double>(call);
  case Type::I32:
  case Type::U32:
    return integerOp<int32_t, uint32_t>(call) ||
           divide<int32_t, uint32_t>(call);
  case Type::I64:
  case Type::U64:
    return integerOp<int64_t, uint64_t>(call) ||
           divide<int64_t, uint64_t>(call);
  case Type::Bool:
    return bitwise(call.op) && integerOp<int32_t, uint32_t>(call);
  default:
    break;
  }
  if (isInteger(call.type))
    return narrowInteger(call);
  // As f32, rounded at once.
  NarrowFormat format;
  return formatOf(call.type, format) &&
         (floatOp<float>(call) || functionF32(call)) && roundLanes(call);
}
#include "BlockMemory-inl.h"

#include "Window-inl.h"

} // namespace

extern const Table set;
const Table set = {
    MHO_STRING(MHO_BLOCKS), apply, fold, tree, load, store, window};

} // namespace mho::rt::blocks::MHO_BLOCKS
