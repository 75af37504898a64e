//===- Sparse.cpp - sparse constants, made dense -------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Errors.h"
#include "Tensors.h"

#include "mho/Dialect/Graph/IR/Constants.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"

#include <cstring>

using namespace mlir;

namespace mho::import {

/// Sparse constants of more elements are refused.
static constexpr int64_t kMaximumElements = int64_t(1) << 26;

/// Where the listed elements stand: numbers in row-major order, or a row of
/// coordinates each.
static SmallVector<int64_t> placesOf(const onnx::SparseTensorProto &tensor,
                                     ArrayRef<int64_t> shape, int64_t count,
                                     MLIRContext *context, ModelFiles &files) {
  ElementsAttr indices = constantOf(context, tensor.indices(), files);
  auto reader = graph::ConstantReader::get(indices);
  auto type = cast<RankedTensorType>(indices.getType());
  bool coordinates = type.getRank() == 2;
  int64_t each = coordinates ? int64_t(shape.size()) : 1;
  if (!reader || !type.getElementType().isInteger(64) ||
      type.getNumElements() != count * each)
    throw ModelError("the indices of a sparse tensor must be int64, one or a "
                     "row of coordinates per value");
  SmallVector<int64_t> places;
  for (int64_t i = 0; i < count; ++i) {
    int64_t place = 0;
    for (int64_t axis = 0; axis < each; ++axis) {
      int64_t index = reader->asInteger(i * each + axis);
      int64_t extent = coordinates ? shape[axis] : INT64_MAX;
      if (index < 0 || index >= extent)
        throw ModelError("a sparse tensor has the index " +
                         std::to_string(index) + " on axis " +
                         std::to_string(axis));
      place = coordinates ? place * extent + index : index;
    }
    places.push_back(place);
  }
  return places;
}

ElementsAttr densified(MLIRContext *context,
                       const onnx::SparseTensorProto &tensor,
                       ModelFiles &files) {
  std::string name = "sparse tensor '" + tensor.values().name() + "'";
  ElementsAttr values = constantOf(context, tensor.values(), files);
  auto reader = graph::ConstantReader::get(values);
  if (!reader)
    throw ModelError(name + " has elements of type " +
                     dataTypeName(tensor.values().data_type()) +
                     ", which is not supported");
  SmallVector<int64_t> shape(tensor.dims().begin(), tensor.dims().end());
  RankedTensorType type = tensorType(shape, reader->type().getElementType());
  if (type.getNumElements() > kMaximumElements)
    throw ModelError(name + " has " + std::to_string(type.getNumElements()) +
                     " elements; sparse tensors of more than 2^26 are not "
                     "supported, store it dense");
  SmallVector<int64_t> places =
      placesOf(tensor, shape, reader->size(), context, files);
  size_t width = reader->width();
  reader->makePlain();
  auto blob = HeapAsmResourceBlob::allocate(
      std::max<size_t>(type.getNumElements() * width, 1), 16, true);
  char *to = blob.getMutableData().data();
  std::memset(to, 0, blob.getData().size());
  for (auto [i, place] : llvm::enumerate(places)) {
    if (place >= type.getNumElements())
      throw ModelError(name + " has the index " + std::to_string(place) +
                       " of " + std::to_string(type.getNumElements()));
    std::memcpy(to + place * width, reader->at(i), width);
  }
  return DenseResourceElementsAttr::get(type, "densified", std::move(blob));
}

} // namespace mho::import
