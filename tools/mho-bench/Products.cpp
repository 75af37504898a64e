//===- Products.cpp - products of values ----------------------------------===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// gemm() of mho/Runtime/Gemm.h beside one call of oneDNN's on the same
// matrices: where the border to our own kernel lies, and what the pieces for
// threads cost.
//
//===----------------------------------------------------------------------===//

#include "Benchmarks.h"

#include "mho/Runtime/Gemm.h"

#include <benchmark/benchmark.h>
#include <dnnl.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

extern "C" void omp_set_num_threads(int);

namespace mho::bench {

using namespace mho::rt;

namespace {

struct Shape {
  int64_t m, n, k;
  bool transposed; ///< B's columns lie side by side

  std::string name() const {
    return std::to_string(m) + "x" + std::to_string(n) + "x" +
           std::to_string(k) + (transposed ? "/transposed" : "");
  }
};

// Attention, layers of a transformer, a convolution's windows, single rows.
constexpr Shape kShapes[] = {
    {4, 64, 64, false},     {8, 64, 256, false},    {32, 32, 32, false},
    {1, 512, 512, false},   {1, 512, 512, true},    {128, 128, 32, true},
    {128, 32, 128, false},  {128, 384, 384, false}, {256, 512, 512, false},
    {3136, 64, 576, false}, {64, 3136, 576, false}, {1024, 1024, 1024, false},
};

struct Operands {
  explicit Operands(const Shape &s)
      : a(size_t(s.m * s.k)), b(size_t(s.k * s.n)), c(size_t(s.m * s.n)) {
    uint32_t state = 1;
    for (std::vector<float> *values : {&a, &b})
      for (float &value : *values) {
        state = state * 1664525 + 1013904223;
        value = float(int32_t(state)) * 0x1p-31f;
      }
  }
  std::vector<float> a, b, c;
};

void countMultiplications(benchmark::State &state, const Shape &s) {
  state.counters["multiplications"] = benchmark::Counter(
      double(s.m * s.n * s.k), benchmark::Counter::kIsIterationInvariantRate);
}

void valueProduct(benchmark::State &state, const Shape &s, unsigned threads) {
  Operands x(s);
  ThreadPool pool(threads);
  MatrixView<const float> b{x.b.data(), s.n, 1};
  if (s.transposed)
    b = {x.b.data(), 1, s.k};
  for (auto _ : state) {
    if (Status status = gemm(s.m, s.n, s.k, {x.a.data(), s.k, 1}, b,
                             {x.c.data(), s.n, 1}, false, &pool);
        !status.ok())
      return state.SkipWithError(status.message().c_str());
    benchmark::ClobberMemory();
  }
  countMultiplications(state, s);
}

void oneDnnProduct(benchmark::State &state, const Shape &s, unsigned threads) {
  omp_set_num_threads(int(threads));
  Operands x(s);
  for (auto _ : state) {
    if (dnnl_sgemm('N', s.transposed ? 'T' : 'N', s.m, s.n, s.k, 1, x.a.data(),
                   s.k, x.b.data(), s.transposed ? s.k : s.n, 0, x.c.data(),
                   s.n) != dnnl_success)
      return state.SkipWithError("dnnl_sgemm failed");
    benchmark::ClobberMemory();
  }
  countMultiplications(state, s);
}

} // namespace

void registerProducts(unsigned threads) {
  for (const Shape &shape : kShapes)
    for (auto [name, run] : {std::pair{"value_product/", &valueProduct},
                             std::pair{"onednn_product/", &oneDnnProduct}})
      benchmark::RegisterBenchmark(
          (name + shape.name()).c_str(),
          [=](benchmark::State &state) { run(state, shape, threads); })
          ->UseRealTime()
          ->Unit(benchmark::kMicrosecond);
}

} // namespace mho::bench
