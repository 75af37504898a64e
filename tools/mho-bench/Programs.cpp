//===- Programs.cpp - whole programs, without the start of a process ------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Benchmarks.h"

#include "mho/Runtime/Npz.h"
#include "mho/Runtime/Session.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <limits>
#include <memory>

namespace mho::bench {

using namespace mho::rt;

namespace {

/// What every iteration needs, made once.
struct Loaded {
  std::unique_ptr<Session> session;
  TensorMap inputs;
  RunSettings settings;
  bool reprogram = false;
};

/// Processor time of all threads so far, in microseconds.
double processorTime() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return double(time.tv_sec) * 1e6 + double(time.tv_nsec) * 1e-3;
}

/// `best_us` is the quickest iteration, `best_cpu_us` the least processor time:
/// on a busy machine the mean tells more about the others.
void runProgram(benchmark::State &state, Loaded &loaded) {
  double best = std::numeric_limits<double>::infinity(), bestUsed = best;
  for (auto _ : state) {
    auto start = std::chrono::steady_clock::now();
    double used = processorTime();
    if (loaded.reprogram)
      loaded.session->forgetArrays();
    auto result = loaded.session->run(loaded.inputs, loaded.settings);
    if (!result) {
      state.SkipWithError(result.status().message().c_str());
      return;
    }
    std::chrono::duration<double, std::micro> took =
        std::chrono::steady_clock::now() - start;
    best = std::min(best, took.count());
    bestUsed = std::min(bestUsed, processorTime() - used);
  }
  state.counters["best_us"] = best;
  state.counters["best_cpu_us"] = bestUsed;
}

void loadProgram(benchmark::State &state, const std::string &path) {
  for (auto _ : state) {
    auto session = Session::load(path);
    if (!session) {
      state.SkipWithError(session.status().message().c_str());
      return;
    }
    benchmark::DoNotOptimize(session->get());
  }
}

} // namespace

Status registerProgram(const ProgramOptions &options, unsigned threads) {
  auto session = Session::load(options.program);
  if (!session)
    return session.status();
  auto loaded = std::make_shared<Loaded>();
  loaded->session = std::move(*session);
  auto inputs = readNpz(options.input);
  if (!inputs)
    return inputs.status();
  loaded->inputs = std::move(*inputs);
  std::vector<std::string> notes;
  auto noise =
      parseNoise(options.noise, loaded->session->program()->chip(), notes);
  if (!noise)
    return noise.status();
  auto time = parseTime(options.time);
  if (!time)
    return time.status();
  loaded->settings.noise = *noise;
  loaded->settings.noise.timeSeconds = *time;
  loaded->settings.threads = threads;
  loaded->reprogram = options.reprogram;
  benchmark::RegisterBenchmark(
      ("program/" + options.noise).c_str(),
      [loaded](benchmark::State &state) { runProgram(state, *loaded); })
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
  benchmark::RegisterBenchmark(
      "load_program",
      [path = options.program](benchmark::State &state) {
        loadProgram(state, path);
      })
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
  return success();
}

} // namespace mho::bench
