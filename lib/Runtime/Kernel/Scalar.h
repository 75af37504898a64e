//===- Scalar.h - one element: memory, register, micro-op
//-------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a micro-op means for one element of any type. The reference kernels
// are made of these, and the block interpreter falls back on them where it has
// no vector form.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_KERNEL_SCALAR_H
#define MHO_RUNTIME_KERNEL_SCALAR_H

#include "mho/Program/Instructions.h"

#include <cstdint>
#include <cstring>

namespace mho::rt {

/// One register's value. Floats of up to 32 bits live in `f` (rounded to
/// their type), f64 in `d`, integers and bool in `i`: sign-extended if their
/// type is signed, else zero-extended.
union Scalar {
  int64_t i;
  float f;
  double d;
};

/// How lanes of a register are stored.
enum class Lane : uint8_t { F32, F64, I32, I64 };
constexpr Lane laneOf(isa::Type type) {
  bool wide = isa::sizeOf(type) == 8;
  if (isa::isFloat(type))
    return wide ? Lane::F64 : Lane::F32;
  return wide ? Lane::I64 : Lane::I32;
}
constexpr size_t laneBytes(Lane lane) {
  return lane == Lane::F32 || lane == Lane::I32 ? 4 : 8;
}
/// Whether an element's bytes in memory are the bytes of its lane.
constexpr bool isLaneInMemory(isa::Type type) {
  return isa::sizeOf(type) == laneBytes(laneOf(type));
}

/// Bits of the type's values (1 for bool, 4 for i4).
unsigned bitsOf(isa::Type type);

Scalar loadScalar(isa::Type type, const void *memory);
void storeScalar(isa::Type type, void *memory, Scalar value);
Scalar loadLane(isa::Type type, const void *lane);
void storeLane(isa::Type type, void *lane, Scalar value);
/// n lanes of one value.
void fillLanes(isa::Type type, void *lanes, Scalar value, int64_t n);

/// An immediate's bit pattern, an initial value's, or a fill value as a
/// register.
Scalar fromBits(isa::Type type, uint64_t bits);
Scalar fromDouble(isa::Type type, double value);
double toDouble(isa::Type type, Scalar value);

/// Wraps an integer, rounds a float to what the type can hold.
Scalar normalize(isa::Type type, Scalar value);

/// Evaluates a micro-op that is neither constant, index nor load.
Scalar evaluate(const isa::MicroOp &op, const isa::Type *types,
                const Scalar *operands);

/// One step of a reduction; the value that leaves the other one unchanged.
Scalar combine(isa::WriteKind kind, isa::Type type, Scalar a, Scalar b);
Scalar identityOf(isa::WriteKind kind, isa::Type type);
/// Whether the result depends on the order of the steps: then the ISA's 16
/// interleaved partial results are kept.
inline bool isOrdered(isa::WriteKind kind, isa::Type type) {
  return isa::isFloat(type) &&
         (kind == isa::WriteKind::Add || kind == isa::WriteKind::Mul);
}
inline constexpr int64_t kPartials = 16;

} // namespace mho::rt

#endif // MHO_RUNTIME_KERNEL_SCALAR_H
