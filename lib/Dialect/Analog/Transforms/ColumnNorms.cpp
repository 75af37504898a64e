//===- ColumnNorms.cpp - what a bank's weights say of its columns ---------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ColumnNorms.h"

#include "mho/Dialect/Graph/IR/Constants.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>

using namespace mlir;

namespace mho::analog {

namespace {

/// Adds up what a bank's weights say of its columns. Weights come in the order
/// of the constant, in runs along its last axis.
class NormSums {
public:
  explicit NormSums(BankOp bank)
      : view(bank.getView()),
        type(cast<ShapedType>(bank.getWeights().getType())),
        splits(bank.getRowSplits()), rowStride(type.getRank(), 0),
        colStride(type.getRank(), 0), at(type.getRank(), 0) {
    for (auto *part : {&norms.square, &norms.sum, &norms.top})
      part->assign(splits.size() - 1,
                   std::vector<float>(view.getNumColumns(), 0.0f));
    fill(view.getRows(), rowStride);
    fill(view.getColumns(), colStride);
    if (!view.getOrder().empty()) {
      orderedAxis = view.getColumns().back();
      place.resize(view.getOrder().size());
      for (auto [i, position] : llvm::enumerate(view.getOrder()))
        place[position] = i;
    }
    blockOfRow.resize(view.getNumRows());
    for (size_t block = 0; block + 1 < splits.size(); ++block)
      for (int64_t row = splits[block]; row < splits[block + 1]; ++row)
        blockOfRow[row] = block;
  }

  ColumnNorms run(ElementsAttr weights) {
    if (auto value = graph::splatFloatOf(weights))
      addSplat(*value);
    else
      graph::forEachFloats(weights, [&](int64_t, ArrayRef<float> part) {
        while (!part.empty()) {
          int64_t last = type.getRank() - 1;
          int64_t run =
              std::min<int64_t>(part.size(), type.getDimSize(last) - at[last]);
          addRun(part.take_front(run));
          part = part.drop_front(run);
          advance(run);
        }
      });
    for (auto &block : norms.square)
      for (float &value : block)
        value = std::sqrt(value);
    return std::move(norms);
  }

private:
  /// Row and column of an element follow from its coordinates on every axis.
  void fill(ArrayRef<int64_t> axes, SmallVector<int64_t> &strides) {
    int64_t stride = 1;
    for (int64_t axis : llvm::reverse(axes)) {
      strides[axis] = stride;
      stride *= view.getSizes()[axis];
    }
  }

  /// Where position `local` of an axis of columns comes in their order.
  int64_t placeOn(int64_t axis, int64_t local) const {
    return axis == orderedAxis ? place[local] : local;
  }

  void addSplat(float value) {
    for (size_t block = 0; block + 1 < splits.size(); ++block) {
      float rows = splits[block + 1] - splits[block];
      llvm::fill(norms.square[block], value * value * rows);
      llvm::fill(norms.sum[block], std::fabs(value) * rows);
      llvm::fill(norms.top[block], std::fabs(value));
    }
  }

  void addRun(ArrayRef<float> run) {
    int64_t last = type.getRank() - 1, row = 0, column = 0;
    for (int64_t axis = 0; axis < last; ++axis) {
      int64_t local = at[axis] - view.getOffsets()[axis];
      if (local < 0 || local >= view.getSizes()[axis])
        return;
      row += local * rowStride[axis];
      column += placeOn(axis, local) * colStride[axis];
    }
    int64_t local = at[last] - view.getOffsets()[last];
    if (local < 0) {
      run = run.drop_front(std::min<int64_t>(run.size(), -local));
      local = 0;
    }
    run = run.take_front(std::max<int64_t>(0, view.getSizes()[last] - local));
    row += local * rowStride[last];
    if (orderedAxis == last) {
      for (auto [i, value] : llvm::enumerate(run))
        addAlongColumns(value, blockOfRow[row],
                        column + place[local + i] * colStride[last], 1);
      return;
    }
    column += local * colStride[last];
    if (rowStride[last])
      addAlongRows(run, row, column, rowStride[last]);
    else
      addAlongColumns(run, blockOfRow[row], column, colStride[last]);
  }

  void addAlongRows(ArrayRef<float> run, int64_t row, int64_t column,
                    int64_t stride) {
    while (!run.empty()) {
      int32_t block = blockOfRow[row];
      int64_t left = llvm::divideCeil(splits[block + 1] - row, stride);
      int64_t count = std::min<int64_t>(run.size(), left);
      // Partial sums, so that the compiler may take several at a time.
      constexpr int kLanes = 16;
      float square[kLanes] = {}, sum[kLanes] = {}, top[kLanes] = {};
      int64_t i = 0;
      for (; i + kLanes <= count; i += kLanes)
        for (int lane = 0; lane < kLanes; ++lane) {
          float value = run[i + lane], size = std::fabs(value);
          square[lane] += value * value;
          sum[lane] += size;
          top[lane] = size > top[lane] ? size : top[lane];
        }
      for (; i < count; ++i) {
        square[0] += run[i] * run[i];
        sum[0] += std::fabs(run[i]);
        top[0] = std::max(top[0], std::fabs(run[i]));
      }
      for (int lane = 0; lane < kLanes; ++lane) {
        norms.square[block][column] += square[lane];
        norms.sum[block][column] += sum[lane];
        norms.top[block][column] =
            std::max(norms.top[block][column], top[lane]);
      }
      row += count * stride;
      run = run.drop_front(count);
    }
  }

  void addAlongColumns(ArrayRef<float> run, int32_t block, int64_t column,
                       int64_t stride) {
    float *square = norms.square[block].data() + column;
    float *sum = norms.sum[block].data() + column;
    float *top = norms.top[block].data() + column;
    if (stride != 1) {
      for (auto [i, value] : llvm::enumerate(run)) {
        square[i * stride] += value * value;
        sum[i * stride] += std::fabs(value);
        top[i * stride] = std::max(top[i * stride], std::fabs(value));
      }
      return;
    }
    for (size_t i = 0; i < run.size(); ++i) {
      float value = run[i], size = std::fabs(value);
      square[i] += value * value;
      sum[i] += size;
      top[i] = size > top[i] ? size : top[i];
    }
  }

  void advance(int64_t run) {
    at.back() += run;
    for (int64_t axis = type.getRank() - 1;
         axis > 0 && at[axis] == type.getDimSize(axis); --axis) {
      at[axis] = 0;
      ++at[axis - 1];
    }
  }

  ViewAttr view;
  ShapedType type;
  ArrayRef<int64_t> splits;
  SmallVector<int64_t> rowStride, colStride, at;
  std::vector<int32_t> blockOfRow;
  /// The axis whose positions the view reorders, and the place of each.
  int64_t orderedAxis = -1;
  SmallVector<int64_t> place;
  ColumnNorms norms;
};

} // namespace

ColumnNorms columnNormsOf(BankOp bank) {
  return NormSums(bank).run(bank.getWeights());
}

} // namespace mho::analog
