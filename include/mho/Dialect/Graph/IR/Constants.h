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

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

#include <array>
#include <memory>
#include <optional>
#include <vector>

namespace mho::graph {

/// Bytes that an element takes in memory; 0 for types that no constant folds.
/// A bool takes one, and so do elements of 2 and 4 bits.
unsigned elementBytes(mlir::Type type);

/// Reads a constant's elements. The attribute must outlive the reader.
class ConstantReader {
public:
  static std::optional<ConstantReader> get(mlir::Attribute attribute);

  mlir::RankedTensorType type() const { return tensor; }
  int64_t size() const { return count; }
  unsigned width() const { return bytes; }
  bool isSplat() const { return splat; }
  bool isFloat() const { return floating; }

  /// Where element `index` begins; unaligned.
  const char *at(int64_t index) const {
    return data.data() + (splat ? 0 : index * bytes);
  }
  double asDouble(int64_t index) const { return load(at(index)).real; }
  /// Unsigned 64-bit elements wrap.
  int64_t asInteger(int64_t index) const { return load(at(index)).integer; }

private:
  struct Element {
    double real;
    int64_t integer;
  };
  Element load(const char *from) const;

  mlir::RankedTensorType tensor;
  llvm::ArrayRef<char> data;
  std::shared_ptr<std::vector<char>> owned;
  int64_t count = 0;
  unsigned bytes = 0;
  bool splat = false, floating = false, isSigned = true;
  /// Values of all bit patterns of a type of at most 8 bits.
  std::shared_ptr<std::array<Element, 256>> values;
};

/// Collects elements of one type.
class ConstantWriter {
public:
  /// `splat`: one element stands for all.
  ConstantWriter(mlir::RankedTensorType type, bool splat);

  unsigned width() const { return bytes; }
  char *at(int64_t index) { return data.data() + index * bytes; }
  int64_t size() const { return count; }

  /// Rounds to the type; integers and f4E2M1FN saturate, NaN becomes 0 where
  /// there is none.
  void setDouble(int64_t index, double value);
  /// Wraps to the type.
  void setInteger(int64_t index, int64_t value);

  mlir::Attribute finish();

private:
  mlir::RankedTensorType tensor;
  std::vector<char> data;
  int64_t count;
  unsigned bytes;
};

} // namespace mho::graph

#endif // MHO_DIALECT_GRAPH_IR_CONSTANTS_H
