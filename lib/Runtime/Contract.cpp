//===- Contract.cpp - products of values ----------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A contraction as products of matrices (Gemm.h). Where the axes of a role are
// no single dimension in memory (windows of a convolution, heads of an
// attention), the operand is gathered into a matrix, block of rows by block of
// rows. Blocks follow from the extents alone: results do not depend on threads.
//
//===----------------------------------------------------------------------===//

#include "Arrays/Buffer.h"
#include "GroupRun.h"
#include "Kernel/Kernel.h"
#include "Points.h"
#include "mho/Runtime/Gemm.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

using namespace mho;
using namespace mho::rt;
using namespace mho::isa;

namespace {

/// Values of a gathered block of rows: they stay in a core's cache.
constexpr int64_t kBlockValues = 1 << 17;
constexpr int64_t kFewestRows = 64;
/// A copy pays where each copied value is used that often.
constexpr int64_t kUses = 16;
/// Products of more multiplications run one after the other with all threads
/// in each, smaller ones side by side.
constexpr int64_t kLargeProduct = 1 << 22;
/// Values worth a thread when an operand is gathered.
constexpr int64_t kGatherPerThread = 1 << 15;

/// One dimension with a stride per operand, in elements.
struct Axis {
  int64_t extent, lhs, rhs, out;
};
using Axes = std::vector<Axis>;
/// Which operand: its member of Axis.
using Stride = int64_t Axis::*;

int64_t elements(std::span<const Axis> axes) {
  int64_t count = 1;
  for (const Axis &axis : axes)
    count *= axis.extent;
  return count;
}

std::vector<int64_t> extentsOf(std::span<const Axis> axes) {
  std::vector<int64_t> extents;
  for (const Axis &axis : axes)
    extents.push_back(axis.extent);
  return extents;
}

int64_t offset(const std::vector<int64_t> &point, std::span<const Axis> axes,
               Stride stride) {
  int64_t sum = 0;
  for (size_t d = 0; d < point.size(); ++d)
    sum += point[d] * axes[d].*stride;
  return sum;
}

/// Merges dimensions where all strides allow it.
Axes coalesce(std::span<const Axis> axes) {
  Axes merged;
  for (const Axis &axis : axes) {
    if (axis.extent == 1)
      continue;
    if (!merged.empty()) {
      Axis &outer = merged.back();
      if (outer.lhs == axis.lhs * axis.extent &&
          outer.rhs == axis.rhs * axis.extent &&
          outer.out == axis.out * axis.extent) {
        outer = {outer.extent * axis.extent, axis.lhs, axis.rhs, axis.out};
        continue;
      }
    }
    merged.push_back(axis);
  }
  return merged;
}

/// Whether an operand has one stride for all of the axes.
bool isOneDimension(std::span<const Axis> axes, Stride stride) {
  for (size_t d = 1; d < axes.size(); ++d)
    if (axes[d - 1].*stride != axes[d].*stride * axes[d].extent)
      return false;
  return true;
}

int64_t innermost(std::span<const Axis> axes, Stride stride) {
  return axes.empty() ? 0 : axes.back().*stride;
}

bool isMatrix(std::span<const Axis> rows, std::span<const Axis> columns,
              Stride stride) {
  return isOneDimension(rows, stride) && isOneDimension(columns, stride);
}

/// All axes but the largest become loops.
void keepLargest(Axes &axes, Axes &loops) {
  auto largest = std::max_element(
      axes.begin(), axes.end(),
      [](const Axis &a, const Axis &b) { return a.extent < b.extent; });
  std::rotate(axes.begin(), largest, largest + 1);
  loops.insert(loops.end(), axes.begin() + 1, axes.end());
  axes.resize(1);
}

/// A matrix of elements of any type; strides in elements.
struct View {
  std::byte *data;
  int64_t rowStride, columnStride;
};

View inPlace(std::byte *data, std::span<const Axis> rows,
             std::span<const Axis> columns, Stride stride) {
  return {data, innermost(rows, stride), innermost(columns, stride)};
}

/// How a matrix over axes goes to and from memory of its own. The side that has
/// the shorter steps in memory has them there, too.
struct Packing {
  Packing(std::span<const Axis> rows, std::span<const Axis> columns,
          Stride stride, size_t bytes)
      : bytes(bytes), byColumns(std::abs(innermost(rows, stride)) <
                                std::abs(innermost(columns, stride))) {
    auto add = [&](std::span<const Axis> axes) {
      for (const Axis &axis : axes) {
        extents.push_back(axis.extent);
        apart.push_back(axis.*stride * int64_t(bytes));
      }
    };
    add(byColumns ? columns : rows);
    add(byColumns ? rows : columns);
    length = elements(byColumns ? rows : columns);
    packed.resize(extents.size());
    int64_t step = int64_t(bytes);
    for (size_t d = extents.size(); d-- > 0; step *= extents[d])
      packed[d] = step;
    count = step / int64_t(bytes);
  }

