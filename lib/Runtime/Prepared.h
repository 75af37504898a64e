//===- Prepared.h - streams with their kernels analysed
//---------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_PREPARED_H
#define MHO_RUNTIME_PREPARED_H

#include "Executor.h"

#include <set>

namespace mho::rt {

/// What is known of one instruction before it runs.
struct PreparedInstruction {
  /// Kernels, and copies that pad (as a kernel that yields what it reads).
  std::unique_ptr<PreparedKernel> kernel;
  std::unique_ptr<isa::Kernel> padded;
  /// Of an mvm.
  std::unique_ptr<MvmCache> mvm;
  /// Slots [first, last) that it writes: their ranges must be checked.
  uint32_t firstSlot = 0, lastSlot = 0;
  bool writesSlots() const { return firstSlot < lastSlot; }
};

struct Executor::Prepared {
  std::vector<PreparedInstruction> instructions;
};

/// The access with strides of a packed message of `dims`, at the largest
/// extents.
isa::Access packedAccess(isa::Type type, const std::vector<isa::Extent> &dims);

} // namespace mho::rt

#endif // MHO_RUNTIME_PREPARED_H
