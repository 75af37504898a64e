//===- Scalar.cpp - one element: memory, register, micro-op
//-----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Scalar.h"

#include "NarrowFloat.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

using namespace mho;
using namespace mho::rt;
using isa::MicroOpcode;
using isa::Type;
using isa::WriteKind;

unsigned rt::bitsOf(Type type) {
  switch (type) {
  case Type::Bool:
    return 1;
  case Type::I4:
  case Type::U4:
  case Type::F4E2M1:
    return 4;
  case Type::I2:
  case Type::U2:
    return 2;
  default:
    return unsigned(isa::sizeOf(type)) * 8;
  }
}

static Scalar ofInt(int64_t i) {
  Scalar s;
  s.i = i;
  return s;
}
static Scalar ofFloat(float f) {
  Scalar s;
  s.i = 0;
  s.f = f;
  return s;
}
static Scalar ofF64(double d) {
  Scalar s;
  s.d = d;
  return s;
}

/// The low `bits` bits of `value`, as a signed or an unsigned number.
static int64_t signExtend(int64_t value, unsigned bits) {
  return bits >= 64 ? value
                    : int64_t(uint64_t(value) << (64 - bits)) >> (64 - bits);
}
static uint64_t zeroExtend(int64_t value, unsigned bits) {
  return bits >= 64 ? uint64_t(value) : uint64_t(value) & ((1ull << bits) - 1);
}

Scalar rt::normalize(Type type, Scalar value) {
  if (type == Type::F32 || type == Type::F64)
    return value;
  if (isa::isFloat(type))
    return ofFloat(decodeFloat(type, encodeFloat(type, value.f)));
  unsigned bits = bitsOf(type);
  return ofInt(isa::isUnsigned(type) ? int64_t(zeroExtend(value.i, bits))
                                     : signExtend(value.i, bits));
}

Scalar rt::fromBits(Type type, uint64_t bits) {
  if (type == Type::F32)
    return ofFloat(std::bit_cast<float>(uint32_t(bits)));
  if (type == Type::F64)
    return ofF64(std::bit_cast<double>(bits));
  if (isa::isFloat(type))
    return ofFloat(
        decodeFloat(type, uint32_t(zeroExtend(int64_t(bits), bitsOf(type)))));
  return normalize(type, ofInt(int64_t(bits)));
}

/// Integers: towards zero, saturating, NaN gives 0. The range is the type's.
static int64_t saturate(double value, unsigned bits, bool isUnsigned) {
  if (std::isnan(value))
    return 0;
  value = std::trunc(value);
  if (isUnsigned) {
    if (value <= 0)
      return 0;
    if (value >= std::ldexp(1.0, int(bits)))
      return int64_t(zeroExtend(-1, bits));
    return int64_t(uint64_t(value));
  }
  double limit = std::ldexp(1.0, int(bits) - 1);
  if (value >= limit)
    return int64_t(zeroExtend(-1, bits - 1));
  if (value < -limit)
    return -int64_t(zeroExtend(-1, bits - 1)) - 1;
  return int64_t(value);
}

Scalar rt::fromDouble(Type type, double value) {
  if (type == Type::F64)
    return ofF64(value);
  if (type == Type::F32)
    return ofFloat(float(value));
  // One rounding, not two.
  if (isa::isFloat(type))
    return ofFloat(decodeFloat(type, encodeFloat(type, value)));
  if (type == Type::Bool)
    return ofInt(value != 0);
  return ofInt(saturate(value, bitsOf(type), isa::isUnsigned(type)));
}

double rt::toDouble(Type type, Scalar value) {
  if (type == Type::F64)
    return value.d;
  if (isa::isFloat(type))
    return value.f;
  return type == Type::U64 ? double(uint64_t(value.i)) : double(value.i);
}

Scalar rt::loadScalar(Type type, const void *memory) {
  uint64_t bits = 0;
  std::memcpy(&bits, memory, isa::sizeOf(type));
  if (type == Type::Bool)
    return ofInt(bits != 0);
  return fromBits(type, bits);
}

