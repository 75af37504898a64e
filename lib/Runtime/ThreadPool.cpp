//===- ThreadPool.cpp - workers that split one loop
//-------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Runtime/ThreadPool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

using namespace mho::rt;

/// Whether this thread is inside a loop: a nested loop then runs inline.
static thread_local bool insideLoop = false;

struct ThreadPool::State {
  unsigned threads = 1;
  std::vector<std::thread> workers;
  std::mutex submit; ///< one loop at a time
  std::mutex lock;
  std::condition_variable wake, done;
  uint64_t generation = 0;
  unsigned busy = 0;
  bool stop = false;

  // The loop that is running.
  const std::function<void(size_t, size_t)> *body = nullptr;
  size_t n = 0, chunk = 0;
  std::atomic<size_t> next{0};

  void takeChunks() {
    insideLoop = true;
    for (;;) {
      size_t begin = next.fetch_add(chunk);
      if (begin >= n)
        break;
      (*body)(begin, std::min(n, begin + chunk));
    }
    insideLoop = false;
  }

  void work() {
    uint64_t seen = 0;
    for (;;) {
      {
        std::unique_lock<std::mutex> guard(lock);
        wake.wait(guard, [&] { return stop || generation != seen; });
        if (stop)
          return;
        seen = generation;
      }
      takeChunks();
      std::lock_guard<std::mutex> guard(lock);
      if (--busy == 0)
        done.notify_one();
    }
  }
};

ThreadPool::ThreadPool(unsigned threads) : state(std::make_unique<State>()) {
  if (threads == 0)
    threads = std::max(1u, std::thread::hardware_concurrency());
  state->threads = threads;
  for (unsigned i = 1; i < threads; ++i)
    state->workers.emplace_back([this] { state->work(); });
}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard<std::mutex> guard(state->lock);
    state->stop = true;
  }
  state->wake.notify_all();
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
  std::lock_guard<std::mutex> one(state->submit);
  // Four chunks per thread even out unequal work.
  size_t grains = (n + grain - 1) / grain;
  size_t perChunk = std::max<size_t>(1, grains / (4 * state->threads));
  {
    std::lock_guard<std::mutex> guard(state->lock);
    state->body = &body;
    state->n = n;
    state->chunk = perChunk * grain;
    state->next = 0;
    state->busy = unsigned(state->workers.size());
    ++state->generation;
  }
  state->wake.notify_all();
  state->takeChunks();
  std::unique_lock<std::mutex> guard(state->lock);
  state->done.wait(guard, [&] { return state->busy == 0; });
}
