//===- InputVectorsTest.cpp - addresses against their definition ===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "InputVectors.h"
#include "Reference.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>
#include <vector>

using namespace mho;
using namespace mho::rt;

namespace {

/// Every vector of every row block of `access`, gathered and by definition.
void check(const isa::Access &access, std::vector<int64_t> counts,
           std::vector<int64_t> inner, const float *base) {
  int64_t vectors = 1, depth = 1;
  for (int64_t e : counts)
    vectors *= e;
  for (int64_t e : inner)
    depth *= e;
  for (int64_t first = 0; first < depth; first += 7)
    for (int64_t rows : {depth - first, std::min<int64_t>(5, depth - first)}) {
      InputVectors input(access, counts, inner, first, rows);
      ASSERT_EQ(input.count(), vectors);
      std::vector<float> got(static_cast<size_t>(rows));
      for (int64_t v = 0; v < vectors; ++v) {
        input.gather(base, v, got.data());
        for (int64_t row = 0; row < rows; ++row)
          ASSERT_EQ(got[size_t(row)],
                    reference::inputElement(access, base, counts, inner, v,
                                            first + row))
              << "vector " << v << " row " << first + row;
      }
    }
}

/// A channels-last convolution window over an H×W×C image.
isa::Access window(int64_t h, int64_t w, int64_t c, int64_t stride,
                   int64_t dilation, int64_t pad, bool padded) {
  isa::Access a;
  a.strides = {stride * w * c, stride * c, dilation * w * c, dilation * c, 1};
  a.fill = -3;
  if (padded)
    a.valid = {{-pad, h, {stride, 0, dilation, 0, 0}},
               {-pad, w, {0, stride, 0, dilation, 0}}};
  return a;
}

} // namespace

TEST(InputVectorsTest, ConvolutionWindows) {
  std::vector<float> image(4096);
  std::iota(image.begin(), image.end(), 1.0f);
  for (int64_t stride : {1, 2})
    for (int64_t dilation : {1, 2}) {
      // Padding 1: the base lies one row and one pixel before the image.
      check(window(7, 6, 4, stride, dilation, 1, true), {3, 3}, {3, 3, 4},
            image.data() + 1024 - (6 + 1) * 4);
      check(window(9, 9, 3, stride, dilation, 0, false), {2, 2}, {3, 3, 3},
            image.data() + 1024);
    }
}

TEST(InputVectorsTest, RowsAndColumnsOfAMatrix) {
  std::vector<float> matrix(600);
  std::iota(matrix.begin(), matrix.end(), 1.0f);
  isa::Access rows;
  rows.strides = {20, 1};
  check(rows, {30}, {20}, matrix.data());
  EXPECT_TRUE(InputVectors(rows, std::vector<int64_t>{30},
                           std::vector<int64_t>{20}, 3, 9)
                  .contiguous());
  isa::Access columns;
  columns.strides = {1, 20};
  check(columns, {20}, {30}, matrix.data());
}

/// Valid ranges along the run itself, downwards and by steps.
TEST(InputVectorsTest, RangesAlongTheRun) {
  std::vector<float> line(200);
  std::iota(line.begin(), line.end(), 1.0f);
  for (int64_t step : {1, 2, 3, -1, -2})
    for (int64_t offset : {-7, -1, 0, 4, 20}) {
      isa::Access a;
      a.strides = {1, step};
      a.valid = {{offset, 11, {1, step}}};
      a.fill = 9;
      check(a, {8}, {10}, line.data() + 100);
    }
}
