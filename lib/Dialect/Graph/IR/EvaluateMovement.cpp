//===- EvaluateMovement.cpp - data movement on constants ------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluate.h"

#include "mho/Dialect/Graph/IR/GraphOps.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cstring>

using namespace mlir;

namespace mho::graph {

template <size_t Width>
static void copyRow(char *to, const char *from, int64_t count, int64_t stride) {
  for (int64_t i = 0; i < count; ++i)
    std::memcpy(to + i * Width, from + i * stride * int64_t(Width), Width);
}

/// `count` elements of `width` bytes, `stride` elements apart.
static void copyRow(char *to, const char *from, int64_t count, int64_t stride,
                    unsigned width) {
  if (stride == 1) {
    std::memcpy(to, from, count * width);
    return;
  }
  switch (width) {
  case 1:
    return copyRow<1>(to, from, count, stride);
  case 2:
    return copyRow<2>(to, from, count, stride);
  case 4:
    return copyRow<4>(to, from, count, stride);
  default:
    return copyRow<8>(to, from, count, stride);
  }
}

/// Copies x[offset + Σ stride·index] over all positions of `type`.
static Attribute gatherStrided(const ConstantReader &x, int64_t offset,
                               ArrayRef<int64_t> strides,
                               RankedTensorType type) {
  ConstantWriter result(type, x.isSplat());
  if (x.isSplat()) {
    std::memcpy(result.at(0), x.at(0), x.width());
    return result.finish();
  }
  if (result.size() == 0 || type.getRank() == 0) {
    if (result.size())
      std::memcpy(result.at(0), x.at(offset), x.width());
    return result.finish();
  }
  int64_t row = type.getShape().back();
  Odometer at(type.getShape().drop_back(),
              {SmallVector<int64_t>(strides.drop_back())});
  for (int64_t i = 0; i < result.size(); i += row, at.next())
    copyRow(result.at(i), x.at(offset + at.offset(0)), row, strides.back(),
            x.width());
  return result.finish();
}

static Attribute evaluateConcat(ConcatOp op, ArrayRef<ConstantReader> operands,
                                RankedTensorType type) {
  int64_t axis = op.getAxis(), outer = 1;
  for (int64_t extent : type.getShape().take_front(axis))
    outer *= extent;
  ConstantWriter result(type, false);
  int64_t to = 0;
  for (int64_t row = 0; row < outer; ++row)
    for (const ConstantReader &x : operands) {
      int64_t length = x.size() / outer;
      for (int64_t i = 0; i < (x.isSplat() ? length : 0); ++i)
        std::memcpy(result.at(to + i), x.at(0), x.width());
      if (!x.isSplat() && length)
        std::memcpy(result.at(to), x.at(row * length), length * x.width());
      to += length;
    }
  return result.finish();
}

static Attribute evaluateGather(GatherOp op, const ConstantReader &x,
                                const ConstantReader &indices,
                                RankedTensorType type) {
  int64_t axis = op.getAxis(), extent = x.type().getDimSize(axis);
  int64_t outer = 1, inner = 1;
  for (int64_t size : x.type().getShape().take_front(axis))
    outer *= size;
  for (int64_t size : x.type().getShape().drop_front(axis + 1))
    inner *= size;
  ConstantWriter result(type, false);
  int64_t to = 0;
  for (int64_t row = 0; row < outer; ++row)
    for (int64_t k = 0; k < indices.size(); ++k) {
      int64_t index = indices.asInteger(k);
      index += index < 0 ? extent : 0;
      if (index < 0 || index >= extent)
        return nullptr;
      for (int64_t i = 0; i < inner; ++i)
        std::memcpy(result.at(to++), x.at((row * extent + index) * inner + i),
                    x.width());
    }
  return result.finish();
}

/// The source index of a padded position, or -1 for the constant.
static int64_t padSource(StringRef mode, int64_t index, int64_t extent) {
  if (index >= 0 && index < extent)
    return index;
  if (extent == 0 || mode == "constant")
    return -1;
  if (mode == "edge")
    return index < 0 ? 0 : extent - 1;
  if (mode == "wrap")
    return ((index % extent) + extent) % extent;
  if (extent == 1)
    return 0;
  int64_t period = 2 * (extent - 1);
  int64_t folded = ((index % period) + period) % period;
  return folded < extent ? folded : period - folded;
}

static Attribute evaluatePad(PadOp op, ArrayRef<ConstantReader> operands,
                             RankedTensorType type) {
  const ConstantReader &x = operands[0];
  if (!op.getAmounts().empty())
    return {};
  ArrayRef<int64_t> shape = x.type().getShape();
  SmallVector<int64_t> strides = rowMajorStrides(shape);
  ConstantWriter result(type, false);
  Odometer at(type.getShape(), {});
  for (int64_t i = 0; i < result.size(); ++i, at.next()) {
    int64_t from = 0;
    for (auto [axis, index] : llvm::enumerate(at.position())) {
      int64_t source =
          padSource(op.getMode(), index - op.getLow()[axis], shape[axis]);
      if (source < 0) {
        from = -1;
        break;
      }
      from += source * strides[axis];
    }
    if (from >= 0)
      std::memcpy(result.at(i), x.at(from), x.width());
    else if (operands.size() > 1)
      std::memcpy(result.at(i), operands[1].at(0), x.width());
  }
  return result.finish();
}

/// Where points of computed places lie in a tensor.
class Places {
public:
  Places(ArrayRef<int64_t> shape, ArrayRef<int64_t> points,
         ArrayRef<int64_t> dims, ArrayRef<ConstantReader> indices)
      : shape(shape), dims(dims), indices(indices), own(rowMajorStrides(shape)),
        at(points, stridesOf(points, indices)) {}