  View view(std::byte *memory) const {
    return byColumns ? View{memory, 1, length} : View{memory, length, 1};
  }
  void gather(const std::byte *from, std::byte *to, ThreadPool *pool) const {
    if (!pool || count <= kGatherPerThread || extents.empty())
      return moveStrided(bytes, extents, from, apart, to, packed);
    int64_t grain = std::max<int64_t>(1, kGatherPerThread * extents[0] / count);
    pool->parallelFor(
        size_t(extents[0]), size_t(grain), [&](size_t begin, size_t end) {
          std::vector<int64_t> part = extents;
          part[0] = int64_t(end - begin);
          moveStrided(bytes, part, from + int64_t(begin) * apart[0], apart,
                      to + int64_t(begin) * packed[0], packed);
        });
  }
  void scatter(const std::byte *from, std::byte *to) const {
    moveStrided(bytes, extents, from, packed, to, apart);
  }

  size_t bytes;
  bool byColumns;
  std::vector<int64_t> extents, apart, packed;
  int64_t length, count;
};

/// Some of the rows.
struct Block {
  Axes rows;
  int64_t lhs, out; ///< elements to the first
};

/// Blocks of at most `most` rows, each a box of the axes.
std::vector<Block> blocksOf(const Axes &rows, int64_t most) {
  if (elements(rows) <= most)
    return {{rows, 0, 0}};
  size_t cut = 0;
  int64_t within = elements(rows) / rows[0].extent;
  for (; within > most; ++cut)
    within /= rows[cut + 1].extent;
  const Axis &axis = rows[cut];
  int64_t longest = std::max<int64_t>(1, most / within);
  int64_t pieces = (axis.extent + longest - 1) / longest;
  int64_t length = (axis.extent + pieces - 1) / pieces;
  std::span<const Axis> outer(rows.data(), cut);
  std::vector<Block> blocks;
  forEachPoint(extentsOf(outer), [&](const std::vector<int64_t> &point) {
    for (int64_t first = 0; first < axis.extent; first += length) {
      Axes box(rows.begin() + ptrdiff_t(cut), rows.end());
      box[0].extent = std::min(length, axis.extent - first);
      blocks.push_back({coalesce(box),
                        offset(point, outer, &Axis::lhs) + first * axis.lhs,
                        offset(point, outer, &Axis::out) + first * axis.out});
    }
    return true;
  });
  return blocks;
}

using Multiply = Status (*)(int64_t m, int64_t n, int64_t k, View a, View b,
                            View c, bool accumulate, ThreadPool *pool);

template <typename L, typename R, typename O>
Status multiply(int64_t m, int64_t n, int64_t k, View a, View b, View c,
                bool accumulate, ThreadPool *pool) {
  auto of = []<typename T>(View view, T *) {
    return MatrixView<T>{reinterpret_cast<T *>(view.data), view.rowStride,
                         view.columnStride};
  };
  auto left = of(a, static_cast<const L *>(nullptr));
  auto right = of(b, static_cast<const R *>(nullptr));
  auto result = of(c, static_cast<O *>(nullptr));
  if constexpr (std::is_same_v<L, float>)
    return gemm(m, n, k, left, right, result, accumulate, pool);
  else
    gemm(m, n, k, left, right, result, accumulate, pool);
  return success();
}

Multiply multiplyOf(Type left, Type right) {
  if (left == Type::F32)
    return multiply<float, float, float>;
  bool signedRight = right == Type::I8;
  if (left == Type::I8)
    return signedRight ? multiply<int8_t, int8_t, int32_t>
                       : multiply<int8_t, uint8_t, int32_t>;
  return signedRight ? multiply<uint8_t, int8_t, int32_t>
                     : multiply<uint8_t, uint8_t, int32_t>;
}

/// out[loops, rows, columns] (+)= Σ_sums Σ_inner lhs · rhs, matrix by matrix.
class Contraction {
public:
  Contraction(Axes (&roles)[4], Type left, Type right, bool accumulate)
      : loops(roles[0]), rows(roles[1]), columns(roles[2]), inner(roles[3]),
        accumulate(accumulate) {
    keepWhatPays();
    bool lhsLies = isMatrix(rows, inner, &Axis::lhs);
    rhsLies = isMatrix(columns, inner, &Axis::rhs);
    // Blocks are of the left operand's rows: there stands what is gathered.
    if (!rhsLies && (lhsLies || elements(columns) > elements(rows))) {
      swapOperands();
      std::swap(left, right);
      std::swap(lhsLies, rhsLies);
      swapped = true;
    }
    lhsBytes = sizeOf(left);
    rhsBytes = sizeOf(right);
    multiplies = multiplyOf(left, right);
    m = elements(rows);
    n = elements(columns);
    k = elements(inner);
    int64_t most = m;
    if (!lhsLies || !isMatrix(rows, columns, &Axis::out))
      most = std::max(kFewestRows, kBlockValues / std::max({k, n, int64_t(1)}));
    blocks = blocksOf(rows, most);
  }

