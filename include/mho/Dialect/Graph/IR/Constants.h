//===- Constants.h - elements of constants, whatever holds them -----------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads dense and dense_resource constants of every numeric type without a
// copy, and builds constants from bytes.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_GRAPH_IR_CONSTANTS_H
#define MHO_DIALECT_GRAPH_IR_CONSTANTS_H

#include "mlir/IR/AsmState.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"

#include <array>
#include <memory>
#include <optional>
#include <vector>

namespace mho::graph {

/// Bytes that an element takes in memory; 0 for types that no constant folds.
/// A bool takes one, and so do elements of 2 and 4 bits, but for blobs that
/// hold several in a byte, the first in the lowest bits.
unsigned elementBytes(mlir::Type type);

/// Whether `bytes` are too few to hold `count` elements of `type`, one in each,
/// and just enough to hold several.
bool arePacked(mlir::Type type, int64_t count, size_t bytes);
/// Element `index` of such bytes.
inline uint8_t packedElement(const char *bytes, int64_t index, unsigned bits) {
  int64_t bit = index * bits;
  return uint8_t(bytes[bit / 8]) >> (bit % 8) & ((1u << bits) - 1);
}

/// A constant under another shape, which shares its data; null where there is
/// none with as many elements.
mlir::Attribute reshapedConstant(mlir::Attribute constant, mlir::Type type);

class Dequantizer;

/// An f16 as f32.
float widenHalf(uint16_t half);

/// Reads a constant's elements. The attribute must outlive the reader.
class ConstantReader {
public:
  static std::optional<ConstantReader> get(mlir::Attribute attribute);

  mlir::RankedTensorType type() const { return tensor; }
  int64_t size() const { return count; }
  unsigned width() const { return bytes; }
  bool isSplat() const { return splat; }
  bool isFloat() const { return floating; }

  /// Whether the elements lie in memory one after another, as `at` reads them.
  bool isPlain() const { return !stored && !packed; }
  /// Makes it so: memory for all elements.
  void makePlain();
  /// Where element `index` begins; unaligned.
  const char *at(int64_t index) const {
    return data.data() + (splat ? 0 : index * bytes);
  }
  double asDouble(int64_t index) const;
  /// Elements number shift + places[i] as f32.
  void floatsAt(llvm::ArrayRef<int64_t> places, int64_t shift, float *to) const;
  /// Elements begin, begin + 1, … as f32.
  void floatsFrom(int64_t begin, int64_t count, float *to) const;
  /// Unsigned 64-bit elements wrap.
  int64_t asInteger(int64_t index) const;

private:
  template <typename PlaceFn>
  void convert(PlaceFn place, int64_t count, float *to) const;

  struct Element {
    double real;
    int64_t integer;
  };
  Element load(const char *from) const;
  /// The bits of packed element `index`.
  uint8_t pattern(int64_t index) const {
    return packedElement(data.data(), index, packed);
  }

  mlir::RankedTensorType tensor;
  llvm::ArrayRef<char> data;
  std::shared_ptr<std::vector<char>> owned;
  int64_t count = 0;
  unsigned bytes = 0;
  bool splat = false, floating = false, isSigned = true;
  /// Bits of an element where a byte holds several, else 0.
  unsigned packed = 0;
  /// Set where elements are computed.
  std::shared_ptr<const Dequantizer> stored;
  /// Values of all bit patterns of a type of at most 8 bits.
  std::shared_ptr<std::array<Element, 256>> values;
};

/// Collects elements of one type.
class ConstantWriter {
public:
  /// `splat`: one element stands for all.
  ConstantWriter(mlir::RankedTensorType type, bool splat);

  unsigned width() const { return bytes; }
  char *at(int64_t index) { return begin + index * bytes; }
  int64_t size() const { return count; }

  /// Rounds to the type; integers and f4E2M1FN saturate, NaN becomes 0 where
  /// there is none.
  void setDouble(int64_t index, double value);
  /// Wraps to the type.
  void setInteger(int64_t index, int64_t value);

  mlir::Attribute finish();

private:
  mlir::RankedTensorType tensor;
  /// Small constants are attributes, large ones blobs.
  std::vector<char> data;
  std::optional<mlir::AsmResourceBlob> blob;
  char *begin = nullptr;
  int64_t count;
  unsigned bytes;
};

/// What is folded: conversions and reorderings of weights are put off at first,
/// as an array may read the constant behind them.
enum class FoldEffort { PutOff, Everything };

/// The result of `op` on constant operands (null entries are omitted or not
/// constant); null where it cannot be told, is not worth it, or is put off.
mlir::Attribute evaluate(mlir::Operation *op,
                         llvm::ArrayRef<mlir::Attribute> operands,
                         FoldEffort effort = FoldEffort::PutOff);

/// Calls `visit` with the elements of a numeric constant as f32, in order and
/// part by part; `begin` is the number of the part's first one. False where the
/// attribute holds no elements.
bool forEachFloats(
    mlir::ElementsAttr elements,
    llvm::function_ref<void(int64_t begin, llvm::ArrayRef<float>)> visit);

/// All elements of a constant as f32; nothing where it holds none.
std::optional<llvm::SmallVector<float>> floatsOf(mlir::ElementsAttr elements);

/// The element of a constant that all its elements are, as f32.
std::optional<float> splatFloatOf(mlir::ElementsAttr elements);

/// Gives back the memory of folded constants that `module` no longer holds.
void releaseUnusedConstants(mlir::ModuleOp module);

} // namespace mho::graph

#endif // MHO_DIALECT_GRAPH_IR_CONSTANTS_H
