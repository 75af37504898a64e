//===- QuantizedContrib.cpp - ONNX Runtime's quantized operators ---------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compositions.h"
#include "QuantizedProducts.h"

#include "mho/Dialect/Graph/IR/Constants.h"
#include "mho/Dialect/Graph/IR/Shapes.h"

#include "mlir/IR/DialectResourceBlobManager.h"
#include "mlir/IR/Matchers.h"

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

/// One of the operands of a sum or product: x, scale and zero point, the latter
/// scalars of f32.
struct Quantized {
  Expr x, scale, zero;
  Quantized(Node &n, size_t first)
      : x(n, n.cast(n.input(first), realType(n))),
        scale(scalarInput(n, first + 1)), zero(scalarInput(n, first + 2)) {}

  static Expr scalarInput(Node &n, size_t i) {
    Value given = n.optional(i);
    if (!given)
      return {n, n.scalar(realType(n), 0)};
    if (n.type(given).getNumElements() != 1)
      n.refuse("scales and zero points that are no scalars are not supported");
    return {n, n.reshape(n.cast(given, realType(n)), {})};
  }
};

/// Rounds y, which counts steps of the result, to the result's type.
void finishSteps(Node &n, Expr y) {
  Type element = n.element(n.optional(7) ? n.input(7) : n.input(0));
  n.result(quantized(n, y, {y.like(1), {}}, element));
}

/// As ONNX Runtime does it, with the scales' ratios: what does not depend on
/// the operands is one number.
void qlinearAdd(Node &n) {
  Quantized a(n, 0), b(n, 3);
  Expr scale = Quantized::scalarInput(n, 6),
       zero = Quantized::scalarInput(n, 7);
  Expr ofA = a.scale / scale, ofB = b.scale / scale;
  Expr fixed = zero - (ofA * a.zero + ofB * b.zero);
  finishSteps(n, a.x * ofA + (b.x * ofB + fixed));
}

