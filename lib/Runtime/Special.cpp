//===- Special.cpp - contract and compact ---------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GroupRun.h"
#include "Kernel/Scalar.h"
#include "mho/Runtime/Gemm.h"

#include <algorithm>
#include <cstring>
#include <numeric>

using namespace mho;
using namespace mho::rt;
using namespace mho::isa;

/// Calls body(point) for every point of `extents` in lexicographic order,
/// until it returns false.
template <typename F>
static void forEachPoint(std::span<const int64_t> extents, F &&body) {
  if (std::find(extents.begin(), extents.end(), 0) != extents.end())
    return;
  std::vector<int64_t> point(extents.size(), 0);
  for (;;) {
    if (!body(point))
      return;
    size_t d = extents.size();
    while (d > 0 && ++point[d - 1] == extents[d - 1])
      point[--d] = 0;
    if (d == 0)
      return;
  }
}

static int64_t dot(const std::vector<int64_t> &point,
                   const std::vector<int64_t> &strides, size_t first = 0) {
  int64_t sum = 0;
  for (size_t d = 0; d < point.size(); ++d)
    sum += point[d] * strides[first + d];
  return sum;
}

//===----------------------------------------------------------------------===//
// Contract
//===----------------------------------------------------------------------===//

namespace {
/// One dimension with a stride per operand, in elements.
struct Axis {
  int64_t extent, lhs, rhs, out;
};

/// Merges the dimensions of one role where all strides allow it.
std::vector<Axis> coalesce(const std::vector<Axis> &axes) {
  std::vector<Axis> merged;
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

/// The largest axis becomes the matrix dimension, the others loops.
Axis takeLargest(std::vector<Axis> &axes, std::vector<Axis> &loops) {
  if (axes.empty())
    return {1, 0, 0, 0};
  auto largest = std::max_element(
      axes.begin(), axes.end(),
      [](const Axis &a, const Axis &b) { return a.extent < b.extent; });
  Axis taken = *largest;
  axes.erase(largest);
  loops.insert(loops.end(), axes.begin(), axes.end());
  return taken;
}

template <typename L, typename R, typename O>
void contract(const std::vector<Axis> &loops, const std::vector<Axis> &sums,
              Axis row, Axis column, Axis inner, bool accumulate,
              const std::byte *lhs, const std::byte *rhs, std::byte *output,
              ThreadPool *pool) {
  std::vector<int64_t> extents, inners;
  for (const Axis &axis : loops)
    extents.push_back(axis.extent);
  for (const Axis &axis : sums)
    inners.push_back(axis.extent);
  int64_t products = std::accumulate(extents.begin(), extents.end(), int64_t(1),
                                     std::multiplies<>());
  auto runOne = [&](const std::vector<int64_t> &point, ThreadPool *threads) {
    int64_t l = 0, r = 0, o = 0;
    for (size_t d = 0; d < point.size(); ++d) {
      l += point[d] * loops[d].lhs;
      r += point[d] * loops[d].rhs;
      o += point[d] * loops[d].out;
    }
    bool add = accumulate;
    forEachPoint(inners, [&](const std::vector<int64_t> &k) {
      int64_t lk = l, rk = r;
      for (size_t d = 0; d < k.size(); ++d) {
        lk += k[d] * sums[d].lhs;
        rk += k[d] * sums[d].rhs;
      }
      MatrixView<const L> a{reinterpret_cast<const L *>(lhs) + lk, row.lhs,
                            inner.lhs};
      MatrixView<const R> b{reinterpret_cast<const R *>(rhs) + rk, inner.rhs,
                            column.rhs};
      MatrixView<O> c{reinterpret_cast<O *>(output) + o, row.out, column.out};
      gemm(row.extent, column.extent, inner.extent, a, b, c, add, threads);
      add = true;
      return true;
    });
  };
  if (products == 1 || !pool) {
    forEachPoint(extents, [&](const std::vector<int64_t> &point) {
      runOne(point, pool);
      return true;
    });
    return;
  }
  pool->parallelFor(size_t(products), 1, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      std::vector<int64_t> point(extents.size());
      int64_t rest = int64_t(i);
      for (size_t d = extents.size(); d-- > 0; rest /= extents[d])
        point[d] = rest % extents[d];
      runOne(point, nullptr);
    }
  });
}
} // namespace