/// The bit pattern of a register's value in its type.
static uint64_t bitsOfValue(Type type, Scalar value) {
  if (type == Type::F32)
    return std::bit_cast<uint32_t>(value.f);
  if (type == Type::F64)
    return std::bit_cast<uint64_t>(value.d);
  if (isa::isFloat(type))
    return encodeFloat(type, value.f);
  return zeroExtend(value.i, bitsOf(type));
}

void rt::storeScalar(Type type, void *memory, Scalar value) {
  // Files show integers of less than a byte with their sign extended.
  uint64_t bits = type == Type::I4 || type == Type::I2
                      ? uint64_t(value.i)
                      : bitsOfValue(type, value);
  std::memcpy(memory, &bits, isa::sizeOf(type));
}

Scalar rt::loadLane(Type type, const void *lane) {
  switch (laneOf(type)) {
  case Lane::F32: {
    float f;
    std::memcpy(&f, lane, 4);
    return ofFloat(f);
  }
  case Lane::F64: {
    double d;
    std::memcpy(&d, lane, 8);
    return ofF64(d);
  }
  case Lane::I32: {
    int32_t i;
    std::memcpy(&i, lane, 4);
    return ofInt(type == Type::U32 ? int64_t(uint32_t(i)) : i);
  }
  case Lane::I64:
    break;
  }
  int64_t i;
  std::memcpy(&i, lane, 8);
  return ofInt(i);
}

void rt::storeLane(Type type, void *lane, Scalar value) {
  switch (laneOf(type)) {
  case Lane::F32:
    std::memcpy(lane, &value.f, 4);
    return;
  case Lane::I32: {
    int32_t i = int32_t(value.i);
    std::memcpy(lane, &i, 4);
    return;
  }
  case Lane::F64:
  case Lane::I64:
    std::memcpy(lane, &value, 8);
  }
}

void rt::fillLanes(Type type, void *lanes, Scalar value, int64_t n) {
  size_t lane = laneBytes(laneOf(type));
  storeLane(type, lanes, value);
  if (lane == 4) {
    uint32_t bits;
    std::memcpy(&bits, lanes, 4);
    std::fill_n(reinterpret_cast<uint32_t *>(lanes), n, bits);
  } else {
    uint64_t bits;
    std::memcpy(&bits, lanes, 8);
    std::fill_n(reinterpret_cast<uint64_t *>(lanes), n, bits);
  }
}

//===----------------------------------------------------------------------===//
// Micro-ops
//===----------------------------------------------------------------------===//

/// Of two equal numbers (±0) the larger or smaller in sign; NaN if either is.
template <typename T> static T maximum(T a, T b) {
  if (a != a || b != b)
    return std::numeric_limits<T>::quiet_NaN();
  if (a == b)
    return std::signbit(a) ? b : a;
  return a > b ? a : b;
}
template <typename T> static T minimum(T a, T b) {
  if (a != a || b != b)
    return std::numeric_limits<T>::quiet_NaN();
  if (a == b)
    return std::signbit(a) ? a : b;
  return a < b ? a : b;
}

