//===- mho-bench.cpp - the speeds that the project promises ----------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Benchmarks.h"

#include <benchmark/benchmark.h>

#include <charconv>
#include <cstdio>
#include <cstring>

/// Takes `--threads=N` out of the arguments; 0 where it is wrong.
static unsigned takeThreads(int &argc, char **argv) {
  unsigned threads = 1;
  int kept = 1;
  for (int i = 1; i < argc; ++i) {
    if (std::strncmp(argv[i], "--threads=", 10) != 0) {
      argv[kept++] = argv[i];
      continue;
    }
    const char *text = argv[i] + 10, *end = text + std::strlen(text);
    auto [rest, error] = std::from_chars(text, end, threads);
    if (error != std::errc() || rest != end || threads > 1024)
      threads = 0;
  }
  argc = kept;
  return threads;
}

int main(int argc, char **argv) {
  unsigned threads = takeThreads(argc, argv);
  if (!threads) {
    std::fprintf(stderr, "mho-bench: '--threads' takes a number of at least "
                         "1\n");
    return 2;
  }
  mho::bench::registerArrays(threads);
  mho::bench::registerTimeline();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv))
    return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
