//===- Gemm.cpp - dense f32 products through oneDNN -----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Runtime/Gemm.h"

#include "Buffer.h"
#include "PackedGemm.h"

#include <dnnl.h>
#include <dnnl_debug.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>

// clang's <omp.h> is in a package of its own.
extern "C" {
void omp_set_num_threads(int count);
int omp_get_max_threads(void);
}

namespace mho::rt {

namespace {

/// Below this many multiplications a piece for another thread costs more than
/// it gains (about 30 µs with AVX2).
constexpr int64_t kWorkPerPiece = 1 << 20;
constexpr int64_t kMostPieces = 32;
/// oneDNN packs the operand that is not cut again for every piece.
constexpr int64_t kShortestPiece = 64;

// Where our own kernel is clearly faster, measured on AVX2 (EPYC), one thread,
// oneDNN 2.6: with up to 8 rows and rows of B that lie in memory it takes 0.1
// to 0.5 of oneDNN's time for 32 × 32, 0.5 to 0.7 for 64 × 64, 0.7 to 0.9 for
// 64 × 256, and from 256 × 256 on the two are close. Products of 4096
// multiplications take either less than a microsecond, whatever the strides;
// a program that has only such ones does without the 25 ms in which oneDNN
// generates its code on the first call.
constexpr int64_t kSmall = 1 << 12;
constexpr int64_t kSmallOfFewRows = 1 << 16;

/// Within it, oneDNN's OpenMP starts no threads on behalf of the calling one:
/// our pool's are all there shall be. OpenMP keeps the number per thread, and
/// the caller's may belong to a host program.
class OneOpenMPThread {
public:
  OneOpenMPThread() { omp_set_num_threads(1); }
  ~OneOpenMPThread() { omp_set_num_threads(before); }
  OneOpenMPThread(const OneOpenMPThread &) = delete;
  OneOpenMPThread &operator=(const OneOpenMPThread &) = delete;

private:
  int before = omp_get_max_threads();
};

int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

template <typename T> MatrixView<T> transposed(MatrixView<T> view) {
  return {view.data, view.columnStride, view.rowStride};
}

template <typename T>
MatrixView<T> from(MatrixView<T> view, int64_t row, int64_t column) {
  view.data += row * view.rowStride + column * view.columnStride;
  return view;
}

MatrixView<const float> readOnly(MatrixView<float> view) {
  return {view.data, view.rowStride, view.columnStride};
}

/// A matrix in BLAS' terms: rows, or columns where it is transposed, whose
/// elements lie side by side, `leading` elements apart.
struct BlasForm {
  char transposed;
  int64_t leading;
};

std::optional<BlasForm> blasForm(MatrixView<const float> view, int64_t rows,
                                 int64_t columns) {
  auto leading = [](int64_t count, int64_t stride, int64_t length,
                    int64_t step) -> std::optional<int64_t> {
    if ((length > 1 && step != 1) || (count > 1 && stride < length))
      return std::nullopt;
    return std::max(stride, length);
  };
  if (auto apart = leading(rows, view.rowStride, columns, view.columnStride))
    return BlasForm{'N', *apart};
  if (auto apart = leading(columns, view.columnStride, rows, view.rowStride))
    return BlasForm{'T', *apart};
  return std::nullopt;
}

/// Reads, or else writes, along the shorter strides.
void copy(MatrixView<const float> source, MatrixView<float> target,
          int64_t rows, int64_t columns) {
  if (std::abs(source.rowStride) < std::abs(source.columnStride)) {
    source = transposed(source);
    target = transposed(target);
    std::swap(rows, columns);
  }
  for (int64_t i = 0; i < rows; ++i) {
    const float *in = source.data + i * source.rowStride;
    float *out = target.data + i * target.rowStride;
    for (int64_t j = 0; j < columns; ++j)
      out[j * target.columnStride] = in[j * source.columnStride];
  }
}

/// Rows that are a multiple of 2 KB apart fall on the same few lines of a
/// cache. oneDNN reads them one beside the other, for every piece again: 512 ×
/// 2048 × 512 in 8 pieces takes 1.9 times as long as whole, with a copy 1.1
/// times.
constexpr int64_t kSameLines = 512;
/// So often each value must be used that a copy does not count.
constexpr int64_t kUses = 64;

/// A matrix in BLAS' form: where it lies, or copied. `uses` of each value are
/// made in pieces of the product.
class Operand {
public:
  Operand(MatrixView<const float> source, int64_t rows, int64_t columns,
          int64_t uses) {
    std::optional<BlasForm> form = blasForm(source, rows, columns);
    bool collides = form && uses >= kUses && form->leading % kSameLines == 0;
    if (form && !collides) {
      data = source.data;
      letter = form->transposed;
      leading = form->leading;
      return;
    }
    bool byColumns =
        form ? form->transposed == 'T'
             : std::abs(source.rowStride) < std::abs(source.columnStride);
    letter = byColumns ? 'T' : 'N';
    leading = byColumns ? rows : columns;
    if (leading % kSameLines == 0)
      leading += 16;
    copied = Buffer<float>(size_t((byColumns ? columns : rows) * leading));
    MatrixView<float> target{copied.data(), byColumns ? 1 : leading,
                             byColumns ? leading : 1};
    copy(source, target, rows, columns);
    data = copied.data();
  }

