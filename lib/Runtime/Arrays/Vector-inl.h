//===- Vector-inl.h - sixteen lanes on any machine ------------------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Included by Kernels-inl.h inside one namespace per instruction set. Clang's
// vector extension gives vectors of 16 lanes that the compiler splits where
// registers are narrower, so lanes never depend on the machine.
//
//===----------------------------------------------------------------------===//

#define MHO_INLINE static inline __attribute__((always_inline))

typedef float F __attribute__((ext_vector_type(16)));
typedef int32_t I __attribute__((ext_vector_type(16)));
typedef uint32_t U __attribute__((ext_vector_type(16)));
typedef uint64_t W __attribute__((ext_vector_type(8)));
typedef int16_t S __attribute__((ext_vector_type(32)));
typedef int8_t B __attribute__((ext_vector_type(64)));

template <typename V> MHO_INLINE V load(const void *from) {
  V v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}
template <typename V> MHO_INLINE void store(void *to, V v) {
  __builtin_memcpy(to, &v, sizeof v);
}
MHO_INLINE F splat(float x) { return (F)(x); }
MHO_INLINE U usplat(uint32_t x) { return (U)(x); }
MHO_INLINE F fma(F a, F b, F c) { return __builtin_elementwise_fma(a, b, c); }
MHO_INLINE F root(F a) { return __builtin_elementwise_sqrt(a); }
MHO_INLINE F roundEven(F a) { return __builtin_elementwise_roundeven(a); }
MHO_INLINE F select(I c, F a, F b) { return c ? a : b; }
MHO_INLINE U select(I c, U a, U b) { return c ? a : b; }
MHO_INLINE F least(F a, F b) { return a < b ? a : b; }
MHO_INLINE F most(F a, F b) { return a > b ? a : b; }
MHO_INLINE F clip(F x, float low, float high) {
  return most(least(x, splat(high)), splat(low));
}
MHO_INLINE F toFloat(I a) { return __builtin_convertvector(a, F); }
MHO_INLINE I toInt(F a) { return __builtin_convertvector(a, I); }
/// Exact to half a unit in the last place for any 32-bit word.
MHO_INLINE F toFloat(U a) {
  F high = toFloat((I)(a >> usplat(16))), low = toFloat((I)(a & usplat(65535)));
  return fma(high, splat(65536.0f), low);
}

/// ln x for positive, normal x; relative error below 1e-6.
MHO_INLINE F log(F x) {
  I bits = (I)x;
  I e = (bits - (I)(0x3f3504f3)) >> (I)(23);
  F m = (F)(bits - (e << (I)(23)));
  F f = m - splat(1.0f), ff = f * f;
  F p = splat(0.08917783f);
  p = fma(p, f, splat(-0.14350188f));
  p = fma(p, f, splat(0.14876982f));
  p = fma(p, f, splat(-0.16565636f));
  p = fma(p, f, splat(0.19965396f));
  p = fma(p, f, splat(-0.25001747f));
  p = fma(p, f, splat(0.33333858f));
  F tail = fma(p * f, ff, ff * splat(-0.5f));
  return fma(toFloat(e), splat(0.69314718f), tail + f);
}

/// e^x for |x| <= 80.
MHO_INLINE F exp(F x) {
  F n = roundEven(x * splat(1.44269504f));
  F r = fma(n, splat(-0.693359375f), x);
  r = fma(n, splat(2.12194440e-4f), r);
  F p = splat(0.00139561f);
  p = fma(p, r, splat(0.00837513f));
  p = fma(p, r, splat(0.04166608f));
  p = fma(p, r, splat(0.16666415f));
  p = fma(p, r, splat(0.50000002f));
  p = fma(p, r, splat(1.0f));
  p = fma(p, r, splat(1.0f));
  return (F)((I)p + (toInt(n) << (I)(23)));
}

/// Square root of x >= 0 to 5e-6, the same bits on every machine and faster
/// than the divider: seed from the exponent, two Newton steps.
MHO_INLINE F fastRoot(F x) {
  F y = (F)((I)(0x5f375a86) - ((I)x >> (I)(1)));
  F h = x * splat(0.5f);
  y = y * fma(-h * y, y, splat(1.5f));
  y = y * fma(-h * y, y, splat(1.5f));
  return x * y;
}