template <typename T> static T evaluateFloat(MicroOpcode op, const T *x) {
  T a = x[0], b = x[1];
  switch (op) {
  case MicroOpcode::ArithAddf:
    return a + b;
  case MicroOpcode::ArithSubf:
    return a - b;
  case MicroOpcode::ArithMulf:
    return a * b;
  case MicroOpcode::ArithDivf:
    return a / b;
  case MicroOpcode::ArithRemf:
    return std::fmod(a, b);
  case MicroOpcode::ArithNegf:
    return -a;
  case MicroOpcode::ArithMaximumf:
    return maximum(a, b);
  case MicroOpcode::ArithMinimumf:
    return minimum(a, b);
  case MicroOpcode::ArithMaxnumf:
    return a != a ? b : b != b ? a : maximum(a, b);
  case MicroOpcode::ArithMinnumf:
    return a != a ? b : b != b ? a : minimum(a, b);
  case MicroOpcode::MathSqrt:
    return std::sqrt(a);
  case MicroOpcode::MathRsqrt:
    return T(1) / std::sqrt(a);
  case MicroOpcode::MathExp:
    return std::exp(a);
  case MicroOpcode::MathExp2:
    return std::exp2(a);
  case MicroOpcode::MathExpm1:
    return std::expm1(a);
  case MicroOpcode::MathLog:
    return std::log(a);
  case MicroOpcode::MathLog2:
    return std::log2(a);
  case MicroOpcode::MathLog1p:
    return std::log1p(a);
  case MicroOpcode::MathPowf:
    return std::pow(a, b);
  case MicroOpcode::MathSin:
    return std::sin(a);
  case MicroOpcode::MathCos:
    return std::cos(a);
  case MicroOpcode::MathTan:
    return std::tan(a);
  case MicroOpcode::MathAsin:
    return std::asin(a);
  case MicroOpcode::MathAcos:
    return std::acos(a);
  case MicroOpcode::MathAtan:
    return std::atan(a);
  case MicroOpcode::MathSinh:
    return std::sinh(a);
  case MicroOpcode::MathCosh:
    return std::cosh(a);
  case MicroOpcode::MathTanh:
    return std::tanh(a);
  case MicroOpcode::MathAsinh:
    return std::asinh(a);
  case MicroOpcode::MathAcosh:
    return std::acosh(a);
  case MicroOpcode::MathAtanh:
    return std::atanh(a);
  case MicroOpcode::MathErf:
    return std::erf(a);
  case MicroOpcode::MathFloor:
    return std::floor(a);
  case MicroOpcode::MathCeil:
    return std::ceil(a);
  case MicroOpcode::MathRound:
    return std::round(a);
  case MicroOpcode::MathRoundeven:
    return std::nearbyint(a);
  case MicroOpcode::MathTrunc:
    return std::trunc(a);
  case MicroOpcode::MathAbsf:
    return std::abs(a);
  case MicroOpcode::MathCopysign:
    return std::copysign(a, b);
  case MicroOpcode::MathFma:
    return std::fma(a, b, x[2]);
  default:
    return 0;
  }
}

/// Integer arithmetic on the low `bits` bits. Division by zero gives 0 (its
/// remainder the dividend), the one signed division that overflows wraps, and
/// a shift of the width or more gives 0 (or the sign, for shrsi).
static int64_t evaluateInteger(MicroOpcode op, unsigned bits, int64_t x,
                               int64_t y) {
  int64_t a = signExtend(x, bits), b = signExtend(y, bits);
  uint64_t ua = zeroExtend(x, bits), ub = zeroExtend(y, bits);
  auto quotient = [&]() -> int64_t {
    return b == 0 ? 0 : b == -1 ? int64_t(0 - uint64_t(a)) : a / b;
  };
  auto remainder = [&]() -> int64_t {
    return b == 0 ? a : b == -1 ? 0 : a % b;
  };
  switch (op) {
  case MicroOpcode::ArithAddi:
    return int64_t(ua + ub);
  case MicroOpcode::ArithSubi:
    return int64_t(ua - ub);
  case MicroOpcode::ArithMuli:
    return int64_t(ua * ub);
  case MicroOpcode::ArithDivsi:
    return quotient();
  case MicroOpcode::ArithDivui:
    return ub ? int64_t(ua / ub) : 0;
  case MicroOpcode::ArithRemsi:
    return remainder();
  case MicroOpcode::ArithRemui:
    return int64_t(ub ? ua % ub : ua);
  case MicroOpcode::ArithFloordivsi:
    return quotient() - (b != 0 && remainder() != 0 && (a < 0) != (b < 0));
  case MicroOpcode::ArithCeildivsi:
    return quotient() + (b != 0 && remainder() != 0 && (a < 0) == (b < 0));
  case MicroOpcode::ArithMaxsi:
    return std::max(a, b);
  case MicroOpcode::ArithMaxui:
    return int64_t(std::max(ua, ub));
  case MicroOpcode::ArithMinsi:
    return std::min(a, b);
  case MicroOpcode::ArithMinui:
    return int64_t(std::min(ua, ub));
  case MicroOpcode::ArithAndi:
    return int64_t(ua & ub);
  case MicroOpcode::ArithOri:
    return int64_t(ua | ub);
  case MicroOpcode::ArithXori:
    return int64_t(ua ^ ub);
  case MicroOpcode::ArithShli:
    return ub >= bits ? 0 : int64_t(ua << ub);
  case MicroOpcode::ArithShrsi:
    return ub >= bits ? (a < 0 ? -1 : 0) : a >> ub;
  case MicroOpcode::ArithShrui:
    return ub >= bits ? 0 : int64_t(ua >> ub);
  case MicroOpcode::MathAbsi:
    return a < 0 ? int64_t(0 - uint64_t(a)) : a;
  default:
    return 0;
  }
}

