//===- BlockMemory-inl.h - lanes to and from memory
//-------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The second half of Blocks-inl.h, which includes it inside its namespace:
// reductions along the lanes, and memory of every type.
//
//===----------------------------------------------------------------------===//

//===----------------------------------------------------------------------===//
// Reductions along the lanes
//===----------------------------------------------------------------------===//

template <typename T, typename F>
void foldLanes(void *partials, const void *values, size_t n, F f) {
  auto *p = static_cast<T *>(partials);
  auto *v = static_cast<const T *>(values);
  T sums[16];
  for (int i = 0; i < 16; ++i)
    sums[i] = p[i];
  size_t j = 0;
  for (; j + 16 <= n; j += 16)
    for (int i = 0; i < 16; ++i)
      sums[i] = f(sums[i], v[j + size_t(i)]);
  for (size_t i = 0; j + i < n; ++i)
    sums[i] = f(sums[i], v[j + i]);
  for (int i = 0; i < 16; ++i)
    p[i] = sums[i];
}

/// Combines the 16 partial results of each row pairwise; row r's value ends at
/// number r.
/// A float's bits as an integer of the same order, -0 below +0, and back.
inline int32_t orderOf(int32_t bits) {
  return bits ^ ((bits >> 31) & 0x7fffffff);
}

/// foldLanes with `larger` or `smaller` as steps, each of which would take ten
/// operations one after the other: as integers, with NaN aside.
template <bool isMax>
void foldExtremes(float *partials, const float *values, size_t n) {
  int32_t best[16], nan[16];
  auto step = [&](size_t i, float value) {
    int32_t order = orderOf(int32_t(bitsOf(value)));
    best[i] = isMax ? (order > best[i] ? order : best[i])
                    : (order < best[i] ? order : best[i]);
    nan[i] |= value != value ? -1 : 0;
  };
  for (size_t i = 0; i < 16; ++i) {
    best[i] = orderOf(int32_t(bitsOf(partials[i])));
    nan[i] = partials[i] != partials[i] ? -1 : 0;
  }
  size_t j = 0;
  for (; j + 16 <= n; j += 16)
    for (size_t i = 0; i < 16; ++i)
      step(i, values[j + i]);
  for (size_t i = 0; j + i < n; ++i)
    step(i, values[j + i]);
  for (size_t i = 0; i < 16; ++i)
    partials[i] =
        nan[i] ? quietNan<float>() : floatOf(uint32_t(orderOf(best[i])));
}

template <typename T, typename F>
void treeRows(void *partials, size_t rows, F f) {
  auto *p = static_cast<T *>(partials);
  for (size_t r = 0; r < rows; ++r) {
    T part[16];
    for (size_t i = 0; i < 16; ++i)
      part[i] = p[r * 16 + i];
    for (size_t step = 8; step; step /= 2)
      for (size_t i = 0; i < step; ++i)
        part[i] = f(part[i], part[i + step]);
    p[r] = part[0];
  }
}

/// Calls run(step) with the step of a reduction.
template <typename T>
bool withStep(WriteKind kind, auto max, auto min, auto run) {
  switch (kind) {
  case WriteKind::Add:
    run([](T a, T b) { return T(a + b); });
    return true;
  case WriteKind::Mul:
    run([](T a, T b) { return T(a * b); });
    return true;
  case WriteKind::Max:
    run(max);
    return true;
  case WriteKind::Min:
    run(min);
    return true;
  default:
    return false;
  }
}

/// Sums and products of signed numbers wrap as those of unsigned ones.
template <typename S, typename U> bool withIntegers(WriteKind kind, auto run) {
  return withStep<U>(
      kind, [](U a, U b) { return S(a) > S(b) ? a : b; },
      [](U a, U b) { return S(a) < S(b) ? a : b; }, run);
}
template <typename T> bool withFloats(WriteKind kind, auto run) {
  return withStep<T>(
      kind, [](T a, T b) { return larger(a, b); },
      [](T a, T b) { return smaller(a, b); }, run);
}

/// Every step is rounded to the type.
bool withNarrowFloats(Type type, WriteKind kind, auto run) {
  NarrowFormat format;
  if (!formatOf(type, format))
    return false;
  return withStep<float>(
      kind, [](float a, float b) { return larger(a, b); },
      [](float a, float b) { return smaller(a, b); },
      [&](auto f) {
        run([f, format](float a, float b) { return roundTo(format, f(a, b)); });
      });
}