void qlinearMul(Node &n) {
  Quantized a(n, 0), b(n, 3);
  Expr scale = Quantized::scalarInput(n, 6),
       zero = Quantized::scalarInput(n, 7);
  Expr ratio = a.scale * b.scale / scale;
  finishSteps(n, (a.x - a.zero) * (b.x - b.zero) * ratio + zero);
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

void qlinearWhere(Node &n) {
  Value x = real(n, 1), y = real(n, 4);
  Shape shape = n.broadcast(n.input(0), x);
  Value wide = n.expand(n.input(0), shape);
  shape = n.broadcast(wide, y);
  Value chosen =
      n.make<graph::WhereOp>(n.typeOf(shape, realType(n)), n.input(0), x, y);
  finish(n, chosen, 7, n.input(1));
}

/// The attribute names the version whose meaning `axis` has.
void qlinearSoftmax(Node &n) {
  Value y = delegated(n, softmax, {real(n, 0)}, n.integer("opset", 13));
  finish(n, y, 3, n.input(0));
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

void matMulIntegerToFloat(Node &n) {
  Value a = n.input(0), c = n.input(1);
  n.result(scaled(n, quantizedMatMul(n, a, n.optional(4), c, n.optional(5)),
                  overRows(n, n.input(2), n.type(a).getRank()), n.input(3),
                  n.optional(6)));
}

void dynamicQuantizeMatMul(Node &n) {
  Value a = n.input(0);
  Quantizer by = coveringRange(n, a);
  Value bytes = quantized(n, a, by, n.element(by.zero));
  n.result(scaled(n,
                  quantizedMatMul(n, bytes, by.zero, n.input(1), n.optional(3)),
                  by.scale, n.input(2), n.optional(4)));
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
};

/// The elements of a constant input.
ElementsAttr constantInput(Node &n, size_t i, StringRef what) {
  ElementsAttr elements;
  if (!matchPattern(n.input(i), m_Constant(&elements)) ||
      !graph::ConstantReader::get(elements))
    n.refuse(what + " must be constant");
  return elements;
}

/// The packed bytes as unsigned integers of few bits: columns × blocks ×
/// elements.
ElementsAttr weightsOfFewBits(Node &n, const Packing &packing,
                              ElementsAttr bytes) {
  auto type = n.typeOf({packing.columns, packing.blocks(), packing.block},
                       n.b.getIntegerType(packing.bits, false));
  // A blob holds them so.
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(bytes))
    return DenseResourceElementsAttr::get(type, resource.getRawHandle());
  auto reader = *graph::ConstantReader::get(bytes);
  graph::ConstantWriter writer(type, /*splat=*/false);
  int64_t each = 8 / packing.bits;
  for (int64_t i = 0; i < writer.size(); ++i) {
    char byte = reader.asInteger(i / each);
    writer.setInteger(i, graph::packedElement(&byte, i % each, packing.bits));
  }
  return cast<ElementsAttr>(writer.finish());
}

/// The zero points: a number for each block of each column.
ElementsAttr zeroPoints(Node &n, const Packing &packing) {
  Type bytes = n.b.getIntegerType(8, false);
  if (!n.optional(3))
    return DenseElementsAttr::get(
        n.typeOf({1, 1, 1}, bytes),
        n.b.getIntegerAttr(bytes, int64_t(1) << (packing.bits - 1)));
  ElementsAttr zeros = constantInput(n, 3, "the zero points");
  int64_t blocks = packing.blocks();
  bool packed = zeros.getElementType() == bytes;
  if (zeros.getNumElements() !=
      packing.columns * (packed ? packing.zeroBytes() : blocks))
    n.fail(Twine(zeros.getNumElements()) +
           " zero points do not fit weights of " + Twine(packing.bits) +
           " bits in " + Twine(blocks) + " blocks for " +
           Twine(packing.columns) + " columns");
  auto shape = {packing.columns, blocks, int64_t(1)};
  if (!packed)
    return cast<ElementsAttr>(graph::reshapedConstant(
        zeros, n.typeOf(shape, zeros.getElementType())));
  auto reader = *graph::ConstantReader::get(zeros);
  graph::ConstantWriter writer(n.typeOf(shape, bytes), /*splat=*/false);
  int64_t each = 8 / packing.bits;
  for (int64_t column = 0; column < packing.columns; ++column)
    for (int64_t block = 0; block < blocks; ++block) {
      char byte = reader.asInteger(column * packing.zeroBytes() + block / each);
      writer.setInteger(
          column * blocks + block,
          graph::packedElement(&byte, block % each, packing.bits));
    }
  return cast<ElementsAttr>(writer.finish());
}

/// The block whose scale a row has; nothing where that is the one it is in.
std::optional<SmallVector<int64_t>> groupsOfRows(Node &n,
                                                 const Packing &packing) {
  if (!n.optional(4))
    return std::nullopt;
  auto reader = *graph::ConstantReader::get(constantInput(n, 4, "the groups"));
  if (reader.size() != packing.rows)
    n.fail(Twine(reader.size()) + " groups do not fit " + Twine(packing.rows) +
           " rows");
  SmallVector<int64_t> groups;
  bool own = true;
  for (int64_t row = 0; row < packing.rows; ++row) {
    groups.push_back(reader.asInteger(row));
    if (groups.back() < 0 || groups.back() >= packing.blocks())
      n.fail("group " + Twine(groups.back()) + " is not one of " +
             Twine(packing.blocks()));
    own &= groups.back() == row / packing.block;
  }
  if (own)
    return std::nullopt;
  // Rows that fill the last block.
  groups.resize(packing.blocks() * packing.block, 0);
  return groups;
}

/// A number per block as one per row.
ElementsAttr perRow(Node &n, const Packing &packing, ElementsAttr perBlock,
                    ArrayRef<int64_t> groups) {
  auto reader = *graph::ConstantReader::get(perBlock);
  if (reader.size() == 1)
    return perBlock;
  graph::ConstantWriter writer(
      n.typeOf({packing.columns, packing.blocks(), packing.block},
               n.b.getF32Type()),
      /*splat=*/false);
  for (int64_t i = 0; i < writer.size(); ++i)
    writer.setDouble(
        i, reader.asDouble(i / int64_t(groups.size()) * packing.blocks() +
                           groups[i % groups.size()]));
  return cast<ElementsAttr>(writer.finish());
}

/// The weights as rows × columns, held as the model stores them.
Value storedWeights(Node &n, const Packing &packing) {
  ElementsAttr bytes = constantInput(n, 1, "the packed weights");
  ElementsAttr scales = constantInput(n, 2, "the scales");
  int64_t blocks = packing.blocks();
  int64_t needed = n.product({packing.columns, blocks, packing.blockBytes()},
                             "the sizes of the packed weights");
  if (!bytes.getElementType().isInteger(8) ||
      bytes.getNumElements() != needed ||
      scales.getNumElements() != packing.columns * blocks ||
      !isa<FloatType>(scales.getElementType()))
    n.fail("weights of " + Twine(packing.bits) + " bits in blocks of " +
           Twine(packing.block) + " for " + Twine(packing.rows) + " rows and " +
           Twine(packing.columns) + " columns need " + Twine(needed) +
           " bytes and " + Twine(packing.columns * blocks) + " scales, found " +
           Twine(bytes.getNumElements()) + " and " +
           Twine(scales.getNumElements()));
  scales = cast<ElementsAttr>(graph::reshapedConstant(
      scales, n.typeOf({packing.columns, blocks, 1}, scales.getElementType())));
  ElementsAttr zeros = zeroPoints(n, packing);
  if (auto groups = groupsOfRows(n, packing)) {
    scales = perRow(n, packing, scales, *groups);
    zeros = perRow(n, packing, zeros, *groups);
  }
  Value columns = n.constant(graph::DequantizedAttr::get(
      n.b.getContext(),
      n.typeOf({packing.columns, blocks * packing.block}, realType(n)),
      weightsOfFewBits(n, packing, bytes), scales, zeros));
  columns = n.sliced(columns, {0, 0}, {1, 1}, {packing.columns, packing.rows});
  return n.transpose(columns, {1, 0});
}

void matMulNBits(Node &n) {
  Value a = n.input(0), bias = n.optional(5);
  Packing packing{n.integer("K", 0), n.integer("N", 0), n.integer("bits", 4),
                  n.integer("block_size", 0)};
  if (!llvm::is_contained({int64_t(2), int64_t(4), int64_t(8)}, packing.bits))
    n.refuse("weights of " + Twine(packing.bits) + " bits are not supported");
  if (packing.rows < 1 || packing.columns < 1 || packing.block < 8 ||
      packing.rows > INT32_MAX || packing.columns > INT32_MAX ||
      packing.block > INT32_MAX || packing.block * packing.bits % 8)
    n.fail("attributes K, N and block_size are " + Twine(packing.rows) + ", " +
           Twine(packing.columns) + " and " + Twine(packing.block));
  Type element = n.element(a);
  Value w = storedWeights(n, packing);
  Value y = product(n, n.cast(a, realType(n)), w);
  if (bias)
    y = n.binary<graph::AddOp>(y, n.cast(bias, realType(n)));
  n.result(n.cast(y, element));
}

} // namespace

void addQuantizedContrib(HandlerTable &table) {
  table["com.microsoft.QLinearAdd"] = qlinearAdd;
  table["com.microsoft.QLinearMul"] = qlinearMul;
  table["com.microsoft.QLinearSigmoid"] = qlinearSigmoid;
  table["com.microsoft.QLinearSoftmax"] = qlinearSoftmax;
  table["com.microsoft.QLinearWhere"] = qlinearWhere;
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