/// Cosine and sine of a quarter turn times t, |t| <= 1/2.
MHO_INLINE void quarter(F t, F &c, F &s) {
  F z = t * t;
  F p = fma(splat(-0.00460218f), z, splat(0.07968023f));
  p = fma(p, z, splat(-0.64596348f));
  s = t * fma(p, z, splat(1.57079632f));
  F q = fma(splat(-0.02040835f), z, splat(0.25359864f));
  q = fma(q, z, splat(-1.23369701f));
  c = fma(q, z, splat(1.0f));
}

/// Sixteen Philox counters at once: {first + lane, salt}.
struct Words {
  U w[4];
};
MHO_INLINE void mulHighLow(U a, uint32_t m, U &high, U &low) {
  W even = ((W)a & (W)(0xffffffffull)) * (W)((uint64_t)m);
  W odd = ((W)a >> (W)(32ull)) * (W)((uint64_t)m);
  // A shuffle and a blend each; shifts and masks would be three.
  high = __builtin_shufflevector((U)even, (U)odd, 1, 17, 3, 19, 5, 21, 7, 23, 9,
                                 25, 11, 27, 13, 29, 15, 31);
  low = __builtin_shufflevector((U)even, (U)odd, 0, 16, 2, 18, 4, 20, 6, 22, 8,
                                24, 10, 26, 12, 28, 14, 30);
}
MHO_INLINE Words philox16(const Key &key, uint64_t first) {
  const U lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  U c0 = usplat((uint32_t)first) + lanes;
  U carry = (U)(c0 < lanes);
  U c1 = usplat((uint32_t)(first >> 32)) - carry;
  U c2 = usplat(key.salt[0]), c3 = usplat(key.salt[1]);
  uint32_t k0 = key.key[0], k1 = key.key[1];
#pragma clang loop unroll(full)
  for (int round = 0; round < 10; ++round) {
    U h0, l0, h1, l1;
    mulHighLow(c0, 0xD2511F53u, h0, l0);
    mulHighLow(c2, 0xCD9E8D57u, h1, l1);
    c0 = h1 ^ c1 ^ usplat(k0);
    c1 = l1;
    c2 = h0 ^ c3 ^ usplat(k1);
    c3 = l0;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

/// One word per pair: `squared` = -2 ln u (upper 16 bits), c and s the
/// direction (lower 16 bits).
MHO_INLINE void shortPair(U word, F &squared, F &c, F &s) {
  F u = fma(toFloat((I)(word >> usplat(16))), splat(0x1p-16f), splat(0x1p-17f));
  squared = log(u) * splat(-2.0f);
  // 14 bits within a quarter turn around an axis, one for which axis, one
  // for its direction; the sign of s is random already.
  F t = fma(toFloat((I)(word & usplat(0x3fff))), splat(0x1p-14f),
            splat(0x1p-15f - 0.5f));
  F a, b;
  quarter(t, a, b);
  a = (F)((U)a ^ ((word << usplat(16)) & usplat(0x80000000u)));
  I swap = (I)((word & usplat(0x4000)) != usplat(0));
  c = select(swap, b, a);
  s = select(swap, a, b);
}

/// Two words per pair of normals.
MHO_INLINE void longPair(U radius, U angle, F &x, F &y) {
  F u = fma(toFloat(radius), splat(0x1p-32f), splat(0x1p-33f));
  F r = root(most(log(u) * splat(-2.0f), splat(0.0f)));
  F t = fma(toFloat(angle & usplat(0x3fffffff)), splat(0x1p-30f),
            splat(0x1p-31f - 0.5f));
  F a, b;
  quarter(t, a, b);
  a = (F)((U)a ^ (angle & usplat(0x80000000u)));
  I swap = (I)((angle & usplat(0x40000000u)) != usplat(0));
  x = r * select(swap, b, a);
  y = r * select(swap, a, b);
}

#define MHO_LOW(a, b)                                                          \
  __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20,    \
                          21, 22, 23)
#define MHO_HIGH(a, b)                                                         \
  __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27,  \
                          28, 29, 30, 31)
