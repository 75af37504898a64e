//===- GateColumns.cpp - gates of one hidden unit side by side ------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GateColumns.h"

using namespace mlir;

namespace mho {

std::optional<GateColumns> GateColumns::take(graph::StationaryProduct &product,
                                             StringRef wanted,
                                             PatternRewriter &rewriter,
                                             Location loc) {
  int64_t gates = product.gates.size();
  if (wanted.empty() || gates < 2 || product.columns.size() != 1)
    return std::nullopt;
  int64_t axis = product.columns.front();
  auto type = cast<RankedTensorType>(product.weights.getType());
  GateColumns columns;
  columns.units = product.sizes[axis] / gates;
  // The product may be of some gates only, which begin at one.
  if (product.sizes[axis] % gates || columns.units == 0 ||
      product.offsets[axis] % columns.units ||
      type.getDimSize(axis) % columns.units)
    return std::nullopt;
  columns.order = llvm::to_vector(llvm::seq<int64_t>(0, gates));
  llvm::stable_sort(columns.order, [&](int64_t a, int64_t b) {
    return wanted.find(product.gates[a]) < wanted.find(product.gates[b]);
  });

  SmallVector<int64_t> shape(type.getShape());
  shape[axis] = columns.units;
  shape.insert(shape.begin() + axis, type.getDimSize(axis) / columns.units);
  product.weights = rewriter.createOrFold<graph::ReshapeOp>(
      loc, type.clone(shape), product.weights);
  for (int64_t &row : product.rows)
    row += row > axis;
  product.columns = {axis + 1, axis};
  int64_t firstGate = product.offsets[axis] / columns.units;
  product.offsets[axis] = 0;
  product.sizes[axis] = columns.units;
  product.offsets.insert(product.offsets.begin() + axis, firstGate);
  product.sizes.insert(product.sizes.begin() + axis, gates);
  return columns;
}

ArrayRef<int64_t> GateColumns::viewOrder() const {
  if (llvm::is_sorted(order))
    return {};
  return order;
}

SmallVector<float> GateColumns::inOrder(ArrayRef<float> values) const {
  SmallVector<float> taken;
  taken.reserve(values.size());
  for (int64_t unit = 0; unit < units; ++unit)
    for (int64_t gate : order)
      taken.push_back(values[gate * units + unit]);
  return taken;
}

Value GateColumns::restored(Value y, PatternRewriter &rewriter,
                            Location loc) const {
  auto type = cast<RankedTensorType>(y.getType());
  int64_t rank = type.getRank(), gates = order.size();
  SmallVector<int64_t> apart(type.getShape());
  apart.back() = units;
  SmallVector<int64_t> gate(apart);
  apart.push_back(gates);
  Value units = graph::ReshapeOp::create(rewriter, loc, type.clone(apart), y);
  SmallVector<int64_t> one(apart), starts(rank + 1, 0), steps(rank + 1, 1);
  one.back() = 1;
  // Slices of the whole fold to these: a step reads a gate where it lies.
  SmallVector<Value> parts(gates);
  for (auto [position, of] : llvm::enumerate(order)) {
    starts.back() = position;
    Value slice = graph::SliceOp::create(rewriter, loc, type.clone(one), units,
                                         starts, steps);
    parts[of] =
        graph::ReshapeOp::create(rewriter, loc, type.clone(gate), slice);
  }
  return graph::ConcatOp::create(rewriter, loc, type, parts, rank - 1);
}

} // namespace mho
