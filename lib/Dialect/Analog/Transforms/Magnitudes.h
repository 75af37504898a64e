//===- Magnitudes.h - how large the values of a tensor are ----------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the default rule of ranges knows of a tensor, and what an op of the
// graph does to it.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_LIB_DIALECT_ANALOG_TRANSFORMS_MAGNITUDES_H
#define MHO_LIB_DIALECT_ANALOG_TRANSFORMS_MAGNITUDES_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Operation.h"

namespace mho::analog {

/// An ADC and an input cover this many standard deviations.
inline constexpr float kSigmas = 4.0f;

/// By default standard normal.
struct Magnitude {
  float rms = 1.0f;
  /// The values lie between these.
  float low = -kSigmas, high = kSigmas;
  /// Of an integer tensor: its own values, not the numbers they stand for.
  bool codes = false;

  float largest() const;
  /// The same, nowhere beyond what a range can be: a chain of products does
  /// not end in infinity.
  Magnitude limited() const;
};

/// As much as either: `rms` the larger, the bounds those of both.
Magnitude hull(const Magnitude &a, const Magnitude &b);

/// What the values of an integer type reach; wide ones steer more than they
/// count.
Magnitude codesOf(mlir::Type element);

/// Calls `visit` with every element of a float constant, in order.
bool forEachFloat(mlir::ElementsAttr elements,
                  llvm::function_ref<void(int64_t, float)> visit);

/// Standard normal if they are not floats.
Magnitude magnitudeOf(mlir::ElementsAttr elements);

/// Of the results of `op`, whose operands have the magnitudes `in`.
Magnitude magnitudeAfter(mlir::Operation *op, llvm::ArrayRef<Magnitude> in);

} // namespace mho::analog

#endif // MHO_LIB_DIALECT_ANALOG_TRANSFORMS_MAGNITUDES_H
