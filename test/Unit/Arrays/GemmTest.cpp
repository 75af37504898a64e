//===- GemmTest.cpp - products against double sums ------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Runtime/Gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

using namespace mho::rt;

namespace {

struct Shape {
  int64_t m, n, k;
};

/// How a matrix lies in memory.
enum class Form {
  Rows,        ///< one row after the other
  Columns,     ///< one column after the other
  WideRows,    ///< rows with something between them
  WideColumns, ///< columns with something between them
  EveryOther,  ///< no two elements side by side
  Backwards,   ///< rows from the last to the first
  Overlapping, ///< each row starts one element behind the last (to read only)
  OneRow,      ///< all rows are the same one (to read only)
};
constexpr Form kReadable[] = {
    Form::Rows,       Form::Columns,   Form::WideRows,    Form::WideColumns,
    Form::EveryOther, Form::Backwards, Form::Overlapping, Form::OneRow};
constexpr Form kWritable[] = {Form::Rows,       Form::Columns,
                              Form::WideRows,   Form::WideColumns,
                              Form::EveryOther, Form::Backwards};

/// A matrix and the memory that it lies in.
template <typename T> struct Matrix {
  Matrix(int64_t rows, int64_t columns, Form form)
      : rows(rows), columns(columns) {
    switch (form) {
    case Form::Rows:
      view = {nullptr, columns, 1};
      break;
    case Form::Columns:
      view = {nullptr, 1, rows};
      break;
    case Form::WideRows:
      view = {nullptr, columns + 3, 1};
      break;
    case Form::WideColumns:
      view = {nullptr, 1, rows + 5};
      break;
    case Form::EveryOther:
      view = {nullptr, 2 * columns + 1, 2};
      break;
    case Form::Backwards:
      view = {nullptr, -columns, 1};
      break;
    case Form::Overlapping:
      view = {nullptr, 1, 1};
      break;
    case Form::OneRow:
      view = {nullptr, 0, 1};
      break;
    }
    int64_t down = (rows - 1) * view.rowStride;
    int64_t across = (columns - 1) * view.columnStride;
    memory.resize(size_t(std::abs(down) + across + 1));
    view.data = memory.data() - std::min<int64_t>(down, 0);
  }
  Matrix(const Matrix &) = delete;

  T &at(int64_t i, int64_t j) const {
    return view.data[i * view.rowStride + j * view.columnStride];
  }
  MatrixView<const T> read() const {
    return {view.data, view.rowStride, view.columnStride};
  }
  void randomize(uint32_t seed) {
    std::mt19937 random(seed);
    for (T &value : memory)
      if constexpr (std::is_same_v<T, float>)
        value = std::uniform_real_distribution<float>(-1, 1)(random);
      else
        value = T(random());
  }

  int64_t rows, columns;
  MatrixView<T> view;
  std::vector<T> memory;
};

/// Every element against its sum in double. The bound is that of any order of
/// summation: k rounding errors, each relative to the sum of the magnitudes.
void expectProduct(const Matrix<float> &a, const Matrix<float> &b,
                   const Matrix<float> &c, float before) {
  int64_t k = a.columns;
  double unit = std::numeric_limits<float>::epsilon() / 2;
  for (int64_t i = 0; i < c.rows; ++i)
    for (int64_t j = 0; j < c.columns; ++j) {
      double sum = before, magnitudes = std::abs(before);
      for (int64_t l = 0; l < k; ++l) {
        double term = double(a.at(i, l)) * b.at(l, j);
        sum += term;
        magnitudes += std::abs(term);
      }
      ASSERT_NEAR(c.at(i, j), sum, unit * double(k + 1) * magnitudes)
          << "element " << i << ", " << j;
    }
}

class GemmTest : public testing::TestWithParam<Shape> {};

} // namespace

TEST_P(GemmTest, OperandsOfAllStrides) {
  auto [m, n, k] = GetParam();
  for (Form left : kReadable)
    for (Form right : kReadable) {
      SCOPED_TRACE(testing::Message()
                   << "forms " << int(left) << ", " << int(right));
      Matrix<float> a(m, k, left), b(k, n, right), c(m, n, Form::Rows);
      a.randomize(1);
      b.randomize(2);
      c.randomize(3);
      ASSERT_TRUE(
          gemm(m, n, k, a.read(), b.read(), c.view, false, nullptr).ok());
      expectProduct(a, b, c, 0);
    }
}

