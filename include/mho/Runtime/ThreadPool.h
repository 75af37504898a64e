//===- ThreadPool.h - workers that split one loop ------------------------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef MHO_RUNTIME_THREADPOOL_H
#define MHO_RUNTIME_THREADPOOL_H

#include "mho/Support/Status.h"

#include <cstddef>
#include <functional>
#include <memory>

namespace mho::rt {

/// A fixed set of workers, the caller included. What a loop computes must not
/// depend on how it is split: `body` gets disjoint ranges that cover [0, n).
class ThreadPool {
public:
  /// `threads` = 0 takes all cores.
  explicit ThreadPool(unsigned threads = 0);
  ~ThreadPool();

  unsigned size() const;
  /// Calls body(begin, end) on ranges of multiples of `grain` (the last may be
  /// shorter); returns when all are done. Runs inline when n <= grain, with one
  /// thread, or when called from inside a worker.
  void parallelFor(size_t n, size_t grain,
                   const std::function<void(size_t begin, size_t end)> &body);

private:
  struct State;
  std::unique_ptr<State> state;
};

/// parallelFor of a body that may fail: gives one of the failures, if any. On
/// the calling thread alone where `pool` is null.
Status tryParallelFor(ThreadPool *pool, size_t n, size_t grain,
                      const std::function<Status(size_t, size_t)> &body);

} // namespace mho::rt

#endif // MHO_RUNTIME_THREADPOOL_H
