//===- Block.cpp - a body on a block of f32 lanes -------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Plain loops over lanes, compiled once per vector width and chosen when the
// program starts. Only operations that every width rounds alike are used, so
// the bytes do not depend on the machine.
//
//===----------------------------------------------------------------------===//

#include "Block.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

using namespace mho;
using namespace mho::rt;
using isa::MicroOpcode;
using isa::WriteKind;

#if defined(__x86_64__)
#define MHO_EVERY_WIDTH                                                        \
  __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define MHO_EVERY_WIDTH
#endif
#define MHO_INLINE __attribute__((always_inline)) static inline

namespace {

MHO_INLINE float maximum(float a, float b) {
  return a != a ? a : b != b ? b : a > b ? a : b;
}
MHO_INLINE float minimum(float a, float b) {
  return a != a ? a : b != b ? b : a < b ? a : b;
}

/// e^x to 1 ulp: x = k·ln 2 + r, a polynomial in r, scaled by 2^k in two
/// steps so that subnormal results round once.
MHO_INLINE float exponential(float x) {
  float clamped = x > 89.0f ? 89.0f : x < -104.0f ? -104.0f : x;
  float k = std::rint(clamped * 1.44269504088896341f);
  float r = clamped - k * 0.693359375f;
  r = r - k * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  int32_t whole = int32_t(k), half = whole / 2;
  auto power = [](int32_t e) {
    uint32_t bits = uint32_t(e + 127) << 23;
    float value;
    std::memcpy(&value, &bits, sizeof(value));
    return value;
  };
  float result = p * power(half) * power(whole - half);
  return x != x ? x : result;
}

MHO_INLINE float compare(uint64_t predicate, float a, float b) {
  bool unordered = a != a || b != b, result = false;
  switch (predicate & 7) {
  case 0:
    result = predicate == 8 && a == b;
    break;
  case 1:
    result = a == b;
    break;
  case 2:
    result = a > b;
    break;
  case 3:
    result = a >= b;
    break;
  case 4:
    result = a < b;
    break;
  case 5:
    result = a <= b;
    break;
  case 6:
    result = a != b && !unordered;
    break;
  case 7:
    result = !unordered;
    break;
  }
  return result ? 1.0f : 0.0f;
}

template <typename F>
MHO_INLINE void unary(float *__restrict to, const float *a, size_t n, F f) {
  for (size_t i = 0; i < n; ++i)
    to[i] = f(a[i]);
}
template <typename F>
MHO_INLINE void binary(float *__restrict to, const float *a, const float *b,
                       size_t n, F f) {
  for (size_t i = 0; i < n; ++i)
    to[i] = f(a[i], b[i]);
}

/// MLIR's ordered predicates up to `ord`; the unordered ones become them by
/// negation of the opposite.
bool isOrderedPredicate(uint64_t predicate) {
  return predicate >= 1 && predicate <= 7;
}

bool isLaneType(isa::Type type) {
  return type == isa::Type::F32 || type == isa::Type::Bool;
}

} // namespace

bool rt::hasBlockForm(const isa::Kernel &kernel) {
  if (!kernel.body.tables.empty())
    return false;
  for (const isa::Access &access : kernel.reads)
    if (!isLaneType(access.type))
      return false;
  for (const isa::Write &write : kernel.writes)
    if (!isLaneType(write.access.type) || write.kind == WriteKind::Carry ||
        write.kind == WriteKind::And || write.kind == WriteKind::Or ||
        write.kind == WriteKind::Xor ||
        (write.kind != WriteKind::Store && write.access.type != isa::Type::F32))
      return false;
  for (const isa::MicroOp &op : kernel.body.ops) {
    if (!isLaneType(op.type))
      return false;
    switch (MicroOpcode(op.op)) {
    case MicroOpcode::ArithCmpf:
      if (!isOrderedPredicate(op.immediate))
        return false;
      break;
    case MicroOpcode::ArithConstant:
    case MicroOpcode::ArithAddf:
    case MicroOpcode::ArithSubf:
    case MicroOpcode::ArithMulf:
    case MicroOpcode::ArithDivf:
    case MicroOpcode::ArithNegf:
    case MicroOpcode::ArithMaximumf:
    case MicroOpcode::ArithMinimumf:
    case MicroOpcode::ArithSelect:
    case MicroOpcode::MathSqrt:
    case MicroOpcode::MathExp:
    case MicroOpcode::MathTanh:
    case MicroOpcode::MathErf:
    case MicroOpcode::MathLog:
    case MicroOpcode::MathPowf:
    case MicroOpcode::MathFloor:
    case MicroOpcode::MathCeil:
    case MicroOpcode::MathRoundeven:
    case MicroOpcode::MathAbsf:
    case MicroOpcode::MathFma:
      break;
    default:
      return false;
    }
  }
  return true;
}

