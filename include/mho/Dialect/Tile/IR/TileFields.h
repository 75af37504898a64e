//===- TileFields.h - hashing and types of instruction fields -------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What MLIR attributes need of the field values of mho/Program/Isa.h, and how
// MLIR's element types correspond to the program's.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_DIALECT_TILE_IR_TILEFIELDS_H
#define MHO_DIALECT_TILE_IR_TILEFIELDS_H

#include "mho/Program/Isa.h"

#include "mlir/IR/Types.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/bit.h"

#include <optional>

namespace mho::isa {

inline llvm::hash_code hash_value(const Extent &extent) {
  return llvm::hash_combine(extent.max, extent.slot);
}
inline llvm::hash_code hash_value(const SlotTerm &term) {
  return llvm::hash_combine(term.slot, term.stride);
}
template <typename T> llvm::hash_code hashList(const std::vector<T> &list) {
  return llvm::hash_combine_range(list.begin(), list.end());
}
inline llvm::hash_code hash_value(const ValidRange &range) {
  return llvm::hash_combine(range.offset, range.size,
                            hashList(range.coefficients));
}
inline llvm::hash_code hash_value(const Access &access) {
  return llvm::hash_combine(access.type, access.space, access.offset,
                            hashList(access.strides), hashList(access.slots),
                            hashList(access.valid),
                            llvm::bit_cast<uint64_t>(access.fill));
}
inline llvm::hash_code hash_value(const Write &write) {
  return llvm::hash_combine(write.access, write.kind, write.fromMemory,
                            write.init);
}
inline llvm::hash_code hash_value(const Table &table) {
  return llvm::hash_combine(table.access, hashList(table.sizes));
}

} // namespace mho::isa

namespace mho::tile {

/// The program's type of an element of `type`: i1 is bool, signless integers
/// are signed, index is i64. None for types that no instruction knows.
std::optional<isa::Type> elementTypeOf(mlir::Type type);

/// The type that elements of `type` have in a kernel's body: u8 and i8 are
/// both i8, since MLIR's operations carry the sign.
mlir::Type registerType(mlir::MLIRContext *context, isa::Type type);

/// The type that says the same as `type`, sign included: u8 is ui8.
mlir::Type memoryType(mlir::MLIRContext *context, isa::Type type);

} // namespace mho::tile

#endif // MHO_DIALECT_TILE_IR_TILEFIELDS_H
