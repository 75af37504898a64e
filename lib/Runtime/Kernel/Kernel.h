//===- Kernel.h - kernels, prepared and run
//---------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// `runReference` is what a kernel means; `PreparedKernel` computes the same in
// vector blocks, from an analysis made once.
//
// Meaning beyond ISA.md. Points run in lexicographic order. A reduction's
// element starts from 16 partial results; the value of a point goes to partial
// number (coordinate of the innermost reduced dimension whose largest extent
// exceeds 1) mod 16; after the last point partials i and i + 8, then i + 4,
// i + 2, i + 1 are combined, and the first value (init or memory) is combined
// with that. Kinds whose order cannot matter may be computed in any. A reduced
// dimension is one in which the write's stride is 0.
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_KERNEL_KERNEL_H
#define MHO_RUNTIME_KERNEL_KERNEL_H

#include "mho/Program/Instructions.h"
#include "mho/Runtime/ThreadPool.h"
#include "mho/Support/Status.h"

#include <memory>
#include <span>

namespace mho::rt {

/// Where a kernel runs: the addresses of the accesses at point 0 (offset, base
/// and slot terms included) and the extents with slots resolved.
struct KernelFrame {
  std::span<const int64_t> extents;
  std::span<const std::byte *const> reads;
  std::span<std::byte *const> writes;
  std::span<const std::byte *const> tables;
};

/// Fails only where a table is read outside its sizes.
Status runReference(const isa::Kernel &kernel, const KernelFrame &frame);

/// A kernel analysed for the block interpreter.
class PreparedKernel {
public:
  /// `kernel` must be verified and outlive this.
  static std::unique_ptr<PreparedKernel> prepare(const isa::Kernel &kernel);
  ~PreparedKernel();

  /// `pool` splits the work where it is large; null: this thread alone.
  Status run(const KernelFrame &frame, ThreadPool *pool) const;

  /// Whether only the reference can run it (accesses that overlap).
  bool isSequential() const;

  struct Plan;

private:
  PreparedKernel();
  const isa::Kernel *kernel = nullptr;
  bool sequential = false;
  bool dynamic = false;
  std::unique_ptr<Plan> plan; ///< null while extents are unknown
};

/// Copies elements of `bytes` bytes along dims with strides in bytes.
void moveStrided(size_t bytes, std::span<const int64_t> extents,
                 const std::byte *from, std::span<const int64_t> fromStrides,
                 std::byte *to, std::span<const int64_t> toStrides);

} // namespace mho::rt

#endif // MHO_RUNTIME_KERNEL_KERNEL_H