  const float *data = nullptr;
  char letter = 'N';
  int64_t leading = 1;

private:
  Buffer<float> copied;
};

/// C's rows, or else its columns, in pieces of `length` that follow from the
/// shape alone: oneDNN's sums may depend on what stands beside them, but must
/// not on the number of threads.
struct Pieces {
  bool ofRows;
  int64_t length, count;
};

Pieces cut(int64_t m, int64_t n, int64_t k) {
  bool ofRows = m >= n;
  int64_t longer = std::max(m, n);
  int64_t count =
      std::clamp<int64_t>(m * n * k / kWorkPerPiece, 1, kMostPieces);
  int64_t length = std::max(ceilDiv(longer, count), kShortestPiece);
  length = ceilDiv(length, 16) * 16;
  return {ofRows, length, ceilDiv(longer, length)};
}

/// One call of the library. C's rows lie in memory, or it is computed aside.
Status product(int64_t m, int64_t n, int64_t k, const Operand &a,
               const Operand &b, MatrixView<float> c, bool accumulate) {
  std::optional<BlasForm> form = blasForm(readOnly(c), m, n);
  bool inPlace = form && form->transposed == 'N';
  Buffer<float> aside(inPlace ? 0 : size_t(m * n));
  MatrixView<float> result = c;
  if (inPlace) {
    result.rowStride = form->leading;
  } else {
    result = {aside.data(), n, 1};
    if (accumulate)
      copy(readOnly(c), result, m, n);
  }
  dnnl_status_t status =
      dnnl_sgemm(a.letter, b.letter, m, n, k, 1, a.data, a.leading, b.data,
                 b.leading, accumulate ? 1 : 0, result.data, result.rowStride);
  if (status != dnnl_success)
    return failure("oneDNN cannot multiply " + std::to_string(m) + " × " +
                   std::to_string(k) + " by " + std::to_string(k) + " × " +
                   std::to_string(n) + " values: " + dnnl_status2str(status));
  if (!inPlace)
    copy(readOnly(result), c, m, n);
  return success();
}

} // namespace

Status gemm(int64_t m, int64_t n, int64_t k, MatrixView<const float> a,
            MatrixView<const float> b, MatrixView<float> c, bool accumulate,
            ThreadPool *pool) {
  if (m <= 0 || n <= 0)
    return success();
  // The transposed product where C is written by columns.
  std::optional<BlasForm> form = blasForm(readOnly(c), m, n);
  if (form && form->transposed == 'T')
    return gemm(n, m, k, transposed(b), transposed(a), transposed(c),
                accumulate, pool);
  bool fewRows = m <= kRowsInPlace && b.columnStride == 1;
  if (k <= 0 || m * n * k <= (fewRows ? kSmallOfFewRows : kSmall)) {
    packedGemm(m, n, k, a, b, c, accumulate);
    return success();
  }
  Pieces pieces = cut(m, n, k);
  // The operand that is not cut; the other is seen to piece by piece.
  bool several = pieces.count > 1;
  Operand whole = pieces.ofRows ? Operand(b, k, n, several ? m : 0)
                                : Operand(a, m, k, several ? n : 0);
  auto run = [&](int64_t piece) {
    int64_t first = piece * pieces.length;
    if (pieces.ofRows) {
      int64_t rows = std::min(pieces.length, m - first);
      return product(rows, n, k,
                     Operand(from(a, first, 0), rows, k, several ? n : 0),
                     whole, from(c, first, 0), accumulate);
    }
    int64_t columns = std::min(pieces.length, n - first);
    return product(m, columns, k, whole,
                   Operand(from(b, 0, first), k, columns, several ? m : 0),
                   from(c, 0, first), accumulate);
  };
  return tryParallelFor(
      pool, size_t(pieces.count), 1, [&](size_t begin, size_t end) {
        OneOpenMPThread alone;
        for (size_t piece = begin; piece < end; ++piece)
          if (Status status = run(int64_t(piece)); !status.ok())
            return status;
        return success();
      });
}

} // namespace mho::rt