bool fold(WriteKind kind, Type type, void *partials, const void *values,
          size_t n, size_t rows) {
  auto rowsOf = [&]<typename T>(T *p) {
    return [=](auto f) {
      auto *v = static_cast<const T *>(values);
      for (size_t r = 0; r < rows; ++r)
        foldLanes<T>(p + r * 16, v + r * n, n, f);
    };
  };
  auto extremes = [&](auto foldRow) {
    for (size_t r = 0; r < rows; ++r)
      foldRow(static_cast<float *>(partials) + r * 16,
              static_cast<const float *>(values) + r * n, n);
    return true;
  };
  switch (type) {
  case Type::F32:
    if (kind == WriteKind::Max)
      return extremes(foldExtremes<true>);
    if (kind == WriteKind::Min)
      return extremes(foldExtremes<false>);
    return withFloats<float>(kind, rowsOf(static_cast<float *>(partials)));
  case Type::F16:
  case Type::BF16:
    if (kind == WriteKind::Max)
      return extremes(foldExtremes<true>);
    if (kind == WriteKind::Min)
      return extremes(foldExtremes<false>);
    return withNarrowFloats(type, kind, rowsOf(static_cast<float *>(partials)));
  case Type::F64:
    return withFloats<double>(kind, rowsOf(static_cast<double *>(partials)));
  case Type::I32:
    return withIntegers<int32_t, uint32_t>(
        kind, rowsOf(static_cast<uint32_t *>(partials)));
  case Type::I64:
    return withIntegers<int64_t, uint64_t>(
        kind, rowsOf(static_cast<uint64_t *>(partials)));
  default:
    return false;
  }
}