/// And nothing beside the result is written.
TEST_P(GemmTest, ResultsOfAllStrides) {
  auto [m, n, k] = GetParam();
  for (Form form : kWritable)
    for (bool accumulate : {false, true}) {
      SCOPED_TRACE(testing::Message()
                   << "form " << int(form) << ", accumulate " << accumulate);
      Matrix<float> a(m, k, Form::Rows), b(k, n, Form::Columns), c(m, n, form);
      a.randomize(4);
      b.randomize(5);
      std::fill(c.memory.begin(), c.memory.end(), 0.75f);
      ASSERT_TRUE(
          gemm(m, n, k, a.read(), b.read(), c.view, accumulate, nullptr).ok());
      expectProduct(a, b, c, accumulate ? 0.75f : 0);
      for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j)
          c.at(i, j) = 0.75f;
      for (float value : c.memory)
        ASSERT_EQ(value, 0.75f);
    }
}

/// Without accumulation, what stood in the result is not read.
TEST_P(GemmTest, OldResultsDoNotMatter) {
  auto [m, n, k] = GetParam();
  Matrix<float> a(m, k, Form::Rows), b(k, n, Form::Rows);
  a.randomize(6);
  b.randomize(7);
  for (Form form : kWritable) {
    Matrix<float> c(m, n, form);
    std::fill(c.memory.begin(), c.memory.end(),
              std::numeric_limits<float>::quiet_NaN());
    ASSERT_TRUE(gemm(m, n, k, a.read(), b.read(), c.view, false, nullptr).ok());
    expectProduct(a, b, c, 0);
  }
}

/// A NaN or infinity reaches its row or column, and no other element; zeros
/// multiply it as IEEE says.
TEST_P(GemmTest, NanAndInfinitySpread) {
  auto [m, n, k] = GetParam();
  constexpr float infinity = std::numeric_limits<float>::infinity();
  for (Form form : {Form::Rows, Form::Columns, Form::EveryOther}) {
    Matrix<float> a(m, k, form), b(k, n, form), c(m, n, Form::Rows);
    std::fill(a.memory.begin(), a.memory.end(), 0.0f);
    std::fill(b.memory.begin(), b.memory.end(), 1.0f);
    int64_t nanRow = m / 2, nanColumn = n / 3;
    a.at(nanRow, k - 1) = std::numeric_limits<float>::quiet_NaN();
    b.at(0, nanColumn) = infinity;
    if (m > 1)
      a.at(nanRow ? 0 : m - 1, 0) = -2;
    ASSERT_TRUE(gemm(m, n, k, a.read(), b.read(), c.view, false, nullptr).ok());
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        bool minusTwo = m > 1 && i == (nanRow ? 0 : m - 1);
        if (i == nanRow || (j == nanColumn && !minusTwo))
          ASSERT_TRUE(std::isnan(c.at(i, j))) << i << ", " << j;
        else if (j == nanColumn)
          ASSERT_EQ(c.at(i, j), -infinity) << i << ", " << j;
        else
          ASSERT_EQ(c.at(i, j), minusTwo ? -2 : 0) << i << ", " << j;
      }
  }
}

