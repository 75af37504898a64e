//===- PackedGemm.cpp - dense products on our own packed kernels ----------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PackedGemm.h"

#include "Buffer.h"
#include "Kernels.h"

#include <algorithm>
#include <type_traits>

namespace mho::rt {

namespace {

using kernels::kPanel;
constexpr int64_t kBlockRows = 48;
/// Below this much work a split over threads costs more than it gains.
constexpr int64_t kWorkPerTask = 1 << 18;

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

template <typename Body>
void each(ThreadPool *pool, int64_t n, int64_t grain, const Body &body) {
  if (pool && n > grain)
    pool->parallelFor(size_t(n), size_t(grain), [&](size_t b, size_t e) {
      body(int64_t(b), int64_t(e));
    });
  else
    body(0, n);
}

/// One panel of columns [first, first + 16), `step` rows of B interleaved,
/// zeros beyond the matrix.
template <typename T, typename P>
void packPanel(MatrixView<const T> b, int64_t k, int64_t n, int64_t first,
               int64_t step, P *panel) {
  int64_t columns = std::min(kPanel, n - first);
  for (int64_t row = 0; row < k; row += step, panel += kPanel * step) {
    if (columns < kPanel || row + step > k)
      std::fill_n(panel, kPanel * step, P(0));
    for (int64_t i = 0; i < step && row + i < k; ++i) {
      const T *from = b.data + (row + i) * b.rowStride + first * b.columnStride;
      for (int64_t c = 0; c < columns; ++c)
        panel[c * step + i] = P(from[c * b.columnStride]);
    }
  }
}

template <typename A, typename B, typename C, typename PA, typename PB>
void multiply(int64_t m, int64_t n, int64_t k, MatrixView<const A> a,
              MatrixView<const B> b, MatrixView<C> c, bool accumulate,
              int64_t step, void (*kernel)(const kernels::Product<PA, PB, C> &),
              ThreadPool *pool) {
  if (m <= 0 || n <= 0)
    return;
  if (k <= 0) {
    for (int64_t i = 0; i < m && !accumulate; ++i)
      for (int64_t j = 0; j < n; ++j)
        c.data[i * c.rowStride + j * c.columnStride] = 0;
    return;
  }
  int64_t panelCount = ceilDiv(n, kPanel), padded = ceilDiv(k, step) * step;
  // Few rows: read B where it is, only a last, partial panel is copied.
  bool inPlace = std::is_same_v<B, PB> && step == 1 && b.columnStride == 1 &&
                 m <= kRowsInPlace;
  int64_t whole = inPlace ? n / kPanel : 0;
  Buffer<PB> packed(size_t((panelCount - whole) * kPanel * padded));
  int64_t panelWork = kPanel * k;
  each(pool, panelCount - whole, std::max<int64_t>(1, kWorkPerTask / panelWork),
       [&](int64_t begin, int64_t end) {
         for (int64_t p = begin; p < end; ++p)
           packPanel(b, k, n, (whole + p) * kPanel, step,
                     packed.data() + p * kPanel * padded);
       });

  bool direct = !accumulate && c.columnStride == 1 && n % kPanel == 0;
  bool rowsInPlace =
      std::is_same_v<A, PA> && a.columnStride == 1 && padded == k;
  // Blocks of rows and of panels, both free to run on any thread.
  int64_t rowBlocks = ceilDiv(m, kBlockRows);
  int64_t wide = ceilDiv(kWorkPerTask, panelWork * std::min(m, kBlockRows));
  wide = std::min(std::max<int64_t>(ceilDiv(wide, 4) * 4, 4), panelCount);
  if (!pool || pool->size() == 1)
    wide = panelCount;
  int64_t panelBlocks = ceilDiv(panelCount, wide);
  each(pool, rowBlocks * panelBlocks, 1, [&](int64_t begin, int64_t end) {
    Buffer<C> results(direct ? 0 : size_t(kBlockRows * wide * kPanel));
    Buffer<PA> copies(rowsInPlace ? 0 : size_t(kBlockRows * padded));
    for (int64_t task = begin; task < end; ++task) {
      int64_t row = task / panelBlocks * kBlockRows;
      int64_t first = task % panelBlocks * wide;
      int64_t rows = std::min(kBlockRows, m - row);
      int64_t last = std::min(first + wide, panelCount);
      const PA *pointers[kBlockRows];
      for (int64_t i = 0; i < rows; ++i) {
        const A *from = a.data + (row + i) * a.rowStride;
        if constexpr (std::is_same_v<A, PA>)
          pointers[i] = from;
        if (rowsInPlace)
          continue;
        PA *to = copies.data() + i * padded;
        pointers[i] = to;
        for (int64_t j = 0; j < k; ++j)
          to[j] = PA(from[j * a.columnStride]);
        std::fill(to + k, to + padded, PA(0));
      }
      kernels::Run run{0, padded};
      kernels::Product<PA, PB, C> product{};
      product.rows = pointers;
      product.rowCount = rows;
      product.runs = &run;
      product.runCount = 1;
      product.out =
          direct ? c.data + row * c.rowStride + first * kPanel : results.data();
      product.outStride = direct ? c.rowStride : wide * kPanel;
      int64_t here = std::clamp(whole, first, last);
      if constexpr (std::is_same_v<B, PB>) {
        product.panels = b.data + first * kPanel;
        product.panelStride = kPanel;
        product.panelRow = b.rowStride;
        product.panelCount = here - first;
        if (product.panelCount > 0)
          kernel(product);
      }
      product.panels = packed.data() + (here - whole) * kPanel * padded;
      product.panelStride = kPanel * padded;
      product.panelRow = kPanel * step;
      product.panelCount = last - here;
      product.out += (here - first) * kPanel;
      if (product.panelCount > 0)
        kernel(product);
      if (direct)
        continue;
      int64_t columns = std::min(last * kPanel, n) - first * kPanel;
      for (int64_t i = 0; i < rows; ++i) {
        C *to =
            c.data + (row + i) * c.rowStride + first * kPanel * c.columnStride;
        const C *from = results.data() + i * wide * kPanel;
        if (c.columnStride == 1 && !accumulate)
          std::copy_n(from, columns, to);
        else
          for (int64_t j = 0; j < columns; ++j) {
            C &target = to[j * c.columnStride];
            if constexpr (std::is_integral_v<C>)
              target = accumulate ? C(uint32_t(target) + uint32_t(from[j]))
                                  : from[j];
            else
              target = accumulate ? target + from[j] : from[j];
          }
      }
    }
  });
}

template <typename A, typename B>
void bytes(int64_t m, int64_t n, int64_t k, MatrixView<const A> a,
           MatrixView<const B> b, MatrixView<int32_t> c, bool accumulate,
           ThreadPool *pool) {
  multiply<A, B, int32_t, int16_t, int16_t>(m, n, k, a, b, c, accumulate, 2,
                                            kernels::table().productS16, pool);
}

} // namespace

void packedGemm(int64_t m, int64_t n, int64_t k, MatrixView<const float> a,
                MatrixView<const float> b, MatrixView<float> c,
                bool accumulate) {
  multiply<float, float, float, float, float>(
      m, n, k, a, b, c, accumulate, 1, kernels::table().productF32, nullptr);
}

void gemm(int64_t m, int64_t n, int64_t k, MatrixView<const int8_t> a,
          MatrixView<const int8_t> b, MatrixView<int32_t> c, bool accumulate,
          ThreadPool *pool) {
  bytes(m, n, k, a, b, c, accumulate, pool);
}
void gemm(int64_t m, int64_t n, int64_t k, MatrixView<const uint8_t> a,
          MatrixView<const int8_t> b, MatrixView<int32_t> c, bool accumulate,
          ThreadPool *pool) {
  bytes(m, n, k, a, b, c, accumulate, pool);
}
void gemm(int64_t m, int64_t n, int64_t k, MatrixView<const int8_t> a,
          MatrixView<const uint8_t> b, MatrixView<int32_t> c, bool accumulate,
          ThreadPool *pool) {
  bytes(m, n, k, a, b, c, accumulate, pool);
}
void gemm(int64_t m, int64_t n, int64_t k, MatrixView<const uint8_t> a,
          MatrixView<const uint8_t> b, MatrixView<int32_t> c, bool accumulate,
          ThreadPool *pool) {
  bytes(m, n, k, a, b, c, accumulate, pool);
}

} // namespace mho::rt
