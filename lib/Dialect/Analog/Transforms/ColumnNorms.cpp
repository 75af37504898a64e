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
      : view(bank.getView()), splits(bank.getRowSplits()) {
    for (auto *part : {&norms.square, &norms.sum, &norms.top})
      part->assign(splits.size() - 1,
                   std::vector<float>(view.getNumColumns(), 0.0f));
    auto shape = cast<ShapedType>(bank.getWeights().getType()).getShape();
    for (auto [i, extent] : llvm::enumerate(shape))
      axes.push_back({extent, view.getOffsets()[i], view.getSizes()[i]});
    fill(view.getRows(), &Axis::row);
    fill(view.getColumns(), &Axis::column);
    if (!view.getOrder().empty()) {
      axes[view.getColumns().back()].isOrdered = true;
      place.resize(view.getOrder().size());
      for (auto [i, position] : llvm::enumerate(view.getOrder()))
        place[position] = i;
    }
    joinAxes();
    at.assign(axes.size(), 0);
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
          int64_t run =
              std::min<int64_t>(part.size(), axes.back().extent - at.back());
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
  /// An axis of the constant: its part that the bank has, and how many rows and
  /// columns lie from place to place.
  struct Axis {
    int64_t extent, offset, size;
    int64_t row = 0, column = 0;
    /// The view reorders its places.
    bool isOrdered = false;
  };

  /// Row and column of an element follow from its coordinates on every axis.
  void fill(ArrayRef<int64_t> among, int64_t Axis::*stride) {
    int64_t step = 1;
    for (int64_t axis : llvm::reverse(among)) {
      axes[axis].*stride = step;
      step *= view.getSizes()[axis];
    }
  }

  /// Neighbours that the bank has whole and walks through as through one become
  /// one: a kernel's taps are few along each axis.
  void joinAxes() {
    SmallVector<Axis> joined;
    for (const Axis &inner : axes) {
      if (!joined.empty()) {
        Axis &outer = joined.back();
        bool isWhole = inner.offset == 0 && inner.size == inner.extent;
        if (isWhole && !outer.isOrdered && !inner.isOrdered &&
            outer.row == inner.row * inner.extent &&
            outer.column == inner.column * inner.extent) {
          outer = {outer.extent * inner.extent, outer.offset * inner.extent,
                   outer.size * inner.extent, inner.row, inner.column};
          continue;
        }
      }
      joined.push_back(inner);
    }
    axes = joined;
  }

  /// Where position `local` of an axis of columns comes in their order.
  int64_t placeOn(const Axis &axis, int64_t local) const {
    return axis.isOrdered ? place[local] : local;
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
    int64_t row = 0, column = 0;
    for (size_t i = 0; i + 1 < axes.size(); ++i) {
      const Axis &axis = axes[i];
      int64_t local = at[i] - axis.offset;
      if (local < 0 || local >= axis.size)
        return;
      row += local * axis.row;
      column += placeOn(axis, local) * axis.column;
    }
    const Axis &last = axes.back();
    int64_t local = at.back() - last.offset;
    if (local < 0) {
      run = run.drop_front(std::min<int64_t>(run.size(), -local));
      local = 0;
    }
    run = run.take_front(std::max<int64_t>(0, last.size - local));
    row += local * last.row;
    if (last.isOrdered) {
      for (auto [i, value] : llvm::enumerate(run))
        addAlongColumns(value, blockOfRow[row],
                        column + place[local + i] * last.column, 1);
      return;
    }
    column += local * last.column;
    if (last.row)
      addAlongRows(run, row, column, last.row);
    else
      addAlongColumns(run, blockOfRow[row], column, last.column);
  }

  void addAlongRows(ArrayRef<float> run, int64_t row, int64_t column,
                    int64_t stride) {
    while (!run.empty()) {
      int32_t block = blockOfRow[row];
      int64_t left = llvm::divideCeil(splits[block + 1] - row, stride);
      int64_t count = std::min<int64_t>(run.size(), left);
      // Partial sums, so that the compiler may take several at a time.
      constexpr int kLanes = 16;
      if (count < kLanes) {
        addAlongColumn(run.take_front(count), block, column);
        row += count * stride;
        run = run.drop_front(count);
        continue;
      }
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

  void addAlongColumn(ArrayRef<float> run, int32_t block, int64_t column) {
    float square = 0, sum = 0, top = 0;
    for (float value : run) {
      square += value * value;
      sum += std::fabs(value);
      top = std::max(top, std::fabs(value));
    }
    norms.square[block][column] += square;
    norms.sum[block][column] += sum;
    norms.top[block][column] = std::max(norms.top[block][column], top);
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
    for (size_t axis = axes.size() - 1;
         axis > 0 && at[axis] == axes[axis].extent; --axis) {
      at[axis] = 0;
      ++at[axis - 1];
    }
  }

  ViewAttr view;
  ArrayRef<int64_t> splits;
  SmallVector<Axis> axes;
  SmallVector<int64_t> at;
  std::vector<int32_t> blockOfRow;
  /// Of the positions of the axis that the view reorders.
  SmallVector<int64_t> place;
  ColumnNorms norms;
};

} // namespace

ColumnNorms columnNormsOf(BankOp bank) {
  return NormSums(bank).run(bank.getWeights());
}

} // namespace mho::analog
