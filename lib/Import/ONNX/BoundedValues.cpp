//===- BoundedValues.cpp - tensors across borders of fixed shape ----------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BoundedValues.h"

#include "Tensors.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace mho::import {

namespace {
/// The front corner, with extents that may be scalars of the run.
struct Corner {
  SmallVector<OpFoldResult> offsets, sizes, strides;
  Corner(OpBuilder &b, Location loc, const Extents &extents,
         RankedTensorType type) {
    for (int64_t extent : symbolicShape(type)) {
      offsets.push_back(b.getIndexAttr(0));
      sizes.push_back(extents.value(b, loc, extent));
      strides.push_back(b.getIndexAttr(1));
    }
  }
};
} // namespace

RankedTensorType roomType(const Extents &extents, RankedTensorType type) {
  SmallVector<int64_t> shape(symbolicShape(type));
  for (int64_t &extent : shape)
    if (isSymbol(extent))
      extent = std::max<int64_t>(extents.range(extent).high, 0);
  return tensorType(shape, type.getElementType());
}

Value intoRoom(OpBuilder &b, Location loc, const Extents &extents, Value value,
               Value room) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || (room ? type == room.getType() : type.hasStaticShape()))
    return value;
  Corner corner(b, loc, extents, type);
  RankedTensorType whole = roomType(extents, type);
  if (!room)
    room = tensor::EmptyOp::create(b, loc, whole.getShape(),
                                   whole.getElementType());
  return tensor::InsertSliceOp::create(b, loc, value, room, corner.offsets,
                                       corner.sizes, corner.strides);
}

Value outOfRoom(OpBuilder &b, Location loc, const Extents &extents, Value room,
                RankedTensorType type) {
  if (type.hasStaticShape())
    return room;
  Corner corner(b, loc, extents, type);
  return tensor::ExtractSliceOp::create(b, loc, type, room, corner.offsets,
                                        corner.sizes, corner.strides);
}

} // namespace mho::import
