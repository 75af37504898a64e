//===- Convert-inl.h - lanes of one type to another -----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Part of Blocks-inl.h: compiled once per instruction set, with the results of
// Scalar.cpp. Integers of less than 32 bits live in lanes of 32, extended as
// their type tells; floats of less than 32 bits as the f32 of their value.
//
//===----------------------------------------------------------------------===//

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
  int32_t operator()(int32_t a) const {
    return (int32_t(uint32_t(a) << shift) >> shift) & mask;
  }
};

/// What keeps a lane of this type in its range.
inline Extension wrapOf(Type type) {
  unsigned bits = rt::bitsOf(type);
  return Extension(bits < 32 ? bits : 32, !isa::isUnsigned(type));
}

inline bool isInteger(Type type) { return !isa::isFloat(type); }
inline bool isWide(Type type) { return isa::sizeOf(type) == 8; }

/// Widening, narrowing and index casts.
inline bool convertIntegers(const Call &call) {
  bool isSigned = call.op != MicroOpcode::ArithExtui;
  unsigned bits = rt::bitsOf(call.from);
  if (isWide(call.from) && isWide(call.type)) {
    map1<int64_t, int64_t>(call, [](int64_t a) { return a; });
    return true;
  }
  Extension wrap = wrapOf(call.type);
  if (isWide(call.from)) {
    map1<int32_t, int64_t>(call, [wrap](int64_t a) {
      return wrap(int32_t(uint32_t(uint64_t(a))));
    });
    return true;
  }
  Extension view(bits, isSigned);
  if (!isWide(call.type)) {
    map1<int32_t, int32_t>(call,
                           [view, wrap](int32_t a) { return wrap(view(a)); });
    return true;
  }
  if (bits == 32 && !isSigned)
    map1<int64_t, uint32_t>(call, [](uint32_t a) { return int64_t(a); });
  else
    map1<int64_t, int32_t>(call,
                           [view](int32_t a) { return int64_t(view(a)); });
  return true;
}

/// Division by zero gives 0 (its remainder the dividend), and the one signed
/// division that overflows wraps.
template <typename S, typename U> bool divide(const Call &call) {
  auto quotient = [](S a, S b) -> S {
    return b == 0 ? 0 : b == -1 ? S(0 - U(a)) : S(a / b);
  };
  auto remainder = [](S a, S b) -> S {
    return b == 0 ? a : b == -1 ? 0 : S(a % b);
  };
  switch (call.op) {
  case MicroOpcode::ArithDivsi:
    map2<S, S>(call, quotient);
    return true;
  case MicroOpcode::ArithRemsi:
    map2<S, S>(call, remainder);
    return true;
  case MicroOpcode::ArithDivui:
    map2<U, U>(call, [](U a, U b) { return b ? U(a / b) : U(0); });
    return true;
  case MicroOpcode::ArithRemui:
    map2<U, U>(call, [](U a, U b) { return b ? U(a % b) : a; });
    return true;
  case MicroOpcode::ArithFloordivsi:
    map2<S, S>(call, [=](S a, S b) {
      return S(quotient(a, b) -
               (b != 0 && remainder(a, b) != 0 && (a < 0) != (b < 0)));
    });
    return true;
  case MicroOpcode::ArithCeildivsi:
    map2<S, S>(call, [=](S a, S b) {
      return S(quotient(a, b) +
               (b != 0 && remainder(a, b) != 0 && (a < 0) == (b < 0)));
    });
    return true;
  case MicroOpcode::MathAbsi:
    map1<S, S>(call, [](S a) { return a < 0 ? S(0 - U(a)) : a; });
    return true;
  default:
    return false;
  }
}