bool tree(WriteKind kind, Type type, void *partials, size_t rows) {
  switch (type) {
  case Type::F32:
    return withFloats<float>(
        kind, [=](auto f) { treeRows<float>(partials, rows, f); });
  case Type::F16:
  case Type::BF16:
    return withNarrowFloats(
        type, kind, [=](auto f) { treeRows<float>(partials, rows, f); });
  case Type::F64:
    return withFloats<double>(
        kind, [=](auto f) { treeRows<double>(partials, rows, f); });
  case Type::I32:
    return withIntegers<int32_t, uint32_t>(
        kind, [=](auto f) { treeRows<uint32_t>(partials, rows, f); });
  case Type::I64:
    return withIntegers<int64_t, uint64_t>(
        kind, [=](auto f) { treeRows<uint64_t>(partials, rows, f); });
  default:
    return false;
  }
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

template <typename L, typename M>
void gather(void *lanes, const std::byte *memory, int64_t stride, size_t n) {
  auto *out = static_cast<L *>(lanes);
  if (stride == int64_t(sizeof(M))) {
    auto *in = reinterpret_cast<const M *>(memory);
    MHO_LANES
    for (size_t i = 0; i < n; ++i)
      out[i] = L(in[i]);
    return;
  }
  auto *in = reinterpret_cast<const M *>(memory);
  int64_t step = stride / int64_t(sizeof(M));
  for (size_t i = 0; i < n; ++i)
    out[i] = L(in[int64_t(i) * step]);
}

template <typename L, typename M>
void scatter(std::byte *memory, int64_t stride, const void *lanes, size_t n) {
  auto *in = static_cast<const L *>(lanes);
  auto *out = reinterpret_cast<M *>(memory);
  if (stride == int64_t(sizeof(M))) {
    MHO_LANES
    for (size_t i = 0; i < n; ++i)
      out[i] = M(in[i]);
    return;
  }
  int64_t step = stride / int64_t(sizeof(M));
  for (size_t i = 0; i < n; ++i)
    out[int64_t(i) * step] = M(in[i]);
}

/// The bits of an f16 as those of its f32: moved up, and scaled to the other
/// bias. NaN as the reference has it.
inline uint32_t fromHalf(uint32_t half) {
  uint32_t sign = (half & 0x8000u) << 16, rest = (half & 0x7fffu) << 13;
  uint32_t finite = bitsOf(floatOf(rest) * 0x1p112f);
  uint32_t special = rest > 0x0f800000u ? 0x7fc00000u : 0x7f800000u;
  uint32_t bits = rest >= 0x0f800000u ? special : finite;
  return bits == 0x7fc00000u ? bits : bits | sign;
}

/// An f32 that f16 can hold, as f16.
inline uint32_t toHalf(float value) {
  uint32_t bits = bitsOf(value), sign = (bits >> 16) & 0x8000u;
  uint32_t abs = bits & 0x7fffffffu;
  uint32_t normal = (abs - 0x38000000u) >> 13;
  auto small =
      uint32_t(int32_t(floatOf(abs > 0x38800000u ? 0 : abs) * 0x1p24f));
  uint32_t half = abs < 0x38800000u ? small : normal;
  half = abs == 0x7f800000u ? 0x7c00u : half;
  return (abs > 0x7f800000u ? 0x7e00u : half) | sign;
}

/// An f32 that bf16 can hold, as bf16.
inline uint32_t toBfloat(float value) {
  uint32_t bits = bitsOf(value);
  return value != value ? 0x7fc0u | (bits >> 16 & 0x8000u) : bits >> 16;
}

bool load(Type type, void *lanes, const std::byte *memory, int64_t stride,
          size_t n) {
  switch (type) {
  case Type::F32:
  case Type::I32:
  case Type::U32:
    gather<uint32_t, uint32_t>(lanes, memory, stride, n);
    return true;
  case Type::F64:
  case Type::I64:
  case Type::U64:
    gather<uint64_t, uint64_t>(lanes, memory, stride, n);
    return true;
  case Type::I8:
  case Type::I4:
    gather<int32_t, int8_t>(lanes, memory, stride, n);
    return type == Type::I8;
  case Type::U8:
    gather<int32_t, uint8_t>(lanes, memory, stride, n);
    return true;
  case Type::I16:
    gather<int32_t, int16_t>(lanes, memory, stride, n);
    return true;
  case Type::U16:
    gather<int32_t, uint16_t>(lanes, memory, stride, n);
    return true;
  case Type::Bool: {
    gather<int32_t, uint8_t>(lanes, memory, stride, n);
    auto *flags = static_cast<int32_t *>(lanes);
    MHO_LANES
    for (size_t i = 0; i < n; ++i)
      flags[i] = flags[i] != 0;
    return true;
  }
  case Type::F16: {
    gather<uint32_t, uint16_t>(lanes, memory, stride, n);
    auto *bits = static_cast<uint32_t *>(lanes);
    MHO_LANES
    for (size_t i = 0; i < n; ++i)
      bits[i] = fromHalf(bits[i]);
    return true;
  }
  case Type::BF16: {
    gather<uint32_t, uint16_t>(lanes, memory, stride, n);
    auto *bits = static_cast<uint32_t *>(lanes);
    MHO_LANES
    for (size_t i = 0; i < n; ++i)
      bits[i] <<= 16;
    return true;
  }
  default:
    return false;
  }
}

bool store(Type type, std::byte *memory, int64_t stride, const void *lanes,
           size_t n) {
  switch (type) {
  case Type::F32:
  case Type::I32:
  case Type::U32:
    scatter<uint32_t, uint32_t>(memory, stride, lanes, n);
    return true;
  case Type::F64:
  case Type::I64:
  case Type::U64:
    scatter<uint64_t, uint64_t>(memory, stride, lanes, n);
    return true;
  case Type::I8:
  case Type::U8:
  case Type::Bool:
    scatter<uint32_t, uint8_t>(memory, stride, lanes, n);
    return true;
  case Type::F16:
  case Type::BF16: {
    // In pieces: lanes are not to be changed.
    auto *floats = static_cast<const float *>(lanes);
    for (size_t done = 0; done < n; done += 256) {
      uint32_t bits[256];
      size_t count = n - done < 256 ? n - done : 256;
      if (type == Type::F16) {
        MHO_LANES
        for (size_t i = 0; i < count; ++i)
          bits[i] = toHalf(floats[done + i]);
      } else {
        MHO_LANES
        for (size_t i = 0; i < count; ++i)
          bits[i] = toBfloat(floats[done + i]);
      }
      scatter<uint32_t, uint16_t>(memory + int64_t(done) * stride, stride, bits,
                                  count);
    }
    return true;
  }
  case Type::I16:
  case Type::U16:
    scatter<uint32_t, uint16_t>(memory, stride, lanes, n);
    return true;
  default:
    return false;
  }
}

#define MHO_STRING2(x) #x
#define MHO_STRING(x) MHO_STRING2(x)