/// arith::CmpFPredicate.
template <typename T> static bool compareFloat(uint64_t predicate, T a, T b) {
  bool unordered = a != a || b != b;
  switch (predicate) {
  case 0:
    return false;
  case 1:
    return !unordered && a == b;
  case 2:
    return !unordered && a > b;
  case 3:
    return !unordered && a >= b;
  case 4:
    return !unordered && a < b;
  case 5:
    return !unordered && a <= b;
  case 6:
    return !unordered && a != b;
  case 7:
    return !unordered;
  case 8:
    return unordered || a == b;
  case 9:
    return unordered || a > b;
  case 10:
    return unordered || a >= b;
  case 11:
    return unordered || a < b;
  case 12:
    return unordered || a <= b;
  case 13:
    return unordered || a != b;
  case 14:
    return unordered;
  default:
    return true;
  }
}

/// arith::CmpIPredicate.
static bool compareInteger(uint64_t predicate, unsigned bits, int64_t x,
                           int64_t y) {
  int64_t a = signExtend(x, bits), b = signExtend(y, bits);
  uint64_t ua = zeroExtend(x, bits), ub = zeroExtend(y, bits);
  switch (predicate) {
  case 0:
    return ua == ub;
  case 1:
    return ua != ub;
  case 2:
    return a < b;
  case 3:
    return a <= b;
  case 4:
    return a > b;
  case 5:
    return a >= b;
  case 6:
    return ua < ub;
  case 7:
    return ua <= ub;
  case 8:
    return ua > ub;
  default:
    return ua >= ub;
  }
}

Scalar rt::evaluate(const isa::MicroOp &op, const Type *types,
                    const Scalar *x) {
  MicroOpcode code = MicroOpcode(op.op);
  Type from = types[0];
  unsigned bits = bitsOf(from);
  switch (code) {
  case MicroOpcode::ArithCmpf:
    return ofInt(from == Type::F64
                     ? compareFloat(op.immediate, x[0].d, x[1].d)
                     : compareFloat(op.immediate, x[0].f, x[1].f));
  case MicroOpcode::ArithCmpi:
    return ofInt(compareInteger(op.immediate, bits, x[0].i, x[1].i));
  case MicroOpcode::ArithSelect:
    return x[0].i ? x[1] : x[2];
  case MicroOpcode::MathIsnan:
    return ofInt(std::isnan(toDouble(from, x[0])));
  case MicroOpcode::MathIsinf:
    return ofInt(std::isinf(toDouble(from, x[0])));
  case MicroOpcode::ArithExtf:
  case MicroOpcode::ArithTruncf:
    return fromDouble(op.type, toDouble(from, x[0]));
  case MicroOpcode::ArithExtsi:
  case MicroOpcode::ArithTrunci:
  case MicroOpcode::ArithIndexCast:
    return normalize(op.type, ofInt(signExtend(x[0].i, bits)));
  case MicroOpcode::ArithExtui:
    return normalize(op.type, ofInt(int64_t(zeroExtend(x[0].i, bits))));
  case MicroOpcode::ArithSitofp: {
    int64_t value = signExtend(x[0].i, bits);
    return op.type == Type::F64 ? ofF64(double(value))
                                : normalize(op.type, ofFloat(float(value)));
  }
  case MicroOpcode::ArithUitofp: {
    uint64_t value = zeroExtend(x[0].i, bits);
    return op.type == Type::F64 ? ofF64(double(value))
                                : normalize(op.type, ofFloat(float(value)));
  }
  case MicroOpcode::ArithFptosi:
    return normalize(
        op.type, ofInt(saturate(toDouble(from, x[0]), bitsOf(op.type), false)));
  case MicroOpcode::ArithFptoui:
    return normalize(
        op.type, ofInt(saturate(toDouble(from, x[0]), bitsOf(op.type), true)));
  case MicroOpcode::ArithBitcast:
    return fromBits(op.type, bitsOfValue(from, x[0]));
  default:
    break;
  }
  if (op.type == Type::F64) {
    double values[3] = {x[0].d, 0, 0};
    for (size_t i = 1; i < op.operands.size() && i < 3; ++i)
      values[i] = x[i].d;
    return ofF64(evaluateFloat(code, values));
  }
  if (isa::isFloat(op.type)) {
    float values[3] = {x[0].f, 0, 0};
    for (size_t i = 1; i < op.operands.size() && i < 3; ++i)
      values[i] = x[i].f;
    return normalize(op.type, ofFloat(evaluateFloat(code, values)));
  }
  return normalize(op.type,
                   ofInt(evaluateInteger(code, bits, x[0].i,
                                         op.operands.size() > 1 ? x[1].i : 0)));
}

