//===- Session.cpp - load a program once, run it many times ---------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mho/Runtime/Session.h"

#include "Executor.h"
#include "GroupRun.h"
#include "InputLayout.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <mutex>
#include <thread>

using namespace mho;
using namespace mho::rt;

struct Session::State {
  std::shared_ptr<const LoadedProgram> program;
  std::unique_ptr<Executor> executor;

  // What one run leaves for the next: its threads and the arrays of its last
  // instance.
  std::mutex lock;
  std::shared_ptr<ThreadPool> pool;
  std::shared_ptr<ArrayBank> arrays;
  NoiseSettings noise; ///< that `arrays` are programmed under
  uint32_t instance = 0;
  /// Io spaces of groups. Fresh memory would cost more than small networks do.
  MemoryPool ioMemory;

  std::shared_ptr<ThreadPool> poolOf(unsigned threads);
  Expected<std::shared_ptr<ArrayBank>>
  programmed(const NoiseSettings &settings, uint32_t number, ThreadPool &with);
};

std::shared_ptr<ThreadPool> Session::State::poolOf(unsigned threads) {
  std::lock_guard<std::mutex> guard(lock);
  if (threads == 0)
    threads = std::max(1u, std::thread::hardware_concurrency());
  if (!pool || pool->size() != threads)
    pool = std::make_shared<ThreadPool>(threads);
  return pool;
}

Expected<std::shared_ptr<ArrayBank>>
Session::State::programmed(const NoiseSettings &settings, uint32_t number,
                           ThreadPool &with) {
  {
    std::lock_guard<std::mutex> guard(lock);
    if (arrays && noise == settings && instance == number)
      return arrays;
    arrays.reset(); // never two in memory where one run follows another
  }
  auto fresh = ArrayBank::program(program, settings, number, with);
  if (!fresh)
    return fresh.status();
  std::shared_ptr<ArrayBank> shared = std::move(*fresh);
  std::lock_guard<std::mutex> guard(lock);
  arrays = shared;
  noise = settings;
  instance = number;
  return shared;
}

Session::Session() : state(std::make_unique<State>()) {}
Session::~Session() = default;

const Tensor *RunResult::find(const std::string &name) const {
  for (const auto &[known, tensor] : outputs)
    if (known == name)
      return &tensor;
  return nullptr;
}

Expected<std::unique_ptr<Session>> Session::load(const std::string &path) {
  auto program = loadProgram(path);
  if (!program)
    return program.status();
  std::unique_ptr<Session> session(new Session());
  session->state->program = *program;
  session->state->executor = std::make_unique<Executor>(*program, 0);
  return session;
}

const std::shared_ptr<const LoadedProgram> &Session::program() const {
  return state->program;
}

void Session::forgetArrays() {
  std::lock_guard<std::mutex> guard(state->lock);
  state->arrays.reset();
}

size_t Session::arrays() const {
  const auto *arrays = state->program->program().arrays();
  return arrays ? arrays->size() : 0;
}

namespace {

double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
      .count();
}

} // namespace

Expected<RunResult> Session::run(const TensorMap &inputs,
                                 const RunSettings &settings) {
  const fb::Program &program = state->program->program();
  const fb::Entry &entry = *program.entries()->Get(0);
  RunResult result;
  auto layout =
      InputLayout::match(program, entry, inputs, settings.states, result.notes);
  if (!layout)
    return settings.inputsFrom.empty()
               ? layout.status()
               : Status(layout.status()).within(settings.inputsFrom);
  result.runs = layout->runs();
  result.instanceAxis = settings.instanceAxis || settings.instances > 1;

  std::shared_ptr<ThreadPool> shared = state->poolOf(settings.threads);
  ThreadPool &pool = *shared;
  bool inOrder = !settings.states.empty();
  size_t n = result.runs;
  bool zeroes = layout->anyBounded();
  size_t stride = (entry.io_bytes() + 63) / 64 * 64;
  size_t group = inOrder ? 1 : state->executor->groupSize(n, pool.size());

  layout->allocateOutputs(settings.instances, result.instanceAxis,
                          result.outputs);
  for (uint32_t instance = 0; instance < settings.instances; ++instance) {
    auto start = std::chrono::steady_clock::now();
    auto arrays = state->programmed(settings.noise, instance, pool);
    if (!arrays)
      return arrays.status();
    result.programmingSeconds += secondsSince(start);
    start = std::chrono::steady_clock::now();

    std::mutex lock;
    Status failed;
    size_t done = 0, groups = (n + group - 1) / group;
    auto runGroup = [&](size_t number) {
      size_t first = number * group, count = std::min(group, n - first);
      AlignedBytes io = state->ioMemory.take(count * stride);
      // What lies behind actual extents is zero.
      if (zeroes)
        std::memset(io.data(), 0, count * stride);
      std::vector<Sample> samples(count);
      for (size_t i = 0; i < count; ++i) {
        samples[i].io = io.data() + i * stride;
        samples[i].extents = layout->extents();
        for (size_t input = 0; input < layout->numInputs(); ++input)
          samples[i].inputs.push_back(state->executor->readsInPlace(input)
                                          ? layout->wholeInput(input, first + i)
                                          : nullptr);
        layout->fill(first + i, result.outputs, instance, samples[i].inputs,
                     samples[i].io);
      }
      if (first == 0 && instance == 0)
        samples[0].decisions = &result.decisions;
      Status status = state->executor->run(samples, first, **arrays, pool,
                                           settings.observer);
      if (status.ok())
        for (size_t i = 0; i < count; ++i)
          layout->collect(first + i, samples[i].io, samples[i].slots, instance,
                          result.outputs);
      state->ioMemory.give(std::move(io));
      std::lock_guard<std::mutex> hold(lock);
      if (status.ok())
        for (const Sample &sample : samples)
          layout->noteShapes(sample.slots);
      if (!status.ok() && failed.ok())
        failed = status;
      ++done;
      if (settings.progress)
        settings.progress((instance + double(done) / double(groups)) /
                          settings.instances);
    };
    // Groups side by side where there are enough; else the workers share the
    // instructions of one group after the other.
    if (!inOrder && groups >= pool.size())
      pool.parallelFor(groups, 1, [&](size_t begin, size_t end) {
        for (size_t number = begin; number < end; ++number)
          runGroup(number);
      });
    else
      for (size_t number = 0; number < groups && failed.ok(); ++number)
        runGroup(number);
    if (!failed.ok())
      return failed;
    result.executionSeconds += secondsSince(start);
  }
  layout->trim(result.outputs, result.notes);
  return result;
}
