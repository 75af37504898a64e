//===- Arrays.cpp - reading and programming arrays -------------------------
//===//
//
// Part of mho, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A noisy read of one array (8-bit codes in and out, programming error, a day
// of drift, read noise per read) beside oneDNN's f32 product of that shape.
//
//===----------------------------------------------------------------------===//

#include "Benchmarks.h"
#include "ProgrammedArray.h"
#include "mho/Runtime/ThreadPool.h"

#include <benchmark/benchmark.h>
#include <oneapi/dnnl/dnnl.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#ifdef _OPENMP
#include <omp.h>
#else
extern "C" void omp_set_num_threads(int);
#endif

namespace mho::bench {

using namespace mho::rt;

namespace {

std::vector<float> normals(size_t count, uint32_t seed) {
  size_t groups = (count + kNormalGroup - 1) / kNormalGroup;
  std::vector<float> values(groups * kNormalGroup);
  readNormals({{seed, 1}, {2, 3}}, 0, groups, values.data());
  values.resize(count);
  return values;
}

/// One array as HERMES would hold it, of any size.
struct Subject {
  Subject(int64_t rows, int64_t columns)
      : weights(normals(size_t(rows * columns), 7)) {
    device = std::move(*createDeviceModel("hermes-pcm", 2, {}));
    spec.weights = weights.data();
    spec.weightStride = columns;
    spec.rows = rows;
    spec.columns = columns;
    spec.inputRange = 3;
    spec.adcRange = range;
    spec.device = device.get();
    noise.quantization = noise.programming = noise.drift = noise.read = true;
    noise.timeSeconds = 86400;
  }
  std::vector<float> weights;
  float range[1] = {3};
  std::unique_ptr<DeviceModel> device;
  ArraySpec spec;
  NoiseSettings noise;
};

void noisyMvm(benchmark::State &state, int64_t rows, int64_t columns,
              int64_t batch, unsigned threads) {
  Subject subject(rows, columns);
  ProgrammedArray array = programArray(subject.spec, subject.noise);
  std::vector<float> in = normals(size_t(batch * rows), 9);
  std::vector<float> out(size_t(batch * columns));
  ThreadPool pool(threads);
  uint64_t repetition = 0;
  size_t blocks = size_t((batch + kBlockVectors - 1) / kBlockVectors);
  for (auto _ : state) {
    StreamKey key = streamKey(array.readKey, 0, repetition++);
    pool.parallelFor(blocks, 1, [&](size_t begin, size_t end) {
      BlockScratch scratch(array);
      for (size_t number = begin; number < end; ++number) {
        int64_t first = int64_t(number) * kBlockVectors;
        VectorBlock block;
        block.count = std::min(kBlockVectors, batch - first);
        for (int64_t v = 0; v < block.count; ++v) {
          block.values[v] = in.data() + (first + v) * rows;
          block.out[v] = out.data() + (first + v) * columns;
        }
        BlockPart part{0, block.count, uint64_t(first), key};
        block.parts = std::span(&part, 1);
        readBlock(array, block, scratch);
      }
    });
    benchmark::ClobberMemory();
  }
  state.counters["vectors"] = benchmark::Counter(
      double(batch), benchmark::Counter::kIsIterationInvariantRate);
}

void f32Product(benchmark::State &state, int64_t rows, int64_t columns,
                int64_t batch, unsigned threads) {
  using namespace dnnl;
  omp_set_num_threads(int(threads));
  engine cpu(engine::kind::cpu, 0);
  stream queue(cpu);
  using tag = memory::format_tag;
  auto f32 = memory::data_type::f32;
  memory::desc a({batch, rows}, f32, tag::ab),
      c({batch, columns}, f32, tag::ab);
  memory::desc plain({rows, columns}, f32, tag::ab);
  memory::desc any({rows, columns}, f32, tag::any);
  matmul::primitive_desc description(matmul::desc(a, any, c), cpu);
  matmul product(description);
  std::vector<float> x = normals(size_t(batch * rows), 9);
  std::vector<float> w = normals(size_t(rows * columns), 7);
  std::vector<float> y(size_t(batch * columns));
  memory source(a, cpu, x.data()), result(c, cpu, y.data());
  memory given(plain, cpu, w.data()), packed(description.weights_desc(), cpu);
  reorder(given, packed).execute(queue, given, packed);
  std::unordered_map<int, memory> arguments = {{DNNL_ARG_SRC, source},
                                               {DNNL_ARG_WEIGHTS, packed},
                                               {DNNL_ARG_DST, result}};
  for (auto _ : state) {
    product.execute(queue, arguments);
    queue.wait();
    benchmark::ClobberMemory();
  }
  state.counters["vectors"] = benchmark::Counter(
      double(batch), benchmark::Counter::kIsIterationInvariantRate);
}

/// Programming, a day of drift, packing: a whole matrix in arrays of at most
/// 256 × 256, as a program's load does it.
void programAndDrift(benchmark::State &state, int64_t rows, int64_t columns,
                     unsigned threads) {
  Subject subject(rows, columns);
  ThreadPool pool(threads);
  constexpr int64_t side = 256;
  int64_t down = (rows + side - 1) / side, across = (columns + side - 1) / side;
  std::vector<ProgrammedArray> arrays(size_t(down * across));
  for (auto _ : state) {
    pool.parallelFor(arrays.size(), 1, [&](size_t begin, size_t end) {
      for (size_t number = begin; number < end; ++number) {
        ArraySpec spec = subject.spec;
        int64_t row = int64_t(number) / across * side;
        int64_t column = int64_t(number) % across * side;
        spec.weights += row * columns + column;
        spec.rows = std::min(side, rows - row);
        spec.columns = std::min(side, columns - column);
        spec.array = uint32_t(number);
        arrays[number] = programArray(spec, subject.noise);
      }
    });
    benchmark::ClobberMemory();
  }
  state.counters["weights"] = benchmark::Counter(
      double(rows * columns), benchmark::Counter::kIsIterationInvariantRate);
}

} // namespace

void registerArrays(unsigned threads) {
  auto name = [](const char *what, int64_t rows, int64_t columns) {
    return std::string(what) + "/" + std::to_string(rows) + "x" +
           std::to_string(columns);
  };
  struct Shape {
    int64_t rows, columns;
  };
  for (Shape s :
       {Shape{512, 512}, Shape{256, 256}, Shape{144, 64}, Shape{144, 16}})
    for (int64_t batch : {1, 16, 256}) {
      std::string end = "/" + std::to_string(batch);
      benchmark::RegisterBenchmark(
          (name("noisy_mvm", s.rows, s.columns) + end).c_str(),
          [=](benchmark::State &state) {
            noisyMvm(state, s.rows, s.columns, batch, threads);
          })
          ->UseRealTime()
          ->Unit(benchmark::kMicrosecond);
      benchmark::RegisterBenchmark(
          (name("f32_product", s.rows, s.columns) + end).c_str(),
          [=](benchmark::State &state) {
            f32Product(state, s.rows, s.columns, batch, threads);
          })
          ->UseRealTime()
          ->Unit(benchmark::kMicrosecond);
    }
  for (Shape s : {Shape{768, 3072}, Shape{512, 512}})
    benchmark::RegisterBenchmark(
        name("program_and_drift", s.rows, s.columns).c_str(),
        [=](benchmark::State &state) {
          programAndDrift(state, s.rows, s.columns, threads);
        })
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond);
}

} // namespace mho::bench
