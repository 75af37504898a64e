//===- Tensors.cpp - ONNX tensors and types in MLIR -----------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Tensors.h"

#include "Errors.h"
#include "WireFormat.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectResourceBlobManager.h"

#include <cstring>

using namespace mlir;
using onnx::TensorProto;

namespace mho::import {

/// Constants of more bytes are blobs.
static constexpr size_t kInlineBytes = 1024;
/// Declared sizes beyond this are refused before anything is allocated.
static constexpr int64_t kMaximumElements = int64_t(1) << 38;

Type elementType(MLIRContext *context, int dataType) {
  Builder b(context);
  switch (dataType) {
  case TensorProto::FLOAT:
    return b.getF32Type();
  case TensorProto::DOUBLE:
    return b.getF64Type();
  case TensorProto::FLOAT16:
    return b.getF16Type();
  case TensorProto::BFLOAT16:
    return b.getBF16Type();
  case TensorProto::BOOL:
    return b.getI1Type();
  case TensorProto::INT8:
    return b.getIntegerType(8);
  case TensorProto::INT16:
    return b.getIntegerType(16);
  case TensorProto::INT32:
    return b.getIntegerType(32);
  case TensorProto::INT64:
    return b.getIntegerType(64);
  case TensorProto::UINT8:
    return b.getIntegerType(8, false);
  case TensorProto::UINT16:
    return b.getIntegerType(16, false);
  case TensorProto::UINT32:
    return b.getIntegerType(32, false);
  case TensorProto::UINT64:
    return b.getIntegerType(64, false);
  case TensorProto::INT4:
    return b.getIntegerType(4);
  case TensorProto::UINT4:
    return b.getIntegerType(4, false);
  case TensorProto::INT2:
    return b.getIntegerType(2);
  case TensorProto::UINT2:
    return b.getIntegerType(2, false);
  case TensorProto::FLOAT8E4M3FN:
    return Float8E4M3FNType::get(context);
  case TensorProto::FLOAT8E4M3FNUZ:
    return Float8E4M3FNUZType::get(context);
  case TensorProto::FLOAT8E5M2:
    return Float8E5M2Type::get(context);
  case TensorProto::FLOAT8E5M2FNUZ:
    return Float8E5M2FNUZType::get(context);
  case TensorProto::FLOAT8E8M0:
    return Float8E8M0FNUType::get(context);
  case TensorProto::FLOAT4E2M1:
    return Float4E2M1FNType::get(context);
  default:
    return nullptr;
  }
}

std::string dataTypeName(int dataType) {
  if (!TensorProto::DataType_IsValid(dataType))
    return "number " + std::to_string(dataType);
  return TensorProto::DataType_Name(TensorProto::DataType(dataType));
}

int dataTypeOf(Type element) {
  for (int type = 1; type <= TensorProto::DataType_MAX; ++type)
    if (elementType(element.getContext(), type) == element)
      return type;
  return TensorProto::UNDEFINED;
}

RankedTensorType tensorType(ArrayRef<int64_t> shape, Type element) {
  // Extents of 0 apart, so that the strides of an empty tensor have limits too.
  int64_t count = 1;
  for (int64_t extent : shape) {
    if (extent < 0)
      throw ModelError("a tensor has the extent " + std::to_string(extent));
    if (extent && count > kMaximumElements / extent)
      throw ModelError("a tensor has more than 2^38 elements");
    count *= std::max<int64_t>(extent, 1);
  }
  return RankedTensorType::get(shape, element);
}

/// Bits of an element in ONNX's bytes.
static unsigned bitsOf(Type element) {
  return element.isInteger(1) ? 8 : element.getIntOrFloatBitWidth();
}

/// One element a byte, from bytes that hold several, the lowest bits first.
static std::string unpacked(StringRef bytes, int64_t count, unsigned bits) {
  std::string result(count, 0);
  unsigned each = 8 / bits;
  for (int64_t i = 0; i < count; ++i)
    result[i] =
        uint8_t(bytes[i / each]) >> (i % each * bits) & ((1u << bits) - 1);
  return result;
}

/// Elements from the typed repeated fields, each in its own width.
template <typename T, typename Field>
static std::string packed(const Field &field) {
  std::string bytes;
  bytes.reserve(field.size() * sizeof(T));
  for (auto value : field) {
    T narrow = T(value);
    bytes.append(reinterpret_cast<const char *>(&narrow), sizeof(T));
  }
  return bytes;
}

static std::string typedBytes(const TensorProto &tensor) {
  switch (tensor.data_type()) {
  case TensorProto::FLOAT:
    return packed<float>(tensor.float_data());
  case TensorProto::DOUBLE:
    return packed<double>(tensor.double_data());
  case TensorProto::INT64:
    return packed<int64_t>(tensor.int64_data());
  case TensorProto::UINT64:
    return packed<uint64_t>(tensor.uint64_data());
  case TensorProto::UINT32:
    return packed<uint32_t>(tensor.uint64_data());
  case TensorProto::INT32:
    return packed<int32_t>(tensor.int32_data());
  case TensorProto::INT16:
  case TensorProto::UINT16:
  case TensorProto::FLOAT16:
  case TensorProto::BFLOAT16:
    return packed<uint16_t>(tensor.int32_data());
  default:
    return packed<uint8_t>(tensor.int32_data());
  }
}

/// Where the bytes of `tensor` stand; `buffer` holds them if not in a file.
static FileSlice bytesOf(const TensorProto &tensor, ModelFiles &files,
                         std::string &buffer) {
  if (tensor.data_location() == TensorProto::EXTERNAL) {
    StringRef location;
    int64_t offset = 0, length = -1;
    for (const auto &entry : tensor.external_data()) {
      StringRef key = entry.key(), value = entry.value();
      if (key == kMappedKey)
        return files.mapped(value);
      if (key == "location")
        location = value;
      else if ((key == "offset" && value.getAsInteger(10, offset)) ||
               (key == "length" &&
                (value.getAsInteger(10, length) || length < 0)))
        throw ModelError("external data of tensor '" + tensor.name() + "': " +
                         key.str() + " '" + value.str() + "' is no size");
    }
    return files.external(tensor.name(), location, offset, length);
  }
  if (tensor.has_raw_data())
    return {nullptr, tensor.raw_data()};
  buffer = typedBytes(tensor);
  return {nullptr, buffer};
}

ElementsAttr constantOf(MLIRContext *context, const TensorProto &tensor,
                        ModelFiles &files) {
  std::string name = "tensor '" + tensor.name() + "'";
  Type element = elementType(context, tensor.data_type());
  if (!element)
    throw ModelError(name + " has elements of type " +
                     dataTypeName(tensor.data_type()) +
                     ", which is not supported");
  if (tensor.has_segment())
    throw ModelError(name + " is stored in segments, which is not supported");
  SmallVector<int64_t> shape(tensor.dims().begin(), tensor.dims().end());
  RankedTensorType type;
  try {
    type = tensorType(shape, element);
  } catch (ModelError &error) {
    throw ModelError(name + ": " + error.what());
  }
  std::string buffer;
  FileSlice slice;
  unsigned bits = bitsOf(element);
  uint64_t expected =
      llvm::divideCeil(uint64_t(type.getNumElements()) * bits, 8);
  if (expected)
    slice = bytesOf(tensor, files, buffer);
  // Without a length, external data of several tensors may share one file.
  bool open = slice.file && slice.bytes.size() > expected &&
              llvm::none_of(tensor.external_data(), [](const auto &entry) {
                return entry.key() == "length" || entry.key() == kMappedKey;
              });
  if (open)
    slice.bytes = slice.bytes.take_front(expected);
  if (slice.bytes.size() != expected)
    throw ModelError(name + " of shape [" +
                     llvm::join(llvm::map_range(shape,
                                                [](int64_t extent) {
                                                  return std::to_string(extent);
                                                }),
                                ", ") +
                     "] needs " + std::to_string(expected) + " bytes, found " +
                     std::to_string(slice.bytes.size()));
  // Small ones are attributes, large ones stay packed.
  if (bits < 8 && expected && type.getNumElements() <= int64_t(kInlineBytes)) {
    buffer = unpacked(slice.bytes, type.getNumElements(), bits);
    slice = {nullptr, buffer};
  }
  ArrayRef<char> bytes(slice.bytes.data(), slice.bytes.size());
  if (element.isInteger(1)) {
    auto bools = std::make_unique<bool[]>(bytes.size());
    for (auto [to, from] : llvm::zip(
             llvm::MutableArrayRef<bool>(bools.get(), bytes.size()), bytes))
      to = from != 0;
    return DenseElementsAttr::get(type,
                                  ArrayRef<bool>(bools.get(), bytes.size()));
  }
  if (bytes.size() <= kInlineBytes) {
    // Aligned copy: the raw buffer is read as elements.
    SmallVector<uint64_t> aligned(bytes.size() / 8 + 1);
    llvm::copy(bytes, reinterpret_cast<char *>(aligned.data()));
    return DenseElementsAttr::getFromRawBuffer(
        type,
        ArrayRef<char>(reinterpret_cast<char *>(aligned.data()), bytes.size()));
  }
  // Files align nothing; whoever reads elements copies them first.
  size_t natural = llvm::divideCeil(bits, 8);
  size_t alignment = uintptr_t(bytes.data()) % natural ? 1 : natural;
  std::string key = tensor.name().empty() ? "weights" : tensor.name();
  if (!slice.file)
    return DenseResourceElementsAttr::get(
        type, key, HeapAsmResourceBlob::allocateAndCopyWithAlign(bytes, 16));
  AsmResourceBlob blob(
      bytes, alignment, [file = slice.file](void *, size_t, size_t) {},
      /*dataIsMutable=*/false);
  return DenseResourceElementsAttr::get(type, key, std::move(blob));
}

} // namespace mho::import
