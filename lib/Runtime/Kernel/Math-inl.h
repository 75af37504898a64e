//===- Math-inl.h - elementary functions without branches
//------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Straight-line f32 functions that the compiler turns into vector loops. Every
// one is within 2 ulp of the exact value (tested). Polynomials are minimax
// fits in relative error on the interval that stands beside them.
//
//===----------------------------------------------------------------------===//

// Included inside an anonymous namespace, once per instruction set.

inline float fused(float a, float b, float c) {
  return __builtin_fmaf(a, b, c);
}
inline double fused(double a, double b, double c) {
  return __builtin_fma(a, b, c);
}
inline uint32_t bitsOf(float x) { return __builtin_bit_cast(uint32_t, x); }
inline uint64_t bitsOf(double x) { return __builtin_bit_cast(uint64_t, x); }
inline float floatOf(uint32_t x) { return __builtin_bit_cast(float, x); }
inline double doubleOf(uint64_t x) { return __builtin_bit_cast(double, x); }

/// 2^n for n in [-126, 127].
inline float powerOfTwo(uint32_t n) { return floatOf((n + 127) << 23); }

inline float expf32(float x) {
  float clamped = x > 89.0f ? 89.0f : x;
  clamped = clamped < -104.0f ? -104.0f : clamped;
  // Rounds to an integer in the low bits of the sum.
  constexpr float magic = 12582912.0f;
  float shifted = fused(clamped, 1.44269504f, magic);
  float n = shifted - magic;
  uint32_t exponent = bitsOf(shifted) - bitsOf(magic);
  float r = fused(n, -0.693145752f, clamped);
  r = fused(n, -1.42860677e-6f, r);
  // (e^r - 1 - r) / r^2 on ±0.35.
  float p = 0.0013951717f;
  p = fused(p, r, 0.0083695985f);
  p = fused(p, r, 0.041666187f);
  p = fused(p, r, 0.16666512f);
  p = fused(p, r, 0.5f);
  float y = fused(r * r, p, r) + 1.0f;
  // In two steps, as 2^n may be no normal number.
  uint32_t half = uint32_t(int32_t(exponent) >> 1);
  y = y * powerOfTwo(half) * powerOfTwo(exponent - half);
  return x > 88.7228394f ? __builtin_inff() : y;
}

inline float tanhf32(float x) {
  float t = __builtin_fabsf(x);
  float s = x * x;
  // (tanh(x)/x - 1) / x^2 on x^2 in [0, 0.36].
  float p = 0.002231061f;
  p = fused(p, s, -0.008267088f);
  p = fused(p, s, 0.02173444f);
  p = fused(p, s, -0.053952474f);
  p = fused(p, s, 0.13333248f);
  p = fused(p, s, -0.33333331f);
  float small = __builtin_copysignf(fused(t * s, p, t), x);
  float clamped = t > 10.0f ? 10.0f : t;
  float large =
      __builtin_copysignf(1.0f - 2.0f / (expf32(clamped + clamped) + 1.0f), x);
  return t > 0.58f ? large : small;
}

inline float erff32(float x) {
  float t = __builtin_fabsf(x);
  float s = x * x;
  // erf(x)/x on x^2 in [0, 0.9].
  float p = 8.2154234e-5f;
  p = fused(p, s, -0.00081059651f);
  p = fused(p, s, 0.005197797f);
  p = fused(p, s, -0.026858104f);
  p = fused(p, s, 0.11283671f);
  p = fused(p, s, -0.37612632f);
  // The constant in two parts, 2/sqrt(pi) = 1 + 0.128...
  p = fused(p, s, 0.12837917f);
  float small = fused(x, p, x);
  // -log(erfc(t))/t on [0.9, 4.1].
  float c = t > 4.1f ? 4.1f : t;
  float q = 5.2970095e-6f;
  q = fused(q, c, -4.9940558e-5f);
  q = fused(q, c, -2.7434808e-5f);
  q = fused(q, c, 0.0028691201f);
  q = fused(q, c, -0.022575615f);
  q = fused(q, c, 0.1051695f);
  q = fused(q, c, 0.63567317f);
  q = fused(q, c, 1.1285415f);
  float large = __builtin_copysignf(1.0f - expf32(-c * q), x);
  return t > 0.92f ? large : small;
}

