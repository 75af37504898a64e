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
#include <tuple>
#include <vector>

namespace mho::import {

/// Symbols stand far apart, so that what a handler computes from one as if it
/// were a number is none, and is refused as the extent of a tensor.
inline constexpr int64_t kFirstSymbol = -(int64_t(1) << 50);
inline constexpr int64_t kSymbolStep = (int64_t(1) << 24) + 43;
inline constexpr int64_t kSymbols = int64_t(1) << 24;

inline int64_t symbolOf(size_t number) {
  return kFirstSymbol - int64_t(number) * kSymbolStep;
}
inline size_t symbolNumber(int64_t symbol) {
  return size_t((kFirstSymbol - symbol) / kSymbolStep);
}
inline bool isSymbol(int64_t extent) {
  return extent <= kFirstSymbol &&
         extent > kFirstSymbol - kSymbols * kSymbolStep &&
         (kFirstSymbol - extent) % kSymbolStep == 0;
}
inline bool hasSymbol(llvm::ArrayRef<int64_t> shape) {
  return llvm::any_of(shape, isSymbol);
}

/// The extents of a type made by `boundedType`, symbols among them.
llvm::ArrayRef<int64_t> symbolicShape(mlir::RankedTensorType type);
/// A tensor type whose symbols are `?`, and its encoding.
mlir::RankedTensorType boundedType(llvm::ArrayRef<int64_t> shape,
                                   mlir::Type element);

/// Run-time extents: polynomials in scalars of the run that have bounds, each
/// polynomial a symbol.
class Extents {
public:
  /// A new scalar: an index value between `low` and `high`. The program has to
  /// see to these limits itself, by graph.extent or graph.bound.
  int64_t add(mlir::Value index, int64_t low, int64_t high, std::string name);

  int64_t sum(int64_t a, int64_t c);
  int64_t difference(int64_t a, int64_t c);
  int64_t product(int64_t a, int64_t c);
  /// Nothing where `a` is no multiple of `c` for sure.
  std::optional<int64_t> quotient(int64_t a, int64_t c);
  /// Rounded down; `by` is a number.
  int64_t floorQuotient(int64_t a, int64_t by);
  /// What that leaves; `by` is positive.
  int64_t remainder(int64_t a, int64_t by);
  /// Times a positive factor, as ONNX scales an image: in single precision,
  /// then rounded down.
  int64_t scaled(int64_t extent, float factor);
  /// Whether a shape has a symbol that stands for an extent here, and not a
  /// number that only looks like one.
  bool hasKnownSymbol(llvm::ArrayRef<int64_t> shape) const {
    return llvm::any_of(shape, [&](int64_t extent) { return knows(extent); });
  }
  /// Number of elements.
  int64_t elements(llvm::ArrayRef<int64_t> shape);
  /// The larger or smaller one; where that depends on the run, a new scalar.
  int64_t max(int64_t a, int64_t c);
  int64_t min(int64_t a, int64_t c);
  /// Whether a < c; nothing where that depends on the run.
  std::optional<int64_t> less(int64_t a, int64_t c);

  struct Range {
    int64_t low, high;
  };
  Range range(int64_t extent) const;
  /// Whether it follows from elements, not only from extents of inputs.
  bool followsFromData(int64_t extent) const;
  /// What to do where only a constant will do.
  const char *howToFix(int64_t extent) const {
    return followsFromData(extent)
               ? "freeze the inputs it follows from with --constant"
               : "give one extent with --shape";
  }
  const char *howToFix(llvm::ArrayRef<int64_t> shape) const {
    const int64_t *found = llvm::find_if(
        shape, [&](int64_t extent) { return followsFromData(extent); });
    return howToFix(found == shape.end() ? 0 : *found);
  }
  bool followsFromData(llvm::ArrayRef<int64_t> shape) const {
    return llvm::any_of(
        shape, [&](int64_t extent) { return followsFromData(extent); });
  }
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

  /// Whether a scalar that `extent` follows from is defined in `region`.
  bool belongsTo(int64_t extent, mlir::Region &region) const;
  /// Drops the scalars defined in a region that is given up.
  void forget(mlir::Region &region);

private:
  struct Base {
    /// Null once its region was given up.
    mlir::Value index;
    Range range;
    std::string name;
    /// How deep its block lies, against those of others: the number of the
    /// first scalar that it is computed beside.
    unsigned level;
  };
  /// Numbers of the scalars that are multiplied, ascending.
  using Monomial = std::vector<unsigned>;
  struct ByDegree {
    bool operator()(const Monomial &a, const Monomial &c) const;
  };
  /// Factors by monomial, none of them zero; that of the empty one is constant.
  using Polynomial = std::map<Monomial, int64_t, ByDegree>;

  bool knows(int64_t extent) const {
    return isSymbol(extent) && symbolNumber(extent) < polynomials.size();
  }
  Polynomial polynomialOf(int64_t extent) const;
  int64_t extentOf(const Polynomial &sum);
  unsigned last(int64_t a, int64_t c) const;
  /// `OpTy` of two extents, one of them a symbol, as a scalar of its own.
  template <typename OpTy>
  int64_t derived(llvm::StringRef kind, int64_t a, int64_t c, Range range,
                  const std::string &name);
  /// A scalar that `make` computes behind what `a` and `c` follow from.
  int64_t
  derived(llvm::StringRef kind, int64_t a, int64_t c, Range range,
          const std::string &name,
          llvm::function_ref<mlir::Value(mlir::OpBuilder &, mlir::Location,
                                         mlir::Value, mlir::Value)>
              make);
  std::optional<llvm::SmallVector<int64_t>> compute(mlir::Operation *op);

  std::vector<Base> bases;
  std::vector<Polynomial> polynomials;
  std::map<std::tuple<std::string, int64_t, int64_t>, int64_t> derivations;
};

/// Whether the handler of an operator ("domain" + "." + name) takes tensors
/// with bounded dimensions.
bool takesBounded(llvm::StringRef key);

} // namespace mho::import

#endif // MHO_LIB_IMPORT_ONNX_EXTENTS_H
