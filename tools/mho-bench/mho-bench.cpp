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
#include <string_view>

using mho::Status;

namespace {

struct Options {
  unsigned threads = 1;
  mho::bench::ProgramOptions program;
};

/// Our own options; the others stay for Google Benchmark.
bool takeOptions(Options &options, int &argc, char **argv) {
  int kept = 1;
  for (int i = 1; i < argc; ++i) {
    std::string_view argument = argv[i];
    auto take = [&](std::string_view name, std::string &value) {
      if (!argument.starts_with(name))
        return false;
      value = argument.substr(name.size());
      return true;
    };
    if (argument == "--reprogram") {
      options.program.reprogram = true;
      continue;
    }
    std::string threads;
    if (take("--program=", options.program.program) ||
        take("--input=", options.program.input) ||
        take("--noise=", options.program.noise) ||
        take("--time=", options.program.time))
      continue;
    if (!take("--threads=", threads)) {
      argv[kept++] = argv[i];
      continue;
    }
    const char *end = threads.data() + threads.size();
    auto [rest, error] = std::from_chars(threads.data(), end, options.threads);
    if (error != std::errc() || rest != end || options.threads < 1 ||
        options.threads > 1024) {
      std::fprintf(stderr, "mho-bench: '--threads' takes a number of at least "
                           "1\n");
      return false;
    }
  }
  argc = kept;
  if (options.program.program.empty() != options.program.input.empty()) {
    std::fprintf(stderr,
                 "mho-bench: '--program' and '--input' belong together\n");
    return false;
  }
  return true;
}

} // namespace

int main(int argc, char **argv) {
  Options options;
  if (!takeOptions(options, argc, argv))
    return 2;
  if (options.program.program.empty()) {
    mho::bench::registerArrays(options.threads);
    mho::bench::registerProducts(options.threads);
    mho::bench::registerTimeline();
  } else if (mho::Status status =
                 mho::bench::registerProgram(options.program, options.threads);
             !status.ok()) {
    std::fprintf(stderr, "mho-bench: %s\n", status.message().c_str());
    return 1;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv))
    return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
