//===- Window-inl.h - sums over windows, in registers -----------------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Included by Blocks-inl.h inside its namespace. The partial results of a strip
// of lanes stay in registers while all taps of a window pass.
//
//===----------------------------------------------------------------------===//

template <int N> struct VectorOf {
  typedef float F __attribute__((ext_vector_type(N)));
  typedef uint32_t U __attribute__((ext_vector_type(N)));
};

struct SumStep {
  static constexpr float identity = -0.0f;
  template <int N> static auto apply(auto a, auto b) { return a + b; }
};
template <bool isMax> struct ExtremeStep {
  static constexpr float identity =
      isMax ? -__builtin_inff() : __builtin_inff();
  template <int N> static auto apply(auto a, auto b) {
    using F = typename VectorOf<N>::F;
    using U = typename VectorOf<N>::U;
    F r = isMax ? (a > b ? a : b) : (a < b ? a : b);
    // Of +0 and -0 the larger is +0; NaN if either is.
    F same = isMax ? (F)((U)a & (U)b) : (F)((U)a | (U)b);
    r = a == b ? same : r;
    F nan = (F)(__builtin_nanf(""));
    r = a != a ? nan : r;
    return b != b ? nan : r;
  }
};

/// N lanes of one row.
template <typename Step, bool weighted, int N>
void windowStrip(const Window &call, const float *x, const float *w,
                 float *out) {
  using F = typename VectorOf<N>::F;
  auto load = [](const float *from) {
    F v;
    __builtin_memcpy(&v, from, sizeof v);
    return v;
  };
  F parts[16];
  const Tap *tap = call.taps;
  for (size_t p = 0; p < call.partials; ++p) {
    F sum = (F)(Step::identity);
    for (const Tap *end = call.taps + call.ends[p]; tap < end; ++tap) {
      F v = load(x + tap->x);
      if constexpr (weighted)
        v = call.scalarWeights ? v * (F)(w[tap->w]) : v * load(w + tap->w);
      sum = Step::template apply<N>(sum, v);
    }
    parts[p] = sum;
  }
  for (size_t step = 8; step; step /= 2)
    for (size_t p = 0; p < step && p + step < call.partials; ++p)
      parts[p] = Step::template apply<N>(parts[p], parts[p + step]);
  F first = call.fromMemory ? load(out) : (F)(call.init);
  first = Step::template apply<N>(first, parts[0]);
  __builtin_memcpy(out, &first, sizeof first);
}

/// Sums of products with `partials` partial results in `rows` neighbouring rows
/// that share the weights: a vector of weights is loaded once for all of them,
/// and the sums stay in registers. Of the same bits as windowStrip.
template <int partials, int rows>
void productRows(const Window &call, const float *x, const float *w,
                 float *out) {
  constexpr int N = 8;
  using F = typename VectorOf<N>::F;
  auto load = [](const float *from) {
    F v;
    __builtin_memcpy(&v, from, sizeof v);
    return v;
  };
  F parts[partials][rows];
  const Tap *tap = call.taps;
#pragma clang loop unroll(full)
  for (int p = 0; p < partials; ++p) {
    F sums[rows];
    for (int r = 0; r < rows; ++r)
      sums[r] = (F)(SumStep::identity);
    for (const Tap *end = call.taps + call.ends[p]; tap < end; ++tap) {
      F weight = load(w + tap->w);
      const float *from = x + tap->x;
      for (int r = 0; r < rows; ++r)
        sums[r] = sums[r] + load(from + r * call.xRow) * weight;
    }
    for (int r = 0; r < rows; ++r)
      parts[p][r] = sums[r];
  }
#pragma clang loop unroll(full)
  for (int step = 8; step; step /= 2)
    for (int p = 0; p < step && p + step < partials; ++p)
      for (int r = 0; r < rows; ++r)
        parts[p][r] = parts[p][r] + parts[p + step][r];
  for (int r = 0; r < rows; ++r) {
    float *to = out + r * call.outRow;
    F first = call.fromMemory ? load(to) : (F)(call.init);
    first = first + parts[0][r];
    __builtin_memcpy(to, &first, sizeof first);
  }
}

template <int partials, int rows>
void productRow(const Window &call, int64_t row, size_t lanes) {
  for (size_t i = 0; i < lanes; i += 8)
    productRows<partials, rows>(call, call.x + row * call.xRow + i, call.w + i,
                                call.out + row * call.outRow + i);
}

/// All rows of a product whose weights are the same for all of them, in
/// `lanes` lanes, which 8 divides. Five rows at most, that none stays alone.
template <int partials> void productBlocks(const Window &call, size_t lanes) {
  int64_t row = 0;
  for (; row + 6 <= call.rows || row + 4 == call.rows; row += 4)
    productRow<partials, 4>(call, row, lanes);
  if (row + 5 == call.rows)
    productRow<partials, 5>(call, row, lanes);
  else if (row + 3 == call.rows)
    productRow<partials, 3>(call, row, lanes);
  else if (row + 2 == call.rows)
    productRow<partials, 2>(call, row, lanes);
  else if (row + 1 == call.rows)
    productRow<partials, 1>(call, row, lanes);
}

/// False: there is no such form of it.
bool productBlocks(const Window &call, size_t lanes) {
  if (call.wRow != 0 || call.scalarWeights)
    return false;
  switch (call.partials) {
  case 1:
    return productBlocks<1>(call, lanes), true;
  case 2:
    return productBlocks<2>(call, lanes), true;
  case 3:
    return productBlocks<3>(call, lanes), true;
  case 5:
    return productBlocks<5>(call, lanes), true;
  case 7:
    return productBlocks<7>(call, lanes), true;
  default:
    return false;
  }
}

template <typename Step, bool weighted> void windowRows(const Window &call) {
  size_t done = 0;
  if constexpr (weighted && std::is_same_v<Step, SumStep>)
    if (productBlocks(call, call.lanes / 8 * 8))
      done = call.lanes / 8 * 8;
  for (int64_t row = 0; done < call.lanes && row < call.rows; ++row) {
    const float *x = call.x + row * call.xRow;
    const float *w = weighted ? call.w + row * call.wRow : nullptr;
    float *out = call.out + row * call.outRow;
    size_t i = done, step = weighted && !call.scalarWeights ? 1 : 0;
    for (; i + 32 <= call.lanes; i += 32)
      windowStrip<Step, weighted, 32>(call, x + i, w + i * step, out + i);
    for (; i + 8 <= call.lanes; i += 8)
      windowStrip<Step, weighted, 8>(call, x + i, w + i * step, out + i);
    for (; i < call.lanes; ++i)
      windowStrip<Step, weighted, 1>(call, x + i, w + i * step, out + i);
  }
}

template <typename Step> void windowsOf(const Window &call) {
  if (call.w)
    windowRows<Step, true>(call);
  else
    windowRows<Step, false>(call);
}

void window(const Window &call) {
  if (call.kind == WriteKind::Add)
    windowsOf<SumStep>(call);
  else if (call.kind == WriteKind::Max)
    windowsOf<ExtremeStep<true>>(call);
  else
    windowsOf<ExtremeStep<false>>(call);
}