Status rt::runContract(const Contract &op, std::span<const int64_t> extents,
                       const std::byte *lhs, const std::byte *rhs,
                       std::byte *output, ThreadPool *pool) {
  std::vector<Axis> roles[4];
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
  for (auto &role : roles)
    role = coalesce(role);
  std::vector<Axis> loops = roles[0], sums;
  Axis row = takeLargest(roles[1], loops);
  Axis column = takeLargest(roles[2], loops);
  Axis inner = takeLargest(roles[3], sums);
  if (emptySum) {
    inner = {0, 0, 0, 0};
    sums.clear();
  }
  bool leftSigned = op.lhs.type == Type::I8;
  bool rightSigned = op.rhs.type == Type::I8;
  auto go = [&]<typename L, typename R, typename O>() {
    contract<L, R, O>(loops, sums, row, column, inner, op.accumulate, lhs, rhs,
                      output, pool);
  };
  if (op.lhs.type == Type::F32)
    go.template operator()<float, float, float>();
  else if (leftSigned && rightSigned)
    go.template operator()<int8_t, int8_t, int32_t>();
  else if (leftSigned)
    go.template operator()<int8_t, uint8_t, int32_t>();
  else if (rightSigned)
    go.template operator()<uint8_t, int8_t, int32_t>();
  else
    go.template operator()<uint8_t, uint8_t, int32_t>();
  return success();
}

//===----------------------------------------------------------------------===//
// Compact
//===----------------------------------------------------------------------===//

/// A read with its padding.
static Scalar readElement(const Access &access, const std::byte *base,
                          const std::vector<int64_t> &point) {
  for (const ValidRange &range : access.valid) {
    int64_t position = range.offset + dot(point, range.coefficients);
    if (position < 0 || position >= range.size)
      return fromDouble(access.type, access.fill);
  }
  return loadScalar(access.type, base + dot(point, access.strides) *
                                            int64_t(sizeOf(access.type)));
}

/// Every element by itself: whatever the type, with padding or without.
static int64_t compactSlowly(const Compact &op,
                             std::span<const int64_t> extents,
                             const std::byte *input, std::byte *indices) {
  int64_t found = 0;
  Type type = op.input.type;
  forEachPoint(extents, [&](const std::vector<int64_t> &point) {
    Scalar value = readElement(op.input, input, point);
    bool zero = isFloat(type) ? toDouble(type, value) == 0 : value.i == 0;
    if (zero)
      return true;
    for (size_t d = 0; d < point.size(); ++d) {
      int64_t place =
          found * op.indices.strides[0] + int64_t(d) * op.indices.strides[1];
      std::memcpy(indices + place * 8, &point[d], 8);
    }
    ++found;
    return true;
  });
  return found;
}

/// Row by row; an element is zero where no bit of `mask` is set.
template <typename Bits>
static int64_t compactRows(const Compact &op, std::span<const int64_t> extents,
                           const std::byte *input, std::byte *indices,
                           Bits mask) {
  size_t rank = extents.size();
  int64_t length = extents.back(), stride = op.input.strides.back();
  int64_t next = op.indices.strides[0], apart = op.indices.strides[1];
  int64_t found = 0;
  if (length == 0)
    return 0;
  std::vector<int64_t> outer(op.input.strides.begin(),
                             op.input.strides.end() - 1);
  forEachPoint(extents.first(rank - 1), [&](const std::vector<int64_t> &point) {
    const std::byte *row = input + dot(point, outer) * int64_t(sizeof(Bits));
    for (int64_t i = 0; i < length; ++i) {
      Bits bits;
      std::memcpy(&bits, row + i * stride * int64_t(sizeof(Bits)),
                  sizeof(Bits));
      if (!(bits & mask))
        continue;
      std::byte *to = indices + found++ * next * 8;
      for (size_t d = 0; d + 1 < rank; ++d, to += apart * 8)
        std::memcpy(to, &point[d], 8);
      std::memcpy(to, &i, 8);
    }
    return true;
  });
  return found;
}

int64_t rt::runCompact(const Compact &op, std::span<const int64_t> extents,
                       const std::byte *input, std::byte *indices) {
  if (!extents.empty() && op.input.valid.empty())
    switch (op.input.type) {
    case Type::Bool:
    case Type::I8:
    case Type::U8:
      return compactRows<uint8_t>(op, extents, input, indices, 0xff);
    case Type::I16:
    case Type::U16:
      return compactRows<uint16_t>(op, extents, input, indices, 0xffff);
    case Type::I32:
    case Type::U32:
      return compactRows<uint32_t>(op, extents, input, indices, ~0u);
    case Type::I64:
    case Type::U64:
      return compactRows<uint64_t>(op, extents, input, indices, ~uint64_t(0));
    // -0 is zero, NaN is not.
    case Type::F16:
    case Type::BF16:
      return compactRows<uint16_t>(op, extents, input, indices, 0x7fff);
    case Type::F32:
      return compactRows<uint32_t>(op, extents, input, indices, 0x7fffffff);
    case Type::F64:
      return compactRows<uint64_t>(op, extents, input, indices,
                                   ~uint64_t(0) >> 1);
    default:
      break;
    }
  return compactSlowly(op, extents, input, indices);
}
