//===- DirectProductTest.cpp - f32 products straight from the image ===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DirectProduct.h"
#include "Reference.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

using namespace mho;
using namespace mho::rt;

namespace {

struct Shape {
  int64_t height, width, channels, columns;
  int64_t kernel = 3, stride = 1, dilation = 1, pad = 1;
};

struct Numbers {
  explicit Numbers(unsigned seed) : random(seed) {}
  std::vector<float> operator()(int64_t count) {
    std::vector<float> values(static_cast<size_t>(count));
    for (float &x : values)
      x = normal(random);
    return values;
  }
  std::mt19937 random;
  std::normal_distribution<float> normal;
};

/// A convolution of NHWC images, rows [first, first + rows) of its matrix.
struct Convolution {
  explicit Convolution(const Shape &s) : shape(s) {
    int64_t reach = s.dilation * (s.kernel - 1) + 1;
    high = (s.height + 2 * s.pad - reach) / s.stride + 1;
    wide = (s.width + 2 * s.pad - reach) / s.stride + 1;
    depth = s.kernel * s.kernel * s.channels;
    int64_t row = s.width * s.channels, pixel = s.channels;
    op.counts = {{high, isa::kNoSlot}, {wide, isa::kNoSlot}};
    op.inner = {{s.kernel, isa::kNoSlot},
                {s.kernel, isa::kNoSlot},
                {s.channels, isa::kNoSlot}};
    op.input.strides = {s.stride * row, s.stride * pixel, s.dilation * row,
                        s.dilation * pixel, 1};
    op.input.offset = -s.pad * (row + pixel) * 4;
    if (s.pad)
      op.input.valid = {{-s.pad, s.height, {s.stride, 0, s.dilation, 0, 0}},
                        {-s.pad, s.width, {0, s.stride, 0, s.dilation, 0}}};
    // Outputs with a gap behind every pixel.
    op.output.strides = {wide * (s.columns + 3), s.columns + 3, 1};
    counts = {high, wide};
    inner = {s.kernel, s.kernel, s.channels};
  }
  int64_t image() const { return shape.height * shape.width * shape.channels; }
  int64_t result() const { return high * wide * (shape.columns + 3); }

  Shape shape;
  int64_t high, wide, depth;
  isa::Mvm op;
  std::vector<int64_t> counts, inner;
};

/// Row blocks of 5/8 and 3/8 of the depth on `samples` images, direct and by
/// definition; whether there was a plan.
bool check(const Shape &shape, int64_t samples, unsigned threads) {
  Convolution conv(shape);
  Numbers numbers(unsigned(shape.channels * 131 + shape.columns));
  std::vector<float> images = numbers(samples * conv.image());
  std::vector<float> weights = numbers(conv.depth * shape.columns);
  std::vector<float> scale = numbers(shape.columns);
  std::vector<float> shift = numbers(shape.columns);
  std::vector<float> got(size_t(samples * conv.result()), 7.0f);
  std::vector<float> wanted = got;
  ThreadPool pool(threads);
  int64_t split = conv.depth * 5 / 8;
  MvmCache caches[2];
  for (int block : {0, 1}) {
    ArraySpec spec;
    int64_t first = block ? split : 0;
    spec.rows = block ? conv.depth - split : split;
    spec.columns = spec.weightStride = shape.columns;
    spec.weights = weights.data() + first * shape.columns;
    spec.scale = scale.data();
    spec.shift = shift.data();
    ProgrammedArray array = programArray(spec, NoiseSettings());
    conv.op.firstRow = uint64_t(first);
    conv.op.accumulate = block;
    conv.op.shift = !block;

    std::vector<const std::byte *> in;
    std::vector<std::byte *> out;
    for (int64_t s = 0; s < samples; ++s) {
      in.push_back(
          reinterpret_cast<std::byte *>(&images[size_t(s * conv.image())]));
      out.push_back(
          reinterpret_cast<std::byte *>(&got[size_t(s * conv.result())]));
    }
    MvmCall call;
    call.instruction = &conv.op;
    call.inputs = in;
    call.outputs = out;
    call.counts = conv.counts;
    call.inner = conv.inner;
    call.cache = &caches[block];
    auto plan = directPlan(call, spec.rows);
    if (!plan)
      return false;
    EXPECT_EQ(plan, directPlan(call, spec.rows)) << "not cached";
    runDirect(*plan, call, array, pool);

    for (int64_t s = 0; s < samples; ++s)
      for (int64_t v = 0; v < conv.high * conv.wide; ++v)
        for (int64_t c = 0; c < shape.columns; ++c) {
          float sum = 0;
          for (int64_t k = 0; k < spec.rows; ++k)
            sum = std::fma(
                reference::inputElement(conv.op.input,
                                        images.data() + s * conv.image() +
                                            conv.op.input.offset / 4,
                                        conv.counts, conv.inner, v, first + k),
                spec.weights[k * shape.columns + c], sum);
          float y =
              std::fma(sum, scale[size_t(c)], block ? 0.0f : shift[size_t(c)]);
          float &to =
              wanted[size_t(s * conv.result() + v * (shape.columns + 3) + c)];
          to = block ? to + y : y;
        }
  }
  EXPECT_EQ(got, wanted) << shape.height << "x" << shape.width << "x"
                         << shape.channels << " to " << shape.columns;
  return true;
}

} // namespace

