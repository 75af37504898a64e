//===- Extents.h - extents that only the run knows ------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A bounded dimension has an extent of which the compiler knows the limits
// only. In a shape it stands as a symbol, a number that no extent can be:
// handlers compare and copy it as any other, and what computes with it asks
// here. A tensor's symbols are the encoding of its type while the model is
// imported, so that every value carries its own; they are dropped at the end.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_IMPORT_ONNX_EXTENTS_H
#define MHO_LIB_IMPORT_ONNX_EXTENTS_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mho::import {

inline constexpr int64_t kFirstSymbol = -(int64_t(1) << 50);
inline constexpr int64_t kSymbols = int64_t(1) << 24;

inline bool isSymbol(int64_t extent) {
  return extent <= kFirstSymbol && extent > kFirstSymbol - kSymbols;
}
inline bool hasSymbol(llvm::ArrayRef<int64_t> shape) {
  return llvm::any_of(shape, isSymbol);
}

/// The extents of a type made by `boundedType`, symbols among them.
llvm::ArrayRef<int64_t> symbolicShape(mlir::RankedTensorType type);
/// A tensor type whose symbols are `?`, and its encoding.
mlir::RankedTensorType boundedType(llvm::ArrayRef<int64_t> shape,
                                   mlir::Type element);

/// Sums of run-time extents, each sum a symbol.
class Extents {
public:
  /// A new extent: an index value between `low` and `high`, used where it is
  /// visible.
  int64_t add(mlir::Value index, int64_t low, int64_t high, std::string name);
  /// The extents made in `region` are gone with it.
  void forget(mlir::Region &region);

  int64_t sum(int64_t a, int64_t c);
  int64_t difference(int64_t a, int64_t c);
  /// Nothing where both are symbols.
  std::optional<int64_t> product(int64_t a, int64_t c);
  /// Nothing where `a` is no multiple of `c` for sure.
  std::optional<int64_t> quotient(int64_t a, int64_t c);
  /// Number of elements; nothing where it has two symbols.
  std::optional<int64_t> elements(llvm::ArrayRef<int64_t> shape);

  struct Range {
    int64_t low, high;
  };
  Range range(int64_t extent) const;
  /// Whether it follows from elements, not only from extents of inputs.
  bool followsFromData(int64_t extent) const;
  bool followsFromData(llvm::ArrayRef<int64_t> shape) const {
    return llvm::any_of(
        shape, [&](int64_t extent) { return followsFromData(extent); });
  }
  /// The larger or smaller one; nothing where that depends on the run.
  std::optional<int64_t> max(int64_t a, int64_t c);
  std::optional<int64_t> min(int64_t a, int64_t c);
  /// As a message names it: "seq + 2".
  std::string text(int64_t extent) const;

  /// `extent` as an index, or as its attribute where it is a number.
  mlir::OpFoldResult value(mlir::OpBuilder &b, mlir::Location loc,
                           int64_t extent) const;
  /// An integer or index scalar.
  std::optional<int64_t> scalar(mlir::Value value);
  /// The elements of a tensor of integers that are all numbers or symbols;
  /// nothing where one follows from data.
  std::optional<llvm::SmallVector<int64_t>> integers(mlir::Value tensor);

private:
  struct Base {
    mlir::Value index;
    Range range;
    std::string name;
  };
  /// constant + Σ factor·base.
  struct Sum {
    int64_t constant = 0;
    std::map<unsigned, int64_t> terms;
    bool operator==(const Sum &other) const {
      return constant == other.constant && terms == other.terms;
    }
  };
  Sum sumOf(int64_t extent) const;
  int64_t extentOf(const Sum &sum);
  std::optional<llvm::SmallVector<int64_t>> compute(mlir::Operation *op);

  std::vector<Base> bases;
  std::vector<Sum> sums;
};

/// Whether the handler of an operator ("domain" + "." + name) takes tensors
/// with bounded dimensions.
bool takesBounded(llvm::StringRef key);

} // namespace mho::import

#endif // MHO_LIB_IMPORT_ONNX_EXTENTS_H