  Status run(const std::byte *lhs, const std::byte *rhs, std::byte *out,
             ThreadPool *pool) const {
    if (swapped)
      std::swap(lhs, rhs);
    std::vector<int64_t> extents = extentsOf(loops);
    int64_t products = elements(loops);
    auto one = [&](const std::vector<int64_t> &point, ThreadPool *threads) {
      return product(lhs + offset(point, loops, &Axis::lhs) * lhsBytes,
                     rhs + offset(point, loops, &Axis::rhs) * rhsBytes,
                     out + offset(point, loops, &Axis::out) * kOutBytes,
                     threads);
    };
    if (!pool || products == 1 || m * n * k >= kLargeProduct) {
      Status status;
      forEachPoint(extents, [&](const std::vector<int64_t> &point) {
        status = one(point, pool);
        return status.ok();
      });
      return status;
    }
    return tryParallelFor(
        pool, size_t(products), 1, [&](size_t begin, size_t end) {
          std::vector<int64_t> point(extents.size());
          for (size_t i = begin; i < end; ++i) {
            int64_t rest = int64_t(i);
            for (size_t d = extents.size(); d-- > 0; rest /= extents[d])
              point[d] = rest % extents[d];
            if (Status status = one(point, nullptr); !status.ok())
              return status;
          }
          return success();
        });
  }

private:
  static constexpr int64_t kOutBytes = 4;

  /// Axes that are no single dimension stay together where the copy that they
  /// ask for pays.
  void keepWhatPays() {
    auto stays = [](const Axes &axes, Stride first, int64_t usesOfFirst,
                    Stride second, int64_t usesOfSecond) {
      return (isOneDimension(axes, first) || usesOfFirst >= kUses) &&
             (isOneDimension(axes, second) || usesOfSecond >= kUses);
    };
    if (!stays(inner, &Axis::lhs, elements(columns), &Axis::rhs,
               elements(rows)))
      keepLargest(inner, sums);
    if (!stays(rows, &Axis::lhs, elements(columns), &Axis::out,
               elements(inner)))
      keepLargest(rows, loops);
    if (!stays(columns, &Axis::rhs, elements(rows), &Axis::out,
               elements(inner)))
      keepLargest(columns, loops);
  }

  void swapOperands() {
    for (Axes *axes : {&loops, &sums, &rows, &columns, &inner})
      for (Axis &axis : *axes)
        std::swap(axis.lhs, axis.rhs);
    std::swap(rows, columns);
  }

