//===- QuantizedContrib.cpp - ONNX Runtime's quantized operators ---------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compositions.h"
#include "QuantizedProducts.h"

#include "mho/Dialect/Graph/IR/Shapes.h"

#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;

namespace mho::import {

namespace {

Type realType(Node &n) { return n.b.getF32Type(); }

/// Inputs x, scale and zero point that stand one after the other.
Value real(Node &n, size_t first) {
  return dequantized(n, n.input(first),
                     {n.input(first + 1), n.optional(first + 2)}, realType(n));
}

/// Quantizes y by the inputs scale and zero point; without the latter to the
/// type of `like`.
void finish(Node &n, Value y, size_t scale, Value like) {
  Value zero = n.optional(scale + 1);
  Type element = n.element(zero ? zero : like);
  n.result(quantized(n, y, {n.input(scale), zero}, element));
}

template <typename OpTy> void qlinearBinary(Node &n) {
  finish(n, n.binary<OpTy>(real(n, 0), real(n, 3)), 6, n.input(0));
}

void qlinearSigmoid(Node &n) {
  Value x = real(n, 0);
  finish(n, n.make<graph::SigmoidOp>(x.getType(), x), 3, n.input(0));
}

void qlinearLeakyRelu(Node &n) {
  Value x = real(n, 0);
  auto alpha = n.b.getF32FloatAttr(n.real("alpha", 0.01f));
  finish(n, n.make<graph::LeakyReluOp>(x.getType(), x, alpha), 3, n.input(0));
}

/// The meaning of ONNX's own operators here.
constexpr int64_t kOpset = 22;

/// Pools an image whose channels may stand last.
template <Handler pool> void qlinearPool(Node &n) {
  Value x = real(n, 0);
  bool last = n.integer("channels_last", 0);
  int64_t rank = n.type(x).getRank();
  Shape toFirst{0, rank - 1}, toLast{0};
  for (int64_t axis = 1; axis + 1 < rank; ++axis) {
    toFirst.push_back(axis);
    toLast.push_back(axis + 1);
  }
  toLast.push_back(1);
  if (last && rank < 3)
    n.fail("expected an image of rank 3 or more, found rank " + Twine(rank));
  Value y = delegated(n, pool, {last ? n.transpose(x, toFirst) : x}, kOpset);
  finish(n, last ? n.transpose(y, toLast) : y, 3, n.input(0));
}

void qlinearConcat(Node &n) {
  SmallVector<Value> parts;
  for (size_t i = 2; i + 1 < n.inputs.size(); i += 3)
    parts.push_back(real(n, i));
  if (parts.empty())
    n.fail("there is nothing to join");
  int64_t axis = n.axis(n.integer("axis", 0), n.type(parts[0]).getRank());
  Shape shape(n.shape(parts[0]));
  for (Value part : ArrayRef(parts).drop_front())
    shape[axis] = n.extents->sum(shape[axis], n.shape(part)[axis]);
  Value y = n.make<graph::ConcatOp>(n.typeOf(shape, realType(n)), parts,
                                    n.b.getI64IntegerAttr(axis));
  finish(n, y, 0, n.input(2));
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// sum · (a's scale · b's scale), plus a bias.
void scaled(Node &n, Value sum, Value aScale, Value cScale, Value bias) {
  Type f32 = realType(n);
  Value factor =
      n.binary<graph::MulOp>(n.cast(aScale, f32), n.cast(cScale, f32));
  Value y = n.binary<graph::MulOp>(n.cast(sum, f32), factor);
  n.result(bias ? n.binary<graph::AddOp>(y, n.cast(bias, f32)) : y);
}

void matMulIntegerToFloat(Node &n) {
  Value a = n.input(0), c = n.input(1);
  scaled(n, quantizedMatMul(n, a, n.optional(4), c, n.optional(5)),
         overRows(n, n.input(2), n.type(a).getRank()), n.input(3),
         n.optional(6));
}

/// The quantizer to u8 whose range just covers x and zero.
Quantizer coveringRange(Node &n, Value x) {
  Type f32 = n.element(x), u8 = n.b.getIntegerType(8, false);
  auto scalar = n.typeOf({}, f32);
  auto axes = n.b.getDenseI64ArrayAttr(
      llvm::to_vector(llvm::seq<int64_t>(0, n.type(x).getRank())));
  Value none = n.scalar(f32, 0);
  Value low = n.binary<graph::MinOp>(
      n.make<graph::ReduceMinOp>(scalar, x, axes, UnitAttr()), none);
  Value high = n.binary<graph::MaxOp>(
      n.make<graph::ReduceMaxOp>(scalar, x, axes, UnitAttr()), none);
  Value span = n.binary<graph::SubOp>(high, low);
  Value scale = n.binary<graph::DivOp>(span, n.scalar(f32, 255));
  Value flat = n.binary<graph::EqualOp>(scale, none, n.b.getI1Type());
  scale = n.make<graph::WhereOp>(scalar, flat, n.scalar(f32, 1), scale);
  Value below = n.make<graph::NegOp>(scalar, low);
  return {scale, quantized(n, below, {scale}, u8)};
}

void dynamicQuantizeMatMul(Node &n) {
  Value a = n.input(0);
  Quantizer by = coveringRange(n, a);
  Value bytes = quantized(n, a, by, n.element(by.zero));
  scaled(n, quantizedMatMul(n, bytes, by.zero, n.input(1), n.optional(3)),
         by.scale, n.input(2), n.optional(4));
}

void qgemm(Node &n) {
  Value a = n.input(0), c = n.input(3), bias = n.optional(6);
  if (n.type(a).getRank() != 2 || n.type(c).getRank() != 2)
    n.fail("expected matrices");
  if (n.integer("transA", 0))
    a = n.transpose(a, {1, 0});
  if (n.integer("transB", 0))
    c = n.transpose(c, {1, 0});
  Value sum = quantizedMatMul(n, a, n.optional(2), c, n.optional(5));
  Type f32 = realType(n);
  Value factor =
      n.binary<graph::MulOp>(n.cast(n.input(1), f32), n.cast(n.input(4), f32));
  // alpha scales the product, but the bias already has the whole scale.
  if (float alpha = n.real("alpha", 1); alpha != 1)
    sum = n.binary<graph::MulOp>(n.cast(sum, f32), n.scalar(f32, alpha));
  if (bias)
    sum = n.binary<graph::AddOp>(sum, n.cast(bias, n.element(sum)));
  if (Value scale = n.optional(7))
    return n.result(requantized(n, sum, factor, {scale, n.optional(8)},
                                n.element(n.optional(8) ? n.input(8) : a)));
  n.result(n.binary<graph::MulOp>(n.cast(sum, f32), factor));
}

//===----------------------------------------------------------------------===//
// Weights of few bits
//===----------------------------------------------------------------------===//

/// How MatMulNBits packs its weights: per column blocks of neighbours along the
/// rows, each block in whole bytes, the first in the lowest bits.
struct Packing {
  int64_t rows, columns, bits, block;
  int64_t blocks() const { return llvm::divideCeil(rows, block); }
  int64_t blockBytes() const { return block * bits / 8; }
  int64_t zeroBytes() const { return llvm::divideCeil(blocks() * bits, 8); }
  /// Number `i` of those that begin at `from`.
  unsigned at(const char *from, int64_t i) const {
    int64_t bit = i * bits;
    return uint8_t(from[bit / 8]) >> bit % 8 & ((1u << bits) - 1);
  }
};

/// The elements of a constant input.
ConstantElements constantInput(Node &n, size_t i, StringRef what) {
  auto elements = ConstantElements::of(n.input(i));
  if (!elements)
    n.refuse(what + " must be constant");
  return *elements;
}

/// The weights as a matrix of rows × columns.
Value unpackedWeights(Node &n, const Packing &packing) {
  ConstantElements weights = constantInput(n, 1, "the packed weights");
  ConstantElements scales = constantInput(n, 2, "the scales");
  std::optional<ConstantElements> zeros, groups;
  if (n.optional(3))
    zeros = constantInput(n, 3, "the zero points");
  if (n.optional(4))
    groups = constantInput(n, 4, "the groups");
  int64_t blocks = packing.blocks();
  bool packedZeros = zeros && zeros->element().isUnsignedInteger(8);
  int64_t zerosExpected =
      packing.columns * (packedZeros ? packing.zeroBytes() : blocks);
  if (weights.size() != packing.columns * blocks * packing.blockBytes() ||
      scales.size() != packing.columns * blocks ||
      (zeros && zeros->size() != zerosExpected) ||
      (groups && groups->size() != packing.rows))
    n.fail("weights of " + Twine(packing.bits) + " bits in blocks of " +
           Twine(packing.block) + " for " + Twine(packing.rows) + " rows and " +
           Twine(packing.columns) +
           " columns need other numbers of bytes, scales or zero points");
  auto type = n.typeOf({packing.rows, packing.columns}, realType(n));
  auto blob = HeapAsmResourceBlob::allocate(
      type.getNumElements() * sizeof(float), alignof(float), true);
  auto *result = reinterpret_cast<float *>(blob.getMutableData().data());
  std::string column = weights.bytes();
  std::string zeroBytes = packedZeros ? zeros->bytes() : std::string();
  for (int64_t c = 0; c < packing.columns; ++c) {
    const char *from = column.data() + c * blocks * packing.blockBytes();
    for (int64_t r = 0; r < packing.rows; ++r) {
      int64_t block = groups ? int64_t(groups->real(r)) : r / packing.block;
      if (block < 0 || block >= blocks)
        n.fail("group " + Twine(block) + " is not one of " + Twine(blocks));
      double zero = 1 << (packing.bits - 1);
      if (packedZeros)
        zero = packing.at(zeroBytes.data() + c * packing.zeroBytes(), block);
      else if (zeros)
        zero = zeros->real(c * blocks + block);
      const char *own = from + r / packing.block * packing.blockBytes();
      result[r * packing.columns + c] =
          (packing.at(own, r % packing.block) - zero) *
          scales.real(c * blocks + block);
    }
  }
  return n.constant(
      DenseResourceElementsAttr::get(type, "unpacked", std::move(blob)));
}

void matMulNBits(Node &n) {
  Value a = n.input(0), bias = n.optional(5);
  Packing packing{n.integer("K", 0), n.integer("N", 0), n.integer("bits", 4),
                  n.integer("block_size", 0)};
  if (!llvm::is_contained({2, 4, 8}, int(packing.bits)))
    n.refuse("weights of " + Twine(packing.bits) + " bits are not supported");
  if (packing.rows < 1 || packing.columns < 1 || packing.block < 8)
    n.fail("attributes K, N and block_size are " + Twine(packing.rows) + ", " +
           Twine(packing.columns) + " and " + Twine(packing.block));
  Type element = n.element(a);
  Value w = unpackedWeights(n, packing);
  Value y = product(n, n.cast(a, realType(n)), w);
  if (bias)
    y = n.binary<graph::AddOp>(y, n.cast(bias, realType(n)));
  n.result(n.cast(y, element));
}

} // namespace

void addQuantizedContrib(HandlerTable &table) {
  table["com.microsoft.QLinearAdd"] = qlinearBinary<graph::AddOp>;
  table["com.microsoft.QLinearMul"] = qlinearBinary<graph::MulOp>;
  table["com.microsoft.QLinearSigmoid"] = qlinearSigmoid;
  table["com.microsoft.QLinearLeakyRelu"] = qlinearLeakyRelu;
  table["com.microsoft.QLinearAveragePool"] = qlinearPool<averagePool>;
  table["com.microsoft.QLinearGlobalAveragePool"] =
      qlinearPool<globalAveragePool>;
  table["com.microsoft.QLinearConcat"] = qlinearConcat;
  table["com.microsoft.MatMulIntegerToFloat"] = matMulIntegerToFloat;
  table["com.microsoft.DynamicQuantizeMatMul"] = dynamicQuantizeMatMul;
  table["com.microsoft.QGemm"] = qgemm;
  table["com.microsoft.MatMulNBits"] = matMulNBits;
}

} // namespace mho::import