/// The same bytes for any number of threads, and wherever the operands lie.
TEST_P(GemmTest, ThreadsAndPlacesChangeNothing) {
  auto [m, n, k] = GetParam();
  for (Form form : {Form::Rows, Form::Columns, Form::EveryOther}) {
    Matrix<float> a(m, k, form), b(k, n, form), expected(m, n, Form::Rows);
    a.randomize(8);
    b.randomize(9);
    ASSERT_TRUE(
        gemm(m, n, k, a.read(), b.read(), expected.view, false, nullptr).ok());
    for (unsigned threads : {1, 2, 3}) {
      ThreadPool pool(threads);
      for (size_t moved : {0, 1, 5}) {
        std::vector<float> left(moved), right(moved);
        left.insert(left.end(), a.memory.begin(), a.memory.end());
        right.insert(right.end(), b.memory.begin(), b.memory.end());
        Matrix<float> c(m, n, Form::Rows);
        ASSERT_TRUE(
            gemm(m, n, k,
                 {left.data() + moved, a.view.rowStride, a.view.columnStride},
                 {right.data() + moved, b.view.rowStride, b.view.columnStride},
                 c.view, false, &pool)
                .ok());
        ASSERT_EQ(std::memcmp(c.memory.data(), expected.memory.data(),
                              c.memory.size() * sizeof(float)),
                  0)
            << threads << " threads, " << moved << " elements further";
      }
    }
  }
}

TEST_P(GemmTest, BytesAreExact) {
  auto [m, n, k] = GetParam();
  Matrix<uint8_t> a(m, k, Form::Rows), b(k, n, Form::Rows);
  Matrix<int8_t> sb(k, n, Form::Columns);
  a.randomize(10);
  b.randomize(11);
  sb.randomize(12);
  Matrix<int32_t> c(m, n, Form::Rows), d(m, n, Form::Columns);
  std::fill(d.memory.begin(), d.memory.end(), 3);
  ThreadPool pool(2);
  gemm(m, n, k, a.read(), b.read(), c.view, false, &pool);
  gemm(m, n, k, a.read(), sb.read(), d.view, true, nullptr);
  for (int64_t i = 0; i < m; ++i)
    for (int64_t j = 0; j < n; ++j) {
      int32_t plain = 0, mixed = 3;
      for (int64_t l = 0; l < k; ++l) {
        plain += a.at(i, l) * b.at(l, j);
        mixed += a.at(i, l) * sb.at(l, j);
      }
      ASSERT_EQ(c.at(i, j), plain);
      ASSERT_EQ(d.at(i, j), mixed);
    }
}

static std::string caseName(const testing::TestParamInfo<Shape> &info) {
  auto [m, n, k] = info.param;
  return std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k);
}

// Vectors, products of our own kernel and of oneDNN, whole and cut by rows and
// by columns.
INSTANTIATE_TEST_SUITE_P(
    Shapes, GemmTest,
    testing::Values(Shape{1, 1, 1}, Shape{1, 100, 37}, Shape{1, 300, 701},
                    Shape{300, 1, 65}, Shape{5, 16, 3}, Shape{8, 33, 40},
                    Shape{9, 31, 1}, Shape{50, 33, 65}, Shape{13, 48, 128},
                    Shape{301, 67, 200}, Shape{65, 512, 77},
                    Shape{512, 66, 70}),
    caseName);

TEST(GemmTest, EmptySumsAreZero) {
  float c[2] = {1, 2};
  ASSERT_TRUE(
      gemm(1, 2, 0, {nullptr, 0, 1}, {nullptr, 2, 1}, {c, 2, 1}, true, nullptr)
          .ok());
  EXPECT_EQ(c[0], 1);
  ASSERT_TRUE(
      gemm(1, 2, 0, {nullptr, 0, 1}, {nullptr, 2, 1}, {c, 2, 1}, false, nullptr)
          .ok());
  EXPECT_EQ(c[0], 0);
  EXPECT_EQ(c[1], 0);
}

#ifdef __linux__
static std::set<std::string> threadsOfProcess() {
  std::set<std::string> threads;
  for (const auto &entry :
       std::filesystem::directory_iterator("/proc/self/task"))
    threads.insert(entry.path().filename());
  return threads;
}

/// oneDNN starts none beside the pool's.
TEST(GemmTest, NoThreadsButThePools) {
  constexpr int64_t size = 300;
  Matrix<float> a(size, size, Form::Rows), b(size, size, Form::Rows),
      c(size, size, Form::Rows);
  ThreadPool pool(2);
  std::set<std::string> before = threadsOfProcess();
  for (int i = 0; i < 20; ++i)
    ASSERT_TRUE(
        gemm(size, size, size, a.read(), b.read(), c.view, false, &pool).ok());
  EXPECT_EQ(threadsOfProcess(), before);
}
#endif