/// Arithmetic in lanes wider than the type: exact there, then wrapped.
inline bool narrowInteger(const Call &call) {
  bool isSigned = !isa::isUnsigned(call.type);
  Extension wrap = wrapOf(call.type);
  auto wrapped = [&](auto f) {
    map2<int32_t, int32_t>(
        call, [f, wrap](int32_t a, int32_t b) { return wrap(f(a, b)); });
    return true;
  };
  switch (call.op) {
  case MicroOpcode::ArithAddi:
    return wrapped([](int32_t a, int32_t b) { return a + b; });
  case MicroOpcode::ArithSubi:
    return wrapped([](int32_t a, int32_t b) { return a - b; });
  case MicroOpcode::ArithMuli:
    return wrapped([](int32_t a, int32_t b) {
      return int32_t(uint32_t(a) * uint32_t(b));
    });
  case MicroOpcode::ArithAndi:
  case MicroOpcode::ArithOri:
  case MicroOpcode::ArithXori:
    return integerOp<int32_t, uint32_t>(call);
  case MicroOpcode::ArithMaxsi:
  case MicroOpcode::ArithMinsi:
    return isSigned && integerOp<int32_t, uint32_t>(call);
  case MicroOpcode::ArithMaxui:
  case MicroOpcode::ArithMinui:
    return !isSigned && integerOp<int32_t, uint32_t>(call);
  default:
    return false;
  }
}

//===----------------------------------------------------------------------===//
// Floats and integers
//===----------------------------------------------------------------------===//

/// Towards zero, saturating in the range that the op's signedness tells; NaN
/// gives 0. The bounds are exact in f32.
inline bool floatToInteger(const Call &call) {
  bool isSigned = call.op == MicroOpcode::ArithFptosi;
  unsigned bits = rt::bitsOf(call.type);
  if (bits < 32) {
    float low = isSigned ? -float(1u << (bits - 1)) : 0.0f;
    float high = float((1u << (isSigned ? bits - 1 : bits)) - 1);
    Extension wrap = wrapOf(call.type);
    map1<int32_t, float>(call, [=](float a) {
      float c = a < low ? low : a;
      c = c > high ? high : c;
      return wrap(int32_t(a != a ? 0.0f : c));
    });
    return true;
  }
  if (!isSigned)
    return false;
  if (bits == 32) {
    map1<int32_t, float>(call, [](float a) {
      float c = a < -2147483648.0f ? -2147483648.0f : a;
      c = c > 2147483520.0f ? 2147483520.0f : c;
      int32_t whole = int32_t(a != a ? 0.0f : c);
      return a >= 2147483648.0f ? INT32_MAX : whole;
    });
    return true;
  }
  map1<int64_t, float>(call, [](float a) {
    float c = a < -9.22337204e18f ? -9.22337204e18f : a;
    c = c > 9.2233715e18f ? 9.2233715e18f : c;
    int64_t whole = int64_t(a != a ? 0.0f : c);
    return a >= 9.22337204e18f ? INT64_MAX : whole;
  });
  return true;
}

/// To f32 lanes; those of narrower types are still to be rounded.
inline bool integerToFloat(const Call &call) {
  bool isSigned = call.op == MicroOpcode::ArithSitofp;
  unsigned bits = rt::bitsOf(call.from);
  if (isWide(call.from)) {
    if (isSigned)
      map1<float, int64_t>(call, [](int64_t a) { return float(a); });
    return isSigned;
  }
  if (bits == 32 && !isSigned) {
    map1<float, uint32_t>(call, [](uint32_t a) { return float(a); });
    return true;
  }
  Extension view(bits, isSigned);
  map1<float, int32_t>(call, [view](int32_t a) { return float(view(a)); });
  return true;
}

//===----------------------------------------------------------------------===//
// Narrow floats
//===----------------------------------------------------------------------===//

/// A narrow float's values among those of f32.
struct NarrowFormat {
  uint32_t dropped;  ///< mantissa bits fewer than f32's
  float leastNormal; ///< below it values lie `quantum` apart
  float magic;       ///< adding and taking it away rounds to quantum
  float largest;
  float overflow; ///< what larger values become
  bool signedZero;
};