inline float logf32(float x) {
  bool subnormal = x < 1.17549435e-38f;
  float scaled = subnormal ? x * 8388608.0f : x;
  uint32_t bits = bitsOf(scaled);
  // Mantissa in [sqrt(1/2), sqrt(2)).
  uint32_t shifted = bits - 0x3f3504f3u;
  int32_t exponent = int32_t(shifted) >> 23;
  float f = floatOf((shifted & 0x7fffffu) + 0x3f3504f3u) - 1.0f;
  float e = float(exponent) - (subnormal ? 23.0f : 0.0f);
  // (log(1+f) - f + f^2/2) / f^3.
  float p = -0.078595459f;
  p = fused(p, f, 0.12881622f);
  p = fused(p, f, -0.13128768f);
  p = fused(p, f, 0.14181197f);
  p = fused(p, f, -0.16624554f);
  p = fused(p, f, 0.20002286f);
  p = fused(p, f, -0.25000811f);
  p = fused(p, f, 0.33333316f);
  float s = f * f;
  float low = fused(f * s, p, e * -2.12194440e-4f);
  float y = fused(e, 0.693359375f, fused(s, -0.5f, low) + f);
  y = x < 0.0f || x != x ? __builtin_nanf("") : y;
  y = x == 0.0f ? -__builtin_inff() : y;
  return x == __builtin_inff() ? x : y;
}

/// Round half away from zero.
inline float roundf32(float x) {
  float t = __builtin_truncf(x);
  float difference = __builtin_fabsf(x - t);
  float up = t + __builtin_copysignf(1.0f, x);
  return difference >= 0.5f ? up : __builtin_copysignf(t, x);
}

/// x^y for positive, finite x and finite y, in f64: |y·log(x)| up to 100
/// leaves the result exact to half an ulp of f32.
inline float powf32(float x, float y) {
  double m = double(x);
  uint64_t shifted = bitsOf(m) - 0x3fe6a09e667f3bcdull;
  double e = double(int32_t(uint32_t(shifted >> 32)) >> 20);
  m = doubleOf((shifted & 0xfffffffffffffull) + 0x3fe6a09e667f3bcdull);
  double s = (m - 1.0) / (m + 1.0);
  double z = s * s;
  // The series of 2 artanh(s), |s| <= 0.1716.
  double p = 1.0 / 15;
  p = fused(p, z, 1.0 / 13);
  p = fused(p, z, 1.0 / 11);
  p = fused(p, z, 1.0 / 9);
  p = fused(p, z, 1.0 / 7);
  p = fused(p, z, 1.0 / 5);
  p = fused(p, z, 1.0 / 3);
  p = fused(p, z, 1.0);
  double log2 = fused(2.0 * s * p, 1.4426950408889634, e);
  double t = double(y) * log2;
  t = t > 200.0 ? 200.0 : t;
  t = t < -200.0 ? -200.0 : t;
  constexpr double magic = 6755399441055744.0;
  double biased = t + magic;
  uint64_t n = bitsOf(biased) - bitsOf(magic);
  double r = (t - (biased - magic)) * 0.6931471805599453;
  double q = 1.0 / 3628800;
  q = fused(q, r, 1.0 / 362880);
  q = fused(q, r, 1.0 / 40320);
  q = fused(q, r, 1.0 / 5040);
  q = fused(q, r, 1.0 / 720);
  q = fused(q, r, 1.0 / 120);
  q = fused(q, r, 1.0 / 24);
  q = fused(q, r, 1.0 / 6);
  q = fused(q, r, 0.5);
  q = fused(q, r, 1.0);
  q = fused(q, r, 1.0);
  return float(q * doubleOf((n + 1023) << 52));
}

/// sin(x + quarter·pi/2) for |x| <= 1e6, in f64.
inline float sinf32(float x, uint64_t quarter) {
  constexpr double magic = 6755399441055744.0;
  double t = double(x);
  double biased = fused(t, 0.6366197723675814, magic);
  uint64_t n = bitsOf(biased) - bitsOf(magic) + quarter;
  double k = biased - magic;
  double r = fused(k, -1.5707963267948966, t);
  r = fused(k, -6.123233995736766e-17, r);
  double z = r * r;
  double s = -1.0 / 39916800;
  s = fused(s, z, 1.0 / 362880);
  s = fused(s, z, -1.0 / 5040);
  s = fused(s, z, 1.0 / 120);
  s = fused(s, z, -1.0 / 6);
  s = fused(s * z, r, r);
  double c = 1.0 / 479001600;
  c = fused(c, z, -1.0 / 3628800);
  c = fused(c, z, 1.0 / 40320);
  c = fused(c, z, -1.0 / 720);
  c = fused(c, z, 1.0 / 24);
  c = fused(c, z, -0.5);
  c = fused(c, z, 1.0);
  double y = n & 1 ? c : s;
  return float(n & 2 ? -y : y);
}