MHO_EVERY_WIDTH
void rt::evaluateBlock(std::span<const isa::MicroOp> ops,
                       float *const *registers, size_t firstResult, size_t n) {
  for (size_t number = 0; number < ops.size(); ++number) {
    const isa::MicroOp &op = ops[number];
    float *__restrict to = registers[firstResult + number];
    const float *a = op.operands.empty() ? nullptr : registers[op.operands[0]];
    const float *b =
        op.operands.size() < 2 ? nullptr : registers[op.operands[1]];
    const float *c =
        op.operands.size() < 3 ? nullptr : registers[op.operands[2]];
    switch (MicroOpcode(op.op)) {
    case MicroOpcode::ArithConstant:
      break; // filled once, when the kernel was prepared
    case MicroOpcode::ArithAddf:
      binary(to, a, b, n, [](float x, float y) { return x + y; });
      break;
    case MicroOpcode::ArithSubf:
      binary(to, a, b, n, [](float x, float y) { return x - y; });
      break;
    case MicroOpcode::ArithMulf:
      binary(to, a, b, n, [](float x, float y) { return x * y; });
      break;
    case MicroOpcode::ArithDivf:
      binary(to, a, b, n, [](float x, float y) { return x / y; });
      break;
    case MicroOpcode::ArithNegf:
      unary(to, a, n, [](float x) { return -x; });
      break;
    case MicroOpcode::ArithMaximumf:
      binary(to, a, b, n, [](float x, float y) { return maximum(x, y); });
      break;
    case MicroOpcode::ArithMinimumf:
      binary(to, a, b, n, [](float x, float y) { return minimum(x, y); });
      break;
    case MicroOpcode::ArithCmpf:
      for (size_t i = 0; i < n; ++i)
        to[i] = compare(op.immediate, a[i], b[i]);
      break;
    case MicroOpcode::ArithSelect:
      for (size_t i = 0; i < n; ++i)
        to[i] = a[i] != 0 ? b[i] : c[i];
      break;
    case MicroOpcode::MathSqrt:
      unary(to, a, n, [](float x) { return std::sqrt(x); });
      break;
    case MicroOpcode::MathExp:
      unary(to, a, n, [](float x) { return exponential(x); });
      break;
    case MicroOpcode::MathTanh:
      unary(to, a, n, [](float x) { return std::tanh(x); });
      break;
    case MicroOpcode::MathErf:
      unary(to, a, n, [](float x) { return std::erf(x); });
      break;
    case MicroOpcode::MathLog:
      unary(to, a, n, [](float x) { return std::log(x); });
      break;
    case MicroOpcode::MathPowf:
      binary(to, a, b, n, [](float x, float y) { return std::pow(x, y); });
      break;
    case MicroOpcode::MathFloor:
      unary(to, a, n, [](float x) { return std::floor(x); });
      break;
    case MicroOpcode::MathCeil:
      unary(to, a, n, [](float x) { return std::ceil(x); });
      break;
    case MicroOpcode::MathRoundeven:
      unary(to, a, n, [](float x) { return std::nearbyint(x); });
      break;
    case MicroOpcode::MathAbsf:
      unary(to, a, n, [](float x) { return std::fabs(x); });
      break;
    case MicroOpcode::MathFma:
      for (size_t i = 0; i < n; ++i)
        to[i] = std::fma(a[i], b[i], c[i]);
      break;
    default:
      break; // hasBlockForm refused it
    }
  }
}

MHO_EVERY_WIDTH
void rt::combineBlock(WriteKind kind, float *into, const float *values,
                      size_t n) {
  switch (kind) {
  case WriteKind::Add:
    for (size_t i = 0; i < n; ++i)
      into[i] += values[i];
    break;
  case WriteKind::Mul:
    for (size_t i = 0; i < n; ++i)
      into[i] *= values[i];
    break;
  case WriteKind::Max:
    for (size_t i = 0; i < n; ++i)
      into[i] = maximum(into[i], values[i]);
    break;
  case WriteKind::Min:
    for (size_t i = 0; i < n; ++i)
      into[i] = minimum(into[i], values[i]);
    break;
  default:
    break;
  }
}

MHO_EVERY_WIDTH
void rt::combineInterleaved(WriteKind kind, float *partials,
                            const float *values, size_t n, size_t first) {
  size_t i = 0;
  for (; i < n && (first + i) % 16; ++i)
    combineBlock(kind, partials + (first + i) % 16, values + i, 1);
  for (; i + 16 <= n; i += 16)
    combineBlock(kind, partials, values + i, 16);
  combineBlock(kind, partials, values + i, n - i);
}