inline bool formatOf(Type type, NarrowFormat &format) {
  constexpr float infinity = __builtin_inff(), nan = __builtin_nanf("");
  // 1.5 * 2^23 quanta.
  auto magic = [](float quantum) { return quantum * 12582912.0f; };
  switch (type) {
  case Type::F16:
    format = {13, 0x1p-14f, magic(0x1p-24f), 65504, infinity, true};
    return true;
  case Type::BF16:
    // The exponents are f32's: nothing is rounded in another way.
    format = {16, 0, 0, 0x1.fep127f, infinity, true};
    return true;
  case Type::F8E4M3FN:
    format = {20, 0x1p-6f, magic(0x1p-9f), 448, nan, true};
    return true;
  case Type::F8E5M2:
    format = {21, 0x1p-14f, magic(0x1p-16f), 57344, infinity, true};
    return true;
  case Type::F8E4M3FNUZ:
    format = {20, 0x1p-7f, magic(0x1p-10f), 240, nan, false};
    return true;
  case Type::F8E5M2FNUZ:
    format = {21, 0x1p-15f, magic(0x1p-17f), 57344, nan, false};
    return true;
  default:
    return false;
  }
}

/// The nearest value of the format, ties to even.
inline float roundTo(const NarrowFormat &format, float a) {
  uint32_t sign = bitsOf(a) & 0x80000000u, abs = bitsOf(a) & 0x7fffffffu;
  uint32_t kept = ~((1u << format.dropped) - 1);
  uint32_t half = (1u << (format.dropped - 1)) - 1;
  float normal = floatOf((abs + half + ((abs >> format.dropped) & 1)) & kept);
  float small = (floatOf(abs) + format.magic) - format.magic;
  float r = floatOf(abs) < format.leastNormal ? small : normal;
  r = r > format.largest ? format.overflow : r;
  uint32_t bits = bitsOf(r) | (r == 0 && !format.signedZero ? 0 : sign);
  // NaN has no sign in lanes.
  bool isNan = (a != a) | (r != r);
  return isNan ? __builtin_nanf("") : floatOf(bits);
}

/// Rounds the result of an op to its type.
inline bool roundLanes(const Call &call) {
  NarrowFormat format;
  if (!formatOf(call.type, format))
    return false;
  auto *lanes = static_cast<float *>(call.out);
  size_t n = call.n;
  MHO_LANES
  for (size_t i = 0; i < n; ++i)
    lanes[i] = roundTo(format, lanes[i]);
  return true;
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

inline bool convert(const Call &call) {
  switch (call.op) {
  case MicroOpcode::ArithSitofp:
  case MicroOpcode::ArithUitofp: {
    if (call.type == Type::F64)
      return false;
    NarrowFormat format;
    if (call.type != Type::F32 && !formatOf(call.type, format))
      return false;
    return integerToFloat(call) && (call.type == Type::F32 || roundLanes(call));
  }
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
      map1<double, float>(call, [](float a) { return double(a); });
      return true;
    }
    [[fallthrough]];
  case MicroOpcode::ArithTruncf: {
    if (call.from == Type::F64) {
      // Rounded once: not by way of f32.
      if (call.type != Type::F32)
        return false;
      map1<float, double>(call, [](double a) { return float(a); });
      return true;
    }
    NarrowFormat format;
    if (call.type != Type::F32 && !formatOf(call.type, format))
      return false;
    // Narrow floats already live in f32 lanes.
    map1<float, float>(call, [](float a) { return a; });
    return call.type == Type::F32 || roundLanes(call);
  }
  case MicroOpcode::ArithBitcast:
    if ((call.type == Type::F32 || call.type == Type::I32) &&
        (call.from == Type::F32 || call.from == Type::I32)) {
      map1<uint32_t, uint32_t>(call, [](uint32_t a) { return a; });
      return true;
    }
    return false;
  default:
    return false;
  }
}