  /// The element of the point; nothing where an index is out of range.
  std::optional<int64_t> element() const {
    int64_t place = 0;
    size_t next = 0;
    for (auto [axis, dim] : llvm::enumerate(dims)) {
      int64_t index = 0;
      if (dim >= 0) {
        index = at.position()[dim];
      } else {
        index = indices[next].asInteger(at.offset(next));
        index += index < 0 ? shape[axis] : 0;
        ++next;
      }
      if (index < 0 || index >= shape[axis])
        return std::nullopt;
      place += index * own[axis];
    }
    return place;
  }
  void next() { at.next(); }

private:
  static SmallVector<SmallVector<int64_t>>
  stridesOf(ArrayRef<int64_t> points, ArrayRef<ConstantReader> indices) {
    SmallVector<SmallVector<int64_t>> all;
    for (const ConstantReader &index : indices) {
      ArrayRef<int64_t> extents = index.type().getShape();
      SmallVector<int64_t> strides(points.size() - extents.size(), 0);
      for (auto [extent, stride] : llvm::zip(extents, rowMajorStrides(extents)))
        strides.push_back(extent == 1 ? 0 : stride);
      all.push_back(std::move(strides));
    }
    return all;
  }

  ArrayRef<int64_t> shape, dims;
  ArrayRef<ConstantReader> indices;
  SmallVector<int64_t> own;
  Odometer at;
};

static Attribute evaluateGatherND(GatherNDOp op,
                                  ArrayRef<ConstantReader> operands,
                                  RankedTensorType type) {
  const ConstantReader &x = operands[0];
  Places places(x.type().getShape(), type.getShape(), op.getDims(),
                operands.drop_front());
  ConstantWriter result(type, false);
  for (int64_t i = 0; i < result.size(); ++i, places.next()) {
    std::optional<int64_t> element = places.element();
    if (!element)
      return nullptr;
    std::memcpy(result.at(i), x.at(*element), x.width());
  }
  return result.finish();
}

/// Storing alone: what combines stays to the run time.
static Attribute evaluateScatterND(ScatterNDOp op,
                                   ArrayRef<ConstantReader> operands,
                                   RankedTensorType type) {
  const ConstantReader &x = operands[0], &updates = operands[1];
  if (op.getKind() != "none")
    return nullptr;
  ConstantWriter result(type, false);
  for (int64_t i = 0; i < result.size(); ++i)
    std::memcpy(result.at(i), x.at(i), x.width());
  Places places(type.getShape(), updates.type().getShape(), op.getDims(),
                operands.drop_front(2));
  for (int64_t i = 0; i < updates.size(); ++i, places.next()) {
    std::optional<int64_t> element = places.element();
    if (!element)
      return nullptr;
    std::memcpy(result.at(*element), updates.at(i), x.width());
  }
  return result.finish();
}

Attribute evaluateMovement(Operation *op, ArrayRef<ConstantReader> operands,
                           RankedTensorType type) {
  const ConstantReader &x = operands[0];
  SmallVector<int64_t> own = rowMajorStrides(x.type().getShape());
  return llvm::TypeSwitch<Operation *, Attribute>(op)
      .Case([&](TransposeOp transpose) {
        SmallVector<int64_t> strides;
        for (int64_t axis : transpose.getPerm())
          strides.push_back(own[axis]);
        return gatherStrided(x, 0, strides, type);
      })
      .Case([&](SliceOp slice) {
        int64_t offset = 0;
        SmallVector<int64_t> strides;
        for (size_t axis = 0; axis < own.size(); ++axis) {
          offset += slice.getStarts()[axis] * own[axis];
          strides.push_back(slice.getSteps()[axis] * own[axis]);
        }
        return gatherStrided(x, offset, strides, type);
      })
      .Case([&](ExpandOp) {
        SmallVector<int64_t> strides(type.getRank() - own.size(), 0);
        for (auto [extent, stride] : llvm::zip(x.type().getShape(), own))
          strides.push_back(extent == 1 ? 0 : stride);
        return gatherStrided(x, 0, strides, type);
      })
      .Case([&](ConcatOp concat) {
        return evaluateConcat(concat, operands, type);
      })
      .Case([&](GatherOp gather) {
        return evaluateGather(gather, x, operands[1], type);
      })
      .Case([&](GatherNDOp gather) {
        return evaluateGatherND(gather, operands, type);
      })
      .Case([&](ScatterNDOp scatter) {
        return evaluateScatterND(scatter, operands, type);
      })
      .Case([&](PadOp pad) { return evaluatePad(pad, operands, type); })
      .Default(Attribute());
}

} // namespace mho::graph