  Status product(const std::byte *lhs, const std::byte *rhs, std::byte *out,
                 ThreadPool *pool) const {
    bool add = accumulate;
    Status status;
    Packing packing(inner, columns, &Axis::rhs, size_t(rhsBytes));
    Buffer<std::byte> copied(rhsLies ? 0 : size_t(packing.count * rhsBytes));
    forEachPoint(extentsOf(sums), [&](const std::vector<int64_t> &point) {
      const std::byte *left = lhs + offset(point, sums, &Axis::lhs) * lhsBytes;
      const std::byte *right = rhs + offset(point, sums, &Axis::rhs) * rhsBytes;
      View b =
          inPlace(const_cast<std::byte *>(right), inner, columns, &Axis::rhs);
      if (!rhsLies) {
        packing.gather(right, copied.data(), pool);
        b = packing.view(copied.data());
      }
      if (blocks.size() == 1)
        status = block(blocks[0], left, b, out, add, pool);
      else
        status = tryParallelFor(
            pool, blocks.size(), 1, [&](size_t begin, size_t end) {
              for (size_t i = begin; i < end; ++i)
                if (Status one = block(blocks[i], left, b, out, add, nullptr);
                    !one.ok())
                  return one;
              return success();
            });
      add = true;
      return status.ok();
    });
    return status;
  }

  Status block(const Block &some, const std::byte *lhs, View b, std::byte *out,
               bool add, ThreadPool *pool) const {
    lhs += some.lhs * lhsBytes;
    out += some.out * kOutBytes;
    View a =
        inPlace(const_cast<std::byte *>(lhs), some.rows, inner, &Axis::lhs);
    Buffer<std::byte> gathered;
    if (!isMatrix(some.rows, inner, &Axis::lhs)) {
      Packing packing(some.rows, inner, &Axis::lhs, size_t(lhsBytes));
      gathered = Buffer<std::byte>(size_t(packing.count * lhsBytes));
      packing.gather(lhs, gathered.data(), pool);
      a = packing.view(gathered.data());
    }
    int64_t count = elements(some.rows);
    if (isMatrix(some.rows, columns, &Axis::out))
      return multiplies(count, n, k, a, b,
                        inPlace(out, some.rows, columns, &Axis::out), add,
                        pool);
    Packing packing(some.rows, columns, &Axis::out, size_t(kOutBytes));
    Buffer<std::byte> result(size_t(packing.count * kOutBytes));
    if (add)
      packing.gather(out, result.data(), pool);
    if (Status status = multiplies(count, n, k, a, b,
                                   packing.view(result.data()), add, pool);
        !status.ok())
      return status;
    packing.scatter(result.data(), out);
    return success();
  }

  Axes loops, sums, rows, columns, inner;
  bool accumulate, rhsLies = true, swapped = false;
  int64_t lhsBytes, rhsBytes, m, n, k;
  Multiply multiplies;
  std::vector<Block> blocks;
};
} // namespace

Status rt::runContract(const Contract &op, std::span<const int64_t> extents,
                       const std::byte *lhs, const std::byte *rhs,
                       std::byte *output, ThreadPool *pool) {
  Axes roles[4];
  size_t counts[4] = {op.batch.size(), op.rows.size(), op.columns.size(),
                      op.inner.size()};
  size_t d = 0;
  bool nothing = false, emptySum = false;
  for (size_t role = 0; role < 4; ++role)
    for (size_t i = 0; i < counts[role]; ++i, ++d) {
      roles[role].push_back({extents[d], op.lhs.strides[d], op.rhs.strides[d],
                             op.output.strides[d]});
      if (extents[d] == 0)
        (role == 3 ? emptySum : nothing) = true;
    }
  if (nothing)
    return success();
  for (Axes &role : roles)
    role = coalesce(role);
  if (emptySum)
    roles[3] = {{0, 0, 0, 0}};
  return Contraction(roles, op.lhs.type, op.rhs.type, op.accumulate)
      .run(lhs, rhs, output, pool);
}
