//===- ThreadPool.cpp - workers that split one loop
//-------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// A loop is open to workers only while its caller still finds work: nobody
// waits for a worker that has not come yet. Workers and caller look for a while
// before they sleep, as the next instruction's loop is mostly a few
// microseconds away and waking a thread takes longer than that.
//
//===----------------------------------------------------------------------===//

#include "mho/Runtime/ThreadPool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

using namespace mho;
using namespace mho::rt;

/// Whether this thread is inside a loop: a nested loop then runs inline.
static thread_local bool insideLoop = false;

/// How often a thread looks before it sleeps, about a tenth of a millisecond.
static constexpr int kLooks = 3000;

static void relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

struct ThreadPool::State {
  unsigned threads = 1;
  std::vector<std::thread> workers;
  std::mutex submit; ///< one loop at a time
  std::mutex lock;   ///< of those who sleep
  std::condition_variable wake, done;
  std::atomic<unsigned> sleeping{0};
  std::atomic<bool> callerSleeps{false}, stop{false};

  /// Number of the loop, whether it is open, and how many workers are in it.
  std::atomic<uint64_t> gate{0};
  static constexpr uint64_t kOpen = uint64_t(1) << 16, kNext = kOpen << 1;
  static uint64_t numberOf(uint64_t gate) { return gate / kNext; }
  static uint64_t workersIn(uint64_t gate) { return gate % kOpen; }

  // The loop that is open.
  const std::function<void(size_t, size_t)> *body = nullptr;
  size_t n = 0, chunk = 0;
  std::atomic<size_t> next{0};

  void takeChunks() {
    insideLoop = true;
    for (;;) {
      size_t begin = next.fetch_add(chunk, std::memory_order_relaxed);
      if (begin >= n)
        break;
      (*body)(begin, std::min(n, begin + chunk));
    }
    insideLoop = false;
  }

  /// Waits for a loop that this worker has not seen.
  void await(uint64_t seen) {
    auto anything = [&] {
      return stop.load() || numberOf(gate.load()) != seen;
    };
    for (int look = 0; look < kLooks; ++look) {
      if (anything())
        return;
      relax();
    }
    std::unique_lock<std::mutex> guard(lock);
    ++sleeping;
    wake.wait(guard, anything);
    --sleeping;
  }

  void work() {
    uint64_t seen = 0;
    for (;;) {
      await(seen);
      if (stop)
        return;
      uint64_t now = gate.load();
      bool entered = false;
      while ((now & kOpen) && !entered)
        entered = gate.compare_exchange_weak(now, now + 1);
      seen = numberOf(now);
      if (!entered)
        continue;
      takeChunks();
      if (workersIn(gate.fetch_sub(1)) == 1 && callerSleeps) {
        std::lock_guard<std::mutex> guard(lock);
        done.notify_one();
      }
    }
  }

  void run(size_t count, size_t perChunk,
           const std::function<void(size_t, size_t)> &loop) {
    body = &loop;
    n = count;
    chunk = perChunk;
    next = 0;
    // Nobody is inside: the gate holds the number alone.
    gate.store((numberOf(gate.load()) + 1) * kNext + kOpen);
    if (sleeping) {
      std::lock_guard<std::mutex> guard(lock);
      wake.notify_all();
    }
    takeChunks();
    gate.fetch_and(~kOpen);
    auto empty = [&] { return workersIn(gate.load()) == 0; };
    for (int look = 0; look < kLooks; ++look) {
      if (empty())
        return;
      relax();
    }
    callerSleeps = true;
    std::unique_lock<std::mutex> guard(lock);
    done.wait(guard, empty);
    callerSleeps = false;
  }
};

ThreadPool::ThreadPool(unsigned threads) : state(std::make_unique<State>()) {
  if (threads == 0)
    threads = std::max(1u, std::thread::hardware_concurrency());
  try {
    for (unsigned i = 1; i < threads; ++i)
      state->workers.emplace_back([this] { state->work(); });
  } catch (const std::system_error &) {
    // No more threads to be had: those that are there do the work.
  }
  state->threads = unsigned(state->workers.size()) + 1;
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard<std::mutex> guard(state->lock);
    state->stop = true;
    state->wake.notify_all();
  }
  for (std::thread &worker : state->workers)
    worker.join();
}

unsigned ThreadPool::size() const { return state->threads; }

void ThreadPool::parallelFor(size_t n, size_t grain,
                             const std::function<void(size_t, size_t)> &body) {
  grain = std::max<size_t>(grain, 1);
  if (n == 0)
    return;
  if (n <= grain || state->threads == 1 || insideLoop) {
    body(0, n);
    return;
  }
  // The workers of another caller's loop are taken: go on alone.
  std::unique_lock<std::mutex> one(state->submit, std::try_to_lock);
  if (!one) {
    body(0, n);
    return;
  }
  // Four chunks per thread even out unequal work.
  size_t grains = (n + grain - 1) / grain;
  size_t perChunk = std::max<size_t>(1, grains / (4 * state->threads));
  state->run(n, perChunk * grain, body);
}

Status rt::tryParallelFor(ThreadPool *pool, size_t n, size_t grain,
                          const std::function<Status(size_t, size_t)> &body) {
  if (!pool)
    return n ? body(0, n) : success();
  std::mutex lock;
  Status failed;
  pool->parallelFor(n, grain, [&](size_t begin, size_t end) {
    if (Status status = body(begin, end); !status.ok()) {
      std::lock_guard<std::mutex> guard(lock);
      failed = std::move(status);
    }
  });
  return failed;
}
