//===- NarrowFloat.cpp - floats of 4 to 16 bits
//-----------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NarrowFloat.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

using namespace mho;
using namespace mho::rt;
using isa::Type;

namespace {
enum class Special { Infinity, OneNan, NegativeZeroIsNan, None };

struct Format {
  int exponentBits, mantissaBits, bias;
  Special special;
};

Format formatOf(Type type) {
  switch (type) {
  case Type::F16:
    return {5, 10, 15, Special::Infinity};
  case Type::BF16:
    return {8, 7, 127, Special::Infinity};
  case Type::F8E4M3FN:
    return {4, 3, 7, Special::OneNan};
  case Type::F8E5M2:
    return {5, 2, 15, Special::Infinity};
  case Type::F8E4M3FNUZ:
    return {4, 3, 8, Special::NegativeZeroIsNan};
  case Type::F8E5M2FNUZ:
    return {5, 2, 16, Special::NegativeZeroIsNan};
  default:
    return {2, 1, 1, Special::None};
  }
}
} // namespace

float rt::decodeFloat(Type type, uint32_t bits) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  if (type == Type::BF16)
    return std::bit_cast<float>(bits << 16);
  if (type == Type::F8E8M0)
    return bits == 255 ? nan : std::ldexp(1.0f, int(bits) - 127);
  Format format = formatOf(type);
  uint32_t mantissaMask = (1u << format.mantissaBits) - 1;
  uint32_t exponentMask = (1u << format.exponentBits) - 1;
  uint32_t mantissa = bits & mantissaMask;
  uint32_t exponent = (bits >> format.mantissaBits) & exponentMask;
  bool negative = (bits >> (format.mantissaBits + format.exponentBits)) & 1;
  if (format.special == Special::Infinity && exponent == exponentMask)
    return mantissa
               ? nan
               : (negative ? -1 : 1) * std::numeric_limits<float>::infinity();
  if (format.special == Special::OneNan && exponent == exponentMask &&
      mantissa == mantissaMask)
    return nan;
  if (format.special == Special::NegativeZeroIsNan && negative && !exponent &&
      !mantissa)
    return nan;
  float value =
      exponent
          ? std::ldexp(float(mantissa | (mantissaMask + 1)),
                       int(exponent) - format.bias - format.mantissaBits)
          : std::ldexp(float(mantissa), 1 - format.bias - format.mantissaBits);
  return negative ? -value : value;
}

uint32_t rt::encodeFloat(Type type, double value) {
  if (type == Type::F8E8M0) {
    if (!(value > 0) || std::isinf(value))
      return value == 0 ? 0 : 255;
    int exponent;
    double fraction = std::frexp(value, &exponent);
    int code = exponent - 1 + 127;
    code += fraction > 0.75 || (fraction == 0.75 && code % 2 != 0);
    return uint32_t(std::clamp(code, 0, 254));
  }
  Format format = formatOf(type);
  uint32_t sign = uint32_t(std::signbit(value))
                  << (format.mantissaBits + format.exponentBits);
  uint32_t exponentMask = (1u << format.exponentBits) - 1;
  uint32_t mantissaMask = (1u << format.mantissaBits) - 1;
  uint32_t allOnes = (exponentMask << format.mantissaBits) | mantissaMask;
  uint32_t nan = 0, overflow = 0, largest = allOnes;
  switch (format.special) {
  case Special::Infinity:
    overflow = exponentMask << format.mantissaBits;
    nan = overflow | (1u << (format.mantissaBits - 1));
    largest = overflow - 1;
    break;
  case Special::OneNan:
    nan = overflow = allOnes;
    largest = allOnes - 1;
    break;
  case Special::NegativeZeroIsNan:
    nan = overflow = 1u << (format.mantissaBits + format.exponentBits);
    break;
  case Special::None:
    overflow = allOnes;
    break;
  }
  bool signless = format.special == Special::NegativeZeroIsNan;
  if (std::isnan(value))
    return signless ? nan : nan | sign;
  if (std::isinf(value))
    return signless ? nan : overflow | sign;
  double magnitude = std::abs(value);
  int exponent;
  std::frexp(magnitude, &exponent);
  int scale = std::max(exponent - 1, 1 - format.bias) - format.mantissaBits;
  uint64_t code = uint64_t(std::nearbyint(std::ldexp(magnitude, -scale)));
  // Normal numbers carry the hidden bit in `code`, and a carry out of the
  // mantissa moves into the exponent by itself.
  uint64_t field = uint64_t(scale + format.mantissaBits + format.bias - 1)
                   << format.mantissaBits;
  uint64_t bits = magnitude == 0 ? 0 : field + code;
  if (bits > largest)
    return signless ? nan : overflow | sign;
  if (bits == 0 && signless)
    return 0;
  return uint32_t(bits) | sign;
}

bool rt::narrowFormatOf(Type type, NarrowFormat &format) {
  constexpr float infinity = std::numeric_limits<float>::infinity(),
                  nan = std::numeric_limits<float>::quiet_NaN();
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
