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

template <typename T>
bool foldKind(WriteKind kind, void *partials, const void *values, size_t n,
              auto max, auto min) {
  switch (kind) {
  case WriteKind::Add:
    foldLanes<T>(partials, values, n, [](T a, T b) { return T(a + b); });
    return true;
  case WriteKind::Mul:
    foldLanes<T>(partials, values, n, [](T a, T b) { return T(a * b); });
    return true;
  case WriteKind::Max:
    foldLanes<T>(partials, values, n, max);
    return true;
  case WriteKind::Min:
    foldLanes<T>(partials, values, n, min);
    return true;
  default:
    return false;
  }
}

template <typename T>
bool foldFloats(WriteKind kind, void *partials, const void *values, size_t n) {
  return foldKind<T>(
      kind, partials, values, n, [](T a, T b) { return larger(a, b); },
      [](T a, T b) { return smaller(a, b); });
}

/// Sums and products of signed numbers wrap as those of unsigned ones.
template <typename S, typename U>
bool foldIntegers(WriteKind kind, void *partials, const void *values,
                  size_t n) {
  return foldKind<U>(
      kind, partials, values, n, [](U a, U b) { return S(a) > S(b) ? a : b; },
      [](U a, U b) { return S(a) < S(b) ? a : b; });
}

bool fold(WriteKind kind, Type type, void *partials, const void *values,
          size_t n) {
  switch (type) {
  case Type::F32:
    return foldFloats<float>(kind, partials, values, n);
  case Type::F64:
    return foldFloats<double>(kind, partials, values, n);
  case Type::I32:
    return foldIntegers<int32_t, uint32_t>(kind, partials, values, n);
  case Type::I64:
    return foldIntegers<int64_t, uint64_t>(kind, partials, values, n);
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