Scalar rt::combine(WriteKind kind, Type type, Scalar a, Scalar b) {
  if (isa::isFloat(type)) {
    auto step = [&](auto x, auto y) {
      switch (kind) {
      case WriteKind::Add:
        return x + y;
      case WriteKind::Mul:
        return x * y;
      case WriteKind::Min:
        return minimum(x, y);
      case WriteKind::Max:
        return maximum(x, y);
      default:
        return y;
      }
    };
    return type == Type::F64 ? ofF64(step(a.d, b.d))
                             : normalize(type, ofFloat(step(a.f, b.f)));
  }
  bool isUnsigned = isa::isUnsigned(type);
  switch (kind) {
  case WriteKind::Add:
    return normalize(type, ofInt(int64_t(uint64_t(a.i) + uint64_t(b.i))));
  case WriteKind::Mul:
    return normalize(type, ofInt(int64_t(uint64_t(a.i) * uint64_t(b.i))));
  case WriteKind::Min:
    return isUnsigned ? (uint64_t(a.i) < uint64_t(b.i) ? a : b)
                      : (a.i < b.i ? a : b);
  case WriteKind::Max:
    return isUnsigned ? (uint64_t(a.i) > uint64_t(b.i) ? a : b)
                      : (a.i > b.i ? a : b);
  case WriteKind::And:
    return ofInt(a.i & b.i);
  case WriteKind::Or:
    return ofInt(a.i | b.i);
  case WriteKind::Xor:
    return normalize(type, ofInt(a.i ^ b.i));
  default:
    return b;
  }
}

Scalar rt::identityOf(WriteKind kind, Type type) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (isa::isFloat(type)) {
    // Formats without infinities reduce from their register's infinity all
    // the same: the first value replaces it.
    double value = kind == WriteKind::Add   ? -0.0
                   : kind == WriteKind::Mul ? 1.0
                   : kind == WriteKind::Min ? infinity
                                            : -infinity;
    return type == Type::F64 ? ofF64(value) : ofFloat(float(value));
  }
  unsigned bits = bitsOf(type);
  bool isUnsigned = isa::isUnsigned(type);
  switch (kind) {
  case WriteKind::Mul:
    return ofInt(1);
  case WriteKind::And:
    return normalize(type, ofInt(-1));
  case WriteKind::Min:
    return ofInt(isUnsigned ? int64_t(zeroExtend(-1, bits))
                            : int64_t(zeroExtend(-1, bits - 1)));
  case WriteKind::Max:
    return ofInt(isUnsigned ? 0 : -int64_t(zeroExtend(-1, bits - 1)) - 1);
  default:
    return ofInt(0);
  }
}