TEST(DirectProductTest, ConvolutionsAreOneChainOfMultiplyAdds) {
  const Shape shapes[] = {{9, 8, 4, 16},
                          {16, 13, 3, 20},
                          {7, 7, 16, 33, 3, 2},
                          {12, 12, 2, 8, 3, 1, 2, 2},
                          {11, 10, 5, 64, 5, 1, 1, 2},
                          {6, 9, 8, 70, 1, 1, 1, 0},
                          {10, 4, 1, 48, 4, 2, 1, 1}};
  for (const Shape &shape : shapes)
    for (unsigned threads : {1u, 3u})
      for (int64_t samples : {1, 3})
        EXPECT_TRUE(check(shape, samples, threads))
            << shape.height << "x" << shape.width;
}

/// One vector a sample: rows of a tile are samples; the panels are split where
/// they are many.
TEST(DirectProductTest, SingleVectors) {
  for (int64_t samples : {1, 2, 5, 13, 31})
    for (unsigned threads : {1u, 2u})
      for (int64_t columns : {1, 17, 320})
        EXPECT_TRUE(check({1, 1, 301, columns, 1, 1, 1, 0}, samples, threads));
  EXPECT_TRUE(check({1, 1, 700, 1111, 1, 1, 1, 0}, 1, 2));
}

TEST(DirectProductTest, RefusesWhatMustBeCopied) {
  auto plan = [](const Convolution &conv) {
    return DirectPlan::make(conv.op, conv.counts, conv.inner, conv.depth);
  };
  Convolution fits({9, 8, 4, 16});
  ASSERT_TRUE(plan(fits));
  EXPECT_EQ(plan(fits)->classes.size(), 9u);
  Convolution filled = fits;
  filled.op.input.fill = 1;
  EXPECT_FALSE(plan(filled));
  Convolution scattered = fits;
  scattered.op.output.strides = {8, 1, 72};
  EXPECT_FALSE(plan(scattered));
  Convolution planar = fits;
  planar.op.input.strides = {8, 1, 8, 1, 72};
  EXPECT_FALSE(plan(planar));
  // Hardly two windows alike.
  EXPECT_FALSE(plan(Convolution({5, 5, 4, 16, 5, 1, 1, 2})));
}

/// Every instruction set, every number of rows in a tile, cut columns.
TEST(DirectProductTest, InstructionSetsAgree) {
  constexpr int64_t depth = 37, panels = 5, columns = 75;
  Numbers numbers(3);
  std::vector<float> inputs = numbers(40 * depth);
  std::vector<float> packed = numbers(depth * panels * 16);
  std::vector<float> affine = numbers(panels * 16);
  // Row 20 meets no input, the last rows come first.
  kernels::Piece pieces[2] = {{21, 16, 21}, {0, 20, 0}};
  kernels::TableList list = kernels::tables();
  for (int64_t rows = 1; rows <= 40; ++rows)
    for (bool scaled : {false, true}) {
      std::vector<float> wanted(size_t(rows * columns), 2.0f);
      for (int64_t r = 0; r < rows; ++r)
        for (int64_t c = 16; c < columns; ++c) {
          float sum = 0;
          for (const kernels::Piece &p : pieces)
            for (int64_t k = 0; k < p.length; ++k)
              sum = std::fma(
                  inputs[size_t(r * depth + p.offset + k)],
                  packed[size_t((c / 16 * depth + p.row + k) * 16 + c % 16)],
                  sum);
          if (scaled)
            sum = std::fma(sum, affine[size_t(c)], affine[size_t(c)]);
          wanted[size_t(r * columns + c)] += sum;
        }
      for (int i = 0; i < list.count; ++i) {
        std::vector<float> got(size_t(rows * columns), 2.0f);
        std::vector<const float *> from;
        std::vector<float *> to;
        for (int64_t r = 0; r < rows; ++r) {
          from.push_back(&inputs[size_t(r * depth)]);
          to.push_back(&got[size_t(r * columns)]);
        }
        kernels::Direct d{};
        d.rows = from.data();
        d.rowCount = rows;
        d.pieces = pieces;
        d.pieceCount = 2;
        d.panels = packed.data();
        d.panelStride = depth * 16;
        d.panelRow = 16;
        d.firstPanel = 1;
        d.panelCount = panels - 1;
        d.columns = columns;
        d.scale = d.shift = scaled ? affine.data() : nullptr;
        d.out = to.data();
        d.accumulate = true;
        list.sets[i]->directF32(d);
        ASSERT_EQ(got, wanted) << list.sets[i]->name << ", " << rows << " rows";
      }
    }
}
