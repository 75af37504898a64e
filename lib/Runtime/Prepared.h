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
  /// It writes slots, whose ranges must be checked.
  bool writesSlots = false;
};

struct Executor::Prepared {
  std::vector<PreparedInstruction> instructions;
};

/// The access with strides of a packed message of `dims`, at the largest
/// extents.
isa::Access packedAccess(isa::Type type, const std::vector<isa::Extent> &dims);

} // namespace mho::rt

#endif // MHO_RUNTIME_PREPARED_H
