//===- Images.h - constant data on its way into the file ------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_TARGET_PROGRAM_IMAGES_H
#define MHO_LIB_TARGET_PROGRAM_IMAGES_H

#include "mho/Dialect/Analog/IR/AnalogOps.h"
#include "mho/Dialect/Graph/IR/Constants.h"
#include "mho/Dialect/Tile/IR/TileOps.h"
#include "mho/Program/Container.h"

namespace mho {

/// The elements of a constant, wherever and however they lie; reads unaligned
/// data.
class Elements {
public:
  /// Fails, at `op`, for resources without data and unknown types.
  static mlir::FailureOr<Elements> of(mlir::Operation *op,
                                      mlir::ElementsAttr attr);

  int64_t size() const { return count; }
  isa::Type type() const { return element; }
  /// Bytes in the constant space.
  uint64_t bytes() const { return count * isa::sizeOf(element); }
  /// The whole image, if it lies in memory as the constant space wants it.
  std::optional<std::span<const std::byte>> whole() const;
  Status write(const Sink &sink) const;

private:
  const std::byte *data = nullptr;
  int64_t count = 0;
  isa::Type element = isa::Type::F32;
  bool isSplat = false;
  /// Elements that had to be unpacked (i1).
  std::vector<std::byte> unpacked;
  /// Set where elements are computed or unpacked while they are written.
  std::optional<graph::ConstantReader> reader;
};

/// Reads through a bank's view; writes its K×N image row by row.
class WeightImage {
public:
  static mlir::FailureOr<WeightImage> of(analog::BankOp bank);
  /// f32, row-major. Weights must be finite.
  Status write(const Sink &sink) const;

private:
  explicit WeightImage(const graph::ConstantReader &weights)
      : weights(weights) {}
  Status checkFinite(std::span<const float> block, int64_t firstRow) const;

  std::string name;
  graph::ConstantReader weights;
  /// Element numbers of column 0 of each row, and of each column in row 0.
  std::vector<int64_t> rowOffsets, colOffsets;
};

/// Zeros from `position` up to `end`.
Status padWith(uint64_t position, uint64_t end, const Sink &sink);

} // namespace mho

#endif // MHO_LIB_TARGET_PROGRAM_IMAGES_H
